/** The part of the board that a lesson shows: some panels, and the control that is to be dragged. */

/**
 * @import {Part} from "../state/types.d.ts"
 * @import {Focus} from "./focus.js"
 */

/** Names in a lesson's file of panels that have another one here. @type {Record<string, string>} */
const NAMES = { closeup: "boundary" };

/**
 * Show a part of the board, or all of it. The style sheet hides the controls.
 *
 * @param {HTMLElement} board
 * @param {Focus} focus
 * @param {Part|null} part  null for the whole board
 */
export function showPart(board, focus, part) {
  if (part) board.dataset.drag = part.drag.join(" ");
  else delete board.dataset.drag;
  for (const [key, { element }] of Object.entries(focus.panels)) {
    // not `hidden`, by which a panel says that it has nothing to show
    element.classList.toggle("left-out", part !== null && !part.show.includes(NAMES[key] ?? key));
  }
  focus.element.hidden = part !== null && part.show.length === 0;
}
