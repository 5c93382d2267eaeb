/**
 * Entry of the board in notebooks: an anywidget. `regviz/notebook/module.py` puts this module, all that
 * it imports and the style sheets into one.
 */

/** @import {NotebookModel} from "./types.d.ts" */

import { Board } from "./board.js";
import { make } from "./draw/dom.js";
import { readTheme } from "./draw/theme.js";
import { backgroundAround } from "./surroundings.js";
import { Traits } from "./traits.js";
import { watch } from "./watch.js";

/**
 * Return the widget, as anywidget expects it.
 *
 * @param {string} css  the style sheets, which all boards share
 */
export function makeWidget(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return {
    render: (/** @type {{model: NotebookModel, el: HTMLElement}} */ { model, el }) => mount(model, el, sheet),
  };
}

/**
 * Put a board into an output cell. It begins when it is first seen: notebooks create the outputs of
 * cells far below, too, and elements that are not in the document yet.
 *
 * @param {NotebookModel} model
 * @param {HTMLElement} el
 * @param {CSSStyleSheet} sheet
 * @returns {() => void}  removes it
 */
function mount(model, el, sheet) {
  // Jupyter's own shortcuts, such as B for a new cell, would act on keys pressed in the board
  const host = make("div", { "data-lm-suppress-shortcuts": "true" });
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  const surroundings = make("div", { class: "regviz-notebook" });
  root.append(surroundings);
  el.append(host);

  const board = new Board();
  const traits = new Traits(board, model);
  const restyle = () => {
    if (!host.isConnected) return;
    surroundings.style.setProperty("--st-background-color", backgroundAround(host));
    surroundings.dataset.mode = readTheme(board.probe).mode;
    board.restyle();
  };
  /** @type {(() => void)|null} */
  let unwatch = null;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    if (!unwatch) {
      surroundings.append(board.element);
      unwatch = watch(root, board, { restyle, keysOutside: false });
      traits.begin();
    }
    restyle();
  });
  seen.observe(host);
  return () => {
    seen.disconnect();
    unwatch?.();
    traits.end();
    board.stop();
    host.remove();
  };
}
