/** Types of assets/board/panels. */

import type { Palette, Strip } from "../draw/diagram.js";
import type { Colour } from "../draw/types.d.ts";
import type { Card, Recording, RunNetwork } from "../state/types.d.ts";
import type { Units } from "../state/units.js";

export type HistogramColours = {bar: string, zero: string, axis: string};

/** Number of a unit, or index of a link's weight and the pointer's position on it; -1 for none. */
export type Target = {unit: number, index: number, x?: number, y?: number};

export type LineStyle = {dash: number[], width: number, colour: (own: Colour, ink: Colour, paper: Colour) => Colour};

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
