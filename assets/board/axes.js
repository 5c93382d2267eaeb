/**
 * The axes that all histograms of a run share, at all of its epochs: heights and widths can be
 * compared, and nothing jumps while it plays. They grow with what arrives.
 *
 * @typedef {{range: number, most: number, frames: number}} Axes  half the width, the count that
 *   fills the height, and the frames looked at so far
 */

import { BARS, count } from "./histogram.js";
import { isDiverged, rowOffset, weightRange } from "./recording.js";

const counts = new Uint16Array(BARS);

/** @type {Axes} */
export const NO_AXES = Object.freeze({ range: 0, most: 1, frames: 0 });

/**
 * @param {Axes} axes
 * @param {import("./recording.js").Recording} recording  the run of `axes`, with more frames
 * @returns {Axes}
 */
export function growAxes(axes, recording) {
  const { held, cards, parameters, weightIndex } = recording;
  const range = weightRange(recording);
  let { most, frames } = range === axes.range ? axes : NO_AXES;
  for (; frames < held; frames++) {
    for (let k = 0; k < cards.length; k++) {
      if (isDiverged(recording, frames, k)) continue;
      count(parameters, rowOffset(recording, frames, k), weightIndex, range, counts);
      for (let bar = 0; bar < BARS; bar++) if (counts[bar] > most) most = counts[bar];
    }
  }
  return { range, most, frames };
}
