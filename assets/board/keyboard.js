/** Keys, while the focus is within the board and on nothing that needs them itself. */

/**
 * @param {HTMLElement} element
 * @param {{toggle: Function, seek: (frame: number) => void, frame: number, recording: Object}} board
 */
export function listen(element, board) {
  const actions = {
    " ": () => board.toggle(),
    ArrowLeft: () => board.seek(board.frame - 1),
    ArrowRight: () => board.seek(board.frame + 1),
    Home: () => board.seek(0),
    End: () => board.seek(board.recording.nFrames - 1),
  };
  element.addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || !board.recording || event.ctrlKey || event.altKey || event.metaKey) return;
    // a focused button is pressed by the space bar
    if (event.key === " " && event.target.closest?.("button")) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
}
