/** The lines of one measure of all cards' networks, for a chart over the epochs. */

/**
 * @import {ChartMark, Series, Theme} from "../draw/types.d.ts"
 * @import {Card, Displayed, Mark, Recording} from "../state/types.d.ts"
 * @import {Lines} from "./types.d.ts"
 */

import { make } from "../draw/dom.js";
import { css, mix, parse } from "../draw/theme.js";
import { isDiverged, metric } from "../state/recording.js";
import { earlyStopping } from "../state/stopping.js";

const WIDTH = 1.6;
const FOCUS_WIDTH = 3.4;
// share of the text colour in the number at a line's end, so that it has enough contrast
const INK = 0.25;

/**
 * Return the lines of all cards' networks, or `kept` if they are the same.
 *
 * @param {Lines|null} kept
 * @param {Recording} recording
 * @param {Displayed[]} everyone
 * @param {{focus: Card, theme: Theme, name: string, formatValue: Series["formatValue"]}} view
 *   `name`: of a recorded measure
 * @returns {Lines}
 */
export function linesOf(kept, recording, everyone, { focus, theme, name, formatValue }) {
  const key = [name, focus.key, theme.mode, ...everyone.map(({ k }) => k)].join(" ");
  if (kept?.recording === recording && kept.key === key) return kept;
  const ink = parse(theme.ink);
  const series = everyone.map(({ card, c, k }) => {
    const focused = card.key === focus.key;
    const colour = card.colour[theme.mode];
    return {
      name: card.label,
      tip: focused ? `${card.label} is in focus. Its line is the thick one.` : `Put ${card.label} in focus. A click on its line does the same.`,
      values: valuesOf(recording, name, card, k),
      colour,
      dash: [],
      width: focused ? FOCUS_WIDTH : WIDTH,
      formatValue,
      method: { card: c, focused, colour: css(mix(parse(colour), ink, INK)) },
    };
  });
  return { recording, key, series };
}

/**
 * Return a measure of a card's network at all received frames. Early stopping keeps its value from the
 * frame that it chooses.
 *
 * @param {Recording} recording
 * @param {string} name
 * @param {Card} card
 * @param {number} k
 */
function valuesOf(recording, name, card, k) {
  const last = card.early_stopped ? earlyStopping(recording, k).best : Infinity;
  return Float32Array.from(recording.epochs, (_, frame) => {
    const t = Math.min(frame, last);
    return isDiverged(recording, t, k) ? NaN : metric(recording, name, t, k);
  });
}

/**
 * Return the board's frame. The card of early stopping displays an earlier one.
 *
 * @param {Displayed[]} everyone
 */
export function frameOf(everyone) {
  return Math.max(...everyone.map(({ t }) => t));
}

/**
 * Return the marks that hold for all networks. Early stopping chooses epochs for each network.
 *
 * @param {readonly Mark[]} marks
 * @returns {ChartMark[]}
 */
export function commonMarks(marks) {
  return marks.filter(({ kind }) => kind === "change");
}

/**
 * Describe the lines at a frame in words.
 *
 * @param {Lines} lines
 * @param {string} title
 * @param {number} frame
 */
export function describeLines({ series, recording: { epochs } }, title, frame) {
  const values = series.map(({ name, values: of, formatValue }) => `${name} ${formatValue(of?.[frame])}`);
  return `${title} of all methods over the epochs. At epoch ${epochs[frame]}: ${values.join(", ")}.`;
}

/**
 * Create a button that switches something on and off.
 *
 * @param {string} text
 * @param {string} tip
 * @param {(on: boolean) => void} onToggle
 */
export function makeToggle(text, tip, onToggle) {
  const button = make("button", { type: "button", class: "toggle", "aria-pressed": "false", "data-tip": tip }, text);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    onToggle(on);
  });
  return button;
}
