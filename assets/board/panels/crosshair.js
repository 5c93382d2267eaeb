/** The crosshair on all pictures, with each network's prediction there. */

/** @import {Showing} from "../board.js" */

import { updateCrosshair } from "./card.js";
import { updatePlace } from "./closeup.js";
import { evaluate, featuresOf } from "../state/forward.js";
import { prediction } from "../state/words.js";

/**
 * Show the board's crosshair, or hide it.
 *
 * @param {Showing} board
 */
export function updateCrosshairs({ place, recording, displayed, cards, focus }) {
  const { network, domain: [low, high] } = recording;
  /** @type {[number, number]|null} */
  const point = place && [low + place.x * (high - low), high - place.y * (high - low)];
  const inputs = point && featuresOf(network.features, [point[0]], [point[1]]);
  const predictions = displayed.map(({ card, drawn }, c) => {
    const text = inputs ? prediction(network.task, [...evaluate(network, drawn, 0, inputs, 1)]) : "";
    updateCrosshair(cards[c], place, text);
    return { label: card.label, text };
  });
  updatePlace(focus.panels.closeup, place, point, predictions, network.task);
}
