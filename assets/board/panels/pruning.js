/** Magnitude pruning of all networks at one threshold: remaining weights and units, and test scores. */

/**
 * @import {Theme} from "../draw/types.d.ts"
 * @import {Displayed, Measured, Recording, Task} from "../state/types.d.ts"
 */

import { make, setText } from "../draw/dom.js";
import { STEPS, decimals, makeEvaluator, measure, makeMeasured, positionOf, thresholdAt } from "../state/prune.js";
import * as words from "../state/words.js";

const TIPS = {
  prune:
    "Set every weight smaller than a threshold to exactly 0, without training again. Biases stay. If the predictions hardly change, the network did not need those weights, and what is left is a smaller network that does the same.",
  left:
    "Weights that are not exactly 0: only these, and where they belong, have to be stored and multiplied. Pale: left before pruning. Biases are kept and not counted.",
  units:
    "Hidden units still on a path of non-zero weights from an input to the output. All other units can be taken out of the network: they pass on a constant at most.",
  test_accuracy: "Share of the test points whose class the network finds most probable, before and after pruning.",
  test_loss:
    "Half the mean squared error on the test points, before and after pruning. Lower is better. The penalty is not included.",
  change: {
    test_accuracy: "Accuracy after pruning minus accuracy before, in percentage points.",
    test_loss: "Test loss after pruning minus test loss before.",
  },
};

/**
 * Create the panel.
 *
 * @typedef {ReturnType<typeof makePruning>} Pruning
 * @typedef {ReturnType<typeof makeLine>} Line
 *
 * @param {{onThreshold: (threshold: number) => void}} handlers  0 turns pruning off
 */
export function makePruning({ onThreshold }) {
  const slider = make("input", {
    type: "range", min: "0", max: String(STEPS), step: "1", value: "0", "aria-label": "Prune weights below",
  });
  const parts = {
    slider,
    value: make("span", { class: "value", "aria-hidden": "true" }),
    hint: make("p", { class: "hint" }),
    head: make("thead", {}),
    body: make("tbody", {}),
    verdict: make("p", { class: "verdict" }),
  };
  const element = make("section", { class: "panel pruning", "aria-label": "Pruning" },
    make("h3", {}, term("Prune weights below", TIPS.prune, "term label"), parts.value),
    slider,
    parts.hint,
    make("table", {}, parts.head, parts.body),
    parts.verdict,
  );
  const panel = {
    element, ...parts,
    /** @type {string|null} */ run: null,
    range: 1,
    /** @type {boolean|null} */ off: null,
    /** @type {ReturnType<typeof makeEvaluator>|null} */ evaluator: null,
    /** @type {Line[]} */ lines: [],
  };
  slider.addEventListener("input", () => onThreshold(thresholdAt(slider.valueAsNumber, panel.range)));
  return panel;
}

/**
 * Prune all networks and show the results.
 *
 * @param {Pruning} panel
 * @param {Recording} recording
 * @param {Displayed[]} displayed  by card
 * @param {{focus: number, threshold: number, range: number, theme: Theme}} options  index of the card in
 *   focus, threshold, largest threshold
 */
export function updatePruning(panel, recording, displayed, { focus, threshold, range, theme }) {
  const current = panel.run === recording.run ? panel.evaluator : null;
  const evaluator = current ?? beginRun(panel, recording);
  panel.range = range;
  const { network, weightIndex } = recording;
  const { lines } = panel;
  const pruning = threshold > 0;
  if (panel.off !== !pruning) panel.element.classList.toggle("off", (panel.off = !pruning));
  displayed.forEach(({ card, row, divergedEpoch }, c) => {
    const line = lines[c];
    measure(evaluator, row, 0, line.before);
    if (pruning) measure(evaluator, row, threshold, line.after);
    write(line, pruning ? line.after : line.before, weightIndex.length, network.task, divergedEpoch !== null);
    highlight(line, card.colour[theme.mode], c === focus);
  });
  const text = verdictOf(lines[focus], recording, displayed[focus], pruning);
  setText(panel.verdict, text);
  move(panel, threshold, text);
}

/**
 * Prepare the panel for another run: a row of the table for each card.
 *
 * @param {Pruning} panel
 * @param {Recording} recording
 */
function beginRun(panel, recording) {
  const { run, network, cards, nParameters } = recording;
  const { task, layers } = network;
  const hidden = layers.length > 2;
  const worth = task === "regression" ? "test_loss" : "test_accuracy";
  const name = worth.replace("_", " ");
  /** @type {(text: string, tip: string, kind: string) => HTMLElement} */
  const column = (text, tip, kind) => make("th", { scope: "col", class: kind }, term(text, tip));
  panel.head.replaceChildren(
    make("tr", {},
      make("th", { scope: "col" }, "method"),
      column("weights left", TIPS.left, "left"),
      ...(hidden ? [column("units", TIPS.units, "units")] : []),
      column(name, TIPS[worth], "score"),
      column("change", TIPS.change[worth], "change"),
    ),
  );
  panel.lines = cards.map(({ label }) => makeLine(label, hidden, nParameters));
  panel.body.replaceChildren(...panel.lines.map(({ element }) => element));
  setText(panel.hint, `How far can each network be pruned before its ${name} ${task === "regression" ? "rises" : "falls"}?`);
  panel.element.classList.toggle("losses", task === "regression");
  panel.run = run;
  panel.evaluator = makeEvaluator(recording);
  return panel.evaluator;
}

