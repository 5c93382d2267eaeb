/**
 * The network panel: the diagram, what it tells under the pointer or the keyboard's focus, and the
 * window for changing weights. The keyboard moves over it with the arrow keys as over one control.
 */

import {
  drawChosen, drawEdited, drawFrame, drawLinks, drawUnits, makePalette, makeStrip, paintUnits,
} from "./diagram.js";
import { contextOf, fit, icon, make, onResize, say } from "./dom.js";
import { closeEditor, makeEditor, openEditor, placeEditor, updateEditor } from "./editor.js";
import { arrange, middleOf } from "./placement.js";
import {
  featureName, incoming, makeReadout, placeReadout, stateOf, unitName, updateReadout,
} from "./readout.js";
import { NOTHING, listen, rove } from "./steering.js";
import { drawMask, inUse, layerOf, makeUnits, parameterOf, placeOf, updateUnits } from "./units.js";
import { className, number, shortened } from "./words.js";

const TOP = 36;
const GAP = 7;
// a layer's heading is written out where layers are this far apart
const SPACIOUS = 58;

const SIGNS = [
  ["w > 0", ["path", { d: "M0 6H20", class: "positive" }], "A weight above 0: a solid line. The thicker and darker, the larger |w|, on the same scale in all networks and epochs of the run. In the squares the same colour: the unit's value is above 0."],
  ["w < 0", ["path", { d: "M0 6H20", class: "negative" }], "A weight below 0: a dashed line. In the squares the same colour: the unit's value is below 0. A weight that is exactly 0 has no line: the link is gone."],
  ["cut off", ["path", { d: "M1 1H11V11H1ZM1 6L6 1M1 11L11 1M6 11L11 6", class: "unit cut" }], "Hatched, with a dashed frame: no path of weights that are not 0 leads to this unit from an input, or none leads on to an output. The network's prediction depends on it no more than on a constant."],
  ["constant", ["path", { d: "M1 1H11V11H1ZM3 6H9", class: "unit" }], "A level line: the unit is connected but has the same value all over the plane and at all training points. With ReLU such a unit is mostly dead: its value is 0, and no gradient reaches its weights."],
];
const UNITS_TIP = "Each square is a unit: what it computes over the plane, x₁ to the right, x₂ upwards. Inputs and hidden units have their colour in full at ±1, or at their largest value where that is more.";

/**
 * @param {{onEdit: (index: number, value: number) => void, onReset: (index?: number) => void}} handlers
 *   a parameter's place in the row and its new value; the parameter to give back its trained value,
 *   or none for all of them
 */
