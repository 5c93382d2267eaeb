/**
 * The network panel: the diagram, the readout of the unit or link under the pointer or in focus, and
 * the editor of weights. The arrow keys move the focus between units (roving tabindex).
 */

/**
 * @import {Palette, Strip} from "../draw/diagram.js"
 * @import {Diagram, Scale, SvgShape, Theme} from "../draw/types.d.ts"
 * @import {Recording} from "../state/types.d.ts"
 * @import {Units} from "../state/units.js"
 * @import {Target} from "./types.d.ts"
 */

import {
  drawHighlightedLink, drawEdited, drawFrame, drawLinks, drawUnits, makePalette, makeStrip, paintUnits,
} from "../draw/diagram.js";
import { contextOf, fitCanvas, icon, make, onResize, setText } from "../draw/dom.js";
import { closeEditor, makeEditor, openEditor, placeEditor, updateEditor } from "./editor.js";
import { arrange, middleOf } from "../draw/placement.js";
import {
  featureName, incoming, makeReadout, placeReadout, stateOf, unitName, updateReadout,
} from "./readout.js";
import { NO_TARGET, listen, setTabStop } from "./diagram_input.js";
import { drawMask, inUse, layerOf, makeUnits, parameterOf, placeOf, updateUnits } from "../state/units.js";
import { className, number, shortened } from "../state/words.js";

const TOP = 36;
const GAP = 7;
// distance of layers in CSS pixels from which their headings are written out
const SPACIOUS = 58;

/**
 * @typedef {[text: string, shape: SvgShape, tip: string]} Sign
 *
 * @type {Sign[]}
 */
const SIGNS = [
  ["w > 0", ["path", { d: "M0 6H20", class: "positive" }], "A weight above 0: a solid line. The thicker and darker, the larger |w|, on the same scale in all networks and epochs of the run. In the squares the same colour: the unit's value is above 0."],
  ["w < 0", ["path", { d: "M0 6H20", class: "negative" }], "A weight below 0: a dashed line. In the squares the same colour: the unit's value is below 0. A weight that is exactly 0 has no line: the link is gone."],
  ["cut off", ["path", { d: "M1 1H11V11H1ZM1 6L6 1M1 11L11 1M6 11L11 6", class: "unit cut" }], "Hatched, with a dashed frame: no path of weights that are not 0 leads to this unit from an input, or none leads on to an output. The network's prediction depends on it no more than on a constant."],
  ["constant", ["path", { d: "M1 1H11V11H1ZM3 6H9", class: "unit" }], "A level line: the unit is connected but has the same value all over the plane and at all training points. With ReLU such a unit is mostly dead: its value is 0, and no gradient reaches its weights."],
];
const UNITS_TIP = "Each square is a unit: what it computes over the plane, x₁ to the right, x₂ upwards. Inputs and hidden units have their colour in full at ±1, or at their largest value where that is more.";

/**
 * Create the panel.
 *
 * @typedef {{name: HTMLElement, count: HTMLElement, element: HTMLElement}} Heading  of a layer
 * @typedef {ReturnType<typeof makeNetwork>} NetworkPanel
 * @typedef {NetworkPanel & {recording: Recording, units: Units, strip: Strip, palette: Palette}} Ready
 *   a panel with a network
 * @typedef {Ready & {diagram: Diagram}} Arranged  one whose diagram is laid out
 *
 * @param {{onEdit: (index: number, value: number) => void, onReset: (index?: number) => void}} handlers
 *   `index`: of a parameter in the row. `onReset` restores its trained value, or those of all
 *   parameters without an index
 */