/**
 * Create a row of the table.
 *
 * @param {string} label
 * @param {boolean} hidden  whether the network has hidden layers
 * @param {number} nParameters
 */
function makeLine(label, hidden, nParameters) {
  const parts = {
    count: make("span", { class: "count" }),
    share: make("span", { class: "share" }),
    kept: make("i", {}),
    unpruned: make("i", { class: "unpruned" }),
    units: make("td", { class: "units" }),
    was: make("span", { class: "was" }),
    is: make("span", { class: "is" }),
    change: make("span", {}),
  };
  const element = make("tr", {},
    make("th", { scope: "row" }, make("i", { class: "swatch" }), label),
    make("td", { class: "left" }, parts.count, parts.share,
      make("span", { class: "bar", "aria-hidden": "true" }, parts.unpruned, parts.kept)),
    ...(hidden ? [parts.units] : []),
    make("td", { class: "score" }, parts.was, make("span", { class: "pruned" }, " → ", parts.is)),
    make("td", { class: "change" }, parts.change),
  );
  const [before, after] = [makeMeasured(nParameters), makeMeasured(nParameters)];
  return {
    element, ...parts, before, after,
    /** @type {string|null} */ colour: null,
    focused: false,
    /** @type {boolean|null} */ diverged: null,
    /** @type {boolean|null} */ moved: null,
  };
}

/**
 * Show a network's results in its row.
 *
 * @param {Line} line
 * @param {Measured} now
 * @param {number} size
 * @param {Task} task
 * @param {boolean} diverged
 */
function write(line, now, size, task, diverged) {
  const { before, element } = line;
  const worth = task === "regression" ? "loss" : "accuracy";
  const format = words.FORMATS[`test_${worth}`];
  setText(line.count, String(now.left));
  setText(line.share, words.percent(now.left / size));
  line.unpruned.style.transform = `scaleX(${before.left / size})`;
  line.kept.style.transform = `scaleX(${now.left / size})`;
  setText(line.units, String(now.connected));
  if (line.diverged !== diverged) element.classList.toggle("lost", (line.diverged = diverged));
  setText(line.was, diverged ? "diverged" : format(before[worth], task));
  setText(line.is, format(now[worth], task));
  const change = now[worth] - before[worth];
  const text = task === "regression" ? words.FORMATS.gap(change, task) : words.signed(100 * change, 1);
  setText(line.change, text);
  const moved = /[1-9]/.test(text);
  if (line.moved !== moved) element.classList.toggle("moved", (line.moved = moved));
}

/**
 * Show the method's colour, and whether the row is of the card in focus.
 *
 * @param {Line} line
 * @param {string} colour
 * @param {boolean} focused
 */
function highlight(line, colour, focused) {
  if (line.colour !== colour) line.element.style.setProperty("--method", (line.colour = colour));
  if (line.focused === focused) return;
  line.focused = focused;
  line.element.classList.toggle("focused", focused);
  if (focused) line.element.setAttribute("aria-current", "true");
  else line.element.removeAttribute("aria-current");
}

/**
 * "L1, pruned: 31 of 152 weights and 12 of 24 hidden units left; test loss 0.38 → 0.40."
 *
 * @param {Line} line
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @param {boolean} pruning
 */
function verdictOf({ before, after }, { network, weightIndex }, { card: { label }, divergedEpoch }, pruning) {
  if (divergedEpoch !== null) return `${label}: ${words.divergedAt(divergedEpoch)}.`;
  const now = pruning ? after : before;
  const hidden = network.layers.slice(1, -1).reduce((sum, n) => sum + n, 0);
  const units = hidden ? ` and ${now.connected} of ${hidden} hidden units` : "";
  const loss = (/** @type {number} */ x) => words.FORMATS.test_loss(x, network.task);
  const losses = pruning ? `${loss(before.loss)} → ${loss(now.loss)}` : loss(now.loss);
  const cut = hidden ? now.connected === 0 : now.left === 0;
  const end = cut ? " Cut off from its inputs, it predicts the same everywhere." : "";
  return `${label}${pruning ? ", pruned" : ""}: ${now.left} of ${weightIndex.length} weights${units} left; test loss ${losses}.${end}`;
}

/**
 * Show the threshold, on the slider and in words.
 *
 * @param {Pruning} panel
 * @param {number} threshold
 * @param {string} text
 */
function move({ slider, value, range, off }, threshold, text) {
  const position = positionOf(threshold, range);
  if (slider.valueAsNumber !== position) slider.value = String(position);
  slider.style.setProperty("--shown", String(position / STEPS));
  const below = range < 1e5 ? threshold.toFixed(decimals(range)) : threshold.toExponential(2).replace("e+", "e");
  setText(value, off ? "off" : `|w| < ${below}`);
  slider.setAttribute("aria-valuetext", off ? "off" : `${below}. ${text}`);
}

/**
 * Create a term with an explanation.
 *
 * @param {string} text
 * @param {string} tip
 * @param {string} [kind]
 */
function term(text, tip, kind = "term") {
  return make("button", { type: "button", class: kind, "data-tip": tip }, text);
}
