/** Converts a network's predictions on a grid to pixels. */

/** @import {Scale} from "./types.d.ts" */

import { predict, argmax } from "../state/forward.js";

/**
 * Colour every point of a grid.
 *
 * @param {Scale} scale
 * @param {Float64Array} raw  the network's outputs, (outputs, n)
 * @param {number} nOutputs
 * @param {number} n
 * @param {Float64Array} values  memory for the predictions, (outputs, n)
 * @param {Uint32Array} pixels
 * @param {boolean} discrete  whether classes have their full colour everywhere
 */
export function paint(scale, raw, nOutputs, n, values, pixels, discrete) {
  predict(scale.task, nOutputs, raw, n, values);
  const tables = discrete ? scale.discrete : scale.tables;
  if (scale.task === "multiclass") paintClasses(tables, values, nOutputs, n, pixels);
  else paintTwoSided(scale, tables[0], values, n, pixels);
}

/**
 * Colour predictions by a diverging scale.
 *
 * @param {Scale} scale
 * @param {Uint32Array} table
 * @param {Float64Array} values
 * @param {number} n
 * @param {Uint32Array} pixels
 */
function paintTwoSided({ task, middle, reach }, table, values, n, pixels) {
  const top = table.length - 1;
  const slope = task === "regression" ? (0.5 * top) / reach : top;
  const shift = task === "regression" ? 0.5 * top - slope * middle : 0;
  for (let p = 0; p < n; p++) {
    const i = shift + slope * values[p] + 0.5;
    // the comparisons are false for NaN, which gets the first entry
    pixels[p] = table[i > 0 ? (i < top ? i | 0 : top) : 0];
  }
}

/**
 * Colour the most probable class by its probability.
 *
 * @param {Uint32Array[]} tables
 * @param {Float64Array} values
 * @param {number} nOutputs
 * @param {number} n
 * @param {Uint32Array} pixels
 */
function paintClasses(tables, values, nOutputs, n, pixels) {
  const top = tables[0].length - 1;
  for (let p = 0; p < n; p++) {
    const best = argmax(values, n, nOutputs, p);
    const confidence = (values[best * n + p] - 1 / nOutputs) / (1 - 1 / nOutputs);
    pixels[p] = tables[best][(confidence * top + 0.5) | 0];
  }
}
