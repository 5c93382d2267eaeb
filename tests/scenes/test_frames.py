"""Tests of frame selection: half precision changes nothing visible, frames fit the limit."""

from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz.data.datasets import domain
from regviz.methods.catalogue import METHODS
from regviz.scenes.frames import (
    BITS,
    GRID,
    HALF,
    MAX_BYTES,
    SINGLE,
    TOLERANCE,
    FrameSelector,
    frame_bytes,
    rounded,
    single,
    to_float16,
)
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.recordings import first_epochs, select_frames

ROWS = (regviz.Regularization(), regviz.Regularization(l1=0.05))
RECORDED = 31  # frames of `history`
MIN_LIMIT = 0  # bytes; single precision always exceeds it


@pytest.fixture(scope="module")
def history() -> regviz.History:
    return regviz.train(experiment())


def experiment(data="moons", activation="tanh") -> regviz.Experiment:
    """Return an experiment of two networks whose predictions half precision barely changes."""
    network = regviz.NetworkSpec((3,), activation)
    training = regviz.TrainingSpec(learning_rate=0.02, epochs=RECORDED - 1)
    return regviz.Experiment(regviz.DataSpec(data), network, training, ROWS)


def points_of(history: regviz.History, side: int) -> np.ndarray:
    """Return the points of a square grid over the drawn plane."""
    axis = np.linspace(*domain(history.dataset), side)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def spread_of(history: regviz.History) -> float:
    """Return the range of the targets, or 1 where probabilities are predicted."""
    return np.ptp(history.dataset.y_train) if history.dataset.task == "regression" else 1


def with_weight(history: regviz.History, value: float, t: int = -1, k: int = 0) -> regviz.History:
    """Return the history with another first weight of network ``k`` at time ``t``."""
    parameters = history.parameters.copy()
    parameters[t, k, 0] = value
    return replace(history, parameters=parameters)


# ------------------------------------------------------------------------------ a number


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("narrow", "kind"), [(to_float16, "f2"), (single, "f4")])
def test_what_is_not_zero_stays_so_with_its_sign_and_zeros_stay_zero(narrow, kind, dtype: str):
    tiny = np.finfo(dtype).smallest_subnormal
    sizes = np.array([tiny, 1e-30, 1e-10, 2.0**-25, 2.0**-24, 6e-8, 1e-5, 1, 65504], dtype)
    values = np.concatenate([sizes, -sizes, [0.0, -0.0]]).astype(dtype)
    found = narrow(values)
    assert found.dtype == kind
    np.testing.assert_array_equal(found == 0, values == 0)
    np.testing.assert_array_equal(np.sign(found), np.sign(values))


def test_zeros_that_are_counted_are_those_of_the_history(history: regviz.History):
    is_weight = history.layout.is_weight
    half = to_float16(history.parameters)[..., is_weight]
    share = np.mean(half == 0, axis=-1)
    np.testing.assert_array_equal(share, history.metrics["sparsity"])
    assert share[-1, 1] > 0


def test_to_float16_gives_the_nearest_number_of_half_precision():
    values = np.random.default_rng(0).normal(size=10_000).astype("f4")
    assert (np.abs(to_float16(values) - values) <= 2.0**-11 * np.abs(values)).all()


# ------------------------------------------------------------------------------ a frame


def test_half_precision_is_used_where_nothing_moves(history: regviz.History):
    assert select_frames(history, MIN_LIMIT).frames == [(t, HALF) for t in range(RECORDED)]


@pytest.mark.parametrize("value", [65520, -1e5, 1e38, np.inf, np.nan])
@pytest.mark.parametrize("k", [0, 1])
def test_a_frame_with_a_number_beyond_half_precision_travels_in_single_precision(
    history: regviz.History, value: float, k: int
):
    # behind a saturated tanh unit an infinite weight would have no effect
    frames = select_frames(with_weight(history, value, k=k), MIN_LIMIT).frames
    assert frames[-2:] == [(RECORDED - 2, HALF), (RECORDED - 1, SINGLE)]


