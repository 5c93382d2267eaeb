// The choice of a dataset as a Streamlit component: a radio group of thumbnails.

const SVG = "http://www.w3.org/2000/svg";
const SIZE = 100; // side of a thumbnail in SVG units; style.css scales it
const RADIUS = 4;

/** @type {WeakMap<Element|ShadowRoot, Map<string, HTMLInputElement>>} */
const pickers = new WeakMap();

/**
 * @typedef {{key: string, label: string, points: number[][]}} Option  points are (x, y, class); none
 *   of a table with more than two columns
 * @typedef {{options: Option[], chosen: string, colours: string[]}} Choice
 */

/**
 * Show the choice. Streamlit calls it at the first mount and at every change of the data.
 *
 * @param {{parentElement: Element|ShadowRoot, data: Uint8Array, setStateValue: (name: string, value: {name: string, at: number}) => void}} component
 *   with a Choice in JSON as its data
 */
export function render({ parentElement, data, setStateValue }) {
  /** @type {Choice} */
  const offer = JSON.parse(new TextDecoder().decode(data));
  let inputs = pickers.get(parentElement);
  if (!inputs) {
    const choose = (/** @type {string} */ name) => setStateValue("chosen", { name, at: Date.now() });
    inputs = build(parentElement, offer, choose);
    pickers.set(parentElement, inputs);
  }
  const input = /** @type {HTMLInputElement} */ (inputs.get(offer.chosen));
  input.checked = true;
  input.closest("details")?.setAttribute("open", "");
}

/**
 * Create the radio group.
 *
 * @param {Element|ShadowRoot} root
 * @param {Choice} offer
 * @param {(key: string) => void} choose
 * @returns {Map<string, HTMLInputElement>} the radio buttons by dataset
 */
function build(root, { options, colours }, choose) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("style.css", import.meta.url).href;
  const group = document.createElement("div");
  group.className = "group";
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", "Dataset");
  style.onload = () => group.classList.add("styled");
  root.append(style, group);

  const tables = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "More than two inputs";
  tables.append(summary);
  return new Map(
    options.map((option) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "dataset", value: option.key });
      input.setAttribute("aria-label", option.label);
      input.addEventListener("change", () => choose(option.key));
      const label = document.createElement("label");
      label.title = option.label;
      const named = option.points.length === 0;
      label.append(input, named ? option.label : thumbnail(option.points, colours));
      label.classList.toggle("named", named);
      (named ? tables : group).append(label);
      if (named) group.append(tables);
      return [option.key, input];
    }),
  );
}

/**
 * Draw a thumbnail.
 *
 * @param {number[][]} points
 * @param {string[]} colours
 */
function thumbnail(points, colours) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${SIZE} ${SIZE}`);
  svg.setAttribute("aria-hidden", "true");
  const place = (/** @type {number} */ share) => String(RADIUS + share * (SIZE - 2 * RADIUS));
  for (const [x, y, kind] of points) {
    const dot = document.createElementNS(SVG, "circle");
    dot.setAttribute("cx", place(x));
    dot.setAttribute("cy", place(1 - y));
    dot.setAttribute("r", String(RADIUS));
    dot.setAttribute("fill", colours[kind]);
    svg.append(dot);
  }
  return svg;
}
