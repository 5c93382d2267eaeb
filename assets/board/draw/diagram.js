/**
 * Draws the network diagram: layers from left to right, a link for every weight that is not 0, and
 * a heatmap of every unit's values over the plane. Signs differ in colour and dashes, links of cut-off
 * units are faint, and cut-off units are hatched.
 */

/**
 * @import {Recording, Shape} from "../state/types.d.ts"
 * @import {Units} from "../state/units.js"
 * @import {Diagram, Scale, Theme} from "./types.d.ts"
 */

import { contextOf } from "./dom.js";
import { middleOf } from "./placement.js";
import { mix, packed, parse } from "./theme.js";
import { CONSTANT, placeOf, reachOf } from "../state/units.js";

/** Colours of signs. They differ in lightness, for colour-blind visitors, and are no class's colours. */
export const SIGNS = {
  light: { positive: "#33404f", negative: "#b92a9c" },
  dark: { positive: "#dbe3ee", negative: "#ff79d8" },
};

const STEPS = 256;
const FULL = 0.88;
const LEVELS = 14;
// memory for `drawLinks`: the link styles that occur between two layers
const present = new Uint8Array(1 + 4 * LEVELS);
// number of links between two layers above which dashes cannot be seen
const CROWD = 200;
const FAINT = 0.16;
/** @type {number[]} */
const SOLID = [];
const DASHES = Array.from({ length: 16 }, (_, i) => [3 + i, 2 + i / 2]);

/**
 * Return the diagram's colours in a theme.
 *
 * @typedef {ReturnType<typeof makePalette>} Palette
 * @typedef {ReturnType<typeof makeStrip>} Strip
 *
 * @param {Recording} recording
 * @param {Theme} theme
 */
export function makePalette({ blank }, { mode, dark, ink, paper }) {
  const { positive, negative } = SIGNS[mode];
  const zero = parse(blank[mode]);
  const ends = [parse(negative), parse(positive)];
  const value = (/** @type {number} */ x) => mix(zero, ends[x < 0.5 ? 0 : 1], FULL * Math.abs(2 * x - 1));
  return {
    mode,
    positive,
    negative,
    ink,
    paper,
    frame: dark ? "#8d97a6" : "#6a7482",
    pale: dark ? "#687280" : "#9aa3af",
    table: Uint32Array.from({ length: STEPS }, (_, i) => packed(value(i / (STEPS - 1)))),
  };
}

/**
 * Allocate the canvas of all units' heatmaps, one below the other.
 *
 * @param {Pick<Units, "shape"|"size">} units
 */
export function makeStrip({ shape, size }) {
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size * shape.count;
  const image = new ImageData(size, size * shape.count);
  return {
    canvas,
    context: contextOf(canvas),
    image,
    pixels: new Uint32Array(image.data.buffer),
  };
}

/**
 * Colour all units' values: inputs and hidden units by sign, outputs by the boundary's scale.
 *
 * @param {Strip} strip
 * @param {Units} units
 * @param {Palette} palette
 * @param {Scale} scale
 */
export function paintUnits({ context, image, pixels }, units, palette, scale) {
  const { shape, grid, network } = units;
  const last = shape.layers.length - 1;
  const { values, n } = grid;
  for (let u = 0; u < shape.first[last]; u++) {
    colour(values, u * n, n, palette.table, (0.5 * (STEPS - 1)) / reachOf(units, u), 0.5 * STEPS, pixels);
  }
  const top = STEPS - 1;
  const slope = network.task === "regression" ? (0.5 * top) / scale.reach : top;
  const shift = network.task === "regression" ? 0.5 * STEPS - slope * scale.middle : 0.5;
  for (let c = 0; c < shape.layers[last]; c++) {
    colour(values, (shape.first[last] + c) * n, n, scale.tables[c], slope, shift, pixels);
  }
  context.putImageData(image, 0, 0);
}

/**
 * Colour one unit's values by a table.
 *
 * @param {Float64Array} values
 * @param {number} at
 * @param {number} n
 * @param {Uint32Array} table
 * @param {number} slope
 * @param {number} shift
 * @param {Uint32Array} pixels
 */
function colour(values, at, n, table, slope, shift, pixels) {
  const top = table.length - 1;
  for (let p = at; p < at + n; p++) {
    const i = shift + slope * values[p];
    // the comparisons are false for NaN, which gets the first entry
    pixels[p] = table[i > 0 ? (i < top ? i | 0 : top) : 0];
  }
}

/**
 * Draw one unit's heatmap in a square with its upper left corner at (x, y).
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Strip} strip
 * @param {Pick<Units, "size">} units
 * @param {number} u
 * @param {number} x
 * @param {number} y
 * @param {number} side
 */
