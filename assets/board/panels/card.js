/** A card: a method's boundary, strength, measures and histogram of weights. */

/**
 * @import {Theme} from "../draw/types.d.ts"
 * @import {Card, Displayed, Recording, Task} from "../state/types.d.ts"
 * @import {CardHandlers, HistogramColours, Place} from "./types.d.ts"
 */

import { contextOf, fitCanvas, make, setText } from "../draw/dom.js";
import { BARS_PER_SIDE, BARS, count, drawHistogram } from "../draw/histogram.js";
import { makeCorrection } from "./correction.js";
import { listenToPointer } from "./pointing.js";
import { css, mix, parse } from "../draw/theme.js";
import { isAdjustable, strengthCount } from "../state/view.js";
import * as words from "../state/words.js";

/**
 * Return the explanation of a card's second parameter; empty without one.
 *
 * @param {Card} card
 */
function aboutSecond({ second, variants }) {
  if (!second) return "";
  return variants.length > 1 ? second.about : second.about + words.ONE_VARIANT;
}

/**
 * Create a card.
 *
 * @typedef {ReturnType<typeof makeCard>} CardElements
 *
 * @param {Recording} recording
 * @param {number} c  index of the card
 * @param {CardHandlers} handlers
 */
export function makeCard(recording, c, { focus, setStrength, setVariant, correct, point }) {
  const { cards } = recording;
  const { key, label, about, second, corrected, variants } = cards[c];
  // terms are in the tab order on the first card alone: on seven cards they would be 40 stops
  /** @type {Record<string, string>} */
  const tabOrder = c === 0 ? {} : { tabindex: "-1" };
  /** @type {Record<string, string>} */
  const strengthTabOrder = c === cards.findIndex((card) => isAdjustable(card)) ? {} : { tabindex: "-1" };
  const { list, values } = makeNumbers(recording, tabOrder);
  const parts = {
    pick: make("button", { type: "button", class: "pick", "aria-label": `${c + 1}: look at ${label} closely`, "aria-pressed": "false" }, String(c + 1)),
    strength: term("", "", { ...strengthTabOrder, class: "term strength" }),
    slider: dial("strength-index", strengthCount(cards[c]), `Strength of ${label}`),
    variant: term("", aboutSecond(cards[c]), { ...strengthTabOrder, class: "term strength variant" }),
    variantSlider: dial("variant-index", variants.length, `${second?.label} of ${label}`),
    boundary: make("canvas", { class: "boundary", role: "img", "aria-label": label }),
    cross: make("i", { class: "cross", hidden: "" }),
    there: make("span", { class: "there", hidden: "" }),
    remark: make("span", { class: "remark", hidden: "" }),
    histogram: make("canvas", { class: "histogram", role: "img", "aria-label": label, "data-tip": words.HISTOGRAM }),
    zeros: term("", words.HISTOGRAM, { ...tabOrder, class: "term zeros" }),
    low: make("span", {}),
    high: make("span", {}),
    diverged: make("p", { class: "diverged" }),
  };
  const { slider } = parts;
  const name = term("", about, { class: "term label" });
  name.append(make("i", { class: "swatch" }), label);
  const element = make(
    "article",
    { class: "card", "aria-label": label },
    make("h2", {}, name, parts.pick),
    make("div", { class: "dial" }, make("div", { class: "captions" }, parts.strength, parts.variant), make("div", { class: "turned" }, slider, parts.variantSlider),
      ...(corrected === null ? [] : [makeCorrection(corrected, correct)])),
    make("div", { class: "picture" }, parts.boundary, parts.cross, parts.there, parts.remark),
    make("div", { class: "numbers" }, list, parts.diverged),
    make("div", { class: "weights" }, parts.zeros, parts.histogram,
      make("div", { class: "axis", "aria-hidden": "true" }, parts.low, make("span", {}, "0"), parts.high)),
  );
  slider.hidden = !isAdjustable(cards[c]);
  slider.addEventListener("input", () => setStrength(key, slider.valueAsNumber));
  parts.variant.hidden = !second;
  parts.variantSlider.hidden = variants.length < 2;
  parts.variantSlider.addEventListener("input", () => setVariant(key, parts.variantSlider.valueAsNumber));
  listenToPointer(parts.boundary, point);
  element.addEventListener("click", (event) => {
    const control = /** @type {Element} */ (event.target).closest("button, input");
    if (!control || control === parts.pick || control === name) focus(c);
  });
  /** @type {HistogramColours} */
  const colours = { bar: "", zero: "", axis: "" };
  return { element, values, about, ...parts, counts: new Uint16Array(BARS), colours };
}

/**
 * Create a slider over indices.
 *
 * @param {string} name  its class
 * @param {number} count  of the values
 * @param {string} label
 */
function dial(name, count, label) {
  return make("input", { type: "range", class: name, min: "0", max: String(count - 1), step: "1", "aria-label": label });
}

/**
 * Show the value of a slider over indices.
 *
 * @param {HTMLInputElement} slider
 * @param {number} index
 * @param {string} text  the value in words
 */
function turn(slider, index, text) {
  if (slider.valueAsNumber !== index) slider.value = String(index);
  slider.style.setProperty("--shown", String(index / Math.max(1, Number(slider.max))));
  slider.setAttribute("aria-valuetext", text);
}

/**
 * Create a word that a tooltip explains.
 *
 * @param {string} text
 * @param {string} tip
 * @param {Record<string, string>} more  attributes
 */
