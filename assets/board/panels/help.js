/** The dialog that lists the keyboard shortcuts, which keyboard.js handles. */

import { make } from "../draw/dom.js";

/** Keys that not every board has, by class of their rows. @type {Record<string, string[]>} */
const PARTLY = { claims: ["J K", "PgDn PgUp"], changes: ["C"] };

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
  ["C", "change from here: go on from this network in another way"],
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
    make("div", attributesOf(keys), make("dt", {}, ...keys.split(" ").map((key) => (key === "–" ? "– " : make("kbd", {}, key)))), make("dd", {}, text)),
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
 * Return the attributes of the row of keys; keys that not every board has are hidden at first.
 *
 * @param {string} keys
 * @returns {Record<string, string>}
 */
function attributesOf(keys) {
  const kind = Object.keys(PARTLY).find((each) => PARTLY[each].includes(keys));
  return kind ? { class: `${kind}-keys`, hidden: "" } : {};
}

/**
 * List keys that not every board has, or do not list them.
 *
 * @param {{element: HTMLElement}} help
 * @param {"claims"|"changes"} kind
 * @param {boolean} offered  whether the board has them
 */
export function listKeys({ element }, kind, offered) {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll(`dl > .${kind}-keys`))) row.hidden = !offered;
}
