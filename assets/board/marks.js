/** What is marked on the epoch slider and in the charts, for the network in focus. */

import { earlyStopping } from "./stopping.js";
import { MARKS } from "./words.js";

/** @type {WeakMap<Object, Map<string, Object[]>>} by recording, card and network */
const known = new WeakMap();

/**
 * @param {import("./recording.js").Recording} recording
 * @param {import("./shown.js").Shown} shown
 * @returns {{kind: string, frame: number, epoch: number, text: string, tip: string}[]}  the same
 *   object as long as nothing changes: charts draw it into what they keep
 */
export function marksOf(recording, { card, k }) {
  if (!known.has(recording)) known.set(recording, new Map());
  const remembered = known.get(recording);
  const key = `${card.key} ${k}`;
  if (!remembered.has(key)) remembered.set(key, findMarks(recording, card, k));
  return remembered.get(key);
}

function findMarks(recording, card, k) {
  const { onset, epochs, patience } = recording;
  const { best, bestEpoch, stop, stopEpoch, settled } = earlyStopping(recording, k);
  const marks = [];
  const add = (kind, frame, text, tip, epoch = epochs[frame]) => marks.push({ kind, frame, epoch, text, tip });
  const begins = epochs.findIndex((epoch) => epoch >= onset);
  if (onset > 0 && begins >= 0) add("onset", begins, "regularization on", MARKS.onset(onset));
  if (settled && best > 0) {
    add("best", best, "best validation", MARKS.best(bestEpoch, card.label), bestEpoch);
  }
  if (stop !== null) add("stop", stop, "early stop", MARKS.stop(stopEpoch, card.label, patience), stopEpoch);
  return marks;
}
