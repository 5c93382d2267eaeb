/**
 * The board: its state in one object, and the methods that change it. A change is drawn in the next
 * animation frame, together with all other changes until then.
 */

/**
 * @import {Exported, Place, Stage} from "./panels/types.d.ts"
 * @import {Claims, FirstMessage, Mark, Message, Part, Recording, RequestedView, State, View} from "./state/types.d.ts"
 * @import {ClaimRequest, Request, TrainingChange} from "./types.d.ts"
 */

import * as cards from "./panels/card.js";
import { decode } from "./state/codec.js";
import { updateCrosshairs } from "./panels/crosshair.js";
import { contextOf, fitCanvas, make, resizeAll, zoomOf } from "./draw/dom.js";
import { makeChange, openChange } from "./panels/change.js";
import { Commands } from "./commands.js";
import { describeBoard, drawBoard, drawTexts, drawWithoutTexts, refineCard, refineFocus } from "./drawing.js";
import { makeSaveButtons } from "./export/export.js";
import { makeFocus } from "./panels/focus.js";
import { makeClaims, revealClaim, updateClaims } from "./panels/claims.js";
import { focusCorrection, hasFocus } from "./panels/correction.js";
import { listKeys, makeHelp } from "./panels/help.js";
import { layOut, mostProjected } from "./panels/layout.js";
import { makeLegend, updateSigns } from "./panels/legend.js";
import { makePicture } from "./panels/picture.js";
import { showPart } from "./panels/part.js";
import { makeProjection, updateProjection } from "./panels/projection.js";
import { START_RESOLUTION, adaptResolution } from "./state/resolution.js";
import * as player from "./state/player.js";
import { Reporter } from "./reporter.js";
import { makeSummary } from "./panels/summary.js";
import { drawPoints } from "./draw/points.js";
import { append, isComplete, start, weightAxes } from "./state/recording.js";
import { reachOf } from "./state/inputs.js";
import { isTable, planeOf } from "./state/plane.js";
import { makeScale } from "./draw/scale.js";
import { makeDisplayed } from "./state/displayed.js";
import { readTheme } from "./draw/theme.js";
import { Tooltip } from "./panels/tooltip.js";
import { watchSticky, makeTransport, updateTransport } from "./panels/transport.js";
import * as views from "./state/view.js";

// milliseconds without a change until the board is drawn at full resolution and described in words
const REFINE_DELAY_MS = 200;
// Milliseconds between changes of the texts while pictures move: 25 a second are more than one can read. For one
// changed text Firefox makes the display list of the whole page again, 5.5 of the 13.8 ms of a picture on the
// opening page; a canvas costs 0.1 ms.
const TEXTS_MS = 40;
// seconds until a request for frames is repeated, where its answer may be lost
const RETRY_SECONDS = 2;

export class Board {
  /** @type {Stage|null} null until the first message */ stage = null;
  /** @type {State} */ state = player.START;
  /** @type {View} */ view = views.START;
  resolution = START_RESOLUTION;
  /** Whether the pictures are drawn at full resolution. */
  fine = false;
  /** Whether the cards were last drawn at a reduced resolution. */
  reduced = false;
  /** Whether the crosshair has moved since it was drawn. */
  pointed = false;
  /** The data points, drawn once for all cards. */
  points = document.createElement("canvas");
  /** Axes of all cards' histograms; see `weightAxes`. */
  axes = { range: 1, most: 1, reach: 1 };
  /** @type {Mark[]} */ marks = [];
  /** @type {Place|null} of the crosshair */ place = null;
  /** In CSS pixels: side of a card's boundary, width and height of its histogram, side of the closeup. */
  size = { width: 0, bars: 0, histogram: 52, closeup: 0 };
  /** Device pixels per CSS pixel of the board, which is larger than the page's while projecting. */
  ratio = 1;
  /** Whether something has changed since the last drawing. */
  stale = false;
  /** Whether texts are held back since the last drawing. */
  textsHeld = false;
  /** Time of the animation frame in which texts were last written, in milliseconds. */
  lastTexts = 0;
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
  /** @type {Claims|null} null if the server offers none */ claims = null;
  /** @type {Part|null} the part that a lesson shows; null for the whole board */ part = null;
  /** @type {string|null} key of the claim that was asked for and is not opened yet */ askedClaim = null;
  /** @type {(request: ClaimRequest) => void} called to open a claim, or to undo it */ onClaim = () => {};
  /** Called when the server has begun another session for this page; returns whether it is reloaded. */
  onNewSession = () => false;
  /** @type {((change: TrainingChange) => void)|null} null where there is no server */ requestChange = null;

