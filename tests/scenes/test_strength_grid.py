"""Tests of the grid of strengths: its networks, its training as one run, its size limit."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import regviz
from regviz.engine.layout import Layout
from regviz.engine.training import recorded_epochs
from regviz.methods.catalogue import METHODS, offered
from regviz.methods.strengths import N_STRENGTHS
from regviz.scenes.encoding import Source, encode
from regviz.scenes.frames import HALF, MAX_BYTES, SENT_METRICS, SINGLE, FrameSelector, frame_bytes
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import FEATURES
from tests.support.networks import assert_same_recording
from tests.support.recordings import HalfUntil, select_frames

NAMES = list(METHODS)
DATA = {name: replace(SHOWCASE.data, name=name) for name in ("circles", "three_blobs", "plane")}
POINTS = {name: regviz.make_dataset(data) for name, data in DATA.items()}


def grid_of(hidden=(3,), epochs=6, name="circles", methods=NAMES, features=("x1", "x2"), **more):
    network = regviz.NetworkSpec(hidden, features=features)
    training = replace(SHOWCASE.training, epochs=epochs)
    return StrengthGrid.of(methods, DATA[name], network, training, **more)


def size(grid: StrengthGrid) -> tuple[int, int]:
    """Return the number of recorded frames and of a network's parameters."""
    experiment = grid.experiment
    dataset = POINTS[experiment.data.name]
    n_parameters = Layout.of(experiment.network, 2, dataset.n_outputs).n_parameters
    return len(recorded_epochs(experiment.training)), n_parameters


def untrained_frames(grid: StrengthGrid) -> FrameSelector:
    """Return the frames of an untrained grid, for tests that set where half precision ends."""
    n_recorded, n_parameters = size(grid)
    shape = (n_recorded, len(grid.experiment.regularizations), n_parameters)
    history = SimpleNamespace(
        experiment=grid.experiment,
        dataset=POINTS[grid.experiment.data.name],
        parameters=SimpleNamespace(shape=shape),
        epochs=range(n_recorded),
    )
    return select_frames(history)


def settings() -> Iterator[StrengthGrid]:
    """Yield networks from [2, 1] to 6x32 and 2x64 with all inputs, and 1 to 1000 epochs."""
    linear = [grid_of((), epochs) for epochs in (1, 1000)]
    deep = [
        grid_of((units,) * layers, epochs, name, features=FEATURES)
        for name, layers, units, epochs in itertools.product(
            ("circles", "three_blobs"), range(7), (1, 12, 16, 21, 32), (1, 12, 13, 1000)
        )
    ]
    few = [
        grid_of((32,) * 6, epochs, methods=methods, features=FEATURES)
        for methods, epochs in itertools.product((["none"], ["l1"], ["none", "l2"]), (50, 1000))
    ]
    wide = [grid_of((64, 64), epochs, features=FEATURES) for epochs in (13, 1000)]
    return itertools.chain(linear, deep, few, wide)


# ------------------------------------------------------------------------------ networks


def test_a_grid_holds_each_method_in_each_variant_at_each_of_its_strengths():
    grid = grid_of()
    columns = offered(NAMES, DATA["circles"], grid.experiment.network, grid.experiment.training)
    assert list(grid.methods) == NAMES
    rows = grid.experiment.regularizations
    for (key, by_variant), expected in zip(grid.networks_by_variant, columns, strict=True):
        assert tuple(tuple(rows[k] for k in networks) for networks in by_variant) == expected
        for index, networks in enumerate(by_variant):
            assert dict(grid.networks_by_method({key: index}))[key] == networks
            for i, network in enumerate(networks):
                assert grid.position(key, network) == (index, i)
    every = {k for _, variants in grid.networks_by_variant for column in variants for k in column}
    assert every == set(range(len(rows)))


def test_equal_networks_are_trained_once():
    grid = grid_of()
    rows = grid.experiment.regularizations
    assert len(set(rows)) == len(rows) == 1 + 4 * N_STRENGTHS + (3 + 3) * N_STRENGTHS
    by_variant = dict(grid.networks_by_variant)
    assert by_variant["elastic_net"][0] == by_variant["l2"][0]
    assert by_variant["elastic_net"][-1] == by_variant["l1"][0]


def test_the_corrected_elastic_net_replaces_the_naive_one_where_it_is_defined():
    scene = regviz.Scene(
        regviz.DataSpec("plane"),
        regviz.NetworkSpec(()),
        methods=("l1", "l2", "elastic_net"),
        strengths={"elastic_net": 0.05},
        variants={"elastic_net": 0.75},
        phases=(regviz.Phase(5, regviz.Regularization(l2=0.1, corrected=True)),),
    )
    naive, grid = scene.grid(), replace(scene, corrected=True).grid()
    for method in scene.methods:
        for index in range(len(naive.values(method) or [0])):
            assert grid.strengths(method, index) == naive.strengths(method, index)
            networks = dict(grid.networks_by_variant)[method][index]
            for k in networks:
                row = grid.experiment.regularizations[k]
                assert row.corrected == (method == "elastic_net" and row.l2 > 0)
    assert grid.experiment.phases == scene.phases
    for other in (
        replace(scene, network=regviz.NetworkSpec((3,)), corrected=True),
        replace(scene, data=regviz.DataSpec("moons"), corrected=True),
        replace(scene, training=regviz.TrainingSpec("adamw"), corrected=True),
    ):
        assert other.phases == scene.phases
        assert not any(row.corrected for _, row in other.grid().experiment.named_rows())


