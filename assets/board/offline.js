/**
 * The board of a page that has no server: regviz/board/offline.py writes the page, with these modules and
 * a whole recording inside.
 */

import { Board } from "./board.js";
import { watch } from "./watch.js";

const note = /** @type {HTMLElement} */ (document.getElementById("note"));
const board = new Board();
note.before(board.element);
watch(/** @type {HTMLElement} */ (board.element.parentElement), board);

try {
  for (const script of document.querySelectorAll("script[data-message]")) {
    await board.receive(bytesOf(script.textContent ?? ""));
    script.remove();
    // the first picture does not wait for the last message
    await new Promise((done) => setTimeout(done));
  }
  if (!board.complete) throw new Error("frames are missing");
  note.remove();
} catch (error) {
  note.textContent = `This file is damaged (${/** @type {Error} */ (error).message}). Save or download it once more.`;
}

/** @param {string} text  in base64 */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
