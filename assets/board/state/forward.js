/**
 * The forward pass. A row of parameters is laid out as in regviz/engine/networks.py: layer by layer, unit
 * by unit, the unit's incoming weights and then its bias; then what normalization.js describes. Inputs are (features, n) and outputs
 * (units, n) for n points, row by row.
 */

/** @import {Layers, Network, Task} from "./types.d.ts" */

import { normalizationAt, normalize } from "./normalization.js";

const LEAKY_SLOPE = 0.01;
// Points per block: a layer's inputs are still in the cache when the next layer reads them.
const BLOCK = 256;
let scratch = [new Float64Array(0), new Float64Array(0)];

/** @type {Record<string, (x1: number, x2: number) => number>} */
const FEATURES = {
  x1: (x1, _) => x1,
  x2: (_, x2) => x2,
  "x1^2": (x1, _) => x1 * x1,
  "x2^2": (_, x2) => x2 * x2,
  "x1*x2": (x1, x2) => x1 * x2,
  "sin(x1)": (x1, _) => Math.sin(x1),
  "sin(x2)": (_, x2) => Math.sin(x2),
};

/**
 * Compute the networks' inputs for points.
 *
 * @param {string[]} names  features
 * @param {ArrayLike<number>} x1
 * @param {ArrayLike<number>} x2
 * @returns {Float64Array} (features, points)
 */
export function featuresOf(names, x1, x2) {
  const n = x1.length;
  const inputs = new Float64Array(names.length * n);
  names.forEach((name, f) => {
    for (let p = 0; p < n; p++) inputs[f * n + p] = FEATURES[name](x1[p], x2[p]);
  });
  return inputs;
}

/**
 * Compute a network's predictions: the probability of class 1, of each class, or the value.
 *
 * @param {Network} network
 * @param {Float32Array} parameters
 * @param {number} offset  of the network's row
 * @param {Float64Array} inputs  (features, points)
 * @param {number} n  points
 * @returns {Float64Array} (outputs, points)
 */
export function evaluate(network, parameters, offset, inputs, n) {
  const nOutputs = network.layers[network.layers.length - 1];
  const raw = new Float64Array(nOutputs * n);
  outputs(network, parameters, offset, inputs, n, raw);
  return predict(network.task, nOutputs, raw, n, raw);
}

/**
 * Write the outputs before sigmoid or softmax, `(outputs, points)`, to `out`, without allocation.
 *
 * @param {Layers} network
 * @param {Float32Array} parameters
 * @param {number} offset
 * @param {Float64Array} inputs
 * @param {number} n
 * @param {Float64Array} out
 */
export function outputs(network, parameters, offset, inputs, n, out) {
  const { layers, activation } = network;
  const normalized = network.normalization !== "none";
  reserve(layers);
  const last = layers.length - 1;
  for (let start = 0; start < n; start += BLOCK) {
    const count = Math.min(BLOCK, n - start);
    let [at, below, stride, origin] = [offset, inputs, n, start];
    for (let l = 1; l <= last; l++) {
      const top = l === last;
      const target = top ? out : scratch[l & 1];
      const width = top ? n : BLOCK;
      const fanIn = layers[l - 1];
      const size = fanIn + 1;
      let into = top ? start : 0;
      let unit = 0;
      for (; unit + 1 < layers[l]; unit += 2, at += 2 * size, into += 2 * width) {
        pair(parameters, at, fanIn, below, origin, stride, target, into, width, count);
      }
      if (unit < layers[l]) {
        single(parameters, at, fanIn, below, origin, stride, target, into, count);
        at += size;
      }
      if (!top && normalized) {
        normalize(network, parameters, offset + normalizationAt(network, l), layers[l], target, BLOCK, count);
      }
      for (let h = 0; !top && h < layers[l]; h++) activate(activation, target, h * width, count);
      below = target;
      stride = BLOCK;
      origin = 0;
    }
  }
}

/**
 * Apply sigmoid or softmax to raw outputs. `out` may be `raw` itself.
 *
 * @param {Task} task
 * @param {number} nOutputs
 * @param {Float64Array} raw
 * @param {number} n
 * @param {Float64Array} out
 */
export function predict(task, nOutputs, raw, n, out) {
  if (task === "binary") {
    for (let p = 0; p < n; p++) out[p] = 1 / (1 + Math.exp(-raw[p]));
  } else if (task === "multiclass") {
    for (let p = 0; p < n; p++) softmax(nOutputs, raw, n, out, p);
  } else if (out !== raw) {
    out.set(raw);
  }
  return out;
}

/**
 * Return the class with the largest output, or probability, at point `p` of `n`.
 *
 * @param {Float64Array} z
 * @param {number} n
 * @param {number} nClasses
 * @param {number} p
 */
export function argmax(z, n, nClasses, p) {
  let best = 0;
  for (let k = 1; k < nClasses; k++) if (z[k * n + p] > z[best * n + p]) best = k;
  return best;
}

/**
 * Apply softmax at point `p`, shifted by the largest output so that no exponential overflows.
 *
 * @param {number} nOutputs
 * @param {Float64Array} raw
 * @param {number} n
 * @param {Float64Array} out
 * @param {number} p
 */
