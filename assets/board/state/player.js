/** The playback of a recording. States are immutable: every function returns the next state. */

/** @import {Extent, State} from "./types.d.ts" */

export const FRAMES_PER_SECOND = 24;
export const SPEEDS = [0.25, 0.5, 1, 2, 4];
// seconds counted at most for one animation frame: browsers pause these in background tabs
const LONGEST_TICK = 0.25;
// number of frames for which a loop shows the last frame: 0.8 seconds at speed 1
const PAUSE = 0.8 * FRAMES_PER_SECOND;

/** @type {State} */
export const START = Object.freeze({ frame: 0, clock: 0, mode: "following", speed: 1, loop: false, until: Infinity, resume: false });

/**
 * The state of a visitor's first run: it plays from frame 0, as frames are received.
 *
 * @type {State}
 */
export const FIRST_RUN = Object.freeze({ ...START, mode: "playing" });

/**
 * Return the state for another run. A state that rests before the last frame of the earlier run comes to
 * rest at the same epoch.
 *
 * @param {State} state
 * @param {Extent} extent  of the earlier run
 * @returns {State}
 */
export function startRun(state, { nFrames, epochs }) {
  const within = state.mode === "resting" && state.frame < nFrames - 1;
  return { ...at(state, 0, "following"), until: within ? epochs[state.frame] : Infinity };
}

/**
 * Go to an epoch, at once or as soon as its frame is received, and rest there or play on.
 *
 * @param {State} state
 * @param {Extent} extent
 * @param {number} epoch
 * @param {boolean} [resume]  whether to play on
 * @returns {State}
 */
export function seekEpoch(state, { nReceived, epochs }, epoch, resume = false) {
  if (epoch <= epochs[nReceived - 1]) return at(state, epochs.findLastIndex((e) => e <= epoch), resume ? "playing" : "resting");
  return { ...at(state, Math.max(0, nReceived - 1), "following"), until: epoch, resume };
}

/**
 * Return the state after frames were received.
 *
 * @param {State} state
 * @param {Extent} extent
 * @returns {State}
 */
export function framesArrived(state, { nReceived, nFrames, epochs }) {
  if (state.mode !== "following") return state;
  if (state.until <= epochs[nReceived - 1]) {
    return at(state, epochs.findLastIndex((epoch) => epoch <= state.until), state.resume ? "playing" : "resting");
  }
  if (nReceived === nFrames) return state.loop ? at(state, 0, "playing") : at(state, nReceived - 1, "resting");
  return { ...at(state, nReceived - 1, "following"), until: state.until, resume: state.resume };
}

/**
 * Go to a frame and rest there. The last frame of an incomplete run means to follow the newest.
 *
 * @param {State} state
 * @param {Extent} extent
 * @param {number} frame
 * @returns {State}
 */
export function seek(state, { nReceived, nFrames }, frame) {
  const inside = Math.max(0, Math.min(nReceived - 1, Math.round(frame)));
  return at(state, inside, frame >= nFrames - 1 && nReceived < nFrames ? "following" : "resting");
}

/**
 * Play from the present frame, or from the first one if the present one is the last.
 *
 * @param {State} state
 * @param {Extent} extent
 * @returns {State}
 */
export function play(state, { nFrames }) {
  return at(state, state.frame < nFrames - 1 ? state.frame : 0, "playing");
}

/**
 * Rest at the present frame.
 *
 * @param {State} state
 * @returns {State}
 */
export function pause(state) {
  return at(state, state.frame, "resting");
}

/**
 * Go back to the first frame; a state that was moving plays from there.
 *
 * @param {State} state
 * @returns {State}
 */
export function restart(state) {
  return at(state, 0, isMoving(state) ? "playing" : "resting");
}

/**
 * Go up or down in SPEEDS.
 *
 * @param {State} state
 * @param {number} steps
 * @returns {State}
 */
export function changeSpeed(state, steps) {
  const i = SPEEDS.indexOf(state.speed) + steps;
  return { ...state, speed: SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, i))] };
}

/**
 * Whether it plays and the next frame has not been received.
 *
 * @param {State} state
 * @param {Extent} extent
 */
export function isWaiting({ mode, frame }, { nReceived, nFrames }) {
  return mode === "playing" && frame === nReceived - 1 && nReceived < nFrames;
}

/**
 * Return the state after some seconds.
 *
 * @param {State} state
 * @param {Extent} extent
 * @param {number} seconds
 * @returns {State}
 */
export function tick(state, { nReceived, nFrames }, seconds) {
  if (state.mode !== "playing") return state;
  const clock = state.clock + state.speed * FRAMES_PER_SECOND * Math.min(seconds, LONGEST_TICK);
  if (clock < nReceived - 1) return { ...state, frame: Math.floor(clock), clock };
  // wait for the next frame
  if (nReceived < nFrames) return { ...state, frame: nReceived - 1, clock: nReceived - 1 };
  if (state.loop && clock < nReceived - 1 + PAUSE * state.speed) return { ...state, frame: nReceived - 1, clock };
  return state.loop ? at(state, 0, "playing") : at(state, nReceived - 1, "resting");
}

/**
 * Whether it plays or follows.
 *
 * @param {State} state
 */
export function isMoving({ mode }) {
  return mode !== "resting";
}

/**
 * Return the state at a frame.
 *
 * @param {State} state
 * @param {number} frame
 * @param {State["mode"]} mode
 * @returns {State}
 */
function at({ speed, loop }, frame, mode) {
  return { frame, clock: frame, mode, speed, loop, until: Infinity, resume: false };
}
