/** The resolution of boundaries follows the time that drawings take. */

import assert from "node:assert/strict";
import test from "node:test";

import { GRIDS, START_RESOLUTION, adaptResolution, closeupGrid } from "../../assets/board/state/resolution.js";

const [SLOW, MEDIUM, QUICK] = [20, 12, 4]; // milliseconds; an animation frame at 60 Hz has 17

const after = (times, from = START_RESOLUTION) => times.reduce(adaptResolution, from);

test("two slow drawings in a row make the grid coarser, one does not", () => {
  assert.equal(after([SLOW]).coarse, 0);
  assert.equal(after([SLOW, MEDIUM, SLOW]).coarse, 0);
  assert.equal(after([SLOW, SLOW]).coarse, 1);
  assert.equal(after([SLOW, SLOW, SLOW]).coarse, 1);
  assert.equal(after([SLOW, SLOW, SLOW, SLOW]).coarse, 2);
});

test("many quick drawings in a row make it finer, and any other begins the count again", () => {
  const coarse = after([SLOW, SLOW]);
  const quick = Array(40).fill(QUICK);
  assert.equal(after(quick, coarse).coarse, 1);
  assert.equal(after([...quick, QUICK], coarse).coarse, 0);
  assert.equal(after([...quick, MEDIUM, ...quick], coarse).coarse, 1);
});

test("there is a coarsest and a finest grid", () => {
  assert.equal(after(Array(20).fill(SLOW)).coarse, GRIDS.length - 1);
  assert.equal(after(Array(100).fill(QUICK)).coarse, 0);
});

test("the large boundary has more points the smaller the network, within limits", () => {
  assert.equal(closeupGrid(10), 200);
  assert.equal(closeupGrid(800), 100);
  assert.equal(closeupGrid(1e6), GRIDS[0]);
});
