/** Creates and observes elements and canvases. */

/** @import {SvgShape} from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string|number>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Create a small SVG picture. It is hidden from screen readers, as a text beside it says the same.
 *
 * @param {string} box  the view box
 * @param {...SvgShape} shapes
 */
export function icon(box, ...shapes) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: box, "aria-hidden": "true", focusable: "false" })) {
    svg.setAttribute(name, value);
  }
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
    svg.append(shape);
  }
  return svg;
}

/** @type {Map<Element, string>} texts that are not yet written */
const held = new Map();
let holding = false;

/**
 * Set an element's text if it differs: most numbers are the same in the next frame, and writing them
 * would cost a layout.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (holding) held.set(element, text);
  else {
    held.delete(element);
    if (/** @type {Text|null} */ (element.firstChild)?.data !== text) element.textContent = text;
  }
}

/**
 * Call `draw`, and hold back the texts that it sets, until `writeTexts`.
 *
 * @param {() => void} draw
 */
export function holdTexts(draw) {
  holding = true;
  try {
    draw();
  } finally {
    holding = false;
  }
}

/** Write the texts that are held back. */
export function writeTexts() {
  for (const [element, text] of held) setText(element, text);
}

/**
 * Return by how much CSS `zoom` magnifies an element: boxes and pointer positions are in the window's
 * pixels, lengths in styles and client sizes in the element's own.
 *
 * @param {Element} element
 */
export function zoomOf(element) {
  // browsers without `currentCSSZoom` report boxes in the element's own pixels
  return element.currentCSSZoom ?? 1;
}

/**
 * Return an element's parent, also across the boundary of a shadow tree.
 *
 * @param {Element} element
 * @returns {Element|null}
 */
export function parentOf(element) {
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/** @type {WeakMap<Element, () => void>} the function that `onResize` calls for an element */
const reactions = new WeakMap();

/**
 * Let an element and all below it react to their sizes now: no animation frame is run while a page is printed.
 *
 * @param {Element} root
 */
export function resizeAll(root) {
  for (const element of [root, ...root.querySelectorAll("*")]) reactions.get(element)?.();
}

/**
 * Call `react` in the animation frame after `element` has changed its size. If an observer's callback
 * itself changes sizes, the browser reports the error "ResizeObserver loop completed with undelivered
 * notifications".
 *
 * @param {Element} element
 * @param {() => void} react
 * @returns {() => void}  stops it
 */
export function onResize(element, react) {
  reactions.set(element, react);
  let frame = 0;
  const observer = new ResizeObserver(() => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      react();
    });
  });
  observer.observe(element);
  return () => {
    reactions.delete(element);
    observer.disconnect();
    cancelAnimationFrame(frame);
  };
}

/**
 * Call `react` when the system's colour scheme or its contrast theme changes.
 *
 * @param {() => void} react
 * @returns {() => void}  stops it
 */
export function onSystemTheme(react) {
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
  for (const query of queries) query.addEventListener("change", react);
  return () => {
    for (const query of queries) query.removeEventListener("change", react);
  };
}

/**
 * Return a canvas's 2D context.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}

/**
 * Set a canvas's size in device pixels; return whether it has changed, which clears the canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width   in CSS pixels
 * @param {number} height
 * @param {number} ratio   device pixels per CSS pixel
 */
export function fitCanvas(canvas, width, height, ratio) {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  return true;
}
