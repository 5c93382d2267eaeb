/**
 * The histogram of the weights of the network in focus, of all layers or one, on the cards' horizontal
 * axis, with the weights that are pruned shaded.
 */

/**
 * @import {Size, Theme} from "../draw/types.d.ts"
 * @import {Recording} from "../state/types.d.ts"
 * @import {HistogramColours} from "./types.d.ts"
 */

import { contextOf, fitCanvas, make, onResize, setText } from "../draw/dom.js";
import { BARS, BARS_PER_SIDE, barAt, barHeight, count, distanceOf, drawHistogram, placeOf } from "../draw/histogram.js";
import { tickLabel } from "../draw/ticks.js";
import * as words from "../state/words.js";

const ALL = 0;

const ABOUT =
  "How many of the network's weights have which value; biases are left out. The bar in the middle counts the weights that are exactly 0, and only those. Bar height ∝ √count, so that a single weight stays visible beside a hundred zeros. The outermost bars hold all that lies beyond. What pruning sets to 0 is shaded, on both sides of 0.";
const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000].reverse();
// least distance of two numbers on the axis of counts, in CSS pixels
const TICK_DISTANCE = 18;
// number of layers from which the choices are labelled by numbers alone
const MANY_LAYERS = 5;

/**
 * Create the panel.
 *
 * @typedef {ReturnType<typeof makeWeights>} WeightsPanel
 *
 * @param {{onChange: () => void}} handlers  called when the panel must be drawn again
 */
export function makeWeights({ onChange }) {
  const canvas = make("canvas", { class: "bars-of-weights", role: "img", "aria-label": "Histogram of the weights" });
  const parts = {
    canvas,
    readout: make("p", { class: "readout" }),
    layers: make("div", { class: "layers" }),
    segments: make("div", { class: "segments", role: "radiogroup", "aria-label": "Weights of which layer" }),
    counts: make("div", { class: "counts", "aria-hidden": "true" }),
    low: make("span", {}),
    high: make("span", {}),
  };
  const element = make("section", { class: "panel weights-panel", "aria-label": "Weights" },
    make("h3", {},
      make("button", { type: "button", class: "term label", "data-tip": ABOUT }, "Weights"),
      make("span", { class: "note" }, "number of weights, √ scale"),
    ),
    parts.layers,
    parts.readout,
    make("div", { class: "plot" }, parts.counts, canvas),
    make("div", { class: "axis", "aria-hidden": "true" }, parts.low, make("span", {}, "0"), parts.high),
    make("p", { class: "axis-title", "aria-hidden": "true" }, "value of the weight w"),
  );
  const panel = {
    element, ...parts,
    /** @type {string|null} */ run: null,
    layer: ALL,
    /** @type {Int32Array[]} indices of the weights in a row: of all layers, then of each */ indices: [],
    /** @type {number|null} the bar under the pointer */ hovered: null,
    size: { width: 0, height: 0 },
    bars: new Uint16Array(BARS), zeros: 0, nPruned: 0, total: 0,
    axes: { range: 1, most: 1 },
    /** @type {number[]} */ ticks: [],
    ticked: "",
  };
  listen(panel, onChange);
  return panel;
}

/**
 * Handle the choice of layers, the pointer and changes of size.
 *
 * @param {WeightsPanel} panel
 * @param {() => void} onChange
 */
function listen(panel, onChange) {
  panel.segments.addEventListener("change", ({ target }) => {
    panel.layer = Number(/** @type {HTMLInputElement} */ (target).value);
    onChange();
  });
  const point = (/** @type {number|null} */ bar) => {
    if (bar === panel.hovered) return;
    panel.hovered = bar;
    onChange();
  };
  for (const kind of /** @type {const} */ (["pointermove", "pointerdown"])) {
    panel.canvas.addEventListener(kind, ({ clientX }) => {
      const { left, width } = panel.canvas.getBoundingClientRect();
      point(barAt(((clientX - left) / width) * panel.size.width, panel.size.width));
    });
  }
  panel.canvas.addEventListener("pointerleave", () => point(null));
  onResize(panel.canvas, () => {
    panel.size = { width: panel.canvas.clientWidth, height: panel.canvas.clientHeight };
    onChange();
  });
}

