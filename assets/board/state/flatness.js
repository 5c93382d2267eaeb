/**
 * Variation of predictions over the plane, or over the points of a table, and their difference between
 * two networks.
 */

/** @import {Probe, Recording} from "./types.d.ts" */

import { outputs, predict } from "./forward.js";
import { columnOf, gridOf, inputsOf, isTable, planeOf } from "./plane.js";

// A network is constant if none of its predictions varies by more than this share of the targets'
// range (of 1 for a probability): less than one step of a picture's 256 colours at its palest.
const FLAT = 0.02;
// points along a side; most networks vary on the first grid, so that the second is seldom needed
const FEW = 4;
const MANY = 12;

/** @type {WeakMap<Float32Array, {few: Probe, all: Probe, range: number}>} by the rows of training points */
const probes = new WeakMap();

/**
 * Return a recording's probe points, made at the first use.
 *
 * @param {Pick<Recording, "network"|"domain"|"points">} recording
 */
function probesOf(recording) {
  const { network, points: { train, test } } = recording;
  const found = probes.get(train);
  if (found) return found;
  const nOutputs = network.layers[network.layers.length - 1];
  /** @type {(inputs: Float64Array) => Probe} */
  const probe = (inputs) => {
    const n = inputs.length / network.features.length;
    return { n, inputs, a: new Float64Array(nOutputs * n), b: new Float64Array(nOutputs * n) };
  };
  const targets = columnOf(network, train);
  const trained = inputsOf(network, train);
  const grids = isTable(recording)
    ? [trained, inputsOf(network, test)]
    : [FEW, MANY].map((size) => gridOf(network, planeOf(recording), size));
  const made = {
    few: probe(grids[0]),
    all: probe(joined(network.features.length, grids[1], trained)),
    range: network.task === "regression" ? targets.reduce((m, y) => Math.max(m, y), -Infinity) - targets.reduce((m, y) => Math.min(m, y), Infinity) || 1 : 1,
  };
  probes.set(train, made);
  return made;
}

/**
 * Join the inputs of two sets of points.
 *
 * @param {number} nFeatures
 * @param {Float64Array} first
 * @param {Float64Array} second
 */
function joined(nFeatures, first, second) {
  const [n, m] = [first.length / nFeatures, second.length / nFeatures];
  const inputs = new Float64Array(first.length + second.length);
  for (let f = 0; f < nFeatures; f++) {
    inputs.set(first.subarray(f * n, (f + 1) * n), f * (n + m));
    inputs.set(second.subarray(f * m, (f + 1) * m), f * (n + m) + n);
  }
  return inputs;
}

/**
 * Whether a network predicts the same everywhere.
 *
 * @param {Pick<Recording, "network"|"domain"|"points">} recording
 * @param {Float32Array} row
 */
export function isConstant(recording, row) {
  const { few, all, range } = probesOf(recording);
  return [few, all].every((probe) => varies(recording, row, probe) <= FLAT * range);
}

/**
 * Return the largest variation of an output over the points of a probe.
 *
 * @param {Pick<Recording, "network">} recording
 * @param {Float32Array} row
 * @param {Probe} probe
 */
function varies({ network }, row, { n, inputs, a }) {
  const nOutputs = network.layers[network.layers.length - 1];
  outputs(network, row, 0, inputs, n, a);
  predict(network.task, nOutputs, a, n, a);
  let most = 0;
  for (let c = 0; c < nOutputs; c++) {
    let [low, high] = [Infinity, -Infinity];
    for (let p = c * n; p < (c + 1) * n; p++) {
      low = Math.min(low, a[p]);
      high = Math.max(high, a[p]);
    }
    most = Math.max(most, high - low);
  }
  return most;
}

/**
 * Return the mean difference of two networks' predictions: of probabilities (half the sum over the
 * classes, if there are several), or of values as a share of the targets' range.
 *
 * @param {Pick<Recording, "network"|"domain"|"points">} recording
 * @param {Float32Array} first  parameters
 * @param {Float32Array} second
 */
export function difference(recording, first, second) {
  const { network } = recording;
  const { all: { n, inputs, a, b }, range } = probesOf(recording);
  const nOutputs = network.layers[network.layers.length - 1];
  for (const [row, out] of /** @type {[Float32Array, Float64Array][]} */ ([[first, a], [second, b]])) {
    outputs(network, row, 0, inputs, n, out);
    predict(network.task, nOutputs, out, n, out);
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / n / range / (network.task === "multiclass" ? 2 : 1);
}
