/** Principal directions: eigenvectors of a covariance, and a continuous choice of their orientation. */

// sweeps of Jacobi's method; 32 × 32 matrices take 7 to 9 until no element beside the diagonal is left
const MAX_SWEEPS = 20;

/**
 * Compute eigenvalues and eigenvectors of a symmetric matrix by Jacobi's method (Golub & Van Loan,
 * Matrix Computations, section 8.5).
 *
 * @param {Float64Array} matrix  (n, n), overwritten
 * @param {number} n
 * @returns {{values: number[], vectors: Float64Array[]}}  from the largest value to the smallest
 */
export function eigen(matrix, n) {
  const a = matrix;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += Math.abs(a[i * n + i]);
  const v = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  for (let sweep = 0, rotated = true; rotated && sweep < MAX_SWEEPS; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = a[p * n + q];
        // below rounding; a threshold relative to each pair would keep it turning in the null space
        if (Math.abs(off) <= 1e-16 * trace) continue;
        rotated = true;
        const tau = (a[q * n + q] - a[p * n + p]) / (2 * off);
        const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.hypot(1, tau));
        const c = 1 / Math.hypot(1, t);
        rotate(a, n, p, q, c, t * c, n, 1);
        rotate(a, n, p, q, c, t * c, 1, n);
        rotate(v, n, p, q, c, t * c, n, 1);
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i]);
  return {
    values: order.map((i) => Math.max(0, a[i * n + i])),
    vectors: order.map((i) => Float64Array.from({ length: n }, (_, row) => v[row * n + i])),
  };
}

/**
 * Rotate two columns of a matrix, or, with the strides exchanged, two rows.
 *
 * @param {Float64Array} m
 * @param {number} n
 * @param {number} p
 * @param {number} q
 * @param {number} c  cosine
 * @param {number} s  sine
 * @param {number} along  stride along a column
 * @param {number} across  stride from a column to the next
 */
function rotate(m, n, p, q, c, s, along, across) {
  for (let i = 0, one = p * across, other = q * across; i < n; i++, one += along, other += along) {
    const before = m[one];
    m[one] = c * before - s * m[other];
    m[other] = s * before + c * m[other];
  }
}

/**
 * Compute the two principal directions of points, and the share of the variance along them.
 *
 * @param {Float64Array} values  (units, points)
 * @param {number} units  at least 2
 * @param {number} n  points
 * @returns {{mean: Float64Array, directions: Float64Array[], share: number}}  `share` is NaN if the
 *   points do not vary
 */
export function principal(values, units, n) {
  const mean = new Float64Array(units);
  for (let u = 0; u < units; u++) for (let p = 0; p < n; p++) mean[u] += values[u * n + p] / n;
  const covariance = new Float64Array(units * units);
  for (let u = 0; u < units; u++) {
    for (let w = u; w < units; w++) {
      let sum = 0;
      for (let p = 0; p < n; p++) sum += (values[u * n + p] - mean[u]) * (values[w * n + p] - mean[w]);
      covariance[u * units + w] = covariance[w * units + u] = sum / n;
    }
  }
  const { values: variances, vectors } = eigen(covariance, units);
  const all = variances.reduce((sum, x) => sum + x, 0);
  return { mean, directions: vectors.slice(0, 2), share: (variances[0] + variances[1]) / all };
}

/**
 * Turn two orthonormal directions within their plane, with a reflection if necessary, so that they are
 * as near as possible to two others: the orthogonal Procrustes problem (Schönemann 1966), in closed
 * form. Eigenvectors have arbitrary signs and exchange places when their values are level; these two
 * turn as little as their plane does.
 *
 * @param {Float64Array[]} directions
 * @param {number[][]} products  of the other two, in rows, with `directions`
 * @returns {Float64Array[]}
 */
export function turned([first, second], [[a, b], [c, d]]) {
  const rotation = Math.hypot(a + d, c - b);
  const reflection = Math.hypot(a - d, b + c);
  const reflects = reflection > rotation;
  const size = Math.max(rotation, reflection);
  if (size === 0) return [first, second];
  const [x, y] = reflects ? [(a - d) / size, (b + c) / size] : [(a + d) / size, (b - c) / size];
  const combine = (/** @type {number} */ k, /** @type {number} */ l) => first.map((value, u) => k * value + l * second[u]);
  return [combine(x, y), reflects ? combine(y, -x) : combine(-y, x)];
}
