/**
 * The network that a card displays: its index, frame and parameters, with the visitor's edits and
 * pruning.
 */

/** @import {Card, Displayed, PointSet, Recording, View} from "./types.d.ts" */

import { isConstant } from "./flatness.js";
import { phaseOf } from "./phases.js";
import { makePoints, prune, score } from "./prune.js";
import { copyRow, isDiverged, metric } from "./recording.js";
import { earlyStopping } from "./stopping.js";
import { shapeOf, unitsLeft } from "./units.js";
import { isChanged, strengthIndexOf, variantOf } from "./view.js";
import { atEpoch, keptFrom, withShareKept, withVariant, CONSTANT, CORRECTION, NO_HIDDEN_LAYER } from "./words.js";

/**
 * Allocate what card `c` displays; `updateDisplayed` fills it.
 *
 * @param {Card} card
 * @param {number} c
 * @param {number} nParameters
 * @returns {Displayed}
 */
export function makeDisplayed(card, c, nParameters) {
  const [row, drawn] = [new Float32Array(nParameters), new Float32Array(nParameters)];
  return { card, c, k: card.variants[0].networks[0], t: 0, row, drawn, dial: "", variant: "", strength: "", dropRate: 0, changed: false, change: "", remark: "", constant: false, idle: false, divergedEpoch: null };
}

/**
 * Determine the network that a card displays at `frame`, and write it to `displayed`.
 *
 * @param {Displayed} displayed
 * @param {Recording} recording
 * @param {View} view
 * @param {number} frame
 */
export function updateDisplayed(displayed, recording, view, frame) {
  const { card, row, drawn } = displayed;
  const strengthIndex = strengthIndexOf(view, card);
  const { networks, drop_rates, values, strengths, idle, text } = variantOf(view, card);
  displayed.k = networks[strengthIndex];
  const rate = drop_rates[strengthIndex];
  // the strength is the dropout rate
  const isRate = rate > 0 && values[strengthIndex] === rate;
  displayed.dial = isRate ? withShareKept(strengths[strengthIndex], rate) : strengths[strengthIndex];
  displayed.variant = text;
  displayed.t = frame;
  let requestedEpoch = recording.epochs[frame];
  if (card.early_stopped) {
    const { best, bestEpoch, settled } = earlyStopping(recording, displayed.k);
    displayed.t = Math.min(frame, best);
    displayed.dial = keptFrom(bestEpoch, settled && frame >= best);
    requestedEpoch = Math.min(requestedEpoch, bestEpoch);
  }
  displayed.strength = withVariant(displayed.dial, card.corrected ? withVariant(text, CORRECTION.corrected.label) : text);
  const epoch = recording.epochs[displayed.t];
  const hidden = recording.network.layers.length > 2;
  displayed.dropRate = hidden ? phaseOf(recording.phases, epoch + 1)?.drop_rate ?? rate : 0;
  displayed.divergedEpoch = isDiverged(recording, displayed.t, displayed.k) ? recording.diverged[displayed.k] : null;
  copyRow(recording, displayed.t, displayed.k, row);
  const edits = view.edits[card.key];
  edits?.forEach((value, index) => (row[index] = value));
  if (view.threshold > 0) prune(row, recording.weightIndex, view.threshold, drawn);
  else drawn.set(row);
  displayed.changed = isChanged(view, card);
  displayed.idle = idle[strengthIndex];
  displayed.constant = displayed.divergedEpoch === null && isConstant(recording, drawn);
  displayed.change = [edits?.size && "edited", view.threshold > 0 && "pruned"].filter(Boolean).join(", ");
  const remarks = [epoch !== requestedEpoch && atEpoch(epoch), displayed.change, displayed.constant && CONSTANT, displayed.idle && NO_HIDDEN_LAYER];
  displayed.remark = remarks.filter(Boolean).join(", ");
}

/** @type {WeakMap<Float32Array, PointSet[]>} train and test, by the rows of test */
const points = new WeakMap();

/**
 * Return a displayed network's measures: as recorded, or computed if the network is edited or pruned.
 *
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @returns {Record<string, number>}
 */
export function measuresOf(recording, { k, t, drawn, changed }) {
  const of = (/** @type {string} */ name) => metric(recording, name, t, k);
  const shape = shapeOf(recording.network.layers);
  const left = unitsLeft(shape, drawn, new Uint8Array(shape.count));
  if (!changed) {
    const [train, test] = [of("train_loss"), of("test_loss")];
    return { train_loss: train, test_loss: test, gap: test - train, test_accuracy: of("test_accuracy"), sparsity: of("sparsity"), units_left: left };
  }
  const { network, points: { train, test }, weightIndex } = recording;
  const sets = points.get(test) ?? [train, test].map((rows) => makePoints(network, rows));
  points.set(test, sets);
  const [trained, tested] = sets.map((set) => score(network, drawn, set));
  let zeros = 0;
  for (let i = 0; i < weightIndex.length; i++) if (drawn[weightIndex[i]] === 0) zeros++;
  return {
    train_loss: trained.loss, test_loss: tested.loss, gap: tested.loss - trained.loss,
    test_accuracy: tested.accuracy, sparsity: zeros / weightIndex.length, units_left: left,
  };
}
