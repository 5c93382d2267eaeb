/** The line with the effective learning rate of each normalized layer of the network in focus. */

/** @import {Recording} from "../state/types.d.ts" */

import { make, setText } from "../draw/dom.js";
import { effectiveRates } from "../state/normalization.js";

/** Create the line, hidden. */
export function makeRates() {
  const name = make("button", { type: "button", class: "term" });
  const values = make("span", {});
  return { name, values, element: make("div", { class: "rates", hidden: "" }, name, values) };
}

/**
 * Show the rates, or nothing without normalization.
 *
 * @param {ReturnType<typeof makeRates>} line
 * @param {Recording} recording
 * @param {Float32Array} row
 * @param {number} t  frame
 */
export function updateRates({ name, values, element }, recording, row, t) {
  const rates = effectiveRates(recording, row, recording.epochs[t]);
  element.hidden = rates.length === 0;
  if (element.hidden) return;
  const { adaptive } = recording.network;
  setText(name, adaptive ? "effective rate η/‖w‖" : "effective rate η/‖w‖²");
  name.dataset.tip = `The learning rate η of each hidden layer, divided by the ${adaptive ? "norm" : "squared norm"} of its weights. Normalization cancels the size of a layer's weights: a smaller layer predicts the same, but each step turns it further.`;
  setText(values, rates.map(rate).join(" · "));
}

/**
 * Write a rate with two digits.
 *
 * @param {number} x
 */
function rate(x) {
  if (!Number.isFinite(x)) return "∞";
  return x >= 0.001 && x < 99.5 ? x.toPrecision(2) : x.toExponential(1).replace("-", "−").replace("+", "");
}
