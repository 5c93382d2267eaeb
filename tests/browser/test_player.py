"""Which frame is shown: playing, its speed, the loop, and what becomes of them with a new run."""

import pytest
from playwright.sync_api import Page

# a sixteenth of a second at a time, which no rounding touches; every state on the way
PLAY = """async ([state, extent, seconds]) => {
  const player = await import(assets + "/board/player.js");
  const states = [{ ...player.START, ...state }];
  for (let i = 0; i < Math.round(16 * seconds); i++)
    states.push(player.tick(states.at(-1), extent, 1 / 16));
  return states;
}"""

CALL = """async ([name, ...args]) => {
  const player = await import(assets + "/board/player.js");
  return player[name](...args);
}"""


def extent(held: int, n_frames: int = 101, step: int = 4) -> dict:
    """So many frames of a run, ``step`` epochs apart."""
    return {"held": held, "nFrames": n_frames, "epochs": [step * t for t in range(held)]}


WHOLE, HALF = extent(101), extent(51)
FRAMES_PER_SECOND = 24


def play(blank: Page, state: dict, extent: dict, seconds: float) -> list[dict]:
    return blank.evaluate(PLAY, [{"mode": "playing", **state}, extent, seconds])


def call(blank: Page, name: str, *args) -> dict:
    return blank.evaluate(CALL, [name, *args])


def state_of(frame: int = 0, mode: str = "resting", **more) -> dict:
    # infinity does not travel as JSON
    start = {"speed": 1, "loop": False, "until": 1e9}
    return {**start, "frame": frame, "clock": frame, "mode": mode, **more}


@pytest.mark.parametrize("speed", [0.25, 0.5, 1, 2, 4])
def test_it_plays_at_its_speed_and_comes_to_rest_at_the_end(blank: Page, speed: float):
    states = play(blank, {"speed": speed}, WHOLE, 30 / speed / 6)
    frames = [state["frame"] for state in states]
    expected = [min(100, int(i * FRAMES_PER_SECOND * speed / 16)) for i in range(len(frames))]
    assert frames == expected
    assert frames[-1] == 100
    assert states[-1]["mode"] == "resting"
    assert states[-1]["speed"] == speed


def test_a_loop_stands_still_at_the_end_and_starts_over(blank: Page):
    states = play(blank, {"loop": True}, WHOLE, 14)
    frames = [state["frame"] for state in states]
    assert {state["mode"] for state in states} == {"playing"}
    end = frames.index(100)
    again = frames.index(0, end)
    assert set(frames[end:again]) == {100}
    assert (again - end) / 16 == pytest.approx(0.8, abs=1 / 16)
    assert frames[again : again + 40] == frames[:40]


def test_the_rest_of_a_loop_is_as_long_at_every_speed(blank: Page):
    for speed in (0.5, 4):
        states = play(blank, {"loop": True, "speed": speed, "frame": 98, "clock": 98}, WHOLE, 1.5)
        rest = [state["frame"] for state in states].count(100)
        assert rest / 16 == pytest.approx(0.8, abs=1 / 16)


def test_it_waits_for_what_has_not_arrived_and_goes_on_at_its_speed(blank: Page):
    states = play(blank, {"loop": True}, HALF, 3)
    assert {state["mode"] for state in states} == {"playing"}
    assert (states[-1]["frame"], states[-1]["clock"]) == (50, 50)
    assert max(state["frame"] for state in states) == 50
    assert call(blank, "isWaiting", states[-1], HALF)
    later = call(blank, "arrived", states[-1], WHOLE)
    assert (later["frame"], later["mode"]) == (50, "playing")
    assert not call(blank, "isWaiting", later, WHOLE)
    frames = [state["frame"] for state in play(blank, later, WHOLE, 1)]
    assert frames == [50 + int(i * FRAMES_PER_SECOND / 16) for i in range(17)]
    at_first = play(blank, state_of(0, "playing"), extent(1), 1)[-1]
    assert (at_first["frame"], at_first["mode"]) == (0, "playing")
    assert not call(blank, "isWaiting", state_of(50, "resting"), HALF)


