/** The background that the page around an element has. */

import { contextOf, parentOf } from "./draw/dom.js";

// of editors that show outputs in a frame without a background: VS Code, Colab
const VARIABLES = ["--vscode-notebook-editorBackground", "--vscode-editor-background", "--colab-primary-surface-color"];
const SYSTEM = { light: "rgb(255 255 255)", dark: "rgb(14 17 23)" };

/**
 * Return the colour behind an element: the background of the nearest ancestor that is opaque, or else
 * that of the editor around the frame, or else that of the system's colour scheme.
 *
 * @param {Element} element  in the document
 * @returns {string}  `rgb(…)`
 */
export function backgroundAround(element) {
  for (let node = /** @type {Element|null} */ (element); node; node = parentOf(node)) {
    const colour = opaque(getComputedStyle(node).backgroundColor);
    if (colour) return colour;
  }
  const style = getComputedStyle(element);
  for (const name of VARIABLES) {
    const colour = opaque(style.getPropertyValue(name));
    if (colour) return colour;
  }
  return SYSTEM[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"];
}

const pixel = document.createElement("canvas");
pixel.width = pixel.height = 1;
const context = contextOf(pixel, { willReadFrequently: true });

/**
 * Return a CSS colour as `rgb(…)`, or null if it is transparent or no colour. A canvas reads every
 * notation, such as `oklch(…)`.
 *
 * @param {string} text
 */
function opaque(text) {
  if (!CSS.supports("color", text)) return null;
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = text.trim();
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, alpha] = context.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? `rgb(${r} ${g} ${b})` : null;
}
