/**
 * A cube as it has arrived so far: every network, at every recorded epoch. A recording is a value:
 * `append` returns a new one and leaves the old one as it was, though both look at the same memory.
 *
 * @typedef {Object} Frame  a frame of a message: its place there, and what that message holds
 * @property {Numbers} parameters
 * @property {Float32Array} metrics
 * @property {number} index
 *
 * @typedef {import("./codec.js").Card} Card
 * @typedef {import("./codec.js").Points} Points
 * @typedef {Network & {features: string[], names: string[]}} RunNetwork  names: of the classes, if they have any
 *
 * @typedef {Object} Recording
 * @property {string} run
 * @property {Frame[]} frames     those that have arrived
 * @property {boolean} half       whether any of them came in half precision
 * @property {number} nReceived        frames that have arrived
 * @property {number} nFrames     frames that the run will have
 * @property {number[]} epochs    the epoch of each held frame
 * @property {number} lastEpoch
 * @property {number} patience    epochs without improvement that early stopping waits for
 * @property {number} onset       the epoch from which regularization acts
 * @property {({best: number, stop: number|null}|null)[]} stopping  for each network the epoch that early
 *   stopping keeps and the one it stops at, as far as that is known
 * @property {Int32Array} diverged  for each network the epoch from which it is lost, or -1
 * @property {RunNetwork} network
 * @property {string} data        what the points are called
 * @property {string|null} link   the query string of what is trained, if it fits into a link
 * @property {number} version     of that query string
 * @property {Card[]} cards
 * @property {string[]} classes
 * @property {ByMode} blank
 * @property {number[]} domain
 * @property {Points} points
 * @property {number} nParameters
 * @property {Int32Array} weightIndex  where the weights stand in a row; the rest are biases
 * @property {string[]} metricNames
 * @property {number} spread  what nearly all |weights| of the cards' first networks lie below
 */

/**
 * @import {ByMode, FirstMessage, Message, Numbers} from "./codec.js"
 * @import {Network} from "./forward.js"
 */

import { copyNumbers } from "./codec.js";

const SPREAD_QUANTILE = 0.98;

/**
 * @param {FirstMessage} message  with frame 0
 * @returns {Recording}
 */
export function start({ header, arrays }) {
  const { layers, activation, task, features, names } = header;
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
    onset: header.onset,
    stopping: Array(header.n_networks).fill(null),
    diverged: new Int32Array(header.n_networks).fill(-1),
    network: { layers, activation, task, features, names },
    data: header.data,
    link: null,
    version: header.link_version,
    cards: header.cards,
    classes: header.classes,
    blank: header.blank,
    domain: header.domain,
    points: { train: arrays.train, validation: arrays.validation, test: arrays.test },
    nParameters: parameterCount(layers),
    weightIndex: weightIndex(layers),
    metricNames: header.metrics,
    spread: 0,
  };
  return append(empty, { header, arrays });
}

/**
 * The recording with a message's frames at its end; the same one if they do not go there.
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
  return { ...grown, spread: spreadOf(grown, frame) };
}

/**
 * Whether every frame is there.
 *
 * @param {{nReceived: number, nFrames: number}} recording
 */
export function isComplete({ nReceived, nFrames }) {
  return nReceived === nFrames;
}

/**
 * The networks that the cards show first: their axes are those of all networks.
 *
 * @param {Pick<Recording, "cards">} recording
 */
export function firstNetworks({ cards }) {
  return cards.map(({ networks, strength_index }) => networks[strength_index]);
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
 * A measure of network `k` at frame `t`.
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
 * The axes that all histograms of a run share, at all of its epochs and strengths: heights and
 * widths can be compared, and nothing jumps.
 *
 * @param {Recording} recording
 * @returns {{range: number, most: number}}  half the width, and the count that fills the height:
 *   all weights, which a network that has collapsed has in its zero bar
 */
export function weightAxes({ spread, weightIndex: index }) {
  return { range: niceCeiling(spread || 1), most: index.length };
}

/**
 * A network that turns out to be diverging does not count: its weights would squash everyone
 * else's. Where all diverge, the first frame decides.
 *
 * @param {Recording} recording
 * @param {number} from
 */
function spreadOf(recording, from) {
  const { nReceived, diverged, nParameters } = recording;
  const row = new Float32Array(nParameters);
  const networks = firstNetworks(recording);
  const finite = networks.filter((k) => diverged[k] < 0);
  let most = recording.spread;
  for (let t = from; t < (finite.length ? nReceived : Math.min(1, nReceived)); t++) {
    for (const k of finite.length ? finite : networks) {
      most = Math.max(most, quantile(copyRow(recording, t, k, row), recording.weightIndex));
    }
  }
  return most;
}

/**
 * The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 (and their multiples by ten) that is not below `x`.
 *
 * @param {number} x
 */
export function niceCeiling(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s * power >= x * (1 - 1e-6));
  return Number(step) * power;
}

/**
 * Parameters of one network: for every unit its incoming weights and a bias.
 *
 * @param {number[]} layers
 */
export function parameterCount(layers) {
  return layers.slice(1).reduce((sum, units, i) => sum + units * (layers[i] + 1), 0);
}

/**
 * Where the weights stand in a row of parameters, biases left out.
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
 * @param {Float32Array} row
 * @param {Int32Array} index
 */
function quantile(row, index) {
  const sizes = Float32Array.from(index, (i) => Math.abs(row[i])).sort();
  return sizes[Math.floor(SPREAD_QUANTILE * (sizes.length - 1))];
}
