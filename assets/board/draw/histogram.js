/**
 * The histogram of a network's weights. The middle bar counts exact zeros alone; small weights have the
 * bars beside it. Heights are square roots of counts, so that one weight is visible beside a hundred
 * zeros.
 */

/** @import {DrawingContext} from "./types.d.ts" */

// bars on each side of the zero bar
export const BARS_PER_SIDE = 15;
export const BARS = 2 * BARS_PER_SIDE + 1;
const GAP = 1;
// in widths of a bar: half the space around the zero bar, and half the zero bar itself
const MIDDLE = 1.15;
const ZERO = 0.85;

/**
 * Count weights into bars. The outermost bars include the weights beyond `range`.
 *
 * @param {Float32Array} parameters
 * @param {number} offset  of the network's row
 * @param {Int32Array} weightIndex
 * @param {number} range
 * @param {Uint16Array} counts  of length BARS
 */
export function count(parameters, offset, weightIndex, range, counts) {
  counts.fill(0);
  for (let i = 0; i < weightIndex.length; i++) {
    const w = parameters[offset + weightIndex[i]];
    const bar = Math.min(BARS_PER_SIDE, 1 + Math.floor((Math.abs(w) / range) * BARS_PER_SIDE));
    counts[w === 0 ? BARS_PER_SIDE : w > 0 ? BARS_PER_SIDE + bar : BARS_PER_SIDE - bar]++;
  }
}

/**
 * Draw the bars and the axis.
 *
 * @param {DrawingContext} context
 * @param {Uint16Array} counts
 * @param {number} most  the count at full height, the same for all cards and epochs
 * @param {number} width   in CSS pixels
 * @param {number} height
 * @param {number} ratio   device pixels per CSS pixel
 * @param {{bar: string, zero: string, axis: string}} colours
 */
export function drawHistogram(context, counts, most, width, height, ratio, colours) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  const line = Math.max(1, Math.round(ratio));
  context.clearRect(0, 0, w, h);
  const slot = slotOf(w);
  const middle = w / 2;
  context.fillStyle = colours.bar;
  for (let i = 1; i <= BARS_PER_SIDE; i++) {
    for (const side of [-1, 1]) {
      const n = counts[BARS_PER_SIDE + side * i];
      if (n === 0) continue;
      const near = middle + side * (i - 1 + MIDDLE) * slot;
      const left = Math.round(side > 0 ? near : near - slot);
      const right = Math.round(side > 0 ? near + slot : near) - GAP * line;
      const tall = barHeight(n, most, h - line);
      context.fillRect(left, h - line - tall, Math.max(line, right - left), tall);
    }
  }
  context.fillStyle = colours.axis;
  context.fillRect(0, h - line, w, line);
  context.fillStyle = colours.zero;
  const tall = barHeight(counts[BARS_PER_SIDE], most, h - line);
  const half = Math.max(line, Math.round(slot * ZERO));
  context.fillRect(Math.round(middle) - half, h - line - tall, 2 * half, tall + line);
}

/**
 * Return the height of the bar of `n` weights, in whole pixels.
 *
 * @param {number} n
 * @param {number} most
 * @param {number} height
 */
export function barHeight(n, most, height) {
  return n === 0 ? 0 : Math.max(1, Math.round(height * Math.sqrt(n / most)));
}

/**
 * Return a weight's distance from the middle of the histogram, in units of `width`.
 *
 * @param {number} size  |w|
 * @param {number} range
 * @param {number} width
 */
export function distanceOf(size, range, width) {
  return (MIDDLE + Math.min(1, size / range) * BARS_PER_SIDE) * slotOf(width);
}

/**
 * Return the index of the bar at `x`.
 *
 * @param {number} x
 * @param {number} width
 */
export function barAt(x, width) {
  const bar = Math.ceil(Math.abs(x - width / 2) / slotOf(width) - MIDDLE);
  return BARS_PER_SIDE + Math.sign(x - width / 2) * Math.max(0, Math.min(BARS_PER_SIDE, bar));
}

/**
 * Return the left and right end of a bar.
 *
 * @param {number} bar
 * @param {number} width
 */
export function placeOf(bar, width) {
  const i = Math.abs(bar - BARS_PER_SIDE);
  const [near, far] = [i - 1 + MIDDLE, i + MIDDLE].map((slots) => Math.sign(bar - BARS_PER_SIDE) * slots * slotOf(width));
  const half = ZERO * slotOf(width);
  return i === 0 ? [width / 2 - half, width / 2 + half] : [width / 2 + Math.min(near, far), width / 2 + Math.max(near, far)];
}

/**
 * Return the width of a bar.
 *
 * @param {number} width  of the histogram
 */
function slotOf(width) {
  return width / (2 * (BARS_PER_SIDE + MIDDLE));
}
