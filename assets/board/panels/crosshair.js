/** The crosshair on all pictures, with each network's prediction there. */

/**
 * @import {Closeup} from "./closeup.js"
 * @import {Place, Stage} from "./types.d.ts"
 */

import { updateCrosshair } from "./card.js";
import { updatePlace } from "./closeup.js";
import { evaluate, featuresOf } from "../state/forward.js";
import { prediction } from "../state/words.js";

/**
 * Show the crosshair, or hide it.
 *
 * @param {Stage} stage
 * @param {Place|null} place
 * @param {Closeup} closeup
 */
export function updateCrosshairs({ recording, displayed, cards }, place, closeup) {
  const { network, domain: [low, high] } = recording;
  /** @type {[number, number]|null} */
  const point = place && [low + place.x * (high - low), high - place.y * (high - low)];
  const inputs = point && featuresOf(network.features, [point[0]], [point[1]]);
  const predictions = displayed.map(({ card, drawn }, c) => {
    const text = inputs ? prediction(network.task, [...evaluate(network, drawn, 0, inputs, 1)]) : "";
    updateCrosshair(cards[c], place, text);
    return { label: card.label, text };
  });
  updatePlace(closeup, place, point, predictions, network.task);
}
