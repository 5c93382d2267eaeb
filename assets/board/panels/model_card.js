/** A card of any model: its name, its picture of the plane, and its scores. */

/**
 * @import {Model, Task} from "../state/types.d.ts"
 * @import {OnPoint} from "./types.d.ts"
 */

import { make } from "../draw/dom.js";
import { listenToPointer } from "./pointing.js";

/** @type {Record<string, string>} Explanations of scores, by the end of their terms. */
const TIPS = {
  accuracy: "Share of the points whose class the model predicts.",
  "log loss": "Mean cross-entropy, −mean ln p(true class). Lower is better. A dash: the model has no probabilities.",
  "R²": "1 − squared error ÷ squared error of the mean target. 1 is perfect.",
  "squared loss": "Half the mean squared error, ½·mean (prediction − target)². Lower is better.",
  "exact zeros": "Share of coefficients or weights that are exactly 0, intercepts left out. A dash: the model has none.",
};

/** @type {Record<Model["kind"], string>} */
const KINDS = {
  probability: "The colour is the most probable class, the paler the less sure.",
  decision: "This model has no probabilities. The colour is the class of the decision value, the paler the nearer to the boundary.",
  class: "This model has neither probabilities nor a decision value. The colour is the class.",
  value: "The colour is the predicted value.",
};

/**
 * Create a card.
 *
 * @typedef {ReturnType<typeof makeModelCard>} ModelCard
 *
 * @param {Model} model
 * @param {number} index
 * @param {Task} task
 * @param {OnPoint} point
 */
export function makeModelCard({ name, kind, numbers }, index, task, point) {
  /** @type {Record<string, string>} */
  const tabOrder = index === 0 ? {} : { tabindex: "-1" };
  const term = (/** @type {string} */ text, /** @type {string} */ tip, /** @type {Record<string, string>} */ more) =>
    make("button", { type: "button", class: "term", "data-tip": tip, ...more }, text);
  const label = term("", `${name}. ${KINDS[kind]}`, { class: "term label" });
  label.append(make("i", { class: "swatch" }), name);
  const shown = task === "regression" ? "predictions over the plane" : "decision boundary";
  const description = `${name}: ${shown}. ${numbers.map(([text, value]) => `${text} ${value}`).join(", ")}.`;
  const parts = {
    boundary: make("canvas", { class: "boundary", role: "img", "aria-label": description }),
    cross: make("i", { class: "cross", hidden: "" }),
    there: make("span", { class: "there", hidden: "" }),
  };
  const list = make("dl", {}, ...numbers.map(([text, value], i) => {
    const ending = Object.keys(TIPS).find((each) => text.endsWith(each));
    const type = text === "exact zeros" ? "sparsity" : i === 0 ? "leading" : "score";
    return make("div", { class: type }, make("dt", {}, term(text, TIPS[ending ?? ""] ?? "", tabOrder)), make("dd", {}, value));
  }));
  const zeros = numbers.find(([text]) => text === "exact zeros")?.[1] ?? "–";
  const element = make("article", { class: "card", "aria-label": name },
    make("h2", {}, label),
    make("div", { class: "picture" }, parts.boundary, parts.cross, parts.there),
    make("div", { class: "numbers" }, list));
  element.classList.toggle("sparse", !["–", "0 %"].includes(zeros));
  listenToPointer(parts.boundary, point);
  return { element, ...parts };
}
