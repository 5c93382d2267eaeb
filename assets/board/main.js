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
 * @property {(() => void)|null} unwatch
 * @property {(request: Request|null) => void} ask
 * @property {ReturnType<typeof setTimeout>|undefined} asking  the timer that sends a request
 */

/** @type {WeakMap<Node, Mount>} */
const mounted = new WeakMap();

/**
 * Mount the board, or pass it a message.
 *
 * @param {{data: Uint8Array|null, parentElement: Element|ShadowRoot,
 *   setTriggerValue: (name: string, value: Request|ClaimRequest|TrainingChange|null) => void,
 *   setStateValue: (name: string, value: ViewReport) => void}} component
 * @returns {() => void}  stops the board, if it has left the page
 */
export function render({ data, parentElement, setTriggerValue, setStateValue }) {
  const mount = mounted.get(parentElement) ?? appear(parentElement);
  mount.board.reporter.onView = (report) => setStateValue("view", report);
  mount.board.reporter.onAddress = writeAddress;
  mount.board.onClaim = (request) => setTriggerValue("claim", request);
  mount.board.onNewSession = reloadOnNewSession;
  mount.board.allowChange((change) => setTriggerValue("change", change));
  mount.unwatch ??= watch(parentElement, mount.board);
  mount.ask = (request) => setTriggerValue("more", request);
  mount.board.restyle();
  if (data && data !== mount.data) {
    mount.data = data;
    mount.board.receive(data).then((request) => {
      dispatchEvent(new Event("regviz-drawn")); // waiting.js loads the icons' font now
      askSoon(mount, request);
    });
  }
  mount.board.invalidate();
  return () => {
    // Streamlit also calls the clean-up of a call that the next one overtakes, milliseconds before that call
    if (parentElement.isConnected) return;
    clearTimeout(mount.asking);
    mount.board.stop();
    // its listeners on the document would keep the recording in memory
    mount.unwatch?.();
    mount.unwatch = null;
  };
}

/**
 * Send a request after the delay that the server asked for, unless the board is stopped or gets another answer.
 *
 * @param {Mount} mount
 * @param {Request|null} request  null for none
 */
function askSoon(mount, request) {
  clearTimeout(mount.asking);
  if (!request || !mount.unwatch) return;
  const ask = () => mount.ask(request);
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
  const mount = { board, data: null, unwatch: null, ask: () => {}, asking: undefined };
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
