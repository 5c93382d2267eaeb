/** The crosshair on all pictures, and what each network predicts there. */

import { updateCross } from "./card.js";
import { updatePlace } from "./closeup.js";
import { evaluate, featuresOf } from "./forward.js";
import { prediction } from "./words.js";

/**
 * @param {{x: number, y: number}|null} place  in shares of a picture from its upper left
 * @param {import("./recording.js").Recording} recording
 * @param {import("./shown.js").Shown[]} shown
 * @param {Object[]} cards
 * @param {Object} closeup
 */
export function pointAt(place, recording, shown, cards, closeup) {
  const { network, domain: [low, high] } = recording;
  const point = place && [low + place.x * (high - low), high - place.y * (high - low)];
  const inputs = point && featuresOf(network.features, [point[0]], [point[1]]);
  const predictions = shown.map(({ card, drawn }, c) => {
    const text = point ? prediction(network.task, [...evaluate(network, drawn, 0, inputs, 1)]) : "";
    updateCross(cards[c], place, text);
    return { label: card.label, text };
  });
  updatePlace(closeup, place, point, predictions, network.task);
}
