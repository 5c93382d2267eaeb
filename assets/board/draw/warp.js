/**
 * Draws the plane as a hidden layer sees it: grid lines in the colours of the predictions, the
 * boundary between classes, and the training points.
 */

/**
 * @import {Recording} from "../state/types.d.ts"
 * @import {Warp} from "../state/warp.js"
 * @import {Colour, Scale, Theme} from "./types.d.ts"
 */

import { css, mix, parse } from "./theme.js";
import { SHAPES, shape, trainColour } from "./points.js";
import { columnOf } from "../state/plane.js";
import { argmax } from "../state/forward.js";
import { SIDE } from "../state/warp.js";

// every second row and column of grid points is drawn as a line
const STEP = 2;
// number of shades from an undecided prediction to a certain one
const SHADES = 6;
const MARGIN = 10;

/**
 * Draw a warped plane.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Warp} warp
 * @param {Pick<Recording, "points"|"network">} recording
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {number} size   of the square, in CSS pixels
 * @param {number} ratio  device pixels per CSS pixel
 */
export function drawWarp(context, warp, { points, network }, scale, theme, size, ratio) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size, size);
  context.lineJoin = "round";
  const at = placesIn(warp, size);
  const predicted = warp.grid.views[network.layers.length - 1];
  drawLines(context, at, predicted, scale, theme);
  if (network.task !== "regression") drawBoundary(context, at, predicted, theme);
  const labels = columnOf(network, points.train);
  const radius = Math.min(4.6, Math.max(2.7, size / 75));
  const regression = network.task === "regression";
  context.lineWidth = 1.1;
  context.strokeStyle = regression ? theme.ink : theme.paper;
  for (let p = 0, i = 2 * SIDE * SIDE; i < at.length; p++, i += 2) {
    const label = labels[p];
    const colour = scale.colour(label);
    context.fillStyle = regression ? css(colour) : trainColour(colour, theme);
    shape(context, SHAPES[regression ? 0 : label % SHAPES.length], at[i], at[i + 1], radius);
    context.fill();
    context.stroke();
  }
}

/**
 * Return the places in the picture: both axes have the same scale, and y points upwards.
 *
 * @param {Warp} warp
 * @param {number} size
 */
function placesIn({ places, box: { left, right, low, high } }, size) {
  const factor = (size - 2 * MARGIN) / (Math.max(right - left, high - low) || 1);
  const [x, y] = [(left + right) / 2, (low + high) / 2];
  return places.map((value, i) => size / 2 + (i % 2 ? y - value : value - x) * factor);
}

/**
 * Draw the grid lines: one path for each colour and shade.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Float64Array} at
 * @param {Float64Array} predicted  (outputs, grid points)
 * @param {Scale} scale
 * @param {Theme} theme
 */
function drawLines(context, at, predicted, scale, theme) {
  const n = SIDE * SIDE;
  const nOutputs = predicted.length / n;
  const shades = Uint8Array.from({ length: n }, (_, p) => shadeOf(predicted, nOutputs, n, p, scale));
  const undecided = mix(parse(theme.ink), parse(theme.paper), 0.72);
  context.lineWidth = 1.2;
  for (const shade of new Set(shades)) {
    const end = Math.floor(shade / SHADES);
    const colour = scale.task === "regression" ? endOf(scale, end) : scale.colour(end);
    context.strokeStyle = css(mix(undecided, colour, (shade % SHADES) / (SHADES - 1)));
    context.beginPath();
    for (let line = 0; line < SIDE; line += STEP) {
      follow(context, at, shades, shade, line * SIDE, 1);
      follow(context, at, shades, shade, line, SIDE);
    }
    context.stroke();
  }
}

/**
 * Add the parts of a grid line that have a shade to the path.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Float64Array} at
 * @param {Uint8Array} shades  of the grid points: that of a part is its first point's
 * @param {number} shade
 * @param {number} first  point of the line
 * @param {number} stride  from a point of the line to the next
 */
function follow(context, at, shades, shade, first, stride) {
  let drawing = false;
  for (let i = 0, p = first; i + 1 < SIDE; i++, p += stride) {
    if (shades[p] === shade) {
      if (!drawing) context.moveTo(at[2 * p], at[2 * p + 1]);
      context.lineTo(at[2 * (p + stride)], at[2 * (p + stride) + 1]);
    }
    drawing = shades[p] === shade;
  }
}

/**
 * Return the colour of the lowest or of the highest targets.
 *
 * @param {Scale} scale
 * @param {number} end  0 or 1
 * @returns {Colour}
 */
function endOf({ middle, reach, colour }, end) {
  return colour(middle + (end ? reach : -reach));
}

/**
 * Return the number of a prediction's shade: SHADES times its class, or end of the targets, plus 0 for
 * an undecided one to SHADES − 1.
 *
 * @param {Float64Array} predicted
 * @param {number} nOutputs
 * @param {number} n
 * @param {number} p
 * @param {Scale} scale
 */
function shadeOf(predicted, nOutputs, n, p, { task, middle, reach }) {
  const number = (/** @type {number} */ label, /** @type {number} */ certainty) =>
    label * SHADES + Math.round(Math.min(1, certainty) * (SHADES - 1));
  if (task === "multiclass") {
    const best = argmax(predicted, n, nOutputs, p);
    return number(best, (predicted[best * n + p] - 1 / nOutputs) / (1 - 1 / nOutputs));
  }
  const from = task === "binary" ? 2 * predicted[p] - 1 : (predicted[p] - middle) / reach;
  return number(from > 0 ? 1 : 0, Math.abs(from));
}

/**
 * Draw the boundaries between classes, by interpolation in each cell of the grid.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Float64Array} at
 * @param {Float64Array} predicted
 * @param {Theme} theme
 */
function drawBoundary(context, at, predicted, theme) {
  const n = SIDE * SIDE;
  const nOutputs = predicted.length / n;
  context.beginPath();
  for (let c = 0; c < (nOutputs === 1 ? 1 : nOutputs); c++) {
    const lead = Float64Array.from({ length: n }, (_, p) => leadOf(predicted, nOutputs, n, p, c));
    for (let cell = 0; cell < n - SIDE; cell++) {
      if (cell % SIDE === SIDE - 1) continue;
      const corners = [cell, cell + 1, cell + SIDE + 1, cell + SIDE];
      let crossings = 0;
      for (let k = 0; k < 4; k++) {
        const [p, q] = [corners[k], corners[(k + 1) % 4]];
        if (lead[p] > 0 === lead[q] > 0) continue;
        const share = lead[p] / (lead[p] - lead[q]);
        const x = at[2 * p] + share * (at[2 * q] - at[2 * p]);
        const y = at[2 * p + 1] + share * (at[2 * q + 1] - at[2 * p + 1]);
        if (crossings++ % 2 === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
    }
  }
  context.strokeStyle = theme.ink;
  context.lineWidth = 2;
  context.stroke();
}

/**
 * Return by how much class `c` is more probable than the next one, on a logarithmic scale.
 *
 * @param {Float64Array} predicted
 * @param {number} nOutputs
 * @param {number} n
 * @param {number} p
 * @param {number} c
 */
function leadOf(predicted, nOutputs, n, p, c) {
  if (nOutputs === 1) return Math.log((predicted[p] + 1e-12) / (1 - predicted[p] + 1e-12));
  let other = 0;
  for (let k = 0; k < nOutputs; k++) if (k !== c) other = Math.max(other, predicted[k * n + p]);
  return Math.log((predicted[c * n + p] + 1e-12) / (other + 1e-12));
}
