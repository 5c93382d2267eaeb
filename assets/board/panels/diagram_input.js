/** Pointer, touch and keyboard input on the network diagram. */

/**
 * @import {Diagram} from "../draw/types.d.ts"
 * @import {Units} from "../state/units.js"
 * @import {NetworkPanel} from "./network.js"
 * @import {Target} from "./types.d.ts"
 */

import { linkAt, unitAt } from "../draw/placement.js";
import { layerOf } from "../state/units.js";

/**
 * No target.
 *
 * @type {Target}
 */
export const NO_TARGET = { unit: -1, index: -1 };

// tolerance around links, in CSS pixels
/** @type {Record<string, number>} */
const SLACK = { mouse: 5, touch: 14 };

/**
 * Add the event listeners.
 *
 * @param {NetworkPanel} panel  `hover`, `focus` and `touched` are written
 * @param {{draw: () => void, edit: (index: number) => void, editUnit: (unit: number) => void,
 *   close: (back: boolean) => void}} actions
 */
export function listen(panel, { draw, edit, editUnit, close }) {
  const { stage, grid, editor, element } = panel;
  const unitOf = (/** @type {Event} */ event) => panel.buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
  const inEditor = (/** @type {Event} */ event) => editor.element.contains(/** @type {Node} */ (event.target));
  const point = (/** @type {Target} */ spot) => {
    if (panel.hover.unit === spot.unit && panel.hover.index === spot.index) return;
    panel.hover = spot;
    stage.style.cursor = spot.index >= 0 ? "pointer" : "";
    draw();
  };
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") point(inEditor(event) ? NO_TARGET : find(panel, event));
  });
  stage.addEventListener("pointerleave", () => point(NO_TARGET));
  stage.addEventListener("click", (event) => {
    // a key pressed on a unit's button is a click with detail 0
    if (inEditor(event) || event.detail === 0) return;
    const { unit, index } = find(panel, event);
    if (index >= 0) {
      edit(index);
      editor.slider.focus({ preventScroll: true });
    } else if (unit >= 0) {
      // touch has no hover: the first tap shows the readout, the second opens the editor
      const opens = event.pointerType !== "touch" || panel.touched === unit;
      panel.touched = unit;
      if (opens) editUnit(unit);
    } else {
      close(false);
      draw();
    }
  });
  grid.addEventListener("click", (event) => event.detail === 0 && editUnit(unitOf(event)));
  grid.addEventListener("focusin", (event) => {
    setTabStop(panel, unitOf(event));
    panel.focus = { unit: unitOf(event), index: -1 };
    draw();
  });
  grid.addEventListener("focusout", () => {
    panel.focus = NO_TARGET;
    draw();
  });
  grid.addEventListener("keydown", (event) => {
    if (!/^(Arrow|Home$|End$)/.test(event.key)) return;
    event.preventDefault();
    // the board's shortcuts use the same keys
    event.stopPropagation();
    const { units, diagram } = panel;
    if (units && diagram) panel.buttons[neighbour(units, diagram, unitOf(event), event.key)].focus();
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && editor.index >= 0) close(true);
    else if (!inEditor(event)) return;
    // digits, minus and arrow keys belong to the editor, not to the board's shortcuts
    if (event.key !== "Tab") event.stopPropagation();
  });
}

/**
 * Return the target at the pointer.
 *
 * @param {NetworkPanel} panel
 * @param {PointerEvent|MouseEvent} event
 * @returns {Target}
 */
function find({ stage, diagram, units, row, edited, range, size }, event) {
  if (!diagram || !units) return NO_TARGET;
  const { clientX, clientY } = event;
  const box = stage.getBoundingClientRect();
  const x = ((clientX - box.left) * size.width) / box.width;
  const y = ((clientY - box.top) * size.height) / box.height;
  const slack = ("pointerType" in event && SLACK[event.pointerType]) || SLACK.mouse;
  const unit = unitAt(units.shape, diagram, x, y, slack / 3);
  if (unit >= 0) return { unit, index: -1 };
  const index = linkAt(units.shape, diagram, row, edited, range, x, y, slack);
  return index < 0 ? NO_TARGET : { unit: -1, index, x, y };
}

/**
 * Make unit `u` the only one in the tab order (roving tabindex).
 *
 * @param {{buttons: HTMLElement[]}} panel
 * @param {number} u
 */
export function setTabStop({ buttons }, u) {
  for (const button of buttons) button.tabIndex = button === buttons[u] ? 0 : -1;
}

/**
 * Return the unit next to `u` in an arrow key's direction.
 *
 * @param {Units} units
 * @param {Diagram} diagram
 * @param {number} u
 * @param {string} key
 */
function neighbour(units, diagram, u, key) {
  const { layers, first } = units.shape;
  const layer = layerOf(units.shape, u);
  if (key === "ArrowUp" || key === "ArrowDown") {
    const next = u + (key === "ArrowUp" ? -1 : 1);
    return next < first[layer] || next >= first[layer] + layers[layer] ? u : next;
  }
  /** @type {Record<string, number>} */
  const ways = { ArrowLeft: layer - 1, ArrowRight: layer + 1, Home: 0, End: layers.length - 1 };
  const to = ways[key];
  if (!(to >= 0 && to < layers.length)) return u;
  let best = first[to];
  for (let v = first[to]; v < first[to] + layers[to]; v++) {
    if (Math.abs(diagram.y[v] - diagram.y[u]) < Math.abs(diagram.y[best] - diagram.y[u])) best = v;
  }
  return best;
}