def test_values_of_variants_are_those_on_offer_without_rounding_errors():
    grid = grid_of()
    assert grid.values("elastic_net") == [0, 0.25, 0.5, 0.75, 1]
    assert grid.values("max_norm") == [0, 0.1, 0.2]
    assert grid.values("l1") == []
    parts = grid.experiment.data, grid.experiment.network, grid.experiment.training
    for index, value in enumerate(grid.values("elastic_net")):
        offers = METHODS["elastic_net"].offered(*parts, value)
        assert grid.strengths("elastic_net", index) == list(offers)


def test_rows_are_those_of_the_requested_variants():
    grid = grid_of()
    rows = grid.experiment.regularizations
    for index, ratio in enumerate(grid.values("elastic_net")):
        network = rows[grid.rows({}, {"elastic_net": index})[NAMES.index("elastic_net")]]
        assert network.l1 == pytest.approx(ratio * (network.l1 + network.l2))
    assert grid.rows({}, {"max_norm": 99, "l1": 3}) == grid.rows({}, {"max_norm": 2})


def test_where_few_frames_would_fit_methods_have_their_initial_variant_alone():
    large = grid_of((32,) * 6, 1000, features=FEATURES)
    assert {len(variants) for _, variants in large.networks_by_variant} == {1}
    assert large.values("elastic_net") == [0.5]
    assert large.values("max_norm") == [0.1]
    assert large.variant_indices({"elastic_net": 4}) == [0] * len(NAMES)
    # a short training has few frames to keep
    short = grid_of((32,) * 4, 5, features=FEATURES)
    assert len(dict(short.networks_by_variant)["elastic_net"]) == 5


def test_methods_that_are_left_out_are_not_trained():
    grid = grid_of(methods=["l2", "dropout"])
    assert list(grid.methods) == ["l2", "dropout"]
    assert len(grid.experiment.regularizations) == 2 * N_STRENGTHS
    assert all(row.l2 or row.drop_rate for row in grid.experiment.regularizations)


def test_early_stopping_is_shown_of_the_unregularized_network_alone():
    assert grid_of().early_stopping
    assert not grid_of(early_stopping=False).early_stopping
    assert not grid_of(methods=["l1", "l2"]).early_stopping


def test_phases_are_those_of_the_experiment_and_do_not_change_the_strengths():
    phases = (regviz.Phase(3, regviz.Regularization(l1=0.1)),)
    grid = grid_of(phases=phases)
    assert grid.experiment == replace(grid_of().experiment, phases=phases)


def test_another_learning_rate_on_the_way_does_not_change_the_strengths():
    parts = SHOWCASE.data, SHOWCASE.network, replace(SHOWCASE.training, learning_rate=0.1)
    phases = (regviz.Phase(3, learning_rate=SHOWCASE.training.learning_rate),)
    changed = StrengthGrid.of(NAMES, *parts, phases).experiment
    before = StrengthGrid.of(NAMES, *parts[:2], SHOWCASE.training).experiment
    assert changed.regularizations == before.regularizations
    assert changed.training.learning_rate == 0.1
    assert StrengthGrid.of(NAMES, *parts).experiment.regularizations != before.regularizations


def test_rows_are_those_of_the_requested_strengths_and_of_the_initial_ones_elsewhere():
    grid = grid_of()
    start = [
        networks[min(METHODS[key].default_index, len(networks) - 1)]
        for key, networks in grid.networks_by_method()
    ]
    assert grid.rows({}) == start
    indices = itertools.cycle((0, 7, 3, 1, 6))
    strength_indices = {"none": 0} | dict(zip(NAMES[1:], indices, strict=False))
    assert grid.rows(strength_indices) == [
        networks[strength_index]
        for (_, networks), strength_index in zip(
            grid.networks_by_method(), strength_indices.values(), strict=True
        )
    ]
    assert grid.rows({"l1": 2})[1] == grid.networks_by_method()[1][1][2]


def test_strength_indices_beyond_the_ends_are_the_ends_and_unknown_methods_are_ignored():
    grid = grid_of()
    weakest = [networks[0] for _, networks in grid.networks_by_method()]
    strongest = [networks[-1] for _, networks in grid.networks_by_method()]
    assert grid.rows(dict.fromkeys(NAMES, -5)) == weakest
    assert grid.rows(dict.fromkeys(NAMES, 10**30)) == strongest
    assert grid.rows({"early_stopping": 3, "": 9}) == grid.rows({})


def test_some_of_its_networks_alone_are_an_experiment():
    grid = grid_of()
    rows = grid.rows({"l1": 7, "dropout": 2})
    networks = tuple(grid.experiment.regularizations[k] for k in rows)
    assert grid.only(rows) == replace(grid.experiment, regularizations=networks)


