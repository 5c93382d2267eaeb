/**
 * The plane as a hidden layer sees it: the layer's values on a grid over the plane and at the training
 * points, along two units or along the two principal directions of its values.
 *
 * @typedef {ReturnType<typeof makeWarp>} Warp
 */

/** @import {Plane, Recording} from "./types.d.ts" */

import { principal, turned } from "./eigen.js";
import { columnOf, countOf, gridOf, inputsOf, planeOf as planeOfData } from "./plane.js";
import { evaluateLayers, layersOf, shapeOf } from "./units.js";

/** Number of grid points along each side of the plane. */
export const SIDE = 25;

/**
 * Allocate memory for a run's networks.
 *
 * @param {Pick<Recording, "network"|"domain"|"points"> & Partial<Pick<Recording, "columns">>} recording
 * @param {Plane} [plane]  of the grid
 */
export function makeWarp(recording, plane = planeOfData(recording)) {
  const { network, points: { train } } = recording;
  const shape = shapeOf(network.layers);
  const n = countOf(network, train);
  const inputs = plane.axes.map((c) => columnOf(network, train, c));
  return {
    network, shape, inputs,
    grid: layersOf(shape, network, gridOf(network, plane, SIDE), SIDE * SIDE),
    points: layersOf(shape, network, inputsOf(network, train), n),
    /** Places of the grid's points, then of the training points: x, y, x, y, …. */
    places: new Float64Array(2 * (SIDE * SIDE + n)),
    /** What the places depend on beside the parameters: layer and units. */
    key: "",
    /** @type {Float64Array[]|null} the directions shown last, for this key */ directions: null,
    /** Share of the variance along the two directions. */
    share: NaN,
    /** The ends of both axes. They only grow while the key is the same. */
    box: { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity },
  };
}

/**
 * Compute the places for a network's parameters.
 *
 * @param {Warp} warp
 * @param {Float32Array} row
 * @param {number} layer  a hidden layer, from 1
 * @param {number[]|null} units  two units of the layer; null for its principal directions
 */
export function updateWarp(warp, row, layer, units) {
  const { network, shape, grid, points, places } = warp;
  const key = `${layer} ${units}`;
  if (key !== warp.key) {
    warp.key = key;
    warp.directions = null;
    warp.box = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  }
  evaluateLayers(network, shape, row, grid);
  evaluateLayers(network, shape, row, points);
  const count = shape.layers[layer];
  const { mean, directions } = units ? unitDirections(count, units) : planeOf(warp, layer, count);
  project(grid.views[layer], count, grid.n, mean, directions, places, 0);
  project(points.views[layer], count, points.n, mean, directions, places, 2 * grid.n);
  extend(warp.box, places);
}

/**
 * Return the directions of two units.
 *
 * @param {number} count  units of the layer
 * @param {number[]} units
 */
function unitDirections(count, units) {
  const directions = units.map((unit) => Float64Array.from({ length: count }, (_, u) => (u === unit ? 1 : 0)));
  return { mean: new Float64Array(count), directions };
}

/**
 * Return the principal directions at the training points, turned to be near those shown last; at
 * first, so that x₁ points to the right and x₂ upwards as far as they can.
 *
 * @param {Warp} warp
 * @param {number} layer
 * @param {number} count  its units
 */
function planeOf(warp, layer, count) {
  const { points, inputs, directions: last } = warp;
  const values = points.views[layer];
  if (count === 1) {
    warp.share = 1;
    return { mean: new Float64Array(1), directions: [Float64Array.of(1), Float64Array.of(0)] };
  }
  const { mean, directions, share } = principal(values, count, points.n);
  const products = last
    ? last.map((other) => directions.map((one) => dot(other, one)))
    : inputs.map((input) => directions.map((one) => productWith(input, values, one, mean, points.n)));
  warp.share = share;
  warp.directions = turned(directions, products);
  return { mean, directions: warp.directions };
}

/**
 * Return the sum over points of an input times the projection on a direction.
 *
 * @param {Float64Array} input
 * @param {Float64Array} values  (units, n)
 * @param {Float64Array} direction
 * @param {Float64Array} mean
 * @param {number} n
 */
function productWith(input, values, direction, mean, n) {
  let sum = 0;
  for (let u = 0; u < direction.length; u++) {
    for (let p = 0; p < n; p++) sum += input[p] * direction[u] * (values[u * n + p] - mean[u]);
  }
  return sum;
}

/**
 * Write the projections of points on two directions.
 *
 * @param {Float64Array} values  (units, n)
 * @param {number} count  units
 * @param {number} n
 * @param {Float64Array} mean
 * @param {Float64Array[]} directions
 * @param {Float64Array} into
 * @param {number} from
 */
function project(values, count, n, mean, directions, into, from) {
  into.fill(0, from, from + 2 * n);
  directions.forEach((direction, axis) => {
    for (let u = 0; u < count; u++) {
      const share = direction[u];
      if (share === 0) continue;
      for (let p = 0; p < n; p++) into[from + 2 * p + axis] += share * (values[u * n + p] - mean[u]);
    }
  });
}

/**
 * Extend a box to contain all places.
 *
 * @param {Warp["box"]} box
 * @param {Float64Array} places
 */
function extend(box, places) {
  for (let i = 0; i < places.length; i += 2) {
    box.left = Math.min(box.left, places[i]);
    box.right = Math.max(box.right, places[i]);
    box.low = Math.min(box.low, places[i + 1]);
    box.high = Math.max(box.high, places[i + 1]);
  }
}

/**
 * Return the product of two vectors.
 *
 * @param {Float64Array} a
 * @param {Float64Array} b
 */
function dot(a, b) {
  return a.reduce((sum, value, u) => sum + value * b[u], 0);
}
