/** Any models side by side on the board's pictures: the widget of `regviz.show`. */

/**
 * @import {Field} from "./draw/painter.js"
 * @import {Scale, Theme} from "./draw/types.d.ts"
 * @import {Sign} from "./panels/legend.js"
 * @import {ModelCard} from "./panels/model_card.js"
 * @import {Place} from "./panels/types.d.ts"
 * @import {Models} from "./state/types.d.ts"
 */

import { contextOf, fitCanvas, make, setText, zoomOf } from "./draw/dom.js";
import { makeField, paintField } from "./draw/painter.js";
import { drawPoints } from "./draw/points.js";
import { makeScale } from "./draw/scale.js";
import { readTheme } from "./draw/theme.js";
import { updateCrosshair } from "./panels/card.js";
import { arrange } from "./panels/layout.js";
import { makeSigns, signsOfPlane } from "./panels/legend.js";
import { makeModelCard } from "./panels/model_card.js";
import { listenToKeys } from "./panels/pointing.js";
import { Tooltip } from "./panels/tooltip.js";
import { answerAt } from "./state/models.js";
import { pointAt } from "./state/plane.js";
import { className, predictionsAt } from "./state/words.js";

// in CSS pixels: a name of 20 characters fits into the narrowest card, and two rows of the widest into a window
const NARROWEST = 186;
const WIDEST = 250;
const WIDEST_ALONE = 360; // of a single column
const GAP = 8;
const HINT = "Point at a picture to ask all models there. The arrow keys do so too, from the first picture.";

export class Comparison {
  /** Of a picture, in CSS pixels. */
  size = 0;
  ratio = 1;
  points = document.createElement("canvas");
  /** @type {{models: Models, cards: ModelCard[], field: Field, theme: Theme, scale: Scale}|null} */ stage = null;

  constructor() {
    this.signs = make("span", { class: "signs" });
    this.grid = make("div", { class: "cards" });
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.readout = make("p", { class: "summary answers" }, HINT);
    this.element = make("section", { class: "regviz-board comparison", "aria-label": "Models side by side" },
      make("div", { class: "legend" }, this.signs), this.grid, this.readout, this.probe);
    this.tooltip = new Tooltip(this.element);
  }

  /**
   * Show models, once the element is in the document.
   *
   * @param {Models} models
   */
  show(models) {
    const point = (/** @type {Place|null} */ place) => this.point(place);
    const cards = models.models.map((model, k) => makeModelCard(model, k, models.network.task, point));
    cards[0].boundary.tabIndex = 0;
    listenToKeys(cards[0].boundary, point, this.readout);
    this.grid.replaceChildren(...cards.map(({ element }) => element));
    const theme = readTheme(this.probe);
    this.stage = { models, cards, field: makeField(models.network.layers[1], models.grid), theme, scale: makeScale(models, theme) };
    this.restyle();
    this.measure();
  }

  /** Apply the page's theme. */
  restyle() {
    const { stage } = this;
    if (!stage) return;
    const { models, cards } = stage;
    const theme = (stage.theme = readTheme(this.probe));
    stage.scale = makeScale(models, theme);
    this.element.dataset.theme = theme.mode;
    cards.forEach(({ element }, k) => element.style.setProperty("--method", models.models[k].colour[theme.mode]));
    const [right, up] = models.axes;
    /** @type {Sign[]} */
    const inputs = [["", `→ ${right}`, "The input to the right"], ["", `↑ ${up}`, "The input upwards"]];
    this.signs.replaceChildren(...makeSigns([...signsOfPlane(models, stage.scale, theme, aboutLine(models)), ...inputs]));
    this.draw();
  }

  /** Lay out the cards in the available width, and draw. */
  measure() {
    const { element, stage } = this;
    const inside = element.clientWidth;
    if (!stage || inside <= 0) return;
    const { columns, card: available } = arrange(inside, stage.cards.length, NARROWEST);
    const card = Math.min(available, columns === 1 ? WIDEST_ALONE : WIDEST);
    const values = { columns, card: `${card}px`, width: `${columns * (card + GAP) - GAP}px`, gap: `${GAP}px` };
    for (const [name, value] of Object.entries(values)) element.style.setProperty(`--${name}`, String(value));
    this.size = stage.cards[0].boundary.clientWidth;
    this.ratio = devicePixelRatio * zoomOf(element);
    this.draw();
  }

  /** Draw all pictures. */
  draw() {
    const { stage, points, size, ratio } = this;
    if (!stage || !size) return;
    const { models, cards, field, scale, theme } = stage;
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
    const { stage } = this;
    if (!stage) return;
    const { models, cards } = stage;
    const texts = models.models.map((model, k) => {
      const text = place ? answerAt(models, model, place) : "";
      updateCrosshair(cards[k], place, text);
      return { label: model.name, text };
    });
    setText(this.readout, place ? predictionsAt(pointAt(models.plane, place), texts) : HINT);
  }
}

/**
 * Explain the line in the pictures.
 *
 * @param {Models} models
 */
function aboutLine({ network }) {
  return {
    binary: `p is the probability of ${className(network, 1)}. The line is where p = ½, or where the decision value is 0.`,
    multiclass: "The lines are where another class takes over.",
    regression: "A point has the colour of its true value: where that is the colour around it, the model is right.",
  }[network.task];
}
