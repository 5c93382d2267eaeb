/**
 * A run as it has arrived so far. A recording is a value: `append` returns a new one and leaves the
 * old one as it was, though both look at the same memory, allocated once for the whole run.
 *
 * @typedef {Object} Recording
 * @property {string} run
 * @property {number} held        frames that have arrived
 * @property {number} nFrames     frames that the run will have
 * @property {number[]} epochs    the epoch of each held frame
 * @property {number} lastEpoch
 * @property {number[]} diverged  for each network the epoch from which it is lost, or -1
 * @property {{layers: number[], activation: string, task: string, features: string[]}} network
 * @property {Object[]} cards
 * @property {string[]} classes
 * @property {{light: string, dark: string}} blank
 * @property {number[]} domain
 * @property {Object<string, Float32Array>} points  rows (x1, x2, y) of train, validation, test
 * @property {number} nParameters
 * @property {Int32Array} weightIndex  where the weights stand in a row; the rest are biases
 * @property {string[]} metricNames
 * @property {Float32Array} parameters  (frames, networks, parameters)
 * @property {Float32Array} metrics     (frames, networks, metrics)
 * @property {Float32Array} spread      (frames, networks): what nearly all |weights| lie below
 */

const SPREAD_QUANTILE = 0.98;

/** @param {import("./codec.js").Message} message  the first of a run, with frame 0 */
export function start({ header, arrays }) {
  const { layers, activation, task, features } = header;
  const nParameters = parameterCount(layers);
  const rows = header.n_frames * header.cards.length;
  const empty = {
    run: header.run,
    held: 0,
    nFrames: header.n_frames,
    epochs: [],
    lastEpoch: header.last_epoch,
    diverged: header.diverged,
    network: { layers, activation, task, features },
    cards: header.cards,
    classes: header.classes,
    blank: header.blank,
    domain: header.domain,
    points: { train: arrays.train, validation: arrays.validation, test: arrays.test },
    nParameters,
    weightIndex: weightIndex(layers),
    metricNames: header.metrics,
    parameters: new Float32Array(rows * nParameters),
    metrics: new Float32Array(rows * header.metrics.length),
    spread: new Float32Array(rows),
  };
  return append(empty, { header, arrays });
}

/**
 * The recording with a message's frames at its end; the same one if they do not go there.
 *
 * @param {Recording} recording
 * @param {import("./codec.js").Message} message
 * @returns {Recording}
 */
export function append(recording, { header, arrays }) {
  if (header.run !== recording.run || header.frame !== recording.held) return recording;
  const { held, nParameters, metricNames, parameters, metrics, cards } = recording;
  const rows = held * cards.length;
  parameters.set(arrays.parameters, rows * nParameters);
  metrics.set(arrays.metrics, rows * metricNames.length);
  const grown = {
    ...recording,
    held: held + header.epochs.length,
    epochs: recording.epochs.concat(header.epochs),
    diverged: header.diverged,
  };
  for (let row = rows; row < grown.held * cards.length; row++) {
    recording.spread[row] = quantile(grown, row * nParameters);
  }
  return grown;
}

/** Where network `k` of frame `t` begins in `parameters`. */
export function rowOffset(recording, t, k) {
  return (t * recording.cards.length + k) * recording.nParameters;
}

/** A measure of network `k` at frame `t`; NaN where there is none. */
export function metric(recording, name, t, k) {
  const { cards, metricNames, metrics } = recording;
  return metrics[(t * cards.length + k) * metricNames.length + metricNames.indexOf(name)];
}

/** Whether network `k` has diverged by frame `t`. */
export function isDiverged(recording, t, k) {
  return recording.diverged[k] >= 0 && recording.epochs[t] >= recording.diverged[k];
}

/**
 * Half the width of the axis that all histograms of a run share. It never shrinks as frames arrive,
 * unless a network turns out to be diverging: its weights would squash everyone else's. Where all
 * diverge, the first frame decides.
 */
export function weightRange({ held, cards, spread, diverged }) {
  let most = 0;
  const finite = diverged.some((epoch) => epoch < 0);
  for (let t = 0; t < (finite ? held : 1); t++) {
    for (let k = 0; k < cards.length; k++) {
      if (!finite || diverged[k] < 0) most = Math.max(most, spread[t * cards.length + k]);
    }
  }
  return niceCeiling(most || 1);
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

function quantile({ parameters, weightIndex: index }, offset) {
  const sizes = Float32Array.from(index, (i) => Math.abs(parameters[offset + i])).sort();
  return sizes[Math.floor(SPREAD_QUANTILE * (sizes.length - 1))];
}
