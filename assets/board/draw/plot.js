/**
 * Draws a line chart: a picture of axes, lines and marks, which is kept while a run plays, and the cursor
 * over it. Lengths are in CSS pixels.
 */

/** @import {Colours, Data, Label, Plot, Series, Theme} from "./types.d.ts" */

import { peaksAbove } from "../state/extent.js";
import { css, mix, parse } from "./theme.js";
import { linearTicks, logTicks } from "./ticks.js";

// margins for the axes' labels, and at the top for the axis title and the marks
const EDGE = { left: 46, right: 14, top: 32, bottom: 34 };
const NAME = 8;
const MARKS = 23;
const TICKS = 12;
const TEXT = 12;
const PER_LABEL = { x: 52, y: 27 };
const DOT = 3.5;
// distances of the number at a line's end from the line, and from the next number
const BESIDE = 6;
const PER_END = 11;
// half the width and the height of the triangle where a line leaves the chart
const LEAVING = { half: 5, tall: 8 };
// opacity of the lines after the shown epoch
const FUTURE = 0.5;

/**
 * Return a chart's colours in a theme.
 *
 * @param {Theme} theme
 * @returns {Colours}
 */
export function plotColours({ ink, paper }) {
  const shade = (/** @type {number} */ share) => css(mix(parse(ink), parse(paper), share));
  return { ink, paper, text: shade(0.26), axis: shade(0.5), grid: shade(0.86), faint: shade(0.93) };
}

/**
 * Draw axes, lines and marks.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @returns {{text: string, x: number}[]}  labels for which there is no space above the lines
 */
export function drawPicture(context, plot) {
  const { data, font, width, height, ratio } = plot;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `${TEXT}px ${font}`;
  context.textBaseline = "middle";
  drawAxes(context, plot);
  context.save();
  context.beginPath();
  const [inner, tall] = [width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom];
  context.rect(EDGE.left, EDGE.top - 2, inner + 2, tall + 4);
  context.clip();
  for (const series of bottomToTop(data)) if (series.values) drawLine(context, plot, series);
  context.restore();
  for (const series of bottomToTop(data)) drawLeaving(context, plot, series);
  return drawMarks(context, plot);
}

/**
 * Return the series in the order of drawing: the first is drawn over the others, and that in focus over all.
 *
 * @param {Data} data
 */
function bottomToTop({ series }) {
  const isFocused = (/** @type {Series} */ { method }) => method?.focused === true;
  const others = series.filter((each) => !isFocused(each)).reverse();
  return [...others, ...series.filter(isFocused)];
}

/**
 * Draw axes, grid lines and the labels of the vertical axis.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 */
function drawAxes(context, { colours: { text, axis, grid, faint }, data, width, height, low, high, ratio }) {
  const { lastEpoch, log, yLabel, format } = data;
  const [right, bottom] = [width - EDGE.right, height - EDGE.bottom];
  const most = fitting(bottom - EDGE.top, PER_LABEL.y);
  const { major, minor } = log ? logTicks(low, high, most) : { major: linearTicks(high, most), minor: [] };
  const line = 1 / ratio;
  const level = (/** @type {number} */ y) => context.fillRect(EDGE.left, crisp(y, ratio), right - EDGE.left, line);
  /** @type {(x: number, from: number, length: number) => void} */
  const plumb = (x, from, length) => context.fillRect(crisp(x, ratio), from, line, length);
  context.fillStyle = faint;
  for (const tick of minor) level(yOf(tick, low, high, log, height));
  context.textAlign = "right";
  for (const tick of major) {
    const y = yOf(tick, low, high, log, height);
    context.fillStyle = grid;
    level(y);
    context.fillStyle = text;
    context.fillText(format(tick), EDGE.left - 6, y);
  }
  for (const tick of epochTicks(lastEpoch, width)) {
    const x = xOf(tick, lastEpoch, width);
    context.fillStyle = grid;
    plumb(x, EDGE.top, bottom - EDGE.top);
    context.fillStyle = axis;
    plumb(x, bottom, 4);
  }
  context.fillStyle = axis;
  level(bottom);
  plumb(EDGE.left, EDGE.top, bottom - EDGE.top);
  context.fillStyle = text;
  context.textAlign = "left";
  context.fillText(yLabel, 0, NAME);
  context.textAlign = "center";
  context.fillText("epoch", (EDGE.left + right) / 2, height - 6);
}

