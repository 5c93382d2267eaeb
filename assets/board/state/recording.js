/**
 * A recording: the frames received so far, each with all networks of the strength grid at one epoch.
 * Recordings are immutable: `append` returns a new one, which shares the old one's arrays.
 */

/** @import {FirstMessage, Message, Recording} from "./types.d.ts" */

import { copyNumbers } from "./codec.js";
import { extent } from "./extent.js";
import { normalizationAt } from "./normalization.js";

const SPREAD_QUANTILE = 0.98;

/**
 * Return the recording that begins with a message.
 *
 * @param {FirstMessage} message  with frame 0
 * @returns {Recording}
 */
export function start({ header, arrays }) {
  const { layers, activation, normalization, affine, adaptive, task, features, names, columns } = header;
  const nColumns = columns.length || 2;
  const network = { layers, activation, normalization, affine, adaptive, task, features, names, nColumns };
  /** @type {Recording} */
  const empty = {
    run: header.run,
    frames: [],
    half: false,
    nReceived: 0,
    nFrames: header.n_frames,
    epochs: [],
    lastEpoch: header.last_epoch,
    patience: header.patience,
    learningRate: header.learning_rate,
    phases: header.phases,
    stopping: Array(header.n_networks).fill(null),
    diverged: new Int32Array(header.n_networks).fill(-1),
    network,
    columns,
    data: header.data,
    link: null,
    version: header.link_version,
    cards: header.cards,
    classes: header.classes,
    blank: header.blank,
    domain: header.domain,
    points: { train: arrays.train, validation: arrays.validation, test: arrays.test },
    nParameters: normalizationAt(network, layers.length - 1),
    weightIndex: weightIndex(layers),
    metricNames: header.metrics,
    spreads: header.cards.map(() => []),
  };
  return append(empty, { header, arrays });
}

/**
 * Return the recording with a message's frames appended, or the same one if they do not come next.
 *
 * @param {Recording} recording
 * @param {Message} message
 * @returns {Recording}
 */
export function append(recording, { header, arrays }) {
  const { run, frame, epochs, n_frames: nFrames, early_stopping: decided } = header;
  if (run !== recording.run || frame !== recording.nReceived) return recording;
  const { parameters, metrics } = arrays;
  const frames = recording.frames.concat(epochs.map((_, index) => ({ parameters, metrics, index })));
  const grown = {
    ...recording,
    frames,
    nFrames,
    half: recording.half || parameters instanceof Uint16Array,
    nReceived: frames.length,
    epochs: recording.epochs.concat(epochs),
    diverged: Int32Array.from(header.diverged),
    stopping: decided ? decided.best.map((best, k) => ({ best, stop: decided.stop[k] })) : recording.stopping,
    link: header.link,
  };
  return { ...grown, spreads: spreadsOf(grown, frame) };
}

/**
 * Whether all frames have been received.
 *
 * @param {{nReceived: number, nFrames: number}} recording
 */
export function isComplete({ nReceived, nFrames }) {
  return nReceived === nFrames;
}

/**
 * Return the networks that the cards show first. They determine the axes for all networks.
 *
 * @param {Pick<Recording, "cards">} recording
 */
export function firstNetworks({ cards }) {
  return cards.map(({ variants, variant_index, strength_index }) => variants[variant_index].networks[strength_index]);
}

/**
 * Copy the parameters of network `k` at frame `t`.
 *
 * @param {Recording} recording
 * @param {number} t
 * @param {number} k
 * @param {Float32Array} out  of length nParameters
 */
export function copyRow({ frames, diverged, nParameters }, t, k, out) {
  const { parameters, index } = frames[t];
  return copyNumbers(parameters, (index * diverged.length + k) * nParameters, out);
}

/**
 * Return a measure of network `k` at frame `t`.
 *
 * @param {Recording} recording
 * @param {string} name
 * @param {number} t
 * @param {number} k
 */
export function metric({ frames, diverged, metricNames }, name, t, k) {
  const { metrics, index } = frames[t];
  return metrics[(index * diverged.length + k) * metricNames.length + metricNames.indexOf(name)];
}

/**
 * Whether network `k` has diverged by frame `t`.
 *
 * @param {Recording} recording
 * @param {number} t
 * @param {number} k
 */
export function isDiverged({ diverged, epochs }, t, k) {
  return diverged[k] >= 0 && epochs[t] >= diverged[k];
}

/**
 * Return the axes of all histograms of a run. They are the same at all epochs and strengths, so that
 * heights and widths can be compared. A spike does not count (`extent`). Networks that diverge are left
 * out, as their weights would fill the axis; where all diverge, frame 0 counts.
 *
 * @param {Recording} recording
 * @returns {{range: number, most: number}}  `range`: |w| at either end of the horizontal axis;
 *   `most`: the count at full height, which is all weights, as in the zero bar of a collapsed network
 */
export function weightAxes({ spreads, diverged, nFrames, weightIndex: index, ...recording }) {
  const finite = spreads.filter((_, i) => diverged[firstNetworks(recording)[i]] < 0);
  const spread = Math.max(...(finite.length ? finite.map((own) => extent(own, nFrames)) : spreads.map(([first]) => first)));
  return { range: niceCeiling(spread || 1), most: index.length };
}

/**
 * Return the quantiles of |w| of the first networks at all frames, of which those from `from` on are new.
 *
 * @param {Recording} recording
 * @param {number} from
 */
function spreadsOf(recording, from) {
  const { frames, spreads, nParameters, weightIndex: index } = recording;
  const row = new Float32Array(nParameters);
  return firstNetworks(recording).map((k, i) =>
    spreads[i].concat(frames.slice(from).map((_, t) => quantile(copyRow(recording, from + t, k, row), index))));
}

/**
 * Return the next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 (times a power of ten) that is not below `x`.
 *
 * @param {number} x
 */
export function niceCeiling(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s * power >= x * (1 - 1e-6));
  return Number(step) * power;
}

/**
 * Return the indices of the weights in a row of parameters, without the biases.
 *
 * @param {number[]} layers
 */
export function weightIndex(layers) {
  const index = [];
  let at = 0;
  for (let l = 1; l < layers.length; l++) {
    for (let unit = 0; unit < layers[l]; unit++, at++) {
      for (let i = 0; i < layers[l - 1]; i++) index.push(at++);
    }
  }
  return Int32Array.from(index);
}

/**
 * Return the SPREAD_QUANTILE of |w|.
 *
 * @param {Float32Array} row
 * @param {Int32Array} index  of the weights
 */
function quantile(row, index) {
  const sizes = Float32Array.from(index, (i) => Math.abs(row[i])).sort();
  return sizes[Math.floor(SPREAD_QUANTILE * (sizes.length - 1))];
}
