/**
 * The drawing and its history. Drawings are immutable: every function returns a new one.
 *
 * @typedef {[x1: number, x2: number, label: number]} Point  x₁, x₂, and a class (0, 1, …) or a value
 * @typedef {"classes"|"value"} Kind
 * @typedef {{kind: Kind, classes: Point[], value: Point[]}} Drawing  each kind has its own points
 * @typedef {{past: Drawing[], present: Drawing, future: Drawing[]}} History
 * @typedef {{all: number, each: number, most: number}} Limits  `all`: least number of points,
 *   `each`: least number in each class, `most`: largest number
 */

/** Number of classes; loaded points may have more. */
export const N_CLASSES = 3;
export const POINTS_PER_SPRAY = 8;
const SPREAD = 0.09; // standard deviation of a spray, in shares of an axis' reach
const MAX_UNDO = 200;

/**
 * Return a history with one drawing.
 *
 * @param {Kind} kind
 * @param {Point[]} points
 * @returns {History}
 */
export function begin(kind, points) {
  const present = { kind, classes: [], value: [], [kind]: points };
  return { past: [], present, future: [] };
}

/**
 * Add a drawing to the history, if it differs from the present one.
 *
 * @param {History} history
 * @param {Drawing} present
 * @returns {History}
 */
export function commit({ past, present: before, future }, present) {
  if (same(before, present)) return { past, present: before, future };
  return { past: [...past, before].slice(-MAX_UNDO), present, future: [] };
}

/**
 * Go back by one drawing.
 *
 * @param {History} history
 * @returns {History}
 */
export function undo(history) {
  const { past, present, future } = history;
  return past.length ? { past: past.slice(0, -1), present: past[past.length - 1], future: [present, ...future] } : history;
}

/**
 * Go forward by one drawing.
 *
 * @param {History} history
 * @returns {History}
 */
export function redo(history) {
  const { past, present, future } = history;
  return future.length ? { past: [...past, present], present: future[0], future: future.slice(1) } : history;
}

/**
 * Return the points of the drawing's kind.
 *
 * @param {Drawing} drawing
 * @returns {Point[]}
 */
export function pointsOf(drawing) {
  return drawing[drawing.kind];
}

/**
 * Add points, as many as fit.
 *
 * @param {Drawing} drawing
 * @param {Point[]} added
 * @param {number} most  largest number of points
 * @returns {Drawing}
 */
export function add(drawing, added, most) {
  const points = pointsOf(drawing);
  const room = added.slice(0, Math.max(0, most - points.length));
  return room.length ? { ...drawing, [drawing.kind]: [...points, ...room] } : drawing;
}

/**
 * Move a point.
 *
 * @param {Drawing} drawing
 * @param {number} index
 * @param {number} x1
 * @param {number} x2
 * @returns {Drawing}
 */
export function move(drawing, index, x1, x2) {
  const moved = pointsOf(drawing).map((point, i) => (i === index ? /** @type {Point} */ ([x1, x2, point[2]]) : point));
  return { ...drawing, [drawing.kind]: moved };
}

/**
 * Erase the points within `radius` of a place.
 *
 * @param {Drawing} drawing
 * @param {number} x1
 * @param {number} x2
 * @param {number} radius
 * @returns {Drawing}
 */
export function eraseAround(drawing, x1, x2, radius) {
  const points = pointsOf(drawing);
  const left = points.filter((point) => Math.hypot(point[0] - x1, point[1] - x2) > radius);
  return left.length < points.length ? { ...drawing, [drawing.kind]: left } : drawing;
}

/**
 * Erase a point.
 *
 * @param {Drawing} drawing
 * @param {number} index
 * @returns {Drawing}
 */
export function erase(drawing, index) {
  return { ...drawing, [drawing.kind]: pointsOf(drawing).filter((_, i) => i !== index) };
}

/**
 * Erase all points of the drawing's kind.
 *
 * @param {Drawing} drawing
 * @returns {Drawing}
 */
export function clear(drawing) {
  return pointsOf(drawing).length ? { ...drawing, [drawing.kind]: [] } : drawing;
}

/**
 * Change the kind.
 *
 * @param {Drawing} drawing
 * @param {Kind} kind
 * @returns {Drawing}
 */
