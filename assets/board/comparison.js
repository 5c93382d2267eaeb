/** Any models side by side on the board's pictures: the widget of `regviz.show`. */

/**
 * @import {Scale, Theme} from "./draw/types.d.ts"
 * @import {Place} from "./panels/types.d.ts"
 * @import {Models} from "./state/types.d.ts"
 */

import { contextOf, fitCanvas, make, onResize, onSystemTheme, setText, zoomOf } from "./draw/dom.js";
import { makeField, paintField } from "./draw/painter.js";
import { drawPoints } from "./draw/points.js";
import { makeScale } from "./draw/scale.js";
import { readTheme } from "./draw/theme.js";
import { updateCrosshair } from "./panels/card.js";
import { arrange } from "./panels/layout.js";
import { makeSigns, signsOfPlane } from "./panels/legend.js";
import { describeModel, makeModelCard, paintCard } from "./panels/model_card.js";
import { listenToKeys } from "./panels/pointing.js";
import { Tooltip } from "./panels/tooltip.js";
import { answerAt, decodeModels } from "./state/models.js";
import { pointAt } from "./state/plane.js";
import { className, predictionsAt } from "./state/words.js";

// in CSS pixels: a name of 20 characters fits into the narrowest card, and two rows of the widest into a window
const NARROWEST = 186;
const WIDEST = 250;
const GAP = 8;
const HINT = "Point at a picture to ask all models there. The arrow keys do so too, from the first picture.";

/**
 * Show models in an element.
 *
 * @param {HTMLElement} host
 * @param {Uint8Array} bytes  the message of regviz/notebook/show.py
 * @returns {Promise<() => void>}  removes them
 */
export async function showModels(host, bytes) {
  const comparison = new Comparison(await decodeModels(bytes));
  host.append(comparison.element);
  comparison.restyle();
  comparison.measure();
  const stops = [
    onResize(comparison.element, () => comparison.measure()),
    onSystemTheme(() => comparison.restyle()),
  ];
  return () => {
    for (const stop of stops) stop();
    comparison.element.remove();
  };
}

class Comparison {
  /** Of a picture, in CSS pixels. */
  size = 0;
  ratio = 1;
  points = document.createElement("canvas");
  /** @type {{theme: Theme, scale: Scale}|null} */ look = null;

  /** @param {Models} models */
  constructor(models) {
    this.models = models;
    this.field = makeField(models.network.layers[1], models.grid);
    const point = (/** @type {Place|null} */ place) => this.point(place);
    this.cards = models.models.map((model, k) => makeModelCard(model, k, point));
    this.signs = make("span", { class: "signs" });
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.readout = make("p", { class: "summary answers" }, HINT);
    this.element = make("section", { class: "regviz-board comparison", "aria-label": "Models side by side" },
      make("div", { class: "legend" }, this.signs),
      make("div", { class: "cards" }, ...this.cards.map(({ element }) => element)),
      this.readout, this.probe);
    const [first] = this.cards;
    first.boundary.tabIndex = 0;
    listenToKeys(first.boundary, point, this.readout);
    this.tooltip = new Tooltip(this.element);
    for (const [k, model] of models.models.entries()) {
      this.cards[k].boundary.setAttribute("aria-label", describeModel(model, models.network.task));
    }
  }

  /** Apply the page's theme. */
  restyle() {
    const { models, cards } = this;
    const theme = readTheme(this.probe);
    const scale = makeScale(models, theme);
    this.look = { theme, scale };
    this.element.dataset.theme = theme.mode;
    cards.forEach((card, k) => paintCard(card, models.models[k], theme));
    const [right, up] = models.axes;
    const inputs = makeSigns([["", `→ ${right}`, "Input to the right"], ["", `↑ ${up}`, "Input upwards"]]);
    this.signs.replaceChildren(...makeSigns(signsOfPlane(models, scale, theme, this.about())), ...inputs);
    this.draw();
  }

  /** Explain the line in the pictures. */
  about() {
    const { network } = this.models;
    return {
      binary: `p is the probability of ${className(network, 1)}. The line is where p = ½, or where the decision value is 0.`,
      multiclass: "The lines are where another class takes over.",
      regression: "The colour of a point is its true value: where it is that of its surroundings, the model is right.",
    }[network.task];
  }

  /** Lay out the cards in the available width, and draw. */
  measure() {
    const { element, cards } = this;
    const inside = element.clientWidth;
    if (inside <= 0) return;
    const { columns, card: available } = arrange(inside, cards.length, NARROWEST);
    const card = Math.min(available, WIDEST);
    const values = { columns, card: `${card}px`, width: `${columns * (card + GAP) - GAP}px`, gap: `${GAP}px` };
    for (const [name, value] of Object.entries(values)) element.style.setProperty(`--${name}`, String(value));
    this.size = cards[0].boundary.clientWidth;
    this.ratio = devicePixelRatio * zoomOf(element);
    this.draw();
  }

  /** Draw all pictures. */
  draw() {
    const { models, field, cards, look, points, size, ratio } = this;
    if (!size || !look) return;
    const { scale, theme } = look;
    fitCanvas(points, size, size, ratio);
    drawPoints(contextOf(points), models, scale, theme, size, ratio, models.plane);
    models.models.forEach(({ raw }, k) => {
      field.raw.set(raw);
      paintField(field, cards[k].boundary, scale, theme, size, ratio, points, false);
    });
  }

  /**
   * Show all models' answers at a place, or hide them.
   *
   * @param {Place|null} place
   */
  point(place) {
    const { models, cards } = this;
    const texts = models.models.map((model, k) => {
      const text = place ? answerAt(models, model, place) : "";
      updateCrosshair(cards[k], place, text);
      return { label: model.name, text };
    });
    setText(this.readout, place ? predictionsAt(pointAt(models.plane, place), texts) : HINT);
  }
}