export function drawHeatmap(context, { canvas }, { size }, u, x, y, side) {
  // the outer grid points lie on the square's edges: half a pixel of the strip is cut off
  context.drawImage(canvas, 0.5, u * size + 0.5, size - 1, size - 1, x, y, side, side);
}

/**
 * Draw all links, thicker and darker for larger weights. Links of one style share a path, as there may
 * be thousands of links and each path costs time.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Diagram} diagram
 * @param {Units} units
 * @param {Float32Array} row
 * @param {Palette} palette
 * @param {{range: number, mask: Uint8Array|null, unit: number, ratio: number}} view  the weight whose
 *   link is the thickest; 0 for units that are dropped; the unit whose links stand out, or -1; device
 *   pixels per CSS pixel
 */
export function drawLinks(context, diagram, units, row, palette, { range, mask, unit, ratio }) {
  const { layers, first, at } = units.shape;
  const { codes, thick } = diagram;
  const { states } = units;
  for (let l = 1; l < layers.length; l++) {
    present.fill(0);
    for (let j = 0, index = at[l]; j < layers[l]; j++, index++) {
      const to = first[l] + j;
      for (let i = 0; i < layers[l - 1]; i++, index++) {
        const w = row[index];
        const from = first[l - 1] + i;
        codes[index] = 0;
        if (w === 0) continue;
        const level = Math.min(LEVELS - 1, Math.floor((Math.abs(w) / range) * LEVELS)) || 0;
        const idle = states[from] | states[to] || (mask && !(mask[from] && mask[to]));
        const faint = unit < 0 ? idle : from !== unit && to !== unit;
        codes[index] = 1 + 4 * level + (w < 0 ? 2 : 0) + (faint ? 1 : 0);
        present[codes[index]] = 1;
      }
    }
    const crowd = layers[l] * layers[l - 1] > CROWD;
    for (let level = 0; level < LEVELS; level++) {
      const share = (level + 0.5) / LEVELS;
      context.lineWidth = Math.max(crowd ? 1 / ratio : 0.8, thick * share);
      for (let kind = 3; kind >= 0; kind--) {
        const code = 1 + 4 * level + kind;
        if (!present[code]) continue;
        trace(context, diagram, units.shape, l, code);
        const negative = kind & 2;
        context.strokeStyle = negative ? palette.negative : palette.positive;
        context.globalAlpha = kind & 1 ? FAINT : crowd ? 0.07 + 0.6 * share : 0.42 + 0.5 * Math.sqrt(share);
        dash(context, negative !== 0 && !crowd, context.lineWidth);
        context.stroke();
      }
    }
  }
  dash(context, false);
  context.globalAlpha = 1;
}

/**
 * Begin a path with a layer's links of one style.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Diagram} diagram
 * @param {Shape} shape
 * @param {number} l
 * @param {number} code
 */
function trace(context, diagram, { layers, first, at }, l, code) {
  const { codes, y, x, side } = diagram;
  const left = x[l - 1] + side[l - 1] / 2;
  const right = x[l] - side[l] / 2;
  context.beginPath();
  for (let j = 0, index = at[l]; j < layers[l]; j++, index++) {
    for (let i = 0; i < layers[l - 1]; i++, index++) {
      if (codes[index] !== code) continue;
      curve(context, left, y[first[l - 1] + i], right, y[first[l] + j]);
    }
  }
}

/**
 * Add a link's curve to the path.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} from
 * @param {number} right
 * @param {number} to
 */
function curve(context, left, from, right, to) {
  const third = (right - left) / 3;
  context.moveTo(left, from);
  context.bezierCurveTo(left + third, from, right - third, to, right, to);
}

/**
 * Set dashes for a line of some width, or none.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {boolean} on
 * @param {number} [width]
 */
function dash(context, on, width = 0) {
  context.setLineDash(on ? DASHES[Math.min(DASHES.length - 1, Math.round(2 * width))] : SOLID);
}

/**
 * Highlight one link.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Shape} shape
 * @param {Diagram} diagram
 * @param {Float32Array} row
 * @param {number} index
 * @param {number} range
 * @param {string} colour
 * @param {Palette} palette
 */
export function drawHighlightedLink(context, shape, { x, y, side, thick }, row, index, range, colour, palette) {
  const { layer, unit, input } = placeOf(shape, index);
  const left = x[layer - 1] + side[layer - 1] / 2;
  const right = x[layer] - side[layer] / 2;
  const width = Math.max(1.6, thick * Math.min(1, Math.abs(row[index]) / range || 0));
  context.lineCap = "round";
  context.beginPath();
  curve(context, left, y[shape.first[layer - 1] + input], right, y[shape.first[layer] + unit]);
  for (const [stroke, wide] of /** @type {[string, number][]} */ ([[colour, width + 6], [palette.paper, width + 3]])) {
    context.strokeStyle = stroke;
    context.lineWidth = wide;
    context.stroke();
  }
  context.lineCap = "butt";
  if (row[index] === 0) return;
  context.strokeStyle = row[index] < 0 ? palette.negative : palette.positive;
  context.lineWidth = width;
  dash(context, row[index] < 0, width);
  context.stroke();
  dash(context, false);
}

