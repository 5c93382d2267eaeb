/**
 * Contour lines by marching squares. They are traced in the outputs before sigmoid or softmax, which are
 * nearly linear between grid points, so that lines stay smooth where predictions are steep.
 */

import { argmax } from "../state/forward.js";

/**
 * Add the contour line of the outputs at `level` to a path.
 *
 * @typedef {{moveTo: (x: number, y: number) => void, lineTo: (x: number, y: number) => void}} Path
 *
 * @param {Path} path
 * @param {Float64Array} z  (size, size), row by row
 * @param {number} size
 * @param {number} level
 * @param {number} step  distance of grid points in the path's units
 */
export function trace(path, z, size, level, step) {
  for (let row = 0; row < size - 1; row++) {
    for (let column = 0; column < size - 1; column++) {
      const p = row * size + column;
      const a = z[p] - level;
      const b = z[p + 1] - level;
      const c = z[p + size + 1] - level;
      const d = z[p + size] - level;
      if (a > 0 === b > 0 && b > 0 === c > 0 && c > 0 === d > 0) continue;
      square(path, a, b, c, d, column * step, row * step, step);
    }
  }
}

/**
 * Add the lines between classes: the zero contours of each class's lead over the best other class.
 *
 * @param {Path} path
 * @param {Float64Array} z
 * @param {number} size
 * @param {number} nClasses
 * @param {number} step
 */
export function traceClasses(path, z, size, nClasses, step) {
  const n = size * size;
  for (let row = 0; row < size - 1; row++) {
    for (let column = 0; column < size - 1; column++) {
      const p = row * size + column;
      const q = p + size;
      const first = argmax(z, n, nClasses, p);
      if (
        first === argmax(z, n, nClasses, p + 1) &&
        first === argmax(z, n, nClasses, q) &&
        first === argmax(z, n, nClasses, q + 1)
      ) continue;
      for (let k = 0; k < nClasses; k++) {
        const a = lead(z, n, nClasses, k, p);
        const b = lead(z, n, nClasses, k, p + 1);
        const c = lead(z, n, nClasses, k, q + 1);
        const d = lead(z, n, nClasses, k, q);
        square(path, a, b, c, d, column * step, row * step, step);
      }
    }
  }
}

/**
 * Return the lead of class `k` over the best other class.
 *
 * @param {Float64Array} z
 * @param {number} n
 * @param {number} nClasses
 * @param {number} k
 * @param {number} p
 */
function lead(z, n, nClasses, k, p) {
  let rival = -Infinity;
  for (let j = 0; j < nClasses; j++) if (j !== k) rival = Math.max(rival, z[j * n + p]);
  return z[k * n + p] - rival;
}

/**
 * Add the zero contour in one square with corner values a, b, c, d, clockwise from the upper left.
 *
 * @param {Path} path
 * @param {number} a
 * @param {number} b
 * @param {number} c
 * @param {number} d
 * @param {number} x
 * @param {number} y
 * @param {number} step
 */
function square(path, a, b, c, d, x, y, step) {
  const code = (a > 0 ? 8 : 0) | (b > 0 ? 4 : 0) | (c > 0 ? 2 : 0) | (d > 0 ? 1 : 0);
  if (code === 0 || code === 15) return;
  const top = x + step * (a / (a - b));
  const right = y + step * (b / (b - c));
  const bottom = x + step * (d / (d - c));
  const left = y + step * (a / (a - d));
  // in the two ambiguous cases the sign of the mean decides which corners are connected
  const joined = a + b + c + d > 0;
  if (code === 5 || code === 10) {
    if ((code === 10) === joined) {
      segment(path, top, y, x + step, right);
      segment(path, x, left, bottom, y + step);
    } else {
      segment(path, x, left, top, y);
      segment(path, bottom, y + step, x + step, right);
    }
  } else if (code === 8 || code === 7) segment(path, x, left, top, y);
  else if (code === 4 || code === 11) segment(path, top, y, x + step, right);
  else if (code === 2 || code === 13) segment(path, bottom, y + step, x + step, right);
  else if (code === 1 || code === 14) segment(path, x, left, bottom, y + step);
  else if (code === 12 || code === 3) segment(path, x, left, x + step, right);
  else segment(path, top, y, bottom, y + step);
}

/**
 * Add a line segment.
 *
 * @param {Path} path
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function segment(path, x1, y1, x2, y2) {
  path.moveTo(x1, y1);
  path.lineTo(x2, y2);
}
