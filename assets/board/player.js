/**
 * Which frame is shown. Pure: every function returns the next state.
 *
 * @typedef {Object} State
 * @property {number} frame
 * @property {number} clock  the same with its fraction, while playing
 * @property {"following"|"playing"|"resting"} mode  following: at the newest frame of a run that is
 *   still streaming in
 *
 * @typedef {{held: number, nFrames: number}} Extent
 */

export const FRAMES_PER_SECOND = 24;
// A tab that comes back from the background goes on where it was.
const LONGEST_TICK = 0.25;

/** @type {State} */
export const START = Object.freeze({ frame: 0, clock: 0, mode: "following" });

/** A visitor's first run is played from its beginning, however fast it arrives. */
export const FIRST = Object.freeze({ frame: 0, clock: 0, mode: "playing" });

/** More frames have arrived. */
export function arrived(state, { held, nFrames }) {
  if (state.mode !== "following") return state;
  return at(held - 1, held < nFrames ? "following" : "resting");
}

/** The visitor goes to a frame and stays there; beyond what has arrived, it is the newest again. */
export function seek(state, { held, nFrames }, frame) {
  const inside = Math.max(0, Math.min(held - 1, Math.round(frame)));
  return at(inside, frame >= nFrames - 1 && held < nFrames ? "following" : "resting");
}

/** From the end it starts over. */
export function play(state, { held, nFrames }) {
  if (state.frame < held - 1) return at(state.frame, "playing");
  return held < nFrames ? at(held - 1, "following") : at(0, "playing");
}

export function pause(state) {
  return at(state.frame, "resting");
}

/** Back to the first frame; what was moving goes on moving. */
export function restart(state) {
  return at(0, isMoving(state) ? "playing" : "resting");
}

/** `seconds` later. */
export function tick(state, { held, nFrames }, seconds) {
  if (state.mode !== "playing") return state;
  const clock = state.clock + FRAMES_PER_SECOND * Math.min(seconds, LONGEST_TICK);
  if (clock < held - 1) return { frame: Math.floor(clock), clock, mode: "playing" };
  return at(held - 1, held < nFrames ? "following" : "resting");
}

export function isMoving({ mode }) {
  return mode !== "resting";
}

function at(frame, mode) {
  return { frame, clock: frame, mode };
}
