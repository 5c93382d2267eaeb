/** Draws axes, points, eraser and keyboard crosshair. */

/** @import {Kind, Point} from "./drawing.js" */

import { contextOf, fitCanvas } from "../board/draw/dom.js";
import { SHAPES, shape, trainColour } from "../board/draw/points.js";
import { MAX_TINT, css, mix, parse } from "../board/draw/theme.js";
import { linearTicks, tickLabel } from "../board/draw/ticks.js";

const MARGIN = { left: 26, bottom: 30, top: 8, right: 8 };
/** @type {Record<string, number>} */
export const HIT_RADIUS = { mouse: 9, touch: 16, keyboard: 9 }; // CSS pixels within which a point is hit
export const ERASER_RADIUS = 11; // radius of the eraser in CSS pixels
const STAMP = 16; // side of the picture of a point in CSS pixels
const CROWD = 400; // number of points above which they are drawn smaller

/**
 * @typedef {{side: number, left: number, top: number, reach: number}} Frame  in CSS pixels
 * @typedef {import("../board/draw/types.d.ts").Theme} Theme
 * @typedef {{shape: string, fill: string, stroke: string}} Look  of a point
 * @typedef {[x1: number, x2: number]} Place  in units of the axes
 */

/**
 * Return the square of the axes within a canvas.
 *
 * @param {number} width  of the canvas in CSS pixels
 * @param {number} reach  half the length of both axes
 * @returns {Frame}
 */
export function frameOf(width, reach) {
  return { side: Math.max(60, width - MARGIN.left - MARGIN.right), left: MARGIN.left, top: MARGIN.top, reach };
}

/**
 * Return the height of the canvas for a frame.
 *
 * @param {Frame} frame
 */
export function heightOf({ side, top }) {
  return side + top + MARGIN.bottom;
}

/**
 * Convert canvas coordinates to units of the axes.
 *
 * @param {Frame} frame
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]}
 */
export function toAxes({ side, left, top, reach }, x, y) {
  return [((x - left) / side) * 2 * reach - reach, reach - ((y - top) / side) * 2 * reach];
}

/**
 * Convert units of the axes to canvas coordinates.
 *
 * @param {Frame} frame
 * @param {number} x1
 * @param {number} x2
 * @returns {[number, number]}
 */
function toCanvas({ side, left, top, reach }, x1, x2) {
  return [left + ((x1 + reach) / (2 * reach)) * side, top + ((reach - x2) / (2 * reach)) * side];
}

/**
 * Convert a length in CSS pixels to units of the axes.
 *
 * @param {Frame} frame
 * @param {number} pixels
 */
export function unitsOf({ side, reach }, pixels) {
  return (pixels / side) * 2 * reach;
}

/**
 * Draw a picture.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Object} picture
 * @param {Frame} picture.frame
 * @param {Theme} picture.theme
 * @param {Point[]} picture.points
 * @param {(label: number) => Look} picture.looks
 * @param {Place|null} picture.cursor  of the keyboard
 * @param {number} picture.chosen  index of the point at the crosshair, or -1
 * @param {Place|null} picture.eraser  of the eraser
 */
export function paint(canvas, { frame, theme, points, looks, cursor, chosen, eraser }) {
  const ratio = window.devicePixelRatio || 1;
  const width = frame.side + MARGIN.left + MARGIN.right;
  fitCanvas(canvas, width, heightOf(frame), ratio);
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, heightOf(frame));
  paintAxes(context, frame, theme, getComputedStyle(canvas).fontFamily);
  /** @type {Map<number, HTMLCanvasElement>} by label */
  const stamps = new Map();
  for (const [x1, x2, label] of points) {
    const stamp = stamps.get(label) ?? stampOf(looks(label), points.length > CROWD ? 3.2 : 4.4, ratio);
    stamps.set(label, stamp);
    const [x, y] = toCanvas(frame, x1, x2);
    context.drawImage(stamp, x - STAMP / 2, y - STAMP / 2, STAMP, STAMP);
  }
  if (chosen >= 0) ring(context, toCanvas(frame, points[chosen][0], points[chosen][1]), 9, theme.ink, 2);
  if (eraser) ring(context, toCanvas(frame, ...eraser), ERASER_RADIUS, theme.ink, 1);
  if (cursor) paintCursor(context, frame, theme, cursor);
}

