/** Types of assets/board/state. */

/** A Uint16Array has the bits of numbers in half precision. */
export type Numbers = Float32Array|Uint16Array;

/** A CSS colour for each theme. */
export type ByMode = {light: string, dark: string};

export type NumberType = "<f4"|"<f2";

/** A method at one value of its second parameter; methods without one have one variant. */
export interface Variant {
  /** Of the second parameter, as written in a link. */
  value: number|null;
  /** The same in words; or "". */
  text: string;
  /** From weak to strong. */
  networks: number[];
  /** Of each network, in words. */
  strengths: string[];
  /** Of each network. */
  drop_rates: number[];
  /** Of each network, whether its regularization acts on hidden units alone and there are none. */
  idle: boolean[];
  /** Of each network, as written in a link. */
  values: number[];
}

export interface Card {
  key: string;
  label: string;
  about: string;
  colour: ByMode;
  /** The second parameter: its name in links, its name on the card, and its explanation. */
  second: {parameter: string, label: string, about: string}|null;
  /** Of elastic net: whether it is the corrected one. Null where that is not defined, and of other methods. */
  corrected: boolean|null;
  variants: Variant[];
  /** Strength index without an entry in a link. */
  standard: number;
  /** Variant index without an entry in a link. */
  standard_variant: number;
  /** Strength index shown first. */
  strength_index: number;
  /** Variant index shown first. */
  variant_index: number;
  /** Whether the card shows the network that early stopping keeps. */
  early_stopped: boolean;
}

/** A part of the training in which all networks are the same. */
export interface Phase {
  /** Number of trained epochs after which it ends. */
  until: number;
  /** Name and strength of its regularization. */
  text: string;
  /** Whether it has any regularization. */
  regularized: boolean;
  drop_rate: number;
  learning_rate: number;
}

/** A view that the server requests; applied once for each id. */
export interface RequestedView {
  id: string|number;
  /** Key of a card, or null to keep the focus. */
  focus: string|null;
  /** Strength indices by card key. */
  strength_indices: Record<string, number>;
  /** Variant indices by card key. */
  variant_indices: Record<string, number>;
  /** Null to keep the epoch. */
  epoch: number|null;
  /** Whether to scroll to the board. */
  scroll: boolean;
  /** Whether to play on from the epoch; without one, from the start. */
  play: boolean;
  /** The part of the view that is not in links, or null to keep it. Missing entries are the defaults. */
  local?: LocalView|null;
  /** As of ViewReport. */
  plane?: [number, number]|null;
}

/** The part of a view that the server keeps for the board, as JSON. */
export interface LocalView {
  strengthIndices?: Record<string, number>;
  variantIndices?: Record<string, number>;
  linked?: boolean;
  discrete?: boolean;
  threshold?: number;
  chosen?: string[]|null;
  /** By card key: pairs of an index in the row and a value. */
  edits?: Record<string, [number, number][]>;
}

/** A sentence about regularization with a scene of its own. */
export interface Claim {
  key: string;
  title: string;
  /** Directions to the viewer. */
  watch: string;
}

/** The claims that the server offers. */
export interface Claims {
  offered: Claim[];
  /** Key of the claim opened last. */
  opened: string|null;
  /** Its networks by card key, or null if the run is not that of its scene. */
  networks: Record<string, number>|null;
  /** Whether there is a scene to return to. */
  undo: boolean;
}

/** The part of the board that a lesson shows. */
export interface Part {
  /** Panels below the cards. */
  show: string[];
  /** The controls that stay, beside the play button. */
  drag: ("strength"|"second"|"epoch"|"scene")[];
}

/** Of every message. */
export interface Header {
  version: number;
  run: string;
  /** The first frame of the message. */
  frame: number;
  /** Frames that the run will have. */
  n_frames: number;
  /** Number of this message in its session. */
  reply: number;
  /** Seconds to wait before the next request. */
  ask_after: number;
  /** Of the frames in the message. */
  epochs: number[];
  /** For each network the epoch at which it diverged, or -1. */
  diverged: number[];
  early_stopping: {best: number[], stop: (number|null)[]}|null;
  /** Query string of the experiment, or null if it is too long for a link. */
  link: string|null;
  requested_view?: RequestedView;
  claims?: Claims;
  part?: Part;
  /** Type and shape, by name. */
  arrays: Record<string, [NumberType, ...number[]]>;
}

/** Further entries in the header of the message with frame 0. */
export interface Opening {
  link_version: number;
  n_networks: number;
  last_epoch: number;
  patience: number;
  learning_rate: number;
  phases: Phase[];
  data: string;
  task: Task;
  names: string[];
  layers: number[];
  activation: string;
  normalization: Normalization;
  /** Whether gains and shifts follow the normalization. */
  affine: boolean;
  /** Whether the optimizer is Adam or AdamW. */
  adaptive: boolean;
  features: string[];
  /** Of a table with more than two columns; else empty. */
  columns: Column[];
  metrics: string[];
  domain: number[];
  cards: Card[];
  classes: string[];
  blank: ByMode;
}

