/**
 * The large boundary of the network in focus: on a finer grid, with its misclassified points marked,
 * and with a crosshair at which all networks' predictions are shown.
 */

/**
 * @import {Painter} from "../draw/painter.js"
 * @import {Scale, Theme} from "../draw/types.d.ts"
 * @import {Network, Plane, PointSet, Recording, Task} from "../state/types.d.ts"
 * @import {OnPoint, Place} from "./types.d.ts"
 */

import { contextOf, make, setText } from "../draw/dom.js";
import { outputs, argmax } from "../state/forward.js";
import { paintBars } from "../draw/bars.js";
import { paintBoundary } from "../draw/painter.js";
import { listenToKeys, listenToPointer } from "./pointing.js";
import { areWeights } from "../state/inputs.js";
import { columnOf, isTable } from "../state/plane.js";
import { makePoints } from "../state/prune.js";
import * as words from "../state/words.js";

/**
 * Create the panel.
 *
 * @typedef {ReturnType<typeof makeCloseup>} Closeup
 *
 * @param {{onPoint: OnPoint, onDiscrete: (on: boolean) => void}} handlers
 */
export function makeCloseup({ onPoint, onDiscrete }) {
  const canvas = make("canvas", { class: "boundary", role: "img", tabindex: "0", "aria-label": "Boundary" });
  const cross = make("i", { class: "cross", hidden: "" });
  const discrete = make("button", { type: "button", class: "toggle", "aria-pressed": "false", "data-tip": words.DISCRETE }, "classes only");
  discrete.addEventListener("click", () => onDiscrete(discrete.getAttribute("aria-pressed") === "false"));
  const readout = make("p", { class: "readout" });
  const title = make("button", { type: "button", class: "term label" });
  const element = make(
    "section",
    { class: "panel closeup", "aria-label": "Boundary" },
    make("h3", {}, title, discrete),
    make("div", { class: "picture" }, canvas, cross),
    readout,
  );
  const panel = {
    element, canvas, cross, readout, discrete, title,
    points: document.createElement("canvas"),
    /** @type {string|null} */ run: null,
    /** @type {PointSet[]} of train and test */ sets: [],
    /** @type {number[]|null} numbers of misclassified points in `sets` */ wrong: null,
  };
  listenToPointer(canvas, onPoint);
  listenToKeys(canvas, onPoint, readout);
  return panel;
}

/**
 * Draw a network's boundary.
 *
 * @param {Closeup} panel
 * @param {Painter} painter
 * @param {Recording} recording
 * @param {Float32Array} row
 * @param {{scale: Scale, theme: Theme, size: number, ratio: number, discrete: boolean, plane: Plane, bars: {colour: string, reach: number}|null}} options
 *   `bars`: the look of the bars of weights, where they are shown in place of the boundary
 */
export function updateCloseup(panel, painter, recording, row, { scale, theme, size, ratio, discrete, plane, bars }) {
  if (panel.run !== recording.run) beginRun(panel, recording);
  updateTitle(panel, recording, bars !== null);
  if (bars) {
    paintBars(panel.canvas, recording, row, { ...bars, named: true }, theme, size, ratio);
    panel.wrong = panel.sets.map((set) => countWrong(recording.network, set, row));
    return;
  }
  paintBoundary(painter, panel.canvas, row, scale, theme, size, ratio, panel.points, discrete);
  if (panel.discrete.getAttribute("aria-pressed") !== String(discrete)) panel.discrete.setAttribute("aria-pressed", String(discrete));
  panel.wrong = markWrong(panel.canvas, panel.sets, recording, row, theme, size, ratio, plane);
}

/**
 * Prepare the panel for another run.
 *
 * @param {Closeup} panel
 * @param {Recording} recording
 */
function beginRun(panel, recording) {
  panel.run = recording.run;
  const { train, test } = recording.points;
  panel.sets = [train, test].map((rows) => makePoints(recording.network, rows));
}

/**
 * Show the panel's title, its explanation and its button.
 *
 * @param {Closeup} panel
 * @param {Recording} recording
 * @param {boolean} asBars
 */
