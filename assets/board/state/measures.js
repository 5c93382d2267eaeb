/**
 * Measures of a network's weights, without biases, as in regviz/engine/measures.py. NaN where a measure
 * is undefined, as all weights are 0.
 *
 * Each function takes an array with a network's parameters, the index of the first, and the indices
 * of the weights relative to that.
 */

/**
 * Return the share of weights that are exactly 0.
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
 * Return ‖w‖₁, the sum of absolute values.
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
 * Return ‖w‖₂, the root of the sum of squares.
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
 * Return ‖w‖₁² / ‖w‖₂²: N if all |w| are equal, 1 if only one is not 0.
 *
 * @param {Float32Array} row
 * @param {number} offset
 * @param {Int32Array} weightIndex
 */
export function effectiveWeights(row, offset, weightIndex) {
  return (l1(row, offset, weightIndex) / l2(row, offset, weightIndex)) ** 2;
}

/**
 * Return (√N − ‖w‖₁ / ‖w‖₂) / (√N − 1): 0 if all |w| are equal, 1 if only one is not 0.
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
