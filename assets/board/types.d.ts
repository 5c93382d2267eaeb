/** Types of the modules beside the folders. */

import type { Change } from "./panels/change.js";
import type { Focus } from "./panels/focus.js";
import type { Legend } from "./panels/legend.js";
import type { Picture } from "./panels/picture.js";
import type { Transport } from "./panels/transport.js";
import type { BoardState, Stage } from "./panels/types.d.ts";
import type { Claims, LocalView, Mark, Recording, RequestedView, Resolution, State, View, ViewReport } from "./state/types.d.ts";

/** The board as drawing.js draws it. */
export interface Drawn extends BoardState {
  state: State;
  resolution: Resolution;
  /** The data points, drawn once for all cards. */
  points: HTMLCanvasElement;
  transport: Transport;
  changePanel: Change;
  legend: Legend;
  focus: Focus;
  picture: Picture;
  summary: HTMLElement;
  commands: { seek(frame: number): void };
}

/** The board as commands.js changes it. */
export interface Commanded {
  stage: Stage | null;
  state: State;
  view: View;
  marks: Mark[];
  /** Null where there is no server. */
  requestChange: ((change: TrainingChange) => void) | null;
  openChange(open?: boolean): void;
  claims: Claims | null;
  /** Key of the claim that is shown or asked for. */
  claim: string | null;
  setPlayback(state: State): void;
  setView(view: View): void;
  askForClaim(key: string | null): void;
}

/** The board as reporter.js reports it. */
export interface Reported {
  recording: Recording | null;
  view: View;
  state: State;
  requestId: RequestedView["id"] | null;
  /** Key of the claim that is shown. */
  shownClaim: string | null;
}

/** For a claim, or with null for the scene before the claims. */
export interface ClaimRequest {
  key: string | null;
  view: ViewReport;
  local: LocalView;
}

/**
 * A change of the training from an epoch on, or the return to before the last one, see regviz/scenes/change.py;
 * or the choice of the naive or the corrected elastic net.
 */
export type TrainingChange = { run: string, network: number, epoch: number, learning_rate: number } | { run: string, undo: true } | { run: string, corrected: boolean };

/** For the frames of a run after the first `n_received`. */
export interface Request {
  run: string;
  n_received: number;
}

/** A card's strength, and with it the value of its second slider, if the card has one. */
export type Level = number | [number, number];

/** The traits of a notebook's widget; `BoardWidget` in Python documents them. */
export interface NotebookTraits {
  focus: string | null;
  levels: Record<string, Level>;
  epoch: number;
  n_messages: number;
  [message: `message_${number}`]: DataView;
}

/** The model that anywidget passes to the board. */
/** What a widget puts into its output cell. */
export interface CellContent {
  element: HTMLElement;
  /** Its colour is that of the background. */
  probe: HTMLElement;
  restyle(): void;
  /** Called once the element is in the document; returns a function that ends it. */
  begin(root: ShadowRoot, restyle: () => void): () => void;
}

export interface NotebookModel {
  get<Name extends keyof NotebookTraits>(name: Name): NotebookTraits[Name];
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, handler: () => void): void;
  off(event: string, handler: () => void): void;
}
