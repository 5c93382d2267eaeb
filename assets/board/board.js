/**
 * The board: all of its state in one object, and the few ways in which it changes. It draws at most
 * once for each of the browser's frames, and only when something has changed.
 */

import * as cards from "./panels/card.js";
import { decode } from "./state/codec.js";
import { pointAt } from "./panels/crosshair.js";
import { contextOf, fit, make } from "./draw/dom.js";
import { describeBoard, drawBoard, refineCard, refineFocus } from "./drawing.js";
import { makeSave } from "./export/export.js";
import { makeFocus } from "./panels/focus.js";
import { makeHelp } from "./panels/help.js";
import { layOut } from "./panels/layout.js";
import { makeLegend, updateSigns } from "./panels/legend.js";
import { START_RESOLUTION, adaptResolution } from "./state/resolution.js";
import * as player from "./state/player.js";
import { drawPoints } from "./draw/points.js";
import { append, isComplete, start, weightAxes } from "./state/recording.js";
import { makeScale } from "./draw/scale.js";
import { makeDisplayed } from "./state/displayed.js";
import { readTheme } from "./draw/theme.js";
import { addTooltip } from "./panels/tooltip.js";
import { watchSticky, makeTransport, updateTransport } from "./panels/transport.js";
import * as views from "./state/view.js";

// how long the picture has to stand still before it is drawn as finely as can be, and said in words
const REFINE_DELAY_MS = 200;
// and how long nothing may have moved before the server is told what is looked at
const REPORT_DELAY_MS = 120;
// seconds to wait for an answer that may never come
const RETRY_SECONDS = 2;

/**
 * @typedef {import("./state/codec.js").FirstMessage} FirstMessage
 * @typedef {import("./state/codec.js").RequestedView} RequestedView
 * @typedef {import("./panels/pointing.js").Place} Place
 * @typedef {import("./state/recording.js").Recording} Recording
 * @typedef {import("./state/view.js").ViewReport} ViewReport
 *
 * @typedef {Board & {recording: Recording, theme: import("./draw/theme.js").Theme, scale: import("./draw/scale.js").Scale}} Showing
 *   a board that shows a recording
 */

export class Board {
  /** @type {Recording|null} */ recording = null;
  /** @type {import("./state/player.js").State} */ state = player.START;
  /** @type {import("./state/view.js").View} */ view = views.START;
  /** @type {cards.CardElements[]} */ cards = [];
  /** @type {import("./state/displayed.js").Displayed[]} */ displayed = [];
  /** @type {import("./draw/theme.js").Theme|null} */ theme = null;
  /** @type {import("./draw/scale.js").Scale|null} */ scale = null;
  /** @type {Map<number, import("./draw/painter.js").Painter>} by grid points along a side */ painters = new Map();
  resolution = START_RESOLUTION;
  fine = false;
  pointed = false;
  points = document.createElement("canvas");
  axes = { range: 1, most: 1 };
  /** @type {import("./state/marks.js").Mark[]} */ marks = [];
  /** @type {Place|null} */ place = null;
  size = { width: 0, histogram: 52, closeup: 0 };
  ratio = 1;
  stale = false;
  /** @type {ReturnType<typeof setTimeout>|0} */ refineTimer = 0;
  /** @type {ReturnType<typeof setTimeout>|0} */ reportTimer = 0;
  pointerDown = false;
  reported = "";
  written = "";
  /** @type {RequestedView["id"]|null} */ requestId = null;
  lastReply = 0;
  /** Resolves when all messages so far are decoded. */
  /** @type {Promise<unknown>} */
  decoded = Promise.resolve();
  /** Seconds until the server wishes to be asked for more. */
  askAfter = 0;
  sessionLost = false;
  animationFrame = 0;
  lastTick = 0;
  /**
   * Called with what is looked at, when that is not what the server knows and nothing moves.
   *
   * @type {(seen: ViewReport) => void}
   */
  onView = () => {};
  /**
   * Called with recording and what is looked at of it, when that has changed.
   *
   * @type {(recording: Recording, seen: ViewReport) => void}
   */
  onAddress = () => {};
  /** Called when the server has lost this page's session and begun another; true to leave it all. */
  onNewSession = () => false;

