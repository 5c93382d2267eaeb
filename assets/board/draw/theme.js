/**
 * The theme, light or dark, and arithmetic with colours. Streamlit passes its theme on as CSS custom
 * properties, which board.css reads; canvases need numbers.
 */

/** @import {Colour, Theme} from "./types.d.ts" */

// largest share of a class's colour in a boundary, so that points stand out against it
export const MAX_TINT = { light: 0.78, dark: 0.62 };

/**
 * Return the theme at `probe`, an element whose colour is the page's background.
 *
 * @param {Element} probe
 * @returns {Theme}
 */
export function readTheme(probe) {
  const dark = luminance(parse(getComputedStyle(probe).color)) < 0.35;
  return dark
    ? { dark, mode: "dark", ink: "#f4f6fa", paper: "#0b0e14" }
    : { dark, mode: "light", ink: "#14181f", paper: "#ffffff" };
}

/**
 * Parse `#rrggbb`, `rgb(…)` or `color(srgb …)`.
 *
 * @param {string} text
 * @returns {Colour}
 */
export function parse(text) {
  if (text.startsWith("#")) {
    return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  }
  const found = /** @type {RegExpMatchArray} */ (text.match(/[\d.]+(?:e-?\d+)?/g));
  const numbers = found.slice(0, 3).map(Number);
  return text.startsWith("color") ? numbers.map((x) => 255 * x) : numbers;
}

/**
 * Interpolate linearly: `a` at share 0, `b` at share 1.
 *
 * @param {Colour} a
 * @param {Colour} b
 * @param {number} share
 * @returns {Colour}
 */
export function mix(a, b, share) {
  return a.map((x, i) => x + share * (b[i] - x));
}

/**
 * Format a colour for CSS and canvases.
 *
 * @param {Colour} colour
 */
export function css(colour) {
  return `rgb(${colour.map(Math.round).join(" ")})`;
}

/**
 * Pack a colour for a Uint32 view of ImageData, whose bytes are red, green, blue, alpha.
 *
 * @param {Colour} colour
 */
export function packed([r, g, b]) {
  return (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
}

/**
 * Return the relative luminance as WCAG 2 defines it.
 *
 * @param {Colour} colour
 */
function luminance(colour) {
  const [r, g, b] = colour.map((x) => (x / 255 <= 0.04 ? x / 3294 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
