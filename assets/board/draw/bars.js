/**
 * Draws one bar for each input of a network, in their order: its weight, or the norm of its outgoing
 * weights. Exact zeros have a mark in a strip at the bottom, relevant columns one in a strip at the top.
 */

/**
 * @import {Column, Recording} from "../state/types.d.ts"
 * @import {BarStyle, Theme} from "./types.d.ts"
 */

import { contextOf, fitCanvas } from "./dom.js";
import { areWeights, inputWeights } from "../state/inputs.js";
import { axis, shortened } from "../state/words.js";

// in CSS pixels
const STRIP = 9;
const EDGE = 3;
const FONT = 11;
const NAMES = 94; // height of names that are written upwards

/**
 * Return the index of the input at a share of the picture's width.
 *
 * @param {number} x
 * @param {number} inputs
 */
export function inputAt(x, inputs) {
  return Math.max(0, Math.min(inputs - 1, Math.floor(x * inputs)));
}

/**
 * Draw the bars of the network with parameters `row`.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Recording} recording
 * @param {Float32Array} row
 * @param {{colour: string, reach: number, named: boolean}} style
 * @param {Theme} theme
 * @param {number} size   of the square, in CSS pixels
 * @param {number} ratio  device pixels per CSS pixel
 */
export function paintBars(canvas, { network: { layers }, columns }, row, style, theme, size, ratio) {
  fitCanvas(canvas, size, size, ratio);
  const context = contextOf(canvas, { alpha: false });
  drawBars(context, inputWeights(layers, row), columns, { ...style, theme, signed: areWeights(layers) }, size, ratio);
}

/**
 * Draw the bars into a square.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} values  of each input
 * @param {Column[]} columns
 * @param {BarStyle} style
 * @param {number} size   of the square, in CSS pixels
 * @param {number} ratio  device pixels per CSS pixel
 */
function drawBars(context, values, columns, { colour, theme, reach, signed, named }, size, ratio) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = theme.dark ? "#141923" : "#f4f6f9";
  context.fillRect(0, 0, size, size);
  const pitch = size / columns.length;
  context.font = `${FONT}px system-ui, sans-serif`;
  const names = columns.map(({ name }) => shortened(name));
  const widest = Math.max(...names.map((name) => context.measureText(name).width));
  const upright = named && widest + 4 <= pitch;
  const below = upright ? FONT + 4 : named && pitch >= FONT ? Math.min(NAMES, widest + 6) : 0;
  const [top, bottom] = [STRIP + EDGE, size - STRIP - EDGE - below];
  const zero = signed ? (top + bottom) / 2 : bottom;
  const scale = (bottom - top) / (signed ? 2 : 1) / reach;
  const gap = pitch > 4 ? Math.min(4, 0.2 * pitch) : pitch > 2 ? 0.5 : 0;
  // where all columns are relevant, marks would tell nothing apart
  const marked = columns.some(({ relevant }) => relevant === false);
  for (const [i, { relevant }] of columns.entries()) {
    const [left, width] = [i * pitch + gap / 2, pitch - gap];
    if (marked && relevant) {
      context.fillStyle = theme.dark ? "#232b3a" : "#e4e9f1";
      context.fillRect(i * pitch, 0, pitch, size - below);
      context.fillStyle = theme.ink;
      context.fillRect(left, EDGE, width, STRIP - EDGE);
    }
    const height = Math.max(-reach, Math.min(reach, values[i])) * scale;
    context.fillStyle = values[i] === 0 ? theme.dark ? "#8b93a1" : "#79808a" : colour;
    if (values[i] === 0) context.fillRect(left, bottom + EDGE, width, STRIP - EDGE);
    // a weight that is not 0 has a visible bar
    else context.fillRect(left, Math.min(zero, zero - height), width, Math.max(Math.abs(height), 0.75));
    if (below) {
      context.fillStyle = theme.ink;
      write(context, names[i], (i + 0.5) * pitch, size - below, upright, below, ratio);
    }
  }
  context.fillStyle = theme.dark ? "#8b93a1" : "#79808a";
  context.fillRect(0, zero - 0.5, size, 1);
  if (!named) return;
  context.fillStyle = theme.ink;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(axis(reach), 4, top + 2);
  context.textBaseline = "bottom";
  if (signed) context.fillText(axis(-reach), 4, bottom - 2);
}

/**
 * Write a name below its bar, level or from the bottom up.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} name
 * @param {number} x
 * @param {number} y  of the upper end
 * @param {boolean} upright
 * @param {number} height
 * @param {number} ratio
 */
function write(context, name, x, y, upright, height, ratio) {
  context.textBaseline = "middle";
  if (upright) {
    context.textAlign = "center";
    context.fillText(name, x, y + height / 2);
    return;
  }
  context.textAlign = "right";
  context.setTransform(0, -ratio, ratio, 0, x * ratio, (y + 3) * ratio);
  context.fillText(name, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}