export function makeNetwork({ onEdit, onReset }) {
  /** @type {(text: string, more: Record<string, string>) => HTMLButtonElement} */
  const tool = (text, more) => make("button", { type: "button", ...more }, text);
  const sign = (/** @type {Sign} */ [text, shape, tip]) => {
    const box = String(shape[1].class).startsWith("unit") ? "0 0 12 12" : "0 0 20 12";
    return make("button", { type: "button", class: "term", "data-tip": tip }, icon(box, shape), text);
  };
  const parts = {
    canvas: make("canvas", { role: "img", "aria-label": "Network" }),
    layers: make("div", { class: "layers" }),
    grid: make("div", { class: "units", role: "group", "aria-label": "Units: arrow keys move, Enter changes weights" }),
    readout: makeReadout(),
    editor: makeEditor({
      onEdit,
      onReset,
      onChoose: (index) => edit(panel, index),
      onClose: () => close(panel),
    }),
    dropped: sign(["dropped", ["path", { d: "M1 1H11V11H1ZM1 1L11 11M11 1L1 11", class: "unit" }], ""]),
    hint: make("span", { class: "hint" }, "Click a link or a unit to change it."),
    toggle: tool("Dropout mask", { "aria-pressed": "false" }),
    again: tool("Draw another", {}),
    reset: tool("", { class: "reset" }),
  };
  const stage = make("div", { class: "stage" },
    parts.canvas, parts.layers, parts.grid, parts.readout.element, parts.editor.element);
  const element = make("section", { class: "panel network", "aria-label": "Network" },
    make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": UNITS_TIP }, "Network")),
    stage,
    make("div", { class: "key-line" }, ...SIGNS.map(sign), parts.dropped),
    make("div", { class: "tools" }, parts.hint, parts.toggle, parts.again, parts.reset));
  const panel = {
    element, stage, ...parts,
    size: { width: 0, height: 0 },

    // of the run
    /** @type {Recording|null} */ recording: null,
    /** @type {string|null} */ run: null,
    /** @type {Units|null} */ units: null,
    /** @type {Strip|null} */ strip: null,
    memory: new Uint8Array(0),
    /** @type {HTMLButtonElement[]} one for each unit */ buttons: [],
    /** @type {Heading[]} one for each layer */ headings: [],

    // of the shown network
    /** @type {Float32Array} */ row: new Float32Array(0),
    ratio: 1,
    t: 0,
    colour: "",
    /** @type {Map<number, number>} */ edited: new Map(),
    range: 1,
    dropRate: 0,
    /** @type {Palette|null} */ palette: null,

    // layout
    /** @type {Diagram|null} */ diagram: null,
    font: "",
    names: { inputs: /** @type {string[]} */ ([]), outputs: /** @type {string[]} */ ([]) },

    // interaction
    /** @type {Target} */ hover: NO_TARGET,
    /** @type {Target} */ focus: NO_TARGET,
    /** @type {Target} that the readout describes */ described: NO_TARGET,
    touched: -1,
    unit: -1,
    draws: 0,
    masking: false,
    /** @type {Uint8Array|null} */ mask: null,
  };

  panel.toggle.addEventListener("click", () => {
    panel.masking = !panel.masking;
    panel.toggle.setAttribute("aria-pressed", String(panel.masking));
    draw(panel);
  });
  panel.again.addEventListener("click", () => {
    panel.draws++;
    draw(panel);
  });
  panel.reset.addEventListener("click", () => onReset());
  listen(panel, {
    draw: () => draw(panel),
    edit: (index) => edit(panel, index),
    editUnit: (u) => editUnit(panel, u),
    close: (back) => close(panel, back),
  });
  onResize(panel.stage, () => measure(panel) && draw(panel));
  return panel;
}

/**
 * Draw one network.
 *
 * @param {NetworkPanel} panel
 * @param {Recording} recording
 * @param {Float32Array} row  the network's parameters, with edits
 * @param {Scale} scale
 * @param {Theme} theme
 * @param {number} ratio  device pixels per CSS pixel
 * @param {{t: number, colour: string, edited: Map<number, number>, range: number, dropRate: number}} options
 *   the frame; the method's colour; edited parameters; the |w| with the thickest link; the dropout rate
 */
export function updateNetwork(panel, recording, row, scale, theme, ratio, options) {
  panel.recording = recording;
  panel.row = row;
  panel.ratio = ratio;
  ({ t: panel.t, colour: panel.colour, edited: panel.edited, range: panel.range, dropRate: panel.dropRate } = options);
  const sameRun = panel.run === recording.run && panel.units && panel.strip;
  const { units, strip } = sameRun ? /** @type {Ready} */ (panel) : beginRun(panel, recording);
  if (panel.palette?.mode !== theme.mode) {
    panel.palette = makePalette(recording, theme);
    panel.element.style.setProperty("--positive", panel.palette.positive);
    panel.element.style.setProperty("--negative", panel.palette.negative);
    panel.diagram = null;
  }
  if (!panel.size.width) measure(panel);
  updateUnits(units, row);
  paintUnits(strip, units, panel.palette, scale);
  draw(panel);
}

