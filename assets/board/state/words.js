/** The board's texts: terms with explanations, formatted numbers, and descriptions of pictures. */

/** @import {Displayed, Phase, Prediction, Recording, Task} from "./types.d.ts" */

const MINUS = "−";

/** @type {Record<string, {label: string, text: (task: Task) => string}>} */
export const TERMS = {
  test_loss: {
    label: "test loss",
    text: (task) => `${loss(task)} on the test points, which no network was trained on. Lower is better. The penalty is not included.`,
  },
  train_loss: {
    label: "train loss",
    text: (task) => `${loss(task)} on the points that the network was trained on. The penalty is not included.`,
  },
  gap: {
    label: "gap",
    text: () => "Test loss − train loss. Far above 0, the network has learned its training points by heart: it overfits.",
  },
  test_accuracy: {
    label: "accuracy",
    text: () => "Share of the test points whose class the network finds most probable.",
  },
  sparsity: {
    label: "exact zeros",
    text: () => "Share of weights w = 0, exactly, not just nearly. Such a link of the network is gone. Biases are not counted.",
  },
  units_left: {
    label: "units left",
    text: () => "Number of hidden units that weights other than 0 connect to an input and to an output. The others have no effect on the answer, but for a constant.",
  },
};

/**
 * Return the names of the terms that cards show. Units are counted beside the group lasso, which sets
 * whole units to 0.
 *
 * @param {Pick<Recording, "cards"|"network">} recording
 */
export function termsOf({ cards, network: { task, layers } }) {
  const units = layers.length > 2 && cards.some(({ key }) => key === "group_lasso");
  return Object.keys(TERMS).filter((name) => (name !== "test_accuracy" || task !== "regression") && (name !== "units_left" || units));
}

export const HISTOGRAM =
  "How many weights have which value; biases are left out. The bar in the middle counts the weights that are exactly 0. Bar height ∝ √count, on the same axes in every card; the outermost bars hold all that lies beyond.";

/**
 * Explain the large picture of the boundary.
 *
 * @param {Task} task
 */
export function boundary(task) {
  const picture = {
    binary: "the colour is the class, the paler the less sure; the line is where p = ½. A ring marks the points that it gets wrong.",
    multiclass: "the colour is the most probable class, the paler the less sure; the lines are where another class takes over. A ring marks the points that it gets wrong.",
    regression: "the colour is the predicted value, and that of a point its true value: where the two are alike, the network is right.",
  };
  return `What the network in focus predicts all over the plane: ${picture[task]} Filled points were trained on, hollow ones are test points. Point anywhere to ask all networks.`;
}

export const DISCRETE = "Show the predicted class alone, not how sure the network is of it.";

/** @type {Record<string, string>} Explanations of strengths, by their first word. */
const SYMBOLS = {
  "λ₁": "λ₁ (lambda) is the price of each unit of |w|, added to the loss. The larger it is, the more weights become exactly 0.",
  "λ₂": "λ₂ (lambda) is the price of w²/2, added to the loss. The larger it is, the smaller the weights become.",
  "λ": "λ (lambda) is the price of the weights, added to the loss. The larger it is, the stronger the pull towards 0.",
  "λg": "λg (lambda) is the price of the length of each hidden unit's weights, added to the loss. The larger it is, the more units vanish as a whole.",
  c: "c is the largest length of a unit's incoming weights. The smaller it is, the more it restricts the network.",
  drop: "The share of hidden units that are dropped in each training step. The others are kept. All units are used when the picture is drawn.",
  kept: "The epoch at which the validation loss was lowest. Early stopping keeps that network.",
  not: "The lowest validation loss is still to come. So far this is the network without regularization.",
};

/**
 * Explain the strength of a card, or return "" for a symbol that is not built in.
 *
 * @param {string} strength  in words
 */
export function strengthTip(strength) {
  return SYMBOLS[strength.split(" ")[0]] ?? "";
}

/**
 * Write a dropout rate with the share kept, "drop 20 % · keep 80 %". Shares that are not whole percents
 * would not fit on the narrowest card, so that the rate stays alone.
 *
 * @param {string} strength  "drop 20 %"
 * @param {number} rate
 */
