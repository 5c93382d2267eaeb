/** Tests of the summary: each sentence on numbers built for it. */

import assert from "node:assert/strict";
import test from "node:test";

import * as summary from "../../assets/board/state/summary.js";

// the loss of the best constant is ln 2
const ABOUT = { focus: "l1", epoch: 100, phase: null, task: "binary", constantLoss: Math.log(2) };
const fact = (key, more = {}) => ({
  key, label: { none: "None", l1: "L1", l2: "L2", early_stopping: "Early stopping" }[key] ?? key,
  train: 0.3, test: 0.35, left: 152, weights: 152, unitsLeft: 24, units: 24, divergedEpoch: null, constant: false, idle: false,
  unseen: false, earlyStopped: key === "early_stopping", keptEpoch: null, ...more,
});
const NONE = fact("none", { train: 0.2, test: 0.6 });
const say = (facts, more = {}) => summary.summarize(facts, { ...ABOUT, ...more });
/** Return the sentences about L1, beside a network without regularization that overfits. */
const ofL1 = (more, none = NONE, about = {}) => {
  const all = say([none, fact("l1", more)], about);
  const first = say([none], { focus: "none" });
  assert.ok(all.startsWith(first), all);
  return all.slice(first.length).trim();
};

test("at epoch 0 nothing has been learned, whatever the losses are", () => {
  assert.match(say([NONE, fact("l1", { test: 9 })], { epoch: 0 }), /^Epoch 0: no network has learned anything yet\./);
  assert.match(say([NONE], { epoch: 0 }), /^Epoch 0: the network has learned nothing yet\./);
});

test("before a change it says when regularization starts, or how all are trained, and compares nothing", () => {
  const phase = { until: 50, text: "None", regularized: false };
  const text = say([NONE, fact("l1")], { epoch: 50, phase });
  assert.match(text, /^Regularization starts at epoch 50: until then all networks are trained alike\./);
  assert.doesNotMatch(text, /L1/);
  assert.doesNotMatch(say([NONE, fact("l1")], { epoch: 51 }), /starts/);
  const alone = say([fact("l1", { train: 0.2, test: 0.6 })], { epoch: 50, phase });
  assert.match(alone, /^The training changes at epoch 50\. None: test loss is about three times/);
  const other = say([NONE, fact("l1")], { epoch: 50, phase: { until: 50, text: "L2 λ₂ = 0.1", regularized: true } });
  assert.match(other, /^Until epoch 50 all networks are the same\. L2 λ₂ = 0\.1: test loss is about three times its training loss/);
  assert.doesNotMatch(other, /None|L1/);
});

for (const [name, more, text] of [
  ["overfits", { train: 0.2, test: 0.6 }, /^None: test loss is about three times its training loss; it has learned its points by heart\.$/],
  ["overfits by half", { train: 0.3, test: 0.5 }, /about one and a half times its/],
  ["overfits twice", { train: 0.3, test: 0.6 }, /about twice its/],
  ["overfits by far", { train: 0.001, test: 2 }, /more than ten times its/],
  ["has no training loss left", { train: 0, test: 2 }, /more than ten times its/],
  ["underfits", { train: 0.66, test: 0.67 }, /^None has learned little here: its training loss is 0\.66, that of the best constant answer 0\.69\.$/],
  ["does not generalize", { train: 0.55, test: 0.69 }, /^None has learned little that holds for new points: its test loss is 0\.69/],
  ["generalizes", { train: 0.3, test: 0.35 }, /^None does not overfit much here: test loss 0\.35, training loss 0\.30\.$/],
  ["is constant", { constant: true }, /^None gives the same answer everywhere: it has learned nothing from the points\.$/],
  ["diverged", { divergedEpoch: 12, train: NaN, test: NaN }, /^None diverged at epoch 12\.$/],
]) {
  test(`the network without regularization ${name}`, () => assert.match(say([fact("none", more)], { focus: "none" }), text));
}

test("a ratio of losses without a visible difference is not overfitting", () => {
  assert.match(say([fact("none", { train: 0.001, test: 0.01 })], { focus: "none" }), /^None does not overfit much here/);
});

