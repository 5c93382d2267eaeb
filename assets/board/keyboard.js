/** The board's keyboard shortcuts; help.js lists them for visitors. */

/** @import {Board} from "./board.js" */

/**
 * Return the action of a key, or undefined.
 *
 * @param {string} key
 * @param {Board} board
 * @returns {(() => void)|undefined}
 */
function actionOf(key, { commands, help, view, claims }) {
  if (key === "Escape") return view.projected || view.blank ? () => commands.leave() : undefined;
  if (/^[1-9]$/.test(key)) return () => commands.focusOn(Number(key) - 1);
  /** @type {Record<string, () => void>} */
  const actions = {
    " ": () => commands.toggle(),
    ArrowLeft: () => commands.step(-1),
    ArrowRight: () => commands.step(1),
    ArrowUp: () => commands.shiftStrengths(1),
    ArrowDown: () => commands.shiftStrengths(-1),
    Home: () => commands.seek(0),
    End: () => commands.seekEnd(),
    b: () => commands.seekMark("best"),
    s: () => commands.seekMark("stop"),
    "+": () => commands.changeSpeed(1),
    "-": () => commands.changeSpeed(-1),
    // not R, which reruns the page in Streamlit
    0: () => commands.replay(),
    l: () => commands.toggleLoop(),
    c: () => commands.toggleChange(),
    d: () => commands.toggleDiscrete(),
    p: () => commands.toggleProjection(),
    // the key of presentation programs, and of most remote controls
    ".": () => commands.toggleBlank(),
    "?": () => help.element.showModal(),
    ...(claims && { j: () => commands.stepClaim(1), k: () => commands.stepClaim(-1) }),
    // the keys of presentation remotes, which scroll the page while it is not projected
    ...(claims && view.projected && { PageDown: () => commands.stepClaim(1), PageUp: () => commands.stepClaim(-1) }),
  };
  return actions[key.length === 1 ? key.toLowerCase() : key];
}

const TYPING = "input:not([type=range], [type=radio], [type=checkbox]), select, textarea, [contenteditable]";

/**
 * Handle a key, unless the element in focus needs it.
 *
 * @param {KeyboardEvent} event
 * @param {Board} board
 * @param {boolean} outside  whether keys that are pressed outside the board are for it, too
 */
export function handleKey(event, board, outside) {
  if (!board.recording || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  const target = /** @type {Element} */ (event.composedPath()[0]);
  const action = actionOf(event.key, board);
  if (!action || target.closest?.(TYPING) || target.closest?.("dialog")) return;
  // outside the board the space bar and the named keys belong to the page's other controls
  const inside = board.view.projected || event.composedPath().includes(board.element);
  if (!inside && !outside) return;
  if (!inside && target !== document.body && (event.key === " " || event.key.length > 1)) return;
  // the space bar presses a focused button, and the arrow keys move a focused slider
  if (event.key === " " && target.closest?.("button")) return;
  const slider = target.closest?.("input");
  if (slider && slider !== board.transport.slider && /^(Arrow|Home|End)/.test(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}
