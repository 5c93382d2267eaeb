/** Draws cards and legend as SVG. */

/**
 * @import {Painter} from "../draw/painter.js"
 * @import {Colour, Scale} from "../draw/types.d.ts"
 * @import {Exported} from "../panels/types.d.ts"
 * @import {Displayed, Recording} from "../state/types.d.ts"
 */

import { BARS, BARS_PER_SIDE, count, drawHistogram } from "../draw/histogram.js";
import { paintBars } from "../draw/bars.js";
import { paintBoundary } from "../draw/painter.js";
import { measuresOf } from "../state/displayed.js";
import { showsWeights } from "../state/view.js";
import { SvgContext, hex, tag, widthOf, wrap, write } from "./svg.js";
import { mix, parse } from "../draw/theme.js";
import * as words from "../state/words.js";

export const CARD_WIDTH = 240;
const PADDING = 12;
/** The side of a card's boundary. */
export const PICTURE_SIDE = CARD_WIDTH - 2 * PADDING;
/** Pixels per SVG unit of embedded rasters and of the exported PNG. */
export const PIXELS_PER_UNIT = 2;

const HISTOGRAM = 56;
// the histogram is drawn in whole pixels, so many per SVG unit
const PIXELS_PER_BAR_UNIT = 4;
const ROW = 20;
const RIGHT = CARD_WIDTH - PADDING;

/**
 * @typedef {Record<"paper"|"ink"|"muted"|"line"|"raised", Colour>} Paint
 */

/**
 * Draw a card.
 *
 * @param {Exported} board
 * @param {number} c  index of the card
 * @param {Painter} painter
 * @param {Paint} paint
 * @returns {{markup: string, height: number, sentence: string}}
 */
export function drawCard(board, c, painter, paint) {
  const { recording, theme } = board;
  const { epochs, network: { task }, weightIndex } = recording;
  const displayed = board.displayed[c];
  const own = parse(displayed.card.colour[theme.mode]);
  const measures = measuresOf(recording, displayed);
  const counts = new Uint16Array(BARS);
  count(displayed.drawn, 0, weightIndex, board.axes.range, counts);
  const numbers = drawNumbers(displayed.divergedEpoch, measures, recording, own, paint);
  const weights = drawWeights(board, c, counts, paint);
  const top = 54 + PICTURE_SIDE;
  const height = top + numbers.height + weights.height;
  const sentence = words.pictureOf({
    label: displayed.card.label, strength: displayed.strength, epoch: epochs[displayed.t], task, diverged: displayed.divergedEpoch,
    testLoss: measures.test_loss, accuracy: measures.test_accuracy, zeros: counts[BARS_PER_SIDE], weights: weightIndex.length,
  });
  const markup = [
    tag("rect", { x: 0.5, y: 0.5, width: CARD_WIDTH - 1, height: height - 1, rx: 10, fill: hex(paint.raised), stroke: hex(paint.line) }),
    tag("rect", { x: PADDING, y: 14, width: 11, height: 11, rx: 3, fill: hex(own) }),
    write(PADDING + 18, 24, displayed.card.label, { size: 15, weight: 700, fill: paint.ink, width: PICTURE_SIDE - 18 }),
    write(PADDING, 43, displayed.strength, { size: 12.5, fill: paint.muted, width: PICTURE_SIDE }),
    tag("g", { transform: `translate(${PADDING} 52)` }, drawPicture(board, displayed, painter, paint)),
    tag("g", { transform: `translate(0 ${top})` }, numbers.markup),
    tag("g", { transform: `translate(0 ${top + numbers.height})` }, weights.markup),
  ];
  return { markup: markup.join(""), height, sentence };
}

/**
 * Draw the surface with its lines as a raster, the points as shapes, and the remark.
 *
 * @param {Exported} board
 * @param {Displayed} displayed
 * @param {Painter} painter
 * @param {Paint} paint
 */
function drawPicture({ recording, axes: { reach }, scale, theme, view }, { card, drawn, remark }, painter, paint) {
  const canvas = document.createElement("canvas");
  const none = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  if (showsWeights(view, recording)) {
    paintBars(canvas, recording, drawn, { colour: card.colour[theme.mode], reach, named: false }, theme, PICTURE_SIDE, PIXELS_PER_UNIT);
  } else paintBoundary(painter, canvas, drawn, scale, theme, PICTURE_SIDE, PIXELS_PER_UNIT, none, view.discrete);
  const surface = { width: PICTURE_SIDE, height: PICTURE_SIDE, "xlink:href": canvas.toDataURL("image/png") };
  // xlink:href, as some programs that read SVG do not know SVG 2's plain href
  const picture = tag("image", surface) + tag("use", { "xlink:href": "#regviz-points" });
  const clipped = tag("g", { "clip-path": "url(#regviz-picture)" }, picture);
  if (!remark) return clipped;
  // wide enough for other fonts
  const width = Math.min(PICTURE_SIDE - 8, 1.15 * widthOf(remark, 12) + 12);
  const label = tag("rect", { x: 4, y: PICTURE_SIDE - 22, width, height: 18, rx: 4, fill: hex(paint.paper) });
  return clipped + label + write(10, PICTURE_SIDE - 9, remark, { size: 12, fill: paint.ink, width: PICTURE_SIDE - 20 });
}

