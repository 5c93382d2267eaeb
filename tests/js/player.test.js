/** Tests of the player: playing, speed, loop, seeking, and the start of a new run. */

import assert from "node:assert/strict";
import test from "node:test";

import * as player from "../../assets/board/state/player.js";

// seconds; a power of two adds up exactly
const TICK = 1 / 16;
const PAUSE_SECONDS = 0.8;

/** Return the extent of a run with frames `step` epochs apart. */
function extent(nReceived, nFrames = 101, step = 4) {
  return { nReceived, nFrames, epochs: Array.from({ length: nReceived }, (_, t) => step * t) };
}

const WHOLE = extent(101);
const HALF = extent(51);

function stateOf(frame = 0, mode = "resting", more = {}) {
  return { ...player.START, frame, clock: frame, mode, ...more };
}

/** Play for some seconds, and return the state after every tick. */
function play(state, within, seconds) {
  const states = [{ ...stateOf(0, "playing"), ...state }];
  for (let i = 0; i < Math.round(seconds / TICK); i++) states.push(player.tick(states.at(-1), within, TICK));
  return states;
}

const framesOf = (states) => states.map(({ frame }) => frame);
const assertPlace = (state, frame, mode) => assert.deepEqual([state.frame, state.mode], [frame, mode]);

for (const speed of [0.25, 0.5, 1, 2, 4]) {
  test(`at speed ${speed} it plays 24 × ${speed} frames per second and comes to rest at the end`, () => {
    const states = play({ speed }, WHOLE, 30 / speed / 6);
    const frames = framesOf(states);
    assert.deepEqual(frames, frames.map((_, i) => Math.min(100, Math.floor(i * 24 * speed * TICK))));
    assertPlace(states.at(-1), 100, "resting");
    assert.equal(states.at(-1).speed, speed);
  });
}

test("a loop stands still at the end and starts over", () => {
  const states = play({ loop: true }, WHOLE, 14);
  const frames = framesOf(states);
  assert.ok(states.every(({ mode }) => mode === "playing"));
  const end = frames.indexOf(100);
  const again = frames.indexOf(0, end);
  assert.ok(frames.slice(end, again).every((frame) => frame === 100));
  assert.ok(Math.abs((again - end) * TICK - PAUSE_SECONDS) <= TICK);
  assert.deepEqual(frames.slice(again, again + 40), frames.slice(0, 40));
});

test("the pause of a loop is as long at every speed", () => {
  for (const speed of [0.5, 4]) {
    const states = play({ loop: true, speed, frame: 98, clock: 98 }, WHOLE, 1.5);
    const rest = framesOf(states).filter((frame) => frame === 100).length;
    assert.ok(Math.abs(rest * TICK - PAUSE_SECONDS) <= TICK, `speed ${speed}`);
  }
});

test("playing waits for frames that have not arrived, and goes on at its speed", () => {
  const states = play({ loop: true }, HALF, 3);
  assert.ok(states.every(({ mode }) => mode === "playing"));
  const last = states.at(-1);
  assert.deepEqual([last.frame, last.clock], [50, 50]);
  assert.equal(Math.max(...framesOf(states)), 50);
  assert.ok(player.isWaiting(last, HALF));
  const later = player.framesArrived(last, WHOLE);
  assertPlace(later, 50, "playing");
  assert.ok(!player.isWaiting(later, WHOLE));
  const frames = framesOf(play(later, WHOLE, 1));
  assert.deepEqual(frames, Array.from({ length: 17 }, (_, i) => 50 + Math.floor(i * 24 * TICK)));
  assertPlace(play({}, extent(1), 1).at(-1), 0, "playing");
  assert.ok(!player.isWaiting(stateOf(50, "resting"), HALF));
});

test("following shows the newest frame, and loops in the end", () => {
  for (const [loop, at, mode] of [[true, 0, "playing"], [false, 100, "resting"]]) {
    const later = player.framesArrived(stateOf(50, "following", { loop }), extent(80));
    assertPlace(later, 79, "following");
    assertPlace(player.framesArrived(later, WHOLE), at, mode);
  }
});

test("a tab from the background goes on where it was", () => {
  assert.equal(player.tick(stateOf(10, "playing"), WHOLE, 3600).frame, 16);
});

test("the speed goes up and down by steps and no further", () => {
  let state = stateOf();
  const speeds = [1, 1, 1, -1, -1, -1, -1, -1, -1].map((steps) => {
    state = player.changeSpeed(state, steps);
    return state.speed;
  });
  assert.deepEqual(speeds, [2, 4, 4, 2, 1, 0.5, 0.25, 0.25, 0.25]);
});

test("no other action changes speed and loop", () => {
  const state = stateOf(30, "playing", { speed: 2, loop: true });
  const { seek, play: start, pause, restart, startRun } = player;
  const after = [seek(state, WHOLE, 12), start(state, WHOLE), pause(state), restart(state), startRun(state, WHOLE)];
  for (const { speed, loop } of after) assert.deepEqual([speed, loop], [2, true]);
});

test("seeking stays within what has arrived", () => {
  for (const [frame, within, at, mode] of [
    [-3, WHOLE, 0, "resting"],
    [12.6, WHOLE, 13, "resting"],
    [500, WHOLE, 100, "resting"],
    [70, HALF, 50, "resting"],
    [100, HALF, 50, "following"],
  ]) {
    assertPlace(player.seek(stateOf(5, "playing"), within, frame), at, mode);
  }
});

test("playing from the end starts over, and pausing stays", () => {
  assertPlace(player.play(stateOf(100), WHOLE), 0, "playing");
  assert.equal(player.play(stateOf(40), WHOLE).frame, 40);
  assertPlace(player.play(stateOf(50), HALF), 50, "playing");
  assertPlace(player.pause(stateOf(40, "playing", { clock: 40.7 })), 40, "resting");
  assert.equal(player.restart(stateOf(40, "playing")).mode, "playing");
  assert.equal(player.restart(stateOf(40, "resting")).mode, "resting");
});

test("after a rest within a run the next run rests at the same epoch", () => {
  const before = player.startRun(stateOf(30), WHOLE);
  for (const [step, nReceived, at, mode] of [
    [4, 30, 29, "following"],
    [4, 31, 30, "resting"],
    [6, 20, 19, "following"],
    [6, 21, 20, "resting"],
    [1, 101, 100, "resting"], // a run that ends before
    [50, 4, 2, "resting"], // a run without that epoch
  ]) {
    assertPlace(player.framesArrived(before, extent(nReceived, 101, step)), at, mode);
  }
});

test("after a rest at the end, or playing, the next run comes to its end", () => {
  for (const before of [stateOf(100), stateOf(30, "playing")]) {
    assertPlace(player.framesArrived(player.startRun(before, WHOLE), extent(101, 101, 10)), 100, "resting");
  }
});

test("seeking an epoch that has not arrived waits for it", () => {
  assertPlace(player.seekEpoch(stateOf(), HALF, 42), 10, "resting");
  const waiting = player.seekEpoch(stateOf(), HALF, 300);
  assertPlace(waiting, 50, "following");
  assertPlace(player.framesArrived(waiting, extent(75)), 74, "following");
  assertPlace(player.framesArrived(waiting, extent(80)), 75, "resting");
});
