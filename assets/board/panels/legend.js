/** The legend of all cards, and the progress of the run. */

/**
 * @import {Scale, Theme} from "../draw/types.d.ts"
 * @import {Recording} from "../state/types.d.ts"
 */

import { icon, make, setText } from "../draw/dom.js";
import { CORNERS, SHAPES, trainColour } from "../draw/points.js";
import { isComplete } from "../state/recording.js";
import { areWeights } from "../state/inputs.js";
import { countOf } from "../state/plane.js";
import { HISTOGRAM, WEIGHTS, axis, boundary, className } from "../state/words.js";
import { css } from "../draw/theme.js";

// number of recorded frames after the first one, unless they would take too many bytes
const FRAMES = 100;
const SMALL =
  "All networks of a run may take 10 MB in the browser. Where they are larger, fewer of the epochs are kept, and weights come in half precision as long as that does not show.";

const TIPS = {
  train: "The points that every network is trained on: filled.",
  test: "Points that no network is trained on and nothing is chosen by: hollow.",
  classes: "What is to be predicted. Classes differ by shape, too.",
  value: "What is to be predicted: a number, told by colour.",
  validation: "Points held out: neither trained on nor tested on. Early stopping looks at them.",
};

/** @typedef {[sign: Node|string, text: string, tip: string]} Sign */

/** @typedef {ReturnType<typeof makeLegend>} Legend */

/** Create the legend. */
export function makeLegend() {
  const signs = make("span", { class: "signs" });
  const status = make("span", { class: "status", "data-waiting": training(99) });
  return { element: make("div", { class: "legend" }, signs, status), signs, status };
}

/**
 * Show the signs of a run in a theme.
 *
 * @param {Legend} legend
 * @param {Recording} recording
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {boolean} asBars  whether bars of weights are shown in place of boundaries
 */
export function updateSigns({ signs, status }, recording, scale, theme, asBars) {
  // board.css reserves the width of both texts, so that nothing moves when one replaces the other
  status.dataset.whole = summary(recording);
  const { network, points } = recording;
  const bars = icon("0 0 20 12", ["path", { d: "M1 11V8h2v3M5 11V6h2v5M13 11V6h2v5M17 11V9h2v2", class: "bars" }], ["path", { d: "M8.5 11V1h3v10", class: "zero-bar" }]);
  if (asBars) {
    signs.replaceChildren(...makeSigns([...signsOfBars(recording), [bars, "weights, in the middle: exactly 0", HISTOGRAM]]));
    return;
  }
  const entries = signsOfPlane(recording, scale, theme, boundary(network.task));
  entries.push([bars, "weights, in the middle: exactly 0", HISTOGRAM]);
  const held = countOf(network, points.validation);
  if (held) entries.push(["", `validation (${held}): not drawn`, TIPS.validation]);
  signs.replaceChildren(...makeSigns(entries));
}

/**
 * Return the signs of the pictures of the plane: points, classes and boundary.
 *
 * @param {Pick<Recording, "network"|"points">} recording
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {string} about  explanation of the boundary
 * @returns {Sign[]}
 */
export function signsOfPlane({ network, points }, scale, theme, about) {
  const counts = (/** @type {"train"|"test"} */ split) => countOf(network, points[split]);
  /** @type {Sign[]} */
  const entries = [
    [mark(0, { fill: "currentColor" }), `training (${counts("train")})`, TIPS.train],
  ];
  const hollow = mark(0, { fill: "none", stroke: "currentColor", "stroke-width": "1.4" }, 3.6);
  if (counts("test")) entries.push([hollow, `test (${counts("test")})`, TIPS.test]);
  if (network.task !== "regression") {
    const outputs = network.layers[network.layers.length - 1];
    const classes = network.task === "binary" ? 2 : outputs;
    for (let c = 0; c < classes; c++) {
      entries.push([mark(c, { fill: trainColour(scale.colour(c), theme) }), className(network, c), TIPS.classes]);
    }
  } else {
    entries.push([ramp(scale), `value ${axis(scale.middle - scale.reach)} to ${axis(scale.middle + scale.reach)}`, TIPS.value]);
  }
  const line = icon("0 0 20 12", ["path", { d: "M1 9C7 9 8 3 19 3", fill: "none", stroke: theme.ink, "stroke-width": "1.6" }]);
  const meaning = {
    binary: "boundary, p = ½",
    multiclass: "boundary between classes",
    regression: `value = ${axis(scale.middle)}`,
  };
  entries.push([line, meaning[network.task], about]);
  return entries;
}

