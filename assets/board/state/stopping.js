/**
 * Early stopping of a network, in frames. `History.early_stopping` in Python decides, and each message
 * carries the epochs; here they are only looked up.
 */

/**
 * @typedef {Object} Stopping
 * @property {number} best       the frame of the network that is kept, or the nearest before it
 * @property {number} bestEpoch
 * @property {number|null} stop  the frame at which its training would end; null before that is
 *   known, and without validation points
 * @property {number|null} stopEpoch
 * @property {boolean} settled   false as long as more frames can change it
 */

/**
 * @param {Pick<import("./recording.js").Recording, "epochs"|"nReceived"|"nFrames"|"lastEpoch"|"stopping">} recording
 * @param {number} k  which network
 * @returns {Stopping}
 */
export function earlyStopping(recording, k) {
  const { epochs, nReceived, nFrames, lastEpoch, stopping } = recording;
  const decided = stopping[k];
  if (!decided) {
    return { best: nFrames - 1, bestEpoch: lastEpoch, stop: null, stopEpoch: null, settled: false };
  }
  // a message may know of epochs whose frames come with the next one
  const best = epochs.findLastIndex((epoch) => epoch <= decided.best);
  const end = decided.stop;
  const stop = end === null ? -1 : epochs.findIndex((epoch) => epoch >= end);
  const found = { best, bestEpoch: decided.best };
  if (stop >= 0) return { ...found, stop, stopEpoch: end, settled: true };
  return { ...found, stop: null, stopEpoch: null, settled: nReceived === nFrames };
}
