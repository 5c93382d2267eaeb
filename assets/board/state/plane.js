/**
 * Columns of the data and the networks' inputs. Two columns span the plane that is drawn; of tables with
 * more columns, which are the inputs themselves, two chosen ones span it, with the others at their mean.
 */

/** @import {Plane, Recording, RunNetwork} from "./types.d.ts" */

import { featuresOf } from "./forward.js";

/**
 * Return the number of columns of the data.
 *
 * @param {{nColumns?: number}} network
 */
function widthOf({ nColumns }) {
  return nColumns ?? 2;
}

/**
 * Whether the data have more than two columns.
 *
 * @param {{network: {nColumns?: number}}} recording
 */
export function isTable({ network }) {
  return widthOf(network) > 2;
}

/**
 * Return the number of points in the rows of a split.
 *
 * @param {{nColumns?: number}} network
 * @param {Float32Array} rows  of each point, its columns and its target
 */
export function countOf(network, rows) {
  return rows.length / (widthOf(network) + 1);
}

/**
 * Return a column of a split, or the targets, which are the last one.
 *
 * @param {{nColumns?: number}} network
 * @param {Float32Array} rows
 * @param {number} [c]
 */
export function columnOf(network, rows, c = widthOf(network)) {
  const stride = widthOf(network) + 1;
  return Float64Array.from({ length: rows.length / stride }, (_, p) => rows[stride * p + c]);
}

/**
 * Return the network's inputs for the points of a split, (inputs, points).
 *
 * @param {Pick<RunNetwork, "features"|"nColumns">} network
 * @param {Float32Array} rows
 */
export function inputsOf(network, rows) {
  if (!isTable({ network })) return featuresOf(network.features, columnOf(network, rows, 0), columnOf(network, rows, 1));
  const [width, n] = [widthOf(network), countOf(network, rows)];
  const inputs = new Float64Array(width * n);
  for (let c = 0; c < width; c++) inputs.set(columnOf(network, rows, c), c * n);
  return inputs;
}

/**
 * Return the plane that is drawn.
 *
 * @param {Pick<Recording, "network"|"domain"> & Partial<Pick<Recording, "columns">>} recording
 * @param {[number, number]} [axes]  the chosen columns of a table
 * @returns {Plane}
 */
export function planeOf({ network, domain, columns = [] }, axes = [0, 1]) {
  if (!isTable({ network })) return { axes: [0, 1], x: domain, y: domain, means: null };
  const [x, y] = axes.map((c) => columns[c].range);
  return { axes, x, y, means: columns.map(({ mean }) => mean) };
}

/**
 * Return the network's inputs at points of the plane, (inputs, points).
 *
 * @param {Pick<RunNetwork, "features">} network
 * @param {Plane} plane
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 */
export function inputsAt(network, { axes, means }, x, y) {
  if (!means) return featuresOf(network.features, x, y);
  const n = x.length;
  const inputs = new Float64Array(means.length * n);
  means.forEach((mean, c) => inputs.fill(mean, c * n, (c + 1) * n));
  inputs.set(y, axes[1] * n);
  inputs.set(x, axes[0] * n);
  return inputs;
}

/**
 * Return the inputs on a square grid, row by row from the upper left corner. The outer points lie on the
 * edges of the plane.
 *
 * @param {Pick<RunNetwork, "features">} network
 * @param {Plane} plane
 * @param {number} size  points along each side
 */
export function gridOf(network, plane, size) {
  const { x: [left, right], y: [low, high] } = plane;
  const x = new Float64Array(size * size);
  const y = new Float64Array(size * size);
  for (let p = 0; p < size * size; p++) {
    x[p] = left + ((right - left) * (p % size)) / (size - 1);
    y[p] = high - ((high - low) * Math.floor(p / size)) / (size - 1);
  }
  return inputsAt(network, plane, x, y);
}

/**
 * Return a point of the plane from its place in the picture.
 *
 * @param {Plane} plane
 * @param {{x: number, y: number}} place  as shares of the picture, from the upper left corner
 * @returns {[number, number]}
 */
export function pointAt({ x: [left, right], y: [low, high] }, place) {
  return [left + place.x * (right - left), high - place.y * (high - low)];
}
