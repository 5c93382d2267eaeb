/**
 * A cube as it has arrived so far: every network, at every recorded epoch. It comes in two parts,
 * the line-up and all other networks, whose frames may lie at different epochs; the line-up's are the frames
 * that the whole board counts in. A recording is a value: `append` returns a new one and leaves the
 * old one as it was, though both look at the same memory.
 *
 * @typedef {Object} Part
 * @property {Int32Array} rows  for each network of the cube where it stands in a frame, or -1
 * @property {number} nRows
 * @property {number} nFrames  frames that the part will have
 * @property {number[]} epochs  of the frames held
 * @property {boolean} half  whether any of them came in half precision
 * @property {{parameters: import("./codec.js").Numbers, metrics: Float32Array, index: number}[]} frames
 *
 * @typedef {Object} Card
 * @property {string} key
 * @property {string} label
 * @property {string} about
 * @property {{light: string, dark: string}} colour
 * @property {number[]} networks    from weak to strong
 * @property {string[]} strengths   of each, in words
 * @property {number[]} drop_rates  of each
 * @property {number[]} values      of each, as in a link
 * @property {number} standard      the level that a link need not name
 * @property {number} level         where the card starts
 * @property {boolean} held         whether it shows the network that early stopping keeps
 *
 * @typedef {Object} Recording
 * @property {string} run
 * @property {Part[]} parts       line-up and others
 * @property {number} held        frames that have arrived
 * @property {number} nFrames     frames that the run will have
 * @property {number[]} epochs    the epoch of each held frame
 * @property {number} lastEpoch
 * @property {number} patience    epochs without improvement that early stopping waits for
 * @property {number} onset       the epoch from which regularization acts
 * @property {({best: number, stop: number|null}|null)[]} stopping  for each network the epoch that early
 *   stopping keeps and the one it stops at, as far as that is known
 * @property {Int32Array} diverged  for each network the epoch from which it is lost, or -1
 * @property {{layers: number[], activation: string, task: string, features: string[], names: string[]}} network
 *   names: of the classes, if they have any
 * @property {string} data        what the points are called
 * @property {string|null} link   the query string of what is trained, if it fits into a link
 * @property {number} version     of that query string
 * @property {Card[]} cards
 * @property {string[]} classes
 * @property {{light: string, dark: string}} blank
 * @property {number[]} domain
 * @property {Object<string, Float32Array>} points  rows (x1, x2, y) of train, validation, test
 * @property {number} nParameters
 * @property {Int32Array} weightIndex  where the weights stand in a row; the rest are biases
 * @property {string[]} metricNames
 * @property {number} spread  what nearly all |weights| of the line-up lie below
 */

import { copyNumbers } from "./codec.js";

export const LINE_UP = 0;
export const OTHERS = 1;
const SPREAD_QUANTILE = 0.98;