export function withShareKept(strength, rate) {
  const kept = +(100 * (1 - rate)).toPrecision(5);
  return Number.isInteger(kept) ? `${strength} · keep ${kept} %` : strength;
}

/**
 * Write a strength with the variant of its method, "λ = 0.005, 50 % L1".
 *
 * @param {string} strength
 * @param {string} variant  or ""
 */
export function withVariant(strength, variant) {
  return variant ? `${strength}, ${variant}` : strength;
}

export const EPOCH =
  "Passes over all training points. The recording is dense at first, where networks change fast, so the slider's first half holds the early epochs.";

export const SPEED = "How fast the recording is played. Training itself is as fast as it can be.";

export const STRENGTH =
  "How strong all regularizers are, from no visible effect to collapse. The values on offer are chosen for these data, this network and this training, so that most of the slider does something. All of these networks are trained already. Linked sliders stay as far apart as they are at first. Unlink them to set each on its card.";

/**
 * Name the data loss.
 *
 * @param {Task} task
 */
function loss(task) {
  return task === "regression"
    ? "Half the mean squared error, ½·mean (prediction − target)²,"
    : "Mean cross-entropy, −mean ln p(true class),";
}

/**
 * Format a number of any size in a few digits.
 *
 * @param {number} x
 * @param {number} [decimals=2]
 */
export function number(x, decimals = 2) {
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (size >= 9999.5) return x.toExponential(1).replace("e+", "e").replace("-", MINUS);
  const text = x.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : decimals);
  return readsZero(text) ? text.replace("-", "") : text.replace("-", MINUS);
}

/**
 * Whether a number with decimals reads 0.
 *
 * @param {string} text
 */
function readsZero(text) {
  return /^-?0\.0+$/.test(text);
}

/**
 * Format a weight or a bias like `number`, or with two digits and an exponent if it would read 0.
 *
 * @param {number} x
 * @param {number} [decimals=2]
 */
export function parameter(x, decimals = 2) {
  const text = number(x, decimals);
  return x !== 0 && readsZero(text) ? x.toExponential(1).replaceAll("-", MINUS) : text;
}

/**
 * Format a weight with three decimals, or with two digits and an exponent if it would read 0.
 *
 * @param {number} w
 */
export function weight(w) {
  return `w = ${parameter(w, 3)}`;
}

/**
 * Format a number with its sign, or without one if it rounds to 0.
 *
 * @param {number} x
 * @param {number} [decimals=2]
 */
export function signed(x, decimals = 2) {
  if (!Number.isFinite(x)) return "–";
  const text = number(x, decimals);
  return x > 0 && !readsZero(text) ? `+${text}` : text;
}

/**
 * Format a share in percent. Only 1 and 0 themselves read 100 % and 0 %.
 *
 * @param {number} share
 */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  // recorded shares have single precision: one that is exactly half a percent may lie just below it
  const rounded = Math.round(100 * share + 1e-5);
  if (rounded === 0 && share > 0) return "<1 %";
  if (rounded === 100 && share < 1) return ">99 %";
  return `${rounded} %`;
}

/**
 * Formats of the measures. Squared errors are small and have one decimal more.
 *
 * @type {Record<string, (x: number, task: Task) => string>}
 */
export const FORMATS = {
  test_loss: (x, task) => number(x, decimals(task)),
  train_loss: (x, task) => number(x, decimals(task)),
  gap: (x, task) => signed(x, decimals(task)),
  test_accuracy: percent,
  sparsity: percent,
  units_left: String,
};

/**
 * Return the number of decimals of a loss.
 *
 * @param {Task} task
 */
function decimals(task) {
  return task === "regression" ? 3 : 2;
}

/**
 * "105 of 152 exactly 0"
 *
 * @param {number} count
 * @param {number} weights
 */
export function zeros(count, weights) {
  return `${count} of ${weights} exactly 0`;
}

/**
 * "at (0.31, −1.20): None 0.98, L1 0.71"
 *
 * @param {number[]} point
 * @param {Prediction[]} predictions
 */
export function predictionsAt([x1, x2], predictions) {
  return `at (${number(x1)}, ${number(x2)}): ${predictions.map(({ label, text }) => `${label} ${text}`).join(" · ")}`;
}

