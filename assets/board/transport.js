/** The bar above the cards: play, pause, restart, step, and the slider over all recorded frames. */

import { icon, make, say } from "./dom.js";
import { isMoving } from "./player.js";
import { epochOf } from "./words.js";

const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
  restart: "M5 5h2.6v14H5zM19 5v14L8.6 12z",
  back: "M15.8 5v14L5.4 12zM16.4 5H19v14h-2.6z",
  forward: "M8.2 5v14L18.6 12zM5 5h2.6v14H5z",
};

/** @param {{toggle: Function, restart: Function, seek: (frame: number) => void, frame: number}} board */
export function makeTransport(board) {
  const play = button("play", "Play", () => board.toggle(), "main");
  const slider = make("input", { type: "range", min: "0", max: "0", step: "1", value: "0", "aria-label": "Epoch" });
  slider.addEventListener("input", () => board.seek(slider.valueAsNumber));
  const now = make("span", { class: "now" }, "0");
  const last = make("span", {}, "0");
  const element = make(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback of the recorded training" },
    play,
    button("restart", "Back to the start", () => board.restart()),
    button("back", "One step back", () => board.seek(board.frame - 1)),
    button("forward", "One step forward", () => board.seek(board.frame + 1)),
    slider,
    make("span", { class: "epoch", "aria-hidden": "true" }, "epoch ", now, " / ", last),
  );
  return { element, play, slider, now, last };
}

/** Show where the playback is. */
export function updateTransport({ play, slider, now, last }, recording, state) {
  const { held, nFrames, epochs, lastEpoch } = recording;
  const moving = isMoving(state);
  if (play.dataset.icon !== (moving ? "pause" : "play")) {
    play.dataset.icon = moving ? "pause" : "play";
    play.setAttribute("aria-label", moving ? "Pause" : "Play");
    play.title = play.ariaLabel;
    play.querySelector("path").setAttribute("d", PATHS[play.dataset.icon]);
  }
  if (slider.max !== String(nFrames - 1)) slider.max = String(nFrames - 1);
  // also when unchanged: a thumb dragged beyond what has arrived goes back
  slider.value = String(state.frame);
  slider.style.setProperty("--shown", String(state.frame / Math.max(1, nFrames - 1)));
  // once all is there, the track is filled to its very end
  slider.style.setProperty("--held", String(held === nFrames ? 2 : (held - 1) / (nFrames - 1)));
  slider.setAttribute("aria-valuetext", epochOf(epochs[state.frame], lastEpoch));
  now.style.minWidth = `${String(lastEpoch).length}ch`;
  say(now, String(epochs[state.frame]));
  say(last, String(lastEpoch));
}

function button(path, label, action, kind = "") {
  const element = make(
    "button",
    { type: "button", class: `key ${kind}`, "aria-label": label, title: label },
    icon("0 0 24 24", ["path", { d: PATHS[path] }]),
  );
  element.dataset.icon = path;
  element.addEventListener("click", action);
  return element;
}
