/**
 * Entry of the offline page, which regviz/scenes/offline.py writes: one file with these modules and a
 * complete recording.
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
    // lets the browser draw before the next message is decoded
    await new Promise((done) => setTimeout(done));
  }
  if (!board.complete) throw new Error("frames are missing");
  note.remove();
} catch (error) {
  note.textContent = `This file is damaged (${/** @type {Error} */ (error).message}). Save or download it once more.`;
}

/**
 * Decode base64.
 *
 * @param {string} text
 */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