/**
 * Draw a network's histogram.
 *
 * @param {WeightsPanel} panel
 * @param {Recording} recording
 * @param {Float32Array} row  of the network in focus, unpruned
 * @param {{axes: {range: number, most: number}, threshold: number, colours: HistogramColours,
 *   theme: Theme, ratio: number}} options  `axes`: of the cards; `threshold` of pruning; `colours` of the network's card
 */
export function updateWeights(panel, recording, row, { axes, threshold, colours, theme, ratio }) {
  if (panel.run !== recording.run) beginRun(panel, recording);
  // the count at full height is the layer's number of weights
  panel.axes = { range: axes.range, most: panel.indices[panel.layer].length };
  const { canvas, bars, size, hovered } = panel;
  const { range, most } = panel.axes;
  const index = panel.indices[panel.layer];
  count(row, 0, index, range, bars);
  panel.total = index.length;
  panel.zeros = bars[BARS_PER_SIDE];
  panel.nPruned = below(row, index, threshold);
  setText(panel.readout, hovered === null ? shareOf(panel, threshold) : barOf(panel, hovered));
  setText(panel.low, tickLabel(-range));
  setText(panel.high, tickLabel(range));
  if (!size.width) return;

  fitCanvas(canvas, size.width, size.height, ratio);
  const context = contextOf(canvas);
  drawHistogram(context, bars, most, size.width, size.height, ratio, colours);
  const line = Math.max(1, Math.round(ratio));
  tick(panel, most, size.height);
  if (threshold > 0) shade(context, threshold / range, canvas, line, theme);
  under(context, panel, canvas, line, theme);
}

/**
 * Describe the picture in words.
 *
 * @param {WeightsPanel} panel
 * @param {string} label
 * @param {number} epoch
 */
export function describeWeights({ canvas, layer, indices, zeros, nPruned, total }, label, epoch) {
  const which = layer === ALL ? "" : ` ${titleOf(layer, indices.length - 1)}`;
  const more = nPruned ? ` Pruning sets ${nPruned} more to 0.` : "";
  canvas.setAttribute("aria-label", `Histogram: weights${which} of ${label} at epoch ${epoch}, ${words.zeros(zeros, total)}.${more}`);
}

/**
 * Count the weights that are not 0 and below the threshold.
 *
 * @param {Float32Array} row
 * @param {Int32Array} index
 * @param {number} threshold
 */
function below(row, index, threshold) {
  let n = 0;
  for (let i = 0; i < index.length; i++) {
    const w = row[index[i]];
    if (w !== 0 && Math.abs(w) < threshold) n++;
  }
  return n;
}

/**
 * Prepare the panel for another run: the choice of its layers.
 *
 * @param {WeightsPanel} panel
 * @param {Recording} recording
 */
function beginRun(panel, { run, network: { layers }, weightIndex }) {
  panel.run = run;
  panel.indices = [weightIndex];
  for (let l = 1, at = 0; l < layers.length; l++) {
    panel.indices.push(weightIndex.subarray(at, (at += layers[l - 1] * layers[l])));
  }
  const last = layers.length - 1;
  if (panel.layer > last) panel.layer = ALL;
  const name = `layer-${Math.random().toString(36).slice(2)}`;
  const many = last > MANY_LAYERS;
  panel.segments.replaceChildren(
    ...panel.indices.map((index, layer) => {
      const radio = make("input", { type: "radio", name, value: String(layer), "aria-label": titleOf(layer, last) });
      radio.checked = layer === panel.layer;
      const text = layer === ALL ? "all" : layer === last ? "output" : many ? String(layer) : `layer ${layer}`;
      return make("label", { "data-tip": aboutLayer(layer, layers, index.length) }, radio, make("span", {}, text));
    }),
  );
  // one layer is all there is
  panel.layers.replaceChildren(...(last === 1 ? [] : many ? ["layer", panel.segments] : [panel.segments]));
}

/**
 * Choose the numbers on the axis of counts by the space for them, and place them.
 *
 * @param {WeightsPanel} panel
 * @param {number} most
 * @param {number} height
 */
