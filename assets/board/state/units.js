/**
 * The values of every unit of a network on a small grid over the plane, and each unit's state:
 * connected, cut off or constant. Units are numbered layer by layer, inputs first.
 *
 * @typedef {ReturnType<typeof makeUnits>} Units
 */

/** @import {LayerValues, Network, Plane, Recording, Shape} from "./types.d.ts" */

import { activate, outputs, predict } from "./forward.js";
import { normalizationAt, normalize } from "./normalization.js";
import { countOf, gridOf, inputsOf, planeOf } from "./plane.js";

/** State bit: no path of non-zero weights leads from an input to the unit. */
export const NO_INPUT_PATH = 1;
/** State bit: no path of non-zero weights leads from the unit to an output. */
export const NO_OUTPUT_PATH = 2;
/** State: the unit is connected, but has the same value everywhere. */
export const CONSTANT = 4;

// relative tolerance within which a unit's values count as equal
const FLAT = 1e-6;
// number of units above which heatmaps are so small that a grid of 16 × 16 suffices
const MANY = 48;

/**
 * Return the numbering of a network's units and parameters.
 *
 * @param {number[]} layers  number of units of each
 * @returns {Shape}
 */
export function shapeOf(layers) {
  /** @type {number[]} */
  const first = [];
  /** @type {number[]} */
  const at = [];
  let [count, total] = [0, 0];
  layers.forEach((units, l) => {
    first.push(count);
    at.push(total);
    count += units;
    if (l > 0) total += units * (layers[l - 1] + 1);
  });
  return { layers, first, at, count, total };
}

/**
 * Return the index in a row of a unit's weight from `input`, or of its bias if `input` is the fan-in.
 *
 * @param {Shape} shape
 * @param {number} layer
 * @param {number} unit
 * @param {number} input
 */
export function parameterOf({ layers, at }, layer, unit, input) {
  return at[layer] + unit * (layers[layer - 1] + 1) + input;
}

/**
 * Return layer, unit and input of the parameter at `index`: the inverse of `parameterOf`.
 *
 * @param {Shape} shape
 * @param {number} index
 */
export function placeOf({ layers, at }, index) {
  let layer = layers.length - 1;
  while (at[layer] > index) layer--;
  const size = layers[layer - 1] + 1;
  const within = index - at[layer];
  return { layer, unit: Math.floor(within / size), input: within % size };
}

/**
 * Return the layer of unit number `u`.
 *
 * @param {Shape} shape
 * @param {number} u
 */
export function layerOf({ first }, u) {
  let layer = first.length - 1;
  while (first[layer] > u) layer--;
  return layer;
}

/**
 * Allocate memory for the units of a run's networks.
 *
 * @param {Pick<Recording, "network"|"domain"|"points"> & Partial<Pick<Recording, "columns">>} recording
 * @param {Plane} [plane]
 */
export function makeUnits(recording, plane = planeOf(recording)) {
  const { network, points: { train } } = recording;
  const shape = shapeOf(network.layers);
  const size = shape.count > MANY ? 16 : 24;
  return {
    network,
    shape,
    size,
    grid: layersOf(shape, network, gridOf(network, plane, size), size * size),
    points: layersOf(shape, network, inputsOf(network, train), countOf(network, train)),
    low: new Float64Array(shape.count),
    high: new Float64Array(shape.count),
    links: new Uint8Array(shape.count),
    states: new Uint8Array(shape.count),
  };
}

/**
 * Allocate the values of all layers at `n` points. Each layer is also described as a network without
 * hidden layers, so that `outputs` computes one layer at a time.
 *
 * @param {Shape} shape
 * @param {Network} network
 * @param {Float64Array} inputs
 * @param {number} n
 * @returns {LayerValues}
 */
export function layersOf({ layers, first, count }, network, inputs, n) {
  const values = new Float64Array(count * n);
  values.set(inputs);
  return {
    n,
    values,
    views: layers.map((units, l) => values.subarray(first[l] * n, (first[l] + units) * n)),
    steps: layers.map((units, l) => ({ ...network, layers: [layers[l - 1], units], normalization: "none" })),
  };
}

/**
 * Evaluate the network with parameters `row`: every unit's values on the grid, their minimum and
 * maximum, and the unit's state, 0 or a sum of NO_INPUT_PATH, NO_OUTPUT_PATH, CONSTANT.
 *
 * @param {Units} units
 * @param {Float32Array} row
 */
export function updateUnits(units, row) {
  const { network, shape, grid, points, low, high, links } = units;
  evaluateLayers(network, shape, row, grid);
  low.fill(Infinity);
  high.fill(-Infinity);
  span(grid, low, high);
  connected(shape, row, links);
  if (!mark(units)) return;
  // a unit that is constant on the grid may still vary at the training points
  evaluateLayers(network, shape, row, points);
  span(points, low, high);
  mark(units);
}

/**
 * Set the states; return whether any unit is constant.
 *
 * @param {Units} units
 */
