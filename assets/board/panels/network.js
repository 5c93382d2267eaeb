/**
 * The network panel: the diagram, the readout of the unit or link under the pointer or in focus, and
 * the editor of weights. The arrow keys move the focus between units (roving tabindex).
 */

/**
 * @import {Scale, Theme} from "../draw/types.d.ts"
 * @import {Plane, Recording} from "../state/types.d.ts"
 * @import {DiagramLayout, NetworkHandlers, NetworkRun, ShownDiagram, Sign, Target} from "./types.d.ts"
 */

import {
  drawHighlightedLink, drawEdited, drawFrame, drawLinks, drawUnits, makePalette, makeStrip, paintUnits,
} from "../draw/diagram.js";
import { contextOf, fitCanvas, icon, make, onResize, setText } from "../draw/dom.js";
import { closeEditor, makeEditor, openEditor, placeEditor, updateEditor } from "./editor.js";
import { arrange, linkAt, middleOf, unitAt } from "../draw/placement.js";
import {
  featureName, incoming, makeReadout, placeReadout, stateOf, unitName, updateReadout,
} from "./readout.js";
import { makeRates, updateRates } from "./effective_rates.js";
import { DiagramInput, NO_TARGET, neighbour, setTabStop } from "./diagram_input.js";
import { drawMask, inUse, layerOf, makeUnits, parameterOf, placeOf, updateUnits } from "../state/units.js";
import { className, parameter, shortened } from "../state/words.js";

const TOP = 36;
const GAP = 7;
// distance of layers in CSS pixels from which their headings are written out
const SPACIOUS = 58;
// distance of inputs in CSS pixels from which they are named
const LEAST_NAMED = 12;
// room for half of the heading, in CSS pixels, left of inputs without names
const UNNAMED = 26;

/** @type {Sign[]} */
const SIGNS = [
  ["w > 0", ["path", { d: "M0 6H20", class: "positive" }], "A weight above 0: a solid line. The thicker and darker, the larger |w|, on the same scale in all networks and epochs of the run. In the squares the same colour: the unit's value is above 0."],
  ["w < 0", ["path", { d: "M0 6H20", class: "negative" }], "A weight below 0: a dashed line. In the squares the same colour: the unit's value is below 0. A weight that is exactly 0 has no line: the link is gone."],
  ["cut off", ["path", { d: "M1 1H11V11H1ZM1 6L6 1M1 11L11 1M6 11L11 6", class: "unit cut" }], "Hatched, with a dashed frame: no path of weights that are not 0 leads to this unit from an input, or none leads on to an output. The network's prediction depends on it no more than on a constant."],
  ["constant", ["path", { d: "M1 1H11V11H1ZM3 6H9", class: "unit" }], "A level line: the unit is connected but has the same value all over the plane and at all training points. With ReLU such a unit is mostly dead: its value is 0, and no gradient reaches its weights."],
];
const UNITS_TIP = "Each square is a unit: what it computes over the plane, x₁ to the right, x₂ upwards. Inputs and hidden units have their colour in full at ±1, or at their largest value where that is more.";

/** The panel of the network in focus. */
export class NetworkPanel {
  size = { width: 0, height: 0 };
  /** @type {NetworkRun|null} */ run = null;
  /** @type {ShownDiagram|null} */ shown = null;
  /** @type {DiagramLayout|null} null until it is laid out */ layout = null;
  /** @type {Target} that the readout describes */ described = NO_TARGET;
  /** Whether dropout masks are shown. */
  masking = false;
  /** Number of masks drawn on request. */
  draws = 0;
  /** @type {Uint8Array|null} */ mask = null;

