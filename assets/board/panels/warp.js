/**
 * The panel "Seen by a layer": the plane and the training points as a hidden layer of the network in
 * focus sees them, along its two main directions or along two of its units.
 */

/**
 * @import {Scale, Theme} from "../draw/types.d.ts"
 * @import {Plane, Recording} from "../state/types.d.ts"
 * @import {Warp} from "../state/warp.js"
 */

import { contextOf, fitCanvas, make, onResize, setText } from "../draw/dom.js";
import { drawWarp } from "../draw/warp.js";
import { makeWarp, updateWarp } from "../state/warp.js";
import { percent } from "../state/words.js";

const ABOUT =
  "A layer turns each point of the plane into numbers, one for each unit. Here are the training points and a grid over the plane where these numbers put them: along the two directions in which the layer's values vary most, or along two units. Colours are the predictions, the thick line is the boundary between classes. The last hidden layer must make that line straight, or nearly: the output can draw straight lines only.";
const MAIN = "main";
// number of layers from which the choices are labelled by numbers alone
const MANY_LAYERS = 4;

/**
 * Create the panel.
 *
 * @typedef {ReturnType<typeof makeWarpPanel>} WarpPanel
 *
 * @param {{onChange: () => void}} handlers  called when the panel must be drawn again
 */
export function makeWarpPanel({ onChange }) {
  const canvas = make("canvas", { role: "img", "aria-label": "The plane as a hidden layer sees it" });
  const layers = make("div", { class: "segments", role: "radiogroup", "aria-label": "Seen by which layer" });
  const across = make("select", { "aria-label": "To the right" });
  const upwards = make("select", { "aria-label": "Upwards" });
  const up = make("label", {}, "↑", upwards);
  const readout = make("p", { class: "readout" });
  const element = make("section", { class: "panel warp", "aria-label": "Seen by a layer" },
    make("h3", {}, make("button", { type: "button", class: "term label", "data-tip": ABOUT }, "Seen by a layer")),
    layers,
    make("div", { class: "seen" }, canvas),
    make("div", { class: "axes" }, make("label", {}, "→", across), up),
    readout,
  );
  const panel = {
    element, canvas, layers, across, upwards, up, readout,
    /** @type {string|null} */ run: null,
    /** @type {Plane|null} */ plane: null,
    /** @type {Warp|null} null if there is nothing to show */ warp: null,
    layer: 1,
    /** @type {number[]|null} two units, or null for the main directions */ units: null,
    size: 0,
  };
  layers.addEventListener("change", ({ target }) => {
    chooseLayer(panel, Number(/** @type {HTMLInputElement} */ (target).value));
    onChange();
  });
  for (const select of [across, upwards]) {
    select.addEventListener("change", () => {
      chooseUnits(panel);
      onChange();
    });
  }
  onResize(canvas, () => {
    panel.size = canvas.clientWidth;
    onChange();
  });
  return panel;
}

/**
 * Draw what a layer of a network sees. The panel is hidden where there is no hidden layer.
 *
 * @param {WarpPanel} panel
 * @param {Recording} recording
 * @param {Float32Array} row
 * @param {{scale: Scale, theme: Theme, ratio: number, plane: Plane}} options
 */
export function updateWarpPanel(panel, recording, row, { scale, theme, ratio, plane }) {
  if (panel.run !== recording.run || panel.plane !== plane) beginRun(panel, recording, plane);
  const { warp, canvas, layer, units, size, readout } = panel;
  if (!warp || !size) return;
  updateWarp(warp, row, layer, units);
  fitCanvas(canvas, size, size, ratio);
  drawWarp(contextOf(canvas), warp, recording, scale, theme, size, ratio);
  setText(readout, describe(panel, warp));
}

/**
 * Describe the picture in words.
 *
 * @param {WarpPanel} panel
 * @param {string} label
 * @param {number} epoch
 */
export function describeWarp(panel, label, epoch) {
  const { warp, canvas, layer } = panel;
  if (!warp) return;
  canvas.setAttribute("aria-label",
    `The plane and the training points as hidden layer ${layer} of ${label} sees them at epoch ${epoch}. ${describe(panel, warp)}`);
}

/**
 * Return what the axes are, in words.
 *
 * @param {WarpPanel} panel
 * @param {Warp} warp
 */
function describe({ units, layer }, { shape, share }) {
  const count = shape.layers[layer];
  if (units) return `The values of two of the layer's ${count} units.`;
  if (count === 1) return "The layer has one unit: all lies on a line.";
  if (Number.isNaN(share)) return "The layer's values are the same at all training points.";
  return `Its two main directions hold ${percent(share)} of the variation of its ${count} units.`;
}

/**
 * Prepare the panel for another run: the choice of its layers.
 *
 * @param {WarpPanel} panel
 * @param {Recording} recording
 * @param {Plane} plane
 */
function beginRun(panel, recording, plane) {
  const { layers: sizes } = recording.network;
  const hidden = sizes.slice(1, -1);
  const same = panel.warp && panel.warp.shape.layers.join() === sizes.join();
  panel.run = recording.run;
  panel.plane = plane;
  panel.element.hidden = hidden.length === 0;
  panel.warp = hidden.length ? makeWarp(recording, plane) : null;
  if (same || !panel.warp) return;
  const name = `warp-${Math.random().toString(36).slice(2)}`;
  panel.layers.replaceChildren(
    ...hidden.map((_, l) => {
      const radio = make("input", { type: "radio", name, value: String(l + 1), "aria-label": `layer ${l + 1}` });
      radio.checked = l + 1 === hidden.length;
      return make("label", {}, radio, make("span", {}, hidden.length > MANY_LAYERS ? String(l + 1) : `layer ${l + 1}`));
    }),
  );
  chooseLayer(panel, hidden.length);
}

/**
 * Choose a layer, with its main directions.
 *
 * @param {WarpPanel} panel
 * @param {number} layer
 */
function chooseLayer(panel, layer) {
  panel.layer = layer;
  const count = panel.warp?.shape.layers[layer] ?? 0;
  const units = Array.from({ length: count }, (_, u) => make("option", { value: String(u) }, `unit ${u + 1}`));
  panel.across.replaceChildren(make("option", { value: MAIN }, "main directions"), ...units);
  panel.across.value = MAIN;
  panel.upwards.replaceChildren(...units.map((option) => /** @type {HTMLOptionElement} */ (option.cloneNode(true))));
  panel.upwards.value = String(Math.min(1, count - 1));
  chooseUnits(panel);
}

/**
 * Read the choice of units.
 *
 * @param {WarpPanel} panel
 */
function chooseUnits(panel) {
  const { across, upwards, up } = panel;
  const main = across.value === MAIN;
  panel.units = main ? null : [Number(across.value), Number(upwards.value)];
  // keeps its place, so that nothing moves
  up.classList.toggle("idle", main);
  upwards.disabled = main;
}
