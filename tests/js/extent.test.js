/** Tests of the largest value that an axis shows, and of the marks where curves leave it. */

import assert from "node:assert/strict";
import test from "node:test";

import { extent, peaksAbove } from "../../assets/board/state/extent.js";

const N_FRAMES = 101;
const curve = (of) => Float32Array.from({ length: N_FRAMES }, (_, t) => of(t));

test("a spike of five frames does not count, wherever it is", () => {
  const flat = (t) => 0.5 + 0.1 * Math.sin(t);
  const expected = extent(curve(flat), N_FRAMES);
  assert.ok(expected > 0.59 && expected <= 0.6);
  for (const at of [1, 50, 96]) {
    const spiked = curve((t) => (t >= at && t < at + 5 ? 3 + t : flat(t)));
    assert.ok(Math.abs(extent(spiked, N_FRAMES) - expected) < 0.01);
  }
});

test("a rise that lasts counts up to its end, and so does a low spike", () => {
  const overfits = curve((t) => 0.7 - 0.02 * Math.min(t, 20) + 0.012 * Math.max(0, t - 20));
  assert.equal(extent(overfits, N_FRAMES), overfits[100]);
  const steep = curve((t) => 0.3 * 1.06 ** t);
  assert.equal(extent(steep, N_FRAMES), steep[100]);
  const low = curve((t) => (t === 50 ? 0.7 : 0.5));
  assert.equal(extent(low, N_FRAMES), low[50]);
});

test("what six frames have in common is no spike", () => {
  assert.equal(extent(curve((t) => (t > 40 && t < 47 ? 3 : 0.5)), N_FRAMES), 3);
});

test("the start counts, however low the rest is", () => {
  assert.equal(extent(curve((t) => (t ? 0.01 : 2)), N_FRAMES), 2);
});

test("in a run of few frames all count", () => {
  assert.equal(extent([0.5, 3, 0.5, 0.4], 4), 3);
});

test("what is not finite does not count", () => {
  assert.equal(extent([0.5, NaN, Infinity, 0.75], 4), 0.75);
  assert.equal(extent([], N_FRAMES), 0);
  assert.equal(extent([NaN, NaN], N_FRAMES), 0);
});

test("the axis only grows as frames arrive", () => {
  const values = curve((t) => (t % 9 === 4 ? 5 : 0.4 + 0.3 * Math.cos(t / 7)));
  let before = 0;
  for (let n = 1; n <= N_FRAMES; n++) {
    const now = extent(values.slice(0, n), N_FRAMES);
    assert.ok(now >= before, `at ${n} frames`);
    before = now;
  }
});

test("a curve leaves the axis once in each group of frames above it, at its highest", () => {
  assert.deepEqual(peaksAbove([0, 2, 3, 2.5, 0, 4, 1], 1), [2, 5]);
  assert.deepEqual(peaksAbove([5, 0, 0, 6, 7], 1), [0, 4]);
  assert.deepEqual(peaksAbove([1, 1, 0], 1), []);
  assert.deepEqual(peaksAbove([0, 2, Infinity, NaN, 0], 1), [1]);
});
