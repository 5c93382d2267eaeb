/** The readout beside a unit or link under the pointer: name, numbers, enlarged heatmap. */

/**
 * @import {Size, Spot} from "../draw/types.d.ts"
 * @import {RunNetwork, Shape} from "../state/types.d.ts"
 * @import {Units} from "../state/units.js"
 * @import {ReadoutView} from "./types.d.ts"
 */

import { drawHeatmap } from "../draw/diagram.js";
import { contextOf, fitCanvas, make, setText } from "../draw/dom.js";
import { CONSTANT, NO_INPUT_PATH, NO_OUTPUT_PATH, layerOf, parameterOf, placeOf } from "../state/units.js";
import { className, number, parameter, signed, weight } from "../state/words.js";

const ENLARGED = 120;
const DISTANCE = 8;
/** @type {Record<string, string>} */
const SUBSCRIPTS = { x1: "x₁", x2: "x₂", "x1^2": "x₁²", "x2^2": "x₂²", "x1*x2": "x₁x₂", "sin(x1)": "sin x₁", "sin(x2)": "sin x₂" };
/** @type {Record<string, string>} */
const WRAPPED = { tanh: "tanh", relu: "ReLU", leaky_relu: "leaky ReLU", sigmoid: "sigmoid", linear: "" };

/**
 * Return a feature's name with subscripts.
 *
 * @param {string} feature
 */
export function featureName(feature) {
  return SUBSCRIPTS[feature] ?? feature.replace(/^x(\d+)$/, (_, digits) => "x" + [...digits].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join(""));
}

/**
 * Name a unit.
 *
 * @param {RunNetwork} network
 * @param {number} layer
 * @param {number} unit
 */
export function unitName(network, layer, unit) {
  const { layers, task, features } = network;
  if (layer === 0) return `input ${featureName(features[unit])}`;
  if (layer < layers.length - 1) return `unit ${unit + 1} of layer ${layer}`;
  return task === "multiclass" ? `output for ${className(network, unit)}` : "output";
}

/**
 * "unit 3 of layer 1 → unit 5 of layer 2", or "bias of unit 5 of layer 2"
 *
 * @param {RunNetwork} network
 * @param {{layer: number, unit: number, input: number}} place
 */
export function parameterName(network, { layer, unit, input }) {
  const to = unitName(network, layer, unit);
  if (input === network.layers[layer - 1]) return `bias of ${to}`;
  return `${unitName(network, layer - 1, input)} → ${to}`;
}

/**
 * Count the incoming weights of a unit that are not 0.
 *
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {number} layer
 * @param {number} unit
 */
export function incoming(shape, row, layer, unit) {
  const start = parameterOf(shape, layer, unit, 0);
  let n = 0;
  for (let i = 0; i < shape.layers[layer - 1]; i++) if (row[start + i] !== 0) n++;
  return n;
}

/**
 * Return a unit's formula, written out if at most two weights are not 0.
 *
 * @param {RunNetwork} network
 * @param {Shape} shape
 * @param {Float32Array} row
 * @param {number} layer
 * @param {number} unit
 */
function formulaOf(network, shape, row, layer, unit) {
  const fanIn = shape.layers[layer - 1];
  const start = parameterOf(shape, layer, unit, 0);
  const bias = row[start + fanIn];
  const left = incoming(shape, row, layer, unit);
  /** @type {string[]} */
  const terms = [];
  if (left > 2) {
    terms.push(`Σ of ${left} weighted ${layer === 1 ? "inputs" : "units"}`);
  } else {
    for (let i = 0; i < fanIn; i++) {
      if (row[start + i] === 0) continue;
      const source = layer === 1 ? featureName(network.features[i]) : `unit ${i + 1}`;
      terms.push(`${parameter(row[start + i])}·${source}`);
    }
  }
  if (bias !== 0 || terms.length === 0) terms.push(parameter(bias));
  const sum = terms.join(" + ").replaceAll("+ −", "− ");
  const last = layer === shape.layers.length - 1;
  const wrapped = last
    ? { binary: "sigmoid", multiclass: "softmax", regression: "" }[network.task]
    : WRAPPED[network.activation];
  const normalized = last || network.normalization === "none" ? sum : `norm(${sum})`;
  return wrapped ? `${wrapped}(${normalized})` : normalized;
}

/**
 * Explain a unit's state; "" if it is connected and not constant.
 *
 * @param {RunNetwork} network
 * @param {Pick<Units, "shape"|"states"|"high">} units
 * @param {number} u
 * @param {Uint8Array|null} mask
 */
