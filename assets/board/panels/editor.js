/** The editor of one unit's incoming weights and bias. */

/**
 * @import {Size, Spot} from "../draw/types.d.ts"
 * @import {RunNetwork, Shape} from "../state/types.d.ts"
 */

import { make, setText } from "../draw/dom.js";
import { featureName, parameterName, unitName } from "./readout.js";
import { niceCeiling } from "../state/recording.js";
import { parameterOf, placeOf } from "../state/units.js";
import { parameter } from "../state/words.js";

// number of the slider's steps on either side of 0, so that its middle is exactly 0
const STEPS = 200;
const DECIMALS = 3;
const DISTANCE = 14;

/**
 * Create the editor, closed.
 *
 * @typedef {ReturnType<typeof makeEditor>} Editor
 *
 * @param {{onEdit: (index: number, value: number) => void, onReset: (index: number) => void,
 *   onChoose: (index: number) => void, onClose: () => void}} handlers
 */
export function makeEditor({ onEdit, onReset, onChoose, onClose }) {
  /** @type {(text: string, more: Record<string, string>) => HTMLButtonElement} */
  const button = (text, more) => make("button", { type: "button", ...more }, text);
  const parts = {
    title: make("strong", {}),
    choice: make("select", { "aria-label": "Weight or bias" }),
    slider: make("input", { type: "range", min: -STEPS, max: STEPS, "aria-label": "Value" }),
    number: make("input", { type: "number", step: "0.01", "aria-label": "Value as a number" }),
    zero: button("Set to 0", {}),
    undo: button("Undo", {}),
  };
  const close = button("×", { class: "close", "aria-label": "Close" });
  const element = make("div", { class: "editor", role: "dialog", hidden: "" },
    make("div", { class: "line" }, parts.title, close),
    parts.choice,
    make("div", { class: "line" }, parts.slider, parts.number),
    make("div", { class: "line" }, parts.zero, parts.undo));
  const editor = { element, ...parts, index: -1, reach: 1 };
  const set = (/** @type {number} */ value) => Number.isFinite(value) && onEdit(editor.index, value);
  editor.slider.addEventListener("input", () => set((editor.slider.valueAsNumber * editor.reach) / STEPS));
  editor.number.addEventListener("input", () => set(editor.number.valueAsNumber));
  editor.number.addEventListener("keydown", (event) => event.key === "Enter" && editor.number.blur());
  editor.zero.addEventListener("click", () => set(0));
  editor.undo.addEventListener("click", () => onReset(editor.index));
  editor.choice.addEventListener("change", () => onChoose(Number(editor.choice.value)));
  close.addEventListener("click", () => onClose());
  return editor;
}

/**
 * Open the editor at a parameter. The slider ranges to ±`range`, or further if the value does.
 *
 * @param {Editor} editor
 * @param {RunNetwork} network
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {number} index
 * @param {number} range
 */
export function openEditor(editor, network, shape, row, index, range) {
  const { layer, unit } = placeOf(shape, index);
  const fanIn = shape.layers[layer - 1];
  editor.index = index;
  editor.reach = niceCeiling(Math.max(range, Math.abs(row[index]) || 0));
  setText(editor.title, unitName(network, layer, unit));
  editor.choice.replaceChildren();
  for (let i = 0; i <= fanIn; i++) {
    const value = String(parameterOf(shape, layer, unit, i));
    editor.choice.append(make("option", { value }));
  }
  editor.choice.value = String(index);
  editor.element.setAttribute("aria-label", `Change the weights of ${unitName(network, layer, unit)}`);
  editor.element.hidden = false;
  updateChoices(editor, network, shape, row);
}

/**
 * Close the editor.
 *
 * @param {Editor} editor
 */
export function closeEditor(editor) {
  editor.index = -1;
  editor.element.hidden = true;
}

/**
 * Show the row's values, except in the field in focus.
 *
 * @param {Editor} editor
 * @param {RunNetwork} network
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {Map<number, number>} edited
 */
export function updateEditor(editor, network, shape, row, edited) {
  const { index, slider, choice } = editor;
  const value = row[index];
  // a typed number may exceed the slider's range
  if (Math.abs(value) > editor.reach) editor.reach = niceCeiling(Math.abs(value));
  slider.value = String(Math.round((value / editor.reach) * STEPS) || 0);
  slider.style.setProperty("--shown", String(slider.valueAsNumber / (2 * STEPS) + 0.5));
  slider.setAttribute("aria-valuetext", `${parameterName(network, placeOf(shape, index))}: ${parameter(value, DECIMALS)}`);
  if (!editor.number.matches(":focus")) editor.number.value = Number.isFinite(value) ? value.toFixed(DECIMALS) : "";
  // an open list must not change under the pointer
  if (!choice.matches(":focus")) updateChoices(editor, network, shape, row);
  editor.zero.disabled = value === 0;
  editor.undo.disabled = !edited.has(index);
}

/**
 * Show the values in the list of parameters.
 *
 * @param {Editor} editor
 * @param {RunNetwork} network
 * @param {Shape} shape
 * @param {Float32Array} row
 */
function updateChoices({ choice }, network, shape, row) {
  for (const option of choice.options) {
    const index = Number(option.value);
    const { layer, input } = placeOf(shape, index);
    const isBias = input === shape.layers[layer - 1];
    const name = isBias ? "bias" : `weight from ${sourceName(network, layer, input)}`;
    setText(option, `${name}: ${parameter(row[index], DECIMALS)}`);
  }
}

/**
 * Name the start of a link to a layer, briefly.
 *
 * @param {RunNetwork} network
 * @param {number} layer
 * @param {number} input
 */
function sourceName(network, layer, input) {
  return layer === 1 ? featureName(network.features[input]) : `unit ${input + 1}`;
}

/**
 * Place the editor above or below a spot of the diagram, without covering it.
 *
 * @param {Editor} editor
 * @param {Size} size
 * @param {Spot} spot
 * @param {number} half
 */
export function placeEditor({ element }, { width, height }, { x, y }, half) {
  const { offsetWidth: w, offsetHeight: h } = element;
  const below = y < height / 2;
  const top = below ? y + half + DISTANCE : y - half - DISTANCE - h;
  element.style.left = `${Math.max(0, Math.min(width - w, x - w / 2))}px`;
  element.style.top = `${Math.max(0, Math.min(height - h, top))}px`;
}
