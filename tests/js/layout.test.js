/** Tests of the cards' layout. */

import assert from "node:assert/strict";
import test from "node:test";

import { arrange, arrangeCard, magnification, mostProjected } from "../../assets/board/panels/layout.js";

const SMALLEST_TEXT = 11.5;

test("any number of cards fills the width, but for less than a pixel each, in equal rows", () => {
  for (let n = 1; n <= 7; n++) {
    for (let available = 300; available <= 2400; available += 13) {
      const { columns, card, width } = arrange(available, n);
      assert.ok(width <= available && available - width < columns, `${n} in ${available}`);
      assert.equal(width, columns * (card + 8) - 8);
      assert.ok(Math.ceil(n / columns) * columns - n < columns);
    }
  }
});

test("seven cards have one row beside the sidebar at 1366 pixels with a scrollbar", () => {
  assert.equal(arrange(1366 - 15 - 300 - 45, 7).columns, 7);
});

test("the smallest text has 20 pixels at 1920 × 1080, and no window makes it smaller than on the page", () => {
  assert.ok(magnification(1920, 1080) * SMALLEST_TEXT >= 20);
  assert.equal(magnification(1920, 500), 1);
  assert.equal(magnification(390, 844), 1);
});

test("a picture is within its card, and projected all cards within the window", () => {
  for (const [width, height] of [[1920, 1080], [1280, 720], [1366, 768], [2560, 1440]]) {
    const zoom = magnification(width, height);
    for (const n of [2, 3]) {
      const { card } = arrange(width / zoom - 40, n);
      const { form, picture } = arrangeCard(card, height / zoom);
      assert.equal(form, n === 2 ? "wide" : "split");
      assert.ok(picture >= 220 && picture <= card - 20);
    }
  }
  assert.deepEqual(arrangeCard(140, Infinity), { form: "tall", picture: 120 });
});

test("a phone has space for one card, a projector for three", () => {
  assert.equal(mostProjected(390), 1);
  assert.equal(mostProjected(1024), 3);
});
