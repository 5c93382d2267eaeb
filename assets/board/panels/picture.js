/** The choice of the pictures of a table with more than two columns: weights, or a plane of two inputs. */

/** @import {Recording, View} from "../state/types.d.ts" */

import { make } from "../draw/dom.js";
import { isTable } from "../state/plane.js";
import { WEIGHTS } from "../state/words.js";

/**
 * Create the choice. It is hidden until a table is shown.
 *
 * @typedef {ReturnType<typeof makePicture>} Picture
 *
 * @param {{showPlane(inPlane: boolean): void, setAxes(axes: [number, number]): void}} commands
 */
export function makePicture(commands) {
  const button = (/** @type {string} */ text, /** @type {string} */ tip, /** @type {boolean} */ inPlane) => {
    const made = make("button", { type: "button", class: "toggle", "aria-pressed": "false", "data-tip": tip }, text);
    made.addEventListener("click", () => commands.showPlane(inPlane));
    return made;
  };
  const weights = button("Weights", WEIGHTS.weights, false);
  const plane = button("Plane", WEIGHTS.plane, true);
  const selects = ["to the right", "upwards"].map((text) => make("select", { "aria-label": `Input ${text}` }));
  const axes = make("span", { class: "axes" }, "→", selects[0], "↑", selects[1]);
  const panel = {
    element: make("div", { class: "picture-choice", role: "group", "aria-label": "Pictures", hidden: "" }, "Pictures", weights, plane, axes),
    weights, plane, axes, selects,
  };
  for (const [side, select] of selects.entries()) {
    select.addEventListener("change", () => {
      const [x, y] = selects.map(({ selectedIndex }) => selectedIndex);
      // a plane needs two inputs: the other one takes the place that is left
      const swapped = Number(select.dataset.shown);
      commands.setAxes(x !== y ? [x, y] : side === 0 ? [x, swapped] : [swapped, y]);
    });
  }
  return panel;
}

/**
 * Show the choice.
 *
 * @param {Picture} panel
 * @param {Recording} recording
 * @param {View} view
 */
export function updatePicture({ element, weights, plane, axes, selects }, recording, { inPlane, axes: shown }) {
  element.hidden = !isTable(recording);
  if (element.hidden) return;
  weights.setAttribute("aria-pressed", String(!inPlane));
  plane.setAttribute("aria-pressed", String(inPlane));
  axes.hidden = !inPlane;
  for (const [side, select] of selects.entries()) {
    if (select.dataset.run !== recording.run) {
      select.dataset.run = recording.run;
      select.replaceChildren(...recording.columns.map(({ name }) => make("option", {}, name)));
    }
    if (select.selectedIndex !== shown[side]) select.selectedIndex = shown[side];
    select.dataset.shown = String(shown[side]);
  }
}
