/** The crosshair on all pictures, with each network's prediction there, or its weight of an input. */

/**
 * @import {View} from "../state/types.d.ts"
 * @import {Closeup} from "./closeup.js"
 * @import {Place, Stage} from "./types.d.ts"
 */

import { updateCrosshair } from "./card.js";
import { updatePlace } from "./closeup.js";
import { inputAt } from "../draw/bars.js";
import { evaluate } from "../state/forward.js";
import { inputWeights } from "../state/inputs.js";
import { inputsAt, pointAt } from "../state/plane.js";
import { showsWeights } from "../state/view.js";
import { inputWeight, prediction, predictionsAt, weightsOf } from "../state/words.js";

/**
 * Show the crosshair, or hide it.
 *
 * @param {Stage} stage
 * @param {View} view
 * @param {Place|null} place
 * @param {Closeup} closeup
 */
export function updateCrosshairs(stage, view, place, closeup) {
  const { recording: { columns, network }, displayed, cards } = stage;
  const asBars = showsWeights(view, stage.recording);
  const input = place && asBars ? inputAt(place.x, columns.length) : 0;
  const shown = place && asBars ? { x: (input + 0.5) / columns.length, y: place.y } : place;
  const textOf = place && (asBars ? weightText(stage, input) : predictionText(stage, place));
  const texts = displayed.map(({ card, drawn }, c) => {
    const text = textOf ? textOf(drawn) : "";
    updateCrosshair(cards[c], shown, text);
    return { label: card.label, text };
  });
  const about = place && (asBars ? weightsOf(columns[input].name, texts) : predictionsAt(pointAt(stage.plane, place), texts));
  updatePlace(closeup, shown, about, network.task);
}

/**
 * Return a function that writes a network's prediction at a place.
 *
 * @param {Stage} stage
 * @param {Place} place
 * @returns {(row: Float32Array) => string}
 */
function predictionText({ recording: { network }, plane }, place) {
  const [x, y] = pointAt(plane, place);
  const inputs = inputsAt(network, plane, [x], [y]);
  return (row) => prediction(network.task, [...evaluate(network, row, 0, inputs, 1)]);
}

/**
 * Return a function that writes a network's weight of an input.
 *
 * @param {Stage} stage
 * @param {number} input
 * @returns {(row: Float32Array) => string}
 */
function weightText({ recording: { network: { layers } } }, input) {
  return (row) => inputWeight(inputWeights(layers, row)[input]);
}
