/**
 * *Try this*: a row of claims, of which each opens a scene of its own, and below it what to watch on the
 * board. The projected board has buttons for the previous and the next claim in place of the row.
 */

/**
 * @import {Claim, Claims} from "../state/types.d.ts"
 * @import {ClaimHandlers} from "./types.d.ts"
 */

import { make, setText } from "../draw/dom.js";

/**
 * Create the row, the text below it, and the two buttons.
 *
 * @typedef {ReturnType<typeof makeClaims>} ClaimsPanel
 *
 * @param {ClaimHandlers} handlers
 */
export function makeClaims(handlers) {
  const tiles = make("div", { class: "tiles", role: "group", "aria-label": "Try this" });
  const row = make("div", { class: "row" }, make("span", { class: "name", "aria-hidden": "true" }, "Try this"), tiles);
  const title = make("strong");
  const watch = make("span");
  const undo = make("button", { type: "button", class: "chip undo" }, "Back to your settings");
  undo.addEventListener("click", () => handlers.undoClaim());
  const text = make("p", { role: "status" }, title, " ", watch);
  const said = make("div", { class: "said" }, text, undo);
  const element = make("div", { class: "claims", hidden: "" }, row, said);
  const steps = make("div", { class: "steps", role: "group", "aria-label": "Try this", hidden: "" });
  for (const [by, label, sign] of /** @type {[number, string, string][]} */ ([[-1, "Previous claim", "‹"], [1, "Next claim", "›"]])) {
    const button = make("button", { type: "button", class: "chip", "aria-label": label, title: label }, sign);
    button.addEventListener("click", () => handlers.stepClaim(by));
    if (by > 0) steps.append(make("span", { "aria-hidden": "true" }, "Try this"));
    steps.append(button);
  }
  return { handlers, element, row, tiles, title, watch, undo, text, said, steps, /** @type {Map<string, HTMLButtonElement>} */ buttons: new Map(), shown: "", revealed: "" };
}

/**
 * Show the claims. Returns whether anything has changed.
 *
 * @param {ClaimsPanel} panel
 * @param {Claims|null} claims  null if none are offered
 * @param {string|null} key  of the claim that the board shows or has asked for
 */
export function updateClaims(panel, claims, key) {
  const shown = JSON.stringify([claims, key]);
  if (shown === panel.shown) return false;
  panel.shown = shown;
  const { element, steps, tiles, said, title, watch, undo, text } = panel;
  element.hidden = steps.hidden = claims === null;
  if (!claims) return true;
  const { offered, opened } = claims;
  if (offered.length !== panel.buttons.size) {
    panel.buttons = new Map(offered.map((claim) => [claim.key, makeTile(claim, panel.handlers)]));
    tiles.replaceChildren(...panel.buttons.values());
  }
  for (const [each, button] of panel.buttons) button.setAttribute("aria-pressed", String(each === key));
  const find = (/** @type {string|null} */ each) => offered.find((claim) => claim.key === each);
  const claim = find(key), last = find(opened);
  said.hidden = !claim && !last;
  text.classList.toggle("changed", !claim);
  setText(title, claim ? `${claim.title}.` : "");
  setText(watch, claim ? claim.watch : `The settings have changed since “${last?.title}”.`);
  undo.hidden = !claims.undo;
  return true;
}

/**
 * Scroll the row sideways until the tile of the shown claim is inside, once for each claim and width. Nothing
 * else is scrolled: `scrollIntoView` would scroll the page.
 *
 * @param {ClaimsPanel} panel
 * @param {string|null} key  of the claim
 */
export function revealClaim(panel, key) {
  const { tiles, buttons } = panel;
  const tile = buttons.get(key ?? "");
  const revealed = `${key} ${tiles.clientWidth}`;
  if (!tile || revealed === panel.revealed) return;
  panel.revealed = revealed;
  const left = tile.offsetLeft - tiles.offsetLeft;
  tiles.scrollLeft = Math.min(left, Math.max(tiles.scrollLeft, left + tile.offsetWidth - tiles.clientWidth));
}

/**
 * Create the button that opens a claim.
 *
 * @param {Claim} claim
 * @param {ClaimHandlers} handlers
 */
function makeTile({ key, title }, handlers) {
  const button = make("button", { type: "button", class: "tile" }, title);
  button.addEventListener("click", () => handlers.tryClaim(key));
  return button;
}