/** @param {import("./codec.js").Message} message  the first of a run: the line-up's, with frame 0 */
export function start({ header, arrays }) {
  const { layers, activation, task, features, names } = header;
  const empty = {
    run: header.run,
    parts: [makePart(header), makePart({ ...header, rows: [] })],
    held: 0,
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

function makePart({ rows, n_frames: nFrames, n_networks: nNetworks }) {
  const places = new Int32Array(nNetworks).fill(-1);
  rows.forEach((network, row) => (places[network] = row));
  return { rows: places, nRows: rows.length, nFrames, epochs: [], half: false, frames: [] };
}

/**
 * The recording with a message's frames at the end of their part; the same one if they do not go
 * there.
 *
 * @param {Recording} recording
 * @param {import("./codec.js").Message} message
 * @returns {Recording}
 */
export function append(recording, { header, arrays }) {
  const { run, part: p, frame, rows, epochs } = header;
  const known = recording.parts[p];
  if (run !== recording.run || frame !== known.epochs.length) return recording;
  const places = known.nRows
    ? known
    : makePart({ rows, n_frames: header.n_frames, n_networks: recording.diverged.length });
  const { parameters, metrics } = arrays;
  const part = {
    ...places,
    nFrames: header.n_frames,
    epochs: known.epochs.concat(epochs),
    half: known.half || parameters instanceof Uint16Array,
    frames: known.frames.concat(epochs.map((_, index) => ({ parameters, metrics, index }))),
  };
  const diverged = recording.diverged.slice();
  rows.forEach((network, row) => (diverged[network] = header.diverged[row]));
  const stopping = recording.stopping.slice();
  const decided = header.early_stopping;
  if (decided) rows.forEach((network, row) => (stopping[network] = { best: decided.best[row], stop: decided.stop[row] }));
  const parts = recording.parts.with(p, part);
  const grown = { ...recording, parts, stopping, diverged, link: header.link };
  if (p === OTHERS) return grown;
  Object.assign(grown, { held: part.epochs.length, epochs: part.epochs, nFrames: part.nFrames });
  return { ...grown, spread: spreadOf(grown, frame) };
}

/** Whether every frame of every network is there. */
export function isComplete({ parts, diverged }) {
  const there = parts.filter(({ epochs, nFrames }) => epochs.length === nFrames);
  return there.reduce((sum, { nRows }) => sum + nRows, 0) === diverged.length;
}

/** The frames held of line-up and others. */
export function heldFrames({ parts }) {
  return parts.map(({ epochs }) => epochs.length);
}

/** The frame of network `k` at frame `t`, or the last one before that there is. */
function find({ parts, epochs }, t, k) {
  const [lineUp, others] = parts;
  if (lineUp.rows[k] >= 0) return { part: lineUp, index: t, frame: lineUp.frames[t] };
  // the others may have fewer frames
  let index = Math.min(t, others.epochs.length - 1);
  while (index > 0 && others.epochs[index] > epochs[t]) index--;
  return { part: others, index, frame: others.frames[index] };
}

/** The epoch of what there is of network `k` for frame `t`: an earlier one, if that is missing. */
export function epochOf(recording, t, k) {
  const { part, index } = find(recording, t, k);
  return part.epochs[index];
}

/** Whether there is anything of network `k` yet. */
export function hasNetwork({ parts }, k) {
  return parts.some(({ rows, epochs }) => rows[k] >= 0 && epochs.length > 0);
}

/** The last frame that there is of network `k`. */
export function lastFrame({ parts, held, epochs }, k) {
  const [lineUp, others] = parts;
  if (lineUp.rows[k] >= 0) return held - 1;
  const last = others.epochs.at(-1) ?? 0;
  return others.epochs.length === others.nFrames ? held - 1 : epochs.findLastIndex((e) => e <= last);
}

/**
 * Copy the parameters of network `k` at frame `t`.
 *
 * @param {Recording} recording
 * @param {number} t
 * @param {number} k
 * @param {Float32Array} out  of length nParameters
 */
export function copyRow(recording, t, k, out) {
  const { part, frame } = find(recording, t, k);
  const row = frame.index * part.nRows + part.rows[k];
  return copyNumbers(frame.parameters, row * recording.nParameters, out);
}

/** A measure of network `k` at frame `t`; NaN where there is none. */
export function metric(recording, name, t, k) {
  if (!hasNetwork(recording, k)) return NaN;
  const { metricNames } = recording;
  const { part, frame } = find(recording, t, k);
  const row = frame.index * part.nRows + part.rows[k];
  return frame.metrics[row * metricNames.length + metricNames.indexOf(name)];
}

/** Whether network `k` has diverged by frame `t`. */
export function isDiverged({ diverged, epochs }, t, k) {
  return diverged[k] >= 0 && epochs[t] >= diverged[k];
}

/**
 * The axes that all histograms of a run share, at all of its epochs and strengths: heights and
 * widths can be compared, and nothing jumps.
 *
 * @returns {{range: number, most: number}}  half the width, and the count that fills the height:
 *   all weights, which a network that has collapsed has in its zero bar
 */
export function weightAxes({ spread, weightIndex: index }) {
  return { range: niceCeiling(spread || 1), most: index.length };
}

/**
 * A network that turns out to be diverging does not count: its weights would squash everyone
 * else's. Where all diverge, the first frame decides.
 */
function spreadOf(recording, from) {
  const { parts, held, diverged, nParameters } = recording;
  const row = new Float32Array(nParameters);
  const networks = [...diverged.keys()].filter((k) => parts[LINE_UP].rows[k] >= 0);
  const finite = networks.filter((k) => diverged[k] < 0);
  let most = recording.spread;
  for (let t = from; t < (finite.length ? held : Math.min(1, held)); t++) {
    for (const k of finite.length ? finite : networks) {
      most = Math.max(most, quantile(copyRow(recording, t, k, row), recording.weightIndex));
    }
  }
  return most;
}

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 (and their multiples by ten) that is not below `x`. */
export function niceCeiling(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((s) => s * power >= x * (1 - 1e-6));
  return step * power;
}

/** Parameters of one network: for every unit its incoming weights and a bias. */
export function parameterCount(layers) {
  return layers.slice(1).reduce((sum, units, i) => sum + units * (layers[i] + 1), 0);
}

/** Where the weights stand in a row of parameters, biases left out. */
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

function quantile(row, index) {
  const sizes = Float32Array.from(index, (i) => Math.abs(row[i])).sort();
  return sizes[Math.floor(SPREAD_QUANTILE * (sizes.length - 1))];
}