export function makeNetwork({ onEdit, onReset }) {
  const tool = (text, more) => make("button", { type: "button", ...more }, text);
  const sign = ([text, shape, tip]) => {
    const box = shape[1].class.startsWith("unit") ? "0 0 12 12" : "0 0 20 12";
    return make("button", { type: "button", class: "term", "data-tip": tip }, icon(box, shape), text);
  };
  const panel = {
    size: { width: 0, height: 0 },
    units: null,
    palette: null,
    diagram: null,
    run: null,
    buttons: [],
    headings: [],
    mask: null,
    hover: NOTHING,
    focus: NOTHING,
    touched: -1,
    draws: 0,
    masking: false,
    canvas: make("canvas", { role: "img", "aria-label": "Network" }),
    layers: make("div", { class: "layers" }),
    grid: make("div", { class: "units", role: "group", "aria-label": "Units: arrow keys move, Enter changes weights" }),
    readout: makeReadout(),
    dropped: sign(["dropped", ["path", { d: "M1 1H11V11H1ZM1 1L11 11M11 1L1 11", class: "unit" }], ""]),
    hint: make("span", { class: "hint" }, "Click a link or a unit to change it."),
    toggle: tool("Dropout mask", { "aria-pressed": "false" }),
    again: tool("Draw another", {}),
    reset: tool("", { class: "reset" }),
  };
  panel.editor = makeEditor({
    onEdit,
    onReset,
    onChoose: (index) => edit(panel, index),
    onClose: () => close(panel),
  });
  panel.stage = make("div", { class: "stage" },
    panel.canvas, panel.layers, panel.grid, panel.readout.element, panel.editor.element);
  panel.element = make("section", { class: "panel network", "aria-label": "Network" },
    make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": UNITS_TIP }, "Network")),
    panel.stage,
    make("div", { class: "key-line" }, ...SIGNS.map(sign), panel.dropped),
    make("div", { class: "tools" }, panel.hint, panel.toggle, panel.again, panel.reset));

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
 * @param {Object} panel
 * @param {import("./recording.js").Recording} recording
 * @param {Float32Array} row  the network's parameters, edits and all
 * @param {import("./scale.js").Scale} scale
 * @param {import("./theme.js").Theme} theme
 * @param {number} ratio  device pixels per CSS pixel
 * @param {{t: number, colour: string, edited: Map<number, number>, range: number, dropRate: number}} options
 *   the frame; the method's colour; parameters that were changed; the weight whose link is the
 *   thickest; the probability that dropout drops a hidden unit
 */
export function updateNetwork(panel, recording, row, scale, theme, ratio, options) {
  const { t, colour, edited, range, dropRate } = options;
  Object.assign(panel, { recording, row, scale, ratio, t, colour, edited, range, dropRate });
  if (panel.run !== recording.run) furnish(panel);
  if (panel.palette?.mode !== theme.mode) {
    panel.palette = makePalette(recording, theme);
    panel.element.style.setProperty("--positive", panel.palette.positive);
    panel.element.style.setProperty("--negative", panel.palette.negative);
    panel.diagram = null;
  }
  if (!panel.size.width) measure(panel);
  updateUnits(panel.units, row);
  paintUnits(panel.strip, panel.units, panel.palette, scale);
  draw(panel);
}

/** Say the picture in words, once it stands still. */
export function describeNetwork({ canvas, buttons, units, recording, row, mask }, label, epoch) {
  // out of sight, it may not have been drawn yet
  if (!units) return;
  const { network, weightIndex } = recording;
  const { layers, first } = units.shape;
  const left = weightIndex.reduce((n, i) => n + (row[i] !== 0), 0);
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

/** Make what another run's networks need. */
function furnish(panel) {
  const { recording } = panel;
  const units = makeUnits(recording);
  const { layers, count } = units.shape;
  const last = layers.length - 1;
  close(panel, false);
  Object.assign(panel, {
    run: recording.run, units, strip: makeStrip(units), palette: null, diagram: null,
    hover: NOTHING, focus: NOTHING, touched: -1, memory: new Uint8Array(count),
  });
  panel.buttons = Array.from({ length: count }, (_, u) => {
    const layer = layerOf(units.shape, u);
    const name = unitName(recording.network, layer, u - units.shape.first[layer]);
    return make("button", { type: "button", tabindex: u === 0 ? "0" : "-1", "aria-label": name });
  });
  panel.grid.replaceChildren(...panel.buttons);
  panel.headings = layers.map((_, l) => {
    const heading = { name: make("b", {}), count: make("span", {}) };
    const tip = l === 0 ? "The network's inputs, and how many of them it uses: those that lead to an output by weights which are not 0."
      : l < last ? `Hidden layer ${l}, and how many of its units are in use: connected to an input and to an output by weights which are not 0, and not constant.`
      : "The network's output: what it predicts, in the colours of the boundary.";
    heading.element = make("button", { type: "button", class: "term", tabindex: "-1", "data-tip": `${tip} ${UNITS_TIP}` }, heading.name, heading.count);
    return heading;
  });
  panel.layers.replaceChildren(...panel.headings.map(({ element }) => element));
}

/** How large the stage is; says whether that is news. */
function measure(panel) {
  const { clientWidth: width, clientHeight: height } = panel.stage;
  if (width === panel.size.width && height === panel.size.height) return false;
  panel.size = { width, height };
  panel.diagram = null;
  return width > 0 && panel.units !== null;
}

/** Arrange the units anew, and the buttons that lie on them. */
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
    outputs: task === "multiclass" ? Array.from({ length: layers.at(-1) }, (_, c) => shortened(className(recording.network, c))) : [],
  };
  const widest = (texts) => texts.reduce((most, text) => Math.max(most, context.measureText(text).width), 0);
  const right = panel.names.outputs.length ? widest(panel.names.outputs) + GAP : 8;
  const margin = { left: widest(panel.names.inputs) + GAP, right, top: TOP };
  panel.diagram = arrange(units.shape, size.width, size.height, margin);
  const { x, y, side, pitch } = panel.diagram;
  const last = layers.length - 1;
  headings.forEach(({ element, name }, l) => {
    const spacious = pitch >= SPACIOUS;
    const ends = spacious ? ["inputs", "output"] : ["in", "out"];
    say(name, l === 0 ? ends[0] : l === last ? ends[1] : spacious ? `layer ${l}` : String(l));
    element.style.left = `${x[l]}px`;
  });
  buttons.forEach((button, u) => {
    const l = layerOf(units.shape, u);
    Object.assign(button.style, {
      left: `${x[l] - side[l] / 2}px`, top: `${y[u] - side[l] / 2}px`, width: `${side[l]}px`, height: `${side[l]}px`,
    });
  });
}