/**
 * Draw one series.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @param {Series} series
 */
function drawLine(context, { data, width, height, low, high }, { values, colour, dash, width: thick }) {
  const { epochs, lastEpoch, log } = data;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = thick;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.beginPath();
  if (!values) return;
  const isSeen = (/** @type {number} */ t) => Number.isFinite(values[t]) && (!log || values[t] > 0);
  for (let t = 0; t < epochs.length; t++) {
    if (!isSeen(t)) continue;
    const [x, y] = [xOf(epochs[t], lastEpoch, width), yOf(values[t], low, high, log, height)];
    if (t > 0 && isSeen(t - 1)) {
      context.lineTo(x, y);
    } else if (t + 1 < epochs.length && isSeen(t + 1)) {
      context.moveTo(x, y);
    } else {
      // a single value between two gaps is drawn as a square
      context.fillRect(x - thick, y - thick, 2 * thick, 2 * thick);
    }
  }
  context.stroke();
  context.setLineDash([]);
}

/**
 * Draw a triangle at the top of the chart wherever a line leaves it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @param {Series} series
 */
function drawLeaving(context, { colours, data, width, high }, { values, colour }) {
  context.fillStyle = colour;
  context.strokeStyle = colours.paper;
  context.lineWidth = 1.5;
  for (const t of peaksAbove(values ?? [], high)) {
    const x = xOf(data.epochs[t], data.lastEpoch, width);
    context.beginPath();
    context.moveTo(x, EDGE.top + 1);
    context.lineTo(x + LEAVING.half, EDGE.top + 1 + LEAVING.tall);
    context.lineTo(x - LEAVING.half, EDGE.top + 1 + LEAVING.tall);
    context.closePath();
    context.stroke();
    context.fill();
  }
}

/**
 * Draw the marks. Labels are placed above the lines, to the right or left of the tick; those without
 * space are returned.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 */
function drawMarks(context, { colours: { text, axis }, data, width, height }) {
  const { marks, lastEpoch } = data;
  const at = marks.map(({ epoch }) => xOf(epoch, lastEpoch, width));
  const taken = at.map((x) => [x - 6, x + 6]);
  /** @type {(left: number, long: number) => boolean} */
  const isFree = (left, long) =>
    left >= EDGE.left && left + long <= width && taken.every(([from, to]) => left + long <= from || left >= to);
  /** @type {Plot["crowded"]} */
  const crowded = [];
  context.textAlign = "left";
  marks.forEach(({ text: label }, i) => {
    const x = at[i];
    const long = context.measureText(label).width;
    const [right, left] = [x + 7, x - 7 - long];
    context.fillStyle = axis;
    for (let y = EDGE.top; y < height - EDGE.bottom; y += 4) context.fillRect(x - 0.5, y, 1, 1.5);
    context.fillStyle = text;
    context.beginPath();
    context.moveTo(x - 4, EDGE.top - 6);
    context.lineTo(x + 4, EDGE.top - 6);
    context.lineTo(x, EDGE.top);
    context.fill();
    const side = [right, left].find((from) => isFree(from, long));
    if (side === undefined) {
      crowded.push({ text: label, x: right + long <= width ? right : left });
    } else {
      context.fillText(label, side, MARKS);
      taken.push([side - 4, side + long + 4]);
    }
  });
  return crowded;
}

/**
 * Copy the picture, faded after the shown epoch, and draw the cursors over it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 */
