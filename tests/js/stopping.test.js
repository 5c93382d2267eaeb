/** Tests of early stopping while the frames of a run arrive. */

import assert from "node:assert/strict";
import test from "node:test";

import { earlyStopping } from "../../assets/board/state/stopping.js";

const recording = (nReceived, decided) => ({
  epochs: [0, 1, 2, 5, 10, 20, 40].slice(0, nReceived),
  nReceived,
  nFrames: 7,
  lastEpoch: 40,
  stopping: [decided],
});

test("without validation points the last network is kept, and nothing is settled", () => {
  assert.deepEqual(earlyStopping(recording(3, null), 0), {
    best: 6, bestEpoch: 40, stop: null, stopEpoch: null, settled: false,
  });
});

test("it is settled once the frame of the stop is there", () => {
  const decided = { best: 5, stop: 20 };
  assert.deepEqual(earlyStopping(recording(6, decided), 0), {
    best: 3, bestEpoch: 5, stop: 5, stopEpoch: 20, settled: true,
  });
  // a message may know of epochs whose frames come with the next one
  assert.deepEqual(earlyStopping(recording(3, decided), 0), {
    best: 2, bestEpoch: 5, stop: null, stopEpoch: null, settled: false,
  });
});

test("a run that ends before it would be stopped is settled at its end", () => {
  const decided = { best: 20, stop: null };
  assert.equal(earlyStopping(recording(6, decided), 0).settled, false);
  assert.deepEqual(earlyStopping(recording(7, decided), 0), {
    best: 5, bestEpoch: 20, stop: null, stopEpoch: null, settled: true,
  });
});