function updateTitle({ title, discrete }, recording, asBars) {
  const { task, layers } = recording.network;
  const regression = task === "regression";
  discrete.hidden = regression || asBars;
  setText(title, asBars ? "Weights of the inputs" : regression ? "Predictions" : "Boundary");
  const { weights, norms, zero, relevant, plane } = words.WEIGHTS;
  const known = recording.columns.some((column) => column.relevant === false);
  const about = asBars
    ? [areWeights(layers) ? weights : norms, zero, ...(known ? [relevant] : [])]
    : [words.boundary(task), ...(isTable(recording) ? [plane] : [])];
  title.dataset.tip = about.join(" ");
}

/**
 * Count the points of a set that a network misclassifies.
 *
 * @param {Network} network
 * @param {PointSet} set
 * @param {Float32Array} row
 */
function countWrong(network, set, row) {
  if (network.task === "regression") return 0;
  outputs(network, row, 0, set.inputs, set.n, set.raw);
  let wrong = 0;
  for (let p = 0; p < set.n; p++) if (classOf(network, set, p) !== set.targets[p]) wrong++;
  return wrong;
}

/**
 * Draw a ring around each misclassified point. Returns the numbers of training and test points.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {PointSet[]} sets
 * @param {Recording} recording
 * @param {Float32Array} row
 * @param {Theme} theme
 * @param {number} size
 * @param {number} ratio
 * @param {Plane} plane
 */
function markWrong(canvas, sets, { network, points }, row, theme, size, ratio, { axes, x: [left, right], y: [low, high] }) {
  if (network.task === "regression") return [0, 0];
  const context = contextOf(canvas, { alpha: false });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const [across, down] = [size / (right - left), size / (high - low)];
  const counts = [0, 0];
  for (const [s, rows] of [points.train, points.test].entries()) {
    const set = sets[s];
    counts[s] = countWrong(network, set, row);
    const [xs, ys] = axes.map((c) => columnOf(network, rows, c));
    const radius = s === 0 ? 7.5 : 5;
    for (const [colour, width] of /** @type {[string, number][]} */ ([[theme.paper, 3.2], [theme.ink, s === 0 ? 1.8 : 1.1]])) {
      context.fillStyle = colour;
      for (let p = 0; p < set.n; p++) {
        if (classOf(network, set, p) !== set.targets[p]) ring(context, (xs[p] - left) * across, (high - ys[p]) * down, radius, width);
      }
    }
  }
  return counts;
}

/**
 * Draw a ring. In Firefox this takes a fifth of the time of a stroke, or of one path for all rings.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius  of the middle of the line
 * @param {number} width
 */
function ring(context, x, y, radius, width) {
  context.beginPath();
  context.arc(x, y, radius + width / 2, 0, 2 * Math.PI);
  context.moveTo(x + radius - width / 2, y);
  context.arc(x, y, radius - width / 2, 0, 2 * Math.PI, true);
  context.fill();
}

/**
 * Return the predicted class of point `p`.
 *
 * @param {Network} network
 * @param {PointSet} points
 * @param {number} p
 */
function classOf({ task }, { raw, n }, p) {
  if (task === "binary") return raw[p] > 0 ? 1 : 0;
  return argmax(raw, n, raw.length / n, p);
}

/**
 * Show the crosshair with what it points at in words, or, without it, the numbers of misclassified points.
 *
 * @param {Closeup} panel
 * @param {Place|null} place
 * @param {string|null} about
 * @param {Task} task
 */
export function updatePlace({ cross, readout, wrong, sets }, place, about, task) {
  cross.hidden = place === null;
  if (place && about !== null) {
    cross.style.setProperty("--x", String(place.x));
    cross.style.setProperty("--y", String(place.y));
    setText(readout, about);
  } else if (wrong) setText(readout, words.misclassified(task, wrong, sets.map(({ n }) => n)));
}

/**
 * Describe the picture in words.
 *
 * @param {Closeup} panel
 * @param {string} label
 * @param {number} epoch
 * @param {Task} task
 * @param {string} bars  the bars of weights in words; empty for a boundary
 */
export function describeCloseup({ canvas, wrong, sets }, label, epoch, task, bars) {
  if (!wrong) return;
  if (bars) {
    canvas.setAttribute("aria-label", `${label} at epoch ${epoch}. ${bars} Arrow keys move from input to input.`);
    return;
  }
  const what = task === "regression" ? "Predictions" : "Boundary";
  const counts = words.misclassified(task, wrong, sets.map(({ n }) => n));
  canvas.setAttribute("aria-label", `${what} of ${label} at epoch ${epoch}; ${counts} Arrow keys move a crosshair.`);
}
