/** Tests of the axes of the weights' histograms, which all cards share. */

import assert from "node:assert/strict";
import test from "node:test";

import { append, start, weightAxes } from "../../assets/board/state/recording.js";

const N_FRAMES = 101;

/**
 * Return the axes of a run of two networks, with weights `of(t, k)`, that arrives in messages of `each` frames.
 */
function axesOf(of, { diverged = [-1, -1], each = N_FRAMES } = {}) {
  let recording;
  for (let frame = 0; frame < N_FRAMES; frame += each) {
    const epochs = Array.from({ length: Math.min(each, N_FRAMES - frame) }, (_, t) => frame + t);
    const message = {
      header: {
        run: "a", frame, epochs, n_frames: N_FRAMES, n_networks: 2, diverged, metrics: [], layers: [2, 1], columns: [],
        cards: [{ variants: [{ networks: [0] }], variant_index: 0, strength_index: 0 }, { variants: [{ networks: [1] }], variant_index: 0, strength_index: 0 }],
      },
      arrays: {
        // two weights and a bias, which does not count
        parameters: Float32Array.from(epochs.flatMap((t) => [0, 1].flatMap((k) => [of(t, k), -of(t, k), 99]))),
        metrics: new Float32Array(0),
      },
    };
    recording = recording ? append(recording, message) : start(message);
  }
  return weightAxes(recording);
}

test("weights that grow are shown to the end", () => {
  assert.deepEqual(axesOf((t, k) => 1 + (k * t) / 100), { range: 2, most: 2 });
});

test("weights of one network that are large in few frames do not narrow all histograms", () => {
  const spiked = (t, k) => (k === 1 && t > 60 && t < 64 ? 50 : 1);
  for (const each of [1, 20, N_FRAMES]) assert.equal(axesOf(spiked, { each }).range, 1);
});

test("a network that diverges is left out, and where all do the initial weights count", () => {
  const away = (t, k) => (k === 1 ? 2 ** t : 1);
  assert.equal(axesOf(away, { diverged: [-1, 90] }).range, 1);
  assert.equal(axesOf((t) => 2 ** t, { diverged: [90, 90] }).range, 1);
});
