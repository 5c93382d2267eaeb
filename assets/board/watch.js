/** Connects a board to the page around it: width, theme and keys. */

/** @import {Board} from "./board.js" */

import { onResize, onSystemTheme, parentOf } from "./draw/dom.js";
import { handleKey } from "./keyboard.js";

// on the document, as a pointer may be released outside the board
const ENDS = ["pointerup", "pointercancel"];
// by which Streamlit, marimo, Jupyter, VS Code and Colab, in this order, say which theme they have
const THEMES = ["class", "style", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind", "theme"];

/**
 * Observe width, keys, theme and printing. Streamlit and notebooks set the theme on the elements around the board;
 * without them it is the system's.
 *
 * @param {Element|ShadowRoot} parent  parent of the board's element
 * @param {Board} board
 * @param {{restyle?: () => void, keysOutside?: boolean}} [options]  `restyle`: called when the theme may
 *   have changed; `keysOutside`: whether keys that are pressed outside the board are for it, too
 * @returns {() => void}  stops it
 */
export function watch(parent, board, { restyle = () => board.restyle(), keysOutside = true } = {}) {
  const ignorePage = watchPage(parent, board.element, () => board.measure(), restyle);
  const pressed = (/** @type {KeyboardEvent} */ event) => handleKey(event, board, keysOutside);
  document.addEventListener("keydown", pressed);
  const print = () => board.print();
  const paper = matchMedia("print");
  paper.addEventListener("change", print);
  const release = () => board.reporter.release();
  for (const end of ENDS) document.addEventListener(end, release);
  return () => {
    document.removeEventListener("keydown", pressed);
    paper.removeEventListener("change", print);
    for (const end of ENDS) document.removeEventListener(end, release);
    ignorePage();
  };
}

/**
 * Observe the width of an element, and the theme.
 *
 * @param {Element|ShadowRoot} parent  parent of the element
 * @param {Element} element
 * @param {() => void} measure  called when the width has changed
 * @param {() => void} restyle  called when the theme may have changed
 * @returns {() => void}  stops it
 */
export function watchPage(parent, element, measure, restyle) {
  const ignoreSize = onResize(element, measure);
  const themed = new MutationObserver(restyle);
  const host = parent instanceof ShadowRoot ? parent.host : parent;
  for (let node = /** @type {Element|null} */ (host); node; node = parentOf(node)) {
    themed.observe(node, { attributeFilter: THEMES });
  }
  const ignoreSystem = onSystemTheme(restyle);
  return () => {
    ignoreSize();
    themed.disconnect();
    ignoreSystem();
  };
}
