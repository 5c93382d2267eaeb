/** Tests of the view's state: strengths, the card in focus, edited weights. */

import assert from "node:assert/strict";
import test from "node:test";

import * as views from "../../assets/board/state/view.js";

const variantOf = (n, from = 0) => ({ networks: Array.from({ length: n }, (_, k) => from + k) });
const card = (key, n, strength_index = 0, early_stopped = false, variants = [variantOf(n)], variant_index = 0) => ({
  key, strength_index, standard: strength_index, early_stopped, variants, variant_index, standard_variant: variant_index,
});
const CARDS = [card("none", 1), card("l2", 5, 2), card("l1", 5, 2), card("dropout", 3, 2)];
const indicesIn = (view) => CARDS.map((each) => views.strengthIndexOf(view, each));

test("a card starts at its own strength, and strengths stay within its range", () => {
  assert.deepEqual(indicesIn(views.START), [0, 2, 2, 2]);
  assert.deepEqual(indicesIn({ ...views.START, strengthIndices: { dropout: 7, l1: 4 } }), [0, 2, 4, 2]);
});

test("linked strengths move together, each within its own", () => {
  assert.deepEqual(indicesIn(views.setStrengthIndex(views.START, CARDS, "l1", 4)), [0, 4, 4, 2]);
  const apart = { ...views.START, linked: false };
  assert.deepEqual(indicesIn(views.setStrengthIndex(apart, CARDS, "l1", 4)), [0, 2, 4, 2]);
});

test("all strengths move by steps, and a view in which none can is the same view", () => {
  const weaker = views.shift(views.START, CARDS, -1);
  assert.deepEqual(indicesIn(weaker), [0, 1, 1, 1]);
  const weakest = views.shift(weaker, CARDS, -5);
  assert.deepEqual(indicesIn(weakest), [0, 0, 0, 0]);
  assert.equal(views.shift(weakest, CARDS, -1), weakest);
});

test("there is a common strength only where all adjustable cards have it", () => {
  assert.equal(views.commonStrengthIndex(views.START, CARDS), 2);
  assert.equal(views.commonStrengthIndex({ ...views.START, strengthIndices: { l1: 0 } }, CARDS), null);
});

test("linked strengths stay as far apart as they are initially", () => {
  const cards = [card("none", 1), card("l1", 8, 4), card("elastic_net", 8, 3)];
  const at = (view) => cards.map((each) => views.strengthIndexOf(view, each));
  assert.equal(views.commonStrengthIndex(views.START, cards), 4);
  assert.ok(views.applyRequest(views.START, { cards }, { focus: null, strength_indices: { l1: 4, elastic_net: 3 } }).linked);
  for (let common = 0; common < 8; common++) {
    const view = views.setStrengthIndex(views.START, cards, null, common);
    assert.deepEqual(at(view), [0, common, Math.max(0, common - 1)]);
    assert.equal(views.commonStrengthIndex(view, cards), common);
  }
  assert.deepEqual(at(views.setStrengthIndex(views.START, cards, "elastic_net", 5)), [0, 6, 5]);
  // a card that is behind reaches its strongest by its own slider
  const strongest = views.setStrengthIndex(views.START, cards, "elastic_net", 7);
  assert.deepEqual([...at(strongest), views.commonStrengthIndex(strongest, cards)], [0, 7, 7, 7]);
  const apart = { ...views.START, linked: false };
  assert.deepEqual(at(views.setStrengthIndex(apart, cards, "elastic_net", 7)), [0, 4, 7]);
  assert.deepEqual(at(views.shift(views.START, cards, 9)), [0, 7, 6]);
  assert.deepEqual(at(views.shift(views.shift(views.START, cards, -9), cards, 2)), [0, 2, 1]);
});

