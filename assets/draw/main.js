/** The drawing pad as a Streamlit component. */

import { onResize, onSystemTheme } from "../board/draw/dom.js";
import { Pad } from "./pad.js";

/** @type {WeakMap<Node, {pad: Pad, unwatch: (() => void)|null}>} */
const mounted = new WeakMap();

/**
 * Mount the pad, or pass it a message. Streamlit calls it at the first mount and with every message. The
 * server's points are loaded only with a new version; otherwise the pad's points are newer.
 *
 * @param {{data: import("./pad.js").Offer, parentElement: Element|ShadowRoot,
 *   setStateValue: (name: string, value: import("./pad.js").Drawn) => void}} component
 * @returns {() => void}  stops the pad, if it has left the page
 */
export function render({ data, parentElement, setStateValue }) {
  const mount = mounted.get(parentElement) ?? appear(parentElement);
  const { pad } = mount;
  pad.onDrawn = (drawn) => setStateValue("drawn", drawn);
  mount.unwatch ??= watch(pad);
  if (data.version !== pad.version) pad.load(data);
  pad.restyle();
  return () => {
    // Streamlit also calls the clean-up of a call that the next one overtakes
    if (parentElement.isConnected) return;
    mount.unwatch?.();
    mount.unwatch = null;
  };
}

/**
 * Create the pad and put it into the page.
 *
 * @param {Element|ShadowRoot} parent
 */
function appear(parent) {
  const mount = { pad: new Pad(), unwatch: null };
  mounted.set(parent, mount);
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("style.css", import.meta.url).href;
  const { pad } = mount;
  pad.element.style.visibility = "hidden"; // until its style sheet is loaded
  style.onload = style.onerror = () => {
    pad.element.style.visibility = "";
    pad.measure();
    pad.restyle();
  };
  parent.append(style, pad.element);
  return mount;
}

/**
 * Observe width and theme; returns a function that stops it.
 *
 * @param {Pad} pad
 */
function watch(pad) {
  const ignoreSize = onResize(pad.element, () => pad.measure());
  const ignoreSystem = onSystemTheme(() => pad.restyle());
  return () => {
    ignoreSize();
    ignoreSystem();
  };
}