function term(text, tip, more) {
  return make("button", { type: "button", class: "term", "data-tip": tip, ...more }, text);
}

/**
 * Create the list of the measures.
 *
 * @param {Recording} recording
 * @param {Record<string, string>} tabOrder  attributes of their terms
 */
function makeNumbers(recording, tabOrder) {
  /** @type {Record<string, HTMLElement>} */
  const values = {};
  const list = make("dl", {});
  for (const name of words.termsOf(recording)) {
    const { label, text } = words.TERMS[name];
    values[name] = make("dd", {});
    list.append(make("div", { class: name }, make("dt", {}, term(label, text(recording.network.task), tabOrder)), values[name]));
  }
  return { list, values };
}

/**
 * Apply the theme's colours.
 *
 * @param {CardElements} card
 * @param {Card} own
 * @param {Theme} theme
 */
export function applyTheme(card, { colour }, theme) {
  const own = colour[theme.mode];
  card.element.style.setProperty("--method", own);
  const paper = parse(theme.dark ? "#1a1f29" : "#ffffff");
  card.colours = {
    bar: css(mix(parse(own), paper, 0.42)),
    zero: css(mix(parse(own), parse(theme.ink), 0.15)),
    axis: theme.dark ? "#6d7583" : "#8b929c",
  };
}

/**
 * Show a card's strength, variant and remark, and whether it is in focus.
 *
 * @param {CardElements} card
 * @param {Pick<Displayed, "dial"|"variant"|"remark">} displayed
 * @param {{strengthIndex: number, variantIndex: number, focused: boolean}} heading
 */
export function updateHeading(card, { dial: strength, variant, remark }, { strengthIndex, variantIndex, focused }) {
  const { element, pick, slider, variantSlider } = card;
  if (element.classList.contains("focused") !== focused) {
    element.classList.toggle("focused", focused);
    pick.setAttribute("aria-pressed", String(focused));
  }
  setText(card.strength, strength);
  card.strength.hidden = !strength;
  card.strength.dataset.tip = words.strengthTip(strength) || card.about;
  setText(card.variant, variant);
  turn(slider, strengthIndex, strength);
  turn(variantSlider, variantIndex, variant);
  card.remark.hidden = !remark;
  if (remark) setText(card.remark, remark);
}

/**
 * Show the measures, or since when the network has diverged.
 *
 * @param {CardElements} card
 * @param {Record<string, number>} measures  by name as in words.TERMS
 * @param {Task} task
 * @param {number|null} divergedEpoch  the epoch at which the network has diverged, or null
 */
export function updateNumbers({ values, element, diverged }, measures, task, divergedEpoch) {
  if (element.classList.contains("lost") !== (divergedEpoch !== null)) element.classList.toggle("lost", divergedEpoch !== null);
  if (divergedEpoch !== null) setText(diverged, `${words.divergedAt(divergedEpoch)}. ${words.DIVERGED}`);
  for (const name in values) {
    setText(values[name], words.FORMATS[name](measures[name], task));
    if (name === "sparsity") element.classList.toggle("sparse", measures[name] > 0);
  }
}

/**
 * Draw the histogram of the weights in `row`, on axes that all cards share.
 *
 * @param {CardElements} card
 * @param {Float32Array} row
 * @param {Int32Array} weightIndex
 * @param {{range: number, most: number}} axes
 * @param {{bars: number, histogram: number}} size  of the histogram
 * @param {number} ratio
 */
export function updateHistogram(card, row, weightIndex, axes, size, ratio) {
  count(row, 0, weightIndex, axes.range, card.counts);
  fitCanvas(card.histogram, size.bars, size.histogram, ratio);
  const context = contextOf(card.histogram);
  drawHistogram(context, card.counts, axes.most, size.bars, size.histogram, ratio, card.colours);
  setText(card.zeros, words.zeros(card.counts[BARS_PER_SIDE], weightIndex.length));
  setText(card.low, words.axis(-axes.range));
  setText(card.high, words.axis(axes.range));
}

/**
 * Show the crosshair and the prediction at it, or hide both where `place` is null.
 *
 * @param {Pick<CardElements, "cross"|"there">} card
 * @param {Place|null} place
 * @param {string} prediction
 */
export function updateCrosshair({ cross, there }, place, prediction) {
  cross.hidden = there.hidden = place === null;
  if (place === null) return;
  cross.style.setProperty("--x", String(place.x));
  cross.style.setProperty("--y", String(place.y));
  there.classList.toggle("top", place.y > 0.75);
  setText(there, prediction);
}

/**
 * Describe the pictures in words.
 *
 * @param {CardElements} card
 * @param {{label: string, strength: string, epoch: number, task: Task, divergedEpoch: number|null}} shown
 * @param {Record<string, number>} measures
 * @param {number} weights
 * @param {string} bars  the bars of weights in words; empty for a boundary
 */
export function describe(card, shown, measures, weights, bars) {
  const zeros = card.counts[BARS_PER_SIDE];
  const sentence = words.pictureOf({
    ...shown, zeros, weights, testLoss: measures.test_loss, accuracy: measures.test_accuracy,
    diverged: shown.divergedEpoch,
  });
  card.boundary.setAttribute("aria-label", [sentence, bars].filter(Boolean).join(" "));
  card.histogram.setAttribute("aria-label", words.histogramOf(shown.label, shown.epoch, zeros, weights));
}
