/** Tests of numbers as text. */

import assert from "node:assert/strict";
import test from "node:test";

import { misclassified, number, parameter, signed, weight } from "../../assets/board/state/words.js";

for (const [w, text] of [
  [0, "w = 0.000"],
  [1.1754943508222875e-38, "w = 1.2e−38"],
  [-1.1754943508222875e-38, "w = −1.2e−38"],
  [0.0004, "w = 4.0e−4"],
  [0.0006, "w = 0.001"],
  [-0.25, "w = −0.250"],
  [1e5, "w = 1.0e5"],
]) {
  test(`only a weight of zero is written as zero: ${w}`, () => assert.equal(weight(w), text));
}

for (const [x, decimals, text] of [
  [-0.004, 2, "0.00"],
  [-0, 2, "0.00"],
  [0.004, 2, "0.00"],
  [-0.006, 2, "−0.01"],
  [-0.0004, 3, "0.000"],
]) {
  test(`a number that reads 0 has no sign: ${x}`, () => {
    assert.equal(number(x, decimals), text);
    assert.equal(signed(x, decimals), text);
  });
}

for (const [x, text] of [[0, "0.00"], [-0.004, "−4.0e−3"], [1e-8, "1.0e−8"], [-0.25, "−0.25"]]) {
  test(`a bias that is not zero does not read 0: ${x}`, () => assert.equal(parameter(x), text));
}

for (const task of ["binary", "regression"]) {
  test(`the sentence on the points begins with a capital or a number: ${task}`, () => {
    assert.match(misclassified(task, [3, 41], [60, 320]), /^[A-Z0-9].*\.$/);
  });
}