@pytest.mark.parametrize("strength_indices", [{}, {"l1": 0, "l2": 7, "dropout": 7, "max_norm": 2}])
@pytest.mark.parametrize("name", DATA)
def test_some_networks_alone_are_bit_for_bit_what_they_are_among_all(
    name: str, strength_indices: dict
):
    grid = grid_of((4, 3), 6, name, phases=(regviz.Phase(2),))
    whole = regviz.train(grid.experiment)
    rows = grid.rows(strength_indices)
    part = regviz.train(grid.only(rows))
    assert_same_recording(part, whole, rows)


# ------------------------------------------------------------------------------ size


def test_no_grid_takes_more_bytes_than_the_limit_whenever_half_precision_ends(
    half_until: HalfUntil,
):
    precisions = set()
    for grid in settings():
        n_recorded, n_parameters = size(grid)
        n_rows = len(grid.experiment.regularizations)
        middle = n_recorded // 2
        for n in {0, 1, 2, middle, middle + 1, n_recorded - 2, n_recorded - 1, n_recorded}:
            half_until(n)
            selector = untrained_frames(grid)
            times = [t for t, _ in selector.frames]
            taken = [frame_bytes(n_rows, n_parameters, kind) for _, kind in selector.frames]
            case = grid.experiment.network, grid.experiment.training, n
            assert sum(taken) <= MAX_BYTES, case
            assert (times[0], times[-1]) == (0, n_recorded - 1), case
            assert selector.n_frames == len(times), case
            assert all(0 < gap <= 3 for gap in np.diff(times)), case
            precisions.add((selector.frames[0][1], selector.frames[-1][1]))
    assert precisions == {(SINGLE, SINGLE), (HALF, HALF), (HALF, SINGLE)}


def test_a_grid_uses_most_of_the_limit_before_it_records_fewer_frames(half_until: HalfUntil):
    half_until(10**9)
    for grid in settings():
        n_recorded, n_parameters = size(grid)
        n_epochs = grid.experiment.training.epochs
        if n_recorded < min(n_epochs, SHOWCASE.training.frames) + 1:
            frame = frame_bytes(len(grid.experiment.regularizations), n_parameters, HALF)
            assert (n_recorded + 2) * frame > MAX_BYTES
            assert n_recorded >= 10


@pytest.mark.parametrize("n", [0, 1, 6, 10, 11, 100])
def test_the_largest_grid_stays_within_the_limit_as_encoded(half_until: HalfUntil, n: int):
    half_until(n)
    grid = grid_of((32,) * 6, 1000, "three_blobs", features=FEATURES)
    rows = grid.rows({})
    history = untrained(grid.experiment)
    selector = select_frames(history)
    sent, frame, n_frames = 0, 0, None
    while n_frames != 0:
        n_frames, n_bytes = frames_of(encode(Source.of(grid, "", rows, history, selector), frame))
        sent, frame = sent + n_bytes, frame + n_frames
    assert frame == selector.n_frames
    assert 0.75 * MAX_BYTES < sent <= MAX_BYTES


def untrained(experiment: regviz.Experiment) -> regviz.History:
    """Return a history of full length that is all zeros."""
    start = next(regviz.stream(experiment))
    epochs = np.array(recorded_epochs(experiment.training))
    shape = (len(epochs), *start.parameters.shape[1:])
    metrics = {name: np.zeros(shape[:2]) for name in start.metrics}
    return replace(start, epochs=epochs, parameters=np.zeros(shape, "f4"), metrics=metrics)


def frames_of(message: bytes) -> tuple[int, int]:
    """Return the number of frames in a message, and their bytes."""
    length = int.from_bytes(message[:4], "little")
    arrays = json.loads(message[4 : 4 + length])["arrays"]
    kinds = (arrays["parameters"], arrays["metrics"])
    assert kinds[1][3] == len(SENT_METRICS)
    n_bytes = sum(np.dtype(kind).itemsize * int(np.prod(shape)) for kind, *shape in kinds)
    return kinds[0][1], n_bytes


@pytest.mark.parametrize("strengths", [True, False])
@pytest.mark.parametrize("variants", [True, False])
def test_the_grid_around_some_networks_has_those_that_its_controls_can_show(
    strengths: bool, variants: bool
):
    whole = grid_of()
    rows = whole.rows({"l1": 2, "elastic_net": 3}, {"elastic_net": 1})
    part = whole.around(rows, strengths=strengths, variants=variants)
    shown = whole.only(rows).regularizations
    assert part.methods == whole.methods
    for key, (_, ours), (_, theirs), row, first in zip(
        whole.methods, part.networks_by_variant, whole.networks_by_variant, rows, shown, strict=True
    ):
        variant, strength = whole.position(key, row)
        assert len(ours) == (len(theirs) if variants else 1)
        column, full = ours[variant if variants else 0], theirs[variant]
        assert len(column) == (len(full) if strengths else 1)
        assert part.experiment.regularizations[column[strength if strengths else 0]] == first
    used = {
        k for _, by_variant in part.networks_by_variant for column in by_variant for k in column
    }
    assert used == set(range(len(part.experiment.regularizations)))
