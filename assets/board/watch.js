/** Connects a board to the page around it: width, theme and keys. */

/** @import {Board} from "./board.js" */

import { onResize, onSystemTheme } from "./draw/dom.js";
import { handleKey } from "./keyboard.js";

// on the document, as a pointer may be released outside the board
const ENDS = ["pointerup", "pointercancel"];

/**
 * Observe width, keys and theme. Streamlit sets the theme on the elements around the board; without
 * Streamlit it is the system's.
 *
 * @param {Element|ShadowRoot} parent  parent of the board's element
 * @param {Board} board
 * @returns {() => void}  stops it
 */
export function watch(parent, board) {
  const restyle = () => board.restyle();
  const ignoreSize = onResize(board.element, () => board.measure());
  const themed = new MutationObserver(restyle);
  const host = parent instanceof ShadowRoot ? parent.host : parent;
  for (let node = /** @type {Element|null} */ (host); node; node = node.parentElement) {
    themed.observe(node, { attributeFilter: ["class", "style", "data-theme"] });
  }
  const ignoreSystem = onSystemTheme(restyle);
  const pressed = (/** @type {KeyboardEvent} */ event) => handleKey(event, board);
  document.addEventListener("keydown", pressed);
  const release = () => board.reporter.release();
  for (const end of ENDS) document.addEventListener(end, release);
  return () => {
    document.removeEventListener("keydown", pressed);
    for (const end of ENDS) document.removeEventListener(end, release);
    ignoreSize();
    themed.disconnect();
    ignoreSystem();
  };
}