test("a variant has strengths of its own, and another run keeps it as far as its card has it", () => {
  const net = card("elastic_net", 5, 2, false, [variantOf(5), variantOf(5, 5), variantOf(3, 10)], 1);
  const cards = [card("none", 1), net];
  const shown = (view) => views.variantOf(view, net).networks[views.strengthIndexOf(view, net)];
  assert.equal(shown(views.START), 7);
  const moved = views.setVariantIndex({ ...views.START, strengthIndices: { elastic_net: 4 } }, "elastic_net", 0);
  assert.equal(shown(moved), 4);
  // a variant with fewer strengths shows its strongest, and the strength comes back with the variant
  const few = views.setVariantIndex(moved, "elastic_net", 2);
  assert.equal(shown(few), 12);
  assert.equal(shown(views.setVariantIndex(few, "elastic_net", 0)), 4);
  const other = card("elastic_net", 5, 2, false, [variantOf(5), variantOf(5, 5)], 1);
  const kept = views.keepForRun(few, { cards: [cards[0], other], network: { task: "binary" }, columns: [] });
  assert.deepEqual([kept.variantIndices, kept.strengthIndices], [{ elastic_net: 1 }, { none: 0, elastic_net: 4 }]);
  // a run with one variant of it changes nothing for later runs
  const one = card("elastic_net", 5, 2);
  const through = views.keepForRun(views.keepForRun(moved, { cards: [one], network: { task: "binary" }, columns: [] }), { cards, network: { task: "binary" }, columns: [] });
  assert.equal(views.variantIndexOf(through, net), 0);
  assert.equal(views.variantIndexOf(views.keepForRun(views.START, { cards: [one], network: { task: "binary" }, columns: [] }), net), 1);
});

test("a requested view sets variants, and the report has them", () => {
  const net = card("elastic_net", 5, 2, false, [variantOf(5), variantOf(5, 5)], 1);
  const cards = [card("none", 1), net];
  const view = views.applyRequest(views.START, { cards }, { focus: null, strength_indices: {}, variant_indices: { elastic_net: 0 } });
  assert.equal(views.variantIndexOf(view, net), 0);
  const report = views.reportOf(view, { cards, network: {}, epochs: [0], nReceived: 1, nFrames: 1 }, { mode: "resting", frame: 0 }, null);
  assert.deepEqual(report.variant_indices, { elastic_net: 0 });
});

test("the initial focus is L1, else the first method other than none and early stopping", () => {
  assert.equal(views.defaultFocus(CARDS), "l1");
  assert.equal(views.defaultFocus([card("none", 1), card("early_stopping", 1, 0, true), card("l2", 5)]), "l2");
  assert.equal(views.defaultFocus([card("none", 1)]), "none");
});

test("another run keeps focus and strengths, and drops edits and what it cannot show", () => {
  const view = views.edit({ ...views.START, focus: "l2", discrete: true, strengthIndices: { l1: 4, l2: 1 } }, "l2", 3, 0.5);
  const same = views.keepForRun(view, { cards: CARDS, network: { task: "binary" }, columns: [] });
  assert.deepEqual([same.focus, same.discrete, same.strengthIndices.l1, same.strengthIndices.l2], ["l2", true, 4, 1]);
  assert.deepEqual(same.edits, {});
  const other = views.keepForRun(view, { cards: [CARDS[0], CARDS[2]], network: { task: "regression" }, columns: [] });
  assert.deepEqual([other.focus, other.discrete], ["l1", false]);
});

test("a requested view replaces given fields, and unlinks strengths that differ", () => {
  const request = { focus: "dropout", strength_indices: { l1: 0 } };
  const view = views.applyRequest(views.START, { cards: CARDS }, request);
  assert.deepEqual([view.focus, view.linked], ["dropout", false]);
  assert.deepEqual(indicesIn(view), [0, 2, 0, 2]);
  const open = views.applyRequest({ ...views.START, focus: "l2" }, { cards: CARDS }, { focus: null, strength_indices: {} });
  assert.deepEqual([open.focus, open.linked], ["l2", true]);
});

