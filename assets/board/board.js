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
import { START_PACE, paced } from "./state/pace.js";
import * as player from "./state/player.js";
import { drawPoints } from "./draw/points.js";
import { append, isComplete, start, weightAxes } from "./state/recording.js";
import { makeScale } from "./draw/scale.js";
import { makeShown } from "./state/shown.js";
import { readTheme } from "./draw/theme.js";
import { addTooltip } from "./panels/tooltip.js";
import { makeStuck, makeTransport, updateTransport } from "./panels/transport.js";
import * as views from "./state/view.js";

// how long the picture has to stand still before it is drawn as finely as can be, and said in words
const REST = 200;
// and how long nothing may have moved before the server is told what is looked at
const TELL = 120;
// seconds to wait for an answer that may never come
const ASK_AGAIN = 2;

/**
 * @typedef {import("./state/codec.js").FirstMessage} FirstMessage
 * @typedef {import("./state/codec.js").Look} Look
 * @typedef {import("./panels/pointing.js").Place} Place
 * @typedef {import("./state/recording.js").Recording} Recording
 * @typedef {import("./state/view.js").Seen} Seen
 *
 * @typedef {Board & {recording: Recording, theme: import("./draw/theme.js").Theme, scale: import("./draw/scale.js").Scale}} Showing
 *   a board that shows a recording
 */

