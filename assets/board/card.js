/** A card: a network's boundary, its numbers and its weights. */

import { fit, make, say } from "./dom.js";
import { SIDE, BARS, count, drawHistogram } from "./histogram.js";
import { isDiverged, metric, rowOffset } from "./recording.js";
import { css, mix, parse } from "./theme.js";
import * as words from "./words.js";

/**
 * @param {import("./recording.js").Recording} recording
 * @param {number} k  which network
 */
export function makeCard({ cards, network }, k) {
  const { label, strength, about } = cards[k];
  // With six cards, forty stops for the same five terms: the keyboard finds them on the first card.
  const reach = k === 0 ? {} : { tabindex: "-1" };
  const term = (text, tip, more) => make("button", { type: "button", class: "term", "data-tip": tip, ...more }, text);
  const values = {};
  const list = make("dl", {});
  for (const [name, { label: text, text: explain }] of Object.entries(words.TERMS)) {
    if (name === "test_accuracy" && network.task === "regression") continue;
    values[name] = make("dd", {});
    list.append(make("div", { class: name }, make("dt", {}, term(text, explain(network.task), reach)), values[name]));
  }
  const parts = {
    boundary: make("canvas", { class: "boundary", role: "img", "aria-label": label }),
    histogram: make("canvas", { class: "histogram", role: "img", "aria-label": label, "data-tip": words.HISTOGRAM }),
    zeros: term("", words.HISTOGRAM, { ...reach, class: "term zeros" }),
    low: make("span", {}),
    high: make("span", {}),
    diverged: make("p", { class: "diverged" }),
  };
  const element = make(
    "article",
    { class: "card" },
    make(
      "h3",
      {},
      term("", about, { class: "term label" }),
      make("span", { class: "strength", title: strength }, strength),
    ),
    parts.boundary,
    make("div", { class: "numbers" }, list, parts.diverged),
    make("div", { class: "weights" }, parts.zeros, parts.histogram,
      make("div", { class: "axis", "aria-hidden": "true" }, parts.low, make("span", {}, "0"), parts.high)),
  );
  element.querySelector(".label").append(make("i", { class: "swatch" }), label);
  return { element, values, ...parts, counts: new Uint16Array(BARS), colours: null };
}

/** Take on the theme's colours. */
export function dressCard(card, { colour }, theme) {
  const own = colour[theme.mode];
  card.element.style.setProperty("--method", own);
  const paper = parse(theme.dark ? "#1a1f29" : "#ffffff");
  card.colours = {
    bar: css(mix(parse(own), paper, 0.42)),
    zero: css(mix(parse(own), parse(theme.ink), 0.15)),
    axis: theme.dark ? "#6d7583" : "#8b929c",
  };
}

/** The numbers of frame `t`. */
export function updateNumbers({ values, element, diverged }, recording, t, k) {
  const lost = isDiverged(recording, t, k);
  if (element.classList.contains("lost") !== lost) element.classList.toggle("lost", lost);
  if (lost) say(diverged, `${words.divergedAt(recording.diverged[k])}. ${words.DIVERGED}`);
  for (const name in values) {
    const value = metric(recording, name, t, k);
    say(values[name], words.FORMATS[name](value, recording.network.task));
    if (name === "sparsity") element.classList.toggle("sparse", value > 0);
  }
}

/** The histogram of frame `t`, on axes that are the same for all cards. */
export function updateHistogram(card, recording, axes, t, k, size, ratio) {
  const { parameters, weightIndex } = recording;
  count(parameters, rowOffset(recording, t, k), weightIndex, axes.range, card.counts);
  fit(card.histogram, size.width, size.histogram, ratio);
  const context = card.histogram.getContext("2d");
  drawHistogram(context, card.counts, axes.most, size.width, size.histogram, ratio, card.colours);
  say(card.zeros, words.zeros(card.counts[SIDE], weightIndex.length));
  say(card.low, words.axis(-axes.range));
  say(card.high, words.axis(axes.range));
}

/** Say the pictures in words. */
export function describe(card, recording, t, k) {
  const { label, strength } = recording.cards[k];
  const epoch = recording.epochs[t];
  const weights = recording.weightIndex.length;
  const zeros = card.counts[SIDE];
  const value = (name) => metric(recording, name, t, k);
  const sentence = words.pictureOf({
    label, strength, epoch, zeros, weights,
    task: recording.network.task,
    testLoss: value("test_loss"),
    accuracy: value("test_accuracy"),
    diverged: isDiverged(recording, t, k) ? recording.diverged[k] : null,
  });
  card.boundary.setAttribute("aria-label", sentence);
  card.histogram.setAttribute("aria-label", words.histogramOf(label, epoch, zeros, weights));
}