function tick(panel, most, height) {
  if (panel.ticked === `${most} ${height}`) return;
  panel.ticked = `${most} ${height}`;
  let above = -Infinity;
  panel.ticks = TICKS.filter((n) => {
    const y = height - barHeight(n, most, height - 1) - 1;
    if (n > most || y < above + TICK_DISTANCE || y > height - TICK_DISTANCE / 2) return false;
    above = y;
    return true;
  });
  panel.counts.replaceChildren(
    ...panel.ticks.map((n) => {
      const top = height - barHeight(n, most, height - 1) - 1;
      return make("span", { style: `top: ${top}px` }, String(n));
    }),
  );
}

/**
 * Shade the weights that are pruned, between two lines. The bar of exact zeros keeps its colour.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} threshold
 * @param {Size} canvas
 * @param {number} line
 * @param {Theme} theme
 */
function shade(context, threshold, { width, height }, line, theme) {
  const [near, far] = [distanceOf(0, 1, width), distanceOf(threshold, 1, width)];
  for (const side of [-1, 1]) {
    const left = Math.round(width / 2 + Math.min(side * near, side * far));
    const right = Math.round(width / 2 + Math.max(side * near, side * far));
    context.globalAlpha = 0.62;
    context.fillStyle = theme.paper;
    context.globalCompositeOperation = "source-atop";
    context.fillRect(left, 0, right - left, height - line);
    context.globalCompositeOperation = "source-over";
    context.globalAlpha = 0.1;
    context.fillStyle = theme.ink;
    context.fillRect(left, 0, right - left, height - line);
    context.globalAlpha = 0.75;
    context.fillRect(side < 0 ? left : right - line, 0, line, height - line);
  }
  context.globalAlpha = 1;
}

/**
 * Draw grid lines and the highlight of the bar under the pointer, behind the bars.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {WeightsPanel} panel
 * @param {Size} canvas
 * @param {number} line
 * @param {Theme} theme
 */
function under(context, { ticks, hovered, axes }, { width, height }, line, theme) {
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = theme.ink;
  context.globalAlpha = 0.12;
  if (hovered !== null) {
    const [left, right] = placeOf(hovered, width);
    context.fillRect(left, 0, right - left, height - line);
  }
  for (let i = 0; i < ticks.length; i++) {
    context.fillRect(0, height - line - barHeight(ticks[i], axes.most, height - line), width, line);
  }
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
}

/**
 * "105 of 152 exactly 0; shaded: 12 pruned"
 *
 * @param {WeightsPanel} panel
 * @param {number} threshold
 */
function shareOf({ zeros, total, nPruned }, threshold) {
  const more = threshold > 0 ? `; shaded: ${nPruned} pruned` : "";
  return `${words.zeros(zeros, total)}${more}`;
}

/**
 * "6 of 152 between 0.4 and 0.6"
 *
 * @param {WeightsPanel} panel
 * @param {number} bar
 */
function barOf({ bars, total, axes }, bar) {
  const i = Math.abs(bar - BARS_PER_SIDE);
  const [near, far] = [i - 1, i].map((n) => tickLabel((Math.sign(bar - BARS_PER_SIDE) * n * axes.range) / BARS_PER_SIDE));
  const range = bar < BARS_PER_SIDE ? `from ${far} to ${near}` : `from ${near} to ${far}`;
  const where = i === 0 ? "exactly 0" : i < BARS_PER_SIDE ? range : `${bar < BARS_PER_SIDE ? "at or below" : "at or above"} ${near}`;
  return `${bars[bar]} of ${total} ${where}`;
}

/**
 * Name the weights into a layer.
 *
 * @param {number} layer
 * @param {number} last
 */
function titleOf(layer, last) {
  if (layer === ALL) return "all layers";
  return layer === last ? "into the output" : `into layer ${layer}`;
}

/**
 * Explain a choice of layers.
 *
 * @param {number} layer
 * @param {number[]} layers
 * @param {number} n  number of weights
 */
function aboutLayer(layer, layers, n) {
  if (layer === ALL) return `All ${n} weights of the network.`;
  const from = layer === 1 ? "the inputs" : `hidden layer ${layer - 1}`;
  const to = layer === layers.length - 1 ? "the output" : `hidden layer ${layer}`;
  return `The ${layers[layer - 1]} × ${layers[layer]} = ${n} weights from ${from} to ${to}.`;
}
