/** A pinned run: the network that was in focus, with its losses and weights, and the others smaller. */

/** @import {Displayed, FirstMessage, Recording} from "../board/state/types.d.ts" */

import { contextOf, fitCanvas, make } from "../board/draw/dom.js";
import { paintBars } from "../board/draw/bars.js";
import { makePainter, paintBoundary } from "../board/draw/painter.js";
import { drawPoints } from "../board/draw/points.js";
import { makeScale } from "../board/draw/scale.js";
import { readTheme } from "../board/draw/theme.js";
import { decode } from "../board/state/codec.js";
import { makeDisplayed, updateDisplayed } from "../board/state/displayed.js";
import { reachOf } from "../board/state/inputs.js";
import { isTable } from "../board/state/plane.js";
import { start } from "../board/state/recording.js";
import { GRIDS } from "../board/state/resolution.js";
import * as views from "../board/state/view.js";
import { factsOf } from "./facts.js";

export class Pin {
  /** @type {Recording|null} null until the message is decoded */ recording = null;
  /** @type {{displayed: Displayed, canvas: HTMLCanvasElement}[]} the network in focus first */ pictures = [];
  /** @type {Uint8Array|null} the last message */ bytes = null;
  /** Theme, sizes and pixel ratio of the last drawing. */
  drawn = "";

  constructor() {
    this.probe = make("i", { class: "probe", "aria-hidden": "true" });
    this.content = make("div", { class: "content" });
    this.element = make("div", { class: "regviz-pin" }, this.content, this.probe);
  }

  /**
   * Decode a message of `regviz.scenes.encoding.encode_still`, and show it.
   *
   * @param {Uint8Array} bytes
   */
  async receive(bytes) {
    this.bytes = bytes;
    const message = /** @type {FirstMessage & {header: {focus: string}}} */ (await decode(bytes));
    if (this.bytes !== bytes) return; // a later message was decoded sooner, or is on its way
    const recording = start(message);
    const displayed = recording.cards.map((card, c) => makeDisplayed(card, c, recording.nParameters));
    for (const each of displayed) updateDisplayed(each, recording, views.START, recording.nReceived - 1);
    const large = displayed.find(({ card }) => card.key === message.header.focus) ?? displayed[0];
    this.recording = recording;
    this.pictures = [large, ...displayed.filter((each) => each !== large)].map((each) => {
      const canvas = make("canvas", { role: "img", "aria-label": factsOf(recording, each).sentence });
      return { displayed: each, canvas };
    });
    this.content.replaceChildren(makeFocus(recording, this.pictures[0]), makeOthers(recording, this.pictures.slice(1)));
    this.drawn = "";
    this.draw();
  }

  /** Draw the pictures, unless they are drawn for the present theme and size. */
  draw() {
    const { recording, pictures, probe } = this;
    if (!recording) return;
    const sizes = pictures.map(({ canvas }) => canvas.clientWidth);
    if (sizes[0] === 0) return; // also of a removed pin, whose computed styles have no colours
    const theme = readTheme(probe);
    const wanted = JSON.stringify([theme.mode, devicePixelRatio, sizes]);
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const scale = makeScale(recording, theme);
    const none = document.createElement("canvas");
    none.width = none.height = 1;
    pictures.forEach(({ displayed, canvas }, i) => {
      canvas.closest("figure")?.style.setProperty("--method", displayed.card.colour[theme.mode]);
      let points = none;
      if (isTable(recording)) {
        const style = { colour: displayed.card.colour[theme.mode], reach: reachOf(recording), named: false };
        paintBars(canvas, recording, displayed.drawn, style, theme, sizes[i], devicePixelRatio);
        return;
      }
      if (i === 0) {
        points = document.createElement("canvas");
        fitCanvas(points, sizes[0], sizes[0], devicePixelRatio);
        drawPoints(contextOf(points), recording, scale, theme, sizes[0], devicePixelRatio);
      }
      const painter = makePainter(recording, i === 0 ? GRIDS[0] : GRIDS[GRIDS.length - 1]);
      paintBoundary(painter, canvas, displayed.drawn, scale, theme, sizes[i], devicePixelRatio, points, false);
    });
  }
}

/**
 * Create the large picture with its texts.
 *
 * @param {Recording} recording
 * @param {{displayed: Displayed, canvas: HTMLCanvasElement}} picture
 */
function makeFocus(recording, { displayed, canvas }) {
  const { name, strength, epoch, train, test, left } = factsOf(recording, displayed);
  const rows = [["train loss", train], ["test loss", test], ["weights left", left]];
  return make(
    "figure",
    { class: "focus" },
    canvas,
    make(
      "figcaption",
      {},
      make("strong", {}, name),
      make("span", {}, strength),
      make("span", {}, epoch),
      make("dl", {}, ...rows.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value)))),
    ),
  );
}

/**
 * Create the small pictures, each with its test loss.
 *
 * @param {Recording} recording
 * @param {{displayed: Displayed, canvas: HTMLCanvasElement}[]} pictures
 */
function makeOthers(recording, pictures) {
  const figures = pictures.map(({ displayed, canvas }) => {
    const { name, test, train, left } = factsOf(recording, displayed);
    const title = `${name}: train loss ${train}, test loss ${test}, ${left} weights left`;
    return make("figure", { title }, canvas, make("figcaption", { "aria-hidden": "true" }, test));
  });
  return make("div", { class: "others" }, ...figures);
}
