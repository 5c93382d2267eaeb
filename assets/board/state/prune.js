/**
 * Magnitude pruning: weights below a threshold are set to 0, and the pruned network is evaluated.
 * Biases are kept, as a bias belongs to a unit and not to a link.
 */

/** @import {Measured, Network, PointSet, Recording, Score} from "./types.d.ts" */

import { outputs, argmax } from "./forward.js";
import { columnOf, countOf, inputsOf } from "./plane.js";
import { shapeOf, unitsLeft } from "./units.js";

/** Number of steps of the slider for the threshold. */
export const STEPS = 100;
// share of the linear term in the threshold x² + LINEAR·x: small thresholds have steps of about 1/1000
const LINEAR = 0.1;

/**
 * Prepare points for evaluation.
 *
 * @param {{layers: number[], features: string[], nColumns?: number}} network
 * @param {Float32Array} rows  columns and y of each point
 * @returns {PointSet}
 */
export function makePoints(network, rows) {
  const n = countOf(network, rows);
  return {
    n,
    inputs: inputsOf(network, rows),
    targets: columnOf(network, rows),
    raw: new Float64Array(network.layers[network.layers.length - 1] * n),
  };
}

/**
 * Copy a network's row to `out` with every weight below `threshold` set to 0.
 *
 * @param {Float32Array} row
 * @param {Int32Array} weightIndex
 * @param {number} threshold
 * @param {Float32Array} out
 * @returns {number} the weights left that are not 0
 */
export function prune(row, weightIndex, threshold, out) {
  out.set(row);
  let left = 0;
  for (let i = 0; i < weightIndex.length; i++) {
    const at = weightIndex[i];
    if (Math.abs(row[at]) < threshold) out[at] = 0;
    else if (row[at] !== 0) left++;
  }
  return left;
}

/**
 * Return mean data loss and accuracy as defined in regviz/engine/networks.py: cross-entropy in nats,
 * from the outputs before sigmoid or softmax, or half the squared error, with accuracy NaN.
 *
 * @param {Network} network
 * @param {Float32Array} row
 * @param {PointSet} points
 * @returns {Score}
 */
export function score(network, row, { n, inputs, targets, raw }) {
  outputs(network, row, 0, inputs, n, raw);
  const nOutputs = network.layers[network.layers.length - 1];
  let loss = 0;
  let hits = 0;
  for (let p = 0; p < n; p++) {
    const y = targets[p];
    const z = raw[p];
    if (network.task === "binary") {
      // −log sigmoid(z) = max(0, −z) + log(1 + exp(−|z|)), finite for any z
      loss += (1 - y) * z + Math.max(0, -z) + Math.log1p(Math.exp(-Math.abs(z)));
      if (z > 0 === y > 0.5) hits++;
    } else if (network.task === "multiclass") {
      const best = argmax(raw, n, nOutputs, p);
      const most = raw[best * n + p];
      let sum = 0;
      for (let c = 0; c < nOutputs; c++) sum += Math.exp(raw[c * n + p] - most);
      loss += most + Math.log(sum) - raw[y * n + p];
      if (best === y) hits++;
    } else {
      loss += 0.5 * (z - y) ** 2;
    }
  }
  return { loss: loss / n, accuracy: network.task === "regression" ? NaN : hits / n };
}

/**
 * Allocate memory for evaluating the networks of a run on its test points.
 *
 * @param {Pick<Recording, "network"|"weightIndex"|"nParameters"|"points">} recording
 */
export function makeEvaluator({ network, weightIndex, nParameters, points }) {
  const shape = shapeOf(network.layers);
  return {
    network,
    weightIndex,
    shape,
    points: makePoints(network, points.test),
    pruned: new Float32Array(nParameters),
    links: new Uint8Array(shape.count),
  };
}

/**
 * Allocate the result of `measure` for one network.
 *
 * @param {number} nParameters
 * @returns {Measured}
 */
export function makeMeasured(nParameters) {
  return { row: new Float32Array(nParameters).fill(NaN), left: 0, connected: 0, loss: NaN, accuracy: NaN };
}

/**
 * Prune a network and evaluate it. It is not evaluated again if the pruned row is the same as in the
 * last call, as with most networks when the threshold is dragged.
 *
 * @param {ReturnType<typeof makeEvaluator>} evaluator
 * @param {Float32Array} row
 * @param {number} threshold
 * @param {Measured} measured  the network's last result; overwritten
 */
export function measure({ network, weightIndex, shape, points, pruned, links }, row, threshold, measured) {
  measured.left = prune(row, weightIndex, threshold, pruned);
  if (same(pruned, measured.row)) return;
  measured.row.set(pruned);
  measured.connected = unitsLeft(shape, pruned, links);
  Object.assign(measured, score(network, pruned, points));
}

/**
 * Whether two rows are equal.
 *
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function same(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Convert the slider's position to a threshold: 0 turns pruning off, the last one is the range.
 *
 * @param {number} position
 * @param {number} range
 */
export function thresholdAt(position, range) {
  const x = position / STEPS;
  return Number(((range * x * (x + LINEAR)) / (1 + LINEAR)).toFixed(decimals(range)));
}

/**
 * Convert a threshold to the slider's position.
 *
 * @param {number} threshold
 * @param {number} range
 */
export function positionOf(threshold, range) {
  const y = Math.min(1, threshold / range) * (1 + LINEAR);
  return Math.round(STEPS * (Math.sqrt(LINEAR ** 2 / 4 + y) - LINEAR / 2));
}

/**
 * Return the decimals that distinguish the slider's first step from 0.
 *
 * @param {number} range
 */
export function decimals(range) {
  return Math.max(0, 3 - Math.floor(Math.log10(range)));
}
