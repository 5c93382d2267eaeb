/**
 * Entry of the widgets in notebooks: anywidgets. `regviz/notebook/module.py` puts this module, all that
 * it imports and the style sheets into one.
 */

/** @import {CellContent, NotebookModel} from "./types.d.ts" */

import { Board } from "./board.js";
import { Comparison } from "./comparison.js";
import { make } from "./draw/dom.js";
import { readTheme } from "./draw/theme.js";
import { backgroundAround } from "./surroundings.js";
import { Traits } from "./traits.js";
import { watch, watchPage } from "./watch.js";
import { decodeModels } from "./state/models.js";

/**
 * Return the widget, as anywidget expects it.
 *
 * @param {string} css  the style sheets, which all boards share
 */
export function makeWidget(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return {
    render(/** @type {{model: NotebookModel, el: HTMLElement}} */ { model, el }) {
      const models = /** @type {DataView|undefined} */ (model.get("models"));
      return mount(models ? comparisonOf(models) : boardOf(model), el, sheet);
    },
  };
}

/**
 * Put a widget's content into an output cell. It begins when it is first seen: notebooks create the
 * outputs of cells far below, too, and elements that are not in the document yet.
 *
 * @param {CellContent} content
 * @param {HTMLElement} el
 * @param {CSSStyleSheet} sheet
 * @returns {() => void}  removes it
 */
function mount(content, el, sheet) {
  // Jupyter's own shortcuts, such as B for a new cell, would act on keys pressed in the board
  const host = make("div", { "data-lm-suppress-shortcuts": "true" });
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  const surroundings = make("div", { class: "regviz-notebook" });
  root.append(surroundings);
  el.append(host);

  const restyle = () => {
    if (!host.isConnected) return;
    surroundings.style.setProperty("--st-background-color", backgroundAround(host));
    surroundings.dataset.mode = readTheme(content.probe).mode;
    content.restyle();
  };
  /** @type {(() => void)|null} */
  let end = null;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    if (!end) {
      surroundings.append(content.element);
      end = content.begin(root, restyle);
    }
    restyle();
  });
  seen.observe(host);
  return () => {
    seen.disconnect();
    end?.();
    host.remove();
  };
}

/**
 * Return a board that follows the model's traits.
 *
 * @param {NotebookModel} model
 * @returns {CellContent}
 */
function boardOf(model) {
  const board = new Board();
  const traits = new Traits(board, model);
  return {
    element: board.element,
    probe: board.probe,
    restyle: () => board.restyle(),
    begin(root, restyle) {
      const unwatch = watch(root, board, { restyle, keysOutside: false });
      traits.begin();
      return () => {
        unwatch();
        traits.end();
        board.stop();
      };
    },
  };
}

/**
 * Return the models of `regviz.show`.
 *
 * @param {DataView} message
 * @returns {CellContent}
 */
function comparisonOf({ buffer, byteOffset, byteLength }) {
  const comparison = new Comparison();
  const decoded = decodeModels(new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength));
  return {
    element: comparison.element,
    probe: comparison.probe,
    restyle: () => comparison.restyle(),
    begin(root, restyle) {
      decoded.then((models) => comparison.show(models));
      return watchPage(root, comparison.element, () => comparison.measure(), restyle);
    },
  };
}
