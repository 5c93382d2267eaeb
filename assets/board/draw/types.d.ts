/** Types of assets/board/draw. */

import type { Task } from "../state/types.d.ts";

/** The part of a canvas context that points and histograms use; `SvgContext` of the export has it too. */
export interface DrawingContext {
  fillStyle: string | CanvasGradient | CanvasPattern;
  strokeStyle: string | CanvasGradient | CanvasPattern;
  lineWidth: number;
  lineJoin: CanvasLineJoin;
  globalAlpha: number;
  setTransform(a: number, b: number, c: number, d: number, e: number, f: number): void;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  beginPath(): void;
  closePath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, radius: number, start: number, end: number): void;
  fill(): void;
  stroke(): void;
}

/** How bars of weights look. */
export interface BarStyle {
  colour: string;
  theme: Theme;
  /** Largest |value| on the axis. */
  reach: number;
  /** Whether values have a sign. */
  signed: boolean;
  /** Whether axis and names are written. */
  named: boolean;
}

export type SvgShape = [tag: string, attributes: Record<string, string|number>];

/** In CSS pixels. */
export type Size = {width: number, height: number};

export type Spot = {x: number, y: number};

export interface Diagram {
  /** Middle of each layer. */
  x: Float32Array;
  /** Middle of each unit. */
  y: Float32Array;
  /** Of the units of each layer. */
  side: Float32Array;
  /** Distance of neighbouring layers. */
  pitch: number;
  /** Width of the thickest link. */
  thick: number;
  width: number;
  height: number;
  /** Memory for `drawLinks`: each link's style. */
  codes: Uint8Array;
}

export interface Series {
  name: string;
  /** Explanation of the name. */
  tip: string;
  /** One for each frame, NaN or missing where undefined; null: the series has an entry in the legend and no line. */
  values: ArrayLike<number>|null;
  colour: string;
  dash: number[];
  width: number;
  /** Format in the legend. */
  formatValue: (value: number|undefined) => string;
  /** The method whose line it is, in a chart of all methods. */
  method?: LineMethod;
}

export interface LineMethod {
  /** Index of its card. A click on the line or its entry in the legend focuses it. */
  card: number;
  /** Whether it is in focus: its line is drawn over the others. */
  focused: boolean;
  /** Of the card's number at the end of the line. */
  colour: string;
}

export type Label = {text: string, x: number, y: number, colour: string};

export type ChartMark = {epoch: number, text: string};

export interface Data {
  /** The vertical axis only grows while the key is the same. */
  key: string;
  /** Of the received frames. */
  epochs: number[];
  lastEpoch: number;
  /** Frames that the run will have. */
  nFrames: number;
  /** A new array whenever a number or a colour differs. */
  series: Series[];
  marks: readonly ChartMark[];
  /** The frame that is shown. */
  now: number;
  log: boolean;
  /** Least range of the vertical axis, from a value above 0. */
  yRange: readonly [number, number];
  /** Limit of the vertical axis. Lines beyond it, or beyond the axis of a spike, leave the chart. */
  yMost: number;
  yLabel: string;
  /** Format of the vertical axis's labels. */
  format: (tick: number) => string;
}

/** Of a chart, in CSS. */
export type Colours = Record<"ink"|"paper"|"text"|"axis"|"grid"|"faint", string>;

export interface Plot {
  data: Data;
  width: number;
  height: number;
  /** Device pixels per CSS pixel. */
  ratio: number;
  /** The ends of the vertical axis. */
  low: number;
  high: number;
  colours: Colours;
  /** A family. */
  font: string;
  /** The frame under the pointer, or -1. */
  hover: number;
  picture: HTMLCanvasElement;
  /** Labels of marks that are drawn over the lines, for lack of space above. */
  crowded: {text: string, x: number}[];
  /** Numbers of the cards, at the ends of their lines. */
  ends: Label[];
}

export interface Scale {
  task: Task;
  /** In regression, the value without colour. */
  middle: number;
  /** In regression, the distance from `middle` at which the colour is full. */
  reach: number;
  /** Of a class, or of a value. */
  colour: (label: number) => Colour;
  /** In multiclass tasks one for each class, else one. */
  tables: Uint32Array[];
  /** The same without intermediate shades. */
  discrete: Uint32Array[];
}

/** Red, green, blue from 0 to 255. */
export type Colour = number[];

export type Theme = {dark: boolean, mode: "light"|"dark", ink: string, paper: string};
