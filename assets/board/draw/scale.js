/**
 * From predictions to colours: tables, made once for a run and a theme, that the boundary, the
 * points and the legend all read.
 *
 * @typedef {Object} Scale
 * @property {Task} task
 * @property {number} middle  regression: the value without colour
 * @property {number} reach   regression: the distance from it at which colour is full
 * @property {(label: number) => Colour} colour  of a class, or of a value
 * @property {Uint32Array[]} tables  one for each class, or one in all
 * @property {Uint32Array[]} discrete  the same without shades between
 */

/**
 * @import {Task} from "../state/forward.js"
 * @import {Recording} from "../state/recording.js"
 * @import {Colour, Theme} from "./theme.js"
 */

import { STRENGTH, mix, packed, parse } from "./theme.js";

const STEPS = 256;

/**
 * @param {Recording} recording
 * @param {Theme} theme
 * @returns {Scale}
 */
export function makeScale({ network, classes, blank, points }, { mode }) {
  const paper = parse(blank[mode]);
  const colours = classes.map(parse);
  const { middle, reach } = targetRange(points.train);
  const full = STRENGTH[mode];
  // two-sided: 0 is the first class's or the low end, 1 the other one
  const twoSided = (/** @type {number} */ x) => mix(paper, colours[x < 0.5 ? 0 : 1], full * Math.abs(2 * x - 1));
  const table = (/** @type {(x: number) => Colour} */ f) => Uint32Array.from({ length: STEPS }, (_, i) => packed(f(i / (STEPS - 1))));
  const sides = table((x) => twoSided(x < 0.5 ? 0 : 1));
  const ofClass = (/** @type {number} */ c) => colours[c % colours.length];
  const nClasses = network.layers[network.layers.length - 1];
  const tables =
    network.task === "multiclass"
      ? Array.from({ length: nClasses }, (_, c) => table((x) => mix(paper, ofClass(c), full * x)))
      : [table(twoSided)];
  const discrete = tables.length > 1 ? tables.map((own) => own.map(() => own[own.length - 1])) : [sides];
  // a point on the surface of its own colour is one that the network predicts well
  const ofValue = (/** @type {number} */ y) => twoSided(Math.max(0, Math.min(1, 0.5 + (0.5 * (y - middle)) / reach)));
  const colour = network.task === "regression" ? ofValue : ofClass;
  return { task: network.task, middle, reach, colour, tables, discrete };
}

/**
 * The middle of the training targets, 0 if they lie on both sides of it, and how far they reach.
 *
 * @param {Float32Array} rows
 */
function targetRange(rows) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 2; i < rows.length; i += 3) {
    low = Math.min(low, rows[i]);
    high = Math.max(high, rows[i]);
  }
  const middle = low < 0 && high > 0 ? 0 : (low + high) / 2;
  return { middle, reach: Math.max(high - middle, middle - low) || 1 };
}