/**
 * Return a function from a label to its look: classes have a colour and a shape, values a colour.
 *
 * @param {Kind} kind
 * @param {string[]} colours
 * @param {Theme} theme
 * @param {number} valueReach
 * @returns {(label: number) => Look}
 */
export function looksOf(kind, colours, theme, valueReach) {
  if (kind === "classes") {
    const looks = colours.map((colour, c) => {
      return { shape: SHAPES[c], fill: trainColour(parse(colour), theme), stroke: theme.paper };
    });
    return (label) => looks[label];
  }
  const [low, high] = colours.map(parse);
  return (value) => {
    const share = Math.min(1, Math.abs(value) / valueReach);
    const fill = css(mix(parse(theme.paper), value < 0 ? low : high, MAX_TINT[theme.mode] * share));
    return { shape: "circle", fill, stroke: theme.ink };
  };
}

/**
 * Draw a point to a canvas of its own: copies of it are faster than thousands of outlines.
 *
 * @param {Look} look
 * @param {number} radius
 * @param {number} ratio
 */
function stampOf(look, radius, ratio) {
  const stamp = document.createElement("canvas");
  stamp.width = stamp.height = Math.ceil(STAMP * ratio);
  const context = contextOf(stamp);
  context.scale(stamp.width / STAMP, stamp.width / STAMP);
  context.fillStyle = look.fill;
  context.strokeStyle = look.stroke;
  context.lineWidth = 1.1;
  context.lineJoin = "round";
  shape(context, look.shape, STAMP / 2, STAMP / 2, radius);
  context.fill();
  context.stroke();
  return stamp;
}

/**
 * Draw axes, grid lines and labels.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Theme} theme
 * @param {string} font
 */
function paintAxes(context, frame, theme, font) {
  const { side, left, top, reach } = frame;
  const line = (/** @type {number} */ share) => css(mix(parse(theme.paper), parse(theme.ink), share));
  const half = linearTicks(reach, 3);
  const ticks = [...half.slice(1).map((x) => -x).reverse(), ...half];
  context.lineWidth = 1;
  for (const tick of ticks) {
    const [x, y] = toCanvas(frame, tick, tick).map((place) => Math.round(place) + 0.5);
    context.strokeStyle = line(tick === 0 ? 0.35 : 0.1);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + side);
    context.moveTo(left, y);
    context.lineTo(left + side, y);
    context.stroke();
  }
  context.strokeStyle = line(0.45);
  context.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
  context.fillStyle = line(0.78);
  context.font = `11px ${font}`;
  for (const tick of ticks) {
    const [x, y] = toCanvas(frame, tick, tick);
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText(tickLabel(tick), x, top + side + 4);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(tickLabel(tick), left - 4, y);
  }
  context.font = `12px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText("x₁", left + side / 2, top + side + MARGIN.bottom);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText("x₂", 0, top + side / 4);
}

/**
 * Draw the crosshair.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Theme} theme
 * @param {Place} cursor
 */
function paintCursor(context, frame, theme, cursor) {
  const [x, y] = toCanvas(frame, ...cursor);
  context.strokeStyle = theme.ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + 5 * dx, y + 5 * dy);
    context.lineTo(x + 14 * dx, y + 14 * dy);
  }
  context.stroke();
}

/**
 * Draw a circle.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} place
 * @param {number} radius
 * @param {string} colour
 * @param {number} width
 */
function ring(context, [x, y], radius, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}
