/** The switch between the naive and the corrected elastic net, on its card. */

import { make } from "../draw/dom.js";
import { CORRECTION } from "../state/words.js";

/**
 * Create the switch; without `onChoose`, the name of the shown one.
 *
 * @param {boolean} corrected  whether the corrected one is shown
 * @param {((corrected: boolean) => void)|null} onChoose
 */
export function makeCorrection(corrected, onChoose) {
  const shown = corrected ? CORRECTION.corrected : CORRECTION.naive;
  if (!onChoose) {
    return make("div", { class: "correction" }, make("button", { type: "button", class: "term", "data-tip": shown.tip }, shown.label));
  }
  const buttons = [CORRECTION.naive, CORRECTION.corrected].map((each) => {
    const button = make("button", { type: "button", "aria-pressed": String(each === shown), "data-tip": each.tip }, each.label);
    button.addEventListener("click", () => {
      if (each !== shown) onChoose(each === CORRECTION.corrected);
    });
    return button;
  });
  return make("div", { class: "correction", role: "group", "aria-label": "Elastic net" }, ...buttons);
}

/**
 * Return whether the switch of a card has the focus.
 *
 * @param {HTMLElement} cards
 */
export function hasFocus(cards) {
  return cards.querySelector(".correction :focus") !== null;
}

/**
 * Move the focus to the pressed button of the switch, if there is one.
 *
 * @param {HTMLElement} cards
 */
export function focusCorrection(cards) {
  /** @type {HTMLElement|null} */ (cards.querySelector('.correction [aria-pressed="true"]'))?.focus();
}
