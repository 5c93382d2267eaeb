/**
 * The colour scale: tables from predictions to colours, made once for a run and a theme, and shared by
 * boundaries, points and legend.
 */

/**
 * @import {Recording} from "../state/types.d.ts"
 * @import {Colour, Scale, Theme} from "./types.d.ts"
 */

import { MAX_TINT, mix, packed, parse } from "./theme.js";

const STEPS = 256;

/**
 * Make the colour scale of a run.
 *
 * @param {Pick<Recording, "network"|"classes"|"blank"|"points">} recording
 * @param {Theme} theme
 * @returns {Scale}
 */
export function makeScale({ network, classes, blank, points }, { mode }) {
  const paper = parse(blank[mode]);
  const colours = classes.map(parse);
  const { middle, reach } = targetRange(points.train);
  const full = MAX_TINT[mode];
  // diverging: 0 is the first class or the low end, 1 the second class or the high end
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
  // points and surface have one scale: a point in its surroundings' colour is predicted well
  const ofValue = (/** @type {number} */ y) => twoSided(Math.max(0, Math.min(1, 0.5 + (0.5 * (y - middle)) / reach)));
  const colour = network.task === "regression" ? ofValue : ofClass;
  return { task: network.task, middle, reach, colour, tables, discrete };
}

/**
 * Return the middle of the training targets, or 0 if they have both signs, and their largest distance
 * from it.
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
