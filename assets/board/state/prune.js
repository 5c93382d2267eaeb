/**
 * Pruning by size: weights below a threshold are set to 0, and what is left is measured on points.
 * Biases stay: each belongs to a unit, not to a link.
 *
 * @typedef {{n: number, inputs: Float64Array, targets: Float64Array, raw: Float64Array}} Points
 *   the network's inputs for them, their class or value, and memory for the network's outputs
 * @typedef {{loss: number, accuracy: number}} Score  mean data loss, share of points correct
 * @typedef {Object} Measured  a row, and what was found out about it
 * @property {Float32Array} row
 * @property {number} left       weights that are not 0
 * @property {number} connected  hidden units that are still connected
 * @property {number} loss
 * @property {number} accuracy
 */

import { featuresOf, outputs, argmax } from "./forward.js";
import { NO_INPUT_PATH, NO_OUTPUT_PATH, connected, shapeOf } from "./units.js";

/**
 * @param {{layers: number[], features: string[]}} network
 * @param {Float32Array} rows  (x1, x2, y) of each point
 * @returns {Points}
 */
export function makePoints({ layers, features }, rows) {
  const n = rows.length / 3;
  const column = (/** @type {number} */ c) => Float64Array.from({ length: n }, (_, p) => rows[3 * p + c]);
  return {
    n,
    inputs: featuresOf(features, column(0), column(1)),
    targets: column(2),
    raw: new Float64Array(layers[layers.length - 1] * n),
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
 * Mean data loss and accuracy, as regviz/engine/networks.py defines them: cross-entropy in nats from the
 * outputs before sigmoid or softmax, or half the squared error, whose accuracy is NaN.
 *
 * @param {import("./forward.js").Network} network
 * @param {Float32Array} row
 * @param {Points} points
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
 * Hidden units on a path of non-zero weights from an input to an output. All others can be taken
 * out, if what constant they may pass on is added to the biases behind them.
 *
 * @param {import("./units.js").Shape} shape
 * @param {Float32Array} row
 * @param {Uint8Array} links  memory for one number of each unit
 * @returns {number}
 */
function connectedUnits(shape, row, links) {
  connected(shape, row, links);
  const end = shape.count - shape.layers[shape.layers.length - 1];
  let units = 0;
  for (let u = shape.layers[0]; u < end; u++) if (links[u] === (NO_INPUT_PATH | NO_OUTPUT_PATH)) units++;
  return units;
}

/**
 * Memory for measuring the networks of a run.
 *
 * @param {Pick<import("./recording.js").Recording, "network"|"weightIndex"|"nParameters"|"points">} recording
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
 * Memory for `measure`, of a network that nothing is known about yet.
 *
 * @param {number} nParameters
 * @returns {Measured}
 */
export function makeMeasured(nParameters) {
  return { row: new Float32Array(nParameters).fill(NaN), left: 0, connected: 0, loss: NaN, accuracy: NaN };
}

/**
 * Prune a network and measure what is left. A row that comes out as it was the last time is not
 * evaluated again: dragging the threshold leaves most networks as they were.
 *
 * @param {ReturnType<typeof makeEvaluator>} evaluator
 * @param {Float32Array} row
 * @param {number} threshold
 * @param {Measured} measured  of this network the last time; written anew
 */
export function measure({ network, weightIndex, shape, points, pruned, links }, row, threshold, measured) {
  measured.left = prune(row, weightIndex, threshold, pruned);
  if (same(pruned, measured.row)) return;
  measured.row.set(pruned);
  measured.connected = connectedUnits(shape, pruned, links);
  Object.assign(measured, score(network, pruned, points));
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function same(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