/**
 * Describe the picture in words.
 *
 * @param {NetworkPanel} panel
 * @param {string} label
 * @param {number} epoch
 */
export function describeNetwork({ canvas, buttons, units, recording, row, mask }, label, epoch) {
  // a panel outside the window may not have been drawn yet
  if (!units || !recording) return;
  const { network, weightIndex } = recording;
  const { layers, first } = units.shape;
  const left = weightIndex.reduce((n, i) => (row[i] !== 0 ? n + 1 : n), 0);
  const hidden = layers.slice(1, -1).map((n, l) => `${inUse(units, l + 1)} of ${n}`);
  const layersInUse = hidden.length ? `, with ${hidden.join(", ")} units in use in its hidden layers` : "";
  canvas.setAttribute("aria-label",
    `Network of ${label} at epoch ${epoch}: ${left} of ${weightIndex.length} weights are not 0${layersInUse}.`);
  buttons.forEach((button, u) => {
    const layer = layerOf(units.shape, u);
    const unit = u - first[layer];
    const name = unitName(network, layer, unit);
    const fanIn = layers[layer - 1];
    const numbers = layer === 0 ? "" : `: bias ${number(row[parameterOf(units.shape, layer, unit, fanIn)])}, ${incoming(units.shape, row, layer, unit)} of ${fanIn} incoming weights are not 0`;
    button.setAttribute("aria-label", `${name}${numbers}. ${stateOf(network, units, u, mask)}`.trim());
  });
}

/**
 * Prepare the panel for another run: memory, headings, and a button for each unit.
 *
 * @param {NetworkPanel} panel
 * @param {Recording} recording
 * @returns {{units: Units, strip: Strip}}
 */
function beginRun(panel, recording) {
  const units = makeUnits(recording);
  const strip = makeStrip(units);
  const { layers, count } = units.shape;
  const last = layers.length - 1;
  close(panel, false);
  panel.run = recording.run;
  panel.units = units;
  panel.strip = strip;
  panel.palette = null;
  panel.diagram = null;
  panel.hover = panel.focus = NO_TARGET;
  panel.touched = -1;
  panel.memory = new Uint8Array(count);
  panel.buttons = Array.from({ length: count }, (_, u) => {
    const layer = layerOf(units.shape, u);
    const name = unitName(recording.network, layer, u - units.shape.first[layer]);
    return make("button", { type: "button", tabindex: u === 0 ? "0" : "-1", "aria-label": name });
  });
  panel.grid.replaceChildren(...panel.buttons);
  panel.headings = layers.map((_, l) => {
    const [name, count] = [make("b", {}), make("span", {})];
    const tip = l === 0 ? "The network's inputs, and how many of them it uses: those that lead to an output by weights which are not 0."
      : l < last ? `Hidden layer ${l}, and how many of its units are in use: connected to an input and to an output by weights which are not 0, and not constant.`
      : "The network's output: what it predicts, in the colours of the boundary.";
    const attributes = { type: "button", class: "term", tabindex: "-1", "data-tip": `${tip} ${UNITS_TIP}` };
    return { name, count, element: make("button", attributes, name, count) };
  });
  panel.layers.replaceChildren(...panel.headings.map(({ element }) => element));
  return { units, strip };
}

/**
 * Measure the stage; return whether its size has changed and there is a network to draw.
 *
 * @param {NetworkPanel} panel
 */
function measure(panel) {
  const { clientWidth: width, clientHeight: height } = panel.stage;
  if (width === panel.size.width && height === panel.size.height) return false;
  panel.size = { width, height };
  panel.diagram = null;
  return width > 0 && panel.units !== null;
}

/**
 * Lay out the units, and the buttons over them.
 *
 * @param {Ready} panel
 */
