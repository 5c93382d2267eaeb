/**
 * The button "Change from here" and its panel: all networks go on from the network in focus, as it is
 * at the shown epoch, each with its own regularization.
 */

/**
 * @import {Displayed, Recording} from "../state/types.d.ts"
 * @import {ChangeHandlers} from "./types.d.ts"
 */

import { icon, make, setText } from "../draw/dom.js";
import { phaseOf } from "../state/phases.js";
import { changeFrom, NO_CHANGE, withPhases } from "../state/words.js";

const BRANCH = "M6 4h2.4v6.2a8 8 0 0 1 3.9-1h2.9V6.4L20 10.4l-4.8 4V11.6h-2.9a3.9 3.9 0 0 0-3.9 3.9V20H6z";
// learning rates to choose, relative to the present one; those out of range are left out
const FACTORS = [0.1, 0.3, 1, 3, 10];
const RANGE = [1e-5, 10];

/**
 * Create the button and the panel.
 *
 * @typedef {ReturnType<typeof makeChange>} Change
 *
 * @param {ChangeHandlers} handlers
 */
export function makeChange(handlers) {
  const label = "Change from here: go on from this network in another way";
  const button = make(
    "button",
    { type: "button", class: "key change", "aria-label": label, title: label, "aria-expanded": "false" },
    icon("0 0 24 24", ["path", { d: BRANCH }]),
  );
  const text = make("p", {});
  const rate = make("select", {});
  const go = make("button", { type: "button", class: "toggle main" }, "Change from here");
  const past = make("p", {});
  const undo = make("button", { type: "button", class: "toggle" }, "Undo the last change");
  const close = make("button", { type: "button", class: "toggle" }, "Close");
  const panel = make(
    "div",
    { class: "change-panel", role: "dialog", "aria-label": "Change from here", tabindex: "-1", hidden: "" },
    make("h2", {}, "Change from here"),
    text,
    make("label", {}, "Learning rate from here", rate),
    past,
    make("div", { class: "actions" }, go, undo, close),
  );
  const change = {
    button, panel, text, rate, go, past, undo,
    /** Run and learning rate of the offered learning rates. */ offered: "",
    /** @type {{network: number, epoch: number}|null} the change that the panel offers */ offer: null,
  };
  button.addEventListener("click", () => handlers.toggleChange());
  close.addEventListener("click", () => handlers.closeChange());
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    handlers.closeChange();
  });
  go.addEventListener("click", () => {
    if (change.offer) handlers.changeFromHere({ ...change.offer, learning_rate: Number(rate.value) });
  });
  undo.addEventListener("click", () => handlers.undoChange());
  return change;
}

/**
 * Open or close the panel.
 *
 * @param {Change} change
 * @param {boolean} open
 */
export function openChange(change, open) {
  const { button, panel } = change;
  if (panel.hidden === !open) return;
  // a choice that was not followed is forgotten
  change.offered = "";
  const focused = panel.matches(":focus-within");
  panel.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  if (open) panel.focus();
  else if (focused) button.focus();
}

/**
 * Show what a change from the displayed network would do.
 *
 * @param {Change} change
 * @param {Recording} recording
 * @param {Displayed} displayed  in focus
 */
export function updateChange(change, recording, displayed) {
  const { panel, text, rate, go, past, undo } = change;
  if (panel.hidden) return;
  const { phases, epochs, learningRate, run } = recording;
  const epoch = epochs[displayed.t];
  const phase = phaseOf(phases, epoch);
  const possible = epoch > 0 && displayed.divergedEpoch === null;
  change.offer = possible ? { network: displayed.k, epoch } : null;
  go.disabled = !possible;
  setText(text, possible ? changeFrom(displayed, epoch, phase) : NO_CHANGE[epoch > 0 ? "diverged" : "start"]);
  setText(past, withPhases(phases, learningRate));
  past.hidden = undo.hidden = phases.length === 0;
  const now = phase?.learning_rate ?? learningRate;
  const offered = `${run} ${now}`;
  if (offered === change.offered) return;
  change.offered = offered;
  const rates = FACTORS.map((factor) => Number((now * factor).toPrecision(2))).filter((value) => value >= RANGE[0] && value <= RANGE[1]);
  if (!rates.includes(now)) rates.push(now);
  rate.replaceChildren(...rates.sort((a, b) => a - b).map((value) => make("option", { value: String(value) }, value === now ? `${value} (as before)` : String(value))));
  rate.value = String(now);
}
