/**
 * One or two sentences about the displayed networks: how the network without regularization does, and
 * how the network in focus compares with it.
 *
 * A statement needs a margin, so that it does not rest on chance:
 *
 * - One loss is clearly lower than another if it is at most `CLEAR` times as high, and lower by at
 *   least `VISIBLE` times the loss of the best constant. From `ALIKE` on, two losses are alike. Between
 *   both there is no clear difference, and the sentence says that.
 * - A network overfits if its training loss is clearly lower than its test loss, which is at least
 *   `OVERFIT` times as high; it has learned its points by heart from `HEART` times on.
 * - A network has learned little if its training or test loss is at least `UNTRAINED` times the loss of
 *   the best constant.
 * - A network has no visible effect if its predictions differ from those without regularization by at
 *   most `SEEN` on average (of a probability, or of the targets' range).
 * - Exact zeros are named from `SPARSE` of the weights on, and with them the units that are left, if
 *   any is gone.
 *
 * Every comparison says "here": it is about these points and initial weights, at this epoch.
 */

/** @import {Comparison, Displayed, Fact, Recording, Task} from "./types.d.ts" */

import { measuresOf } from "./displayed.js";
import { difference } from "./flatness.js";
import { isDiverged } from "./recording.js";
import { phaseOf } from "./phases.js";
import { columnOf } from "./plane.js";
import { earlyStopping } from "./stopping.js";
import { hiddenUnits } from "./units.js";
import { FORMATS, divergedAt } from "./words.js";

export const CLEAR = 0.75;
export const ALIKE = 0.9;
export const VISIBLE = 0.05;
export const OVERFIT = 1.5;
export const HEART = 2.5;
export const UNTRAINED = 0.9;
export const SEEN = 0.02;
export const SPARSE = 0.1;

const NUMBERS = ["", "", "twice", "three times", "four times", "five times", "six times", "seven times", "eight times", "nine times", "ten times"];

/**
 * Return the sentences about the networks that the cards display.
 *
 * @param {Recording} recording
 * @param {Displayed[]} displayed
 * @param {string|null} focus  key of the card in focus
 * @param {number} frame
 */
export function summaryOf(recording, displayed, focus, frame) {
  const none = displayed.find(({ card }) => card.key === "none");
  const facts = displayed.map((each) => factOf(recording, each, none, each.card.key === focus));
  return summarize(facts, {
    focus,
    epoch: recording.epochs[frame],
    phase: phaseOf(recording.phases, recording.epochs[frame]),
    task: recording.network.task,
    constantLoss: constantLoss(recording.network, recording.points.train),
  });
}

/**
 * Collect the facts about a displayed network.
 *
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @param {Displayed|undefined} none  the network without regularization
 * @param {boolean} compare  whether to compare its predictions with those of `none`
 * @returns {Fact}
 */
function factOf(recording, displayed, none, compare) {
  const { card, drawn, k, t, change, constant, idle } = displayed;
  const { weightIndex, epochs } = recording;
  const measures = measuresOf(recording, displayed);
  let left = 0;
  for (let i = 0; i < weightIndex.length; i++) if (drawn[weightIndex[i]] !== 0) left++;
  const { bestEpoch, settled } = earlyStopping(recording, k);
  const comparable = compare && none && none !== displayed && !isDiverged(recording, t, k) && none.divergedEpoch === null;
  return {
    key: card.key,
    label: change ? `${card.label} (${change})` : card.label,
    train: measures.train_loss,
    test: measures.test_loss,
    left,
    weights: weightIndex.length,
    unitsLeft: measures.units_left,
    units: hiddenUnits(recording.network.layers),
    divergedEpoch: displayed.divergedEpoch,
    constant,
    idle,
    unseen: comparable ? difference(recording, drawn, none.drawn) <= SEEN : false,
    earlyStopped: card.early_stopped,
    keptEpoch: card.early_stopped && settled && epochs[t] <= bestEpoch && t !== none?.t ? bestEpoch : null,
  };
}

/**
 * Return the loss of the best constant prediction for the targets: their entropy, or half their
 * variance.
 *
 * @param {{task: Task, nColumns?: number}} network
 * @param {Float32Array} rows  columns and y of each training point
 */
export function constantLoss(network, rows) {
  const { task } = network;
  const targets = columnOf(network, rows);
  const n = targets.length;
  if (task === "regression") {
    const mean = targets.reduce((sum, y) => sum + y, 0) / n;
    return targets.reduce((sum, y) => sum + (y - mean) ** 2, 0) / n / 2;
  }
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const y of targets) counts.set(y, (counts.get(y) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / n) * Math.log(count / n), 0);
}

/**
 * Whether loss `a` is clearly lower than loss `b`.
 *
 * @param {number} a
 * @param {number} b
 * @param {number} constant  the loss of the best constant
 */
export function clearlyLower(a, b, constant) {
  return a <= CLEAR * b && b - a >= VISIBLE * constant;
}

/**
 * Return the sentences for facts.
 *
 * @param {Fact[]} facts  of all cards
 * @param {Comparison} about
 */
export function summarize(facts, about) {
  const { epoch, phase, focus } = about;
  if (epoch === 0) {
    return facts.length > 1
      ? "Epoch 0: no network has learned anything yet. All start with the same weights and get the same points."
      : "Epoch 0: the network has learned nothing yet. Its weights are random.";
  }
  const none = facts.find(({ key }) => key === "none");
  const own = facts.find(({ key }) => key === focus);
  const any = none ?? own;
  if (phase && any) {
    const { until, text, regularized } = phase;
    const now = state({ ...any, label: text }, about);
    if (facts.length === 1) return `The training changes at epoch ${until}. ${now}`;
    if (!regularized) return `Regularization starts at epoch ${until}: until then all networks are trained alike. ${now}`;
    return `Until epoch ${until} all networks are the same. ${now}`;
  }
  const first = none ?? own;
  if (!first) return "";
  const second = none ? compared(none, facts, own, about) : weightsLeft(first);
  return second ? `${state(first, about)} ${second}` : state(first, about);
}

