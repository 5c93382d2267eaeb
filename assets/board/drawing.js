/** Draws a board: cards, focus, marks and texts. */

/**
 * @import {Showing} from "./board.js"
 * @import {Painter} from "./draw/painter.js"
 * @import {Recording} from "./state/types.d.ts"
 */

import * as cards from "./panels/card.js";
import { updateCrosshairs } from "./panels/crosshair.js";
import { describeFocus, updateFocus } from "./panels/focus.js";
import { updateStatus } from "./panels/legend.js";
import { marksOf } from "./state/marks.js";
import { GRIDS, closeupGrid } from "./state/resolution.js";
import { makePainter, paintBoundary } from "./draw/painter.js";
import { measuresOf, updateDisplayed } from "./state/displayed.js";
import { updateMarks, updateStrengths, updateTransport } from "./panels/transport.js";
import * as views from "./state/view.js";

/**
 * Draw all cards, the focus and the controls.
 *
 * @param {Showing} board
 */
export function drawBoard(board) {
  const { recording, view, state, axes, size, ratio, transport } = board;
  const { weightIndex, network } = recording;
  const nStrengths = views.countStrengths(recording.cards);
  board.displayed.forEach((displayed, c) => {
    const card = board.cards[c];
    updateDisplayed(displayed, recording, view, state.frame);
    paintCard(board, c, board.fine ? GRIDS[0] : GRIDS[board.resolution.coarse]);
    const strengthIndex = views.strengthIndexOf(view, displayed.card);
    const focused = displayed.card.key === view.focus;
    cards.updateHeading(card, { strength: displayed.strength, strengthIndex, nStrengths, focused, remark: displayed.remark });
    cards.updateNumbers(card, measuresOf(recording, displayed), network.task, displayed.divergedEpoch);
    cards.updateHistogram(card, displayed.drawn, weightIndex, axes, size, ratio);
  });
  const focused = board.displayed[board.focusIndex()];
  board.marks = marksOf(recording, focused);
  updateMarks(transport, board.marks, recording.nFrames, (frame) => board.seek(frame));
  updateFocus(board.focus, board, focused, closeupPainter(board));
  updateCrosshairs(board);
  updateTransport(transport, recording, state);
  updateStrengths(transport, { strengthIndex: views.commonStrengthIndex(view, recording.cards), nStrengths, linked: view.linked });
  updateStatus(board.legend, recording);
}

/**
 * Draw a card's boundary at full resolution.
 *
 * @param {Showing} board
 * @param {number} c
 */
export function refineCard(board, c) {
  paintCard(board, c, GRIDS[0]);
}

/**
 * Draw the focus again, at the board's present resolution.
 *
 * @param {Showing} board
 */
export function refineFocus(board) {
  updateFocus(board.focus, board, board.displayed[board.focusIndex()], closeupPainter(board));
}

/**
 * Describe all pictures in words, for screen readers.
 *
 * @param {Showing} board
 */
export function describeBoard({ recording, displayed, cards: all, focus, view }) {
  const { epochs, network: { task }, weightIndex } = recording;
  for (const each of displayed) {
    const description = { label: each.card.label, strength: each.strength, epoch: epochs[each.t], task, divergedEpoch: each.divergedEpoch };
    cards.describe(all[each.c], description, measuresOf(recording, each), weightIndex.length);
  }
  const focused = displayed.find(({ card }) => card.key === view.focus);
  if (focused) describeFocus(focus, recording, focused);
}

/**
 * Draw a card's boundary.
 *
 * @param {Showing} board
 * @param {number} c
 * @param {number} grid  points along each side
 */
function paintCard({ painters, recording, cards: all, displayed, scale, theme, size, ratio, points, view }, c, grid) {
  const painter = painterOf(painters, recording, grid);
  paintBoundary(painter, all[c].boundary, displayed[c].drawn, scale, theme, size.width, ratio, points, view.discrete);
}

/**
 * Return the painter of the large boundary.
 *
 * @param {Showing} board
 */
function closeupPainter({ fine, painters, recording, resolution }) {
  return painterOf(painters, recording, fine ? closeupGrid(recording.nParameters) : GRIDS[resolution.coarse]);
}

/**
 * Return the painter for a grid, made at its first use.
 *
 * @param {Map<number, Painter>} painters
 * @param {Recording} recording
 * @param {number} grid
 */
function painterOf(painters, recording, grid) {
  const painter = painters.get(grid) ?? makePainter(recording, grid);
  painters.set(grid, painter);
  return painter;
}
