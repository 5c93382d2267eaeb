/**
 * The view of a recording: focus, strengths, display options and edits; the epoch belongs to the
 * player. Views are immutable: every function returns the next view.
 */

/** @import {Card, Claims, LocalView, Recording, RequestedView, State, Variant, View, ViewReport} from "./types.d.ts" */

import { isTable } from "./plane.js";

/** @type {View} */
export const START = Object.freeze({
  focus: null, strengthIndices: {}, variantIndices: {}, linked: true, discrete: false, threshold: 0, edits: {},
  projected: false, chosen: null, blank: false, inPlane: false, axes: /** @type {[number, number]} */ ([0, 1]),
});

// fewer cards compare nothing; see `shownCards`
const LEAST_PROJECTED = 2;

/**
 * Return the view for another run: focus, variants and strengths are kept as far as its cards have
 * them, edits are not.
 *
 * @param {View} view
 * @param {Recording} recording
 * @returns {View}
 */
export function keepForRun(view, { cards, network, columns }) {
  const strengthIndices = Object.fromEntries(cards.map((card) => [card.key, strengthIndexOf(view, card)]));
  const focus = cards.some(({ key }) => key === view.focus) ? view.focus : defaultFocus(cards);
  const discrete = view.discrete && network.task !== "regression";
  const fits = Math.max(...view.axes) < columns.length;
  return {
    ...view, focus, discrete, edits: {}, inPlane: view.inPlane && fits, axes: fits ? view.axes : START.axes,
    strengthIndices: { ...view.strengthIndices, ...strengthIndices }, variantIndices: { ...view.variantIndices, ...variantIndicesOf(view, cards) },
  };
}

/**
 * Return the key of the card in focus by default.
 *
 * @param {Card[]} cards
 */
export function defaultFocus(cards) {
  return (cards.find(({ key }) => key === "l1") ?? cards.find(({ key, early_stopped }) => key !== "none" && !early_stopped) ?? cards[0]).key;
}

/**
 * Apply a view that the server requests; null and missing entries leave the view as it is.
 *
 * @param {View} view
 * @param {Recording} recording
 * @param {Pick<RequestedView, "focus"|"strength_indices"|"variant_indices"|"local"|"plane">} requested
 * @returns {View}
 */
export function applyRequest(view, { cards }, { focus, strength_indices, variant_indices, local, plane }) {
  const hasCard = cards.some(({ key }) => key === focus);
  const before = local ? { ...view, ...restore(local) } : view;
  const next = {
    ...before, focus: hasCard ? focus : view.focus, ...planeIn(before, plane),
    strengthIndices: { ...before.strengthIndices, ...strength_indices }, variantIndices: { ...before.variantIndices, ...variant_indices },
  };
  if (local?.linked !== undefined) return next;
  // linked sliders would make different strengths equal at the next move
  const apart = Object.keys(strength_indices).length > 0 && commonStrengthIndex(next, cards) === null;
  return { ...next, linked: next.linked && !apart };
}

/**
 * Return the fields of a view for a requested plane; without a request they stay as they are.
 *
 * @param {View} view
 * @param {[number, number]|null|undefined} plane  numbers of its columns, from 1; null for none
 * @returns {Pick<View, "inPlane"|"axes">}
 */
function planeIn({ inPlane, axes }, plane) {
  if (plane === undefined) return { inPlane, axes };
  return plane ? { inPlane: true, axes: [plane[0] - 1, plane[1] - 1] } : { inPlane: false, axes };
}

/**
 * Whether a run's pictures are bars of weights.
 *
 * @param {View} view
 * @param {Recording} recording
 */
export function showsWeights({ inPlane }, recording) {
  return isTable(recording) && !inPlane;
}

/**
 * Return the part of a view that is not in links, as JSON.
 *
 * @param {View} view
 * @returns {LocalView}
 */
export function localOf({ strengthIndices, variantIndices, linked, discrete, threshold, chosen, edits }) {
  const changed = Object.entries(edits).filter(([, each]) => each.size);
  return { strengthIndices, variantIndices, linked, discrete, threshold, chosen, edits: Object.fromEntries(changed.map(([key, each]) => [key, [...each]])) };
}

/**
 * Return the fields of a view that `localOf` was given.
 *
 * @param {LocalView} local
 */
function restore({ edits = {}, ...others }) {
  const { strengthIndices, variantIndices, linked, discrete, threshold, chosen } = START;
  const maps = Object.entries(edits).map(([key, each]) => [key, new Map(each)]);
  return { strengthIndices, variantIndices, linked, discrete, threshold, chosen, ...others, edits: Object.fromEntries(maps) };
}

/**
 * Return the key of the claim that a view shows: that opened last, unless run, strengths or networks were
 * changed since.
 *
 * @param {Claims} claims
 * @param {View} view
 * @param {Card[]} cards
 * @returns {string|null}
 */