/**
 * Describe how a network does.
 *
 * @param {Fact} fact
 * @param {Comparison} about
 */
function state({ label, train, test, constant, divergedEpoch }, { task, constantLoss: plain }) {
  const loss = (/** @type {number} */ x) => FORMATS.test_loss(x, task);
  if (divergedEpoch !== null) return `${label} ${divergedAt(divergedEpoch)}.`;
  if (constant) return `${label} gives the same answer everywhere: it has learned nothing from the points.`;
  if (train >= UNTRAINED * plain) {
    return `${label} has learned little here: its training loss is ${loss(train)}, that of the best constant answer ${loss(plain)}.`;
  }
  if (test >= OVERFIT * train && clearlyLower(train, test, plain)) {
    const why = test >= HEART * train ? "it has learned its points by heart" : "it fits its own points better than new ones";
    return `${label}: test loss is ${times(test / train)} its training loss; ${why}.`;
  }
  if (test >= UNTRAINED * plain) {
    return `${label} has learned little that holds for new points: its test loss is ${loss(test)}, that of the best constant answer about ${loss(plain)}.`;
  }
  return `${label} does not overfit much here: test loss ${loss(test)}, training loss ${loss(train)}.`;
}

/**
 * Compare the network in focus with the one without regularization.
 *
 * @param {Fact} none
 * @param {Fact[]} facts
 * @param {Fact|undefined} own  of the network in focus
 * @param {Comparison} about
 */
function compared(none, facts, own, about) {
  const others = facts.filter((fact) => fact !== none);
  if (own && own !== none) return versus(none, own, about);
  if (others.length === 1) return versus(none, others[0], about);
  if (others.length === 0 || none.divergedEpoch !== null) return "";
  const better = others.filter((fact) => fact.divergedEpoch === null && clearlyLower(fact.test, none.test, about.constantLoss)).length;
  if (better === 0) return "No other network tests clearly better here.";
  if (better === others.length) return `All ${better} others test better here.`;
  return `${better} of the ${others.length} others ${better === 1 ? "tests" : "test"} better here.`;
}

/**
 * Compare a network with the one without regularization.
 *
 * @param {Fact} none
 * @param {Fact} own
 * @param {Comparison} about
 */
function versus(none, own, { task, constantLoss: plain }) {
  const { label, test, left, weights } = own;
  const loss = (/** @type {number} */ x) => FORMATS.test_loss(x, task);
  if (own.divergedEpoch !== null) return none.divergedEpoch !== null ? `So did ${label}.` : `${label} ${divergedAt(own.divergedEpoch)}.`;
  if (none.divergedEpoch !== null) return own.constant ? `${label} did not, but gives the same answer everywhere.` : `${label} did not: its test loss is ${loss(test)}.`;
  if (own.idle) return `${label} does nothing here: there is no hidden layer.`;
  if (own.constant && none.constant) return `So does ${label}.`;
  if (own.earlyStopped && own.keptEpoch === null && own.test === none.test) return `${label} shows the same network so far.`;
  if (own.constant) {
    if (own.earlyStopped) return `${label} keeps a network that gives the same answer everywhere.`;
    const zero = left === 0 ? `all ${weights} weights are exactly 0, and ` : "";
    return `${label} is too strong here: ${zero}it gives the same answer everywhere.`;
  }
  const sparse = weights - left >= SPARSE * weights;
  const units = own.unitsLeft < own.units ? ` and ${own.unitsLeft} of ${own.units} units` : "";
  const remaining = sparse ? ` with ${left} of ${weights} weights${units}` : "";
  const name = own.keptEpoch === null ? label : `${label}, with the network of epoch ${own.keptEpoch},`;
  if (clearlyLower(test, none.test, plain)) return `${name} tests better here${remaining}: ${loss(test)} instead of ${loss(none.test)}.`;
  if (clearlyLower(none.test, test, plain)) {
    const why = own.train >= UNTRAINED * plain ? "; it is too strong to fit the points" : "";
    return `${name} tests worse here${remaining}: ${loss(test)} instead of ${loss(none.test)}${why}.`;
  }
  if (own.unseen && !sparse && own.keptEpoch === null) return `${label} has no visible effect here.`;
  const alike = Math.min(test, none.test) >= ALIKE * Math.max(test, none.test);
  if (alike) return `${name} does as well here${remaining}.`;
  return `${name} is not clearly better or worse here${remaining}: ${loss(test)}, ${none.label} ${loss(none.test)}.`;
}

/**
 * Tell how many weights a network has left.
 *
 * @param {Fact} fact
 */
function weightsLeft({ left, weights, divergedEpoch }) {
  if (divergedEpoch !== null || weights - left < SPARSE * weights) return "";
  return left === 0 ? `All ${weights} weights are exactly 0.` : `${left} of ${weights} weights ${left === 1 ? "is" : "are"} left.`;
}

/**
 * Write a ratio of 1.5 or more in words, rounded.
 *
 * @param {number} ratio
 */
function times(ratio) {
  if (ratio < 1.75) return "about one and a half times";
  const rounded = Math.round(ratio);
  return rounded <= 10 ? `about ${NUMBERS[rounded]}` : "more than ten times";
}
