/**
 * Draws the data points, once for all cards when data, size or theme change; the layer is copied onto
 * each boundary. Training points are filled and test points hollow; classes differ in shape.
 */

/**
 * @import {Plane, Recording} from "../state/types.d.ts"
 * @import {Colour, DrawingContext, Scale, Theme} from "./types.d.ts"
 */

import { columnOf, countOf, planeOf } from "../state/plane.js";
import { css, mix, parse } from "./theme.js";

export const SHAPES = [
  "circle", "triangle", "square", "diamond", "cross", "inverted", "star", "pentagon", "hourglass", "x",
];

/**
 * Draw all training and test points.
 *
 * @param {DrawingContext} context
 * @param {Pick<Recording, "points"|"domain"|"network"> & Partial<Pick<Recording, "columns">>} recording
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {number} size   of the square, in CSS pixels
 * @param {number} ratio  device pixels per CSS pixel
 * @param {Plane} [plane]  by default, that of the first two columns
 */
export function drawPoints(context, recording, scale, theme, size, ratio, plane = planeOf(recording)) {
  const { points, network } = recording;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size, size);
  context.lineJoin = "round";
  const { axes, x: [left, right], y: [low, top] } = plane;
  const [across, down] = [size / (right - left), size / (top - low)];
  const each = (/** @type {Float32Array} */ rows, /** @type {(x: number, y: number, label: number) => void} */ draw) => {
    const [xs, ys, labels] = [columnOf(network, rows, axes[0]), columnOf(network, rows, axes[1]), columnOf(network, rows)];
    labels.forEach((label, p) => draw((xs[p] - left) * across, (top - ys[p]) * down, label));
  };
  const crowd = countOf(network, points.train) > 250 ? 0.8 : 1;
  const radius = crowd * Math.min(4.6, Math.max(2.7, size / 50));
  const regression = network.task === "regression";
  const kind = regression ? () => 0 : (/** @type {number} */ label) => label % SHAPES.length;
  // more transparent where hundreds of test points would cover the boundary
  context.globalAlpha = countOf(network, points.test) > 150 ? 0.6 : 0.8;
  context.lineWidth = 1;
  each(points.test, (x, y, label) => {
    context.strokeStyle = testColour(scale.colour(label), theme);
    shape(context, SHAPES[kind(label)], x, y, 0.6 * radius);
    context.stroke();
  });
  context.globalAlpha = 1;
  each(points.train, (x, y, label) => {
    context.fillStyle = regression ? css(scale.colour(label)) : trainColour(scale.colour(label), theme);
    context.strokeStyle = regression ? theme.ink : theme.paper;
    context.lineWidth = 1.1;
    shape(context, SHAPES[kind(label)], x, y, radius);
    context.fill();
    context.stroke();
  });
}

/**
 * Return the colour of training points: darker than the boundary in the light theme, brighter in the
 * dark one.
 *
 * @param {Colour} colour
 * @param {Pick<Theme, "dark">} theme
 */
export function trainColour(colour, { dark }) {
  return css(mix(colour, dark ? [255, 255, 255] : [0, 0, 0], dark ? 0.3 : 0.25));
}

/**
 * Return the colour of test points. Their thin outlines need more contrast than filled points.
 *
 * @param {Colour} colour
 * @param {Theme} theme
 */
function testColour(colour, { ink, dark }) {
  return css(mix(colour, parse(ink), dark ? 0.6 : 0.55));
}

/**
 * Begin a path with a shape around (x, y). All shapes have about the area of the circle of radius r.
 *
 * @param {DrawingContext} context
 * @param {string} name
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function shape(context, name, x, y, r) {
  context.beginPath();
  if (name === "circle") {
    context.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  for (const [i, [dx, dy]] of CORNERS[name].entries()) {
    if (i === 0) context.moveTo(x + dx * r, y + dy * r);
    else context.lineTo(x + dx * r, y + dy * r);
  }
  context.closePath();
}

/**
 * Corners of each shape at radius 1, y downwards.
 *
 * @type {Record<string, number[][]>}
 */
export const CORNERS = {
  triangle: [[0, -1.3], [1.2, 0.85], [-1.2, 0.85]],
  square: [[-0.92, -0.92], [0.92, -0.92], [0.92, 0.92], [-0.92, 0.92]],
  diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  cross: [
    [-0.45, -1.3], [0.45, -1.3], [0.45, -0.45], [1.3, -0.45], [1.3, 0.45], [0.45, 0.45],
    [0.45, 1.3], [-0.45, 1.3], [-0.45, 0.45], [-1.3, 0.45], [-1.3, -0.45], [-0.45, -0.45],
  ],
  inverted: [[0, 1.3], [1.2, -0.85], [-1.2, -0.85]],
  star: [
    [0, -1.5], [0.37, -0.51], [1.43, -0.46], [0.6, 0.19], [0.88, 1.21],
    [0, 0.63], [-0.88, 1.21], [-0.6, 0.19], [-1.43, -0.46], [-0.37, -0.51],
  ],
  pentagon: [[0, -1.15], [1.09, -0.36], [0.68, 0.93], [-0.68, 0.93], [-1.09, -0.36]],
  hourglass: [[-1.15, -1.15], [1.15, -1.15], [-1.15, 1.15], [1.15, 1.15]],
  x: [
    [-1.2, -0.6], [-0.6, -1.2], [0, -0.6], [0.6, -1.2], [1.2, -0.6], [0.6, 0],
    [1.2, 0.6], [0.6, 1.2], [0, 0.6], [-0.6, 1.2], [-1.2, 0.6], [-0.6, 0],
  ],
};
