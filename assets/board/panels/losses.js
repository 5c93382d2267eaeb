/** The chart of one network's losses and penalty over the epochs, or of one loss of all cards' networks. */

/**
 * @import {Data, Series, Theme} from "../draw/types.d.ts"
 * @import {Card, Displayed, Mark, Recording, Task} from "../state/types.d.ts"
 * @import {LineStyle, Lines, ShownNetwork} from "./types.d.ts"
 */

import { commonMarks, describeLines, frameOf, linesOf, makeToggle } from "./all_methods.js";
import { drawChart, drawNetwork, isShown, makeChart, redraw } from "./chart.js";
import { make } from "../draw/dom.js";
import { extent } from "../state/extent.js";
import { firstNetworks, isDiverged, metric } from "../state/recording.js";
import { css, mix, parse } from "../draw/theme.js";
import { tickLabel } from "../draw/ticks.js";
import { TERMS, divergedAt, number } from "../state/words.js";

const LOG =
  "On a log scale equal steps are equal factors: small losses can be told apart. 0 has no place on it.";
const VALIDATION =
  "Like the test loss, but on the validation points. No network is trained on them, but they may choose the epoch at which to stop, or the strength; the test points then judge that choice. The penalty is not included.";
const PENALTY =
  "λ₁·‖w‖₁ + ½·λ₂·‖w‖₂², biases left out. Training minimizes train loss + penalty. It is drawn apart: a loss that contains the penalty cannot be compared with that of another method. “none” where no penalty acts.";
const ALL =
  "Show the test losses of all methods, each at the strength of its card, in place of the parts of one. The numbers at the lines are those of the cards.";
const TRAINING = "Show the training losses of all methods in place of the test losses.";
/** @type {readonly Mark[]} */
const NO_MARKS = Object.freeze([]);
/** @type {("test"|"validation"|"train")[]} */
const SPLITS = ["test", "validation", "train"];
const LOSSES = ["test_loss", "validation_loss", "train_loss"];
// the losses that the chart of all methods shows
const SHARED_LOSSES = ["test_loss", "train_loss"];
// limit of the axis for a diverging network, in heights of the other networks' axis
const MAX_HEIGHTS = 3;

const ABOUT =
  "The mean data loss of the network in focus over all epochs, and the penalty apart. Where the test loss rises while the train loss falls, it overfits. A triangle at the top marks a short spike that leaves the chart. Click or drag to go to an epoch.";

/**
 * The style of each line. Its colour is mixed from the colours of method (`own`), text and background.
 *
 * @type {Record<"test"|"validation"|"train"|"penalty", LineStyle>}
 */
const STYLES = {
  test: { dash: [], width: 2.4, colour: (own) => own },
  validation: { dash: [7, 3.5], width: 1.8, colour: (own, ink) => mix(own, ink, 0.75) },
  train: { dash: [2, 2.5], width: 2, colour: (_, ink, paper) => mix(ink, paper, 0.36) },
  penalty: { dash: [11, 3, 2, 3], width: 1.8, colour: (own, _, paper) => mix(own, paper, 0.3) },
};

/**
 * Create the panel.
 *
 * @typedef {ReturnType<typeof makeLosses>} Losses
 * @param {{onSeek: (frame: number) => void, onFocus: (card: number) => void, onChange: () => void}} handlers
 */
export function makeLosses({ onSeek, onFocus, onChange }) {
  const chart = makeChart({ label: "Losses over the epochs", onSeek, onFocus });
  const training = makeToggle("training", TRAINING, (on) => {
    panel.training = on;
    onChange();
  });
  training.hidden = true;
  const all = makeToggle("all methods", ALL, (on) => {
    panel.all = on;
    onChange();
  });
  const log = makeToggle("log scale", LOG, (on) => {
    panel.log = on;
    if (panel.data) panel.data.log = on;
    redraw(chart);
  });
  const panel = {
    element: make("section", { class: "panel over-epochs", "aria-label": "Losses" },
      make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": ABOUT }, "Losses"), chart.at,
        make("span", { class: "toggles" }, training, all, log)), chart.element),
    chart,
    /** Shown if there is more than one method. */
    toggles: { all, training },
    /** @type {Data|null} */ data: null,
    /** @type {ShownNetwork|null} */ shown: null,
    /** @type {Lines|null} if the chart has lines of all methods */ lines: null,
    /** @type {Recording|null} */ recording: null,
    /** @type {[number, number]} of all losses of the run */ range: [0, 1],
    /** @type {[number, number]} of its test and training losses */ sharedRange: [0, 1],
    log: false,
    /** Whether it shows all methods. */
    all: false,
    /** Whether it then shows training losses. */
    training: false,
  };
  return panel;
}