  constructor() {
    this.commands = new Commands(this);
    this.help = makeHelp();
    this.transport = makeTransport(this.commands);
    this.changePanel = makeChange(this.commands);
    this.changePanel.button.hidden = true;
    this.transport.project.before(this.changePanel.button);
    this.transport.element.append(this.help.button, this.changePanel.panel);
    this.claimsPanel = makeClaims(this.commands);
    this.projection = makeProjection(this.commands, this.claimsPanel.steps);
    this.legend = makeLegend();
    this.picture = makePicture(this.commands);
    this.grid = make("div", { class: "cards" });
    this.summary = makeSummary();
    this.focus = makeFocus(this.commands, {
      point: (place) => this.point(place),
      invalidate: () => this.invalidate(),
    });
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.element = make(
      "section",
      { class: "regviz-board", "aria-label": "Networks in training", tabindex: "-1" },
      this.claimsPanel.element, watchSticky(this.transport), this.transport.element, this.projection.chooser, this.legend.element, this.picture.element, this.grid,
      this.summary, makeSaveButtons(() => this.exported()), this.focus.element, this.probe, this.help.element, this.projection.curtain,
    );
    // the only handle to a board for devtools, benchmarks and tests, as no module exports an instance
    Object.assign(this.element, { regviz: this });
    this.tooltip = new Tooltip(this.element);
    this.onFrame = (/** @type {number} */ now) => this.tick(now);
    this.element.addEventListener("pointerdown", () => (this.reporter.pointerDown = true));
  }

  get recording() {
    return this.stage?.recording ?? null;
  }

  get frame() {
    return this.state.frame;
  }

  get playing() {
    return player.isMoving(this.state);
  }

  /** Key of the claim that the board shows, or null. */
  get shownClaim() {
    return this.claims && this.recording && views.shownClaim(this.claims, this.view, this.recording.cards);
  }

  /** Key of the claim that the board shows or has asked for, or null. */
  get claim() {
    return this.askedClaim ?? this.shownClaim;
  }

  /** Whether all frames have been received. */
  get complete() {
    return this.recording !== null && isComplete(this.recording);
  }

