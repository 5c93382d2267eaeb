/**
 * The board as a Streamlit component. `render` is called when it first appears, again with every
 * message, and again with the same message when the theme changes.
 */

import { Board } from "./board.js";
import { press } from "./keyboard.js";

const STYLES = ["board", "focus", "network", "chart", "weights"];

/** @type {WeakMap<Node, {board: Board, data: Uint8Array|null, calls: number, unwatch: Function|null}>} */
const mounted = new WeakMap();

/**
 * @param {{data: Uint8Array|null, parentElement: Element|ShadowRoot,
 *   setTriggerValue: (name: string, value: Object) => void,
 *   setStateValue: (name: string, value: Object) => void}} component
 * @returns {() => void}  stops the board, unless it was rendered again in the meantime: Streamlit
 *   also calls what an overtaken call has returned
 */
export function render({ data, parentElement, setTriggerValue, setStateValue }) {
  const mount = mounted.get(parentElement) ?? appear(parentElement);
  mount.board.onLevels = (levels) => setStateValue("levels", levels);
  const call = ++mount.calls;
  mount.unwatch ??= watch(parentElement, mount.board);
  mount.board.restyle();
  if (data && data !== mount.data) {
    mount.data = data;
    const request = mount.board.receive(data);
    if (request) setTriggerValue("more", request);
  }
  mount.board.invalidate();
  return () => {
    if (call !== mount.calls) return;
    mount.board.stop();
    // else the page would hold on to the whole recording
    mount.unwatch?.();
    mount.unwatch = null;
  };
}

function appear(parent) {
  const board = new Board();
  const mount = { board, data: null, calls: 0, unwatch: null };
  mounted.set(parent, mount);
  window.__regvizMounts = (window.__regvizMounts ?? 0) + 1;

  // nothing is shown unstyled
  board.element.style.visibility = "hidden";
  const styles = STYLES.map((name) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL(`${name}.css`, import.meta.url).href;
    return style;
  });
  const loaded = styles.map((style) => new Promise((done) => (style.onload = style.onerror = done)));
  Promise.all(loaded).then(() => {
    board.element.style.visibility = "";
    board.theme = null;
    board.restyle();
    board.measure();
  });
  parent.append(...styles, board.element);
  return mount;
}

/**
 * Keep an eye on the width and on the theme: Streamlit's sits on the elements around the component;
 * without Streamlit it is the system's. Returns what ends it.
 */
function watch(parent, board) {
  const restyle = () => board.restyle();
  const resized = new ResizeObserver(() => board.measure());
  resized.observe(board.element);
  const themed = new MutationObserver(restyle);
  const host = parent instanceof ShadowRoot ? parent.host : parent;
  for (let node = host; node; node = node.parentElement) {
    themed.observe(node, { attributeFilter: ["class", "style", "data-theme"] });
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", restyle);
  const pressed = (event) => press(event, board);
  document.addEventListener("keydown", pressed);
  return () => {
    document.removeEventListener("keydown", pressed);
    resized.disconnect();
    themed.disconnect();
    system.removeEventListener("change", restyle);
  };
}
