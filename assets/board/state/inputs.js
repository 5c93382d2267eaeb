/**
 * One number for each input of a network: its weight in a linear model with one output, or else the
 * Euclidean norm of its outgoing weights. It is 0 where all of them are exactly 0.
 */

/** @import {Recording} from "./types.d.ts" */

import { copyRow, firstNetworks, niceCeiling } from "./recording.js";
import { barsOf } from "./words.js";

/**
 * Whether the numbers are weights, which have a sign, and no norms.
 *
 * @param {number[]} layers
 */
export function areWeights(layers) {
  return layers.length === 2 && layers[1] === 1;
}

/**
 * Return the number of each input.
 *
 * @param {number[]} layers
 * @param {Float32Array} row
 * @returns {Float64Array}
 */
export function inputWeights(layers, row) {
  const [inputs, units] = layers;
  if (areWeights(layers)) return Float64Array.from(row.subarray(0, inputs));
  return Float64Array.from({ length: inputs }, (_, i) => {
    let sum = 0;
    for (let unit = 0, at = i; unit < units; unit++, at += inputs + 1) sum += row[at] ** 2;
    return Math.sqrt(sum);
  });
}

/**
 * Return the largest number on the axis of the bars: that of the cards' first networks at the first and
 * the last frame received, of those that have not diverged.
 *
 * @param {Recording} recording
 */
export function reachOf(recording) {
  const { diverged, nParameters, nReceived, network: { layers } } = recording;
  const row = new Float32Array(nParameters);
  let most = 0;
  for (const k of firstNetworks(recording)) {
    for (const t of new Set([0, nReceived - 1])) {
      if (t > 0 && diverged[k] >= 0) continue;
      for (const x of inputWeights(layers, copyRow(recording, t, k, row))) most = Math.max(most, Math.abs(x));
    }
  }
  return niceCeiling(most || 1);
}

/**
 * Describe the bars of a network in words.
 *
 * @param {Pick<Recording, "network"|"columns">} recording
 * @param {Float32Array} row
 */
export function describeInputs({ network: { layers }, columns }, row) {
  const values = inputWeights(layers, row);
  const order = [...values.keys()].sort((i, j) => Math.abs(values[j]) - Math.abs(values[i]));
  const largest = order.filter((i) => values[i] !== 0).slice(0, 3);
  const left = values.filter((value) => value !== 0).length;
  return barsOf(areWeights(layers), left, values.length, largest.map((i) => ({ label: columns[i].name, value: values[i] })));
}
