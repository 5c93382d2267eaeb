/** Whether the networks that a board shows solve a lesson's task; as in regviz/lessons/task.py. */

/** @import {Condition, Operand, Recording, TaskMeasures} from "./types.d.ts" */

import { l1, l2, sparsity } from "./measures.js";
import { copyRow, metric } from "./recording.js";
import { shapeOf, unitsLeft } from "./units.js";

/** @type {Record<Condition["comparisons"][0]["sign"], (a: number, b: number) => boolean>} */
const COMPARE = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b };

/**
 * Return the measures of network `k` at frame `t`.
 *
 * @param {Recording} recording
 * @param {number} k
 * @param {number} t
 * @returns {TaskMeasures}
 */
export function measuresAt(recording, k, t) {
  const { nParameters, network: { layers }, weightIndex, epochs } = recording;
  const row = copyRow(recording, t, k, new Float32Array(nParameters));
  const shape = shapeOf(layers);
  const [train, test] = ["train_loss", "test_loss"].map((name) => metric(recording, name, t, k));
  return {
    train_loss: train,
    test_loss: test,
    gap: test - train,
    test_accuracy: metric(recording, "test_accuracy", t, k),
    sparsity: sparsity(row, 0, weightIndex),
    weights_left: weightIndex.reduce((count, i) => count + Number(row[i] !== 0), 0),
    units_left: unitsLeft(shape, row, new Uint8Array(shape.count)),
    l1_norm: l1(row, 0, weightIndex),
    l2_norm: l2(row, 0, weightIndex),
    epoch: epochs[t],
  };
}

/**
 * Return the value of one side of a comparison; NaN if the board does not know it.
 *
 * @param {Operand} side
 * @param {Record<string, TaskMeasures>} measures  by method
 * @param {string} method  of a measure without one
 */
export function valueOf(side, measures, method) {
  if (side.measure === null) return side.number;
  return measures[side.method ?? method]?.[side.measure] ?? NaN;
}

/**
 * Whether each comparison holds.
 *
 * @param {Condition} condition
 * @param {Record<string, TaskMeasures>} measures  by method
 * @param {string} method  of a measure without one
 */
export function held({ comparisons }, measures, method) {
  return comparisons.map(({ left, sign, right }) => COMPARE[sign](valueOf(left, measures, method), valueOf(right, measures, method)));
}
