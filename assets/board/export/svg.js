/** Writes SVG, also as a canvas context, so that the code that draws on screen draws exports too. */

/** @import {Colour} from "../draw/types.d.ts" */

import { contextOf } from "../draw/dom.js";
import { parse } from "../draw/theme.js";

/** @type {Record<string, string>} */
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/**
 * Escape a text for an element or a quoted attribute.
 *
 * @param {string|number} text
 */
export function escapeText(text) {
  // XML 1.0 does not allow these control characters, not even escaped
  // eslint-disable-next-line no-control-regex
  return String(text).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "").replace(/[&<>"]/g, (c) => ESCAPES[c]);
}

/**
 * Return an element's markup.
 *
 * @param {string} name
 * @param {Record<string, string|number>} attributes
 * @param {...string} children  markup
 */
export function tag(name, attributes = {}, ...children) {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(shortened(value))}"`);
  const inside = children.join("");
  return inside ? `<${name}${written.join("")}>${inside}</${name}>` : `<${name}${written.join("")}/>`;
}

/**
 * Format a colour as #rrggbb, which every program that reads SVG understands.
 *
 * @param {Colour|string} colour
 */
export function hex(colour) {
  const numbers = typeof colour === "string" ? parse(colour) : colour;
  return `#${numbers.map((x) => Math.round(x).toString(16).padStart(2, "0")).join("")}`;
}

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/** @type {CanvasRenderingContext2D|null} */
let ruler = null;

/**
 * Measure the width of a text in this browser's font.
 *
 * @param {string} text
 * @param {number} size
 * @param {number} [weight]
 */
export function widthOf(text, size, weight = 400) {
  ruler ??= contextOf(document.createElement("canvas"));
  ruler.font = `${weight} ${size}px ${FONT}`;
  return ruler.measureText(text).width;
}

/**
 * Return a line of text with its baseline at (x, y), compressed if it is wider than `width`.
 *
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {{size: number, fill: number[], width: number, weight?: number, anchor?: "start"|"middle"|"end"}} look
 */
export function write(x, y, text, { size, fill, width, weight = 400, anchor = "start" }) {
  if (!text) return "";
  const tight = widthOf(text, size, weight) > width;
  return tag("text", {
    x, y, "font-size": size, fill: hex(fill),
    ...(weight !== 400 && { "font-weight": weight }),
    ...(anchor !== "start" && { "text-anchor": anchor }),
    ...(tight && { textLength: width, lengthAdjust: "spacingAndGlyphs" }),
  }, escapeText(text));
}

/**
 * Break a text into lines.
 *
 * @param {string} text
 * @param {{size: number, width: number, weight?: number}} look
 * @returns {string[]}
 */
export function wrap(text, { size, width, weight = 400 }) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && widthOf(longer, size, weight) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * The part of CanvasRenderingContext2D that the board's drawings use. Transforms are ignored; the
 * element around `markup` has one.
 */
export class SvgContext {
  fillStyle = "#000000";
  strokeStyle = "#000000";
  lineWidth = 1;
  /** @type {CanvasLineJoin} */ lineJoin = "miter";
  globalAlpha = 1;
  /** SVG of all that has been drawn. */
  markup = "";
  path = "";

  /** @param {...number} _ */
  setTransform(..._) {}

  /** @param {...number} _ */
  clearRect(..._) {}

  beginPath() {
    this.path = "";
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  moveTo(x, y) {
    this.path += `M${shortened(x)} ${shortened(y)}`;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  lineTo(x, y) {
    this.path += `L${shortened(x)} ${shortened(y)}`;
  }

  closePath() {
    this.path += "Z";
  }

  /**
   * Add a full circle to the path; the board draws no other arcs.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   */
  arc(x, y, radius) {
    const [r, d] = [shortened(radius), shortened(2 * radius)];
    this.path += `M${shortened(x - radius)} ${shortened(y)}a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0Z`;
  }

  fill() {
    this.markup += tag("path", { d: this.path, fill: hex(this.fillStyle), ...this.#faint("fill-opacity") });
  }

  stroke() {
    this.markup += tag("path", {
      d: this.path, fill: "none", stroke: hex(this.strokeStyle), "stroke-width": this.lineWidth,
      "stroke-linejoin": this.lineJoin, ...this.#faint("stroke-opacity"),
    });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  fillRect(x, y, width, height) {
    if (width > 0 && height > 0) this.markup += tag("rect", { x, y, width, height, fill: hex(this.fillStyle) });
  }

  /**
   * Return the attribute of an opacity below 1.
   *
   * @param {string} name
   */
  #faint(name) {
    return this.globalAlpha < 1 ? { [name]: this.globalAlpha } : {};
  }
}

/**
 * Round a number to hundredths.
 *
 * @template {string|number} T
 * @param {T} value
 */
function shortened(value) {
  return typeof value === "number" ? /** @type {T} */ (+value.toFixed(2)) : value;
}