/**
 * Show network `k` at `frame`.
 *
 * @param {Losses} panel
 * @param {Recording} recording
 * @param {number} k
 * @param {number} frame
 * @param {{card: Card, everyone: Displayed[], marks?: readonly Mark[], theme: Theme, ratio: number}} view  the card
 *   that shows the network, and what all cards display
 */
export function updateLosses(panel, recording, k, frame, { card, everyone, marks = NO_MARKS, theme, ratio }) {
  const { shown } = panel;
  let { data } = panel;
  // a new object for each message
  if (panel.recording !== recording) {
    panel.recording = recording;
    panel.range = commonRange(recording, LOSSES);
    panel.sharedRange = commonRange(recording, SHARED_LOSSES);
  }
  const { all, training } = panel.toggles;
  all.hidden = everyone.length < 2;
  training.hidden = all.hidden || !panel.all;
  if (panel.all && !all.hidden) {
    updateAll(panel, recording, everyone, { card, marks, theme, ratio });
    return;
  }
  panel.lines = null;
  if (!data || !isShown(shown, recording, k, card, theme)) {
    panel.shown = { recording, k, card, mode: theme.mode };
    panel.data = data = dataOf(recording, k, card, theme, panel.log, panel.range);
  }
  drawNetwork(panel.chart, data, { lost: recording.diverged[k], marks, frame, theme, ratio });
}

/**
 * Show one loss of all cards' networks at the board's frame.
 *
 * @param {Losses} panel
 * @param {Recording} recording
 * @param {Displayed[]} everyone
 * @param {{card: Card, marks: readonly Mark[], theme: Theme, ratio: number}} view  the card in focus
 */
function updateAll(panel, recording, everyone, { card, marks, theme, ratio }) {
  const { log, sharedRange: range, training } = panel;
  const name = training ? "train_loss" : "test_loss";
  const lines = linesOf(panel.lines, recording, everyone, { focus: card, theme, name, formatValue: precise });
  const { run, epochs, lastEpoch, nFrames, network } = recording;
  const networks = everyone.map(({ k }) => k).join(" ");
  const lost = everyone.some(({ k }) => recording.diverged[k] >= 0);
  panel.lines = lines;
  panel.shown = null;
  panel.data = {
    key: `${run} all ${networks} ${lost}`,
    epochs, lastEpoch, nFrames,
    series: lines.series,
    marks: commonMarks(marks),
    now: frameOf(everyone),
    log,
    yRange: range,
    yMost: lost ? MAX_HEIGHTS * range[1] : Infinity,
    yLabel: `${training ? "training" : "test"} loss (${unitOf(network.task)})`,
    format: tickLabel,
  };
  drawChart(panel.chart, panel.data, theme, ratio);
}

/**
 * Describe the chart in words.
 *
 * @param {Losses} panel
 * @param {Recording} recording
 * @param {number} k
 * @param {number} frame
 */
export function describeLosses({ chart, data, shown, lines, training }, recording, k, frame) {
  if (lines?.recording === recording && data) {
    const title = training ? "Training losses" : "Test losses";
    chart.canvas.setAttribute("aria-label", describeLines(lines, title, data.now));
    return;
  }
  // a panel outside the window may still have another network, or none
  if (!data || shown?.recording !== recording || shown.k !== k) return;
  const { nReceived, epochs, diverged } = recording;
  const drawn = data.series.flatMap(({ name, values, formatValue }) => (values ? [{ name, values, formatValue }] : []));
  const [{ values: test }] = drawn;
  let best = 0;
  for (let t = 1; t < nReceived; t++) if (test[t] < test[best]) best = t;
  const now = isDiverged(recording, frame, k)
    ? divergedAt(diverged[k])
    : drawn.map(({ name, values, formatValue }) => `${name} ${formatValue(values[frame])}`).join(", ");
  const least = `The lowest test loss is ${precise(test[best])}, at epoch ${epochs[best]}.`;
  const sentence = `Losses of ${shown.card.label} over the epochs. At epoch ${epochs[frame]}: ${now}. ${least}`;
  chart.canvas.setAttribute("aria-label", sentence);
}