/**
 * Draw the measures, or since when the network has diverged.
 *
 * @param {number|null} divergedEpoch
 * @param {Record<string, number>} measures
 * @param {Recording} recording
 * @param {Colour} own
 * @param {Paint} paint
 */
function drawNumbers(divergedEpoch, measures, recording, own, paint) {
  const { task } = recording.network;
  const names = words.termsOf(recording);
  const height = 28 + ROW * (names.length - 1) + 12;
  if (divergedEpoch !== null) {
    const look = { size: 12.5, fill: paint.ink, width: PICTURE_SIDE };
    const [first, ...rest] = [words.divergedAt(divergedEpoch), ...wrap(words.DIVERGED, look)];
    const lines = rest.map((line, i) => write(PADDING, 44 + 17 * i, line, look));
    return { height, markup: write(PADDING, 24, first, { ...look, weight: 700 }) + lines.join("") };
  }
  const lines = names.map((name, i) => {
    const number = words.FORMATS[name](measures[name], task);
    const sparse = name === "sparsity" && measures.sparsity > 0;
    const fill = sparse ? mix(own, paint.ink, 0.28) : name === "sparsity" ? paint.muted : paint.ink;
    const [size, weight] = [i === 0 ? 22 : 13.5, name === "sparsity" && !sparse ? 400 : 700];
    return (
      write(PADDING, 28 + ROW * i, words.TERMS[name].label, { size: 13, fill: paint.muted, width: PICTURE_SIDE / 2 }) +
      write(RIGHT, 28 + ROW * i, number, { size, weight, fill, width: PICTURE_SIDE / 2, anchor: "end" })
    );
  });
  return { height, markup: lines.join("") };
}

/**
 * Draw the histogram, the number of zeros, and the axis.
 *
 * @param {Exported} board
 * @param {number} c
 * @param {Uint16Array} counts
 * @param {Paint} paint
 */
function drawWeights({ recording, axes, cards }, c, counts, paint) {
  const bars = new SvgContext();
  drawHistogram(bars, counts, axes.most, PICTURE_SIDE, HISTOGRAM, PIXELS_PER_BAR_UNIT, cards[c].colours);
  const zeros = words.zeros(counts[BARS_PER_SIDE], recording.weightIndex.length);
  const look = { size: 12, fill: paint.muted, width: PICTURE_SIDE / 3 };
  const low = 26 + HISTOGRAM;
  return {
    height: low + 24,
    markup:
      tag("path", { d: `M${PADDING} 0.5H${RIGHT}`, stroke: hex(paint.line) }) +
      write(CARD_WIDTH / 2, 18, zeros, { ...look, width: PICTURE_SIDE, anchor: "middle" }) +
      tag("g", { transform: `translate(${PADDING} 26) scale(${1 / PIXELS_PER_BAR_UNIT})` }, bars.markup) +
      write(PADDING, low + 14, words.axis(-axes.range), look) +
      write(CARD_WIDTH / 2, low + 14, "0", { ...look, anchor: "middle" }) +
      write(RIGHT, low + 14, words.axis(axes.range), { ...look, anchor: "end" }),
  };
}

/**
 * Draw the entries of the board's legend, broken into lines.
 *
 * @param {Exported} board
 * @param {number} width
 * @param {Paint} paint
 * @returns {{markup: string, height: number}}
 */
export function drawLegend({ signs, scale }, width, paint) {
  let [x, y] = [0, 12];
  let markup = "";
  for (const entry of signs.children) {
    const text = entry.textContent ?? "";
    const sign = drawSign(entry, scale, paint);
    const own = sign.width + widthOf(text, 12);
    if (x > 0 && x + own > width) [x, y] = [0, y + ROW];
    markup += tag("g", { transform: `translate(${x} ${y - 10})` }, sign.markup);
    markup += write(x + sign.width, y, text, { size: 12, fill: paint.muted, width });
    x += own + 18;
  }
  return { markup, height: y + 4 };
}

/**
 * Draw a legend's sign, 12 units high; return also the width before its text.
 *
 * @param {Element} entry
 * @param {Scale} scale
 * @param {Paint} paint
 */
function drawSign(entry, scale, paint) {
  const svg = entry.querySelector("svg");
  if (svg) {
    const shapes = new XMLSerializer().serializeToString(svg);
    // resolve the page's styles, and write rgb() without commas as #rrggbb for SVG 1.1 programs
    const plain = shapes
      .replace('class="bars"', 'fill-opacity="0.55"')
      .replaceAll("currentColor", hex(paint.muted))
      .replace(/rgb\([^)]*\)/g, hex);
    const width = svg.viewBox.baseVal.width;
    return { width: width + 6, markup: tag("g", { fill: hex(paint.muted) }, plain.replace(/^<svg[^>]*>|<\/svg>$/g, "")) };
  }
  if (!entry.querySelector(".ramp")) return { width: 0, markup: "" };
  const [steps, long] = [30, 60];
  const rects = Array.from({ length: steps }, (_, i) => {
    const value = scale.middle + scale.reach * ((2 * (i + 0.5)) / steps - 1);
    return tag("rect", { x: (i * long) / steps, y: 1.5, width: long / steps + 0.2, height: 9, fill: hex(scale.colour(value)) });
  });
  const frame = tag("rect", { y: 1.5, width: long, height: 9, fill: "none", stroke: hex(paint.line) });
  return { width: long + 6, markup: rects.join("") + frame };
}
