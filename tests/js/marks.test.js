/** The marks of a network on the slider: changes of the training, best epoch and early stop. */

import assert from "node:assert/strict";
import test from "node:test";

import { marksOf } from "../../assets/board/state/marks.js";

const PHASE = { text: "None", regularized: false, drop_rate: 0, learning_rate: 0.1 };
const recording = (untils, stopping = null) => ({
  phases: untils.map((until) => ({ ...PHASE, until })),
  epochs: [0, 1, 2, 5, 10],
  nReceived: 5,
  nFrames: 5,
  lastEpoch: 10,
  patience: 3,
  stopping: [stopping],
});
const DISPLAYED = { card: { key: "l1", label: "L1" }, k: 0 };
const marks = (...args) => marksOf(recording(...args), DISPLAYED).map(({ kind, frame, epoch }) => [kind, frame, epoch]);

test("each change of the training is marked", () => {
  assert.deepEqual(marks([]), []);
  assert.deepEqual(marks([1]), [["change", 1, 1]]);
  assert.deepEqual(marks([1, 5]), [["change", 1, 1], ["change", 3, 5]]);
  // at the first recorded epoch that is not before it
  assert.deepEqual(marks([3]), [["change", 3, 3]]);
  // and not before its frame is received
  assert.deepEqual(marks([11]), []);
});

test("a mark says how all networks were trained until there", () => {
  const run = recording([1, 5]);
  const tips = () => marksOf({ ...run, phases: [...run.phases] }, DISPLAYED).map(({ text, tip }) => [text, tip]);
  assert.deepEqual(tips(), [
    ["change", "Until epoch 1: None, all networks are the same. Then the training changes."],
    ["regularization on", "Regularization is switched on at epoch 5."],
  ]);
  Object.assign(run.phases[1], { regularized: true, text: "L1 λ₁ = 0.01" });
  assert.deepEqual(tips()[1], ["change", "Until epoch 5: L1 λ₁ = 0.01, all networks are the same. Then each goes on with its own regularization."]);
});

test("the best epoch and the early stop are marked with the epochs that the run has decided", () => {
  assert.deepEqual(marks([], { best: 3, stop: 7 }), [["best", 2, 3], ["stop", 4, 7]]);
  assert.deepEqual(marks([], { best: 10, stop: null }), [["best", 4, 10]]);
});

test("frame 0 is not marked as the best", () => {
  assert.deepEqual(marks([], { best: 0, stop: 5 }), [["stop", 3, 5]]);
});

test("the same network has the same marks, as charts redraw their lines for others", () => {
  const run = recording([1]);
  assert.equal(marksOf(run, DISPLAYED), marksOf(run, DISPLAYED));
  const other = { ...DISPLAYED, card: { key: "l2", label: "L2" } };
  assert.notEqual(marksOf(run, DISPLAYED), marksOf(run, other));
});
