/**
 * The drawing pad: its state in one object. Pointer and keys change the drawing, which is reported when a
 * gesture ends.
 */

import { make, setText } from "../board/draw/dom.js";
import { readTheme } from "../board/draw/theme.js";
import { HIT_RADIUS, ERASER_RADIUS, frameOf, heightOf, looksOf, paint, toAxes, unitsOf } from "./canvas.js";
import * as drawings from "./drawing.js";
import { makeControls, updateControls } from "./controls.js";

const REPORT_DELAY_MS = 200; // gestures within it are reported together
const STEPS = 30; // number of arrow key presses from the middle to an end of an axis
const SPRAY_EVERY = 22; // CSS pixels between two sprays of one gesture

const LABEL =
  "Canvas for points. Arrow keys move the crosshair, with Shift further. Enter or Space uses the tool there, " +
  "Delete erases the nearest point, M picks it up and puts it down, 1 to 3 choose a class, Control Z undoes.";

/**
 * @typedef {import("../board/draw/types.d.ts").Theme} Theme
 * @typedef {import("./types.d.ts").Tool} Tool
 * @typedef {import("./canvas.js").Place} Place
 * @typedef {{version: number, kind: drawings.Kind, points: drawings.Point[]}} Drawn  the drawing as reported
 * @typedef {Drawn & {names: string[], colours: string[], limits: drawings.Limits}} Offer  of the server
 *
 * @typedef {Object} Gesture  from pressing to releasing a pointer button
 * @property {"none"|"move"|Tool} kind
 * @property {Place} from    its start, or the last spray
 * @property {number} [index]  of the point that is moved
 * @property {Place} [offset]  of that point from the pointer
 */

export class Pad {
  version = -1;
  /** @type {import("./drawing.js").History} */ history = drawings.begin("classes", []);
  /** The drawing, including the changes of a gesture. @type {import("./drawing.js").Drawing} */
  live = this.history.present;
  /** @type {Tool} */ tool = "point";
  label = 0;
  nClasses = drawings.N_CLASSES;
  value = 1;
  /** @type {Place} */ cursor = [0, 0];
  keyboard = false;
  /** @type {Gesture|null} */ gesture = null;
  carried = -1;
  /** @type {Place|null} */ pointed = null;
  reach = 3;
  valueReach = 1;
  /** @type {Theme|null} */ theme = null;
  width = 0;
  frame = frameOf(0, 3);
  /** @type {drawings.Limits} */ limits = { all: 10, each: 3, most: 2000 };
  /** @type {string[]} */ names = [];
  /** @type {string[]} */ colours = [];
  /** @type {ReturnType<typeof setTimeout>|0} */ pending = 0;
  drawing = 0;
  /** Called with the drawing after a change. @type {(drawn: Drawn) => void} */
  onDrawn = () => {};

  constructor() {
    this.canvas = make("canvas", { tabindex: "0", role: "application", "aria-label": LABEL });
    this.status = make("p", { class: "status", role: "status" });
    this.controls = makeControls(this);
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.element = make(
      "section", { class: "regviz-draw", "aria-label": "Draw points" },
      this.controls.element, this.canvas, this.status, this.controls.hint, this.probe,
    );
    // the only handle to a pad for tests, as no module exports an instance
    Object.assign(this.element, { regviz: this });
    listen(this);
  }

  /**
   * Replace drawing and history by the server's points.
   *
   * @param {Offer} offer
   */
  load({ version, kind, points, names, colours, limits }) {
    clearTimeout(this.pending);
    this.version = version;
    this.colours = colours;
    this.limits = limits;
    this.pending = 0;
    this.gesture = null;
    this.carried = -1;
    this.names = colours.map((_, c) => names[c] ?? `class ${c}`);
    this.nClasses = kind === "classes" ? drawings.countsOf(points).length : drawings.N_CLASSES;
    this.label = Math.min(this.label, this.nClasses - 1);
    this.history = drawings.begin(kind, points);
    this.live = this.history.present;
    this.reach = drawings.reachOf(points);
    this.valueReach = kind === "value" ? drawings.valueReach(points) : 1;
    this.value = this.valueReach;
    this.measure(true);
  }

  /** Apply the page's theme. */
  restyle() {
    if (!this.element.isConnected) return; // computed styles are empty until then
    this.theme = readTheme(this.probe);
    this.draw();
  }

  /**
   * Adapt the canvas to the available width.
   *
   * @param {boolean} [force]  whether to do so even if the width is the same
   */
  measure(force = false) {
    const width = this.element.clientWidth;
    if (!width || (width === this.width && !force)) return;
    this.width = width;
    this.frame = frameOf(width, this.reach);
    this.canvas.style.height = `${heightOf(this.frame)}px`;
    this.draw();
  }

  get points() {
    return drawings.pointsOf(this.live);
  }

