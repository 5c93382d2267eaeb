/** What a board has to notice of the page around it: its width, its theme, and the keys. */

import { onResize, onSystemTheme } from "./draw/dom.js";
import { press } from "./keyboard.js";

// wherever the pointer is by then
const ENDS = ["pointerup", "pointercancel"];

/**
 * Keep an eye on the width and on the theme, which Streamlit sets on the elements around the board;
 * without Streamlit it is the system's.
 *
 * @param {Element|ShadowRoot} parent  what the board's element was put into
 * @param {import("./board.js").Board} board
 * @returns {() => void}  what ends it
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
  const pressed = (/** @type {KeyboardEvent} */ event) => press(event, board);
  document.addEventListener("keydown", pressed);
  const endGesture = () => board.endGesture();
  for (const end of ENDS) document.addEventListener(end, endGesture);
  return () => {
    document.removeEventListener("keydown", pressed);
    for (const end of ENDS) document.removeEventListener(end, endGesture);
    ignoreSize();
    themed.disconnect();
    ignoreSystem();
  };
}
