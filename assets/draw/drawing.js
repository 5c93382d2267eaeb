/**
 * What is drawn: immutable, so that undoing is going back to what was. No page is needed here.
 *
 * @typedef {[x1: number, x2: number, label: number]} Point  x₁, x₂, and a class (0, 1, …) or a value
 * @typedef {"classes"|"value"} Kind
 * @typedef {{kind: Kind, classes: Point[], value: Point[]}} Drawing  each kind has points of its own
 * @typedef {{past: Drawing[], present: Drawing, future: Drawing[]}} History
 * @typedef {{all: number, each: number, most: number}} Limits  fewest points, of each class; most
 */

/** Classes to draw; points that were loaded may have more. */
export const N_CLASSES = 3;
export const SPRAY = 8;
const SPREAD = 0.09; // standard deviation of a spray, in shares of an axis' reach
const REMEMBERED = 200;

/**
 * @param {Kind} kind
 * @param {Point[]} points
 * @returns {History}
 */
export function begin(kind, points) {
  const present = { kind, classes: [], value: [], [kind]: points };
  return { past: [], present, future: [] };
}

/**
 * @param {History} history
 * @param {Drawing} present
 * @returns {History}  with `present` as the latest drawing, unless it is what was there
 */
export function commit({ past, present: before, future }, present) {
  if (same(before, present)) return { past, present: before, future };
  return { past: [...past, before].slice(-REMEMBERED), present, future: [] };
}

/**
 * @param {History} history
 * @returns {History}
 */
export function undo(history) {
  const { past, present, future } = history;
  return past.length ? { past: past.slice(0, -1), present: past[past.length - 1], future: [present, ...future] } : history;
}

/**
 * @param {History} history
 * @returns {History}
 */
export function redo(history) {
  const { past, present, future } = history;
  return future.length ? { past: [...past, present], present: future[0], future: future.slice(1) } : history;
}

/**
 * @param {Drawing} drawing
 * @returns {Point[]}
 */
export function pointsOf(drawing) {
  return drawing[drawing.kind];
}

/**
 * @param {Drawing} drawing
 * @param {Point[]} added
 * @param {number} most
 * @returns {Drawing}  with as many of these points as there is room for
 */
export function add(drawing, added, most) {
  const points = pointsOf(drawing);
  const room = added.slice(0, Math.max(0, most - points.length));
  return room.length ? { ...drawing, [drawing.kind]: [...points, ...room] } : drawing;
}

/**
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
 * @param {Drawing} drawing
 * @param {number} x1
 * @param {number} x2
 * @param {number} radius
 * @returns {Drawing}  without the points within `radius`
 */
export function eraseAround(drawing, x1, x2, radius) {
  const points = pointsOf(drawing);
  const left = points.filter((point) => Math.hypot(point[0] - x1, point[1] - x2) > radius);
  return left.length < points.length ? { ...drawing, [drawing.kind]: left } : drawing;
}

/**
 * @param {Drawing} drawing
 * @param {number} index
 * @returns {Drawing}
 */
export function erase(drawing, index) {
  return { ...drawing, [drawing.kind]: pointsOf(drawing).filter((_, i) => i !== index) };
}

/**
 * @param {Drawing} drawing
 * @returns {Drawing}  the points of the other kind stay
 */
export function clear(drawing) {
  return pointsOf(drawing).length ? { ...drawing, [drawing.kind]: [] } : drawing;
}

/**
 * @param {Drawing} drawing
 * @param {Kind} kind
 * @returns {Drawing}
 */
export function turnTo(drawing, kind) {
  return kind === drawing.kind ? drawing : { ...drawing, kind };
}

/**
 * The last of the points nearest to a place, which is the one on top, or -1.
 *
 * @param {Point[]} points
 * @param {number} x1
 * @param {number} x2
 * @param {number} within
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
 * Some points scattered around a place by a normal distribution, none beyond the axes.
 *
 * @param {number} x1
 * @param {number} x2
 * @param {number} label
 * @param {number} reach
 * @param {() => number} [random]
 */
export function spray(x1, x2, label, reach, random = Math.random) {
  return Array.from({ length: SPRAY }, () => {
    const radius = SPREAD * reach * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    return at(x1 + radius * Math.cos(angle), x2 + radius * Math.sin(angle), label, reach);
  });
}

/**
 * A point on the canvas, to the three decimals that are kept.
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
 * How many points of each class there are.
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
 * Half the length of both axes: 3, or more where points that were loaded need more.
 *
 * @param {Point[]} points
 * @param {number} [least]
 */
export function reachOf(points, least = 3) {
  const far = Math.max(least, ...points.map(([x1, x2]) => Math.max(Math.abs(x1), Math.abs(x2))));
  return roundUp(far, least);
}

/**
 * The reach of the values: 1, or more where points that were loaded need more.
 *
 * @param {Point[]} points
 * @param {number} [least]
 */
export function valueReach(points, least = 1) {
  return roundUp(Math.max(least, ...points.map((point) => Math.abs(point[2]))), least);
}

/**
 * @param {number} x
 * @param {number} least
 */
function roundUp(x, least) {
  if (x <= least) return least;
  const power = 10 ** Math.floor(Math.log10(x));
  return Number([1, 2, 5, 10].find((digit) => digit * power >= x)) * power;
}

/**
 * What there is, and what is still missing.
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
  const wanted = [];
  if (drawing.kind === "classes") {
    const counts = countsOf(points);
    const present = counts.findLastIndex((count) => count > 0) + 1;
    for (let c = 0; c < Math.max(2, present); c++) {
      if (counts[c] < each) wanted.push(`${each - counts[c]} of ${names[c]}`);
    }
  }
  if (points.length < all) wanted.push(`${all - points.length} in all`);
  return wanted.length ? `${total}. Still missing: ${wanted.join(", ")}. Until then, what is on screen stays.` : `${total}.`;
}

/**
 * @param {Drawing} a
 * @param {Drawing} b
 */
function same(a, b) {
  /** @type {(x: Point[], y: Point[]) => boolean} */
  const rows = (x, y) => x === y || (x.length === y.length && x.every((row, i) => row.every((n, j) => n === y[i][j])));
  return a.kind === b.kind && rows(a.classes, b.classes) && rows(a.value, b.value);
}