  /** The label of new points: a class or a value. */
  get chosenLabel() {
    return this.live.kind === "classes" ? this.label : this.value;
  }

  /** Index of the point at the crosshair, or -1. */
  get chosen() {
    return this.find(...this.cursor, HIT_RADIUS.keyboard);
  }

  /**
   * Return the index of the point nearest to a place, or -1.
   *
   * @param {number} x1
   * @param {number} x2
   * @param {number} pixels  largest distance in CSS pixels
   */
  find(x1, x2, pixels) {
    return drawings.nearest(this.points, x1, x2, unitsOf(this.frame, pixels));
  }

  /**
   * Show a drawing, and add it to the history unless a gesture is in progress.
   *
   * @param {drawings.Drawing} drawing
   */
  change(drawing) {
    this.live = drawing;
    if (!this.gesture && this.carried < 0) this.commit();
    this.draw();
  }

  /** Add the drawing to the history and report it. */
  commit() {
    const before = this.history;
    this.history = drawings.commit(before, this.live);
    this.live = this.history.present;
    if (this.history.present !== before.present) this.scheduleReport();
  }

  undo() {
    this.moveInHistory(drawings.undo);
  }

  redo() {
    this.moveInHistory(drawings.redo);
  }

  /**
   * Undo or redo.
   *
   * @param {(history: drawings.History) => drawings.History} step
   */
  moveInHistory(step) {
    if (this.gesture) return;
    this.carried = -1;
    const before = this.history.present;
    this.history = step(this.history);
    this.live = this.history.present;
    if (this.live !== before) this.scheduleReport();
    this.draw();
  }

  /** Report the drawing after REPORT_DELAY_MS without a further change. */
  scheduleReport() {
    clearTimeout(this.pending);
    const { version } = this;
    this.pending = setTimeout(() => {
      this.pending = 0;
      this.onDrawn({ version, kind: this.history.present.kind, points: drawings.pointsOf(this.history.present) });
    }, REPORT_DELAY_MS);
  }

  /**
   * Use the tool at a place of the axes.
   *
   * @param {number} x1
   * @param {number} x2
   */
  use(x1, x2) {
    const { live, limits, reach, chosenLabel } = this;
    this.cursor = placeOf(drawings.at(x1, x2, 0, reach));
    if (this.tool === "erase") {
      this.change(drawings.eraseAround(live, x1, x2, unitsOf(this.frame, ERASER_RADIUS)));
    } else {
      const added =
        this.tool === "spray"
          ? drawings.spray(x1, x2, chosenLabel, reach)
          : [drawings.at(x1, x2, chosenLabel, reach)];
      this.change(drawings.add(live, added, limits.most));
    }
  }

  /** Pick up the point at the crosshair, or put it down. */
  carry() {
    if (this.gesture) return;
    if (this.carried < 0) {
      this.carried = this.chosen;
      if (this.carried >= 0) this.cursor = placeOf(this.points[this.carried]);
      this.draw();
    } else {
      this.carried = -1;
      this.change(this.live);
    }
  }

  /**
   * Move the crosshair, and the point that is picked up, by a number of steps.
   *
   * @param {number} right
   * @param {number} up
   */
  step(right, up) {
    const size = this.reach / STEPS;
    const [x1, x2] = this.cursor;
    this.cursor = placeOf(drawings.at(x1 + right * size, x2 + up * size, 0, this.reach));
    if (this.carried >= 0) this.change(drawings.move(this.live, this.carried, ...this.cursor));
    else this.draw();
  }

  /** Function from a label to the look of its points. */
  get looks() {
    return looksOf(this.live.kind, this.colours, /** @type {Theme} */ (this.theme), this.valueReach);
  }

  /** Draw in the next animation frame. */
  draw() {
    if (!this.theme || !this.width || this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      const { frame, points } = this;
      const theme = /** @type {Theme} */ (this.theme);
      const focused = this.canvas.matches(":focus");
      paint(this.canvas, {
        frame,
        theme,
        points,
        looks: this.looks,
        cursor: focused && this.keyboard ? this.cursor : null,
        chosen: focused ? this.chosen : -1,
        eraser: this.tool === "erase" ? this.pointed : null,
      });
      updateControls(this.controls, this);
      setText(this.status, drawings.describe(this.live, this.limits, this.names));
    });
  }
}

/**
 * Return a point's place.
 *
 * @param {drawings.Point} point
 * @returns {Place}
 */
function placeOf([x1, x2]) {
  return [x1, x2];
}

/**
 * Handle pointer and keys.
 *
 * @param {Pad} pad
 */
