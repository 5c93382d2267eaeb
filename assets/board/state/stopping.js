/**
 * Frames of early stopping. `History.early_stopping` in Python determines the epochs, which each
 * message carries; this module finds their frames.
 */

/** @import {Recording, Stopping} from "./types.d.ts" */

/**
 * Return the frames and epochs of early stopping for a network.
 *
 * @param {Pick<Recording, "epochs"|"nReceived"|"nFrames"|"lastEpoch"|"stopping">} recording
 * @param {number} k  which network
 * @returns {Stopping}
 */
export function earlyStopping(recording, k) {
  const { epochs, nReceived, nFrames, lastEpoch, stopping } = recording;
  const decided = stopping[k];
  if (!decided) {
    return { best: nFrames - 1, bestEpoch: lastEpoch, stop: null, stopEpoch: null, settled: false };
  }
  // the epoch that stops may lie beyond the last received frame
  const best = epochs.findLastIndex((epoch) => epoch <= decided.best);
  const end = decided.stop;
  const stop = end === null ? -1 : epochs.findIndex((epoch) => epoch >= end);
  const found = { best, bestEpoch: decided.best };
  if (stop >= 0) return { ...found, stop, stopEpoch: end, settled: true };
  return { ...found, stop: null, stopEpoch: null, settled: nReceived === nFrames };
}