  /**
   * Decode a message and show it.
   *
   * @param {Uint8Array} bytes  a message
   * @returns {Promise<Request|null>}  the next request for frames, or null if
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
   * @returns {Request|null}  as of `receive`
   */
  apply(message) {
    const { run, frame, epochs, reply, ask_after } = message.header;
    this.askAfter = ask_after;
    // replies are numbered within a session: a number that does not grow is of a new session
    this.sessionLost ||= reply <= this.lastReply && this.onNewSession();
    this.lastReply = reply;
    if (this.sessionLost) return null;
    this.part = message.header.part ?? null;
    const { stage } = this;
    let recording;
    if (stage?.recording.run !== run) {
      // a run begins with its frame 0, which holds the points and the cards; until then the old one stays
      if (frame !== 0) return { run, n_received: 0 };
      recording = start(/** @type {FirstMessage} */ (message));
      this.beginRun(recording);
    } else {
      // A second answer to one request. The next request is on its way, or lost: Streamlit drops a
      // fragment's trigger value if the whole page reruns before the fragment does.
      if (frame < stage.recording.nReceived) {
        this.askAfter = Math.max(ask_after, RETRY_SECONDS);
        return this.complete ? null : requestAfter(stage.recording);
      }
      recording = stage.recording = append(stage.recording, message);
    }
    this.applyRequestedView(recording, message.header.requested_view);
    this.claims = message.header.claims ?? null;
    if (this.claims?.opened === this.askedClaim) this.askedClaim = null;
    listKeys(this.help, "claims", this.claims !== null);
    showPart(this.element, this.focus, this.part);
    if (this.stage && this.present(this.stage)) this.measure();
    this.state = player.framesArrived(this.state, recording);
    this.axes = { ...weightAxes(recording), reach: isTable(recording) ? reachOf(recording) : 1 };
    // an answer without frames leaves pictures at rest at full resolution
    if (epochs.length > 0) this.change();
    else this.invalidate();
    // one more request tells the server that all frames are received; its answer has no frames
    return isComplete(recording) && epochs.length === 0 ? null : requestAfter(recording);
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
    const play = requested.play && !reducedMotion();
    const epoch = requested.play && !play ? requested.epoch ?? recording.lastEpoch : requested.epoch;
    if (epoch !== null) this.state = player.seekEpoch(this.state, recording, epoch, play);
    else if (play) this.state = player.play(player.restart(this.state), recording);
    const report = views.reportOf(this.view, recording, this.state, requested.id);
    this.reporter.acknowledge({ ...report, epoch: requested.epoch });
    if (requested.scroll && !first) this.element.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  /**
   * Replace the recording by that of another run.
   *
   * @param {Recording} recording
   */
  beginRun(recording) {
    const first = reducedMotion() ? player.START : player.FIRST_RUN;
    this.state = this.recording ? player.startRun(this.state, this.recording) : first;
    this.view = views.keepForRun(this.view, recording);
    this.resolution = START_RESOLUTION;
    const handlers = {
      focus: (/** @type {number} */ c) => this.commands.focusOn(c),
      setStrength: (/** @type {string} */ key, /** @type {number} */ strengthIndex) => this.commands.setStrength(key, strengthIndex),
      setVariant: (/** @type {string} */ key, /** @type {number} */ variantIndex) => this.commands.setVariant(key, variantIndex),
      correct: this.requestChange && !this.part ? (/** @type {boolean} */ corrected) => this.commands.correct(corrected) : null,
      point: (/** @type {Place|null} */ place) => this.point(place),
    };
    const theme = readTheme(this.probe);
    this.stage = {
      recording,
      theme,
      scale: makeScale(recording, theme),
      plane: planeOf(recording, this.view.axes),
      painters: new Map(),
      cards: recording.cards.map((_, c) => cards.makeCard(recording, c, handlers)),
      displayed: recording.cards.map((card, c) => makeDisplayed(card, c, recording.nParameters)),
    };
    const corrects = hasFocus(this.grid);
    this.grid.replaceChildren(...this.stage.cards.map(({ element }) => element));
    if (corrects) focusCorrection(this.grid);
    this.restyle(true);
    this.measure();
  }

  /**
   * Apply the page's theme, if it has changed.
   *
   * @param {boolean} [force]  whether to apply it even if it is the same
   */
  restyle(force = false) {
    const theme = readTheme(this.probe);
    const { stage } = this;
    if (!stage || (!force && theme.mode === stage.theme.mode)) return;
    const { recording } = stage;
    stage.theme = theme;
    stage.scale = makeScale(recording, theme);
    this.element.dataset.theme = theme.mode;
    stage.cards.forEach((card, c) => cards.applyTheme(card, recording.cards[c], theme));
    updateSigns(this.legend, recording, stage.scale, theme, views.showsWeights(this.view, recording));
    this.preparePoints(stage);
  }

  /**
   * Show the view's cards, in the page or projected; return whether these have changed.
   *
   * @param {Stage} stage
   */
  present({ recording, cards: all }) {
    const shown = views.shownCards(this.view, recording.cards, mostProjected(innerWidth)).map(({ key }) => key);
    const said = updateClaims(this.claimsPanel, this.claims, this.claim);
    return updateProjection(this.projection, this.element, recording.cards, all, shown, this.view) || said;
  }

  /** Lay out the cards in the available width, and adapt the canvases to it. */
  measure() {
    const { stage, size, ratio } = this;
    if (!stage) return;
    this.present(stage);
    revealClaim(this.claimsPanel, this.claim);
    const shown = stage.cards.filter(({ element }) => !element.hidden);
    layOut(this.element, shown.length, this.view.projected, this.claimsPanel.element.offsetHeight);
    const { clientWidth: width } = shown[0].boundary;
    const { clientWidth: bars, clientHeight: histogram } = shown[0].histogram;
    const { clientWidth: closeup } = this.focus.panels.closeup.canvas;
    this.invalidate();
    const next = { width, bars, histogram, closeup };
    const nextRatio = devicePixelRatio * zoomOf(this.element);
    if (!width || (JSON.stringify(next) === JSON.stringify(size) && nextRatio === ratio)) return;
    this.size = next;
    this.ratio = nextRatio;
    this.preparePoints(stage);
  }

  /**
   * Draw the data points to the layers that are copied into each picture.
   *
   * @param {Stage} stage
   */
  preparePoints({ recording, scale, theme, plane }) {
    const { size, ratio } = this;
    /** @type {[HTMLCanvasElement, number][]} */
    const layers = [[this.points, size.width], [this.focus.panels.closeup.points, size.closeup]];
    for (const [canvas, side] of layers) {
      if (!side) continue;
      fitCanvas(canvas, side, side, ratio);
      drawPoints(contextOf(canvas), recording, scale, theme, side, ratio, plane);
    }
    this.invalidate();
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
   * Ask the server to open a claim, or to return to the scene before the claims.
   *
   * @param {string|null} key  of the claim; null to return
   */
  askForClaim(key) {
    const { recording, view, state, requestId, stage } = this;
    if (!recording || !stage) return;
    this.askedClaim = key;
    // the text of the claim is at the top
    if (view.projected) this.element.scrollTo(0, 0);
    this.onClaim({ key, view: views.reportOf(view, recording, state, requestId), local: views.localOf(view) });
    if (this.present(stage)) this.measure();
  }

  /**
   * Replace the view of the recording.
   *
   * @param {View} view
   */
  setView(view) {
    const { axes, inPlane } = this.view;
    this.view = view;
    if (this.stage && (view.axes !== axes || view.inPlane !== inPlane)) this.changePicture(this.stage);
    if (this.stage && this.present(this.stage)) this.measure();
    this.change();
    this.reporter.schedule();
  }

  /**
   * Show the pictures of a table that the view asks for.
   *
   * @param {Stage} stage
   */
  changePicture(stage) {
    const { recording, scale, theme } = stage;
    stage.plane = planeOf(recording, this.view.axes);
    stage.painters.clear();
    updateSigns(this.legend, recording, scale, theme, views.showsWeights(this.view, recording));
    this.preparePoints(stage);
  }

  /**
   * Let the training be changed.
   *
   * @param {(change: TrainingChange) => void} request  sends the change to the server
   */
  allowChange(request) {
    this.requestChange = request;
    this.changePanel.button.hidden = false;
    listKeys(this.help, "changes", true);
  }

  /**
   * Open or close the panel "Change from here". Playback rests while it is open.
   *
   * @param {boolean} [open]  by default, the opposite of now
   */
  openChange(open = Boolean(this.changePanel.panel.hidden)) {
    if (!this.requestChange || !this.recording || this.part) return;
    if (open && this.playing) this.setPlayback(player.pause(this.state));
    openChange(this.changePanel, open);
    this.invalidate();
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
    const { stage } = this;
    if (!stage) return;
    const { recording } = stage;
    const before = this.state;
    this.state = player.tick(before, recording, (now - (this.lastTick || now)) / 1000);
    // while it waits for a frame, the message with that frame requests the animation frame
    const playing = this.state.mode === "playing" && !player.isWaiting(this.state, recording);
    this.lastTick = playing ? now : 0;
    // between two recorded frames there is nothing to draw
    if (this.state.frame !== before.frame || this.state.mode !== before.mode) this.change();
    const texts = this.state.mode !== before.mode || now - this.lastTexts >= TEXTS_MS;
    if (texts && (this.stale || this.textsHeld)) this.lastTexts = now;
    if (this.stale) this.drawMoving(texts);
    else {
      if (texts) this.writeTexts();
      if (this.pointed) updateCrosshairs(stage, this.view, this.place, this.focus.panels.closeup);
    }
    this.pointed = false;
    if (playing || this.textsHeld) this.requestFrame();
  }

  /**
   * Draw at the current resolution, and adapt it to the time taken.
   *
   * @param {boolean} texts  whether to write the texts as well
   */
  drawMoving(texts) {
    const began = performance.now();
    this.draw(texts);
    this.resolution = adaptResolution(this.resolution, performance.now() - began);
  }

  /**
   * Draw everything at once, and schedule the full resolution.
   *
   * @param {boolean} [texts]  whether to write the texts as well
   */
  draw(texts = true) {
    if (!this.stage || !this.size.width) return;
    this.stale = false;
    this.reduced = !this.fine && this.resolution.coarse > 0;
    this.textsHeld = !texts;
    if (texts) drawBoard(this, this.stage);
    else drawWithoutTexts(this, this.stage);
    clearTimeout(this.refineTimer);
    this.refineTimer = setTimeout(() => this.refine(), REFINE_DELAY_MS);
  }

  /** Draw for paper, or again for the screen: at once, as no animation frame is run while the page is printed. */
  print() {
    this.restyle();
    this.fine = true; // all panels, also those out of sight
    // with the theme, then with the sizes: Chromium prints all that is drawn to a canvas since it got its size
    this.draw();
    resizeAll(this.element);
    this.draw();
  }

  /** Write the texts that are held back. */
  writeTexts() {
    if (this.stage && this.textsHeld) drawTexts(this, this.stage);
    this.textsHeld = false;
  }

  /**
   * Return the board as it is now, for export.
   *
   * @returns {Exported|null}  null without a recording
   */
  exported() {
    if (this.stale) this.draw();
    const { stage, view, axes, frame, legend, element, probe } = this;
    return stage && { ...stage, view, axes, frame, signs: legend.signs, element, probe };
  }

  /**
   * Draw at full resolution, one card per task so that the page stays responsive, and describe the
   * pictures in words.
   *
   * @param {number} [c]  the card to begin with
   */
  refine(c = 0) {
    this.refineTimer = 0;
    const { stage } = this;
    if (!stage || this.stale || !this.size.width) return;
    if (this.reduced && c < stage.cards.length) {
      refineCard(this, stage, c);
      this.refineTimer = setTimeout(() => this.refine(c + 1));
      return;
    }
    this.reduced = false;
    this.fine = true;
    this.writeTexts();
    refineFocus(this, stage);
    describeBoard(this, stage);
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

/** Whether the visitor prefers no motion. */
function reducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Return the request for the frames after those received.
 *
 * @param {Recording} recording
 */
function requestAfter({ run, nReceived }) {
  return { run, n_received: nReceived };
}
