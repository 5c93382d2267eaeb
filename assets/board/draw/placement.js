/** Layout of the network diagram, and hit testing in it. */

/**
 * @import {Shape} from "../state/types.d.ts"
 * @import {Diagram} from "./types.d.ts"
 */

import { placeOf } from "../state/units.js";

const LARGEST = 46;

/**
 * Lay out the diagram in a box.
 *
 * @param {Shape} shape
 * @param {number} width   in CSS pixels
 * @param {number} height
 * @param {{left: number, right: number, top: number}} margin  room for names and headings
 * @returns {Diagram}
 */
export function arrange({ layers, first, count, total }, width, height, margin) {
  const last = layers.length - 1;
  const room = height - margin.top - 2;
  // half a square lies to the left of the first layer's middle, and half to the right of the last's
  const guess = (width - margin.left - margin.right) / (last + 0.5);
  const side = Float32Array.from(layers, (units) => {
    const each = room / units;
    return Math.max(3, Math.min(LARGEST, 0.46 * guess, each - Math.max(1, 0.18 * each)));
  });
  const left = margin.left + side[0] / 2;
  const pitch = (width - margin.right - side[last] / 2 - left) / last;
  const x = Float32Array.from(layers, (_, l) => left + l * pitch);
  const y = new Float32Array(count);
  layers.forEach((units, l) => {
    const step = Math.min(room / units, Math.max(1.7 * side[l], 30));
    for (let u = 0; u < units; u++) {
      y[first[l] + u] = margin.top + room / 2 + (u - (units - 1) / 2) * step;
    }
  });
  const thick = Math.max(1.6, Math.min(6, 0.24 * Math.min(...side)));
  return { x, y, side, pitch, thick, width, height, codes: new Uint8Array(total) };
}

/**
 * Return the number of the unit at a point, or -1. Squares are enlarged by `slack`.
 *
 * @param {Shape} shape
 * @param {Diagram} diagram
 * @param {number} px
 * @param {number} py
 * @param {number} slack
 */
export function unitAt({ layers, first }, { x, y, side }, px, py, slack) {
  for (let l = 0; l < layers.length; l++) {
    const half = side[l] / 2 + slack;
    if (Math.abs(px - x[l]) > half) continue;
    let [best, nearest] = [-1, half];
    for (let u = first[l]; u < first[l] + layers[l]; u++) {
      const distance = Math.abs(py - y[u]);
      if (distance <= nearest) [best, nearest] = [u, distance];
    }
    return best;
  }
  return -1;
}

/**
 * Return the link at a point as an index into the row, or -1. Links with weight 0 are not drawn and not
 * found, unless they were edited.
 *
 * @param {Shape} shape
 * @param {Diagram} diagram
 * @param {Float32Array} row
 * @param {Map<number, number>} edited
 * @param {number} range
 * @param {number} px
 * @param {number} py
 * @param {number} slack
 */
export function linkAt(shape, diagram, row, edited, range, px, py, slack) {
  const { layers, first, at } = shape;
  const { x, y, side, thick } = diagram;
  for (let l = 1; l < layers.length; l++) {
    const [left, right] = [x[l - 1] + side[l - 1] / 2, x[l] - side[l] / 2];
    if (px < left || px > right) continue;
    // Bézier control points at thirds: x is linear in the parameter s, y is smoothstep
    const s = (px - left) / (right - left);
    const ease = s * s * (3 - 2 * s);
    const slope = (6 * s * (1 - s)) / (right - left);
    let [best, nearest] = [-1, slack];
    for (let j = 0, index = at[l]; j < layers[l]; j++, index++) {
      const to = y[first[l] + j];
      for (let i = 0; i < layers[l - 1]; i++, index++) {
        if (row[index] === 0 && !edited.has(index)) continue;
        const from = y[first[l - 1] + i];
        const away = Math.abs(from + (to - from) * ease - py) / Math.hypot(1, slope * (to - from));
        const distance = away - 0.5 * thick * Math.min(1, Math.abs(row[index]) / range);
        if (distance < nearest) [best, nearest] = [index, distance];
      }
    }
    return best;
  }
  return -1;
}

/**
 * Return a link's middle.
 *
 * @param {Shape} shape
 * @param {Diagram} diagram
 * @param {number} index
 */
export function middleOf(shape, { x, y, side }, index) {
  const { layer, unit, input } = placeOf(shape, index);
  const left = x[layer - 1] + side[layer - 1] / 2;
  const right = x[layer] - side[layer] / 2;
  return {
    x: (left + right) / 2,
    y: (y[shape.first[layer - 1] + input] + y[shape.first[layer] + unit]) / 2,
  };
}