function softmax(nOutputs, raw, n, out, p) {
  let most = -Infinity;
  let sum = 0;
  for (let c = 0; c < nOutputs; c++) most = Math.max(most, raw[c * n + p]);
  for (let c = 0; c < nOutputs; c++) sum += out[c * n + p] = Math.exp(raw[c * n + p] - most);
  for (let c = 0; c < nOutputs; c++) out[c * n + p] /= sum;
}

/**
 * Enlarge the scratch memory to the widest layer.
 *
 * @param {number[]} layers
 */
function reserve(layers) {
  const size = BLOCK * Math.max(...layers);
  if (scratch[0].length < size) scratch = [new Float64Array(size), new Float64Array(size)];
}

/**
 * Compute the pre-activations of two neighbouring units, four inputs at a time. Memory access costs
 * more than arithmetic here; each input that is read serves two products.
 *
 * @param {Float32Array} w
 * @param {number} at
 * @param {number} fanIn
 * @param {Float64Array} x
 * @param {number} origin
 * @param {number} stride
 * @param {Float64Array} z
 * @param {number} into
 * @param {number} width
 * @param {number} count
 */
function pair(w, at, fanIn, x, origin, stride, z, into, width, count) {
  const other = at + fanIn + 1;
  const onto = into + width;
  z.fill(w[at + fanIn], into, into + count);
  z.fill(w[other + fanIn], onto, onto + count);
  let i = 0;
  for (; i + 4 <= fanIn; i += 4) {
    const a = w[at + i], b = w[at + i + 1], c = w[at + i + 2], d = w[at + i + 3];
    const e = w[other + i], f = w[other + i + 1], g = w[other + i + 2], h = w[other + i + 3];
    // regularizers leave many weights at exactly 0
    if (!(a || b || c || d || e || f || g || h)) continue;
    const x1 = origin + i * stride, x2 = x1 + stride, x3 = x2 + stride, x4 = x3 + stride;
    for (let p = 0; p < count; p++) {
      const p1 = x[x1 + p], p2 = x[x2 + p], p3 = x[x3 + p], p4 = x[x4 + p];
      z[into + p] += a * p1 + b * p2 + c * p3 + d * p4;
      z[onto + p] += e * p1 + f * p2 + g * p3 + h * p4;
    }
  }
  for (; i + 2 <= fanIn; i += 2) {
    const a = w[at + i], b = w[at + i + 1];
    const e = w[other + i], f = w[other + i + 1];
    const x1 = origin + i * stride, x2 = x1 + stride;
    for (let p = 0; p < count; p++) {
      const p1 = x[x1 + p], p2 = x[x2 + p];
      z[into + p] += a * p1 + b * p2;
      z[onto + p] += e * p1 + f * p2;
    }
  }
  for (; i < fanIn; i++) {
    add(w[at + i], x, origin + i * stride, z, into, count);
    add(w[other + i], x, origin + i * stride, z, onto, count);
  }
}

/**
 * Compute the pre-activations of one unit: the last one of an odd number.
 *
 * @param {Float32Array} w
 * @param {number} at
 * @param {number} fanIn
 * @param {Float64Array} x
 * @param {number} origin
 * @param {number} stride
 * @param {Float64Array} z
 * @param {number} into
 * @param {number} count
 */
function single(w, at, fanIn, x, origin, stride, z, into, count) {
  z.fill(w[at + fanIn], into, into + count);
  for (let i = 0; i < fanIn; i++) add(w[at + i], x, origin + i * stride, z, into, count);
}

/**
 * Add a weighted input to a unit's pre-activations.
 *
 * @param {number} weight
 * @param {Float64Array} x
 * @param {number} from
 * @param {Float64Array} z
 * @param {number} into
 * @param {number} count
 */
function add(weight, x, from, z, into, count) {
  for (let p = 0; weight !== 0 && p < count; p++) z[into + p] += weight * x[from + p];
}

/**
 * Apply an activation function in place.
 *
 * @param {string} name
 * @param {Float64Array} z
 * @param {number} from
 * @param {number} count
 */
export function activate(name, z, from, count) {
  const end = from + count;
  if (name === "tanh") {
    for (let p = from; p < end; p++) z[p] = tanh(z[p]);
  } else if (name === "sigmoid") {
    for (let p = from; p < end; p++) z[p] = 0.5 + 0.5 * tanh(0.5 * z[p]);
  } else if (name !== "linear") {
    const slope = name === "leaky_relu" ? LEAKY_SLOPE : 0;
    for (let p = from; p < end; p++) if (z[p] < 0) z[p] *= slope;
  }
}

// table of tanh from -EDGE to EDGE, where it is ±1 up to 3e-8, in steps of 1 / PER_UNIT
const EDGE = 9;
const PER_UNIT = 1024;
const TABLE = Float64Array.from({ length: 2 * EDGE * PER_UNIT + 2 }, (_, i) =>
  Math.tanh(i / PER_UNIT - EDGE),
);

/**
 * Return tanh up to 1e-7 by linear interpolation in a table, ten times as fast as Math.tanh.
 *
 * @param {number} z
 */
function tanh(z) {
  const x = (z >= EDGE ? 2 * EDGE : z <= -EDGE ? 0 : z + EDGE) * PER_UNIT;
  const i = x | 0;
  return TABLE[i] + (x - i) * (TABLE[i + 1] - TABLE[i]);
}
