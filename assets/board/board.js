/**
 * The board: its state in one object, and the methods that change it. A change is drawn in the next
 * animation frame, together with all other changes until then.
 */

/**
 * @import {Painter} from "./draw/painter.js"
 * @import {Scale, Theme} from "./draw/types.d.ts"
 * @import {Place} from "./panels/types.d.ts"
 * @import {Displayed, FirstMessage, Mark, Message, Recording, RequestedView, State, View} from "./state/types.d.ts"
 */

import * as cards from "./panels/card.js";
import { decode } from "./state/codec.js";
import { updateCrosshairs } from "./panels/crosshair.js";
import { contextOf, fitCanvas, make } from "./draw/dom.js";
import { describeBoard, drawBoard, refineCard, refineFocus } from "./drawing.js";
import { makeSaveButtons } from "./export/export.js";
import { makeFocus } from "./panels/focus.js";
import { makeHelp } from "./panels/help.js";
import { layOut } from "./panels/layout.js";
import { makeLegend, updateSigns } from "./panels/legend.js";
import { START_RESOLUTION, adaptResolution } from "./state/resolution.js";
import * as player from "./state/player.js";
import { Reporter } from "./reporter.js";
import { drawPoints } from "./draw/points.js";
import { append, isComplete, start, weightAxes } from "./state/recording.js";
import { makeScale } from "./draw/scale.js";
import { makeDisplayed } from "./state/displayed.js";
import { readTheme } from "./draw/theme.js";
import { addTooltip } from "./panels/tooltip.js";
import { watchSticky, makeTransport, updateTransport } from "./panels/transport.js";
import * as views from "./state/view.js";

// milliseconds without a change until the board is drawn at full resolution and described in words
const REFINE_DELAY_MS = 200;
// seconds until a request for frames is repeated, where its answer may be lost
const RETRY_SECONDS = 2;

/** @typedef {Board & {recording: Recording, theme: Theme, scale: Scale}} Showing */

export class Board {
  /** @type {Recording|null} */ recording = null;
  /** @type {State} */ state = player.START;
  /** @type {View} */ view = views.START;
  /** @type {cards.CardElements[]} */ cards = [];
  /** @type {Displayed[]} one for each card */ displayed = [];
  /** @type {Theme|null} */ theme = null;
  /** @type {Scale|null} */ scale = null;
  /** @type {Map<number, Painter>} by grid points along a side */ painters = new Map();
  resolution = START_RESOLUTION;
  /** Whether the pictures are drawn at full resolution. */
  fine = false;
  /** Whether the crosshair has moved since it was drawn. */
  pointed = false;
  /** The data points, drawn once for all cards. */
  points = document.createElement("canvas");
  /** Axes of all cards' histograms; see `weightAxes`. */
  axes = { range: 1, most: 1 };
  /** @type {Mark[]} */ marks = [];
  /** @type {Place|null} of the crosshair */ place = null;
  /** In CSS pixels: side of a card's boundary, height of its histogram, side of the closeup. */
  size = { width: 0, histogram: 52, closeup: 0 };
  /** Device pixels per CSS pixel. */
  ratio = 1;
  /** Whether something has changed since the last drawing. */
  stale = false;
  /** @type {ReturnType<typeof setTimeout>|0} */ refineTimer = 0;
  reporter = new Reporter(this);
  /** @type {RequestedView["id"]|null} of the last requested view that was applied */ requestId = null;
  /** Number of the server's last message in this session. */
  lastReply = 0;
  /** @type {Promise<unknown>} resolves when all messages so far are decoded */ decoded = Promise.resolve();
  /** Seconds to wait before the next request for frames. */
  askAfter = 0;
  /** Whether the page is being reloaded, as its session is lost. */
  sessionLost = false;
  /** Id of the pending animation frame, or 0. */
  animationFrame = 0;
  /** Time of the last animation frame while playing, in milliseconds, or 0. */
  lastTick = 0;
  /** Called when the server has begun another session for this page; returns whether it is reloaded. */
  onNewSession = () => false;

  constructor() {
    this.help = makeHelp();
    this.transport = makeTransport(this);
    this.transport.element.append(this.help.button);
    this.legend = makeLegend();
    this.legend.element.append(makeSaveButtons(this));
    this.grid = make("div", { class: "cards" });
    this.focus = makeFocus(this);
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.element = make(
      "section",
      { class: "regviz-board", "aria-label": "Networks in training", tabindex: "-1" },
      watchSticky(this.transport), this.transport.element, this.legend.element, this.grid, this.focus.element, this.probe, this.help.element,
    );
    // the handle for the browser's console, benchmarks and tests: modules export no instance
    Object.assign(this.element, { regviz: this });
    addTooltip(this.element);
    this.onFrame = (/** @type {number} */ now) => this.tick(now);
    this.element.addEventListener("pointerdown", () => (this.reporter.pointerDown = true));
  }

