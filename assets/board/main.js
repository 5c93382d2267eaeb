/**
 * The board as a Streamlit component. Streamlit calls `render` at the first mount, with every message,
 * and with the same message once more when the theme changes.
 */

/**
 * @import {ViewReport} from "./state/types.d.ts"
 * @import {ClaimRequest, Request, TrainingChange} from "./types.d.ts"
 */

import { reloadOnNewSession, writeAddress } from "./address.js";
import { Board } from "./board.js";
import { watch } from "./watch.js";

/**
 * @typedef {Object} Mount
 * @property {Board} board
 * @property {Uint8Array|null} data  the last message
 * @property {number} calls  of `render` so far
 * @property {(() => void)|null} unwatch
 * @property {(request: Request|null) => void} ask
 * @property {Request|null} request  not yet sent to the server
 * @property {ReturnType<typeof setTimeout>|undefined} asking  the timer that sends it
 */

/** @type {WeakMap<Node, Mount>} */
const mounted = new WeakMap();

/**
 * Mount the board, or pass it a message.
 *
 * @param {{data: Uint8Array|null, parentElement: Element|ShadowRoot,
 *   setTriggerValue: (name: string, value: Request|ClaimRequest|TrainingChange|null) => void,
 *   setStateValue: (name: string, value: ViewReport) => void}} component
 * @returns {() => void}  stops the board, unless it was rendered again in the meantime: Streamlit
 *   also calls the clean-up functions of earlier calls
 */
export function render({ data, parentElement, setTriggerValue, setStateValue }) {
  const mount = mounted.get(parentElement) ?? appear(parentElement);
  mount.board.reporter.onView = (report) => setStateValue("view", report);
  mount.board.reporter.onAddress = writeAddress;
  mount.board.onClaim = (request) => setTriggerValue("claim", request);
  mount.board.onNewSession = reloadOnNewSession;
  mount.board.allowChange((change) => setTriggerValue("change", change));
  const call = ++mount.calls;
  mount.unwatch ??= watch(parentElement, mount.board);
  mount.ask = (request) => setTriggerValue("more", request);
  mount.board.restyle();
  if (data && data !== mount.data) {
    mount.data = data;
    mount.board.receive(data).then((request) => {
      dispatchEvent(new Event("regviz-drawn")); // waiting.js loads the icons' font now
      mount.request = request;
      askSoon(mount);
    });
  }
  askSoon(mount); // an earlier call's request, if that call was stopped before it was sent
  mount.board.invalidate();
  return () => {
    if (call !== mount.calls) return;
    clearTimeout(mount.asking);
    mount.board.stop();
    // its listeners on the document would keep the recording in memory
    mount.unwatch?.();
    mount.unwatch = null;
  };
}

/**
 * Send the pending request after the delay that the server asked for, unless the board is stopped.
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
 * Create the board and put it into the page.
 *
 * @param {Element|ShadowRoot} parent
 * @returns {Mount}
 */
function appear(parent) {
  const board = new Board();
  /** @type {Mount} */
  const mount = { board, data: null, calls: 0, unwatch: null, ask: () => {}, request: null, asking: undefined };
  mounted.set(parent, mount);

  // hidden until its style sheet is loaded
  board.element.style.visibility = "hidden";
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("styles/index.css", import.meta.url).href;
  style.onload = style.onerror = () => {
    board.element.style.visibility = "";
    board.restyle(true);
    board.measure();
  };
  parent.append(style, board.element);
  return mount;
}
