/**
 * A line chart over the epochs of a run, with a cursor at the shown epoch. The legend has the values
 * there, or at the epoch under the pointer. A click or a drag goes to that epoch; a click on the line of a
 * method, or on its name, focuses it.
 *
 * Axes and lines are drawn once, to a separate canvas. While a run plays, that picture is copied and
 * the cursor drawn over it.
 */

/**
 * @import {ChartMark, Colours, Data, Label, Plot, Series, Theme} from "../draw/types.d.ts"
 * @import {Card, Recording} from "../state/types.d.ts"
 * @import {ShownNetwork} from "./types.d.ts"
 */

import { contextOf, fitCanvas, icon, make, onResize, setText, zoomOf } from "../draw/dom.js";
import { drawCursor, drawPicture, endLabels, epochAt, lineAt, plotColours } from "../draw/plot.js";
import { extent } from "../state/extent.js";
import { niceCeiling } from "../state/recording.js";
import { logRange } from "../draw/ticks.js";
import { divergedAt } from "../state/words.js";

// CSS pixels around a line in which the pointer is on it
const REACH = { mouse: 6, touch: 12 };
// least width of a method's line in the legend, in CSS pixels
const LEAST_SIGN = 2.4;
// CSS pixels after which a press is a drag
const DRAG = 4;

/**
 * Create a chart.
 *
 * @typedef {ReturnType<typeof makeChart>} Chart
 *
 * @param {{label: string, onSeek: (frame: number) => void, onFocus: (card: number) => void}} chart
 */
export function makeChart({ label, onSeek, onFocus }) {
  const canvas = make("canvas", { role: "img", "aria-label": label });
  const legend = make("dl", { class: "chart-legend" });
  const at = make("span", { class: "chart-at" });
  const chart = {
    element: make("div", { class: "chart" }, legend, canvas),
    at, canvas, legend, onFocus,
    /** @type {HTMLElement[]} the entries of the legend */ entries: [],
    /** @type {HTMLButtonElement[]} */ terms: [],
    /** @type {HTMLElement[]} */ values: [],
    /** @type {SVGElement[]} */ signs: [],
    names: "",
    styles: "",
    picture: make("canvas"),
    width: 0,
    height: 0,
    /** @type {Data|null} */ data: null,
    /** @type {Theme|null} */ theme: null,
    ratio: 1,
    hover: -1,
    /** @type {{series: Series[], marks: readonly ChartMark[], log: boolean, mode: string, ratio: number, width: number, height: number}|null} */
    drawn: null,
    /** @type {Colours|null} */ colours: null,
    font: "",
    /** @type {{text: string, x: number}[]} */ crowded: [],
    /** @type {Label[]} */ ends: [],
    /** Index of the series under the pointer, or -1. */
    pointed: -1,
    // smallest and largest value on the vertical axis so far
    key: "",
    least: Infinity,
    most: 0,
    low: 0,
    high: 1,
  };
  listen(chart, onSeek);
  onResize(canvas, () => {
    const { width, height } = canvas.getBoundingClientRect();
    const zoom = zoomOf(canvas);
    [chart.width, chart.height] = [width / zoom, height / zoom];
    redraw(chart);
  });
  return chart;
}

/**
 * Whether a chart's data are those of a network, on a card and in a theme.
 *
 * @param {ShownNetwork|null} shown  what the data were made of
 * @param {Recording} recording
 * @param {number} k
 * @param {Card} card
 * @param {Theme} theme
 */
export function isShown(shown, recording, k, card, theme) {
  return shown !== null && shown.recording === recording && shown.k === k && shown.card === card && shown.mode === theme.mode;
}

/**
 * Draw the chart of one network, with a mark where it has diverged.
 *
 * @param {Chart} chart
 * @param {Data} data
 * @param {{lost: number, marks: readonly ChartMark[], frame: number, theme: Theme, ratio: number}} view
 *   `lost`: the epoch at which the network diverged, or -1
 */
export function drawNetwork(chart, data, { lost, marks, frame, theme, ratio }) {
  data.marks = lost < 0 ? marks : [...marks, { epoch: lost, text: divergedAt(lost) }];
  data.now = frame;
  drawChart(chart, data, theme, ratio);
}

