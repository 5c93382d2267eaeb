/**
 * Batch and layer normalization, as in regviz/engine/networks.py. Their numbers follow the weights and biases
 * in a row of parameters, for each hidden layer: gains and shifts, if there are any, and for batch
 * normalization running means and variances.
 */

/** @import {Layers, Recording} from "./types.d.ts" */

const EPSILON = 1e-5; // added to variances, as by torch

/**
 * Return the number of weights and biases.
 *
 * @param {number[]} layers
 */
export function denseCount(layers) {
  return layers.slice(1).reduce((sum, units, i) => sum + units * (layers[i] + 1), 0);
}

/**
 * Return the number of parameters of normalization that each hidden unit has.
 *
 * @param {Layers} network
 */
export function countPerUnit({ normalization, affine }) {
  return normalization === "none" ? 0 : (affine ? 2 : 0) + (normalization === "batch" ? 2 : 0);
}

/**
 * Return the index in a row of a hidden layer's first parameter of normalization.
 *
 * @param {Layers} network
 * @param {number} layer
 */
export function normalizationAt(network, layer) {
  const before = network.layers.slice(1, layer).reduce((sum, units) => sum + units, 0);
  return denseCount(network.layers) + countPerUnit(network) * before;
}

/**
 * Normalize a hidden layer's pre-activations in place. Batch normalization uses the running statistics.
 *
 * @param {Layers} network
 * @param {Float32Array} row
 * @param {number} at  index of the layer's first parameter of normalization
 * @param {number} units  of the layer
 * @param {Float64Array} z  unit u's values are at `u * width` to `u * width + count - 1`
 * @param {number} width
 * @param {number} count
 */
export function normalize({ normalization, affine }, row, at, units, z, width, count) {
  if (normalization === "layer") standardizeOverUnits(units, z, width, count);
  const means = at + (affine ? 2 * units : 0);
  for (let u = 0; u < units; u++) {
    let [factor, shift] = [1, 0];
    if (normalization === "batch") {
      factor = 1 / Math.sqrt(row[means + units + u] + EPSILON);
      shift = -row[means + u] * factor;
    }
    if (affine) {
      factor *= row[at + u];
      shift = shift * row[at + u] + row[at + units + u];
    }
    for (let p = u * width, end = p + count; p < end; p++) z[p] = z[p] * factor + shift;
  }
}

/**
 * Subtract the mean of the units' values at each point, and divide by their standard deviation.
 *
 * @param {number} units
 * @param {Float64Array} z
 * @param {number} width
 * @param {number} count
 */
function standardizeOverUnits(units, z, width, count) {
  const last = units * width;
  for (let p = 0; p < count; p++) {
    let [mean, variance] = [0, 0];
    for (let i = p; i < last; i += width) mean += z[i] / units;
    for (let i = p; i < last; i += width) variance += (z[i] - mean) ** 2 / units;
    const factor = 1 / Math.sqrt(variance + EPSILON);
    for (let i = p; i < last; i += width) z[i] = (z[i] - mean) * factor;
  }
}

/**
 * Return the effective learning rate of each hidden layer, as `History.effective_rates` of Python, which
 * explains it: the learning rate divided by the squared norm of the layer's weights, or under Adam by the norm.
 * Empty without normalization.
 *
 * @param {Pick<Recording, "network"|"phases"|"learningRate">} recording
 * @param {Float32Array} row
 * @param {number} epoch
 */
export function effectiveRates({ network, phases, learningRate }, row, epoch) {
  const { layers, normalization, adaptive } = network;
  if (normalization === "none") return [];
  const rate = phases.find(({ until }) => epoch < until)?.learning_rate ?? learningRate;
  let at = 0;
  return layers.slice(1, -1).map((units, l) => {
    let squares = 0;
    for (let u = 0; u < units; u++, at++) for (let i = 0; i < layers[l]; i++) squares += row[at++] ** 2;
    return rate / (adaptive ? Math.sqrt(squares) : squares);
  });
}