  /** @param {NetworkHandlers} handlers */
  constructor(handlers) {
    this.canvas = make("canvas", { role: "img", "aria-label": "Network" });
    this.layers = make("div", { class: "layers" });
    this.grid = make("div", { class: "units", role: "group", "aria-label": "Units: arrow keys move, Enter changes weights" });
    this.readout = makeReadout();
    this.editor = makeEditor({
      ...handlers,
      onChoose: (index) => this.edit(index),
      onClose: () => this.close(),
    });
    this.stage = make("div", { class: "stage" },
      this.canvas, this.layers, this.grid, this.readout.element, this.editor.element);
    this.tools = makeTools({
      toggle: () => this.toggleMask(),
      again: () => this.drawAgain(),
      reset: () => handlers.onReset(),
    });
    this.rates = makeRates();
    this.element = make("section", { class: "panel network", "aria-label": "Network" },
      make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": UNITS_TIP }, "Network")),
      this.stage,
      make("div", { class: "key-line" }, ...SIGNS.map(makeSign), this.tools.dropped),
      this.rates.element,
      this.tools.element);
    this.input = new DiagramInput(this, {
      buttons: () => this.run?.buttons ?? [],
      locate: (x, y, slack) => this.locate(x, y, slack),
      neighbour: (u, key) => (this.run && this.layout ? neighbour(this.run.units, this.layout.diagram, u, key) : u),
      draw: () => this.draw(),
      edit: (index) => this.edit(index),
      editUnit: (u) => this.editUnit(u),
      close: (back) => this.close(back),
    });
    onResize(this.stage, () => this.measure() && this.draw());
  }

  /**
   * Draw one network.
   *
   * @param {Recording} recording
   * @param {Float32Array} row  the network's parameters, with edits
   * @param {Scale} scale
   * @param {Theme} theme
   * @param {Pick<ShownDiagram, "ratio"|"t"|"colour"|"edited"|"range"|"dropRate"|"plane">} options
   */
  update(recording, row, scale, theme, options) {
    const { plane } = options;
    if (this.run?.id === recording.run && this.run.plane !== plane) this.showPlane(this.run, recording, plane);
    const run = this.run?.id === recording.run ? this.run : this.beginRun(recording, plane);
    let palette = this.shown?.palette;
    if (palette?.mode !== theme.mode) {
      palette = makePalette(recording, theme);
      this.element.style.setProperty("--positive", palette.positive);
      this.element.style.setProperty("--negative", palette.negative);
      this.layout = null;
    }
    this.shown = { recording, row, palette, ...options };
    if (!this.size.width) this.measure();
    updateUnits(run.units, row);
    paintUnits(run.strip, run.units, palette, scale);
    this.draw();
  }

  /**
   * Describe the picture in words.
   *
   * @param {string} label
   * @param {number} epoch
   */
  describe(label, epoch) {
    // a panel outside the window may not have been drawn yet
    if (!this.run || !this.shown) return;
    const { units, buttons } = this.run;
    const { recording: { network, weightIndex }, row } = this.shown;
    const { layers, first } = units.shape;
    const left = weightIndex.reduce((n, i) => (row[i] !== 0 ? n + 1 : n), 0);
    const hidden = layers.slice(1, -1).map((n, l) => `${inUse(units, l + 1)} of ${n}`);
    const layersInUse = hidden.length ? `, with ${hidden.join(", ")} units in use in its hidden layers` : "";
    this.canvas.setAttribute("aria-label",
      `Network of ${label} at epoch ${epoch}: ${left} of ${weightIndex.length} weights are not 0${layersInUse}.`);
    buttons.forEach((button, u) => {
      const layer = layerOf(units.shape, u);
      const unit = u - first[layer];
      const name = unitName(network, layer, unit);
      const fanIn = layers[layer - 1];
      const numbers = layer === 0 ? "" : `: bias ${parameter(row[parameterOf(units.shape, layer, unit, fanIn)])}, ${incoming(units.shape, row, layer, unit)} of ${fanIn} incoming weights are not 0`;
      button.setAttribute("aria-label", `${name}${numbers}. ${stateOf(network, units, u, this.mask)}`.trim());
    });
  }

  /**
   * Prepare the panel for another run: memory, headings, and a button for each unit.
   *
   * @param {Recording} recording
   * @param {Plane} plane
   * @returns {NetworkRun}
   */
  beginRun(recording, plane) {
    this.close(false);
    const units = makeUnits(recording, plane);
    const { layers, first, count } = units.shape;
    const buttons = Array.from({ length: count }, (_, u) => {
      const layer = layerOf(units.shape, u);
      const name = unitName(recording.network, layer, u - first[layer]);
      return make("button", { type: "button", tabindex: u === 0 ? "0" : "-1", "aria-label": name });
    });
    this.grid.replaceChildren(...buttons);
    const headings = layers.map((_, l) => makeHeading(l, layers.length - 1));
    this.layers.replaceChildren(...headings.map(({ element }) => element));
    this.run = { id: recording.run, plane, units, strip: makeStrip(units), memory: new Uint8Array(count), buttons, headings };
    this.shown = this.layout = null;
    this.input.reset();
    return this.run;
  }

