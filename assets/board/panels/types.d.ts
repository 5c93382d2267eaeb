/** Types of assets/board/panels. */

import type { Palette, Strip } from "../draw/diagram.js";
import type { Painter } from "../draw/painter.js";
import type { Colour, Diagram, Scale, Series, SvgShape, Theme } from "../draw/types.d.ts";
import type { Card, Displayed, Mark, Plane, Recording, RunNetwork, View } from "../state/types.d.ts";
import type { Units } from "../state/units.js";
import type { CardElements } from "./card.js";
import type { Editor } from "./editor.js";

/** A recording in a theme, and what shows it. */
export interface Stage {
  recording: Recording;
  theme: Theme;
  scale: Scale;
  /** The plane that is drawn. */
  plane: Plane;
  /** By grid points along a side. */
  painters: Map<number, Painter>;
  cards: CardElements[];
  /** One for each card. */
  displayed: Displayed[];
}

/** The board's state beside the stage. */
export interface BoardState {
  view: View;
  /** Axes of all cards' histograms; see `weightAxes`. */
  axes: Axes;
  /** Of the network in focus. */
  marks: Mark[];
  /** Of the crosshair. */
  place: Place|null;
  /** In CSS pixels: side of a card's boundary, width and height of its histogram, side of the closeup. */
  size: {width: number, bars: number, histogram: number, closeup: number};
  /** Device pixels per CSS pixel of the board, which is larger than the page's while projecting. */
  ratio: number;
  /** Whether the pictures are drawn at full resolution. */
  fine: boolean;
}

/** The board as it is exported. */
export interface Exported extends Stage {
  view: View;
  axes: Axes;
  frame: number;
  /** The entries of the legend. */
  signs: HTMLElement;
  element: HTMLElement;
  probe: HTMLElement;
}

/**
 * `range`: |w| at either end of the horizontal axis; `most`: the count at full height; `reach`: the largest
 * number on the axis of the bars of a table's inputs.
 */
export type Axes = {range: number, most: number, reach: number};

export interface CardHandlers {
  focus(c: number): void;
  setStrength(key: string, strengthIndex: number): void;
  setVariant(key: string, variantIndex: number): void;
  /** Null where the elastic net cannot be chosen. */
  correct: ((corrected: boolean) => void)|null;
  point: OnPoint;
}

export interface TransportHandlers {
  toggle(): void;
  restart(): void;
  seek(frame: number): void;
  step(frames: number): void;
  cycleSpeed(): void;
  toggleLoop(): void;
  setAllStrengths(strengthIndex: number): void;
  toggleLink(): void;
  toggleProjection(): void;
}

export interface ChangeHandlers {
  toggleChange(): void;
  closeChange(): void;
  changeFromHere(change: { network: number, epoch: number, learning_rate: number }): void;
  undoChange(): void;
}

export interface ClaimHandlers {
  tryClaim(key: string): void;
  stepClaim(by: number): void;
  undoClaim(): void;
}

export interface ProjectionHandlers {
  toggleCard(key: string): void;
  toggleBlank(): void;
  toggleProjection(): void;
}

export interface FocusHandlers {
  seek(frame: number): void;
  focusOn(c: number): void;
  toggleDiscrete(): void;
  prune(threshold: number): void;
  edit(index: number, value: number): void;
  undoEdit(index?: number): void;
}

export type HistogramColours = {bar: string, zero: string, axis: string};

/** Number of a unit, or index of a link's weight and the pointer's position on it; -1 for none. */
export type Target = {unit: number, index: number, x?: number, y?: number};

/** An entry of the network's legend. */
export type Sign = [text: string, shape: SvgShape, tip: string];

export interface NetworkHandlers {
  /** Changes a parameter, given by its index in the row. */
  onEdit(index: number, value: number): void;
  /** Restores a parameter's trained value, or those of all parameters without an index. */
  onReset(index?: number): void;
}

/** A run in the network panel. */
export interface NetworkRun {
  /** Name of the run. */
  id: string;
  /** In which the units' values are shown. */
  plane: Plane;
  units: Units;
  strip: Strip;
  /** One entry for each unit. */
  memory: Uint8Array;
  /** One for each unit. */
  buttons: HTMLButtonElement[];
  /** One for each layer. */
  headings: {name: HTMLElement, count: HTMLElement, element: HTMLElement}[];
}

/** The network that the diagram shows. */
export interface ShownDiagram {
  recording: Recording;
  /** Its parameters, with edits. */
  row: Float32Array;
  palette: Palette;
  /** Device pixels per CSS pixel. */
  ratio: number;
  /** The frame. */
  t: number;
  /** Of the method. */
  colour: string;
  /** Edited parameters by index in the row. */
  edited: Map<number, number>;
  /** The |w| with the thickest link. */
  range: number;
  dropRate: number;
  plane: Plane;
}

export interface DiagramLayout {
  diagram: Diagram;
  font: string;
  /** Names of inputs and outputs, as drawn. */
  inputs: string[];
  outputs: string[];
}

export interface DiagramElements {
  element: HTMLElement;
  stage: HTMLElement;
  /** Of the units' buttons. */
  grid: HTMLElement;
  editor: Editor;
}

export interface DiagramActions {
  buttons(): HTMLButtonElement[];
  /** Returns the target at a place, in shares of the stage's sides. */
  locate(x: number, y: number, slack: number): Target;
  /** Returns the unit next to `u` in an arrow key's direction. */
  neighbour(u: number, key: string): number;
  draw(): void;
  edit(index: number): void;
  editUnit(unit: number): void;
  close(back: boolean): void;
}

export type LineStyle = {dash: number[], width: number, colour: (own: Colour, ink: Colour, paper: Colour) => Colour};

/** The lines of all cards' networks. */
export type Lines = {recording: Recording, key: string, series: Series[]};

export type ShownNetwork = {recording: Recording, k: number, card: Card, mode: string};

/** As shares of the picture's sides, from its upper left corner. */
export type Place = {x: number, y: number};

/** Null when the pointer leaves. */
export type OnPoint = (place: Place|null) => void;

/** The shown network and its display. */
export interface ReadoutView {
  recording: {network: RunNetwork};
  units: Units;
  row: Float32Array;
  strip: Strip;
  palette: Palette;
  ratio: number;
  mask: Uint8Array|null;
  edited: Map<number, number>;
}