export const WEIGHTS = {
  weights: "One bar for each input, in order: its weight. All cards have the same axis.",
  norms: "One bar for each input, in order: the length (Euclidean norm) of its outgoing weights in the first layer. All cards have the same axis.",
  zero: "A grey mark at the bottom: exactly 0. The network does not use this input.",
  relevant: "A dark mark at the top: the data were made from this column. The others are noise.",
  plane: "The boundary in the plane of two inputs, all others at their mean. Points lie where their two inputs are; their other inputs differ from the mean, so that a point need not have the colour below it.",
};

/**
 * "body mass index: None 0.31 · L1 0"
 *
 * @param {string} name
 * @param {Prediction[]} values
 */
export function weightsOf(name, values) {
  return `${name}: ${values.map(({ label, text }) => `${label} ${text}`).join(" · ")}`;
}

/**
 * Format the number of an input: 0 alone is exactly 0.
 *
 * @param {number} value
 */
export function inputWeight(value) {
  return value === 0 ? "0" : parameter(value, 3);
}

/**
 * "Weights of 60 inputs, 5 are not 0; the largest: x3 0.42, x1 −0.2."
 *
 * @param {boolean} areWeights
 * @param {number} left
 * @param {number} inputs
 * @param {{label: string, value: number}[]} largest
 */
export function barsOf(areWeights, left, inputs, largest) {
  const what = areWeights ? "Weights" : "Lengths of the outgoing weights";
  const list = largest.map(({ label, value }) => `${label} ${inputWeight(value)}`).join(", ");
  return `${what} of ${inputs} inputs, ${left} are not 0${list && `; the largest: ${list}`}.`;
}

/**
 * Return a class's name, or "class 0" and so on if it has none.
 *
 * @param {{names?: string[]}} network
 * @param {number} c
 */
export function className({ names }, c) {
  return names?.[c] ?? `class ${c}`;
}

/**
 * Shorten a name to 12 characters.
 *
 * @param {string} name
 */
export function shortened(name) {
  return name.length > 12 ? `${name.slice(0, 11)}…` : name;
}

/**
 * Format a prediction: the probability of class 1, the most probable class and its probability, or a
 * value.
 *
 * @param {Task} task
 * @param {number[]} values
 */
export function prediction(task, values) {
  if (task === "regression") return number(values[0]);
  const share = (/** @type {number} */ p) => (p > 0.995 && p < 1 ? ">.99" : p < 0.005 && p > 0 ? "<.01" : p.toFixed(2).replace(/^0/, ""));
  if (task === "binary") return `p ${share(values[0])}`;
  const best = values.indexOf(Math.max(...values));
  return `${best}: ${share(values[best])}`;
}

/**
 * "Misclassified: 3 of 60 training points, 41 of 320 test points."
 *
 * @param {Task} task
 * @param {number[]} wrong
 * @param {number[]} total
 */
export function misclassified(task, [train, test], [nTrain, nTest]) {
  if (task === "regression") return `${nTrain} training points and ${nTest} test points.`;
  return `Misclassified: ${train} of ${nTrain} training points, ${test} of ${nTest} test points.`;
}

/**
 * Describe the network in focus if it is edited or pruned.
 *
 * @param {string} how
 */
export function changed(how) {
  return `${how}; the curves over the epochs are those of the network as it was trained`;
}

/**
 * Name the epoch of a card, if it differs from the requested one.
 *
 * @param {number} epoch
 */
export function atEpoch(epoch) {
  return `epoch ${epoch}`;
}

/** Remark on a card whose network predicts the same everywhere. */
export const CONSTANT = "same answer everywhere";

/** Remark on a card whose method acts on hidden units, of which there are none. */
export const NO_HIDDEN_LAYER = "no effect: no hidden layer";

export const MARKS = {
  change: (/** @type {Phase} */ { until, text, regularized }, /** @type {boolean} */ last) =>
    !regularized && last ? `Regularization is switched on at epoch ${until}.` : `Until epoch ${until}: ${text}, all networks are the same. ${last ? "Then each goes on with its own regularization." : "Then the training changes."}`,
  best: (/** @type {number} */ epoch, /** @type {string} */ label) => `Epoch ${epoch}: the lowest validation loss of ${label}. Early stopping would keep this network. Key: B`,
  stop: (/** @type {number} */ epoch, /** @type {string} */ label, /** @type {number} */ patience) =>
    `Epoch ${epoch}: early stopping would end the training of ${label} here, ${patience} epochs or more without a better validation loss. Key: S`,
};

