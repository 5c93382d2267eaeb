/** What is marked on the epoch slider and in the charts, for the network in focus. */

/**
 * @import {Card, Recording} from "./recording.js"
 * @import {Displayed} from "./displayed.js"
 */

import { earlyStopping } from "./stopping.js";
import { MARKS } from "./words.js";

/**
 * @typedef {Object} Mark
 * @property {string} kind
 * @property {number} frame
 * @property {number} epoch
 * @property {string} text
 * @property {string} tip
 */

/** @type {WeakMap<Recording, Map<string, Mark[]>>} by recording, card and network */
const known = new WeakMap();

/**
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @returns {Mark[]}  the same
 *   object as long as nothing changes: charts draw it into what they keep
 */
export function marksOf(recording, { card, k }) {
  const remembered = known.get(recording) ?? new Map();
  known.set(recording, remembered);
  const key = `${card.key} ${k}`;
  if (!remembered.has(key)) remembered.set(key, findMarks(recording, card, k));
  return remembered.get(key);
}

/**
 * @param {Recording} recording
 * @param {Card} card
 * @param {number} k
 */
function findMarks(recording, card, k) {
  const { onset, epochs, patience } = recording;
  const { best, bestEpoch, stop, stopEpoch, settled } = earlyStopping(recording, k);
  /** @type {Mark[]} */
  const marks = [];
  /** @type {(kind: string, frame: number, text: string, tip: string, epoch?: number) => void} */
  const add = (kind, frame, text, tip, epoch = epochs[frame]) => marks.push({ kind, frame, epoch, text, tip });
  const begins = epochs.findIndex((epoch) => epoch >= onset);
  if (onset > 0 && begins >= 0) add("onset", begins, "regularization on", MARKS.onset(onset));
  if (settled && best > 0) {
    add("best", best, "best validation", MARKS.best(bestEpoch, card.label), bestEpoch);
  }
  if (stop !== null && stopEpoch !== null) add("stop", stop, "early stop", MARKS.stop(stopEpoch, card.label, patience), stopEpoch);
  return marks;
}
