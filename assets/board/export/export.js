/** Exports the board's cards as one picture, SVG or PNG. */

/**
 * @import {Exported} from "../panels/types.d.ts"
 * @import {Paint} from "./cards.js"
 */

import { contextOf, icon, make, setText } from "../draw/dom.js";
import { closeupGrid } from "../state/resolution.js";
import { makePainter } from "../draw/painter.js";
import { drawPoints } from "../draw/points.js";
import { CARD_WIDTH, PIXELS_PER_UNIT, PICTURE_SIDE, drawCard, drawLegend } from "./cards.js";
import { FONT, SvgContext, escapeText, hex, tag, write } from "./svg.js";
import { mix, parse } from "../draw/theme.js";
import { countOf } from "../state/plane.js";
import { showsWeights } from "../state/view.js";
import * as words from "../state/words.js";

const GAP = 12;
const MARGIN = 24;
const HEADING = 52;

/**
 * Return the cards as one SVG document without references to other files. Text, bars and points are
 * shapes; each surface is an embedded PNG.
 *
 * @param {Exported} board
 * @returns {string}
 */
export function boardSvg(board) {
  const { recording, displayed, scale, theme } = board;
  const paint = paintOf(board);
  const painter = makePainter(recording, closeupGrid(recording.nParameters), board.plane);
  const points = new SvgContext();
  if (!showsWeights(board.view, recording)) drawPoints(points, recording, scale, theme, PICTURE_SIDE, 1, board.plane);
  const cards = displayed.map((_, c) => drawCard(board, c, painter, paint));

  const columns = cards.length > 4 ? Math.ceil(cards.length / 2) : cards.length;
  const inside = Math.max(2, columns) * (CARD_WIDTH + GAP) - GAP;
  const rows = Math.ceil(cards.length / columns);
  const placed = cards.map(({ markup, height }, c) => {
    const [column, row] = [c % columns, Math.floor(c / columns)];
    const at = `translate(${column * (CARD_WIDTH + GAP)} ${HEADING + row * (height + GAP)})`;
    return tag("g", { transform: at, "data-card": displayed[c].card.key }, markup);
  });
  const below = HEADING + rows * (cards[0].height + GAP);
  const legend = drawLegend(board, inside, paint);
  const [width, height] = [inside + 2 * MARGIN, below + legend.height + 2 * MARGIN];
  const about = cards.map(({ sentence }) => sentence).join(" ");
  const document = tag(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink",
      width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-family": FONT,
    },
    tag("title", {}, escapeText(titleOf(board))),
    tag("desc", {}, escapeText(about)),
    tag("defs", {},
      tag("clipPath", { id: "regviz-picture" }, tag("rect", { width: PICTURE_SIDE, height: PICTURE_SIDE, rx: 6 })),
      tag("g", { id: "regviz-points" }, points.markup)),
    tag("rect", { width, height, fill: hex(paint.paper) }),
    tag("g", { transform: `translate(${MARGIN} ${MARGIN})` },
      drawHeading(board, inside, paint), ...placed,
      tag("g", { transform: `translate(0 ${below})` }, legend.markup)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document}\n`;
}

/**
 * Return the same picture as PNG, PIXELS_PER_UNIT pixels per SVG unit.
 *
 * @param {Exported} board
 * @returns {Promise<Blob>}
 */
export async function boardPng(board) {
  const image = new Image();
  // a data URL, as some browsers taint a canvas that has drawn an SVG from a blob URL
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(boardSvg(board))}`;
  await image.decode();
  const canvas = make("canvas", { width: PIXELS_PER_UNIT * image.naturalWidth, height: PIXELS_PER_UNIT * image.naturalHeight });
  contextOf(canvas).drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser made no PNG"))), "image/png");
  });
}

/**
 * Download a file.
 *
 * @param {Blob} blob
 * @param {string} name  of the file
 */
export function download(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  // some browsers read the URL only after the click is handled
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @type {Record<string, {tip: string, make: (board: Exported) => Blob|Promise<Blob>}>} */
const KINDS = {
  PNG: { tip: "Save as PNG: the cards as they are now, for slides.", make: boardPng },
  SVG: {
    tip: "Save as SVG: the same in shapes and text, for print and to work on.",
    make: (board) => new Blob([boardSvg(board)], { type: "image/svg+xml" }),
  },
};
const ARROW = "M10.5 3h3v8H18l-6 6.5L6 11h4.5zM4 19h16v2.5H4z";

/**
 * Create the buttons that save the cards as a picture.
 *
 * @param {() => Exported|null} exported  returns the board as it is now
 * @returns {HTMLElement}
 */
export function makeSaveButtons(exported) {
  const failed = make("span", { role: "status" });
  const save = async (/** @type {string} */ kind) => {
    const board = exported();
    if (!board) return;
    const name = `regviz-epoch-${board.recording.epochs[board.frame]}.${kind.toLowerCase()}`;
    try {
      download(await KINDS[kind].make(/** @type {Exported} */ (board)), name);
      setText(failed, "");
    } catch (error) {
      console.error(error);
      setText(failed, `No ${kind} could be made.`);
    }
  };
  const buttons = Object.entries(KINDS).map(([kind, { tip }]) => {
    const arrow = icon("0 0 24 24", ["path", { d: ARROW }]);
    const button = make("button", { type: "button", "data-tip": tip, "aria-label": `Save as ${kind}` }, arrow, kind);
    button.addEventListener("click", () => save(kind));
    return button;
  });
  return make("div", { class: "save", role: "group", "aria-label": "Save the cards as a picture" }, failed, "Save picture as", ...buttons);
}

/**
 * Return the page's current colours.
 *
 * @param {Exported} board
 * @returns {Paint}
 */
function paintOf({ element, probe }) {
  const [paper, ink] = [probe, element].map((each) => parse(getComputedStyle(each).color));
  const shade = (/** @type {number} */ share) => mix(paper, ink, share);
  return { paper, ink, muted: shade(0.74), line: shade(0.16), raised: shade(0.025) };
}

/**
 * "Circles, epoch 137 of 400"
 *
 * @param {Exported} board
 */
function titleOf({ recording, frame }) {
  return `${recording.data}, ${words.epochOf(recording.epochs[frame], recording.lastEpoch)}`;
}

/**
 * Return the heading as SVG.
 *
 * @param {Exported} board
 * @param {number} width
 * @param {Paint} paint
 */
function drawHeading(board, width, { ink, muted }) {
  const { network, points } = board.recording;
  const { layers, activation, normalization } = network;
  const [train, test] = [points.train, points.test].map((rows) => countOf(network, rows));
  const about = `${train} training and ${test} test points; network ${layers.join("–")}, ${activation.replace("_", " ").replace("relu", "ReLU")}${normalization === "none" ? "" : `, ${normalization} normalization`}`;
  return (
    write(0, 15, titleOf(board), { size: 20, weight: 700, fill: ink, width }) +
    write(0, 37, about, { size: 13, fill: muted, width })
  );
}