test("edits are undone one by one or all at once, without changing earlier views", () => {
  const one = views.edit(views.START, "l1", 3, 0.5);
  const two = views.edit(one, "l1", 4, -1);
  assert.deepEqual([...two.edits.l1], [[3, 0.5], [4, -1]]);
  assert.deepEqual([...one.edits.l1], [[3, 0.5]]);
  assert.deepEqual([...views.undoEdit(two, "l1", 3).edits.l1], [[4, -1]]);
  assert.equal(views.undoEdit(two, "l1").edits.l1.size, 0);
  assert.deepEqual(CARDS.map((each) => views.isChanged(two, each)), [false, false, true, false]);
  assert.ok(views.isChanged({ ...views.START, threshold: 0.1 }, CARDS[0]));
});

// Projection

const projected = { ...views.START, projected: true, focus: "l1" };
const keysOf = (view, most = 3) => views.shownCards(view, CARDS, most).map(({ key }) => key);

test("all cards are shown, and projected None and the one in focus, in the order of the cards", () => {
  assert.equal(views.shownCards(views.START, CARDS, 3), CARDS);
  assert.deepEqual(keysOf(projected), ["none", "l1"]);
  assert.deepEqual(keysOf({ ...projected, focus: "dropout" }), ["none", "dropout"]);
  assert.deepEqual(keysOf({ ...projected, focus: "none" }), ["none", "l2"]);
  assert.deepEqual(keysOf(projected, 1), ["l1"]);
});

test("a third card is added, and a fourth takes the place of the earliest that is not in focus", () => {
  const three = views.toggleCard(projected, CARDS, 3, "dropout");
  assert.deepEqual(keysOf(three), ["none", "l1", "dropout"]);
  const four = views.toggleCard(three, CARDS, 3, "l2");
  assert.deepEqual(keysOf(four), ["l2", "l1", "dropout"]);
  assert.equal(four.focus, "l1");
});

test("a card is removed while two stay, and the focus moves on from it", () => {
  const three = views.toggleCard(projected, CARDS, 3, "dropout");
  const two = views.toggleCard(three, CARDS, 3, "l1");
  assert.deepEqual(keysOf(two), ["none", "dropout"]);
  assert.equal(two.focus, "dropout");
  assert.equal(views.toggleCard(two, CARDS, 3, "none"), two);
});

test("any sequence of choices shows two or three cards, and the one in focus", () => {
  const keys = CARDS.map(({ key }) => key);
  let view = projected;
  for (let i = 0; i < 200; i++) {
    const key = keys[(7 * i * i + 3 * i) % keys.length];
    view = i % 5 === 0 ? { ...view, focus: key } : views.toggleCard(view, CARDS, 3, key);
    const shown = keysOf(view);
    assert.ok(shown.length === 2 || shown.length === 3, shown.join());
    assert.ok(shown.includes(view.focus));
    assert.deepEqual(keysOf(view, 1), [view.focus]);
  }
});

test("cards that another run does not have are not shown", () => {
  const chosen = { ...projected, chosen: ["none", "gone"], focus: "l1" };
  assert.deepEqual(keysOf(chosen), ["none", "l1"]);
});

test("where there is space for one card, choosing it focuses it", () => {
  assert.equal(views.toggleCard(projected, CARDS, 1, "l2").focus, "l2");
});

test("the report of a view says nothing of its projection", () => {
  const recording = { cards: CARDS, network: {}, epochs: [0, 1], nReceived: 2, nFrames: 2 };
  const playback = { mode: "resting", frame: 1 };
  const report = (view) => views.reportOf(view, recording, playback, null);
  const plain = { ...views.START, focus: "l1" };
  assert.deepEqual(report({ ...projected, blank: true, chosen: ["none"] }), report(plain));
});

