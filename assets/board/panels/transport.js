/**
 * The board's bar: play, pause, restart, step, the slider over all recorded frames with its marks,
 * speed, loop, the strength of all methods, and the button that projects the board.
 */

/**
 * @import {Mark, Recording, State} from "../state/types.d.ts"
 * @import {TransportHandlers} from "./types.d.ts"
 */

import { icon, make, setText } from "../draw/dom.js";
import { isMoving } from "../state/player.js";
import * as words from "../state/words.js";

const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
  restart: "M5 5h2.6v14H5zM19 5v14L8.6 12z",
  back: "M15.8 5v14L5.4 12zM16.4 5H19v14h-2.6z",
  forward: "M8.2 5v14L18.6 12zM5 5h2.6v14H5z",
  loop: "M7 7h9V4l5 4.5L16 13v-3H9v3H6V8q0-1 1-1zM17 17H8v3l-5-4.5L8 11v3h7v-3h3v5q0 1-1 1z",
  project: "M3 4.5h18V17h-8v1.8l4.2 2.4h-10.4l4.2-2.4V17H3zM5.2 6.7v8.1h13.6V6.7z",
  link: "M10.6 13.4a3.4 3.4 0 0 0 4.8 0l3.2-3.2a3.4 3.4 0 0 0-4.8-4.8l-1 1 1.3 1.3 1-1a1.6 1.6 0 0 1 2.2 2.2l-3.2 3.2a1.6 1.6 0 0 1-2.2 0zM13.4 10.6a3.4 3.4 0 0 0-4.8 0l-3.2 3.2a3.4 3.4 0 0 0 4.8 4.8l1-1-1.3-1.3-1 1a1.6 1.6 0 0 1-2.2-2.2l3.2-3.2a1.6 1.6 0 0 1 2.2 0z",
};

/**
 * Create the bar.
 *
 * @typedef {ReturnType<typeof makeTransport>} Transport
 *
 * @param {TransportHandlers} handlers
 */
export function makeTransport(handlers) {
  const play = button("play", "Play", () => handlers.toggle(), "main");
  const slider = make("input", { type: "range", min: "0", max: "0", step: "1", value: "0", "aria-label": "Epoch" });
  slider.addEventListener("input", () => handlers.seek(slider.valueAsNumber));
  const now = make("span", { class: "now" }, "0");
  const last = make("span", {}, "0");
  const marks = make("div", { class: "marks" });
  const speed = make("button", { type: "button", class: "key speed", "data-tip": words.SPEED });
  speed.addEventListener("click", () => handlers.cycleSpeed());
  const loop = button("loop", "Start over at the end", () => handlers.toggleLoop());
  const strengths = makeStrengths(handlers);
  const project = button("project", "Project: fill the screen", () => handlers.toggleProjection());
  const element = make(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback of the recorded training" },
    play,
    button("restart", "Back to the start", () => handlers.restart()),
    button("back", "One step back", () => handlers.step(-1)),
    button("forward", "One step forward", () => handlers.step(1)),
    make("div", { class: "timeline" }, slider, marks),
    make(
      "button",
      { type: "button", class: "term epoch", tabindex: "-1", "data-tip": words.EPOCH },
      make("span", { class: "word" }, "epoch "),
      now,
      " / ",
      last,
    ),
    speed,
    loop,
    strengths.element,
    project,
  );
  return { element, play, slider, marks, shownMarks: "", now, last, speed, loop, strengths, project };
}

/**
 * Set the class `stuck` while the bar sticks to the top of the window or of a column that scrolls. CSS cannot
 * select that state.
 *
 * @param {{element: HTMLElement}} transport
 * @returns {HTMLElement}  an element that must be placed right before the bar
 */
export function watchSticky({ element }) {
  const above = make("i", { class: "probe", "aria-hidden": "true" });
  const watch = new IntersectionObserver(([{ isIntersecting, boundingClientRect }]) => {
    const isAbove = boundingClientRect.top < element.getBoundingClientRect().top;
    element.classList.toggle("stuck", !isIntersecting && isAbove);
  });
  watch.observe(above);
  return above;
}

/**
 * Create the slider for the strength of all methods, and the button that links the cards' sliders.
 *
 * @param {TransportHandlers} handlers
 */
