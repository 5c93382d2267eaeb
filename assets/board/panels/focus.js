/**
 * The method in focus: boundary, network, a layer's view, losses, sparsity, weights and pruning. Panels outside the
 * window are drawn only at rest, for screen readers.
 */

/**
 * @import {Painter} from "../draw/painter.js"
 * @import {Displayed, Recording, View} from "../state/types.d.ts"
 * @import {BoardState, FocusHandlers, OnPoint, Stage} from "./types.d.ts"
 */

import { describeCloseup, makeCloseup, updateCloseup } from "./closeup.js";
import { make, setText } from "../draw/dom.js";
import { describeLosses, makeLosses, updateLosses } from "./losses.js";
import { NetworkPanel } from "./network.js";
import { makePruning, updatePruning } from "./pruning.js";
import { describeSparsity, makeSparsity, updateSparsity } from "./sparsity.js";
import { describeInputs } from "../state/inputs.js";
import { showsWeights } from "../state/view.js";
import { describeWarp, makeWarpPanel, updateWarpPanel } from "./warp.js";
import * as words from "../state/words.js";
import { describeWeights, makeWeights, updateWeights } from "./weights.js";

/**
 * Create the panels.
 *
 * @typedef {ReturnType<typeof makeFocus>} Focus
 *
 * @param {FocusHandlers} commands
 * @param {{point: OnPoint, invalidate: () => void}} handlers
 */
export function makeFocus(commands, { point, invalidate }) {
  const name = make("span", { class: "name" });
  const strength = make("span", { class: "strength" });
  const remark = make("span", { class: "strength" });
  const chartHandlers = {
    onSeek: (/** @type {number} */ frame) => commands.seek(frame),
    onFocus: (/** @type {number} */ c) => commands.focusOn(c),
    onChange: invalidate,
  };
  const panels = {
    closeup: makeCloseup({ onPoint: point, onDiscrete: () => commands.toggleDiscrete() }),
    network: new NetworkPanel({
      onEdit: (index, value) => commands.edit(index, value),
      onReset: (index) => commands.undoEdit(index),
    }),
    warp: makeWarpPanel({ onChange: invalidate }),
    losses: makeLosses(chartHandlers),
    sparsity: makeSparsity(chartHandlers),
    weights: makeWeights({ onChange: invalidate }),
    pruning: makePruning({ onThreshold: (threshold) => commands.prune(threshold) }),
  };
  const element = make(
    "section",
    { class: "focus", "aria-label": "The method in focus" },
    make("h2", {}, make("i", { class: "swatch" }), name, strength, remark),
    make("div", { class: "panels" }, ...Object.values(panels).map((panel) => panel.element)),
  );
  const focus = { element, name, strength, remark, panels, visible: new Set(Object.keys(panels)) };
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const [key] = Object.entries(panels).find(([, panel]) => panel.element === target) ?? [""];
      focus.visible[isIntersecting ? "add" : "delete"](key);
    }
    invalidate();
  }, { rootMargin: "50px" });
  for (const { element: panel } of Object.values(panels)) watch.observe(panel);
  return focus;
}

/**
 * Draw the panels that are in sight, or, at rest, all.
 *
 * @param {Focus} focus
 * @param {Stage} stage
 * @param {BoardState} board
 * @param {Displayed} displayed  of the card in focus
 * @param {Painter} painter  of its boundary
 */
export function updateFocus(focus, stage, board, displayed, painter) {
  const { name, strength, panels, visible, element } = focus;
  const { recording, scale, theme, displayed: everyone } = stage;
  const { ratio, axes, view, marks } = board;
  const { card, k, t, c } = displayed;
  const colour = card.colour[theme.mode];
  element.style.setProperty("--method", colour);
  setText(name, card.label);
  setText(strength, displayed.strength);
  setText(focus.remark, displayed.changed ? words.changed(displayed.remark) : "");
  const draws = {
    closeup: () =>
      updateCloseup(panels.closeup, painter, recording, displayed.drawn, {
        scale, theme, ratio, size: board.size.closeup, discrete: view.discrete, plane: stage.plane,
        bars: showsWeights(view, recording) ? { colour, reach: axes.reach } : null,
      }),
    network: () =>
      panels.network.update(recording, displayed.drawn, scale, theme, {
        plane: stage.plane,
        ratio, t, colour, range: axes.range, edited: view.edits[card.key] ?? new Map(), dropRate: displayed.dropRate,
      }),
    warp: () => updateWarpPanel(panels.warp, recording, displayed.drawn, { scale, theme, ratio, plane: stage.plane }),
    losses: () => updateLosses(panels.losses, recording, k, t, { card, everyone, marks, theme, ratio }),
    sparsity: () => updateSparsity(panels.sparsity, recording, k, t, { card, everyone, marks, theme, ratio }),
    weights: () =>
      updateWeights(panels.weights, recording, displayed.row, {
        axes, threshold: view.threshold, colours: stage.cards[c].colours, theme, ratio,
      }),
    pruning: () =>
      updatePruning(panels.pruning, recording, everyone, {
        focus: c, threshold: view.threshold, range: axes.range, theme,
      }),
  };
  for (const [key, draw] of Object.entries(draws)) if (visible.has(key) || board.fine) draw();
}

/**
 * Describe the pictures in words.
 *
 * @param {Focus} focus
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @param {View} view
 */
export function describeFocus({ panels }, recording, { card, k, t, drawn }, view) {
  const epoch = recording.epochs[t];
  const bars = showsWeights(view, recording) ? describeInputs(recording, drawn) : "";
  describeCloseup(panels.closeup, card.label, epoch, recording.network.task, bars);
  panels.network.describe(card.label, epoch);
  describeWarp(panels.warp, card.label, epoch);
  describeLosses(panels.losses, recording, k, t);
  describeSparsity(panels.sparsity, recording, k, t);
  describeWeights(panels.weights, card.label, epoch);
}
