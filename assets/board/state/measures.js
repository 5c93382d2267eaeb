/**
 * Measures of a network's weights, as regviz/engine/measures.py has them: biases left out, NaN where all
 * weights are 0 and the measure is undefined.
 *
 * All take a row of parameters, where in `row` it begins, and where in it the weights stand.
 */

/**
 * Share of weights that are exactly 0.
 *
 * @param {Float32Array} row
 * @param {number} offset
 * @param {Int32Array} weightIndex
 */
export function sparsity(row, offset, weightIndex) {
  let zeros = 0;
  for (let i = 0; i < weightIndex.length; i++) if (row[offset + weightIndex[i]] === 0) zeros++;
  return zeros / weightIndex.length;
}

/**
 * ‖w‖₁, the sum of absolute values.
 *
 * @param {Float32Array} row
 * @param {number} offset
 * @param {Int32Array} weightIndex
 */
export function l1(row, offset, weightIndex) {
  let sum = 0;
  for (let i = 0; i < weightIndex.length; i++) sum += Math.abs(row[offset + weightIndex[i]]);
  return sum;
}

/**
 * ‖w‖₂, the root of the sum of squares.
 *
 * @param {Float32Array} row
 * @param {number} offset
 * @param {Int32Array} weightIndex
 */
export function l2(row, offset, weightIndex) {
  let sum = 0;
  for (let i = 0; i < weightIndex.length; i++) sum += row[offset + weightIndex[i]] ** 2;
  return Math.sqrt(sum);
}

/**
 * ‖w‖₁² / ‖w‖₂²: N for weights of one size, 1 if a single one is not 0.
 *
 * @param {Float32Array} row
 * @param {number} offset
 * @param {Int32Array} weightIndex
 */
export function effectiveWeights(row, offset, weightIndex) {
  return (l1(row, offset, weightIndex) / l2(row, offset, weightIndex)) ** 2;
}

/**
 * (√N − ‖w‖₁ / ‖w‖₂) / (√N − 1): 0 for weights of one size, 1 for a single one.
 * Hurley & Rickard 2009.
 *
 * @param {Float32Array} row
 * @param {number} offset
 * @param {Int32Array} weightIndex
 */
export function hoyer(row, offset, weightIndex) {
  const root = Math.sqrt(weightIndex.length);
  return (root - l1(row, offset, weightIndex) / l2(row, offset, weightIndex)) / (root - 1);
}
