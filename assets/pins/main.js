/** A pinned run as a Streamlit component: the message of one run, drawn small. */

import { onResize, onSystemTheme } from "../board/draw/dom.js";
import { Pin } from "./pin.js";

/** @type {WeakMap<Node, {pin: Pin, data: Uint8Array|null, unwatch: (() => void)|null}>} */
const mounted = new WeakMap();

/**
 * Mount a pin, or pass it a message. Streamlit calls it at the first mount, with every message, and with the
 * same message once more when the theme changes.
 *
 * @param {{data: Uint8Array|null, parentElement: Element|ShadowRoot}} component
 * @returns {() => void}  stops the pin, if it has left the page
 */
export function render({ data, parentElement }) {
  const mount = mounted.get(parentElement) ?? appear(parentElement);
  const { pin } = mount;
  mount.unwatch ??= watch(pin);
  if (data && data !== mount.data) {
    mount.data = data;
    pin.receive(data);
  }
  pin.draw();
  return () => {
    // Streamlit also calls the clean-up of a call that the next one overtakes
    if (parentElement.isConnected) return;
    mount.unwatch?.();
    mount.unwatch = null;
  };
}

/**
 * Create the pin and put it into the page.
 *
 * @param {Element|ShadowRoot} parent
 */
function appear(parent) {
  const mount = { pin: new Pin(), data: null, unwatch: null };
  mounted.set(parent, mount);
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("style.css", import.meta.url).href;
  const { pin } = mount;
  pin.element.style.visibility = "hidden"; // until its style sheet is loaded
  style.onload = style.onerror = () => {
    pin.element.style.visibility = "";
    pin.draw();
  };
  parent.append(style, pin.element);
  return mount;
}

/**
 * Observe width and theme; returns a function that stops it.
 *
 * @param {Pin} pin
 */
function watch(pin) {
  const ignoreSize = onResize(pin.element, () => pin.draw());
  const ignoreSystem = onSystemTheme(() => pin.draw());
  return () => {
    ignoreSize();
    ignoreSystem();
  };
}