def test_what_follows_shows_the_newest_frame_and_loops_in_the_end(blank: Page):
    for loop, at, mode in ((True, 0, "playing"), (False, 100, "resting")):
        state = state_of(50, "following", loop=loop)
        later = call(blank, "arrived", state, extent(80))
        assert (later["frame"], later["mode"]) == (79, "following")
        end = call(blank, "arrived", later, WHOLE)
        assert (end["frame"], end["mode"]) == (at, mode)


def test_a_tab_from_the_background_goes_on_where_it_was(blank: Page):
    state = call(blank, "tick", state_of(10, "playing"), WHOLE, 3600)
    assert state["frame"] == 16


def test_the_speed_goes_up_and_down_by_steps_and_no_further(blank: Page):
    state, speeds = state_of(), []
    for steps in (1, 1, 1, -1, -1, -1, -1, -1, -1):
        state = call(blank, "faster", state, steps)
        speeds.append(state["speed"])
    assert speeds == [2, 4, 4, 2, 1, 0.5, 0.25, 0.25, 0.25]


def test_speed_and_loop_outlast_everything_else(blank: Page):
    state = state_of(30, "playing", speed=2, loop=True)
    for name, args in {
        "seek": [WHOLE, 12],
        "play": [WHOLE],
        "pause": [],
        "restart": [],
        "renewed": [WHOLE],
    }.items():
        after = call(blank, name, state, *args)
        assert (after["speed"], after["loop"]) == (2, True), name


def test_seeking_stays_within_what_has_arrived(blank: Page):
    for frame, extent, at, mode in (
        (-3, WHOLE, 0, "resting"),
        (12.6, WHOLE, 13, "resting"),
        (500, WHOLE, 100, "resting"),
        (70, HALF, 50, "resting"),
        (100, HALF, 50, "following"),
    ):
        state = call(blank, "seek", state_of(5, "playing"), extent, frame)
        assert (state["frame"], state["mode"]) == (at, mode)


def test_playing_from_the_end_starts_over_and_pausing_stays(blank: Page):
    started = call(blank, "play", state_of(100), WHOLE)
    assert (started["frame"], started["mode"]) == (0, "playing")
    assert call(blank, "play", state_of(40), WHOLE)["frame"] == 40
    waiting = call(blank, "play", state_of(50), HALF)
    assert (waiting["frame"], waiting["mode"]) == (50, "playing")
    paused = call(blank, "pause", state_of(40, "playing", clock=40.7))
    assert (paused["frame"], paused["mode"]) == (40, "resting")
    assert call(blank, "restart", state_of(40, "playing"))["mode"] == "playing"
    assert call(blank, "restart", state_of(40, "resting"))["mode"] == "resting"


def test_who_rests_within_a_run_rests_at_the_same_epoch_of_the_next(blank: Page):
    before = call(blank, "renewed", state_of(30), WHOLE)
    for step, held, at, mode in (
        (4, 30, 29, "following"),
        (4, 31, 30, "resting"),
        (6, 20, 19, "following"),
        (6, 21, 20, "resting"),
        (1, 101, 100, "resting"),  # a run that ends before
        (50, 4, 2, "resting"),  # a run without that epoch
    ):
        state = call(blank, "arrived", before, extent(held, step=step))
        assert (state["frame"], state["mode"]) == (at, mode)


def test_who_rests_at_the_end_or_plays_comes_to_the_end_of_the_next(blank: Page):
    for before in (state_of(100), state_of(30, "playing")):
        state = {**call(blank, "renewed", before, WHOLE), "until": 1e9}
        state = call(blank, "arrived", state, extent(101, step=10))
        assert (state["frame"], state["mode"]) == (100, "resting")
