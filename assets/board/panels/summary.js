/** The summary below the cards. Screen readers announce it at rest only, not in each frame. */

import { make, setText } from "../draw/dom.js";

/** Create the summary. */
export function makeSummary() {
  return make("p", { class: "summary", "aria-live": "off", "aria-atomic": "true" });
}

/**
 * Show a text while the board changes, without announcing it.
 *
 * @param {HTMLElement} summary
 * @param {string} text
 */
export function updateSummary(summary, text) {
  if (summary.firstChild?.nodeValue === text) return;
  summary.setAttribute("aria-live", "off");
  setText(summary, text);
}

/**
 * Announce the text at rest, once.
 *
 * @param {HTMLElement} summary
 */
export function announceSummary(summary) {
  if (summary.getAttribute("aria-live") === "polite") return;
  summary.setAttribute("aria-live", "polite");
  // only a change is announced
  summary.replaceChildren(document.createTextNode(summary.textContent ?? ""));
}