  constructor() {
    this.help = makeHelp();
    this.transport = makeTransport(this);
    this.transport.element.append(this.help.button);
    this.legend = makeLegend();
    this.legend.element.append(makeSave(this));
    this.grid = make("div", { class: "cards" });
    this.focus = makeFocus(this);
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.element = make(
      "section",
      { class: "regviz-board", "aria-label": "Networks in training", tabindex: "-1" },
      watchSticky(this.transport), this.transport.element, this.legend.element, this.grid, this.focus.element, this.probe, this.help.element,
    );
    Object.assign(this.element, { regviz: this });
    addTooltip(this.element);
    this.onFrame = (/** @type {number} */ now) => this.tick(now);
    this.element.addEventListener("pointerdown", () => (this.pointerDown = true));
  }

  get frame() {
    return this.state.frame;
  }

  get playing() {
    return player.isMoving(this.state);
  }

  /** Whether every network is there at every epoch. */
  get complete() {
    return this.recording !== null && isComplete(this.recording);
  }

  /** Whether it is drawn as finely as can be, if it has any width, and has told the server. */
  get settled() {
    const drawn = !this.size.width || (this.fine && !this.stale && !this.refineTimer);
    return drawn && !this.playing && !this.reportTimer;
  }

  /** Which card is seen large. */
  focusIndex() {
    return (this.recording?.cards ?? []).findIndex(({ key }) => key === this.view.focus);
  }

  /**
   * @param {Uint8Array} bytes  a message
   * @returns {Promise<{run: string, n_received: number}|null>}  what to ask the server for next
   */
  async receive(bytes) {
    // one after another: a short message is decompressed sooner than a long one before it
    const message = Promise.all([decode(bytes), this.decoded.catch(() => {})]);
    this.decoded = message;
    return this.apply((await message)[0]);
  }

  /**
   * Show a decoded message.
   *
   * @param {import("./state/codec.js").Message} message  with frame 0 it is a FirstMessage
   * @returns {{run: string, n_received: number}|null}  as of `receive`
   */
  apply(message) {
    const { run, frame, epochs, reply, ask_after } = message.header;
    this.askAfter = ask_after;
    // a session counts its replies
    this.sessionLost ||= reply <= this.lastReply && this.onNewSession();
    this.lastReply = reply;
    if (this.sessionLost) return null;
    if (this.recording?.run !== run) {
      // without its first frame a run cannot begin; the old picture stays
      if (frame !== 0) return { run, n_received: 0 };
      this.beginRun(start(/** @type {FirstMessage} */ (message)));
    } else {
      // A second answer to one question. The next question is on its way, or lost: Streamlit forgets
      // what a fragment was asked if the page runs anew before it.
      if (frame < this.recording.nReceived) {
        this.askAfter = Math.max(ask_after, RETRY_SECONDS);
        return this.complete ? null : this.nextRequest();
      }
      this.recording = append(this.recording, message);
    }
    const recording = /** @type {Recording} */ (this.recording);
    this.applyRequestedView(recording, message.header.requested_view);
    this.state = player.framesArrived(this.state, recording);
    this.axes = weightAxes(recording);
    this.change();
    // once more when all is there, so that the server knows; its answer to that is empty
    return isComplete(recording) && epochs.length === 0 ? null : this.nextRequest();
  }

