/**
 * The large boundary of the network in focus: on a finer grid, with its misclassified points marked,
 * and with a crosshair at which all networks' predictions are shown.
 */

/**
 * @import {Painter} from "../draw/painter.js"
 * @import {Scale, Theme} from "../draw/types.d.ts"
 * @import {Network, PointSet, Prediction, Recording, Task} from "../state/types.d.ts"
 * @import {OnPoint, Place} from "./types.d.ts"
 */

import { contextOf, make, setText } from "../draw/dom.js";
import { outputs, argmax } from "../state/forward.js";
import { paintBoundary } from "../draw/painter.js";
import { listenToKeys, listenToPointer } from "./pointing.js";
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
 * @param {{scale: Scale, theme: Theme, size: number, ratio: number, discrete: boolean}} options
 */
export function updateCloseup(panel, painter, recording, row, { scale, theme, size, ratio, discrete }) {
  if (panel.run !== recording.run) beginRun(panel, recording);
  paintBoundary(painter, panel.canvas, row, scale, theme, size, ratio, panel.points, discrete);
  if (panel.discrete.getAttribute("aria-pressed") !== String(discrete)) panel.discrete.setAttribute("aria-pressed", String(discrete));
  panel.wrong = markWrong(panel.canvas, panel.sets, recording, row, theme, size, ratio);
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
  const regression = recording.network.task === "regression";
  panel.discrete.hidden = regression;
  setText(panel.title, regression ? "Predictions" : "Boundary");
  panel.title.dataset.tip = words.boundary(recording.network.task);
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
 */
function markWrong(canvas, sets, { network, domain: [low, high], points }, row, theme, size, ratio) {
  if (network.task === "regression") return [0, 0];
  const context = contextOf(canvas, { alpha: false });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const factor = size / (high - low);
  const counts = [0, 0];
  for (const [s, rows] of [points.train, points.test].entries()) {
    const set = sets[s];
    outputs(network, row, 0, set.inputs, set.n, set.raw);
    context.beginPath();
    for (let p = 0; p < set.n; p++) {
      if (classOf(network, set, p) === set.targets[p]) continue;
      counts[s]++;
      const [x, y] = [(rows[3 * p] - low) * factor, (high - rows[3 * p + 1]) * factor];
      const radius = s === 0 ? 7.5 : 5;
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    for (const [colour, width] of /** @type {[string, number][]} */ ([[theme.paper, 3.2], [theme.ink, s === 0 ? 1.8 : 1.1]])) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }
  return counts;
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
 * Show the crosshair with all networks' predictions in words, or, without it, the numbers of
 * misclassified points.
 *
 * @param {Closeup} panel
 * @param {Place|null} place
 * @param {number[]|null} point
 * @param {Prediction[]} predictions
 * @param {Task} task
 */
export function updatePlace({ cross, readout, wrong, sets }, place, point, predictions, task) {
  cross.hidden = place === null;
  if (place && point) {
    cross.style.setProperty("--x", String(place.x));
    cross.style.setProperty("--y", String(place.y));
    setText(readout, words.predictionsAt(point, predictions));
  } else if (wrong) setText(readout, words.misclassified(task, wrong, sets.map(({ n }) => n)));
}

/**
 * Describe the picture in words.
 *
 * @param {Closeup} panel
 * @param {string} label
 * @param {number} epoch
 * @param {Task} task
 */
export function describeCloseup({ canvas, wrong, sets }, label, epoch, task) {
  if (!wrong) return;
  const what = task === "regression" ? "Predictions" : "Boundary";
  const counts = words.misclassified(task, wrong, sets.map(({ n }) => n));
  canvas.setAttribute("aria-label", `${what} of ${label} at epoch ${epoch}; ${counts} Arrow keys move a crosshair.`);
}