  /**
   * Show the units' values in another plane.
   *
   * @param {NetworkRun} run
   * @param {Recording} recording
   * @param {Plane} plane
   */
  showPlane(run, recording, plane) {
    const units = makeUnits(recording, plane);
    this.run = { ...run, plane, units, strip: makeStrip(units) };
  }

  /** Measure the stage; return whether its size has changed and there is a network to draw. */
  measure() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (width === this.size.width && height === this.size.height) return false;
    this.size = { width, height };
    this.layout = null;
    return width > 0 && this.run !== null;
  }

  /**
   * Lay out the units, and the buttons over them.
   *
   * @param {NetworkRun} run
   * @param {ShownDiagram} shown
   * @returns {DiagramLayout}
   */
  rearrange({ units, buttons, headings }, { recording: { network } }) {
    const { layers } = units.shape;
    const last = layers.length - 1;
    const font = `12px ${getComputedStyle(this.element).fontFamily}`;
    const spacing = (this.size.height - TOP) / layers[0];
    // more names than fit are left out; the heading has their number
    const inputs = network.features.map((name) => (spacing < LEAST_NAMED ? "" : shortened(featureName(name))));
    const outputs = network.task === "multiclass" ? Array.from({ length: layers[last] }, (_, c) => shortened(className(network, c))) : [];
    const context = contextOf(this.canvas);
    context.font = font;
    const widest = (/** @type {string[]} */ texts) => texts.reduce((most, text) => Math.max(most, context.measureText(text).width), 0);
    const right = outputs.length ? widest(outputs) + GAP : 8;
    const margin = { left: Math.max(widest(inputs) + GAP, spacing < LEAST_NAMED ? UNNAMED : 0), right, top: TOP };
    const diagram = arrange(units.shape, this.size.width, this.size.height, margin);
    const { x, y, side, pitch } = diagram;
    headings.forEach(({ element, name }, l) => {
      const spacious = pitch >= SPACIOUS;
      const ends = spacious || spacing < LEAST_NAMED ? ["inputs", "output"] : ["in", "out"];
      setText(name, l === 0 ? ends[0] : l === last ? ends[1] : spacious ? `layer ${l}` : String(l));
      element.style.left = `${x[l]}px`;
    });
    buttons.forEach((button, u) => {
      const l = layerOf(units.shape, u);
      Object.assign(button.style, {
        left: `${x[l] - side[l] / 2}px`, top: `${y[u] - side[l] / 2}px`, width: `${side[l]}px`, height: `${side[l]}px`,
      });
    });
    return { diagram, font, inputs, outputs };
  }

  /** Draw the diagram and update its texts. */
  draw() {
    const { run, shown, size, editor } = this;
    if (!size.width || !run || !shown) return;
    const fresh = !this.layout;
    const layout = this.layout ?? this.rearrange(run, shown);
    this.layout = layout;
    this.chooseMask(run, shown);
    const { target } = this.input;
    this.drawDiagram(run, shown, layout);
    updateHeadings(run, layout);
    updateRates(this.rates, shown.recording, shown.row, shown.t);
    updateTools(this.tools, shown, this.masking);
    if (editor.index >= 0) updateEditor(editor, shown.recording.network, run.units.shape, shown.row, shown.edited);
    this.showReadout(run, shown, layout, target, fresh);
  }

  /**
   * Draw links, units and names, with the edited parameter or else the target highlighted.
   *
   * @param {NetworkRun} run
   * @param {ShownDiagram} shown
   * @param {DiagramLayout} layout
   */
  drawDiagram({ units, strip }, { row, palette, ratio, colour, range, edited }, layout) {
    const { size, canvas, editor, mask, input: { target } } = this;
    const { diagram } = layout;
    const { shape } = units;
    const context = contextOf(canvas);
    // not for each picture: Firefox then updates the page's styles, which takes 0.8 ms
    if (fitCanvas(canvas, size.width, size.height, ratio)) context.font = layout.font;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    const index = editor.index >= 0 ? editor.index : target.index;
    const unit = index >= 0 ? -1 : target.unit;
    drawLinks(context, diagram, units, row, palette, { range, mask, unit, ratio });
    const place = index >= 0 ? placeOf(shape, index) : null;
    const isBias = place !== null && place.input === shape.layers[place.layer - 1];
    if (place && !isBias) drawHighlightedLink(context, shape, diagram, row, index, range, colour, palette);
    drawUnits(context, diagram, units, strip, palette, mask);
    if (place && isBias) drawFrame(context, diagram, place.layer, shape.first[place.layer] + place.unit, colour);
    if (unit >= 0) drawFrame(context, diagram, layerOf(shape, unit), unit, colour);
    drawEdited(context, shape, diagram, row, edited, colour, palette);
    context.fillStyle = palette.ink;
    drawNames(context, layout, shape.first);
  }

  /** Show or hide dropout masks. */
  toggleMask() {
    this.masking = !this.masking;
    this.tools.toggle.setAttribute("aria-pressed", String(this.masking));
    this.draw();
  }

  /** Draw another dropout mask. */
  drawAgain() {
    this.draws++;
    this.draw();
  }

  /**
   * Draw the dropout mask, if masks are shown. Its seed depends on the frame and the number of draws.
   *
   * @param {NetworkRun} run
   * @param {ShownDiagram} shown
   */
  chooseMask({ units, memory }, { dropRate, t }) {
    const on = this.masking && dropRate > 0;
    this.mask = on ? drawMask(units.shape, dropRate, 7919 * (t + 1) + 104729 * this.draws, memory) : null;
  }

  /**
   * Show the readout of a target, and place it if the target or the layout has changed.
   *
   * @param {NetworkRun} run
   * @param {ShownDiagram} shown
   * @param {DiagramLayout} layout
   * @param {Target} target
   * @param {boolean} moved
   */
  showReadout({ units, strip }, shown, { diagram }, target, moved) {
    const { readout, size, editor, mask } = this;
    const { element } = readout;
    const on = target !== NO_TARGET && editor.index < 0;
    if (element.hidden !== !on) element.hidden = !on;
    if (!on) return;
    updateReadout(readout, { ...shown, units, strip, mask }, target);
    if (!moved && this.described === target) return;
    this.described = target;
    const layer = target.unit >= 0 ? layerOf(units.shape, target.unit) : -1;
    const at = layer < 0 ? { x: target.x ?? 0, y: target.y ?? 0 } : { x: diagram.x[layer], y: diagram.y[target.unit] };
    placeReadout(readout, size, at, layer < 0 ? 6 : diagram.side[layer] / 2);
  }

  /**
   * Return the target at a place of the stage.
   *
   * @param {number} x  as a share of its width
   * @param {number} y  as a share of its height
   * @param {number} slack  tolerance around links, in CSS pixels
   * @returns {Target}
   */
  locate(x, y, slack) {
    const { run, shown, layout, size } = this;
    if (!run || !shown || !layout) return NO_TARGET;
    const [left, top] = [x * size.width, y * size.height];
    const unit = unitAt(run.units.shape, layout.diagram, left, top, slack / 3);
    if (unit >= 0) return { unit, index: -1 };
    const index = linkAt(run.units.shape, layout.diagram, shown.row, shown.edited, shown.range, left, top, slack);
    return index < 0 ? NO_TARGET : { unit: -1, index, x: left, y: top };
  }

  /**
   * Open the editor at a parameter.
   *
   * @param {number} index
   */
  edit(index) {
    const { editor, run, shown, layout, size } = this;
    if (!run || !shown || !layout) return;
    const { shape } = run.units;
    const { diagram } = layout;
    const { layer, unit, input } = placeOf(shape, index);
    openEditor(editor, shown.recording.network, shape, shown.row, index, shown.range);
    const u = shape.first[layer] + unit;
    const bias = input === shape.layers[layer - 1];
    const spot = bias ? { x: diagram.x[layer], y: diagram.y[u] } : middleOf(shape, diagram, index);
    placeEditor(editor, size, spot, bias ? diagram.side[layer] / 2 : 0);
    setTabStop(run.buttons, u);
    this.draw();
  }

  /**
   * Open the editor at a unit's first weight.
   *
   * @param {number} u
   */
  editUnit(u) {
    if (!this.run) return;
    const { shape } = this.run.units;
    const layer = layerOf(shape, u);
    // an input has no weights of its own
    if (layer === 0) return;
    this.edit(parameterOf(shape, layer, u - shape.first[layer], 0));
    this.editor.choice.focus();
  }

  /**
   * Close the editor.
   *
   * @param {boolean} [back]  whether to focus its unit
   */
  close(back = true) {
    const { editor, run } = this;
    if (editor.index < 0 || !run) return;
    const { layer, unit } = placeOf(run.units.shape, editor.index);
    closeEditor(editor);
    if (back) run.buttons[run.units.shape.first[layer] + unit].focus({ preventScroll: true });
  }
}