  /**
   * RequestedView where the server wishes, once for each wish.
   *
   * @param {Recording} recording
   * @param {RequestedView|undefined} look
   */
  applyRequestedView(recording, look) {
    if (!look || look.id === this.requestId) return;
    const first = this.requestId === null;
    this.requestId = look.id;
    this.setView(views.applyRequest(this.view, recording, look));
    if (look.epoch !== null) this.state = player.seekEpoch(this.state, recording, look.epoch);
    this.reported = JSON.stringify({ ...this.viewReport(recording), epoch: look.epoch });
    if (look.scroll && !first) this.element.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  /** The visitor has let go of whatever it was. */
  endGesture() {
    if (!this.pointerDown) return;
    this.pointerDown = false;
    this.scheduleReport();
  }

  /**
   * What is looked at, as the server and the address bar are told.
   *
   * @param {Recording} recording
   * @returns {ViewReport}
   */
  viewReport(recording) {
    const { view, state } = this;
    const { epochs, nReceived, nFrames } = recording;
    const atEnd = state.mode !== "resting" || state.frame === nFrames - 1;
    const strength_indices = Object.fromEntries(recording.cards.map((card) => [card.key, views.strengthIndexOf(view, card)]));
    return { request_id: this.requestId, focus: view.focus, strength_indices, epoch: atEnd ? null : epochs[Math.min(state.frame, nReceived - 1)] };
  }

  /** Say what is looked at, unless something is still on the move. */
  scheduleReport() {
    clearTimeout(this.reportTimer);
    this.reportTimer = setTimeout(() => {
      this.reportTimer = 0;
      if (!this.recording || this.pointerDown) return;
      const seen = this.viewReport(this.recording);
      const known = JSON.stringify(seen);
      if (known !== this.reported) this.onView(seen);
      this.reported = known;
      const addressed = [this.recording.run, this.recording.link, known].join();
      if (addressed !== this.written) this.onAddress(this.recording, seen);
      this.written = addressed;
    }, REPORT_DELAY_MS);
  }

  /** What to ask the server for: the frames after those held. */
  nextRequest() {
    return this.recording && { run: this.recording.run, n_received: this.recording.nReceived };
  }

  /**
   * Show another run from now on.
   *
   * @param {Recording} recording
   */
  beginRun(recording) {
    const first = matchMedia("(prefers-reduced-motion: reduce)").matches ? player.START : player.FIRST;
    const state = this.recording ? player.startRun(this.state, this.recording) : first;
    const view = views.keepForRun(this.view, recording);
    this.recording = recording;
    this.state = state;
    this.view = view;
    this.theme = null;
    this.painters = new Map();
    this.resolution = START_RESOLUTION;
    /** @type {Parameters<typeof cards.makeCard>[2]} */
    const handlers = {
      focus: (key) => this.setView({ ...this.view, focus: key }),
      setStrength: (key, strengthIndex) => this.setView(views.setStrengthIndex(this.view, recording.cards, key, strengthIndex)),
      point: (place) => this.point(place),
    };
    this.cards = recording.cards.map((_, c) => cards.makeCard(recording, c, handlers));
    this.displayed = recording.cards.map((card, c) => makeDisplayed(card, c, recording.nParameters));
    this.grid.replaceChildren(...this.cards.map(({ element }) => element));
    this.restyle();
    this.measure();
  }

  /** Take on the page's theme, if it has changed. */
  restyle() {
    const theme = readTheme(this.probe);
    if (!this.recording || theme.mode === this.theme?.mode) return;
    this.theme = theme;
    this.element.dataset.theme = theme.mode;
    const { recording } = this;
    this.scale = makeScale(recording, theme);
    this.cards.forEach((card, c) => cards.applyTheme(card, recording.cards[c], theme));
    updateSigns(this.legend, recording, this.scale, theme);
    this.preparePoints();
  }

  /** Arrange the cards in the width there is, and fit the pictures to them. */
  measure() {
    if (!this.recording) return;
    layOut(this.element, this.cards.length);
    const { clientWidth: width } = this.cards[0].boundary;
    const { clientHeight: histogram } = this.cards[0].histogram;
    const { clientWidth: closeup } = this.focus.panels.closeup.canvas;
    const { size, ratio } = this;
    this.invalidate();
    const known = width === size.width && histogram === size.histogram && closeup === size.closeup;
    if (!width || (known && ratio === devicePixelRatio)) return;
    this.size = { width, histogram, closeup };
    this.ratio = devicePixelRatio;
    this.preparePoints();
  }

  preparePoints() {
    const { recording, scale, theme, size, ratio } = /** @type {Showing} */ (this);
    /** @type {[HTMLCanvasElement, number][]} */
    const layers = [[this.points, size.width], [this.focus.panels.closeup.points, size.closeup]];
    for (const [canvas, side] of layers) {
      if (!side) continue;
      fit(canvas, side, side, ratio);
      drawPoints(contextOf(canvas), recording, scale, theme, side, ratio);
    }
    this.invalidate();
  }

  /** @param {number} frame */
  seek(frame) {
    if (this.recording) this.setPlayback(player.seek(this.state, this.recording, frame));
  }

  /** @param {string} kind */
  seekMark(kind) {
    const mark = this.marks.find((each) => each.kind === kind);
    if (mark) this.seek(mark.frame);
  }

  play() {
    if (this.recording) this.setPlayback(player.play(this.state, this.recording));
  }

  pause() {
    this.setPlayback(player.pause(this.state));
  }

  toggle() {
    this.playing ? this.pause() : this.play();
  }

  restart() {
    this.setPlayback(player.restart(this.state));
  }

  /** @param {number} steps */
  changeSpeed(steps) {
    this.setPlayback(player.changeSpeed(this.state, steps));
  }

  cycleSpeed() {
    const { SPEEDS } = player;
    const next = (SPEEDS.indexOf(this.state.speed) + 1) % SPEEDS.length;
    this.setPlayback({ ...this.state, speed: SPEEDS[next] });
  }

  toggleLoop() {
    this.setPlayback({ ...this.state, loop: !this.state.loop });
  }

  /** @param {player.State} state */
  setPlayback(state) {
    this.state = state;
    // the slider answers at once, the pictures with the next frame
    if (this.recording) updateTransport(this.transport, this.recording, state);
    this.change();
    this.scheduleReport();
  }

  /**
   * RequestedView at the same recording in another way.
   *
   * @param {views.View} view
   */
  setView(view) {
    this.view = view;
    this.change();
    this.scheduleReport();
  }

  /** @param {number} c */
  focusOn(c) {
    const card = this.recording?.cards[c];
    if (card) this.setView({ ...this.view, focus: card.key });
  }

  /** @param {number} strengthIndex */
  setAllStrengths(strengthIndex) {
    if (this.recording) this.setView(views.setStrengthIndex({ ...this.view, linked: true }, this.recording.cards, null, strengthIndex));
  }

  /** @param {number} steps */
  shiftStrengths(steps) {
    if (!this.recording) return;
    const view = views.shift(this.view, this.recording.cards, steps);
    if (view !== this.view) this.setView(view);
  }

  toggleLink() {
    this.setView({ ...this.view, linked: !this.view.linked });
  }

  toggleDiscrete() {
    if (this.recording && this.recording.network.task !== "regression") this.setView({ ...this.view, discrete: !this.view.discrete });
  }

  /** @param {number} threshold */
  prune(threshold) {
    this.setView({ ...this.view, threshold });
  }

  /**
   * @param {number} index
   * @param {number} value
   */
  edit(index, value) {
    if (this.view.focus !== null) this.setView(views.edit(this.view, this.view.focus, index, value));
  }

  /** @param {number} [index] */
  unedit(index) {
    if (this.view.focus !== null) this.setView(views.unedit(this.view, this.view.focus, index));
  }

  /**
   * Ask all networks for their prediction at a place of the picture, or cease to.
   *
   * @param {Place|null} place
   */
  point(place) {
    this.place = place;
    this.pointed = true;
    this.requestFrame();
  }

  /** Draw in the browser's next frame, as finely as before. */
  invalidate() {
    this.stale = true;
    this.requestFrame();
  }

  /** What is shown is another: draw it in the browser's next frame, as finely as that allows. */
  change() {
    this.fine = false;
    this.invalidate();
  }

  requestFrame() {
    if (!this.animationFrame) this.animationFrame = requestAnimationFrame(this.onFrame);
  }

  /** @param {number} now */
  tick(now) {
    this.animationFrame = 0;
    if (!this.recording) return;
    const before = this.state;
    this.state = player.tick(before, this.recording, (now - (this.lastTick || now)) / 1000);
    // what waits is woken by the next frame that arrives
    const playing = this.state.mode === "playing" && !player.isWaiting(this.state, this.recording);
    this.lastTick = playing ? now : 0;
    // between two recorded frames there is nothing to draw
    if (this.state.frame !== before.frame || this.state.mode !== before.mode) this.change();
    if (this.stale) this.drawMoving();
    else if (this.pointed) pointAt(/** @type {Showing} */ (this));
    this.pointed = false;
    if (playing) this.requestFrame();
  }

  /** Draw what moves, as coarsely as it takes to keep up; then, when it stands still, finely. */
  drawMoving() {
    const began = performance.now();
    this.draw();
    this.resolution = adaptResolution(this.resolution, performance.now() - began);
    clearTimeout(this.refineTimer);
    this.refineTimer = setTimeout(() => this.refine(), REFINE_DELAY_MS);
  }

  /** Draw everything, now. */
  draw() {
    if (!this.recording || !this.size.width) return;
    this.stale = false;
    drawBoard(/** @type {Showing} */ (this));
  }

  /** Draw more finely, a card in each of the browser's frames, and say it in words. */
  refine(c = 0) {
    this.refineTimer = 0;
    if (!this.recording || this.stale || !this.size.width) return;
    if (!this.fine && this.resolution.coarse > 0 && c < this.cards.length) {
      refineCard(/** @type {Showing} */ (this), c);
      this.refineTimer = setTimeout(() => this.refine(c + 1));
      return;
    }
    this.fine = true;
    refineFocus(/** @type {Showing} */ (this));
    describeBoard(/** @type {Showing} */ (this));
    this.scheduleReport();
  }

  /** Stop drawing; the next message or change starts it again. */
  stop() {
    cancelAnimationFrame(this.animationFrame);
    clearTimeout(this.refineTimer);
    clearTimeout(this.reportTimer);
    this.animationFrame = this.lastTick = this.refineTimer = this.reportTimer = 0;
  }
}
