/** The chart of three measures of one network's sparsity over the epochs, or of all cards' exact zeros. */

/**
 * @import {Data, Theme} from "../draw/types.d.ts"
 * @import {Card, Displayed, Mark, Recording} from "../state/types.d.ts"
 * @import {LineStyle, Lines, ShownNetwork} from "./types.d.ts"
 */

import { commonMarks, describeLines, frameOf, linesOf, makeToggle } from "./all_methods.js";
import { drawChart, drawNetwork, isShown, makeChart } from "./chart.js";
import { make } from "../draw/dom.js";
import { effectiveWeights, hoyer, sparsity } from "../state/measures.js";
import { copyRow, isDiverged } from "../state/recording.js";
import { css, mix, parse } from "../draw/theme.js";
import { TERMS, divergedAt, number, percent } from "../state/words.js";

/** @type {readonly Mark[]} */
const NO_MARKS = Object.freeze([]);
/** @type {readonly [number, number]} */
const SHARES = [1, 1];
/**
 * @typedef {"zeros"|"hoyer"|"effective"} Measure
 * @typedef {Record<Measure, number[]>} Measures  at every frame
 *
 * @type {Record<Measure, (row: Float32Array, offset: number, weightIndex: Int32Array) => number>}
 */
const MEASURES = {
  zeros: sparsity,
  hoyer,
  effective: (row, offset, weightIndex) => effectiveWeights(row, offset, weightIndex) / weightIndex.length,
};

const ALL =
  "Show the exact zeros of all methods, each at the strength of its card, in place of three measures of one. The numbers at the lines are those of the cards.";
const ABOUT =
  "How unevenly the weights of the network in focus are spread, over all epochs, in three measures. Click or drag to go to an epoch.";

/**
 * @typedef {{name: string, tip: string} & LineStyle} MeasureLine
 *
 * @type {Record<Measure, MeasureLine>}
 */
const LINES = {
  zeros: {
    name: "exact zeros",
    tip: TERMS.sparsity.text("binary"),
    dash: [],
    width: 2.4,
    colour: (own) => own,
  },
  hoyer: {
    name: "Hoyer sparsity",
    tip: "(√N − ‖w‖₁/‖w‖₂) / (√N − 1), for N weights (Hurley & Rickard 2009): 0 where all weights are of one size, 1 where a single one is not 0. It also sees weights that are small beside the others, but not 0. Undefined where all are 0. On the axis, 1 stands at 100 %.",
    dash: [7, 3.5],
    width: 1.8,
    colour: (own, ink) => mix(own, ink, 0.75),
  },
  effective: {
    name: "effective weights",
    tip: "‖w‖₁² / ‖w‖₂², the effective number of weights: N where all N are of one size, 1 where a single one is not 0. The weights are spread as unevenly as so many of one size, with all others 0. Undefined where all are 0. The axis shows it as a share of N.",
    dash: [2, 2.5],
    width: 2,
    colour: (_, ink, paper) => mix(ink, paper, 0.36),
  },
};

/**
 * Create the panel.
 *
 * @typedef {ReturnType<typeof makeSparsity>} Sparsity
 *
 * @param {{onSeek: (frame: number) => void, onFocus: (card: number) => void, onChange: () => void}} handlers
 */
export function makeSparsity({ onSeek, onFocus, onChange }) {
  const chart = makeChart({ label: "Sparsity over the epochs", onSeek, onFocus });
  chart.legend.classList.add("single");
  const all = makeToggle("all methods", ALL, (on) => {
    panel.all = on;
    onChange();
  });
  const panel = {
    element: make("section", { class: "panel over-epochs", "aria-label": "Sparsity" },
      make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": ABOUT }, "Sparsity"), chart.at,
        make("span", { class: "toggles" }, all)), chart.element),
    chart,
    /** Shown if there is more than one method. */
    toggle: all,
    /** @type {Data|null} */ data: null,
    /** @type {ShownNetwork|null} */ shown: null,
    run: "",
    row: new Float32Array(0),
    /** @type {Map<number, Measures>} by network, for those shown in this run */
    measured: new Map(),
    /** @type {Lines|null} if the chart has lines of all methods */ lines: null,
    /** Whether it shows all methods. */
    all: false,
  };
  return panel;
}

/**
 * Return the entries of a record by measure, with the type of its keys.
 *
 * @template T
 * @param {Record<Measure, T>} values
 */
function entries(values) {
  return /** @type {[Measure, T][]} */ (Object.entries(values));
}

/**
 * Show network `k` at `frame`.
 *
 * @param {Sparsity} panel
 * @param {Recording} recording
 * @param {number} k
 * @param {number} frame
 * @param {{card: Card, everyone: Displayed[], marks?: readonly Mark[], theme: Theme, ratio: number}} view  the card
 *   that shows the network, and what all cards display
 */
