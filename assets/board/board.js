/**
 * The board: all of its state in one object, and the few ways in which it changes. It draws at most
 * once for each of the browser's frames, and only when something has changed.
 */

import { NO_AXES, growAxes } from "./axes.js";
import * as cards from "./card.js";
import { decode } from "./codec.js";
import { make } from "./dom.js";
import { listen } from "./keyboard.js";
import { layOut } from "./layout.js";
import { makeLegend, updateSigns, updateStatus } from "./legend.js";
import { makePainter, paintBoundary, preparePoints } from "./painter.js";
import * as player from "./player.js";
import { append, start } from "./recording.js";
import { makeScale } from "./scale.js";
import { readTheme } from "./theme.js";
import { addTooltip } from "./tooltip.js";
import { makeTransport, updateTransport } from "./transport.js";

// how long the picture has to stand still before it is said in words
const REST = 200;

export class Board {
  /** @type {import("./recording.js").Recording|null} */ recording = null;
  /** @type {import("./player.js").State} */ state = player.START;
  /** @type {Object[]} */ cards = [];
  theme = null;
  scale = null;
  painter = null;
  axes = NO_AXES;
  size = { width: 0, histogram: 52 };
  ratio = 1;
  stale = false;
  resting = 0;
  request = 0;
  time = 0;

  constructor() {
    this.transport = makeTransport(this);
    this.legend = makeLegend();
    this.grid = make("div", { class: "cards" });
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.element = make(
      "section",
      { class: "regviz-board", "aria-label": "Networks in training", tabindex: "-1" },
      this.transport.element, this.legend.element, this.grid, this.probe,
    );
    this.element.regviz = this;
    addTooltip(this.element);
    listen(this.element, this);
    this.onFrame = (now) => this.tick(now);
  }

  get frame() {
    return this.state.frame;
  }

  get playing() {
    return player.isMoving(this.state);
  }

  /**
   * @param {Uint8Array} bytes  a message
   * @returns {{run: string, frame: number}|null}  what to ask the server for next
   */
  receive(bytes) {
    const message = decode(bytes);
    const { run, frame, epochs } = message.header;
    if (this.recording?.run !== run) {
      // without its first frame a run cannot begin; the old picture stays
      if (frame !== 0) return { run, frame: 0 };
      this.begin(start(message));
    } else {
      this.recording = append(this.recording, message);
    }
    this.state = player.arrived(this.state, this.recording);
    this.axes = growAxes(this.axes, this.recording);
    this.invalidate();
    // once more when all is there, so that the server knows; its answer to that is empty
    return frame === this.recording.nFrames && epochs.length === 0 ? null : this.next();
  }

  /** What to ask the server for: the frames after those held. */
  next() {
    return this.recording && { run: this.recording.run, frame: this.recording.held };
  }

  /** Show another run from now on. */
  begin(recording) {
    const painter = makePainter(recording);
    const still = this.recording || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const state = still ? player.START : player.FIRST;
    Object.assign(this, { recording, painter, state, axes: NO_AXES, theme: null });
    this.cards = recording.cards.map((_, k) => cards.makeCard(recording, k));
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
    this.scale = makeScale(this.recording, theme);
    this.cards.forEach((card, k) => cards.dressCard(card, this.recording.cards[k], theme));
    updateSigns(this.legend, this.recording, this.scale, theme);
    this.preparePoints();
  }

  /** Arrange the cards in the width there is, and fit the pictures to them. */
  measure() {
    if (!this.recording) return;
    layOut(this.element, this.cards.length);
    const { clientWidth: width } = this.cards[0].boundary;
    const { clientHeight: histogram } = this.cards[0].histogram;
    const { size, ratio } = this;
    const known = width === size.width && histogram === size.histogram;
    if (!width || (known && ratio === devicePixelRatio)) return;
    this.size = { width, histogram };
    this.ratio = devicePixelRatio;
    this.preparePoints();
  }

  preparePoints() {
    const { painter, recording, scale, theme, size, ratio } = this;
    if (size.width) preparePoints(painter, recording, scale, theme, size.width, ratio);
    this.invalidate();
  }

  seek(frame) {
    if (this.recording) this.go(player.seek(this.state, this.recording, frame));
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

  go(state) {
    this.state = state;
    // the slider answers at once, the pictures with the next frame
    if (this.recording) updateTransport(this.transport, this.recording, state);
    this.invalidate();
  }

  /** Draw in the browser's next frame. */
  invalidate() {
    this.stale = true;
    this.wake();
  }

  wake() {
    if (!this.request) this.request = requestAnimationFrame(this.onFrame);
  }

  tick(now) {
    this.request = 0;
    if (!this.recording) return;
    const before = this.state;
    this.state = player.tick(before, this.recording, (now - (this.time || now)) / 1000);
    const playing = this.state.mode === "playing";
    this.time = playing ? now : 0;
    // between two recorded frames there is nothing to draw
    if (this.stale || this.state.frame !== before.frame || this.state.mode !== before.mode) this.draw();
    if (playing) this.wake();
  }

  /** Draw everything, now. */
  draw() {
    const { recording, painter, scale, theme, axes, size, ratio, frame } = this;
    if (!recording || !size.width) return;
    this.stale = false;
    this.cards.forEach((card, k) => {
      paintBoundary(painter, card.boundary, recording, scale, theme, frame, k, size.width, ratio);
      cards.updateNumbers(card, recording, frame, k);
      cards.updateHistogram(card, recording, axes, frame, k, size, ratio);
    });
    updateTransport(this.transport, recording, this.state);
    updateStatus(this.legend, recording);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.cards.forEach((card, k) => cards.describe(card, this.recording, this.frame, k));
    }, REST);
  }

  /** Stop drawing; the next message or change starts it again. */
  stop() {
    cancelAnimationFrame(this.request);
    clearTimeout(this.resting);
    this.request = this.time = 0;
  }
}
