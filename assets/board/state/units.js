/**
 * What every unit of a network computes on a small grid over the plane, and whether it takes part.
 * Units are numbered layer after layer, inputs first.
 *
 * @typedef {Object} Shape
 * @property {number[]} layers
 * @property {number[]} first  number of each layer's first unit
 * @property {number[]} at     where each layer's parameters begin in a row; nothing for the inputs
 * @property {number} count    units in all
 * @property {number} total    parameters in all
 *
 * @typedef {Object} LayerValues  every unit's values at n points
 * @property {number} n
 * @property {Float64Array} values   (units, n)
 * @property {Float64Array[]} views  of each layer
 * @property {Layers[]} steps        each layer as a network without hidden layers
 *
 * @typedef {ReturnType<typeof makeUnits>} Units
 */

/**
 * @import {Layers, Network} from "./forward.js"
 * @import {Recording} from "./recording.js"
 */

import { activate, featuresOf, gridInputs, outputs, predict } from "./forward.js";

/** No path of weights that are not 0 leads to the unit from an input. */
export const NO_INPUT_PATH = 1;
/** No such path leads from the unit to an output. */
export const NO_OUTPUT_PATH = 2;
/** It is connected, but has the same value everywhere. */
export const CONSTANT = 4;

// Values that differ by less than this share of their largest are one value.
const FLAT = 1e-6;
// Above this many units each is drawn so small that fewer points do.
const MANY = 48;

/**
 * @param {number[]} layers
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
 * Which parameter of a row a unit's weight from `input` is; its bias, where `input` is the fan-in.
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
 * Whose parameter stands at `index`: the reverse of `parameterOf`.
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
 * The layer of unit number `u`.
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
 * Memory for all units of a run's networks, allocated once.
 *
 * @param {Pick<Recording, "network"|"domain"|"points">} recording
 */
export function makeUnits({ network, domain, points }) {
  const shape = shapeOf(network.layers);
  const size = shape.count > MANY ? 16 : 24;
  const train = points.train;
  const nTrain = train.length / 3;
  const column = (/** @type {number} */ c) => Float64Array.from({ length: nTrain }, (_, i) => train[3 * i + c]);
  return {
    network,
    shape,
    size,
    grid: layersOf(shape, network, gridInputs(network.features, domain, size), size * size),
    points: layersOf(shape, network, featuresOf(network.features, column(0), column(1)), nTrain),
    low: new Float64Array(shape.count),
    high: new Float64Array(shape.count),
    links: new Uint8Array(shape.count),
    states: new Uint8Array(shape.count),
  };
}

/**
 * Every layer's values at `n` points, and each layer on its own as a network without hidden layers.
 *
 * @param {Shape} shape
 * @param {Network} network
 * @param {Float64Array} inputs
 * @param {number} n
 * @returns {LayerValues}
 */
function layersOf({ layers, first, count }, { activation }, inputs, n) {
  const values = new Float64Array(count * n);
  values.set(inputs);
  return {
    n,
    values,
    views: layers.map((units, l) => values.subarray(first[l] * n, (first[l] + units) * n)),
    steps: layers.map((units, l) => ({ layers: [layers[l - 1], units], activation })),
  };
}

/**
 * Take on the parameters in `row`: every unit's values on the grid, their lowest and highest, and
 * each unit's state, 0 or a sum of NO_INPUT_PATH, NO_OUTPUT_PATH, CONSTANT.
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
  // between the points of the grid a unit may still be on: a look at those it was trained on
  evaluateLayers(network, shape, row, points);
  span(points, low, high);
  mark(units);
}

/**
 * Set the states; says whether a unit is constant.
 *
 * @param {Units} units
 */
function mark(units) {
  const { shape, low, high, links, states } = units;
  let any = false;
  for (let u = 0; u < shape.count; u++) {
    states[u] = ~links[u] & (NO_INPUT_PATH | NO_OUTPUT_PATH);
    if (states[u] === 0 && high[u] - low[u] <= FLAT * reachOf(units, u)) {
      states[u] = CONSTANT;
      any = true;
    }
  }
  return any;
}

/**
 * The value at which a unit's colour is full: 1, or the largest it has, if that is more.
 *
 * @param {Pick<Units, "low"|"high">} units
 * @param {number} u
 */
export function reachOf({ low, high }, u) {
  return Math.max(1, -low[u], high[u]);
}

/**
 * Each unit's lowest and highest value, where beyond those it already has.
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
 * Inputs, activations and predictions of all layers.
 *
 * @param {Network} network
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {LayerValues} layerValues
 */
function evaluateLayers({ task, activation }, { layers, at }, row, { n, views, steps }) {
  const last = layers.length - 1;
  for (let l = 1; l <= last; l++) {
    outputs(steps[l], row, at[l], views[l - 1], n, views[l]);
    if (l < last) activate(activation, views[l], 0, views[l].length);
  }
  predict(task, layers[last], views[last], n, views[last]);
}

/**
 * Which ends each unit is connected to by weights that are not 0: NO_INPUT_PATH's bit is set where inputs
 * lead to it, NO_OUTPUT_PATH's where it leads to an output. Biases connect nothing.
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
 * How many of a layer's units are connected and not constant.
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
 * A dropout mask over all units: 0 where a hidden unit is dropped, as it is with probability `rate`.
 * The same seed gives the same mask (mulberry32, by Tommy Ettinger).
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