export function shownClaim({ opened, networks: own }, view, cards) {
  if (own === null) return null;
  const same = cards.every((card) => !isChanged(view, card) && (!(card.key in own) || variantOf(view, card).networks[strengthIndexOf(view, card)] === own[card.key]));
  return same ? opened : null;
}

/**
 * Return the variant index that a card shows.
 *
 * @param {Pick<View, "variantIndices">} view
 * @param {Card} card
 */
export function variantIndexOf({ variantIndices }, { key, variant_index, variants }) {
  return Math.min(variantIndices[key] ?? variant_index, variants.length - 1);
}

/**
 * Return the variant index of each card with several. That of a single one says nothing about other runs.
 *
 * @param {View} view
 * @param {Card[]} cards
 * @returns {Record<string, number>}
 */
function variantIndicesOf(view, cards) {
  return Object.fromEntries(cards.filter(({ variants }) => variants.length > 1).map((card) => [card.key, variantIndexOf(view, card)]));
}

/**
 * Return the variant that a card shows.
 *
 * @param {Pick<View, "variantIndices">} view
 * @param {Card} card
 * @returns {Variant}
 */
export function variantOf(view, card) {
  return card.variants[variantIndexOf(view, card)];
}

/**
 * Return the strength index that a card shows.
 *
 * @param {Pick<View, "strengthIndices"|"variantIndices">} view
 * @param {Card} card
 */
export function strengthIndexOf(view, card) {
  return Math.min(view.strengthIndices[card.key] ?? card.strength_index, variantOf(view, card).networks.length - 1);
}

/**
 * Set a card's variant.
 *
 * @param {View} view
 * @param {string} key  of the card
 * @param {number} variantIndex
 * @returns {View}
 */
export function setVariantIndex(view, key, variantIndex) {
  return { ...view, variantIndices: { ...view.variantIndices, [key]: variantIndex } };
}

/**
 * Set a card's strength index, or that of all adjustable cards if they are linked. Linked cards stay as many
 * steps apart as their initial strengths.
 *
 * @param {View} view
 * @param {Card[]} cards
 * @param {string|null} key  of the card; null where all are linked
 * @param {number} strengthIndex
 * @returns {View}
 */
export function setStrengthIndex(view, cards, key, strengthIndex) {
  const own = cards.find((card) => card.key === key);
  const common = strengthIndex + (own && view.linked ? stepsBehind(own, cards) : 0);
  const moved = cards.filter((card) => isAdjustable(card) && (view.linked || card === own));
  const strengthIndices = Object.fromEntries(
    moved.map((card) => [card.key, view.linked ? linkedIndex(card, cards, common) : within(card, common)]),
  );
  return { ...view, strengthIndices: { ...view.strengthIndices, ...strengthIndices } };
}

/**
 * Return the strength index nearest to a given one that a card has.
 *
 * @param {Card} card
 * @param {number} strengthIndex
 */
function within(card, strengthIndex) {
  return Math.max(0, Math.min(strengthCount(card) - 1, strengthIndex));
}

/**
 * Return by how many steps a card's initial strength is weaker than the strongest initial one.
 *
 * @param {Card} card
 * @param {Card[]} cards
 */
function stepsBehind({ standard }, cards) {
  return Math.max(...cards.filter(isAdjustable).map((card) => card.standard)) - standard;
}

/**
 * Return the strength index of a card that is linked, at the common strength index.
 *
 * @param {Card} card
 * @param {Card[]} cards
 * @param {number} common
 */
function linkedIndex(card, cards, common) {
  return within(card, common - stepsBehind(card, cards));
}

/**
 * Move every strength by a number of steps, or the common strength if there is one. Returns the same object if none can move.
 *
 * @param {View} view
 * @param {Card[]} cards
 * @param {number} steps
 * @returns {View}
 */
export function shift(view, cards, steps) {
  const common = commonStrengthIndex(view, cards);
  /** @type {Record<string, number>} */
  const strengthIndices = {};
  for (const card of cards.filter(isAdjustable)) {
    const strengthIndex = strengthIndexOf(view, card);
    const next = common === null
      ? within(card, strengthIndex + steps)
      : linkedIndex(card, cards, Math.max(0, Math.min(countStrengths(cards) - 1, common + steps)));
    if (next !== strengthIndex) strengthIndices[card.key] = next;
  }
  return Object.keys(strengthIndices).length ? { ...view, strengthIndices: { ...view.strengthIndices, ...strengthIndices } } : view;
}

/**
 * Return the largest number of strengths of a card's variants.
 *
 * @param {Pick<Card, "variants">} card
 */
export function strengthCount({ variants }) {
  return Math.max(...variants.map(({ networks }) => networks.length));
}

/**
 * Whether a card has more than one strength.
 *
 * @param {Pick<Card, "variants">} card
 */
export function isAdjustable(card) {
  return strengthCount(card) > 1;
}