/** A column of the data: its mean over the training points, and its range in pictures. */
export interface Column {
  name: string;
  mean: number;
  range: number[];
  /** Whether the targets depend on it; null if that is not known. */
  relevant: boolean|null;
}

/** Two columns and their ranges, and the means of all columns of a table; null of two columns. */
export type Plane = {axes: [number, number], x: number[], y: number[], means: number[]|null};

/** Rows of the columns and y. */
export type Splits = Record<"train"|"validation"|"test", Float32Array>;

export type Message = {header: Header, arrays: {parameters: Numbers, metrics: Float32Array}};

export type FirstMessage = {header: Header & Opening, arrays: Message["arrays"] & Splits};

export interface Displayed {
  card: Card;
  /** Index of the card. */
  c: number;
  /** Index of the network. */
  k: number;
  /** The frame: the board's, or an earlier one that early stopping keeps. */
  t: number;
  /** Its parameters, with edits. */
  row: Float32Array;
  /** Its parameters, with edits and pruned. */
  drawn: Float32Array;
  /** Its strength in words; or the epoch that early stopping keeps. */
  dial: string;
  /** Its variant in words; or "". */
  variant: string;
  /** Both. */
  strength: string;
  dropRate: number;
  /** Whether it is edited or pruned. */
  changed: boolean;
  /** "edited", "pruned", both, or "". */
  change: string;
  /** Whether it predicts the same everywhere. */
  constant: boolean;
  /** Whether its regularization has no effect for lack of a hidden layer. */
  idle: boolean;
  /** Differences from the trained network at the requested epoch, in words; or "". */
  remark: string;
  /** The epoch at which it has diverged, or null. */
  divergedEpoch: number|null;
}

/** A displayed network, for the summary. */
export interface Fact {
  /** Of its card. */
  key: string;
  label: string;
  /** Losses. */
  train: number;
  test: number;
  /** Weights that are not 0. */
  left: number;
  weights: number;
  /** Hidden units that are connected by such weights. */
  unitsLeft: number;
  units: number;
  divergedEpoch: number|null;
  constant: boolean;
  idle: boolean;
  /** Whether its predictions do not visibly differ from those without regularization. */
  unseen: boolean;
  earlyStopped: boolean;
  /** The earlier epoch that early stopping keeps, once it is known; else null. */
  keptEpoch: number|null;
}

/** The context of the facts of a summary. */
export interface Comparison {
  /** Key of the card in focus. */
  focus: string|null;
  epoch: number;
  /** The phase that trained the networks, or null after the last one. */
  phase: Phase|null;
  task: Task;
  /** Training loss of the best constant prediction. */
  constantLoss: number;
}

/** Points at which predictions are compared: the networks' inputs, and memory for the outputs of two networks. */
export type Probe = {n: number, inputs: Float64Array, a: Float64Array, b: Float64Array};

export type Task = "binary"|"multiclass"|"regression";

export type Normalization = "none"|"batch"|"layer";

export type Layers = {layers: number[], activation: string, normalization: Normalization, affine: boolean};

export type Network = Layers & {task: Task};

export interface Mark {
  /** "change", "best" or "stop". */
  kind: string;
  frame: number;
  epoch: number;
  text: string;
  tip: string;
}

export interface State {
  /** Index of the frame that is shown. */
  frame: number;
  /** While playing, position in frames with its fraction. */
  clock: number;
  /** Following: at the newest frame received; playing: at `speed`, waiting where frames arrive more slowly. */
  mode: "following"|"playing"|"resting";
  /** A multiple of FRAMES_PER_SECOND. */
  speed: number;
  /** Whether it starts over at the end. */
  loop: boolean;
  /** The epoch at which following ends; Infinity for the last one. */
  until: number;
  /** Whether it plays on from that epoch. */
  resume: boolean;
}

export type Extent = {nReceived: number, nFrames: number, epochs: number[]};

/** Number of points, the network's inputs, targets (class or value), memory for its outputs. */
export type PointSet = {n: number, inputs: Float64Array, targets: Float64Array, raw: Float64Array};

/** Mean data loss, and share of points classified correctly. */
export type Score = {loss: number, accuracy: number};

/** A row of parameters and its measures. */
export interface Measured {
  row: Float32Array;
  /** Weights that are not 0. */
  left: number;
  /** Hidden units connected to an input and to an output. */
  connected: number;
  loss: number;
  accuracy: number;
}

/** Its message's arrays, and its index there. */
export interface Frame {
  parameters: Numbers;
  metrics: Float32Array;
  index: number;
}

/** Names: of the classes; empty if they have none. */
export type RunNetwork = Network & {adaptive: boolean, features: string[], names: string[], nColumns?: number};

