/** Types of assets/draw. */

import type { Look } from "./canvas.js";
import type { TOOLS } from "./controls.js";
import type { Drawing, History } from "./drawing.js";

export type Tool = keyof typeof TOOLS;

/** The pad as its controls show and change it. */
export interface Controlled {
  live: Drawing;
  history: History;
  tool: Tool;
  /** The class of new points. */
  label: number;
  /** The value of new points. */
  value: number;
  valueReach: number;
  names: string[];
  nClasses: number;
  looks: (label: number) => Look;
  change(drawing: Drawing): void;
  draw(): void;
  undo(): void;
  redo(): void;
}
