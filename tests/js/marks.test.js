/** The marks of a network on the slider: onset, best epoch and early stop. */

import assert from "node:assert/strict";
import test from "node:test";

import { marksOf } from "../../assets/board/state/marks.js";

const recording = (onset, stopping = null) => ({
  onset,
  epochs: [0, 1, 2, 5, 10],
  nReceived: 5,
  nFrames: 5,
  lastEpoch: 10,
  patience: 3,
  stopping: [stopping],
});
const DISPLAYED = { card: { key: "l1", label: "L1" }, k: 0 };
const marks = (...args) => marksOf(recording(...args), DISPLAYED).map(({ kind, frame, epoch }) => [kind, frame, epoch]);

test("the onset is marked where regularization acts later than from the beginning", () => {
  assert.deepEqual(marks(0), []);
  assert.deepEqual(marks(1), [["onset", 1, 1]]);
  assert.deepEqual(marks(5), [["onset", 3, 5]]);
  // at the first recorded epoch that is not before it
  assert.deepEqual(marks(3), [["onset", 3, 5]]);
  // and not before its frame is received
  assert.deepEqual(marks(11), []);
});

test("the best epoch and the early stop are marked with the epochs that the run has decided", () => {
  assert.deepEqual(marks(0, { best: 3, stop: 7 }), [["best", 2, 3], ["stop", 4, 7]]);
  assert.deepEqual(marks(0, { best: 10, stop: null }), [["best", 4, 10]]);
});

test("frame 0 is not marked as the best", () => {
  assert.deepEqual(marks(0, { best: 0, stop: 5 }), [["stop", 3, 5]]);
});

test("the same network has the same marks, as charts redraw their lines for others", () => {
  const run = recording(1);
  assert.equal(marksOf(run, DISPLAYED), marksOf(run, DISPLAYED));
  const other = { ...DISPLAYED, card: { key: "l2", label: "L2" } };
  assert.notEqual(marksOf(run, DISPLAYED), marksOf(run, other));
});