@pytest.mark.filterwarnings("error")
def test_predictions_that_are_no_numbers_do_not_travel_in_half_precision():
    network = regviz.NetworkSpec((32,) * 6, "linear")
    deep = next(regviz.stream(replace(experiment("plane"), network=network)))
    assert select_frames(deep, MIN_LIMIT).frames == [(0, HALF)]
    wild = replace(deep, parameters=np.full_like(deep.parameters, 6e4))
    assert np.isinf(wild.predict(wild.dataset.X_train)).any()
    assert select_frames(wild, MIN_LIMIT).frames == [(0, SINGLE)]


@pytest.mark.parametrize("data", ["moons", "three_blobs", "plane"])
def test_half_precision_ends_where_a_prediction_moves_by_more_than_the_tolerance(data: str):
    start = next(regviz.stream(experiment(data)))
    points, found = points_of(start, GRID), set()
    for factor in np.geomspace(1, 1000, 13, dtype="f4"):
        exact = replace(start, parameters=factor * start.parameters)
        half = replace(exact, parameters=to_float16(exact.parameters).astype("f4"))
        move = np.abs(exact.predict(points) - half.predict(points)).max()
        ((_, precision),) = select_frames(exact, MIN_LIMIT).frames
        assert (precision == HALF) == (move <= TOLERANCE * spread_of(start)), factor
        found.add(precision)
    assert found == {HALF, SINGLE}


@pytest.mark.parametrize(
    ("name", "hidden", "limit", "training"),
    [
        ("three_spirals", (32, 32, 32), MAX_BYTES, dict(learning_rate=0.003, epochs=22)),
        ("circles", (24, 24), MIN_LIMIT, dict(learning_rate=0.05, epochs=20)),
        ("bumps", (16, 16), MIN_LIMIT, dict(learning_rate=0.02, epochs=20)),
    ],
)
def test_no_prediction_that_is_drawn_moves_visibly(name, hidden, limit, training):
    grid = StrengthGrid.of(
        list(METHODS),
        replace(SHOWCASE.data, name=name),
        regviz.NetworkSpec(hidden),
        replace(SHOWCASE.training, **training),
    )
    history = regviz.train(grid.experiment)
    selector = select_frames(history, limit)
    half = [t for t, precision in selector.frames if precision == HALF]
    assert len(half) >= 10
    points = points_of(history, 32)
    half_precise = replace(history, parameters=to_float16(history.parameters).astype("f4"))
    for t in half:
        move = np.abs(history.predict(points, t) - half_precise.predict(points, t)).max()
        assert 0 < move <= 1e-3 * spread_of(history), t


# ------------------------------------------------------------------------------ all frames


def test_within_the_limit_every_frame_travels_in_single_precision(history: regviz.History):
    assert select_frames(history).frames == [(t, SINGLE) for t in range(RECORDED)]


def test_half_precision_begins_where_single_precision_exceeds_the_limit(history: regviz.History):
    _, n_rows, n_parameters = history.parameters.shape
    whole = RECORDED * frame_bytes(n_rows, n_parameters, SINGLE)
    assert {p for _, p in select_frames(history, whole).frames} == {SINGLE}
    assert {p for _, p in select_frames(history, whole - 1).frames} == {HALF}


@pytest.mark.parametrize("n_recorded", [2, 3, RECORDED])
@pytest.mark.parametrize("bad", [0, 1, 2, 9, 10, 28, 29, 30])
def test_from_the_first_frame_that_half_precision_moves_every_other_one_travels_in_single(
    history: regviz.History, n_recorded: int, bad: int
):
    if bad >= n_recorded:
        return
    training = replace(history.experiment.training, frames=n_recorded - 1)
    short = regviz.train(replace(history.experiment, training=training))
    selector = select_frames(with_weight(short, 1e6, t=bad), MIN_LIMIT)
    assert [t for t, p in selector.frames if p == HALF] == list(range(bad))
    single = [t for t, p in selector.frames if p == SINGLE]
    assert len(selector.frames) == bad + len(single)
    assert set(np.diff(single[1:])) <= {2}
    times = [t for t, _ in selector.frames]
    assert (times[0], times[-1]) == (0, n_recorded - 1)
    assert max(np.diff(times)) <= 3
    # no more bytes than single precision, except for a single last frame
    room = len(single) - (bad in (0, n_recorded - 1))
    assert 2 * room <= n_recorded - bad