export function setKind(drawing, kind) {
  return kind === drawing.kind ? drawing : { ...drawing, kind };
}

/**
 * Return the index of the point nearest to a place, the topmost of several, or -1.
 *
 * @param {Point[]} points
 * @param {number} x1
 * @param {number} x2
 * @param {number} within  largest distance
 */
export function nearest(points, x1, x2, within) {
  let found = -1;
  let least = within;
  for (const [i, point] of points.entries()) {
    const distance = Math.hypot(point[0] - x1, point[1] - x2);
    if (distance <= least) [found, least] = [i, distance];
  }
  return found;
}

/**
 * Draw POINTS_PER_SPRAY points from a normal distribution around a place, clipped to the axes.
 *
 * @param {number} x1
 * @param {number} x2
 * @param {number} label
 * @param {number} reach
 * @param {() => number} [random]
 */
export function spray(x1, x2, label, reach, random = Math.random) {
  return Array.from({ length: POINTS_PER_SPRAY }, () => {
    const radius = SPREAD * reach * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    return at(x1 + radius * Math.cos(angle), x2 + radius * Math.sin(angle), label, reach);
  });
}

/**
 * Return a point clipped to the axes and rounded to three decimals.
 *
 * @param {number} x1
 * @param {number} x2
 * @param {number} label
 * @param {number} reach
 * @returns {Point}
 */
export function at(x1, x2, label, reach) {
  const within = (/** @type {number} */ x) => Math.round(Math.max(-reach, Math.min(reach, x)) * 1000) / 1000 + 0;
  return [within(x1), within(x2), label];
}

/**
 * Count the points of each class.
 *
 * @param {Point[]} points
 */
export function countsOf(points) {
  const most = points.reduce((label, point) => Math.max(label, point[2] + 1), N_CLASSES);
  /** @type {number[]} */
  const counts = new Array(most).fill(0);
  for (const point of points) counts[point[2]]++;
  return counts;
}

/**
 * Return half the length of both axes: 3, or more if loaded points need it.
 *
 * @param {Point[]} points
 * @param {number} [least]
 */
export function reachOf(points, least = 3) {
  const far = Math.max(least, ...points.map(([x1, x2]) => Math.max(Math.abs(x1), Math.abs(x2))));
  return roundUp(far, least);
}

/**
 * Return the largest |value|: 1, or more if loaded points need it.
 *
 * @param {Point[]} points
 * @param {number} [least]
 */
export function valueReach(points, least = 1) {
  return roundUp(Math.max(least, ...points.map((point) => Math.abs(point[2]))), least);
}

/**
 * Round up to 1, 2 or 5 times a power of ten, at least `least`.
 *
 * @param {number} x
 * @param {number} least
 */
function roundUp(x, least) {
  if (x <= least) return least;
  const power = 10 ** Math.floor(Math.log10(x));
  return Number([1, 2, 5, 10].find((digit) => digit * power >= x)) * power;
}

/**
 * Describe the number of points, and the points still missing.
 *
 * @param {Drawing} drawing
 * @param {Limits} limits
 * @param {string[]} names  of the classes
 */
export function describe(drawing, { all, each, most }, names) {
  const points = pointsOf(drawing);
  const total = points.length === 1 ? "1 point" : `${points.length} points`;
  if (points.length >= most) return `${total}: no more fit.`;
  /** @type {string[]} */
  const missing = [];
  if (drawing.kind === "classes") {
    const counts = countsOf(points);
    const present = counts.findLastIndex((count) => count > 0) + 1;
    for (let c = 0; c < Math.max(2, present); c++) {
      if (counts[c] < each) missing.push(`${each - counts[c]} of ${names[c]}`);
    }
  }
  if (points.length < all) missing.push(`${all - points.length} in all`);
  return missing.length ? `${total}. Still missing: ${missing.join(", ")}. Until then, what is on screen stays.` : `${total}.`;
}

/**
 * Whether two drawings are equal.
 *
 * @param {Drawing} a
 * @param {Drawing} b
 */
function same(a, b) {
  /** @type {(x: Point[], y: Point[]) => boolean} */
  const rows = (x, y) => x === y || (x.length === y.length && x.every((row, i) => row.every((n, j) => n === y[i][j])));
  return a.kind === b.kind && rows(a.classes, b.classes) && rows(a.value, b.value);
}
