/** The controls beside the canvas: kind of label, class or value, tool, undo and redo. */

/** @import {Controlled} from "./types.d.ts" */

import { icon, make, setText } from "../board/draw/dom.js";
import { CORNERS, SHAPES } from "../board/draw/points.js";
import { number } from "../board/state/words.js";
import { clear, countsOf, pointsOf, setKind } from "./drawing.js";

export const TOOLS = {
  point: { text: "Point", tip: "A click adds a point. Drag a point to move it." },
  spray: { text: "Spray", tip: "A click adds eight points around it." },
  erase: { text: "Erase", tip: "Click or drag over points to erase them." },
};
const KINDS = {
  classes: { text: "Classes", tip: "Each point belongs to one of two or three classes." },
  value: { text: "Value", tip: "Each point has a value that is to be predicted (regression)." },
};
const HINT =
  "Click to add, drag to move, right-click to erase. Keys: arrows, Enter to add, Delete to erase, M to move, 1 to 3 for the class.";

/**
 * Create the controls.
 *
 * @typedef {ReturnType<typeof makeControls>} Controls
 *
 * @param {Controlled} pad
 */
export function makeControls(pad) {
  const kinds = group("The label of a point", KINDS, (kind) => pad.change(setKind(pad.live, kind)));
  const tools = group("Tool", TOOLS, (tool) => {
    pad.tool = tool;
    pad.draw();
  });
  const classes = makeClasses(pad);
  const value = makeValue(pad);
  const undo = button("Undo", "Undo (Ctrl+Z)", () => pad.undo());
  const redo = button("Redo", "Redo (Ctrl+Shift+Z)", () => pad.redo());
  const empty = button("Clear", "Erase all points of this kind. Undo brings them back.", () =>
    pad.change(clear(pad.live)),
  );
  const actions = make("div", { class: "row", role: "group", "aria-label": "Changes" }, undo, redo, empty);
  const element = make("div", { class: "controls" }, kinds.element, classes.element, value.element, tools.element, actions);
  return { element, hint: make("p", { class: "hint" }, HINT), kinds, tools, classes, value, undo, redo, empty };
}

/**
 * Show the pad's state.
 *
 * @param {Controls} controls
 * @param {Controlled} pad
 */
export function updateControls({ kinds, tools, classes, value, undo, redo, empty }, pad) {
  const { live, history } = pad;
  choose(kinds.buttons, live.kind);
  choose(tools.buttons, pad.tool);
  classes.element.hidden = live.kind !== "classes";
  value.element.hidden = live.kind !== "value";
  if (live.kind === "classes") updateClasses(classes, pad, countsOf(pointsOf(live)));
  Object.assign(value.slider, { min: -pad.valueReach, max: pad.valueReach, step: pad.valueReach / 20 });
  value.slider.value = String(pad.value);
  setText(value.number, number(pad.value));
  if (live.kind === "value") {
    const { fill, stroke } = pad.looks(pad.value);
    Object.assign(value.picture.style, { fill, stroke });
  }
  undo.disabled = !history.past.length;
  redo.disabled = !history.future.length;
  empty.disabled = !pointsOf(live).length;
}

/**
 * Create the choice of a class.
 *
 * @param {Controlled} pad
 */
function makeClasses(pad) {
  const parts = SHAPES.map((name, c) => {
    const picture =
      name === "circle"
        ? icon("-1.6 -1.6 3.2 3.2", ["circle", { r: 1.15 }])
        : icon("-1.6 -1.6 3.2 3.2", ["polygon", { points: CORNERS[name].join(" ") }]);
    const text = make("span", { class: "name" });
    const count = make("span", { class: "count" });
    // for screen readers alone: there is no space to show it
    const unit = make("span", { class: "unseen" }, "points");
    const element = make("button", { type: "button", class: "class" }, picture, text, count, unit);
    element.addEventListener("click", () => {
      pad.label = c;
      if (pad.tool === "erase") pad.tool = "point";
      pad.draw();
    });
    return { element, picture, text, count };
  });
  return { element: make("div", { class: "row", role: "group", "aria-label": "Class of new points" }), parts };
}

/**
 * Show names, colours and counts of the classes.
 *
 * @param {ReturnType<typeof makeClasses>} classes
 * @param {Controlled} pad
 * @param {number[]} counts
 */
function updateClasses({ element: row, parts }, { names, looks, label, nClasses }, counts) {
  const shown = parts.slice(0, nClasses);
  if (row.childElementCount !== nClasses) row.replaceChildren(...shown.map((part) => part.element));
  for (const [c, { element, picture, text, count }] of shown.entries()) {
    element.setAttribute("aria-pressed", String(c === label));
    element.title = names[c];
    picture.style.fill = looks(c).fill;
    setText(text, names[c]);
    setText(count, String(counts[c] ?? 0));
  }
}

/**
 * Create the choice of a value.
 *
 * @param {Controlled} pad
 */
function makeValue(pad) {
  const slider = make("input", { type: "range", "aria-label": "Value of new points" });
  slider.addEventListener("input", () => {
    pad.value = Number(slider.value);
    pad.draw();
  });
  const shown = make("span", { class: "number", "aria-hidden": "true" });
  const picture = icon("-1.6 -1.6 3.2 3.2", ["circle", { r: 1.15, "stroke-width": 0.3 }]);
  return { element: make("label", { class: "value" }, "Value", slider, shown, picture), slider, picture, number: shown };
}

/**
 * Create a group of buttons of which one is pressed.
 *
 * @template {string} Key
 * @param {string} label
 * @param {Record<Key, {text: string, tip: string}>} options
 * @param {(key: Key) => void} choice
 */
function group(label, options, choice) {
  const keys = /** @type {Key[]} */ (Object.keys(options));
  const buttons = Object.fromEntries(keys.map((key) => [key, button(options[key].text, options[key].tip, () => choice(key))]));
  return { element: make("div", { class: "row", role: "group", "aria-label": label }, ...Object.values(buttons)), buttons };
}

/**
 * Show the pressed button of a group.
 *
 * @param {Record<string, HTMLElement>} buttons
 * @param {string} chosen
 */
function choose(buttons, chosen) {
  for (const [key, element] of Object.entries(buttons)) element.setAttribute("aria-pressed", String(key === chosen));
}

/**
 * Create a button.
 *
 * @param {string} text
 * @param {string} tip
 * @param {() => void} action
 */
function button(text, tip, action) {
  const element = make("button", { type: "button", title: tip }, text);
  element.addEventListener("click", action);
  return element;
}