/** Draw what is known, again. */
function draw(panel) {
  const { size, units, palette, canvas, ratio, row, colour, range, edited, editor, recording } = panel;
  if (!size.width || !units || !palette) return;
  const fresh = !panel.diagram;
  if (fresh) rearrange(panel);
  const { diagram } = panel;
  chooseMask(panel);
  fit(canvas, size.width, size.height, ratio);
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const spot = target(panel);
  const index = editor.index >= 0 ? editor.index : spot.index;
  panel.unit = index >= 0 ? -1 : spot.unit;
  drawLinks(context, diagram, units, row, palette, panel);
  if (index >= 0) {
    const { layer, unit, input } = placeOf(units.shape, index);
    const isBias = input === units.shape.layers[layer - 1];
    if (!isBias) drawChosen(context, units.shape, diagram, row, index, range, colour, palette);
    drawUnits(context, diagram, units, panel.strip, palette, panel.mask);
    if (isBias) drawFrame(context, diagram, layer, units.shape.first[layer] + unit, colour);
  } else {
    drawUnits(context, diagram, units, panel.strip, palette, panel.mask);
    if (spot.unit >= 0) drawFrame(context, diagram, layerOf(units.shape, spot.unit), spot.unit, colour);
  }
  drawEdited(context, units.shape, diagram, row, edited, colour, palette);
  drawNames(context, panel);
  sayNumbers(panel);
  if (editor.index >= 0) updateEditor(editor, recording.network, units.shape, row, edited);
  showReadout(panel, spot, fresh);
}

/** Inputs at their left, classes at their right. */
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

/** Headings and tools. */
function sayNumbers({ headings, units, edited, dropRate, hint, dropped, toggle, again, reset, masking, diagram }) {
  const { layers } = units.shape;
  const of = diagram.pitch >= SPACIOUS ? " of " : "/";
  for (let l = 0; l < layers.length - 1; l++) {
    // figure spaces, so that nothing moves when a digit goes
    const n = String(inUse(units, l)).padStart(String(layers[l]).length, "\u2007");
    say(headings[l].count, `${n}${of}${layers[l]}`);
  }
  hint.hidden = dropRate > 0;
  toggle.hidden = !(dropRate > 0);
  again.hidden = !(dropRate > 0 && masking);
  dropped.hidden = !(dropRate > 0);
  if (dropped.dataset.rate !== String(dropRate)) {
    dropped.dataset.rate = dropRate;
    dropped.dataset.tip = `Crossed out: left out by this dropout mask, with all its links. The mask shown is one such as training draws anew for every point in every step, each hidden unit dropped with p = ${dropRate}. When the boundary and the squares are drawn, dropout is off.`;
  }
  reset.classList.toggle("idle", edited.size === 0);
  reset.disabled = edited.size === 0;
  say(reset, edited.size ? `Reset ${edited.size === 1 ? "1 edit" : `${edited.size} edits`}` : "Reset");
}

/** Each frame has masks of its own, the same ones whenever it is shown. */
function chooseMask(panel) {
  const { masking, dropRate, memory, units, t, draws } = panel;
  const on = masking && dropRate > 0;
  panel.mask = on ? drawMask(units.shape, dropRate, 7919 * (t + 1) + 104729 * draws, memory) : null;
}

/** What the pointer is on, or else the keyboard. */
function target({ hover, focus }) {
  return hover === NOTHING ? focus : hover;
}

/** Tell about a spot; find a place for it when it is another one. */
function showReadout(panel, spot, moved) {
  const { readout, units, diagram, size, editor } = panel;
  const { element } = readout;
  const on = spot !== NOTHING && editor.index < 0;
  if (element.hidden !== !on) element.hidden = !on;
  if (!on) return;
  updateReadout(readout, panel, spot);
  if (!moved && panel.told === spot) return;
  panel.told = spot;
  const layer = spot.unit >= 0 ? layerOf(units.shape, spot.unit) : -1;
  const at = layer < 0 ? spot : { x: diagram.x[layer], y: diagram.y[spot.unit] };
  placeReadout(readout, size, at, layer < 0 ? 6 : diagram.side[layer] / 2);
}

/** Open the editor at a parameter. */
function edit(panel, index) {
  const { editor, recording, units, row, range, diagram, size } = panel;
  const { layer, unit, input } = placeOf(units.shape, index);
  openEditor(editor, recording.network, units.shape, row, index, range);
  const u = units.shape.first[layer] + unit;
  const bias = input === units.shape.layers[layer - 1];
  const spot = bias ? { x: diagram.x[layer], y: diagram.y[u] } : middleOf(units.shape, diagram, index);
  placeEditor(editor, size, spot, bias ? diagram.side[layer] / 2 : 0);
  rove(panel, u);
  draw(panel);
}

/** Open the editor at a unit's first weight. */
function editUnit(panel, u) {
  const { units } = panel;
  const layer = layerOf(units.shape, u);
  // an input has no weights of its own
  if (layer === 0) return;
  edit(panel, parameterOf(units.shape, layer, u - units.shape.first[layer], 0));
  panel.editor.choice.focus();
}

/** Close the editor; `back` gives the focus to its unit. */
function close(panel, back = true) {
  const { editor, units, buttons } = panel;
  if (editor.index < 0) return;
  const { layer, unit } = placeOf(units.shape, editor.index);
  closeEditor(editor);
  if (back) buttons[units.shape.first[layer] + unit].focus({ preventScroll: true });
}