export interface Recording {
  run: string;
  /** Received so far. */
  frames: Frame[];
  /** Whether any frame was sent in half precision. */
  half: boolean;
  /** Frames received. */
  nReceived: number;
  /** Frames that the run will have. */
  nFrames: number;
  /** The epoch of each received frame. */
  epochs: number[];
  lastEpoch: number;
  /** Epochs without improvement that early stopping waits for. */
  patience: number;
  /** Of the last part of the training. */
  learningRate: number;
  /** First parts of the training, in which all networks are the same. */
  phases: Phase[];
  /** For each network the epoch that early stopping keeps and the one at which it stops, as far as the run has decided. */
  stopping: ({best: number, stop: number|null}|null)[];
  /** For each network the epoch at which it diverged, or -1. */
  diverged: Int32Array;
  network: RunNetwork;
  /** Name of the dataset. */
  data: string;
  /** Query string of the experiment, or null if it is too long for a link. */
  link: string|null;
  /** Of that query string. */
  version: number;
  cards: Card[];
  classes: string[];
  blank: ByMode;
  domain: number[];
  columns: Column[];
  points: Splits;
  nParameters: number;
  /** Indices of the weights in a row; the others are biases. */
  weightIndex: Int32Array;
  metricNames: string[];
  /** The SPREAD_QUANTILE of |w| for each of the cards' first networks, at each received frame. */
  spreads: number[][];
}

/** A model that `regviz.show` compares. */
export interface ModelHeader {
  name: string;
  colour: ByMode;
  /** Log-odds or logarithms of probabilities; scaled decision values; classes alone; values of a regression. */
  kind: "probability"|"decision"|"class"|"value";
  /** Of decision values. */
  factor: number;
  /** Terms and values. */
  numbers: [string, string][];
}

/** The header of a message with models' outputs, of shape (rows, models, outputs, columns). */
export interface ModelsHeader {
  task: Task;
  names: string[];
  /** Names of the two inputs. */
  axes: [string, string];
  x: [number, number];
  y: [number, number];
  models: ModelHeader[];
  classes: string[];
  blank: ByMode;
  arrays: Record<string, [NumberType, ...number[]]>;
}

/** `raw`: (outputs, rows, columns), from the upper left corner. */
export type Model = ModelHeader & {raw: Float64Array};

export interface Models {
  network: RunNetwork;
  points: Splits;
  domain: number[];
  plane: Plane;
  axes: [string, string];
  classes: string[];
  blank: ByMode;
  /** Points along each side. */
  grid: number;
  models: Model[];
}

/** An index into GRIDS, and the numbers of the last consecutive drawings that took longer than SLOW_MS and less than QUICK_MS. */
export type Resolution = {coarse: number, slow: number, quick: number};

export interface Stopping {
  /** Frame of the kept network, or the nearest before it. */
  best: number;
  bestEpoch: number;
  /** Frame at which training would end; null if not yet known, or without validation points. */
  stop: number|null;
  stopEpoch: number|null;
  /** Whether further frames cannot change the result. */
  settled: boolean;
}

export interface Shape {
  layers: number[];
  /** Number of each layer's first unit. */
  first: number[];
  /** Index in a row of each layer's first parameter; the inputs have none. */
  at: number[];
  /** Number of units. */
  count: number;
  /** Number of parameters. */
  total: number;
}

/** Every unit's values at n points. */
export interface LayerValues {
  n: number;
  /** (units, n). */
  values: Float64Array;
  /** Of each layer. */
  views: Float64Array[];
  /** Each layer as a network without hidden layers. */
  steps: Layers[];
}

export interface View {
  /** Key of the card in focus. */
  focus: string|null;
  /** Strength index of each card, by its key. */
  strengthIndices: Record<string, number>;
  /** Variant index of each card, by its key. */
  variantIndices: Record<string, number>;
  /** Whether one strength slider moves all strengths. */
  linked: boolean;
  /** Whether boundaries show classes instead of probabilities. */
  discrete: boolean;
  /** Weights with a smaller |w| are pruned; 0 for none. */
  threshold: number;
  /** Changed parameters by index in the row, by card. */
  edits: Record<string, Map<number, number>>;
  /** Whether the board fills the screen, with few cards and large text. */
  projected: boolean;
  /** Keys of the cards to project, those chosen last at the end; null until any is chosen. */
  chosen: string[]|null;
  /** Whether the board is hidden. */
  blank: boolean;
  /** Whether tables of more than two columns are shown in a plane, and not by weights. */
  inPlane: boolean;
  /** The columns of that plane. */
  axes: [number, number];
}

/** The view as reported to the server and written to the address bar. */
export interface ViewReport {
  /** Of the last requested view that was applied. */
  request_id: string|number|null;
  focus: string|null;
  strength_indices: Record<string, number>;
  variant_indices: Record<string, number>;
  /** Null at the last epoch, and while playing or following. */
  epoch: number|null;
  /** Numbers of the columns of the plane that is shown, from 1; null if none is chosen. */
  plane: [number, number]|null;
}

/** Prediction of a card's network at a point. */
export type Prediction = {label: string, text: string};

/** Measures of a network at an epoch, by name. */
export type TaskMeasures = Record<string, number>;

/** One side of a comparison: a measure of a method's network, or a number. */
export interface Operand {
  /** Null for a number. */
  measure: string|null;
  /** Key of the method; null for that of the task. */
  method: string|null;
  number: number;
}

/** Comparisons that must all hold for a lesson's task. */
export interface Condition {
  comparisons: {left: Operand, sign: "<"|"<="|">"|">=", right: Operand}[];
}
