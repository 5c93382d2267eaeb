/** Marks of the network in focus, on the epoch slider and in the charts. */

/** @import {Card, Displayed, Mark, Recording} from "./types.d.ts" */

import { earlyStopping } from "./stopping.js";
import { MARKS } from "./words.js";

/** @type {WeakMap<Recording, Map<string, Mark[]>>} by recording, card and network */
const cache = new WeakMap();

/**
 * Return the marks of a displayed network.
 *
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @returns {Mark[]}  the same object for the same network: charts redraw their lines for another one
 */
export function marksOf(recording, { card, k }) {
  /** @type {Map<string, Mark[]>} */
  const cached = cache.get(recording) ?? new Map();
  cache.set(recording, cached);
  const key = `${card.key} ${k}`;
  const marks = cached.get(key) ?? findMarks(recording, card, k);
  cached.set(key, marks);
  return marks;
}

/**
 * Determine the marks of network `k`.
 *
 * @param {Recording} recording
 * @param {Card} card
 * @param {number} k
 */
function findMarks(recording, card, k) {
  const { phases, epochs, patience } = recording;
  const { best, bestEpoch, stop, stopEpoch, settled } = earlyStopping(recording, k);
  /** @type {Mark[]} */
  const marks = [];
  /** @type {(kind: string, frame: number, text: string, tip: string, epoch?: number) => void} */
  const add = (kind, frame, text, tip, epoch = epochs[frame]) => marks.push({ kind, frame, epoch, text, tip });
  phases.forEach((phase, i) => {
    const ends = epochs.findIndex((epoch) => epoch >= phase.until);
    const last = i === phases.length - 1;
    if (ends >= 0) add("change", ends, last && !phase.regularized ? "regularization on" : "change", MARKS.change(phase, last), phase.until);
  });
  if (settled && best > 0) {
    add("best", best, "best validation", MARKS.best(bestEpoch, card.label), bestEpoch);
  }
  if (stop !== null && stopEpoch !== null) add("stop", stop, "early stop", MARKS.stop(stopEpoch, card.label, patience), stopEpoch);
  return marks;
}