/**
 * Return the signs of the pictures with a bar for each input.
 *
 * @param {Recording} recording
 * @returns {Sign[]}
 */
function signsOfBars({ network, points, columns }) {
  const [train, test] = [points.train, points.test].map((rows) => countOf(network, rows));
  const own = areWeights(network.layers);
  const bar = icon("0 0 20 12", ["path", { d: "M1 11V3h4v8M8 11V7h4v4M15 11V1h4v10", class: "bars" }]);
  const zero = icon("0 0 12 12", ["path", { d: "M2 8h8v3H2z", class: "bars" }]);
  const known = icon("0 0 12 12", ["path", { d: "M2 1h8v4H2z", fill: "currentColor" }]);
  /** @type {Sign[]} */
  const entries = [
    ["", `${columns.length} inputs, ${train} training and ${test} test points`, TIPS.train],
    [bar, own ? "weight of each input" : "length of each input's outgoing weights", own ? WEIGHTS.weights : WEIGHTS.norms],
    [zero, "exactly 0", WEIGHTS.zero],
  ];
  if (columns.some(({ relevant }) => relevant === false)) entries.push([known, "relevant", WEIGHTS.relevant]);
  return entries;
}

/**
 * Create signs with their texts.
 *
 * @param {Sign[]} entries
 */
export function makeSigns(entries) {
  return entries.map(([sign, text, tip]) => make("button", { type: "button", class: "term sign", "data-tip": tip }, sign, text));
}

/**
 * Show the progress of the run, and whether its recording was reduced to limit its size.
 *
 * @param {Legend} legend
 * @param {Pick<Recording, "epochs"|"half"|"lastEpoch"|"nFrames"|"nReceived"|"diverged">} recording
 */
export function updateStatus({ status }, recording) {
  const { epochs, half, lastEpoch, nFrames } = recording;
  const done = isComplete(recording);
  if (status.classList.contains("training") === done) {
    status.classList.toggle("training", !done);
    // screen readers announce the end, and not every percent
    status.setAttribute("aria-live", done ? "polite" : "off");
    if (!done) setTip(status, null); // that of the earlier run
  }
  if (!done) return setText(status, training(Math.floor((100 * epochs[epochs.length - 1]) / lastEpoch)));
  const notes = [nFrames < Math.min(lastEpoch, FRAMES) + 1 && `${nFrames} epochs kept`, half && "half precision"].filter(Boolean);
  setTip(status, notes.length ? `${notes.join(", ")}: ${SMALL}` : null);
  setText(status, summary(recording));
}

/**
 * Set or remove an element's tooltip. With one it is in the tab order.
 *
 * @param {HTMLElement} status
 * @param {string|null} tip
 */
function setTip(status, tip) {
  if ((status.dataset.tip ?? null) === tip) return;
  if (tip === null) {
    status.removeAttribute("tabindex");
    delete status.dataset.tip;
  } else {
    status.tabIndex = 0;
    status.dataset.tip = tip;
  }
}

/**
 * "training… 42 %"
 *
 * @param {number} percent
 */
function training(percent) {
  return `training… ${percent} %`;
}

/**
 * "41 networks, 400 epochs"
 *
 * @param {Pick<Recording, "diverged"|"lastEpoch">} recording
 */
function summary({ diverged, lastEpoch }) {
  const n = diverged.length;
  return `${n} network${n === 1 ? "" : "s"}, ${lastEpoch} epochs`;
}

/**
 * Create the picture of a point.
 *
 * @param {number} kind  index into SHAPES
 * @param {Record<string, string>} paint
 * @param {number} [size]
 */
function mark(kind, paint, size = 4.4) {
  const name = SHAPES[kind % SHAPES.length];
  const corners = CORNERS[name]?.map(([x, y]) => `${6 + x * size},${6 + y * size}`).join(" ");
  return icon("0 0 12 12", corners ? ["polygon", { points: corners, ...paint }] : ["circle", { cx: 6, cy: 6, r: size, ...paint }]);
}

/**
 * Create the picture of the colour scale of values.
 *
 * @param {Scale} scale
 */
function ramp({ middle, reach, colour }) {
  const steps = [-1, -0.5, 0, 0.5, 1].map((x) => css(colour(middle + x * reach)));
  return make("i", { class: "ramp", style: `background: linear-gradient(90deg, ${steps.join(", ")})` });
}