export function stateOf(network, units, u, mask) {
  const state = units.states[u];
  const layer = layerOf(units.shape, u);
  if (mask && !mask[u]) return "Dropped: with this mask its value is 0.";
  if (state & NO_INPUT_PATH) return "Cut off: no path of weights ≠ 0 from an input. The same value everywhere.";
  if (state & NO_OUTPUT_PATH) return layer === 0 ? "Not in use: no path of weights ≠ 0 to an output." : "Cut off: no path of weights ≠ 0 to an output. It changes nothing.";
  if (state !== CONSTANT) return "";
  return network.activation === "relu" && units.high[u] === 0
    ? "Dead: 0 at all points, so no gradient reaches it."
    : "Constant: the same value at all points.";
}

/** @typedef {ReturnType<typeof makeReadout>} Readout */

/** Create the readout, hidden. */
export function makeReadout() {
  const parts = {
    title: make("strong", {}),
    heatmap: make("canvas", {}),
    value: make("b", {}),
    lines: [make("span", {}), make("span", {}), make("span", {})],
    note: make("em", {}),
  };
  const element = make("div", { class: "readout", "aria-hidden": "true", hidden: "" },
    parts.title, parts.value, parts.heatmap, ...parts.lines, parts.note);
  return { element, ...parts };
}

/**
 * Show the numbers of a target.
 *
 * @param {Readout} readout
 * @param {ReadoutView} view
 * @param {{unit: number, index: number}} target
 */
export function updateReadout(readout, { recording, units, row, strip, palette, ratio, mask, edited }, { unit, index }) {
  const { network } = recording;
  const { title, value, heatmap, lines: [a, b, c], note } = readout;
  const { shape } = units;
  readout.element.classList.toggle("link", index >= 0);
  if (index >= 0) {
    const place = placeOf(shape, index);
    setText(title, "weight");
    setText(value, weight(row[index]));
    setText(a, `from ${unitName(network, place.layer - 1, place.input)}`);
    setText(b, `to ${unitName(network, place.layer, place.unit)}`);
    setText(c, edited.has(index) ? "changed by you" : "click to change it");
    return;
  }
  const layer = layerOf(shape, unit);
  const j = unit - shape.first[layer];
  const probability = layer === shape.layers.length - 1 && network.task === "binary";
  setText(title, unitName(network, layer, j) + (probability ? `: p(${className(network, 1)})` : ""));
  setText(a, `values ${number(units.low[unit])} to ${number(units.high[unit])}`);
  if (layer === 0) {
    let readers = 0;
    for (let k = 0; k < shape.layers[1]; k++) if (row[parameterOf(shape, 1, k, j)] !== 0) readers++;
    setText(b, `read by ${readers} of ${shape.layers[1]} units`);
    setText(c, "");
    setText(note, stateOf(network, units, unit, mask));
  } else {
    const fanIn = shape.layers[layer - 1];
    setText(b, `${incoming(shape, row, layer, j)} of ${fanIn} weights ≠ 0`);
    setText(c, `bias ${signed(row[parameterOf(shape, layer, j, fanIn)], 3)}`);
    setText(note, stateOf(network, units, unit, mask) || formulaOf(network, shape, row, layer, j));
  }
  const side = Math.round(ENLARGED * ratio);
  fitCanvas(heatmap, ENLARGED, ENLARGED, ratio);
  const context = contextOf(heatmap);
  context.fillStyle = palette.paper;
  context.fillRect(0, 0, side, side);
  drawHeatmap(context, strip, units, unit, 0, 0, side);
}

/**
 * Place the readout beside a unit, on the side with more space, or above or below a link, within the
 * diagram.
 *
 * @param {Readout} readout
 * @param {Size} size
 * @param {Spot} spot
 * @param {number} half
 */
export function placeReadout({ element }, { width, height }, { x, y }, half) {
  const { offsetWidth: w, offsetHeight: h } = element;
  const away = half + DISTANCE;
  const link = element.classList.contains("link");
  const left = link ? x - w / 2 : width - x > x ? x + away : x - away - w;
  const top = !link ? y - h / 2 : y < height / 2 ? y + away : y - away - h;
  element.style.left = `${Math.max(0, Math.min(width - w, left))}px`;
  element.style.top = `${Math.max(0, Math.min(height - h, top))}px`;
}