/**
 * Draw the chart and update its legend.
 *
 * @param {Chart} chart
 * @param {Data} data
 * @param {Theme} theme
 * @param {number} ratio  device pixels per CSS pixel
 */
export function drawChart(chart, data, theme, ratio) {
  chart.data = data;
  chart.theme = theme;
  chart.ratio = ratio;
  // another run may have fewer frames
  chart.hover = Math.min(chart.hover, data.epochs.length - 1);
  const { width, height, drawn } = chart;
  if (!drawn || drawn.series !== data.series) updateLegend(chart, data);
  updateValues(chart, data);
  // not laid out yet
  if (!width || !height) return;
  if (!isDrawn(chart, data, theme)) prepare(chart, data, theme);
  fitCanvas(chart.canvas, width, height, ratio);
  drawCursor(contextOf(chart.canvas), /** @type {Plot} */ (chart));
}

/**
 * Draw the last data again, after a change of size or pointer.
 *
 * @param {Chart} chart
 */
export function redraw(chart) {
  if (chart.data && chart.theme) drawChart(chart, chart.data, chart.theme, chart.ratio);
}

/**
 * Whether the kept picture of axes and lines is up to date.
 *
 * @param {Chart} chart
 * @param {Data} data
 * @param {Theme} theme
 */
function isDrawn({ drawn, ratio, width, height }, data, theme) {
  return (
    drawn !== null && drawn.series === data.series && sameMarks(drawn.marks, data.marks) && drawn.log === data.log &&
    drawn.mode === theme.mode && drawn.width === width && drawn.height === height && drawn.ratio === ratio
  );
}

/**
 * Whether two lists of marks are equal.
 *
 * @param {readonly ChartMark[]} a
 * @param {readonly ChartMark[]} b
 */
function sameMarks(a, b) {
  if (a === b) return true;
  return a.length === b.length && a.every(({ epoch, text }, i) => epoch === b[i].epoch && text === b[i].text);
}

/**
 * Update names and signs in the legend. Elements are replaced only if names differ, so that an open
 * tooltip stays open.
 *
 * @param {Chart} chart
 * @param {Data} data
 */
function updateLegend(chart, { series, lastEpoch }) {
  // the tooltip of a method changes with the focus
  const names = series.map(({ name, tip, dash, method }) => [name, method ? method.card : tip, dash].join("\n")).join("\n\n");
  if (chart.names !== names) {
    chart.names = names;
    chart.values = series.map(() => make("dd"));
    chart.signs = series.map(({ dash }) =>
      icon("0 0 24 8", ["path", { d: "M0 4H24", "stroke-dasharray": dash.join(" ") }]));
    chart.terms = series.map(({ name }) => make("button", { type: "button", class: "term" }, name));
    chart.entries = series.map(({ method }, i) => {
      const number = method ? [make("b", { "aria-hidden": "true" }, String(method.card + 1))] : [];
      if (method) chart.terms[i].addEventListener("click", () => chart.onFocus(method.card));
      return make("div", {}, make("dt", {}, ...number, chart.signs[i], chart.terms[i]), chart.values[i]);
    });
    chart.legend.classList.toggle("methods", series.some(({ method }) => method));
    chart.legend.replaceChildren(...chart.entries);
  }
  chart.at.style.minWidth = `${"at epoch ".length + String(lastEpoch).length}ch`;
  // another strength changes values alone: without this each step of its slider would cost a layout
  const styles = names + series.map(({ tip, colour, width, values }) => [tip, colour, width, values !== null].join("\n")).join("\n\n");
  if (chart.styles === styles) return;
  chart.styles = styles;
  series.forEach(({ tip, colour, width, values, method }, i) => {
    chart.signs[i].style.stroke = colour;
    chart.signs[i].style.strokeWidth = String(method ? Math.max(width, LEAST_SIGN) : width);
    chart.signs[i].style.visibility = values ? "" : "hidden";
    chart.terms[i].dataset.tip = tip;
    if (method) chart.terms[i].setAttribute("aria-pressed", String(method.focused));
    chart.entries[i].classList.toggle("focused", method?.focused === true);
  });
}

/**
 * Show the values at the frame under the pointer, or at the shown frame.
 *
 * @param {Chart} chart
 * @param {Data} data
 */