  get frame() {
    return this.state.frame;
  }

  get playing() {
    return player.isMoving(this.state);
  }

  /** Whether all frames have been received. */
  get complete() {
    return this.recording !== null && isComplete(this.recording);
  }

  /** Whether the board is drawn at full resolution, unless it has no width, and its view is reported. */
  get settled() {
    const drawn = !this.size.width || (this.fine && !this.stale && !this.refineTimer);
    return drawn && !this.playing && !this.reporter.timer;
  }

  /** Return the index of the card in focus. */
  focusIndex() {
    return (this.recording?.cards ?? []).findIndex(({ key }) => key === this.view.focus);
  }

  /**
   * Decode a message and show it.
   *
   * @param {Uint8Array} bytes  a message
   * @returns {Promise<{run: string, n_received: number}|null>}  the next request for frames, or null if
   *   all have been received
   */
  async receive(bytes) {
    // in order: a short message may be decompressed sooner than a long one before it
    const message = Promise.all([decode(bytes), this.decoded.catch(() => {})]);
    this.decoded = message;
    return this.apply((await message)[0]);
  }

  /**
   * Show a decoded message.
   *
   * @param {Message} message  with frame 0 it is a FirstMessage
   * @returns {{run: string, n_received: number}|null}  as of `receive`
   */
  apply(message) {
    const { run, frame, epochs, reply, ask_after } = message.header;
    this.askAfter = ask_after;
    // replies are numbered within a session: a number that does not grow is of a new session
    this.sessionLost ||= reply <= this.lastReply && this.onNewSession();
    this.lastReply = reply;
    if (this.sessionLost) return null;
    if (this.recording?.run !== run) {
      // a run begins with its frame 0, which holds the points and the cards; until then the old one stays
      if (frame !== 0) return { run, n_received: 0 };
      this.beginRun(start(/** @type {FirstMessage} */ (message)));
    } else {
      // A second answer to one request. The next request is on its way, or lost: Streamlit drops a
      // fragment's trigger value if the whole page reruns before the fragment does.
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
    // one more request tells the server that all frames are received; its answer has no frames
    return isComplete(recording) && epochs.length === 0 ? null : this.nextRequest();
  }

  /**
   * Apply the view that the server requests, once for each request id.
   *
   * @param {Recording} recording
   * @param {RequestedView|undefined} requested
   */
  applyRequestedView(recording, requested) {
    if (!requested || requested.id === this.requestId) return;
    const first = this.requestId === null;
    this.requestId = requested.id;
    this.setView(views.applyRequest(this.view, recording, requested));
    if (requested.epoch !== null) this.state = player.seekEpoch(this.state, recording, requested.epoch);
    const report = views.reportOf(this.view, recording, this.state, requested.id);
    this.reporter.acknowledge({ ...report, epoch: requested.epoch });
    if (requested.scroll && !first) this.element.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  /** Return the request for the frames after those received. */
  nextRequest() {
    return this.recording && { run: this.recording.run, n_received: this.recording.nReceived };
  }

  /**
   * Replace the recording by that of another run.
   *
   * @param {Recording} recording
   */
  beginRun(recording) {
    const first = matchMedia("(prefers-reduced-motion: reduce)").matches ? player.START : player.FIRST_RUN;
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

  /** Apply the page's theme, if it has changed. */
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

  /** Lay out the cards in the available width, and adapt the canvases to it. */
  measure() {
    if (!this.recording) return;
    layOut(this.element, this.cards.length);
    const { clientWidth: width } = this.cards[0].boundary;
    const { clientHeight: histogram } = this.cards[0].histogram;
    const { clientWidth: closeup } = this.focus.panels.closeup.canvas;
    const { size, ratio } = this;
    this.invalidate();
    const unchanged = width === size.width && histogram === size.histogram && closeup === size.closeup;
    if (!width || (unchanged && ratio === devicePixelRatio)) return;
    this.size = { width, histogram, closeup };
    this.ratio = devicePixelRatio;
    this.preparePoints();
  }

  /** Draw the data points to the layers that are copied into each picture. */
  preparePoints() {
    const { recording, scale, theme, size, ratio } = /** @type {Showing} */ (this);
    /** @type {[HTMLCanvasElement, number][]} */
    const layers = [[this.points, size.width], [this.focus.panels.closeup.points, size.closeup]];
    for (const [canvas, side] of layers) {
      if (!side) continue;
      fitCanvas(canvas, side, side, ratio);
      drawPoints(contextOf(canvas), recording, scale, theme, side, ratio);
    }
    this.invalidate();
  }

  /**
   * Go to a frame and stop there.
   *
   * @param {number} frame
   */
  seek(frame) {
    if (this.recording) this.setPlayback(player.seek(this.state, this.recording, frame));
  }

  /**
   * Go to a mark of the network in focus, if it has one.
   *
   * @param {string} kind  "onset", "best" or "stop"
   */
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

  /**
   * Go up or down in the list of speeds.
   *
   * @param {number} steps
   */
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

  /**
   * Replace the state of the playback.
   *
   * @param {State} state
   */
  setPlayback(state) {
    this.state = state;
    // the slider is updated at once, the pictures in the next animation frame
    if (this.recording) updateTransport(this.transport, this.recording, state);
    this.change();
    this.reporter.schedule();
  }

  /**
   * Replace the view of the recording.
   *
   * @param {View} view
   */
  setView(view) {
    this.view = view;
    this.change();
    this.reporter.schedule();
  }

  /**
   * Focus a card.
   *
   * @param {number} c  index of the card
   */
  focusOn(c) {
    const card = this.recording?.cards[c];
    if (card) this.setView({ ...this.view, focus: card.key });
  }

  /**
   * Set the strength of all methods.
   *
   * @param {number} strengthIndex
   */
  setAllStrengths(strengthIndex) {
    if (this.recording) this.setView(views.setStrengthIndex({ ...this.view, linked: true }, this.recording.cards, null, strengthIndex));
  }

  /**
   * Move each strength by a number of steps.
   *
   * @param {number} steps
   */
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

  /**
   * Prune all weights below a threshold.
   *
   * @param {number} threshold  on |w|; 0 for none
   */
  prune(threshold) {
    this.setView({ ...this.view, threshold });
  }

  /**
   * Change a parameter of the network in focus.
   *
   * @param {number} index  in its row
   * @param {number} value
   */
  edit(index, value) {
    if (this.view.focus !== null) this.setView(views.edit(this.view, this.view.focus, index, value));
  }

  /**
   * Undo the change of a parameter of the network in focus.
   *
   * @param {number} [index]  in its row; all parameters by default
   */
  undoEdit(index) {
    if (this.view.focus !== null) this.setView(views.undoEdit(this.view, this.view.focus, index));
  }

  /**
   * Move the crosshair, at which all networks' predictions are shown.
   *
   * @param {Place|null} place  null to hide it
   */
  point(place) {
    this.place = place;
    this.pointed = true;
    this.requestFrame();
  }

  /** Draw in the next animation frame, at the same resolution as before. */
  invalidate() {
    this.stale = true;
    this.requestFrame();
  }

  /** Draw in the next animation frame, at the resolution that keeps up with changes. */
  change() {
    this.fine = false;
    this.invalidate();
  }

  requestFrame() {
    if (!this.animationFrame) this.animationFrame = requestAnimationFrame(this.onFrame);
  }

  /**
   * Advance the playback, and draw if something has changed.
   *
   * @param {number} now  milliseconds
   */
  tick(now) {
    this.animationFrame = 0;
    if (!this.recording) return;
    const before = this.state;
    this.state = player.tick(before, this.recording, (now - (this.lastTick || now)) / 1000);
    // while it waits for a frame, the message with that frame requests the animation frame
    const playing = this.state.mode === "playing" && !player.isWaiting(this.state, this.recording);
    this.lastTick = playing ? now : 0;
    // between two recorded frames there is nothing to draw
    if (this.state.frame !== before.frame || this.state.mode !== before.mode) this.change();
    if (this.stale) this.drawMoving();
    else if (this.pointed) updateCrosshairs(/** @type {Showing} */ (this));
    this.pointed = false;
    if (playing) this.requestFrame();
  }

  /** Draw at the current resolution, adapt it to the time taken, and schedule the full resolution. */
  drawMoving() {
    const began = performance.now();
    this.draw();
    this.resolution = adaptResolution(this.resolution, performance.now() - began);
    clearTimeout(this.refineTimer);
    this.refineTimer = setTimeout(() => this.refine(), REFINE_DELAY_MS);
  }

  /** Draw everything at once. */
  draw() {
    if (!this.recording || !this.size.width) return;
    this.stale = false;
    drawBoard(/** @type {Showing} */ (this));
  }

  /**
   * Draw at full resolution, one card per task so that the page stays responsive, and describe the
   * pictures in words.
   *
   * @param {number} [c]  the card to begin with
   */
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
    this.reporter.schedule();
  }

  /** Stop drawing until the next message or change. */
  stop() {
    cancelAnimationFrame(this.animationFrame);
    clearTimeout(this.refineTimer);
    this.reporter.cancel();
    this.animationFrame = this.lastTick = this.refineTimer = 0;
  }
}
