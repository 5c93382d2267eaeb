/** The largest value of a curve that an axis shows: a spike of few frames does not count. */

// share of a run's frames that may be a spike; 5 of 101
const SPIKE_SHARE = 0.05;
// how far the values of a spike are above the others: the final rise of an overfitting network's test loss
// in the frames beyond the quantile is less
const SPIKE_RATIO = 1.5;

/**
 * Return the largest value of a curve, where a spike does not count: the highest SPIKE_SHARE of the run's
 * frames are left out if they are more than SPIKE_RATIO times as high as the rest. The first value counts, as
 * all curves of a run begin there. Never decreases as frames arrive.
 *
 * @param {ArrayLike<number>} values  of the received frames; those that are not finite are ignored
 * @param {number} nFrames  frames that the run will have
 * @returns {number}  0 without values
 */
export function extent(values, nFrames) {
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort().reverse();
  const rest = sorted[Math.floor(SPIKE_SHARE * nFrames)] ?? 0;
  const most = sorted.find((value) => value <= SPIKE_RATIO * rest) ?? 0;
  return Number.isFinite(values[0]) ? Math.max(most, values[0]) : most;
}

/**
 * Return the frames at which a curve leaves an axis: the highest of each group of neighbouring frames above
 * its end.
 *
 * @param {ArrayLike<number>} values
 * @param {number} high
 * @returns {number[]}  ascending
 */
export function peaksAbove(values, high) {
  /** @type {number[]} */
  const peaks = [];
  for (let t = 0; t < values.length; t++) {
    if (!(values[t] > high && Number.isFinite(values[t]))) continue;
    const last = peaks.length - 1;
    if (t > 0 && values[t - 1] > high && last >= 0) {
      if (values[t] > values[peaks[last]]) peaks[last] = t;
    } else {
      peaks.push(t);
    }
  }
  return peaks;
}
