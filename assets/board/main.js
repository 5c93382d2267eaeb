/**
 * The board as a Streamlit component. `render` is called when it first appears, again with every
 * message, and again with the same message when the theme changes.
 */

import { reopen, writeAddress } from "./address.js";
import { Board } from "./board.js";
import { watch } from "./watch.js";

/**
 * @typedef {{run: string, n_received: number}} Request  the frames after those held
 *
 * @typedef {Object} Mount
 * @property {Board} board
 * @property {Uint8Array|null} data
 * @property {number} calls
 * @property {(() => void)|null} unwatch
 * @property {(request: Request|null) => void} ask
 * @property {Request|null} request  what the server is still to be asked for
 * @property {ReturnType<typeof setTimeout>|undefined} asking  the timer until then
 */

/** @type {WeakMap<Node, Mount>} */
const mounted = new WeakMap();

/**
 * @param {{data: Uint8Array|null, parentElement: Element|ShadowRoot,
 *   setTriggerValue: (name: string, value: Request|null) => void,
 *   setStateValue: (name: string, value: import("./state/view.js").ViewReport) => void}} component
 * @returns {() => void}  stops the board, unless it was rendered again in the meantime: Streamlit
 *   also calls what an overtaken call has returned
 */
export function render({ data, parentElement, setTriggerValue, setStateValue }) {
  const mount = mounted.get(parentElement) ?? appear(parentElement);
  mount.board.onView = (seen) => setStateValue("view", seen);
  mount.board.onAddress = writeAddress;
  mount.board.onNewSession = reopen;
  const call = ++mount.calls;
  mount.unwatch ??= watch(parentElement, mount.board);
  mount.ask = (request) => setTriggerValue("more", request);
  mount.board.restyle();
  if (data && data !== mount.data) {
    mount.data = data;
    mount.board.receive(data).then((request) => {
      dispatchEvent(new Event("regviz-drawn")); // what can wait is loaded from now on
      mount.request = request;
      askSoon(mount);
    });
  }
  askSoon(mount); // what was not asked yet when an earlier call was overtaken
  mount.board.invalidate();
  return () => {
    if (call !== mount.calls) return;
    clearTimeout(mount.asking);
    mount.board.stop();
    // else the page would hold on to the whole recording
    mount.unwatch?.();
    mount.unwatch = null;
  };
}

/**
 * Ask for what is missing once the server wishes it, unless the board is stopped.
 *
 * @param {Mount} mount
 */
function askSoon(mount) {
  clearTimeout(mount.asking);
  const ask = () => {
    mount.ask(mount.request);
    mount.request = null;
  };
  if (!mount.request || !mount.unwatch) return;
  if (mount.board.askAfter) mount.asking = setTimeout(ask, 1000 * mount.board.askAfter);
  else ask();
}

/**
 * @param {Element|ShadowRoot} parent
 * @returns {Mount}
 */
function appear(parent) {
  const board = new Board();
  /** @type {Mount} */
  const mount = { board, data: null, calls: 0, unwatch: null, ask: () => {}, request: null, asking: undefined };
  mounted.set(parent, mount);
  performance.mark("regviz-mount"); // seen in a profile; a page that reruns must mount the board once

  // nothing is shown unstyled
  board.element.style.visibility = "hidden";
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("styles/index.css", import.meta.url).href;
  style.onload = style.onerror = () => {
    board.element.style.visibility = "";
    board.theme = null;
    board.restyle();
    board.measure();
  };
  parent.append(style, board.element);
  return mount;
}
