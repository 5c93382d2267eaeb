/** Tests of the ticks of chart axes. */

import assert from "node:assert/strict";
import test from "node:test";

import { linearTicks, logRange, logTicks } from "../../assets/board/draw/ticks.js";

for (const high of [0.03, 0.8, 1, 1.5, 3, 40, 2e5, 3e37]) {
  test(`a linear axis to ${high} has round ticks from zero up`, () => {
    const ticks = linearTicks(high, 5);
    assert.equal(ticks[0], 0);
    assert.ok(ticks.at(-1) <= high * (1 + 1e-9));
    assert.ok(ticks.length >= 3 && ticks.length <= 6);
    const steps = ticks.slice(1).map((tick, i) => tick - ticks[i]);
    for (const step of steps) assert.ok(Math.abs(step / steps[0] - 1) < 1e-6);
    assert.ok("125".includes(steps[0].toExponential(6)[0]));
  });
}

test("epochs are counted in whole steps", () => {
  assert.deepEqual(linearTicks(3, 6, true), [0, 1, 2, 3]);
  assert.deepEqual(linearTicks(400, 6, true), [0, 100, 200, 300, 400]);
});

for (const least of [1e-300, 1e-9, 4e-4, 0.03, 0.2, 0.69]) {
  test(`a logarithmic axis from ${least} to 0.7 can be read from its labels`, () => {
    const [low, high] = logRange(least, 0.7);
    const { major, minor } = logTicks(low, high, 5);
    assert.ok(low > 0 && low <= Math.max(least, 0.7e-6));
    assert.equal(high, 1);
    assert.ok(major.length >= 2 && major.length <= 6);
    const ticks = [...major, ...minor];
    assert.equal(new Set(ticks).size, ticks.length);
    assert.ok(ticks.every((tick) => tick >= low * 0.999 && tick <= high * 1.001));
  });
}