/**
 * Return the chart's data for network `k`.
 *
 * @param {Recording} recording
 * @param {number} k
 * @param {Card} card
 * @param {Theme} theme
 * @param {boolean} log
 * @param {[number, number]} range
 * @returns {Data}
 */
function dataOf(recording, k, card, theme, log, range) {
  const { network, points, epochs, lastEpoch, nFrames, run, diverged } = recording;
  const own = parse(card.colour[theme.mode]);
  const [ink, paper] = [parse(theme.ink), parse(theme.paper)];
  /** @type {(kind: keyof typeof STYLES, rest: Pick<Series, "name"|"tip"|"values"> & Partial<Series>) => Series} */
  const line = (kind, rest) => {
    const { dash, width, colour } = STYLES[kind];
    return { dash, width, colour: css(colour(own, ink, paper)), formatValue: precise, ...rest };
  };
  const { task } = network;
  const tips = { test: TERMS.test_loss.text(task), validation: VALIDATION, train: TERMS.train_loss.text(task) };
  const series = SPLITS.filter((split) => points[split].length > 0).map((split) => {
    const values = valuesOf(recording, `${split}_loss`, k);
    return line(split, { name: split, tip: tips[split], values });
  });
  const penalty = valuesOf(recording, "penalty", k);
  const acts = penalty.some((value) => value > 0);
  series.push(line("penalty", {
    name: "penalty",
    tip: PENALTY,
    ...(acts ? { values: penalty } : { values: null, formatValue: () => "none" }),
  }));
  return {
    // another key once it diverges, as its axis has another limit then
    key: `${run} ${k} ${diverged[k]}`,
    epochs, lastEpoch, nFrames, series,
    marks: NO_MARKS,
    now: 0,
    log,
    yRange: range,
    yMost: diverged[k] < 0 ? Infinity : MAX_HEIGHTS * range[1],
    yLabel: `data loss (${unitOf(task)})`,
    format: tickLabel,
  };
}

/**
 * Name the measure of the loss.
 *
 * @param {Task} task
 */
function unitOf(task) {
  return task === "regression" ? "½ mean squared error" : "cross-entropy in nats";
}

/**
 * Return a measure of network `k` at all received frames.
 *
 * @param {Recording} recording
 * @param {string} name
 * @param {number} k
 */
function valuesOf(recording, name, k) {
  return Float32Array.from(recording.epochs, (_, t) => metric(recording, name, t, k));
}

/**
 * Return the smallest and largest loss of the cards' first networks, so that the charts of all networks
 * have the same axes. A spike does not count (`extent`). Networks that diverge are left out, as their losses would fill the axis; where all
 * diverge, frame 0 counts.
 *
 * @param {Recording} recording
 * @param {readonly string[]} names  of losses
 * @returns {[number, number]}
 */
function commonRange(recording, names) {
  const { diverged, nFrames } = recording;
  const networks = firstNetworks(recording);
  const finite = networks.filter((k) => diverged[k] < 0);
  let least = Infinity;
  let most = 0;
  for (const k of finite.length ? finite : networks) {
    for (const name of names) {
      const values = valuesOf(recording, name, k);
      most = Math.max(most, finite.length ? extent(values, nFrames) : values[0]);
      for (const value of values) if (value > 0 && value < least) least = value;
    }
  }
  return [least, most];
}

/**
 * Format a loss with three decimals, or a small one with two digits and an exponent.
 *
 * @param {number|undefined} x
 */
function precise(x = NaN) {
  const small = Math.abs(x) < 0.00095 && x !== 0;
  return small ? x.toExponential(1).replace("-", "−") : number(x, 3);
}
