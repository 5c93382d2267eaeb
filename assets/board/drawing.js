/** Draws a board: cards, focus, marks and texts. */

/**
 * @import {Stage} from "./panels/types.d.ts"
 * @import {Displayed, View} from "./state/types.d.ts"
 * @import {Drawn} from "./types.d.ts"
 */

import { paintBars } from "./draw/bars.js";
import { holdTexts, writeTexts } from "./draw/dom.js";
import * as cards from "./panels/card.js";
import { updateChange } from "./panels/change.js";
import { updateCrosshairs } from "./panels/crosshair.js";
import { describeFocus, updateFocus } from "./panels/focus.js";
import { updateStatus } from "./panels/legend.js";
import { updatePicture } from "./panels/picture.js";
import { isMoving } from "./state/player.js";
import { marksOf } from "./state/marks.js";
import { GRIDS, closeupGrid } from "./state/resolution.js";
import { announceSummary, updateSummary } from "./panels/summary.js";
import { makePainter, paintBoundary } from "./draw/painter.js";
import { measuresOf, updateDisplayed } from "./state/displayed.js";
import { summaryOf } from "./state/summary.js";
import { updateMarks, updateStrengths, updateTransport } from "./panels/transport.js";
import * as views from "./state/view.js";
import { describeInputs } from "./state/inputs.js";

/**
 * Draw all cards, the focus and the controls.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
export function drawBoard(board, stage) {
  drawPictures(board, stage);
  drawTexts(board, stage);
}

/**
 * Draw as `drawBoard`, but hold back the texts and the slider of the epoch until `drawTexts`.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
export function drawWithoutTexts(board, stage) {
  holdTexts(() => drawPictures(board, stage));
}

/**
 * Write the texts that are held back, and move the slider of the epoch.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
export function drawTexts({ transport, state }, { recording }) {
  writeTexts();
  updateTransport(transport, recording, state);
}

/**
 * Draw all cards, the focus and the controls but the slider of the epoch.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
function drawPictures(board, stage) {
  const { view, state, axes, size, ratio, transport } = board;
  const { recording } = stage;
  const { weightIndex, network } = recording;
  const nStrengths = views.countStrengths(recording.cards);
  stage.displayed.forEach((displayed, c) => {
    const card = stage.cards[c];
    updateDisplayed(displayed, recording, view, state.frame);
    if (card.element.hidden) return;
    paintCard(board, stage, c, board.fine ? GRIDS[0] : GRIDS[board.resolution.coarse]);
    const strengthIndex = views.strengthIndexOf(view, displayed.card);
    const variantIndex = views.variantIndexOf(view, displayed.card);
    cards.updateHeading(card, displayed, { strengthIndex, variantIndex, focused: displayed.card.key === view.focus });
    cards.updateNumbers(card, measuresOf(recording, displayed), network.task, displayed.divergedEpoch);
    cards.updateHistogram(card, displayed.drawn, weightIndex, axes, size, ratio);
  });
  const focused = inFocus(stage, view);
  board.marks = marksOf(recording, focused);
  updateMarks(transport, board.marks, recording.nFrames, (frame) => board.commands.seek(frame));
  updateFocus(board.focus, stage, board, focused, closeupPainter(board, stage));
  updateCrosshairs(stage, view, board.place, board.focus.panels.closeup);
  updatePicture(board.picture, recording, view);
  updateStrengths(transport, { strengthIndex: views.commonStrengthIndex(view, recording.cards), nStrengths, linked: view.linked });
  updateChange(board.changePanel, recording, focused);
  updateStatus(board.legend, recording);
  updateSummary(board.summary, summaryOf(recording, stage.displayed, view.focus, state.frame));
}

/**
 * Draw a card's boundary at full resolution.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 * @param {number} c
 */
export function refineCard(board, stage, c) {
  paintCard(board, stage, c, GRIDS[0]);
}

/**
 * Draw the focus again, at the board's present resolution.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
export function refineFocus(board, stage) {
  updateFocus(board.focus, stage, board, inFocus(stage, board.view), closeupPainter(board, stage));
}

/**
 * Describe all pictures in words, for screen readers.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
export function describeBoard({ focus, view, state, summary }, stage) {
  const { recording, displayed, cards: all } = stage;
  const { epochs, network: { task }, weightIndex } = recording;
  for (const each of displayed) {
    if (all[each.c].element.hidden) continue;
    const description = { label: each.card.label, strength: each.strength, epoch: epochs[each.t], task, divergedEpoch: each.divergedEpoch };
    const bars = views.showsWeights(view, recording) ? describeInputs(recording, each.drawn) : "";
    cards.describe(all[each.c], description, measuresOf(recording, each), weightIndex.length, bars);
  }
  describeFocus(focus, recording, inFocus(stage, view), view);
  if (!isMoving(state)) announceSummary(summary);
}

/**
 * Return what the card in focus displays.
 *
 * @param {Stage} stage
 * @param {View} view
 */
function inFocus({ displayed }, { focus }) {
  return /** @type {Displayed} */ (displayed.find(({ card }) => card.key === focus));
}

/**
 * Draw a card's boundary, unless the card is hidden.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 * @param {number} c
 * @param {number} grid  points along each side
 */
function paintCard({ size, ratio, points, view, axes: { reach } }, stage, c, grid) {
  const { recording, cards: all, displayed, scale, theme } = stage;
  if (all[c].element.hidden) return;
  if (views.showsWeights(view, recording)) {
    const style = { colour: displayed[c].card.colour[theme.mode], reach, named: false };
    paintBars(all[c].boundary, recording, displayed[c].drawn, style, theme, size.width, ratio);
    return;
  }
  const painter = painterOf(stage, grid);
  paintBoundary(painter, all[c].boundary, displayed[c].drawn, scale, theme, size.width, ratio, points, view.discrete);
}

/**
 * Return the painter of the large boundary.
 *
 * @param {Drawn} board
 * @param {Stage} stage
 */
function closeupPainter({ fine, resolution }, stage) {
  return painterOf(stage, fine ? closeupGrid(stage.recording.nParameters) : GRIDS[resolution.coarse]);
}

/**
 * Return the painter for a grid, made at its first use.
 *
 * @param {Stage} stage
 * @param {number} grid
 */
function painterOf({ painters, recording, plane }, grid) {
  const painter = painters.get(grid) ?? makePainter(recording, grid, plane);
  painters.set(grid, painter);
  return painter;
}