test("the part of a view that no link has goes to the server as JSON and comes back", () => {
  const view = views.edit({ ...views.START, focus: "l2", discrete: true, linked: false, threshold: 0.1, chosen: ["l1"], strengthIndices: { l1: 4 } }, "l2", 3, 0.5);
  const local = JSON.parse(JSON.stringify(views.localOf(views.undoEdit(views.edit(view, "l1", 1, 2), "l1"))));
  const elsewhere = { ...views.edit(views.START, "l1", 0, 1), projected: true };
  const request = { focus: "l2", strength_indices: {}, local };
  assert.deepEqual(views.applyRequest(elsewhere, { cards: CARDS }, request), { ...view, projected: true });
});

test("a requested view with an empty local part has all defaults, and others keep theirs", () => {
  const view = views.edit({ ...views.START, focus: "l2", discrete: true, linked: false, threshold: 0.1, strengthIndices: { l1: 4 } }, "l2", 3, 0.5);
  const fresh = views.applyRequest(view, { cards: CARDS }, { focus: "l1", strength_indices: { l1: 1, l2: 1, dropout: 1 }, local: {} });
  assert.deepEqual(fresh, { ...views.START, focus: "l1", strengthIndices: { l1: 1, l2: 1, dropout: 1 } });
  const kept = views.applyRequest(view, { cards: CARDS }, { focus: "l1", strength_indices: {}, local: null });
  assert.deepEqual(kept, { ...view, focus: "l1" });
  const apart = views.applyRequest(view, { cards: CARDS }, { focus: "l1", strength_indices: { l1: 0, l2: 3 }, local: {} });
  assert.equal(apart.linked, false);
});

test("a claim is shown until a strength or a network is changed, or another run begins", () => {
  const claims = { offered: [], opened: "a", networks: { none: 0, l1: 1, l2: 2, dropout: 2 }, undo: false };
  const view = { ...views.START, strengthIndices: { l1: 1 } };
  const shown = (change, others = {}) => views.shownClaim({ ...claims, ...others }, { ...view, ...change }, CARDS);
  assert.equal(shown({}), "a");
  assert.equal(shown({ focus: "l2", discrete: true, projected: true }), "a");
  assert.equal(shown({ strengthIndices: { l1: 2 } }), null);
  assert.equal(shown({ threshold: 0.1 }), null);
  assert.equal(shown(views.edit(view, "l2", 0, 1)), null);
  assert.equal(shown({}, { networks: null }), null);
});

// Tables with more than two columns

test("a table is shown by its weights until a plane is asked for, and another run keeps columns that it has", () => {
  const table = { cards: CARDS, network: { task: "binary", nColumns: 6 }, columns: Array(6).fill({}), epochs: [0], nReceived: 1, nFrames: 1 };
  const plane = { cards: CARDS, network: { task: "binary", nColumns: 2 }, columns: Array(2).fill({}), epochs: [0], nReceived: 1, nFrames: 1 };
  assert.ok(views.showsWeights(views.START, table));
  assert.ok(!views.showsWeights(views.START, plane));
  const asked = views.applyRequest(views.START, table, { focus: null, strength_indices: {}, plane: [3, 6] });
  assert.ok(!views.showsWeights(asked, table));
  assert.deepEqual(asked.axes, [2, 5]);
  const report = (view, recording) => views.reportOf(view, recording, { mode: "resting", frame: 0 }, null).plane;
  assert.deepEqual(report(asked, table), [3, 6]);
  assert.equal(report(asked, plane), null);
  assert.equal(report(views.applyRequest(asked, table, { focus: null, strength_indices: {}, plane: null }), table), null);
  assert.deepEqual(views.applyRequest(asked, table, { focus: null, strength_indices: {} }).axes, [2, 5]);
  assert.deepEqual(views.keepForRun(asked, table).axes, [2, 5]);
  assert.deepEqual(views.keepForRun(asked, { ...table, columns: Array(5).fill({}) }).axes, [0, 1]);
});