export class Board {
  /** @type {Recording|null} */ recording = null;
  /** @type {import("./state/player.js").State} */ state = player.START;
  /** @type {import("./state/view.js").View} */ view = views.START;
  /** @type {cards.CardElements[]} */ cards = [];
  /** @type {import("./state/shown.js").Shown[]} */ shown = [];
  /** @type {import("./draw/theme.js").Theme|null} */ theme = null;
  /** @type {import("./draw/scale.js").Scale|null} */ scale = null;
  /** @type {Map<number, import("./draw/painter.js").Painter>} by grid points along a side */ painters = new Map();
  pace = START_PACE;
  fine = false;
  pointed = false;
  points = document.createElement("canvas");
  axes = { range: 1, most: 1 };
  /** @type {import("./state/marks.js").Mark[]} */ marks = [];
  /** @type {Place|null} */ place = null;
  size = { width: 0, histogram: 52, closeup: 0 };
  ratio = 1;
  stale = false;
  /** @type {ReturnType<typeof setTimeout>|0} */ resting = 0;
  /** @type {ReturnType<typeof setTimeout>|0} */ telling = 0;
  pressed = false;
  known = "";
  addressed = "";
  /** @type {Look["id"]|null} */ wish = null;
  reply = 0;
  /** Resolves when all messages so far are decoded. */
  /** @type {Promise<unknown>} */
  received = Promise.resolve();
  /** Seconds until the server wishes to be asked for more. */
  askAfter = 0;
  left = false;
  request = 0;
  time = 0;
  /**
   * Called with what is looked at, when that is not what the server knows and nothing moves.
   *
   * @type {(seen: Seen) => void}
   */
  onView = () => {};
  /**
   * Called with recording and what is looked at of it, when that has changed.
   *
   * @type {(recording: Recording, seen: Seen) => void}
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
      makeStuck(this.transport), this.transport.element, this.legend.element, this.grid, this.focus.element, this.probe, this.help.element,
    );
    Object.assign(this.element, { regviz: this });
    addTooltip(this.element);
    this.onFrame = (/** @type {number} */ now) => this.tick(now);
    this.element.addEventListener("pointerdown", () => (this.pressed = true));
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
    const drawn = !this.size.width || (this.fine && !this.stale && !this.resting);
    return drawn && !this.playing && !this.telling;
  }

  /** Which card is seen large. */
  focusIndex() {
    return (this.recording?.cards ?? []).findIndex(({ key }) => key === this.view.focus);
  }

  /**
   * @param {Uint8Array} bytes  a message
   * @returns {Promise<{run: string, held: number}|null>}  what to ask the server for next
   */
  async receive(bytes) {
    // one after another: a short message is decompressed sooner than a long one before it
    const message = Promise.all([decode(bytes), this.received.catch(() => {})]);
    this.received = message;
    return this.take((await message)[0]);
  }

  /**
   * Show a decoded message.
   *
   * @param {import("./state/codec.js").Message} message  with frame 0 it is a FirstMessage
   * @returns {{run: string, held: number}|null}  as of `receive`
   */
  take(message) {
    const { run, frame, epochs, reply, rest } = message.header;
    this.askAfter = rest;
    // a session counts its replies
    this.left ||= reply <= this.reply && this.onNewSession();
    this.reply = reply;
    if (this.left) return null;
    if (this.recording?.run !== run) {
      // without its first frame a run cannot begin; the old picture stays
      if (frame !== 0) return { run, held: 0 };
      this.begin(start(/** @type {FirstMessage} */ (message)));
    } else {
      // A second answer to one question. The next question is on its way, or lost: Streamlit forgets
      // what a fragment was asked if the page runs anew before it.
      if (frame < this.recording.held) {
        this.askAfter = Math.max(rest, ASK_AGAIN);
        return this.complete ? null : this.next();
      }
      this.recording = append(this.recording, message);
    }
    const recording = /** @type {Recording} */ (this.recording);
    this.obey(recording, message.header.look);
    this.state = player.arrived(this.state, recording);
    this.axes = weightAxes(recording);
    this.change();
    // once more when all is there, so that the server knows; its answer to that is empty
    return isComplete(recording) && epochs.length === 0 ? null : this.next();
  }

  /**
   * Look where the server wishes, once for each wish.
   *
   * @param {Recording} recording
   * @param {Look|undefined} look
   */
  obey(recording, look) {
    if (!look || look.id === this.wish) return;
    const first = this.wish === null;
    this.wish = look.id;
    this.look(views.wished(this.view, recording, look));
    if (look.epoch !== null) this.state = player.until(this.state, recording, look.epoch);
    this.known = JSON.stringify({ ...this.seen(recording), epoch: look.epoch });
    if (look.scroll && !first) this.element.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  /** The visitor has let go of whatever it was. */
  letGo() {
    if (!this.pressed) return;
    this.pressed = false;
    this.tellLater();
  }

  /**
   * What is looked at, as the server and the address bar are told.
   *
   * @param {Recording} recording
   * @returns {Seen}
   */
  seen(recording) {
    const { view, state } = this;
    const { epochs, held, nFrames } = recording;
    const atEnd = state.mode !== "resting" || state.frame === nFrames - 1;
    const strength_indices = Object.fromEntries(recording.cards.map((card) => [card.key, views.strengthIndexOf(view, card)]));
    return { look: this.wish, focus: view.focus, strength_indices, epoch: atEnd ? null : epochs[Math.min(state.frame, held - 1)] };
  }

  /** Say what is looked at, unless something is still on the move. */
  tellLater() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.telling = 0;
      if (!this.recording || this.pressed) return;
      const seen = this.seen(this.recording);
      const known = JSON.stringify(seen);
      if (known !== this.known) this.onView(seen);
      this.known = known;
      const addressed = [this.recording.run, this.recording.link, known].join();
      if (addressed !== this.addressed) this.onAddress(this.recording, seen);
      this.addressed = addressed;
    }, TELL);
  }

  /** What to ask the server for: the frames after those held. */
  next() {
    return this.recording && { run: this.recording.run, held: this.recording.held };
  }

  /**
   * Show another run from now on.
   *
   * @param {Recording} recording
   */
  begin(recording) {
    const first = matchMedia("(prefers-reduced-motion: reduce)").matches ? player.START : player.FIRST;
    const state = this.recording ? player.renewed(this.state, this.recording) : first;
    const view = views.renewed(this.view, recording);
    this.recording = recording;
    this.state = state;
    this.view = view;
    this.theme = null;
    this.painters = new Map();
    this.pace = START_PACE;
    /** @type {Parameters<typeof cards.makeCard>[2]} */
    const handlers = {
      focus: (key) => this.look({ ...this.view, focus: key }),
      strengthen: (key, strengthIndex) => this.look(views.setStrengthIndex(this.view, recording.cards, key, strengthIndex)),
      point: (place) => this.point(place),
    };
    this.cards = recording.cards.map((_, c) => cards.makeCard(recording, c, handlers));
    this.shown = recording.cards.map((card, c) => makeShown(card, c, recording.nParameters));
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
    this.cards.forEach((card, c) => cards.dressCard(card, recording.cards[c], theme));
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
    if (this.recording) this.go(player.seek(this.state, this.recording, frame));
  }

  /** @param {string} kind */
  seekMark(kind) {
    const mark = this.marks.find((each) => each.kind === kind);
    if (mark) this.seek(mark.frame);
  }

  play() {
    if (this.recording) this.go(player.play(this.state, this.recording));
  }

  pause() {
    this.go(player.pause(this.state));
  }

  toggle() {
    this.playing ? this.pause() : this.play();
  }

  restart() {
    this.go(player.restart(this.state));
  }

  /** @param {number} steps */
  changeSpeed(steps) {
    this.go(player.faster(this.state, steps));
  }

  cycleSpeed() {
    const { SPEEDS } = player;
    const next = (SPEEDS.indexOf(this.state.speed) + 1) % SPEEDS.length;
    this.go({ ...this.state, speed: SPEEDS[next] });
  }

  toggleLoop() {
    this.go({ ...this.state, loop: !this.state.loop });
  }

  /** @param {player.State} state */
  go(state) {
    this.state = state;
    // the slider answers at once, the pictures with the next frame
    if (this.recording) updateTransport(this.transport, this.recording, state);
    this.change();
    this.tellLater();
  }

  /**
   * Look at the same recording in another way.
   *
   * @param {views.View} view
   */
  look(view) {
    this.view = view;
    this.change();
    this.tellLater();
  }

  /** @param {number} c */
  focusOn(c) {
    const card = this.recording?.cards[c];
    if (card) this.look({ ...this.view, focus: card.key });
  }

  /** @param {number} strengthIndex */
  strengthenAll(strengthIndex) {
    if (this.recording) this.look(views.setStrengthIndex({ ...this.view, linked: true }, this.recording.cards, null, strengthIndex));
  }

  /** @param {number} steps */
  strengthenBy(steps) {
    if (!this.recording) return;
    const view = views.shift(this.view, this.recording.cards, steps);
    if (view !== this.view) this.look(view);
  }

  toggleLink() {
    this.look({ ...this.view, linked: !this.view.linked });
  }

  toggleDiscrete() {
    if (this.recording && this.recording.network.task !== "regression") this.look({ ...this.view, discrete: !this.view.discrete });
  }

  /** @param {number} threshold */
  prune(threshold) {
    this.look({ ...this.view, threshold });
  }

  /**
   * @param {number} index
   * @param {number} value
   */
  edit(index, value) {
    if (this.view.focus !== null) this.look(views.edit(this.view, this.view.focus, index, value));
  }

  /** @param {number} [index] */
  unedit(index) {
    if (this.view.focus !== null) this.look(views.unedit(this.view, this.view.focus, index));
  }

  /**
   * Ask all networks for their prediction at a place of the picture, or cease to.
   *
   * @param {Place|null} place
   */
  point(place) {
    this.place = place;
    this.pointed = true;
    this.wake();
  }

  /** Draw in the browser's next frame, as finely as before. */
  invalidate() {
    this.stale = true;
    this.wake();
  }

  /** What is shown is another: draw it in the browser's next frame, as finely as that allows. */
  change() {
    this.fine = false;
    this.invalidate();
  }

  wake() {
    if (!this.request) this.request = requestAnimationFrame(this.onFrame);
  }

  /** @param {number} now */
  tick(now) {
    this.request = 0;
    if (!this.recording) return;
    const before = this.state;
    this.state = player.tick(before, this.recording, (now - (this.time || now)) / 1000);
    // what waits is woken by the next frame that arrives
    const playing = this.state.mode === "playing" && !player.isWaiting(this.state, this.recording);
    this.time = playing ? now : 0;
    // between two recorded frames there is nothing to draw
    if (this.state.frame !== before.frame || this.state.mode !== before.mode) this.change();
    if (this.stale) this.move();
    else if (this.pointed) pointAt(/** @type {Showing} */ (this));
    this.pointed = false;
    if (playing) this.wake();
  }

  /** Draw what moves, as coarsely as it takes to keep up; then, when it stands still, finely. */
  move() {
    const began = performance.now();
    this.draw();
    this.pace = paced(this.pace, performance.now() - began);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), REST);
  }

  /** Draw everything, now. */
  draw() {
    if (!this.recording || !this.size.width) return;
    this.stale = false;
    drawBoard(/** @type {Showing} */ (this));
  }

  /** Draw more finely, a card in each of the browser's frames, and say it in words. */
  rest(c = 0) {
    this.resting = 0;
    if (!this.recording || this.stale || !this.size.width) return;
    if (!this.fine && this.pace.coarse > 0 && c < this.cards.length) {
      refineCard(/** @type {Showing} */ (this), c);
      this.resting = setTimeout(() => this.rest(c + 1));
      return;
    }
    this.fine = true;
    refineFocus(/** @type {Showing} */ (this));
    describeBoard(/** @type {Showing} */ (this));
    this.tellLater();
  }

  /** Stop drawing; the next message or change starts it again. */
  stop() {
    cancelAnimationFrame(this.request);
    clearTimeout(this.resting);
    clearTimeout(this.telling);
    this.request = this.time = this.resting = this.telling = 0;
  }
}