/**
 * Create an entry of the legend.
 *
 * @param {Sign} sign
 */
function makeSign([text, shape, tip]) {
  const box = String(shape[1].class).startsWith("unit") ? "0 0 12 12" : "0 0 20 12";
  return make("button", { type: "button", class: "term", "data-tip": tip }, icon(box, shape), text);
}

/**
 * Create the tools below the diagram, and the legend's entry for dropped units.
 *
 * @typedef {ReturnType<typeof makeTools>} Tools
 *
 * @param {Record<"toggle"|"again"|"reset", () => void>} actions
 */
function makeTools(actions) {
  const dropped = makeSign(["dropped", ["path", { d: "M1 1H11V11H1ZM1 1L11 11M11 1L1 11", class: "unit" }], ""]);
  const hint = make("span", { class: "hint" }, "Click a link or a unit to change it.");
  const toggle = make("button", { type: "button", "aria-pressed": "false" }, "Dropout mask");
  const again = make("button", { type: "button" }, "Draw another");
  const reset = make("button", { type: "button", class: "reset idle" });
  // until the first drawing, which waits for the panel to be in the window: not those that do not apply
  toggle.hidden = again.hidden = dropped.hidden = true;
  toggle.addEventListener("click", actions.toggle);
  again.addEventListener("click", actions.again);
  reset.addEventListener("click", actions.reset);
  return { element: make("div", { class: "tools" }, hint, toggle, again, reset), dropped, hint, toggle, again, reset };
}