export function drawCursor(context, plot) {
  const { picture, data, colours, ratio, width, height, hover } = plot;
  const { epochs, lastEpoch, now } = data;
  context.setTransform(1, 0, 0, 1, 0, 0);
  // not by the operation "copy": Chromium would print what was there before as well
  context.clearRect(0, 0, picture.width, picture.height);
  context.drawImage(picture, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const bottom = height - EDGE.bottom;
  const x = xOf(epochs[now], lastEpoch, width);
  context.globalCompositeOperation = "destination-out";
  context.globalAlpha = 1 - FUTURE;
  context.fillRect(x, EDGE.top - 2, width - x, bottom - EDGE.top + 1);
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
  drawCrowded(context, plot);
  context.fillStyle = colours.ink;
  context.fillRect(crisp(x - 0.75, ratio), EDGE.top, 1.5, bottom - EDGE.top);
  if (hover >= 0 && hover !== now) {
    const pointed = xOf(epochs[hover], lastEpoch, width);
    context.fillStyle = colours.axis;
    context.fillRect(crisp(pointed - 0.5, ratio), EDGE.top, 1, bottom - EDGE.top);
  }
  const frame = hover < 0 ? now : hover;
  drawEnds(context, plot);
  drawDots(context, plot, frame);
  drawEpochs(context, plot, epochs[frame]);
}

/**
 * Draw the labels without space above the lines over them, one below the other.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 */
function drawCrowded(context, { crowded, colours, font }) {
  if (crowded.length === 0) return;
  context.font = `${TEXT}px ${font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = colours.paper;
  context.fillStyle = colours.text;
  crowded.forEach(({ text, x }, i) => {
    const y = EDGE.top + 9 + 15 * i;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  });
}

/**
 * Return the numbers of the cards for the ends of their lines, moved apart where lines end close together.
 *
 * @param {Plot} plot
 * @returns {Label[]}
 */
export function endLabels({ data, width, height, low, high }) {
  const { epochs, lastEpoch, log, series } = data;
  // above the epoch on the horizontal axis
  const [top, bottom] = [EDGE.top, height - EDGE.bottom - 4];
  /** @type {Label[]} */
  const labels = [];
  for (const { values, method } of series) {
    const last = values && method ? epochs.findLastIndex((_, t) => Number.isFinite(values[t])) : -1;
    if (!values || !method || last < 0) continue;
    const y = yOf(Math.max(low, Math.min(high, values[last])), low, high, log, height);
    labels.push({ text: String(method.card + 1), x: xOf(epochs[last], lastEpoch, width) + BESIDE, y, colour: method.colour });
  }
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => {
    label.y = Math.max(label.y, i > 0 ? labels[i - 1].y + PER_END : top);
  });
  for (let i = labels.length - 1; i >= 0; i--) {
    labels[i].y = Math.min(labels[i].y, i + 1 < labels.length ? labels[i + 1].y - PER_END : bottom);
  }
  return labels;
}

/**
 * Draw the numbers at the ends of the lines.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 */
function drawEnds(context, { ends, font, colours }) {
  context.font = `700 11px ${font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = colours.paper;
  for (const { text, x, y, colour } of ends) {
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }
}

/**
 * Return the index of the series of a method that is nearest to a point, or -1.
 *
 * @param {Pick<Plot, "data"|"width"|"height"|"low"|"high">} plot
 * @param {{x: number, y: number}} point
 * @param {number} reach  largest distance
 */
export function lineAt({ data, width, height, low, high }, { x, y }, reach) {
  const { epochs, lastEpoch, log, series } = data;
  let [nearest, least] = [-1, reach];
  series.forEach(({ values, method }, i) => {
    if (!values || !method) return;
    for (let t = 1; t < epochs.length; t++) {
      const [from, to] = [xOf(epochs[t - 1], lastEpoch, width), xOf(epochs[t], lastEpoch, width)];
      if (to < x - reach || from > x + reach || !Number.isFinite(values[t - 1] + values[t])) continue;
      const [above, below] = [yOf(values[t - 1], low, high, log, height), yOf(values[t], low, high, log, height)];
      const distance = distanceTo(x - from, y - above, to - from, below - above);
      if (distance < least) [nearest, least] = [i, distance];
    }
  });
  return nearest;
}

/**
 * Return the distance of (x, y) from the segment between the origin and (dx, dy).
 *
 * @param {number} x
 * @param {number} y
 * @param {number} dx
 * @param {number} dy
 */
function distanceTo(x, y, dx, dy) {
  const share = Math.max(0, Math.min(1, (x * dx + y * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - share * dx, y - share * dy);
}

/**
 * Draw a dot on each series at a frame.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @param {number} frame
 */
function drawDots(context, { data, colours, width, height, low, high }, frame) {
  const { epochs, lastEpoch, log } = data;
  const x = xOf(epochs[frame], lastEpoch, width);
  context.strokeStyle = colours.paper;
  context.lineWidth = 1.5;
  for (const { values, colour } of bottomToTop(data)) {
    if (!values || !(values[frame] >= low && values[frame] <= high)) continue;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, yOf(values[frame], low, high, log, height), DOT, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

/**
 * Draw the labels of the horizontal axis and that of `epoch`, which replaces the labels it would cover.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @param {number} epoch
 */
function drawEpochs(context, { data: { lastEpoch }, colours, font, width, height }, epoch) {
  context.font = `${TEXT}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  // as wide as the longest epoch, so that it keeps its size as it moves
  const wide = 8 + 7.2 * String(lastEpoch).length;
  const x = Math.max(EDGE.left - 8 + wide / 2, Math.min(width - wide / 2, xOf(epoch, lastEpoch, width)));
  const y = height - EDGE.bottom + TICKS;
  context.fillStyle = colours.text;
  for (const tick of epochTicks(lastEpoch, width)) {
    const place = xOf(tick, lastEpoch, width);
    if (Math.abs(place - x) > wide) context.fillText(String(tick), place, y);
  }
  context.fillStyle = colours.ink;
  context.beginPath();
  context.roundRect(x - wide / 2, y - 8.5, wide, 16, 4);
  context.fill();
  context.fillStyle = colours.paper;
  context.fillText(String(epoch), x, y);
}

/**
 * Return the epoch at `x` pixels from a chart's left side.
 *
 * @param {number} x
 * @param {{data: Data, width: number}} plot
 */
export function epochAt(x, { data, width }) {
  return ((x - EDGE.left) / (width - EDGE.left - EDGE.right)) * data.lastEpoch;
}

/**
 * Return the ticks of the horizontal axis.
 *
 * @param {number} lastEpoch
 * @param {number} width
 */
function epochTicks(lastEpoch, width) {
  return linearTicks(lastEpoch, fitting(width - EDGE.left - EDGE.right, PER_LABEL.x), true);
}

/**
 * Return the number of intervals of length `each` that fit, at least 1.
 *
 * @param {number} length
 * @param {number} each
 */
function fitting(length, each) {
  return Math.max(1, Math.floor(length / each));
}

/**
 * Return the x coordinate of an epoch.
 *
 * @param {number} epoch
 * @param {number} lastEpoch
 * @param {number} width
 */
function xOf(epoch, lastEpoch, width) {
  return EDGE.left + (epoch / lastEpoch) * (width - EDGE.left - EDGE.right);
}

/**
 * Return the y coordinate of a value.
 *
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @param {boolean} log
 * @param {number} height
 */
function yOf(value, low, high, log, height) {
  const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return height - EDGE.bottom - share * (height - EDGE.top - EDGE.bottom);
}

/**
 * Round to whole device pixels.
 *
 * @param {number} x
 * @param {number} ratio
 */
function crisp(x, ratio) {
  return Math.round(x * ratio) / ratio;
}