export function updateSparsity(panel, recording, k, frame, { card, everyone, marks = NO_MARKS, theme, ratio }) {
  const { shown } = panel;
  let { data } = panel;
  panel.toggle.hidden = everyone.length < 2;
  if (panel.all && !panel.toggle.hidden) {
    const { run, epochs, lastEpoch, nFrames, weightIndex } = recording;
    const formatValue = (share = NaN) => percent(share);
    const lines = linesOf(panel.lines, recording, everyone, { focus: card, theme, name: "sparsity", formatValue });
    panel.lines = lines;
    panel.shown = null;
    panel.data = {
      ...axes(run),
      epochs, lastEpoch, nFrames,
      series: lines.series,
      marks: commonMarks(marks),
      now: frameOf(everyone),
      yLabel: `exact zeros, share of ${weightIndex.length} weights`,
    };
    drawChart(panel.chart, panel.data, theme, ratio);
    return;
  }
  panel.lines = null;
  if (!data || !isShown(shown, recording, k, card, theme)) {
    panel.shown = { recording, k, card, mode: theme.mode };
    panel.data = data = dataOf(measuresOf(panel, recording, k), recording, card, theme);
  }
  drawNetwork(panel.chart, data, { lost: recording.diverged[k], marks, frame, theme, ratio });
}

/**
 * Describe the chart in words.
 *
 * @param {Sparsity} panel
 * @param {Recording} recording
 * @param {number} k
 * @param {number} frame
 */
export function describeSparsity({ chart, data, shown, lines }, recording, k, frame) {
  if (lines?.recording === recording && data) {
    chart.canvas.setAttribute("aria-label", describeLines(lines, "Exact zeros", data.now));
    return;
  }
  // a panel outside the window may still have another network, or none
  if (!data || shown?.recording !== recording || shown.k !== k) return;
  const now = isDiverged(recording, frame, k)
    ? divergedAt(recording.diverged[k])
    : data.series.map(({ name, values, formatValue }) => `${name} ${formatValue(values?.[frame])}`).join(", ");
  const sentence = `Sparsity of ${shown.card.label} over the epochs. At epoch ${recording.epochs[frame]}: ${now}.`;
  chart.canvas.setAttribute("aria-label", sentence);
}

/**
 * Return the measures of network `k` at all received frames. Only new frames are measured.
 *
 * @param {Sparsity} panel
 * @param {Recording} recording
 * @param {number} k
 * @returns {Measures}
 */
function measuresOf(panel, recording, k) {
  if (panel.run !== recording.run) {
    panel.run = recording.run;
    panel.row = new Float32Array(recording.nParameters);
    panel.measured.clear();
  }
  /** @type {Measures} */
  const measured = panel.measured.get(k) ?? { zeros: [], hoyer: [], effective: [] };
  panel.measured.set(k, measured);
  for (let t = measured.zeros.length; t < recording.nReceived; t++) {
    // a diverged network's recorded weights are its last finite ones
    const lost = isDiverged(recording, t, k);
    copyRow(recording, t, k, panel.row);
    for (const [name, measure] of entries(MEASURES)) {
      measured[name].push(lost ? NaN : measure(panel.row, 0, recording.weightIndex));
    }
  }
  return measured;
}

/**
 * Return the chart's data for one network.
 *
 * @param {Measures} measured
 * @param {Recording} recording
 * @param {Card} card
 * @param {Theme} theme
 * @returns {Data}
 */
function dataOf(measured, { run, epochs, lastEpoch, nFrames, weightIndex }, card, theme) {
  const own = parse(card.colour[theme.mode]);
  const [ink, paper] = [parse(theme.ink), parse(theme.paper)];
  const n = weightIndex.length;
  /** @type {(write: (x: number) => number|string) => (share: number|undefined) => string} */
  const counted = (write) => (share = NaN) => (share >= 0 ? `${write(share * n)} of ${n} · ${percent(share)}` : "–");
  /** @type {Record<Measure, (share: number|undefined) => string>} */
  const formats = { zeros: counted(Math.round), hoyer: (x = NaN) => number(x), effective: counted((x) => number(x, 1)) };
  return {
    ...axes(run),
    epochs, lastEpoch, nFrames,
    series: entries(LINES).map(([key, { colour, ...line }]) =>
      ({ ...line, colour: css(colour(own, ink, paper)), values: measured[key], formatValue: formats[key] })),
    marks: NO_MARKS,
    now: 0,
    yLabel: `share of ${n} weights; Hoyer 1 = 100 %`,
  };
}

/**
 * Return a chart's axis of shares.
 *
 * @param {string} run
 */
function axes(run) {
  return { key: run, log: false, yRange: SHARES, yMost: 1, format: percent };
}
