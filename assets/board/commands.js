/** The visitor's commands. Each replaces the state of the playback or the view by the next one. */

/**
 * @import {View} from "./state/types.d.ts"
 * @import {Commanded} from "./types.d.ts"
 */

import { mostProjected } from "./panels/layout.js";
import * as player from "./state/player.js";
import * as views from "./state/view.js";

export class Commands {
  /** @param {Commanded} board */
  constructor(board) {
    this.board = board;
  }

  get recording() {
    return this.board.stage?.recording ?? null;
  }

  /**
   * Go to a frame and stop there.
   *
   * @param {number} frame
   */
  seek(frame) {
    if (this.recording) this.board.setPlayback(player.seek(this.board.state, this.recording, frame));
  }

  /**
   * Go a number of frames forward, or back if it is negative, and stop there.
   *
   * @param {number} frames
   */
  step(frames) {
    this.seek(this.board.state.frame + frames);
  }

  /** Go to the last frame. */
  seekEnd() {
    this.seek((this.recording?.nFrames ?? 1) - 1);
  }

  /**
   * Go to a mark of the network in focus, if it has one.
   *
   * @param {string} kind  "change", "best" or "stop"
   */
  seekMark(kind) {
    const mark = this.board.marks.find((each) => each.kind === kind);
    if (mark) this.seek(mark.frame);
  }

  /** Play, or pause while the board plays or follows the training. */
  toggle() {
    const { state } = this.board;
    if (player.isMoving(state)) this.board.setPlayback(player.pause(state));
    else if (this.recording) this.board.setPlayback(player.play(state, this.recording));
  }

  restart() {
    this.board.setPlayback(player.restart(this.board.state));
  }

  /** Play from the start. */
  replay() {
    if (this.recording) this.board.setPlayback(player.play(player.restart(this.board.state), this.recording));
  }

  /**
   * Go up or down in the list of speeds.
   *
   * @param {number} steps
   */
  changeSpeed(steps) {
    this.board.setPlayback(player.changeSpeed(this.board.state, steps));
  }

  cycleSpeed() {
    const { SPEEDS } = player;
    const next = (SPEEDS.indexOf(this.board.state.speed) + 1) % SPEEDS.length;
    this.board.setPlayback({ ...this.board.state, speed: SPEEDS[next] });
  }

  toggleLoop() {
    this.board.setPlayback({ ...this.board.state, loop: !this.board.state.loop });
  }

  /**
   * Focus a card.
   *
   * @param {number} c  index of the card
   */
  focusOn(c) {
    const card = this.recording?.cards[c];
    if (card) this.#changeView({ focus: card.key });
  }

  /**
   * Set the strength of all methods, and link them.
   *
   * @param {number} strengthIndex
   */
  setAllStrengths(strengthIndex) {
    if (this.recording) this.board.setView(views.setStrengthIndex({ ...this.board.view, linked: true }, this.recording.cards, null, strengthIndex));
  }

  /**
   * Set the strength of a card, or of all methods if they are linked.
   *
   * @param {string} key
   * @param {number} strengthIndex
   */
  setStrength(key, strengthIndex) {
    if (this.recording) this.board.setView(views.setStrengthIndex(this.board.view, this.recording.cards, key, strengthIndex));
  }

  /**
   * Set the variant of a card's method.
   *
   * @param {string} key
   * @param {number} variantIndex
   */
  setVariant(key, variantIndex) {
    this.board.setView(views.setVariantIndex(this.board.view, key, variantIndex));
  }

  /**
   * Move each strength by a number of steps.
   *
   * @param {number} steps
   */
  shiftStrengths(steps) {
    if (!this.recording) return;
    const view = views.shift(this.board.view, this.recording.cards, steps);
    if (view !== this.board.view) this.board.setView(view);
  }

  /** Open or close the panel "Change from here". */
  toggleChange() {
    this.board.openChange();
  }

  closeChange() {
    this.board.openChange(false);
  }

  /**
   * Let all networks go on from one of them; the board plays on once the server has trained them.
   *
   * @param {{network: number, epoch: number, learning_rate: number}} change
   */
  changeFromHere(change) {
    if (this.recording) this.board.requestChange?.({ run: this.recording.run, ...change });
    this.closeChange();
  }

  undoChange() {
    if (this.recording) this.board.requestChange?.({ run: this.recording.run, undo: true });
    this.closeChange();
  }

  /**
   * Show the corrected elastic net, or the naive one, once the server has trained it.
   *
   * @param {boolean} corrected
   */
  correct(corrected) {
    if (this.recording) this.board.requestChange?.({ run: this.recording.run, corrected });
  }

  toggleLink() {
    this.#changeView({ linked: !this.board.view.linked });
  }

  toggleDiscrete() {
    if (this.recording && this.recording.network.task !== "regression") this.#changeView({ discrete: !this.board.view.discrete });
  }

  /**
   * Show a table by the weights of its inputs, or in a plane of two of them.
   *
   * @param {boolean} inPlane
   */
  showPlane(inPlane) {
    this.#changeView({ inPlane });
  }

  /**
   * Choose the inputs of the plane.
   *
   * @param {[number, number]} axes
   */
  setAxes(axes) {
    this.#changeView({ axes });
  }

  /** Let the board fill the screen, or return to the page. */
  toggleProjection() {
    this.#changeView({ projected: !this.board.view.projected });
  }

  /**
   * Show a card while projecting, or no longer show it.
   *
   * @param {string} key
   */
  toggleCard(key) {
    if (this.recording) this.board.setView(views.toggleCard(this.board.view, this.recording.cards, mostProjected(innerWidth), key));
  }

  /** Hide the board, or show it again. */
  toggleBlank() {
    this.#changeView({ blank: !this.board.view.blank });
  }

  /**
   * Open a claim.
   *
   * @param {string} key
   */
  tryClaim(key) {
    this.board.askForClaim(key);
  }

  /**
   * Open the claim a number of places after that shown, or before it if negative. The last is before the first.
   *
   * @param {number} by
   */
  stepClaim(by) {
    const { claims, claim } = this.board;
    if (!claims) return;
    const keys = claims.offered.map(({ key }) => key);
    const at = keys.indexOf(claim ?? claims.opened ?? "");
    const next = at < 0 && by < 0 ? keys.length - 1 : (at + by + keys.length) % keys.length;
    this.board.askForClaim(keys[next]);
  }

  /** Return to the scene before the claims. */
  undoClaim() {
    this.board.askForClaim(null);
  }

  /** Return to the page from a hidden or projected board. */
  leave() {
    const { blank } = this.board.view;
    this.#changeView(blank ? { blank: false } : { projected: false });
  }

  /**
   * Prune all weights below a threshold.
   *
   * @param {number} threshold  on |w|; 0 for none
   */
  prune(threshold) {
    this.#changeView({ threshold });
  }

  /**
   * Change a parameter of the network in focus.
   *
   * @param {number} index  in its row
   * @param {number} value
   */
  edit(index, value) {
    const { view } = this.board;
    if (view.focus !== null) this.board.setView(views.edit(view, view.focus, index, value));
  }

  /**
   * Undo the change of a parameter of the network in focus.
   *
   * @param {number} [index]  in its row; all parameters by default
   */
  undoEdit(index) {
    const { view } = this.board;
    if (view.focus !== null) this.board.setView(views.undoEdit(view, view.focus, index));
  }

  /** @param {Partial<View>} change */
  #changeView(change) {
    this.board.setView({ ...this.board.view, ...change });
  }
}