function listen(pad) {
  const { canvas } = pad;
  const place = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return toAxes(pad.frame, event.clientX - box.left, event.clientY - box.top);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button > 2 || event.button === 1 || pad.gesture) return;
    canvas.setPointerCapture(event.pointerId);
    if (pad.carried >= 0) pad.carry();
    pad.keyboard = false;
    press(pad, place(event), event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return;
    const [x1, x2] = (pad.pointed = place(event));
    if (pad.gesture) drag(pad, pad.gesture, x1, x2);
    else if (pad.tool === "erase") pad.draw();
  });
  canvas.addEventListener("lostpointercapture", () => {
    if (!pad.gesture) return;
    pad.gesture = null;
    pad.change(pad.live);
  });
  canvas.addEventListener("pointerleave", () => {
    pad.pointed = null;
    pad.draw();
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("focus", () => pad.draw());
  canvas.addEventListener("blur", () => {
    if (pad.carried >= 0) pad.carry();
    pad.draw();
  });
  canvas.addEventListener("keydown", (event) => pressKey(pad, event));
  pad.element.addEventListener("keydown", (event) => historyKey(pad, event));
}

/**
 * Begin a gesture.
 *
 * @param {Pad} pad
 * @param {[number, number]} place
 * @param {PointerEvent} event
 */
function press(pad, [x1, x2], { button, pointerType }) {
  if (Math.max(Math.abs(x1), Math.abs(x2)) > pad.reach + unitsOf(pad.frame, HIT_RADIUS.mouse)) return; // outside the axes
  const hit = pad.find(x1, x2, HIT_RADIUS[pointerType] ?? HIT_RADIUS.mouse);
  /** @type {Gesture} */
  const gesture = { kind: "none", from: [x1, x2] };
  pad.gesture = gesture;
  if (button === 2) {
    if (hit >= 0) pad.change(drawings.erase(pad.live, hit));
  } else if (pad.tool !== "point") {
    gesture.kind = pad.tool;
    pad.use(x1, x2);
  } else {
    const before = pad.points.length;
    if (hit < 0) pad.use(x1, x2);
    if (hit < 0 && pad.points.length === before) return; // the pad is full
    // a point that was hit keeps its offset from the pointer, so that a click does not move it
    const index = hit < 0 ? before : hit;
    const point = pad.points[index];
    pad.cursor = placeOf(point);
    gesture.kind = "move";
    gesture.index = index;
    gesture.offset = [point[0] - x1, point[1] - x2];
    pad.draw();
  }
}

/**
 * Continue a gesture.
 *
 * @param {Pad} pad
 * @param {Gesture} gesture
 * @param {number} x1
 * @param {number} x2
 */
function drag(pad, gesture, x1, x2) {
  const { kind, index, offset, from } = gesture;
  if (index !== undefined && offset) {
    pad.cursor = placeOf(drawings.at(x1 + offset[0], x2 + offset[1], 0, pad.reach));
    pad.change(drawings.move(pad.live, index, ...pad.cursor));
  } else if (kind === "erase") {
    pad.use(x1, x2);
  } else if (kind === "spray" && Math.hypot(x1 - from[0], x2 - from[1]) >= unitsOf(pad.frame, SPRAY_EVERY)) {
    gesture.from = [x1, x2];
    pad.use(x1, x2);
  }
}

/**
 * Handle a key on the canvas.
 *
 * @param {Pad} pad
 * @param {KeyboardEvent} event
 */
function pressKey(pad, event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const far = event.shiftKey ? 5 : 1;
  const action = {
    ArrowLeft: () => pad.step(-far, 0),
    ArrowRight: () => pad.step(far, 0),
    ArrowUp: () => pad.step(0, far),
    ArrowDown: () => pad.step(0, -far),
    Enter: () => (pad.carried >= 0 ? pad.carry() : pad.use(...pad.cursor)),
    " ": () => (pad.carried >= 0 ? pad.carry() : pad.use(...pad.cursor)),
    Delete: () => eraseChosen(pad),
    Backspace: () => eraseChosen(pad),
    m: () => pad.carry(),
    1: () => choose(pad, 0),
    2: () => choose(pad, 1),
    3: () => choose(pad, 2),
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation(); // the board's shortcuts use some of the same keys
  if (pad.gesture) return;
  pad.keyboard = true;
  action();
}

/**
 * Erase the point that is picked up or at the crosshair.
 *
 * @param {Pad} pad
 */
function eraseChosen(pad) {
  const index = pad.carried >= 0 ? pad.carried : pad.chosen;
  pad.carried = -1;
  if (index >= 0) pad.change(drawings.erase(pad.live, index));
}

/**
 * Choose the class of new points.
 *
 * @param {Pad} pad
 * @param {number} label
 */
function choose(pad, label) {
  pad.label = label;
  pad.draw();
}

/**
 * Handle the keys for undo and redo.
 *
 * @param {Pad} pad
 * @param {KeyboardEvent} event
 */
function historyKey(pad, event) {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y")) return;
  event.preventDefault();
  event.stopPropagation();
  if (key === "y" || event.shiftKey) pad.redo();
  else pad.undo();
}
