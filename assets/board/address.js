/**
 * The link to what is seen, in the browser's address bar: what is trained, as the server writes it,
 * and what of that is looked at, where it is not what the page would show of itself.
 */

/**
 * @import {Recording} from "./state/recording.js"
 * @import {ViewReport} from "./state/view.js"
 */

import { defaultFocus, isAdjustable } from "./state/view.js";

// what Streamlit tells a new session, unless it is empty, however the address has changed meanwhile
const opened = location.search;

/**
 * @param {Recording} recording
 * @param {Pick<ViewReport, "focus"|"strength_indices"|"epoch">} seen
 * @returns {string}  a query string without "?"; empty for the page as it opens
 */
export function query({ link, version, cards }, { focus, strength_indices, epoch }) {
  if (link === null) return "";
  const view = new URLSearchParams();
  if (focus !== defaultFocus(cards)) view.set("focus", String(focus));
  for (const { key, standard, values, networks } of cards) {
    const index = strength_indices[key];
    if (isAdjustable({ networks }) && index !== standard) view.set(key, String(values[index]));
  }
  if (epoch !== null) view.set("epoch", String(epoch));
  const parts = [link, view.toString()].filter(Boolean);
  return parts.length ? [`v=${version}`, ...parts].join("&") : "";
}

/**
 * Write the link into the address bar; no message is sent and no history is made.
 *
 * @param {Recording} recording
 * @param {ViewReport} seen
 */
export function writeAddress(recording, seen) {
  const { pathname, hash, search } = location;
  const embedding = [...new URLSearchParams(search)].filter(([name]) => name.startsWith("embed"));
  const parts = [query(recording, seen), new URLSearchParams(embedding).toString()].filter(Boolean);
  const address = pathname + (parts.length ? `?${parts.join("&")}` : "") + hash;
  if (address !== pathname + search + hash) history.replaceState(history.state, "", address);
}

/**
 * Load the page anew where a new session was told another address than that in the address bar.
 *
 * @returns {boolean}  whether it does
 */
export function reopen() {
  if (!opened || location.search === opened) return false;
  location.reload();
  return true;
}