function rearrange(panel) {
  const { recording, units, size, buttons, headings, canvas } = panel;
  const { layers } = units.shape;
  const context = contextOf(canvas);
  const { fontFamily } = getComputedStyle(panel.element);
  panel.font = `12px ${fontFamily}`;
  context.font = panel.font;
  const { features, task } = recording.network;
  panel.names = {
    inputs: features.map(featureName),
    outputs: task === "multiclass" ? Array.from({ length: layers[layers.length - 1] }, (_, c) => shortened(className(recording.network, c))) : [],
  };
  const widest = (/** @type {string[]} */ texts) => texts.reduce((most, text) => Math.max(most, context.measureText(text).width), 0);
  const right = panel.names.outputs.length ? widest(panel.names.outputs) + GAP : 8;
  const margin = { left: widest(panel.names.inputs) + GAP, right, top: TOP };
  const diagram = arrange(units.shape, size.width, size.height, margin);
  panel.diagram = diagram;
  const { x, y, side, pitch } = diagram;
  const last = layers.length - 1;
  headings.forEach(({ element, name }, l) => {
    const spacious = pitch >= SPACIOUS;
    const ends = spacious ? ["inputs", "output"] : ["in", "out"];
    setText(name, l === 0 ? ends[0] : l === last ? ends[1] : spacious ? `layer ${l}` : String(l));
    element.style.left = `${x[l]}px`;
  });
  buttons.forEach((button, u) => {
    const l = layerOf(units.shape, u);
    Object.assign(button.style, {
      left: `${x[l] - side[l] / 2}px`, top: `${y[u] - side[l] / 2}px`, width: `${side[l]}px`, height: `${side[l]}px`,
    });
  });
}

/**
 * Draw the diagram and update its texts.
 *
 * @param {NetworkPanel} panel
 */
function draw(panel) {
  if (!panel.size.width || !panel.units || !panel.palette) return;
  const ready = /** @type {Ready} */ (panel);
  const fresh = !ready.diagram;
  if (fresh) rearrange(ready);
  const arranged = /** @type {Arranged} */ (ready);
  const { size, units, palette, canvas, ratio, row, colour, range, edited, editor, recording, diagram } = arranged;
  chooseMask(ready);
  fitCanvas(canvas, size.width, size.height, ratio);
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const spot = target(panel);
  const index = editor.index >= 0 ? editor.index : spot.index;
  panel.unit = index >= 0 ? -1 : spot.unit;
  drawLinks(context, diagram, units, row, palette, arranged);
  if (index >= 0) {
    const { layer, unit, input } = placeOf(units.shape, index);
    const isBias = input === units.shape.layers[layer - 1];
    if (!isBias) drawHighlightedLink(context, units.shape, diagram, row, index, range, colour, palette);
    drawUnits(context, diagram, units, arranged.strip, palette, panel.mask);
    if (isBias) drawFrame(context, diagram, layer, units.shape.first[layer] + unit, colour);
  } else {
    drawUnits(context, diagram, units, arranged.strip, palette, panel.mask);
    if (spot.unit >= 0) drawFrame(context, diagram, layerOf(units.shape, spot.unit), spot.unit, colour);
  }
  drawEdited(context, units.shape, diagram, row, edited, colour, palette);
  drawNames(context, arranged);
  updateLabels(arranged);
  if (editor.index >= 0) updateEditor(editor, recording.network, units.shape, row, edited);
  showReadout(arranged, spot, fresh);
}

/**
 * Draw the names of inputs to their left and of classes to their right.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Arranged} panel
 */
function drawNames(context, { diagram, units, palette, names, font }) {
  const { x, y, side } = diagram;
  const { first } = units.shape;
  const last = first.length - 1;
  context.font = font;
  context.textBaseline = "middle";
  context.fillStyle = palette.ink;
  context.textAlign = "right";
  for (let i = 0; i < names.inputs.length; i++) {
    context.fillText(names.inputs[i], x[0] - side[0] / 2 - GAP + 1, y[i]);
  }
  context.textAlign = "left";
  for (let c = 0; c < names.outputs.length; c++) {
    context.fillText(names.outputs[c], x[last] + side[last] / 2 + GAP - 1, y[first[last] + c]);
  }
}

/**
 * Update headings and tools.
 *
 * @param {Arranged} panel
 */
