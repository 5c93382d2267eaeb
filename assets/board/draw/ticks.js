/** Ticks of charts' axes, and their labels. */

import { axis } from "../state/words.js";

// least ratio of the lower to the upper end of a logarithmic axis
const DEPTH = 1e-6;

/**
 * Return the ticks from 0 to `high`: multiples of 1, 2 or 5 times a power of ten.
 *
 * @param {number} high
 * @param {number} most  largest number of steps
 * @param {boolean} [whole]  whether steps are at least 1, for counts
 */
export function linearTicks(high, most, whole = false) {
  const power = 10 ** Math.floor(Math.log10(high / most));
  const fits = Number([1, 2, 5, 10].find((s) => s * power >= (high / most) * (1 - 1e-9))) * power;
  const step = whole ? Math.max(1, fits) : fits;
  // multiplied, as sums of floating point numbers drift: 0.1 + 0.2 is not 0.3
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, i) => +(i * step).toPrecision(12));
}

/**
 * Return the ticks of a logarithmic axis from `low` to `high`: major ones with labels, minor ones
 * without. Major ticks are at 1, 2 and 5 times the powers of ten if that makes at most `most` steps,
 * else at 1 and 3 times, else at the powers, or at every second or third power.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
export function logTicks(low, high, most) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / most));
  /** @type {{value: number, digit: number, exponent: number}[]} */
  const ticks = [];
  for (let exponent = first - 1; exponent <= last; exponent++) {
    for (let digit = 1; digit < 10; digit++) {
      const value = Number(`${digit}e${exponent}`);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push({ value, digit, exponent });
    }
  }
  const among = (/** @type {number[]} */ digits) => ticks.filter(({ digit }) => digits.includes(digit));
  const few = [[1, 2, 5], [1, 3]].map(among).find((found) => found.length <= most + 1);
  const major = few ?? among([1]).filter(({ exponent }) => (exponent - first) % every === 0);
  // where powers are left out, only these are minor ticks
  const minor = ticks.filter((tick) => !major.includes(tick) && (every === 1 || tick.digit === 1));
  return { major: major.map(({ value }) => value), minor: minor.map(({ value }) => value) };
}

/**
 * Return the ends of a logarithmic axis for values from `least` to `most`: 1, 2 or 5 times a power of
 * ten.
 *
 * @param {number} least
 * @param {number} most
 * @returns {[number, number]}
 */
export function logRange(least, most) {
  if (!(most > 0)) return [0.1, 1];
  const high = round(most, Math.ceil);
  const low = round(Math.max(Math.min(least, most), most * DEPTH), Math.floor);
  return low < high ? [low, high] : [high / 10, high];
}

/**
 * Format a tick's label.
 *
 * @param {number} x
 */
export function tickLabel(x) {
  const size = Math.abs(x);
  if (size === 0 || (size >= 9.9e-4 && size < 1e5)) return axis(x);
  return x.toExponential().replace("e+", "e").replace("-", "−");
}

/**
 * Round to 1, 2, 5 or 10 times a power of ten.
 *
 * @param {number} x
 * @param {(x: number) => number} toward  Math.ceil or Math.floor
 */
function round(x, toward) {
  const power = 10 ** Math.floor(Math.log10(x));
  const digits = [1, 2, 5, 10];
  const up = digits.find((d) => d * power >= x * (1 - 1e-9));
  const down = digits.findLast((d) => d * power <= x * (1 + 1e-9));
  return +(Number(toward === Math.ceil ? up : down) * power).toPrecision(3);
}