/**
 * Mark each edited parameter by a diamond, hollow if it is 0.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Shape} shape
 * @param {Diagram} diagram
 * @param {Float32Array} row
 * @param {Map<number, number>} edited
 * @param {string} colour
 * @param {Palette} palette
 */
export function drawEdited(context, shape, diagram, row, edited, colour, palette) {
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  for (const index of edited.keys()) {
    const { layer, unit, input } = placeOf(shape, index);
    const bias = input === shape.layers[layer - 1];
    const u = shape.first[layer] + unit;
    const half = diagram.side[layer] / 2;
    const { x, y } = bias
      ? { x: diagram.x[layer] + half, y: diagram.y[u] - half }
      : middleOf(shape, diagram, index);
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 5);
    context.lineTo(x - 5, y);
    context.closePath();
    context.fillStyle = row[index] === 0 ? palette.paper : colour;
    context.fill();
    context.stroke();
  }
}

/**
 * Draw every unit's square: its heatmap, or the sign of its state.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Diagram} diagram
 * @param {Units} units
 * @param {Strip} strip
 * @param {Palette} palette
 * @param {Uint8Array|null} mask
 */
export function drawUnits(context, diagram, units, strip, palette, mask) {
  const { shape, states } = units;
  const last = shape.layers.length - 1;
  for (let l = 0; l <= last; l++) {
    const side = diagram.side[l];
    for (let u = shape.first[l], end = u + shape.layers[l]; u < end; u++) {
      const [left, top] = [diagram.x[l] - side / 2, diagram.y[u] - side / 2];
      const dropped = mask !== null && !mask[u];
      const state = states[u];
      context.fillStyle = palette.paper;
      context.fillRect(left, top, side, side);
      // an output has its heatmap even if it is constant
      if (state === 0 || l === last) {
        context.globalAlpha = dropped ? 0.22 : 1;
        drawHeatmap(context, strip, units, u, left, top, side);
        context.globalAlpha = 1;
      }
      if (state === CONSTANT) flat(context, left, top, side, palette);
      else if (state) hatch(context, left, top, side, palette);
      if (dropped) cross(context, left, top, side, palette);
      context.lineWidth = 1;
      context.strokeStyle = state || dropped || side < 9 ? palette.pale : palette.frame;
      dash(context, state !== 0 && state !== CONSTANT && side > 8, 1);
      context.strokeRect(left, top, side, side);
      dash(context, false);
    }
  }
}

/**
 * Draw a frame around a unit.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Diagram} diagram
 * @param {number} layer
 * @param {number} u
 * @param {string} colour
 */
export function drawFrame(context, { x, y, side }, layer, u, colour) {
  const half = side[layer] / 2 + 2;
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  context.strokeRect(x[layer] - half, y[u] - half, 2 * half, 2 * half);
}

/**
 * Hatch a unit that is cut off.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} top
 * @param {number} side
 * @param {Palette} palette
 */
function hatch(context, left, top, side, palette) {
  const step = side > 12 ? 6 : 3.5;
  context.beginPath();
  for (let d = step; d < 2 * side; d += step) {
    const over = Math.max(0, d - side);
    context.moveTo(left + over, top + d - over);
    context.lineTo(left + d - over, top + over);
  }
  context.strokeStyle = palette.pale;
  context.globalAlpha = 0.6;
  context.lineWidth = 0.8;
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * Draw a horizontal line in a constant unit.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} top
 * @param {number} side
 * @param {Palette} palette
 */
function flat(context, left, top, side, palette) {
  context.beginPath();
  context.moveTo(left + 0.2 * side, top + side / 2);
  context.lineTo(left + 0.8 * side, top + side / 2);
  context.strokeStyle = palette.frame;
  context.lineWidth = Math.max(1, 0.08 * side);
  context.stroke();
}

/**
 * Cross out a dropped unit.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} top
 * @param {number} side
 * @param {Palette} palette
 */
function cross(context, left, top, side, palette) {
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(left + side, top + side);
  context.moveTo(left + side, top);
  context.lineTo(left, top + side);
  context.strokeStyle = palette.ink;
  context.lineWidth = Math.max(1.2, 0.08 * side);
  context.stroke();
}
