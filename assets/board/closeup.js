/**
 * The boundary of the network in focus, large: on a finer grid, with the points that it gets wrong
 * marked, and with a crosshair that asks every network for its prediction.
 */

import { fit, make, say } from "./dom.js";
import { outputs } from "./forward.js";
import { paintBoundary } from "./painter.js";
import { makePoints } from "./prune.js";
import * as words from "./words.js";

const STEP = 0.02; // of the picture, for each press of an arrow key

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
  const element = make(
    "section",
    { class: "panel closeup", "aria-label": "Boundary" },
    make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": words.BOUNDARY }, "Boundary"), discrete),
    make("div", { class: "picture" }, canvas, cross),
    readout,
  );
  const panel = { element, canvas, cross, readout, discrete, points: document.createElement("canvas"), run: null, sets: null };
  listen(canvas, onPoint);
  return panel;
}

/** Tell of the place under the pointer, or of one that the arrow keys move. */
export function listen(canvas, onPoint) {
  let place = null;
  const tell = (next) => onPoint((place = next));
  const follow = ({ offsetX, offsetY }) => tell({ x: offsetX / canvas.clientWidth, y: offsetY / canvas.clientHeight });
  canvas.addEventListener("pointermove", follow);
  canvas.addEventListener("pointerdown", follow);
  canvas.addEventListener("pointerleave", () => tell(null));
  canvas.addEventListener("blur", () => tell(null));
  canvas.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const { x, y } = place ?? { x: 0.5, y: 0.5 };
    const inside = (share) => Math.max(0, Math.min(1, share));
    tell({ x: inside(x + STEP * dx), y: inside(y + STEP * dy) });
  });
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
  panel.discrete.hidden = recording.network.task === "regression";
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
  let best = 0;
  for (let c = 1; c < raw.length / n; c++) if (raw[c * n + p] > raw[best * n + p]) best = c;
  return best;
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
  say(readout, place ? words.predictionsAt(point, predictions) : task === "regression" ? words.HOVER : words.wrong(wrong, sets.map(({ n }) => n)));
}

/** Say the picture in words. */
export function describeCloseup({ canvas, wrong, sets }, label, epoch) {
  if (!sets) return;
  const counts = words.wrong(wrong ?? [0, 0], sets.map(({ n }) => n));
  canvas.setAttribute("aria-label", `Boundary of ${label} at epoch ${epoch}, ${counts}. Arrow keys move a crosshair.`);
}
