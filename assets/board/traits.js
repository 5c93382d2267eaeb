/**
 * The traits of a notebook's widget: messages with frames, which Python adds, and focus, levels and
 * epoch, which both sides set. Each side sets a trait only where the value differs, which ends the loop.
 */

/**
 * @import {Board} from "./board.js"
 * @import {Card, View} from "./state/types.d.ts"
 * @import {Level, NotebookModel} from "./types.d.ts"
 */

import { Reporter } from "./reporter.js";
import * as player from "./state/player.js";
import * as views from "./state/view.js";

export class Traits extends Reporter {
  /** Number of messages taken from the model. */
  taken = 0;
  /** Whether the board shows the model's view. */
  begun = false;

  /**
   * @param {Board} board
   * @param {NotebookModel} model
   */
  constructor(board, model) {
    super(board);
    this.whole = board;
    this.model = model;
    board.reporter = this;
    /** @type {[string, () => void][]} */
    this.handlers = [
      ["change:n_messages", () => this.takeMessages()],
      ["change:focus", () => this.takeView()],
      ["change:levels", () => this.takeView()],
      ["change:epoch", () => this.takeEpoch()],
    ];
  }

  /** Take what the model has, and follow it. */
  begin() {
    for (const [event, handler] of this.handlers) this.model.on(event, handler);
    this.takeMessages();
  }

  /** Do not follow the model any more. */
  end() {
    for (const [event, handler] of this.handlers) this.model.off(event, handler);
    this.cancel();
  }

  /** Pass new messages to the board. Python empties those that a later one replaces. */
  takeMessages() {
    const { model, whole: board } = this;
    for (const n = model.get("n_messages"); this.taken < n; this.taken++) {
      const { buffer, byteOffset, byteLength } = model.get(`message_${this.taken}`);
      if (!byteLength) continue;
      board.receive(new Uint8Array(buffer, byteOffset, byteLength)).then(() => this.showView());
    }
  }

  /** Show the model's view, once the board has a recording. */
  showView() {
    const { recording } = this.whole;
    if (this.begun || !recording) return;
    this.begun = true;
    this.takeView();
    // the last epoch is that of a view without one: the board plays up to it
    if (this.model.get("epoch") !== recording.lastEpoch) this.takeEpoch();
  }

  takeView() {
    const { recording, view } = this.whole;
    if (!this.begun || !recording) return;
    const { cards } = recording;
    const levels = this.model.get("levels");
    const found = cards.filter(({ key }) => key in levels).map((card) => [card.key, indicesOf(card, levels[card.key])]);
    const pick = (/** @type {0|1} */ i) => Object.fromEntries(found.map(([key, indices]) => [key, indices[i]]));
    const requested = { focus: this.model.get("focus") ?? views.defaultFocus(cards), strength_indices: pick(1), variant_indices: pick(0) };
    const next = views.applyRequest(view, recording, requested);
    if (isSame(viewOf(next, cards), viewOf(view, cards))) this.schedule();
    else this.whole.setView(next);
  }

  takeEpoch() {
    const { recording, state, playing, frame } = this.whole;
    const epoch = this.model.get("epoch");
    if (!this.begun || !recording || (!playing && recording.epochs[frame] === epoch)) return;
    this.whole.setPlayback(player.seekEpoch(state, recording, epoch));
  }

  /** Set the model's traits to the board's view. While the board plays, its epoch stays. */
  report() {
    const { recording, view, playing, frame } = this.whole;
    if (!this.begun || !recording) return;
    /** @type {[string, unknown][]} */
    const shown = Object.entries(viewOf(view, recording.cards));
    if (!playing) shown.push(["epoch", recording.epochs[frame]]);
    const changed = shown.filter(([name, value]) => !isSame(value, this.model.get(name)));
    for (const [name, value] of changed) this.model.set(name, value);
    if (changed.length) this.model.save_changes();
  }
}

/**
 * Return focus and levels of a view, as the model has them.
 *
 * @param {View} view
 * @param {Card[]} cards
 */
function viewOf(view, cards) {
  const levels = cards.filter(hasLevel).map((card) => [card.key, levelOf(view, card)]);
  return { focus: view.focus, levels: Object.fromEntries(levels) };
}

/**
 * Whether a card's networks have a strength of their own.
 *
 * @param {Card} card
 */
function hasLevel({ early_stopped, variants: [{ strengths }] }) {
  return !early_stopped && strengths[0] !== "";
}

/**
 * Return the level that a card shows.
 *
 * @param {View} view
 * @param {Card} card
 * @returns {Level}
 */
function levelOf(view, card) {
  const { values, value } = views.variantOf(view, card);
  const strength = values[views.strengthIndexOf(view, card)];
  return card.second ? [strength, /** @type {number} */ (value)] : strength;
}

/**
 * Return the indices of a level's variant and strength. Python has checked that there are such.
 *
 * @param {Card} card
 * @param {Level} level
 * @returns {[number, number]}
 */
function indicesOf({ variants }, level) {
  const [strength, value] = Array.isArray(level) ? level : [level, variants[0].value];
  const variantIndex = variants.findIndex((variant) => variant.value === value);
  return [variantIndex, variants[variantIndex].values.indexOf(strength)];
}

/**
 * Whether two values are the same JSON.
 *
 * @param {unknown} first
 * @param {unknown} second
 */
function isSame(first, second) {
  return JSON.stringify(first) === JSON.stringify(second);
}
