/**
 * The link in the browser's address bar: the experiment, as the server writes it, and the view, where
 * it differs from the default view.
 */

/** @import {Recording, ViewReport} from "./state/types.d.ts" */

import { defaultFocus, isAdjustable } from "./state/view.js";

// Streamlit passes this query, unless it is empty, to every new session of the page, even after the
// address bar has changed
const opened = location.search;

/**
 * Return the query string of an experiment and a view.
 *
 * @param {Recording} recording
 * @param {Pick<ViewReport, "focus"|"strength_indices"|"variant_indices"|"epoch"|"plane">} report
 * @param {string|null} [claim]  key of the claim that is shown
 * @returns {string}  without "?"; empty for the page's defaults, and where the experiment has no link
 */
export function query({ link, version, cards }, { focus, strength_indices, variant_indices, epoch, plane }, claim = null) {
  if (link === null) return "";
  const view = new URLSearchParams();
  if (focus !== defaultFocus(cards)) view.set("focus", String(focus));
  for (const card of cards) {
    const { key, standard, standard_variant, second, variants } = card;
    const [index, variant] = [strength_indices[key], variant_indices[key] ?? standard_variant];
    if (isAdjustable(card) && index !== standard) view.set(key, String(variants[variant].values[index]));
    if (second && variant !== standard_variant) view.set(second.parameter, String(variants[variant].value));
  }
  if (epoch !== null) view.set("epoch", String(epoch));
  if (plane) view.set("plane", plane.join("-"));
  if (claim !== null) view.set("try", claim);
  const parts = [link, view.toString()].filter(Boolean);
  return parts.length ? [`v=${version}`, ...parts].join("&") : "";
}

/**
 * Write the link into the address bar, without a request and without an entry in the history.
 *
 * @param {Recording} recording
 * @param {ViewReport} report
 * @param {string|null} claim
 */
export function writeAddress(recording, report, claim) {
  const { pathname, hash, search } = location;
  // Streamlit's parameters, and that of a class's room, so that a page that is loaded again is in it
  const kept = [...new URLSearchParams(search)].filter(([name]) => name.startsWith("embed") || name === "room");
  const parts = [query(recording, report, claim), new URLSearchParams(kept).toString()].filter(Boolean);
  const address = pathname + (parts.length ? `?${parts.join("&")}` : "") + hash;
  if (address !== pathname + search + hash) history.replaceState(history.state, "", address);
}

/**
 * Reload the page if a new session was opened with another query than that in the address bar.
 *
 * @returns {boolean}  whether the page is reloaded
 */
export function reloadOnNewSession() {
  if (!opened || location.search === opened) return false;
  location.reload();
  return true;
}