for (const [name, more, text] of [
  ["tests better", { test: 0.4 }, "L1 tests better here: 0.40 instead of 0.60."],
  ["tests better with few weights", { test: 0.4, left: 41 }, "L1 tests better here with 41 of 152 weights: 0.40 instead of 0.60."],
  ["tests better with few units", { test: 0.4, left: 41, unitsLeft: 9, units: 24 }, "L1 tests better here with 41 of 152 weights and 9 of 24 units: 0.40 instead of 0.60."],
  ["ties with few weights", { test: 0.57, left: 41 }, "L1 does as well here with 41 of 152 weights."],
  ["ties", { test: 0.62 }, "L1 does as well here."],
  ["ties with a few zeros", { test: 0.62, left: 145 }, "L1 does as well here."],
  ["is not clearly better", { test: 0.5 }, "L1 is not clearly better or worse here: 0.50, None 0.60."],
  ["is not clearly worse", { test: 0.7, train: 0.3 }, "L1 is not clearly better or worse here: 0.70, None 0.60."],
  ["tests worse", { test: 0.9, train: 0.3 }, "L1 tests worse here: 0.90 instead of 0.60."],
  ["is too strong to fit", { test: 0.9, train: 0.68, left: 3 }, "L1 tests worse here with 3 of 152 weights: 0.90 instead of 0.60; it is too strong to fit the points."],
  ["has collapsed", { constant: true, test: 0.69, left: 0 }, "L1 is too strong here: all 152 weights are exactly 0, and it gives the same answer everywhere."],
  ["has collapsed without zeros", { constant: true, test: 0.69 }, "L1 is too strong here: it gives the same answer everywhere."],
  ["diverged", { divergedEpoch: 7, test: NaN, train: NaN }, "L1 diverged at epoch 7."],
  ["has no effect", { unseen: true, test: 0.6 }, "L1 has no visible effect here."],
  ["has no hidden layer to act on", { idle: true, test: 0.6 }, "L1 does nothing here: there is no hidden layer."],
]) {
  test(`the method in focus ${name}`, () => assert.equal(ofL1(more), text));
}

test("what happened to both is said of both", () => {
  assert.equal(ofL1({ constant: true }, fact("none", { constant: true })), "So does L1.");
  const diverged = fact("none", { divergedEpoch: 3, test: NaN, train: NaN });
  assert.equal(ofL1({ divergedEpoch: 9 }, diverged), "So did L1.");
  assert.equal(ofL1({ test: 0.4 }, diverged), "L1 did not: its test loss is 0.40.");
  assert.equal(ofL1({ constant: true }, diverged), "L1 did not, but gives the same answer everywhere.");
});

test("no loss is called better or worse within the margin, and every comparison says here", () => {
  for (let a = 0.01; a < 1.5; a += 0.03) {
    for (let b = 0.01; b < 1.5; b += 0.03) {
      const text = ofL1({ test: b, train: 0.1 }, fact("none", { train: 0.1, test: a }));
      assert.match(text, /here/);
      const claimed = /better here|worse here(?!:.*None)/.test(text) && !text.includes("not clearly");
      const clear = Math.min(a, b) <= summary.CLEAR * Math.max(a, b) && Math.abs(a - b) >= summary.VISIBLE * ABOUT.constantLoss;
      assert.equal(claimed, clear, `${a} ${b}: ${text}`);
    }
  }
});

test("small losses that differ by a large ratio alone are not called better", () => {
  const none = fact("none", { train: 0.01, test: 0.02 });
  assert.equal(ofL1({ test: 0.01, train: 0.01 }, none), "L1 is not clearly better or worse here: 0.01, None 0.02.");
});

test("early stopping tells which epoch it keeps, or that it has not stopped", () => {
  const of = (more) => say([NONE, fact("early_stopping", more)], { focus: "early_stopping" });
  assert.match(of({ keptEpoch: 27, test: 0.37 }), / Early stopping, with the network of epoch 27, tests better here: 0\.37 instead of 0\.60\.$/);
  assert.match(of({ test: 0.6 }), / Early stopping shows the same network so far\.$/);
});

test("with None in focus the others are counted, and those within the margin are not", () => {
  const of = (...losses) => say([NONE, ...losses.map((test, i) => fact(`m${i}`, { test }))], { focus: "none" });
  assert.match(of(0.3, 0.4, 0.58), / 2 of the 3 others test better here\.$/);
  assert.match(of(0.3, 0.58), / 1 of the 2 others tests better here\.$/);
  assert.match(of(0.3, 0.4), / All 2 others test better here\.$/);
  assert.match(of(0.58, 0.7), / No other network tests clearly better here\.$/);
  assert.match(of(0.3), / m0 tests better here: 0\.30 instead of 0\.60\.$/);
});

test("without None the network in focus is described, with its weights", () => {
  const text = say([fact("l1", { left: 41 }), fact("l2")]);
  assert.equal(text, "L1 does not overfit much here: test loss 0.35, training loss 0.30. 41 of 152 weights are left.");
  assert.match(say([fact("l1", { left: 0, constant: true }), fact("l2")]), / All 152 weights are exactly 0\.$/);
});

test("losses of a regression have three decimals", () => {
  const text = say([fact("none", { train: 0.03, test: 0.031 })], { focus: "none", task: "regression", constantLoss: 0.5 });
  assert.match(text, /test loss 0\.031, training loss 0\.030/);
});

test("the loss of the best constant is the entropy of the classes, or half the variance", () => {
  const rows = (...targets) => Float32Array.from(targets.flatMap((y) => [0.3, -2, y]));
  assert.equal(summary.constantLoss({ task: "binary" }, rows(0, 1, 1, 0)), Math.log(2));
  assert.ok(Math.abs(summary.constantLoss({ task: "multiclass" }, rows(0, 1, 2)) - Math.log(3)) < 1e-12);
  assert.equal(summary.constantLoss({ task: "regression" }, rows(1, 3)), 0.5);
});