@pytest.mark.parametrize("bad", [0, 1, 14, 15, 30, None])
def test_frames_are_the_same_however_the_run_grows_and_as_many_as_were_promised(
    history: regviz.History, bad: int | None
):
    if bad is not None:
        history = with_weight(history, 1e6, t=bad)
    at_once = select_frames(history, MIN_LIMIT)
    grown, before = FrameSelector(first_epochs(history, 1), MIN_LIMIT), []
    assert grown.n_frames == RECORDED
    for n_times in (1, 2, 2, 9, 15, 16, 30, 31):
        grown.add(first_epochs(history, n_times))
        assert grown.frames[: len(before)] == before
        expected = RECORDED if bad is None or n_times <= bad else at_once.n_frames
        assert grown.n_frames == expected
        before = list(grown.frames)
    assert grown.frames == at_once.frames
    assert grown.n_frames == len(grown.frames)


def test_frames_of_a_double_precision_run_are_selected_as_any_others(history: regviz.History):
    training = replace(history.experiment.training, dtype="float64")
    double = regviz.train(replace(history.experiment, training=training))
    assert select_frames(double, MIN_LIMIT).frames == [(t, HALF) for t in range(RECORDED)]


# ------------------------------------------------------------------------------ rounding


def test_rounding_moves_by_half_a_unit_at_most_and_neither_makes_nor_removes_a_zero():
    tiny, huge = np.finfo("f4").smallest_subnormal, np.finfo("f4").max
    sizes = [0, tiny, 3 * tiny, 1e-40, 1e-30, 1e-3, 1, 1.9999999, 3, 65504, 1e30, huge]
    values = np.array([*sizes, *np.random.default_rng(0).lognormal(0, 5, 10_000)], "f4")
    values = np.stack([values, -values])
    near = rounded(values)
    assert near.dtype == np.float32
    assert np.isfinite(near).all()
    assert np.array_equal(near == 0, values == 0)
    assert np.array_equal(np.signbit(near), np.signbit(values))
    normal = np.abs(values) >= np.finfo("f4").smallest_normal
    move = np.abs(near.astype("f8") - values)
    assert (move <= 2.0 ** -(BITS + 1) * np.abs(values))[normal].all()
    mantissas, _ = np.frexp(near[normal & (np.abs(values) < huge)].astype("f8"))
    assert (mantissas * 2.0 ** (BITS + 1) % 1 == 0).all()


def test_a_value_that_is_no_number_is_not_rounded():
    values = np.array([[np.nan, np.inf, -np.inf]], "f4")
    assert np.array_equal(rounded(values), values, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "network", "training"),
    [
        ("circles", {}, {}),
        ("spirals", dict(activation="relu", features=("x1", "x2", "sin(x1)")), {}),
        ("three_spirals", dict(hidden=(16, 16)), dict(optimizer="adam", learning_rate=0.01)),
        ("bumps", dict(hidden=(16, 16)), dict(learning_rate=0.02)),
        ("xor", dict(hidden=(8, 8, 8, 8), activation="relu"), {}),
    ],
)
def test_no_prediction_of_a_rounded_frame_moves_visibly(name: str, network: dict, training: dict):
    grid = StrengthGrid.of(
        list(METHODS),
        replace(SHOWCASE.data, name=name),
        replace(SHOWCASE.network, **network),
        replace(SHOWCASE.training, **training),
    )
    history = regviz.train(grid.experiment)
    selector = select_frames(history, 10**9)
    assert {precision for _, precision in selector.frames} == {SINGLE}
    points = points_of(history, 24)
    near = replace(history, parameters=selector.parameters(history, 0, len(selector.frames)))
    for t in range(len(history.epochs)):
        move = np.abs(history.predict(points, t) - near.predict(points, t)).max()
        assert 0 < move <= 1e-3 * spread_of(history), t