function updateLabels({ headings, units, edited, dropRate, hint, dropped, toggle, again, reset, masking, diagram }) {
  const { layers } = units.shape;
  const of = diagram.pitch >= SPACIOUS ? " of " : "/";
  for (let l = 0; l < layers.length - 1; l++) {
    // padded with figure spaces, so that nothing moves when there is a digit less
    const n = String(inUse(units, l)).padStart(String(layers[l]).length, "\u2007");
    setText(headings[l].count, `${n}${of}${layers[l]}`);
  }
  hint.hidden = dropRate > 0;
  toggle.hidden = !(dropRate > 0);
  again.hidden = !(dropRate > 0 && masking);
  dropped.hidden = !(dropRate > 0);
  if (dropped.dataset.rate !== String(dropRate)) {
    dropped.dataset.rate = String(dropRate);
    dropped.dataset.tip = `Crossed out: left out by this dropout mask, with all its links. The mask shown is one such as training draws anew for every point in every step, each hidden unit dropped with p = ${dropRate}. When the boundary and the squares are drawn, dropout is off.`;
  }
  reset.classList.toggle("idle", edited.size === 0);
  reset.disabled = edited.size === 0;
  setText(reset, edited.size ? `Reset ${edited.size === 1 ? "1 edit" : `${edited.size} edits`}` : "Reset");
}

/**
 * Draw the dropout mask, if masks are shown. Its seed depends on the frame and the number of draws.
 *
 * @param {Ready} panel
 */
function chooseMask(panel) {
  const { masking, dropRate, memory, units, t, draws } = panel;
  const on = masking && dropRate > 0;
  panel.mask = on ? drawMask(units.shape, dropRate, 7919 * (t + 1) + 104729 * draws, memory) : null;
}

/**
 * Return the target under the pointer, or else in focus.
 *
 * @param {NetworkPanel} panel
 */
function target({ hover, focus }) {
  return hover === NO_TARGET ? focus : hover;
}

/**
 * Show the readout of a target, and place it if the target or the layout has changed.
 *
 * @param {Arranged} panel
 * @param {Target} spot
 * @param {boolean} moved
 */
function showReadout(panel, spot, moved) {
  const { readout, units, diagram, size, editor } = panel;
  const { element } = readout;
  const on = spot !== NO_TARGET && editor.index < 0;
  if (element.hidden !== !on) element.hidden = !on;
  if (!on) return;
  updateReadout(readout, panel, spot);
  if (!moved && panel.described === spot) return;
  panel.described = spot;
  const layer = spot.unit >= 0 ? layerOf(units.shape, spot.unit) : -1;
  const at = layer < 0 ? { x: spot.x ?? 0, y: spot.y ?? 0 } : { x: diagram.x[layer], y: diagram.y[spot.unit] };
  placeReadout(readout, size, at, layer < 0 ? 6 : diagram.side[layer] / 2);
}

/**
 * Open the editor at a parameter.
 *
 * @param {NetworkPanel} panel
 * @param {number} index
 */
function edit(panel, index) {
  const { editor, recording, units, row, range, diagram, size } = /** @type {Arranged} */ (panel);
  const { layer, unit, input } = placeOf(units.shape, index);
  openEditor(editor, recording.network, units.shape, row, index, range);
  const u = units.shape.first[layer] + unit;
  const bias = input === units.shape.layers[layer - 1];
  const spot = bias ? { x: diagram.x[layer], y: diagram.y[u] } : middleOf(units.shape, diagram, index);
  placeEditor(editor, size, spot, bias ? diagram.side[layer] / 2 : 0);
  setTabStop(panel, u);
  draw(panel);
}

/**
 * Open the editor at a unit's first weight.
 *
 * @param {NetworkPanel} panel
 * @param {number} u
 */
function editUnit(panel, u) {
  const { units } = /** @type {Ready} */ (panel);
  const layer = layerOf(units.shape, u);
  // an input has no weights of its own
  if (layer === 0) return;
  edit(panel, parameterOf(units.shape, layer, u - units.shape.first[layer], 0));
  panel.editor.choice.focus();
}

/**
 * Close the editor.
 *
 * @param {NetworkPanel} panel
 * @param {boolean} [back]  whether to focus its unit
 */
function close(panel, back = true) {
  const { editor, units, buttons } = panel;
  if (editor.index < 0 || !units) return;
  const { layer, unit } = placeOf(units.shape, editor.index);
  closeEditor(editor);
  if (back) buttons[units.shape.first[layer] + unit].focus({ preventScroll: true });
}