/** Added to the explanation of a second parameter that has one value only. */
export const ONE_VARIANT = " Not to be chosen here: with so many weights, the networks of all its values would be too large.";

/** The elastic nets of a linear regression, and their explanations. */
export const CORRECTION = {
  naive: { label: "naive", tip: "The elastic net as it is trained. It shrinks the weights twice: by L1 and by L2." },
  corrected: { label: "corrected", tip: "The weights of the naive elastic net times 1 + λ₂. The bias keeps the mean prediction." },
};

/** Reasons why the training cannot change at the shown epoch. */
export const NO_CHANGE = {
  start: "Epoch 0 is the start: nothing is trained yet. Go to a later epoch first.",
  diverged: "This network has diverged. Go to an earlier epoch, or look at another card.",
};

/**
 * Say what a change of the training would do.
 *
 * @param {Pick<Displayed, "card"|"strength"|"changed">} displayed  in focus
 * @param {number} epoch
 * @param {Phase|null} phase  that has trained the networks of this epoch
 */
export function changeFrom({ card, strength, changed }, epoch, phase) {
  const own = card.early_stopped ? "None" : [card.label, strength].filter(Boolean).join(" ");
  const first = `All networks go on from ${phase ? phase.text : own} as it is at epoch ${epoch}, each with its own regularization. The optimizer's state goes on with it.`;
  return changed ? `${first} Edits and pruning do not.` : first;
}

/**
 * Name the changes so far.
 *
 * @param {readonly Phase[]} phases
 * @param {number} learningRate  after them
 */
export function withPhases(phases, learningRate) {
  const parts = phases.map(({ until, text, regularized, learning_rate }) =>
    `until epoch ${until}: ${regularized ? text : "no regularization"}, learning rate ${learning_rate}`);
  return parts.length ? `All networks are the same ${parts.join("; ")}. Then each has its own regularization, at learning rate ${learningRate}.` : "";
}

/**
 * Return the text in place of a strength on the card of early stopping.
 *
 * @param {number} epoch  that is kept
 * @param {boolean} over  whether the shown epoch has reached it
 */
export function keptFrom(epoch, over) {
  return over ? `kept from epoch ${epoch}` : "not stopped yet";
}

/**
 * "epoch 137 of 400"
 *
 * @param {number} epoch
 * @param {number} last
 */
export function epochOf(epoch, last) {
  return `epoch ${epoch} of ${last}`;
}

/**
 * "diverged at epoch 12"
 *
 * @param {number} epoch
 */
export function divergedAt(epoch) {
  return `diverged at epoch ${epoch}`;
}

export const DIVERGED =
  "Loss or weights are no longer finite numbers. The picture stays at the last network that was.";

/**
 * Describe a card's picture in a sentence.
 *
 * @param {{label: string, strength: string, task: Task, epoch: number, testLoss: number, accuracy: number,
 *   zeros: number, weights: number, diverged: number|null}} card
 */
export function pictureOf({ label, strength, epoch, task, testLoss, accuracy, zeros: n, weights, diverged }) {
  const name = strength ? `${label}, ${strength}` : label;
  if (diverged !== null) return `${name}: ${divergedAt(diverged)}; the last finite network is shown.`;
  const correct = Number.isFinite(accuracy) ? `, ${percent(accuracy)} of test points correct` : "";
  return `${name}, at epoch ${epoch}: test loss ${FORMATS.test_loss(testLoss, task)}${correct}, ${percent(n / weights)} of ${weights} weights are exactly zero.`;
}

/**
 * Describe a histogram in a sentence.
 *
 * @param {string} label
 * @param {number} epoch
 * @param {number} n
 * @param {number} weights
 */
export function histogramOf(label, epoch, n, weights) {
  return `Weights of ${label} at epoch ${epoch}: ${zeros(n, weights)}.`;
}

/**
 * Format a number for an axis, with three digits.
 *
 * @param {number} x
 */
export function axis(x) {
  return String(+x.toPrecision(3)).replace("-", MINUS);
}
