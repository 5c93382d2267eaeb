/** Pointer, touch and keyboard input on the network diagram. */

/**
 * @import {Diagram} from "../draw/types.d.ts"
 * @import {Units} from "../state/units.js"
 * @import {DiagramActions, DiagramElements, Target} from "./types.d.ts"
 */

import { layerOf } from "../state/units.js";

/**
 * No target.
 *
 * @type {Target}
 */
export const NO_TARGET = { unit: -1, index: -1 };

/**
 * Tolerance around links, in CSS pixels.
 *
 * @type {Record<string, number>}
 */
const SLACK = { mouse: 5, touch: 14 };

export class DiagramInput {
  /** @type {Target} */ hover = NO_TARGET;
  /** @type {Target} */ focus = NO_TARGET;
  /** The unit that was tapped last, or -1. */
  touched = -1;

  /**
   * Add the event listeners.
   *
   * @param {DiagramElements} elements
   * @param {DiagramActions} actions
   */
  constructor(elements, actions) {
    this.elements = elements;
    this.actions = actions;
    this.#listenToPointer();
    this.#listenToFocus();
    this.#listenToKeys();
  }

  /** The target under the pointer, or else in focus. */
  get target() {
    return this.hover === NO_TARGET ? this.focus : this.hover;
  }

  /** Forget all targets. */
  reset() {
    this.hover = this.focus = NO_TARGET;
    this.touched = -1;
  }

  #listenToPointer() {
    const { stage } = this.elements;
    stage.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") this.#point(this.#inEditor(event) ? NO_TARGET : this.#find(event));
    });
    stage.addEventListener("pointerleave", () => this.#point(NO_TARGET));
    stage.addEventListener("click", (event) => {
      // a key pressed on a unit's button is a click with detail 0
      if (!this.#inEditor(event) && event.detail !== 0) this.#click(event);
    });
  }

  #listenToFocus() {
    const { grid } = this.elements;
    const { draw, editUnit, buttons } = this.actions;
    grid.addEventListener("click", (event) => event.detail === 0 && editUnit(this.#unitOf(event)));
    grid.addEventListener("focusin", (event) => {
      const unit = this.#unitOf(event);
      setTabStop(buttons(), unit);
      this.focus = { unit, index: -1 };
      draw();
    });
    grid.addEventListener("focusout", () => {
      this.focus = NO_TARGET;
      draw();
    });
  }

  #listenToKeys() {
    const { grid, element, editor } = this.elements;
    grid.addEventListener("keydown", (event) => {
      if (!/^(Arrow|Home$|End$)/.test(event.key)) return;
      event.preventDefault();
      // the board's shortcuts use the same keys
      event.stopPropagation();
      this.actions.buttons()[this.actions.neighbour(this.#unitOf(event), event.key)]?.focus();
    });
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && editor.index >= 0) this.actions.close(true);
      else if (!this.#inEditor(event)) return;
      // digits, minus and arrow keys belong to the editor, not to the board's shortcuts
      if (event.key !== "Tab") event.stopPropagation();
    });
  }

  /** @param {Target} target  under the pointer */
  #point(target) {
    if (this.hover.unit === target.unit && this.hover.index === target.index) return;
    this.hover = target;
    this.elements.stage.style.cursor = target.index >= 0 ? "pointer" : "";
    this.actions.draw();
  }

  /**
   * Open the editor at the target, or close it where there is none.
   *
   * @param {PointerEvent} event
   */
  #click(event) {
    const { edit, editUnit, close, draw } = this.actions;
    const { unit, index } = this.#find(event);
    if (index >= 0) {
      edit(index);
      this.elements.editor.slider.focus({ preventScroll: true });
    } else if (unit >= 0) {
      // touch has no hover: the first tap shows the readout, the second opens the editor
      const opens = event.pointerType !== "touch" || this.touched === unit;
      this.touched = unit;
      if (opens) editUnit(unit);
    } else {
      close(false);
      draw();
    }
  }

  /**
   * Return the target at the pointer.
   *
   * @param {PointerEvent} event
   */
  #find(event) {
    const box = this.elements.stage.getBoundingClientRect();
    const slack = SLACK[event.pointerType] ?? SLACK.mouse;
    return this.actions.locate((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, slack);
  }

  /** @param {Event} event  of a unit's button */
  #unitOf(event) {
    return this.actions.buttons().indexOf(/** @type {HTMLButtonElement} */ (event.target));
  }

  /** @param {Event} event */
  #inEditor(event) {
    return this.elements.editor.element.contains(/** @type {Node} */ (event.target));
  }
}

/**
 * Make unit `u` the only one in the tab order (roving tabindex).
 *
 * @param {HTMLElement[]} buttons  of the units
 * @param {number} u
 */
export function setTabStop(buttons, u) {
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
export function neighbour(units, diagram, u, key) {
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