function mark(units) {
  const { network, shape, low, high, links, states } = units;
  const hidden = shape.count - shape.layers[shape.layers.length - 1];
  let any = false;
  for (let u = 0; u < shape.count; u++) {
    // layer normalization connects a layer's units, also those without weights
    const mixed = network.normalization === "layer" && u >= shape.layers[0] && u < hidden;
    states[u] = mixed ? 0 : ~links[u] & (NO_INPUT_PATH | NO_OUTPUT_PATH);
    if (states[u] === 0 && high[u] - low[u] <= FLAT * reachOf(units, u)) {
      states[u] = CONSTANT;
      any = true;
    }
  }
  return any;
}

/**
 * Return the absolute value at which a unit's colour is full: 1, or its largest |value| if that is more.
 *
 * @param {Pick<Units, "low"|"high">} units
 * @param {number} u
 */
export function reachOf({ low, high }, u) {
  return Math.max(1, -low[u], high[u]);
}

/**
 * Extend each unit's minimum and maximum by its values.
 *
 * @param {LayerValues} layerValues
 * @param {Float64Array} low
 * @param {Float64Array} high
 */
function span({ n, values }, low, high) {
  for (let u = 0; u < low.length; u++) {
    for (let p = u * n; p < (u + 1) * n; p++) {
      if (values[p] < low[u]) low[u] = values[p];
      if (values[p] > high[u]) high[u] = values[p];
    }
  }
}

/**
 * Compute activations and predictions of all layers.
 *
 * @param {Network} network
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {LayerValues} layerValues
 */
export function evaluateLayers(network, { layers, at }, row, { n, views, steps }) {
  const { task, activation, normalization } = network;
  const last = layers.length - 1;
  for (let l = 1; l <= last; l++) {
    outputs(steps[l], row, at[l], views[l - 1], n, views[l]);
    if (l === last) break;
    if (normalization !== "none") {
      normalize(network, row, normalizationAt(network, l), layers[l], views[l], n, n);
    }
    activate(activation, views[l], 0, views[l].length);
  }
  predict(task, layers[last], views[last], n, views[last]);
}

/**
 * Find the units that are connected by non-zero weights. The bit NO_INPUT_PATH is set where there is a
 * path from an input, NO_OUTPUT_PATH where there is one to an output: `mark` inverts them.
 *
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {Uint8Array} links  one for each unit, written
 */
export function connected({ layers, first, at, count }, row, links) {
  const last = layers.length - 1;
  links.fill(NO_INPUT_PATH, 0, layers[0]);
  links.fill(0, layers[0], first[last]);
  links.fill(NO_OUTPUT_PATH, first[last], count);
  for (let l = 1; l <= last; l++) {
    for (let j = 0, index = at[l]; j < layers[l]; j++, index++) {
      for (let i = 0; i < layers[l - 1]; i++, index++) {
        if (row[index] !== 0) links[first[l] + j] |= links[first[l - 1] + i] & NO_INPUT_PATH;
      }
    }
  }
  for (let l = last; l > 0; l--) {
    for (let j = 0, index = at[l]; j < layers[l]; j++, index++) {
      for (let i = 0; i < layers[l - 1]; i++, index++) {
        if (row[index] !== 0) links[first[l - 1] + i] |= links[first[l] + j] & NO_OUTPUT_PATH;
      }
    }
  }
  return links;
}

/**
 * Count the hidden units on a path of non-zero weights from an input to an output, as `units_left` in
 * regviz/engine/measures.py. All others can be removed, if their constant outputs are added to the biases
 * of the next layer.
 *
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {Uint8Array} links  memory, one entry for each unit
 */
export function unitsLeft(shape, row, links) {
  connected(shape, row, links);
  const end = shape.count - shape.layers[shape.layers.length - 1];
  let units = 0;
  for (let u = shape.layers[0]; u < end; u++) if (links[u] === (NO_INPUT_PATH | NO_OUTPUT_PATH)) units++;
  return units;
}

/**
 * Return the number of hidden units.
 *
 * @param {number[]} layers  number of units of each
 */
export function hiddenUnits(layers) {
  return layers.slice(1, -1).reduce((sum, units) => sum + units, 0);
}

/**
 * Count the units of a layer that are connected and not constant.
 *
 * @param {Pick<Units, "shape"|"states">} units
 * @param {number} layer
 */
export function inUse({ shape, states }, layer) {
  let n = 0;
  for (let u = shape.first[layer], end = u + shape.layers[layer]; u < end; u++) if (states[u] === 0) n++;
  return n;
}

/**
 * Draw a dropout mask over all units: 0 with probability `rate` for a hidden unit, else 1. The seed
 * determines the mask (generator: mulberry32, by Tommy Ettinger).
 *
 * @param {Shape} shape
 * @param {number} rate
 * @param {number} seed
 * @param {Uint8Array} mask
 */
export function drawMask({ layers, first, count }, rate, seed, mask) {
  mask.fill(1);
  let state = seed;
  for (let u = first[1], end = count - layers[layers.length - 1]; u < end; u++) {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    mask[u] = ((x ^ (x >>> 14)) >>> 0) / 2 ** 32 < rate ? 0 : 1;
  }
  return mask;
}
