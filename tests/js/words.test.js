/** Tests of numbers as text. */

import assert from "node:assert/strict";
import test from "node:test";

import { weight } from "../../assets/board/state/words.js";

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
