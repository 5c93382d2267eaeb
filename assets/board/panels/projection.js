/**
 * The projected board: it fills the screen, with few cards and large text. Also the curtain that hides
 * the board.
 */

/**
 * @import {Card, View} from "../state/types.d.ts"
 * @import {CardElements} from "./card.js"
 * @import {ProjectionHandlers} from "./types.d.ts"
 */

import { make } from "../draw/dom.js";

/**
 * Create the row that chooses the cards, and the curtain.
 *
 * @typedef {ReturnType<typeof makeProjection>} Projection
 *
 * @param {ProjectionHandlers} handlers
 * @param {HTMLElement} steps  the buttons for the previous and the next claim
 */
export function makeProjection(handlers, steps) {
  const curtain = make("button", { type: "button", class: "curtain", hidden: "" }, "The board is blank. Click here, or press . to show it.");
  curtain.addEventListener("click", () => handlers.toggleBlank());
  const chips = make("div", { class: "chips", role: "group", "aria-label": "Cards that are shown" });
  const close = make("button", { type: "button", class: "chip close" }, "Close");
  close.addEventListener("click", () => handlers.toggleProjection());
  const chooser = make("div", { class: "chooser", hidden: "" }, chips, steps, close);
  return { handlers, curtain, chips, chooser, /** @type {Map<string, HTMLButtonElement>} */ buttons: new Map(), shown: "" };
}

/**
 * Show a view's cards, projected or not. Returns whether these have changed.
 *
 * @param {Projection} projection
 * @param {HTMLElement} root  the board
 * @param {Card[]} cards
 * @param {CardElements[]} elements  of all cards
 * @param {string[]} keys  of the shown cards
 * @param {View} view
 */
export function updateProjection(projection, root, cards, elements, keys, { projected, blank }) {
  const { curtain, chooser, handlers, chips } = projection;
  curtain.hidden = !blank;
  root.classList.toggle("blank", blank);
  const shown = JSON.stringify([cards.map(({ key }) => key), keys, projected]);
  // the elements are new in each run
  const changed = shown !== projection.shown || elements.some(({ element }, c) => element.hidden === keys.includes(cards[c].key));
  if (!changed) return false;
  projection.shown = shown;
  elements.forEach(({ element }, c) => (element.hidden = !keys.includes(cards[c].key)));
  const all = cards.map((card) => [card.key, projection.buttons.get(card.key) ?? makeChip(card, handlers)]);
  projection.buttons = new Map(/** @type {[string, HTMLButtonElement][]} */ (all));
  const buttons = [...projection.buttons.values()];
  if (buttons.length !== chips.children.length || buttons.some((each, i) => each !== chips.children[i])) chips.replaceChildren(...buttons);
  for (const [key, button] of projection.buttons) button.setAttribute("aria-pressed", String(keys.includes(key)));
  chooser.hidden = !projected;
  if (root.classList.contains("projected") !== projected) {
    root.classList.toggle("projected", projected);
    if (projected) fillScreen(root, handlers);
    else leaveScreen(root);
  }
  return true;
}

/**
 * Create the button that shows a card.
 *
 * @param {Card} card
 * @param {ProjectionHandlers} handlers
 */
function makeChip({ key, label }, handlers) {
  const button = make("button", { type: "button", class: "chip" }, label);
  button.addEventListener("click", () => handlers.toggleCard(key));
  return button;
}

/**
 * Let the board fill the window, in the browser's full screen where that is allowed: frames may lack the
 * permission, and iPhones have none.
 *
 * @param {HTMLElement} root
 * @param {ProjectionHandlers} handlers
 */
async function fillScreen(root, handlers) {
  const isProjected = () => root.classList.contains("projected");
  // the whole document, so that the board is a popover in and without full screen
  await document.documentElement.requestFullscreen?.().catch(() => {});
  if (!isProjected()) return leaveScreen(root);
  if (!root.isConnected || root.hasAttribute("popover")) return;
  // A popover is in the top layer, above all of the page. Without popovers it is a fixed element.
  root.setAttribute("popover", "manual");
  root.showPopover?.();
  // the key Escape leaves the browser's full screen without a keydown event
  const left = () => {
    if (document.fullscreenElement) return;
    document.removeEventListener("fullscreenchange", left);
    if (isProjected()) handlers.toggleProjection();
  };
  if (document.fullscreenElement) document.addEventListener("fullscreenchange", left);
}

/**
 * Return the board to its place in the page.
 *
 * @param {HTMLElement} root
 */
function leaveScreen(root) {
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  if (!root.hasAttribute("popover")) return;
  root.hidePopover?.();
  root.removeAttribute("popover");
}