function updateValues({ hover, at, values, entries, pointed }, data) {
  const frame = hover < 0 ? data.now : hover;
  setText(at, `at epoch ${data.epochs[frame]}`);
  at.classList.toggle("hovered", hover >= 0);
  data.series.forEach((series, i) => {
    setText(values[i], series.formatValue(series.values?.[frame]));
    entries[i].classList.toggle("pointed", i === pointed);
  });
}

/**
 * Draw axes, lines and marks to the kept canvas.
 *
 * @param {Chart} chart
 * @param {Data} data
 * @param {Theme} theme
 */
function prepare(chart, data, theme) {
  const { picture, canvas, ratio, width, height } = chart;
  const { series, log, marks } = data;
  chart.drawn = { series, log, marks, mode: theme.mode, ratio, width, height };
  chart.colours = plotColours(theme);
  chart.font = getComputedStyle(canvas).fontFamily;
  stretch(chart, data);
  fitCanvas(picture, width, height, ratio);
  const plot = /** @type {Plot} */ (chart);
  chart.crowded = drawPicture(contextOf(picture), plot);
  chart.ends = endLabels(plot);
}

/**
 * Extend the vertical axis to all values except spikes (`extent`). It never shrinks while the key is the same.
 *
 * @param {Chart} chart
 * @param {Data} data
 */
function stretch(chart, { key, series, yRange, yMost, nFrames, log }) {
  let [least, most] = chart.key === key ? [chart.least, chart.most] : [Infinity, 0];
  chart.key = key;
  least = Math.min(least, yRange[0]);
  most = Math.max(most, yRange[1]);
  for (const { values } of series) {
    if (!values) continue;
    most = Math.max(most, extent(values, nFrames));
    for (const value of Array.from(values)) if (value > 0 && value < least) least = value;
  }
  most = Math.min(most, yMost);
  chart.least = least;
  chart.most = most;
  [chart.low, chart.high] = log ? logRange(least, most) : [0, niceCeiling(most || 1)];
}

/**
 * Handle the pointer.
 *
 * @param {Chart} chart
 * @param {(frame: number) => void} onSeek
 */
function listen(chart, onSeek) {
  const { canvas } = chart;
  let pressed = false;
  /** @type {{x: number, y: number, card: number}|null} where a line was pressed, until it is dragged */
  let pick = null;
  /** The pointer in the chart's own pixels, which a projected board enlarges. @param {PointerEvent} event */
  const spot = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    const zoom = zoomOf(canvas);
    return { x: (clientX - left) / zoom, y: (clientY - top) / zoom };
  };
  const point = (/** @type {PointerEvent} */ event) => {
    if (!chart.data) return;
    const at = spot(event);
    if (pick && Math.hypot(at.x - pick.x, at.y - pick.y) > DRAG) pick = null;
    const reach = event.pointerType === "touch" ? REACH.touch : REACH.mouse;
    chart.pointed = pressed && !pick ? -1 : lineAt({ ...chart, data: chart.data }, at, reach);
    const method = chart.data.series[chart.pointed]?.method;
    canvas.style.cursor = method && !method.focused ? "pointer" : "";
    chart.hover = nearestFrame(chart.data.epochs, epochAt(at.x, { data: chart.data, width: chart.width }));
    if (pressed && !pick) onSeek(chart.hover);
    redraw(chart);
  };
  const leave = () => {
    chart.hover = chart.pointed = -1;
    redraw(chart);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    point(event);
    const method = chart.data?.series[chart.pointed]?.method;
    pick = method && !method.focused ? { ...spot(event), card: method.card } : null;
    pressed = true;
    point(event);
  });
  canvas.addEventListener("pointerup", () => {
    if (pick) chart.onFocus(pick.card);
  });
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("lostpointercapture", (event) => {
    pressed = false;
    pick = null;
    // touch has no hover: a lifted finger no longer points at an epoch
    if (event.pointerType === "touch") leave();
  });
}

/**
 * Return the frame nearest to an epoch, by binary search.
 *
 * @param {number[]} epochs  ascending
 * @param {number} epoch
 */
function nearestFrame(epochs, epoch) {
  let [low, high] = [0, epochs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (epochs[middle] <= epoch) low = middle;
    else high = middle;
  }
  return epoch - epochs[low] <= epochs[high] - epoch ? low : high;
}