/**
 * Return the largest number of strengths of a card.
 *
 * @param {Card[]} cards
 */
export function countStrengths(cards) {
  return Math.max(...cards.map(strengthCount));
}

/**
 * Return the common strength index of all adjustable cards, or null if there is none. Cards have one that are
 * as many steps apart as their initial strengths; it is the index of the strongest initial one.
 *
 * @param {Pick<View, "strengthIndices"|"variantIndices">} view
 * @param {Card[]} cards
 */
export function commonStrengthIndex(view, cards) {
  const adjustable = cards.filter(isAdjustable);
  if (adjustable.length === 0) return null;
  const last = countStrengths(cards) - 1;
  // beyond the last, cards that are behind go on to their strongest
  const most = last + Math.max(...adjustable.map((card) => stepsBehind(card, cards)));
  for (let common = most; common >= 0; common--) {
    if (adjustable.every((card) => strengthIndexOf(view, card) === linkedIndex(card, cards, common))) return Math.min(common, last);
  }
  return null;
}

/**
 * Return the cards to show, in their order: all, or while projecting those chosen, always with the
 * one in focus. None is chosen until the visitor chooses others.
 *
 * @param {View} view
 * @param {Card[]} cards
 * @param {number} most  number of cards that have space while projecting
 * @returns {Card[]}
 */
export function shownCards({ projected, chosen, focus }, cards, most) {
  if (!projected) return cards;
  const has = (/** @type {string} */ key) => key !== focus && cards.some((card) => card.key === key);
  const others = (chosen ?? ["none"]).filter(has);
  // with None in focus, the first other card is beside it
  if (!others.length) others.push(...cards.map(({ key }) => key).filter(has).slice(0, 1));
  // the cards chosen last stay
  const kept = new Set([focus, ...others.slice(Math.max(0, others.length - most + 1))]);
  return cards.filter(({ key }) => kept.has(key));
}

/**
 * Show another card while projecting, or no longer show it. At least two stay; where there is space
 * for one alone, it is the card in focus.
 *
 * @param {View} view
 * @param {Card[]} cards
 * @param {number} most  as of `shownCards`
 * @param {string} key  of the card
 * @returns {View}
 */
export function toggleCard(view, cards, most, key) {
  if (most === 1) return { ...view, focus: key };
  const shown = shownCards(view, cards, most).map((card) => card.key);
  if (!shown.includes(key)) {
    // the earliest card that is not in focus gives way
    const order = (view.chosen ?? []).filter((each) => shown.includes(each));
    const kept = [...shown.filter((each) => !order.includes(each)), ...order];
    const gone = kept.length < most ? undefined : kept.find((each) => each !== view.focus);
    return { ...view, chosen: [...kept.filter((each) => each !== gone), key] };
  }
  if (shown.length <= LEAST_PROJECTED) return view;
  const chosen = shown.filter((each) => each !== key);
  return { ...view, chosen, focus: key === view.focus ? chosen[chosen.length - 1] : view.focus };
}

/**
 * Change a parameter of a card's network.
 *
 * @param {View} view
 * @param {string} key
 * @param {number} index
 * @param {number} value
 * @returns {View}
 */
export function edit(view, key, index, value) {
  const edits = new Map(view.edits[key]).set(index, value);
  return { ...view, edits: { ...view.edits, [key]: edits } };
}

/**
 * Undo the change of one parameter of a card, or of all.
 *
 * @param {View} view
 * @param {string} key
 * @param {number|null} [index]  null for all
 * @returns {View}
 */
export function undoEdit(view, key, index = null) {
  const edits = new Map(index === null ? [] : view.edits[key]);
  if (index !== null) edits.delete(index);
  return { ...view, edits: { ...view.edits, [key]: edits } };
}

/**
 * Whether a card's network is pruned or edited.
 *
 * @param {View} view
 * @param {Card} card
 */
export function isChanged({ threshold, edits }, { key }) {
  return threshold > 0 || (edits[key]?.size ?? 0) > 0;
}

/**
 * Return the view as it is reported to the server and written to the address bar.
 *
 * @param {View} view
 * @param {Recording} recording
 * @param {Pick<State, "mode"|"frame">} playback
 * @param {ViewReport["request_id"]} request_id
 * @returns {ViewReport}
 */
export function reportOf(view, recording, { mode, frame }, request_id) {
  const { cards, epochs, nReceived, nFrames } = recording;
  const atEnd = mode !== "resting" || frame === nFrames - 1;
  const strength_indices = Object.fromEntries(cards.map((card) => [card.key, strengthIndexOf(view, card)]));
  return { request_id, focus: view.focus, strength_indices, variant_indices: variantIndicesOf(view, cards), epoch: atEnd ? null : epochs[Math.min(frame, nReceived - 1)], plane: isTable(recording) && view.inPlane ? [view.axes[0] + 1, view.axes[1] + 1] : null };
}
