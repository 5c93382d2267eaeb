/** Any models' outputs on a grid over the plane, from the message that regviz/notebook/models.py writes. */

/** @import {Model, Models, ModelsHeader, Numbers} from "./types.d.ts" */

import { copyNumbers, decode } from "./codec.js";
import { predict } from "./forward.js";
import { className, number, prediction, shortened, signed } from "./words.js";

/**
 * Decode the models of a message.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Models>}
 */
export async function decodeModels(bytes) {
  const { header, arrays } = /** @type {{header: ModelsHeader, arrays: Record<string, Numbers>}} */ (/** @type {unknown} */ (await decode(bytes)));
  const { task, names, axes, x, y, models, classes, blank } = header;
  const [grid, count, nOutputs] = header.arrays.outputs.slice(1).map(Number);
  const floats = (/** @type {string} */ name) => copyNumbers(arrays[name], 0, new Float32Array(arrays[name].length));
  const outputs = floats("outputs");
  return {
    network: {
      task, names, layers: [2, nOutputs], activation: "linear", normalization: "none", affine: false,
      adaptive: false, features: ["x1", "x2"],
    },
    points: { train: floats("train"), validation: new Float32Array(0), test: floats("test") },
    domain: x,
    plane: { axes: [0, 1], x, y, means: null },
    axes, classes, blank, grid,
    models: models.map((model, k) => ({ ...model, raw: ofModel(outputs, grid, count, nOutputs, k) })),
  };
}

/**
 * Return one model's outputs, (outputs, rows, columns), from all of them, (rows, models, outputs, columns).
 *
 * @param {Float32Array} outputs
 * @param {number} grid
 * @param {number} count
 * @param {number} nOutputs
 * @param {number} k
 */
function ofModel(outputs, grid, count, nOutputs, k) {
  const raw = new Float64Array(nOutputs * grid * grid);
  for (let row = 0; row < grid; row++) {
    for (let c = 0; c < nOutputs; c++) {
      const from = ((row * count + k) * nOutputs + c) * grid;
      raw.set(outputs.subarray(from, from + grid), (c * grid + row) * grid);
    }
  }
  return raw;
}

/**
 * Return a model's outputs at a place, interpolated linearly between the grid points around it.
 *
 * @param {Float64Array} raw  (outputs, rows, columns)
 * @param {number} grid
 * @param {{x: number, y: number}} place  as shares of the picture, from the upper left corner
 */
export function outputsAt(raw, grid, place) {
  const [x, y] = [place.x, place.y].map((share) => Math.max(0, Math.min(1, share)) * (grid - 1));
  const [column, row] = [x, y].map((at) => Math.min(grid - 2, Math.floor(at)));
  const [right, down] = [x - column, y - row];
  const n = grid * grid;
  return Float64Array.from({ length: raw.length / n }, (_, c) => {
    const p = c * n + row * grid + column;
    const above = raw[p] + right * (raw[p + 1] - raw[p]);
    const below = raw[p + grid] + right * (raw[p + grid + 1] - raw[p + grid]);
    return above + down * (below - above);
  });
}

/**
 * Write a model's answer at a place: a probability, a decision value, a class or a value.
 *
 * @param {Pick<Models, "network"|"grid">} models
 * @param {Pick<Model, "raw"|"kind"|"factor">} model
 * @param {{x: number, y: number}} place
 */
export function answerAt({ network, grid }, { raw, kind, factor }, place) {
  const { task } = network;
  const outputs = outputsAt(raw, grid, place);
  if (kind === "value") return number(outputs[0]);
  const best = task === "binary" ? Number(outputs[0] > 0) : outputs.indexOf(Math.max(...outputs));
  const name = shortened(className(network, best));
  if (kind === "class") return name;
  if (kind === "decision") return task === "binary" ? `score ${signed(outputs[0] / factor)}` : name;
  const shares = [...predict(task, outputs.length, outputs, 1, outputs)];
  const text = prediction(task, shares);
  return task === "binary" ? text : text.replace(/^\d+:/, name);
}
