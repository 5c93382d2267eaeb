/**
 * Which frame is shown. Pure: every function returns the next state.
 *
 * @typedef {Object} State
 * @property {number} frame
 * @property {number} clock  the same with its fraction, while playing
 * @property {"following"|"playing"|"resting"} mode  following: at the newest frame of a run that is
 *   still streaming in; playing: at its speed, and waiting where that is faster than frames arrive
 * @property {number} speed  times FRAMES_PER_SECOND
 * @property {boolean} loop  whether it starts over at the end
 * @property {number} until  the epoch at which following ends
 *
 * @typedef {{nReceived: number, nFrames: number, epochs: number[]}} Extent
 */

export const FRAMES_PER_SECOND = 24;
export const SPEEDS = [0.25, 0.5, 1, 2, 4];
// A tab that comes back from the background goes on where it was.
const LONGEST_TICK = 0.25;
// frames for which the end stands still before a loop starts over
const PAUSE = 0.8 * FRAMES_PER_SECOND;

/** @type {State} */
export const START = Object.freeze({ frame: 0, clock: 0, mode: "following", speed: 1, loop: false, until: Infinity });

/** A visitor's first run is played from its beginning, however fast or slowly it arrives. */
/** @type {State} */
export const FIRST = Object.freeze({ ...START, mode: "playing" });

/**
 * Another run has begun: who rests within the one before comes to rest at the same epoch.
 *
 * @param {State} state
 * @param {Extent} extent
 * @returns {State}
 */
export function startRun(state, { nFrames, epochs }) {
  const within = state.mode === "resting" && state.frame < nFrames - 1;
  return { ...at(state, 0, "following"), until: within ? epochs[state.frame] : Infinity };
}

/**
 * To an epoch, now or as soon as it has arrived, and stay there.
 *
 * @param {State} state
 * @param {Extent} extent
 * @param {number} epoch
 * @returns {State}
 */
export function seekEpoch(state, { nReceived, epochs }, epoch) {
  if (epoch <= epochs[nReceived - 1]) return at(state, epochs.findLastIndex((e) => e <= epoch), "resting");
  return { ...at(state, Math.max(0, nReceived - 1), "following"), until: epoch };
}

/**
 * More frames have arrived.
 *
 * @param {State} state
 * @param {Extent} extent
 * @returns {State}
 */
export function framesArrived(state, { nReceived, nFrames, epochs }) {
  if (state.mode !== "following") return state;
  if (state.until <= epochs[nReceived - 1]) {
    return at(state, epochs.findLastIndex((epoch) => epoch <= state.until), "resting");
  }
  if (nReceived === nFrames) return state.loop ? at(state, 0, "playing") : at(state, nReceived - 1, "resting");
  return { ...at(state, nReceived - 1, "following"), until: state.until };
}

/**
 * The visitor goes to a frame and stays there; beyond what has arrived, it is the newest again.
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
 * From the end it starts over; at the newest frame it waits for the next.
 *
 * @param {State} state
 * @param {Extent} extent
 * @returns {State}
 */
export function play(state, { nFrames }) {
  return at(state, state.frame < nFrames - 1 ? state.frame : 0, "playing");
}

/**
 * @param {State} state
 * @returns {State}
 */
export function pause(state) {
  return at(state, state.frame, "resting");
}

/**
 * Back to the first frame; what was moving goes on moving.
 *
 * @param {State} state
 * @returns {State}
 */
export function restart(state) {
  return at(state, 0, isMoving(state) ? "playing" : "resting");
}

/**
 * The next speed up or down.
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
 * Whether it plays and the next frame has not arrived.
 *
 * @param {State} state
 * @param {Extent} extent
 */
export function isWaiting({ mode, frame }, { nReceived, nFrames }) {
  return mode === "playing" && frame === nReceived - 1 && nReceived < nFrames;
}

/**
 * `seconds` later.
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
  // the next one has not arrived yet
  if (nReceived < nFrames) return { ...state, frame: nReceived - 1, clock: nReceived - 1 };
  if (state.loop && clock < nReceived - 1 + PAUSE * state.speed) return { ...state, frame: nReceived - 1, clock };
  return state.loop ? at(state, 0, "playing") : at(state, nReceived - 1, "resting");
}

/** @param {State} state */
export function isMoving({ mode }) {
  return mode !== "resting";
}

/**
 * @param {State} state
 * @param {number} frame
 * @param {State["mode"]} mode
 * @returns {State}
 */
function at({ speed, loop }, frame, mode) {
  return { frame, clock: frame, mode, speed, loop, until: Infinity };
}