/**
 * Create the heading of a layer.
 *
 * @param {number} l
 * @param {number} last  the last layer
 */
function makeHeading(l, last) {
  const [name, count] = [make("b", {}), make("span", {})];
  const tip = l === 0 ? "The network's inputs, and how many of them it uses: those that lead to an output by weights which are not 0."
    : l < last ? `Hidden layer ${l}, and how many of its units are in use: connected to an input and to an output by weights which are not 0, and not constant.`
    : "The network's output: what it predicts, in the colours of the boundary.";
  const attributes = { type: "button", class: "term", tabindex: "-1", "data-tip": `${tip} ${UNITS_TIP}` };
  return { name, count, element: make("button", attributes, name, count) };
}

/**
 * Draw the names of inputs to their left and of classes to their right.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {DiagramLayout} layout
 * @param {number[]} first  the first unit of each layer
 */
function drawNames(context, { diagram: { x, y, side }, inputs, outputs }, first) {
  const last = first.length - 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (let i = 0; i < inputs.length; i++) {
    context.fillText(inputs[i], x[0] - side[0] / 2 - GAP + 1, y[i]);
  }
  context.textAlign = "left";
  for (let c = 0; c < outputs.length; c++) {
    context.fillText(outputs[c], x[last] + side[last] / 2 + GAP - 1, y[first[last] + c]);
  }
}

/**
 * Show how many units of each layer are in use.
 *
 * @param {NetworkRun} run
 * @param {DiagramLayout} layout
 */
function updateHeadings({ headings, units }, { diagram }) {
  const { layers } = units.shape;
  const of = diagram.pitch >= SPACIOUS ? " of " : "/";
  for (let l = 0; l < layers.length - 1; l++) {
    // padded with figure spaces, so that nothing moves when there is a digit less
    const n = String(inUse(units, l)).padStart(String(layers[l]).length, "\u2007");
    setText(headings[l].count, `${n}${of}${layers[l]}`);
  }
}

/**
 * Show the tools that apply to a network.
 *
 * @param {Tools} tools
 * @param {ShownDiagram} shown
 * @param {boolean} masking
 */
function updateTools({ hint, dropped, toggle, again, reset }, { edited, dropRate }, masking) {
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