function makeStrengths(handlers) {
  const slider = make("input", { type: "range", class: "strength-index", min: "0", max: "0", step: "1", "aria-label": "Strength of all methods" });
  slider.addEventListener("input", () => handlers.setAllStrengths(slider.valueAsNumber));
  const text = make("span", { class: "value", "aria-hidden": "true" });
  const link = button("link", "Move all strengths together", () => handlers.toggleLink());
  const element = make(
    "div",
    { class: "all" },
    make("button", { type: "button", class: "term", "data-tip": words.STRENGTH }, "strength"),
    slider,
    text,
    link,
  );
  return { element, slider, text, link };
}

/**
 * Show the state of the playback.
 *
 * @param {Transport} transport
 * @param {Recording} recording
 * @param {State} state
 */
export function updateTransport(transport, recording, state) {
  const { play, slider, now, last, speed, loop } = transport;
  const { nReceived, nFrames, epochs, lastEpoch } = recording;
  const moving = isMoving(state);
  if (play.dataset.icon !== (moving ? "pause" : "play")) {
    play.dataset.icon = moving ? "pause" : "play";
    play.setAttribute("aria-label", moving ? "Pause" : "Play");
    play.title = play.ariaLabel ?? "";
    play.querySelector("path")?.setAttribute("d", PATHS[moving ? "pause" : "play"]);
  }
  if (slider.max !== String(nFrames - 1)) slider.max = String(nFrames - 1);
  // set even if unchanged: a thumb dragged beyond the received frames goes back
  slider.value = String(state.frame);
  slider.style.setProperty("--shown", String(state.frame / Math.max(1, nFrames - 1)));
  // 2 fills the track to its end, beyond the middle of the thumb
  slider.style.setProperty("--received", String(nReceived === nFrames ? 2 : (nReceived - 1) / (nFrames - 1)));
  slider.setAttribute("aria-valuetext", words.epochOf(epochs[state.frame], lastEpoch));
  now.style.minWidth = `${String(lastEpoch).length}ch`;
  setText(now, String(epochs[state.frame]));
  setText(last, String(lastEpoch));
  setText(speed, `${state.speed}×`.replace("0.25", "¼").replace("0.5", "½"));
  speed.setAttribute("aria-label", `Speed ${speed.textContent}`);
  loop.setAttribute("aria-pressed", String(state.loop));
}

/**
 * Show the common strength, and whether strengths are linked.
 *
 * @param {Transport} transport
 * @param {{strengthIndex: number|null, nStrengths: number, linked: boolean}} strengths
 *   `strengthIndex` is null where cards differ
 */
export function updateStrengths({ strengths: { element, slider, text: said, link } }, { strengthIndex, nStrengths, linked }) {
  element.hidden = nStrengths < 2;
  slider.max = String(nStrengths - 1);
  // not to the same value: Firefox would paint the page again
  if (strengthIndex !== null && slider.valueAsNumber !== strengthIndex) slider.value = String(strengthIndex);
  slider.style.setProperty("--shown", String(slider.valueAsNumber / Math.max(1, nStrengths - 1)));
  const text = strengthIndex === null ? "–" : `${strengthIndex + 1}`;
  setText(said, `${text}/${nStrengths}`);
  slider.setAttribute("aria-valuetext", strengthIndex === null ? "differs from card to card" : `${strengthIndex + 1} of ${nStrengths}`);
  link.setAttribute("aria-pressed", String(linked));
}

/**
 * Show marks on the slider.
 *
 * @param {Transport} transport
 * @param {Pick<Mark, "frame"|"kind"|"tip">[]} marks
 * @param {number} nFrames
 * @param {(frame: number) => void} seek
 */
export function updateMarks(transport, marks, nFrames, seek) {
  const shownMarks = JSON.stringify([marks, nFrames]);
  if (shownMarks === transport.shownMarks) return;
  transport.shownMarks = shownMarks;
  transport.marks.replaceChildren(
    ...marks.map(({ frame, kind, tip }) => {
      // outside the tab order: the keys B and S go to marks
      const mark = make("button", { type: "button", class: `mark ${kind}`, tabindex: "-1", "aria-label": tip, "data-tip": tip });
      mark.style.setProperty("--at", String(frame / Math.max(1, nFrames - 1)));
      mark.addEventListener("click", () => seek(frame));
      return mark;
    }),
  );
}

/**
 * Create a button with an icon.
 *
 * @param {keyof typeof PATHS} path
 * @param {string} label
 * @param {() => void} action
 * @param {string} [kind]
 */
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
