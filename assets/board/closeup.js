/**
 * The boundary of the network in focus, large: on a finer grid, with the points that it gets wrong
 * marked, and with a crosshair that asks every network for its prediction.
 */

import { make, say } from "./dom.js";
import { outputs, winner } from "./forward.js";
import { paintBoundary } from "./painter.js";
import { listenToKeys, listenToPointer } from "./pointing.js";
import { makePoints } from "./prune.js";
import * as words from "./words.js";

/**
 * @param {{onPoint: (place: {x: number, y: number}|null) => void, onDiscrete: (on: boolean) => void}} handlers
 *   a place is given in shares of the picture from its upper left
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
  const panel = { element, canvas, cross, readout, discrete, points: document.createElement("canvas"), run: null, sets: null, wrong: null, title };
  listenToPointer(canvas, onPoint);
  listenToKeys(canvas, onPoint, readout);
  return panel;
}

/**
 * @param {ReturnType<typeof makeCloseup>} panel
 * @param {ReturnType<typeof import("./painter.js").makePainter>} painter
 * @param {import("./recording.js").Recording} recording
 * @param {Float32Array} row
 * @param {{scale: Object, theme: Object, size: number, ratio: number, discrete: boolean}} options
 */
export function updateCloseup(panel, painter, recording, row, { scale, theme, size, ratio, discrete }) {
  if (panel.run !== recording.run) begin(panel, recording);
  paintBoundary(painter, panel.canvas, row, scale, theme, size, ratio, panel.points, discrete);
  if (panel.discrete.getAttribute("aria-pressed") !== String(discrete)) panel.discrete.setAttribute("aria-pressed", String(discrete));
  panel.wrong = markWrong(panel, recording, row, theme, size, ratio);
}

function begin(panel, recording) {
  panel.run = recording.run;
  const { train, test } = recording.points;
  panel.sets = [train, test].map((rows) => makePoints(recording.network, rows));
  const regression = recording.network.task === "regression";
  panel.discrete.hidden = regression;
  say(panel.title, regression ? "Predictions" : "Boundary");
  panel.title.dataset.tip = words.boundary(recording.network.task);
}

/** A ring around every point of another class than predicted; returns how many of train and test. */
function markWrong({ canvas, sets }, { network, domain: [low, high], points }, row, theme, size, ratio) {
  if (network.task === "regression") return [0, 0];
  const context = canvas.getContext("2d", { alpha: false });
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
    for (const [colour, width] of [[theme.paper, 3.2], [theme.ink, s === 0 ? 1.8 : 1.1]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }
  return counts;
}

function classOf({ task }, { raw, n }, p) {
  if (task === "binary") return raw[p] > 0 ? 1 : 0;
  return winner(raw, n, raw.length / n, p);
}

/**
 * The crosshair, and in words where it is and what each network predicts there; at rest how many
 * points are misclassified.
 */
export function updatePlace({ cross, readout, wrong, sets }, place, point, predictions, task) {
  cross.hidden = place === null;
  if (place) {
    cross.style.setProperty("--x", String(place.x));
    cross.style.setProperty("--y", String(place.y));
  }
  if (place) say(readout, words.predictionsAt(point, predictions));
  else if (wrong) say(readout, words.wrong(task, wrong, sets.map(({ n }) => n)));
}

/** Say the picture in words. */
export function describeCloseup({ canvas, wrong, sets }, label, epoch, task) {
  if (!wrong) return;
  const what = task === "regression" ? "Predictions" : "Boundary";
  const counts = words.wrong(task, wrong, sets.map(({ n }) => n));
  canvas.setAttribute("aria-label", `${what} of ${label} at epoch ${epoch}; ${counts} Arrow keys move a crosshair.`);
}
