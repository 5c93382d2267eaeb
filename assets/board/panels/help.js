/** The dialog that lists the keyboard shortcuts, which keyboard.js handles. */

import { make } from "../draw/dom.js";

/** Keys of the claims, which not every board has. */
const CLAIM_KEYS = ["J K", "PgDn PgUp"];

/** @type {[string, string][]} */
const KEYS = [
  ["space", "play or pause"],
  ["← →", "one step back or forward"],
  ["Home End", "to the first or to the last epoch"],
  ["↑ ↓", "all methods stronger or weaker"],
  ["1 – 7", "look at a card closely"],
  ["B", "to the best validation epoch of the network in focus"],
  ["S", "to where early stopping would stop it"],
  ["0", "play from the start"],
  ["+ −", "play faster or slower"],
  ["L", "start over at the end, or not"],
  ["D", "show classes only, or confidence"],
  ["J K", "next or previous claim of “Try this”"],
  ["PgDn PgUp", "the same while projecting"],
  ["P", "project: fill the screen, or return to the page"],
  [".", "blank the board, or show it again"],
  ["Esc", "leave the blank or the projected board"],
  ["?", "this list"],
];

/** Create the dialog and the button that opens it. */
export function makeHelp() {
  const button = make("button", { type: "button", class: "key help", "aria-label": "Keyboard", title: "Keyboard" }, "?");
  const close = make("button", { type: "button", class: "toggle", autofocus: "" }, "Close");
  const rows = KEYS.map(([keys, text]) =>
    make("div", CLAIM_KEYS.includes(keys) ? { class: "claim-key", hidden: "" } : {}, make("dt", {}, ...keys.split(" ").map((key) => (key === "–" ? "– " : make("kbd", {}, key)))), make("dd", {}, text)),
  );
  const element = make(
    "dialog",
    { class: "keys", "aria-label": "Keyboard" },
    make("h2", {}, "Keyboard"),
    make("dl", {}, ...rows),
    make("p", {}, "On the large boundary the arrow keys move the crosshair; within the network they move from unit to unit. A slider takes its own arrow keys."),
    close,
  );
  button.addEventListener("click", () => element.showModal());
  close.addEventListener("click", () => element.close());
  element.addEventListener("click", (event) => event.target === element && element.close());
  return { element, button };
}

/**
 * List the keys of the claims, or do not list them.
 *
 * @param {{element: HTMLElement}} help
 * @param {boolean} offered  whether the board has claims
 */
export function listClaimKeys({ element }, offered) {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll(".claim-key"))) row.hidden = !offered;
}
