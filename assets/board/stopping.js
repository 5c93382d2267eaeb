/**
 * Early stopping as a view of a recording: where it would have ended a network's training, and which
 * network it would have kept. The same rule as `History.early_stopping` in Python.
 */

import { hasNetwork, lastFrame, metric } from "./recording.js";

/** @type {WeakMap<Object, Map<number, Object>>} by recording and network */
const known = new WeakMap();

/**
 * @param {import("./recording.js").Recording} recording
 * @param {number} k  which network
 * @returns {{best: number, stop: number|null, settled: boolean}}  frames; no stop as long as it has
 *   not come to it, or where nothing is held out for validation; settled is what cannot change
 */
export function earlyStopping(recording, k) {
  if (!known.has(recording)) known.set(recording, new Map());
  const found = known.get(recording);
  if (!found.has(k)) found.set(k, search(recording, k));
  return found.get(k);
}

function search(recording, k) {
  const { epochs, patience, nFrames, points } = recording;
  if (!points.validation.length) return { best: nFrames - 1, stop: null, settled: false };
  const last = hasNetwork(recording, k) ? lastFrame(recording, k) : -1;
  let best = 0;
  let least = Infinity;
  for (let t = 0; t <= last; t++) {
    const loss = metric(recording, "validation_loss", t, k);
    if (loss < least) {
      [best, least] = [t, loss];
    } else if (epochs[t] - epochs[best] >= patience) {
      return { best, stop: t, settled: true };
    }
  }
  return { best, stop: null, settled: last === nFrames - 1 };
}
