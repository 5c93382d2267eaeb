"""Tests of regularization paths and of the one-standard-error rule."""

import math
from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Regularization
from regviz.analysis import regularization_path as paths
from regviz.methods.catalogue import METHODS
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid

L1 = (0.003, 0.01, 0.03, 0.1)
ROWS = (Regularization(), *(Regularization(l1=strength) for strength in L1))


def experiment(regularizations=ROWS, seed=0, **data):
    return regviz.Experiment(
        data=regviz.DataSpec(**{"name": "moons", "n_samples": 80, "seed": seed} | data),
        network=regviz.NetworkSpec(hidden=(6, 5)),
        training=regviz.TrainingSpec("momentum", 0.05, epochs=20, frames=2, seed=seed),
        regularizations=regularizations,
    )


@pytest.fixture(scope="module")
def history():
    return regviz.train(experiment())


@pytest.fixture(scope="module")
def grid():
    return StrengthGrid.of(list(METHODS), SHOWCASE.data, SHOWCASE.network, SHOWCASE.training)


def test_a_path_holds_the_weights_of_each_network_in_the_order_of_its_wires(history):
    path = paths.path(history, [1, 2, 3, 4])
    assert path.weights.shape == (4, 2 * 6 + 6 * 5 + 5)
    for strength_index, k in enumerate([1, 2, 3, 4]):
        matrices = history.weights(k)
        own = [matrices[layer][source, unit] for layer, unit, source in path.wires]
        np.testing.assert_array_equal(path.weights[strength_index], own)
        flat = np.concatenate([matrix.ravel() for matrix in matrices]).astype(float)
        assert path.nonzero[strength_index] == np.count_nonzero(flat)
        assert path.l1_norm[strength_index] == pytest.approx(np.linalg.norm(flat, 1))
        assert path.l2_norm[strength_index] == pytest.approx(np.linalg.norm(flat))
    assert path.nonzero[0] > path.nonzero[-1], "the test shall see zeros"


def test_a_path_can_be_taken_at_any_time_and_has_the_losses_of_that_time(history):
    path = paths.path(history, [1, 2, 3, 4], t=1)
    assert len(path.losses) == 3
    for split, losses in path.losses.items():
        np.testing.assert_array_equal(losses, history.metrics[f"{split}_loss"][1, 1:])
    # at the start all networks are the same one
    start = paths.path(history, [1, 2, 3, 4], t=0)
    np.testing.assert_array_equal(start.weights, np.repeat(start.weights[:1], 4, axis=0))


def test_a_diverged_network_is_missing_from_its_path(history):
    diverged = replace(history, diverged=np.array([-1, -1, -1, history.epochs[-1], -1]))
    path = paths.path(diverged, [1, 2, 3, 4])
    assert np.isnan(path.weights).all(axis=1).tolist() == [False, False, True, False]
    for values in (path.nonzero, path.l1_norm, path.l2_norm, *path.losses.values()):
        assert np.isnan(values).tolist() == [False, False, True, False]
    assert np.isfinite(paths.path(diverged, [1, 2, 3, 4], t=1).weights).all()


@pytest.mark.parametrize(
    ("networks", "t", "message"),
    [
        ([], -1, "networks must be at least one network"),
        ([0, 5], -1, r"networks\[1\] must be a whole number from 0 to 4, got 5"),
        ([0, 1], 3, "t must be a whole number from -3 to 2, got 3"),
        ([1, 0], -1, "method must be one that has a strength, got 'none'"),
    ],
)
def test_what_is_no_path_is_refused(history, networks, t, message):
    with pytest.raises(ValueError, match=message):
        paths.path(history, networks, t)


def test_every_method_starts_from_the_network_that_it_becomes_as_its_strength_vanishes(grid):
    networks_by_method = dict(grid.networks_by_method())
    (none,) = networks_by_method["none"]
    rows = grid.experiment.regularizations
    for key in ("l1", "l2", "elastic_net", "dropout"):
        assert paths.with_start(grid.experiment, networks_by_method[key]) == (
            none,
            *networks_by_method[key],
        )
    led = paths.with_start(grid.experiment, networks_by_method["max_norm"])
    # the method max-norm includes dropout: with an infinite bound only dropout is left
    assert rows[led[0]] == Regularization(drop_rate=0.1)
    assert led[1:] == networks_by_method["max_norm"]


def test_a_path_starts_at_the_weakest_strength_where_that_network_is_not_there(grid):
    networks_by_method, rows = dict(grid.networks_by_method()), grid.experiment.regularizations
    alone = replace(
        grid.experiment, regularizations=tuple(rows[k] for k in networks_by_method["max_norm"])
    )
    assert paths.with_start(alone, range(8)) == tuple(range(8))


def test_a_late_onset_does_not_hide_the_start():
    grid = StrengthGrid.of(list(METHODS), SHOWCASE.data, SHOWCASE.network, SHOWCASE.training)
    none, *others = grid.experiment.regularizations
    late = replace(
        grid.experiment, regularizations=(none, *(replace(row, onset=50) for row in others))
    )
    for key, networks in grid.networks_by_method()[1:]:
        start = late.regularizations[paths.with_start(late, networks)[0]]
        expected = Regularization(drop_rate=0.1, onset=50)
        assert start == (expected if key == "max_norm" else Regularization())


def position_of(rows):
    return paths.path(regviz.train(experiment(rows)), range(len(rows))).positions


def test_strong_lies_to_the_right_of_weak_and_none_one_step_to_the_left():
    np.testing.assert_allclose(position_of(ROWS[1:]), np.log10(L1))
    led = position_of(ROWS)
    np.testing.assert_allclose(led[1:], np.log10(L1))
    assert led[1] - led[0] == pytest.approx(np.diff(led[1:]).mean())
    radii = tuple(Regularization(max_norm=c, drop_rate=0.1) for c in (3.0, 1.0, 0.5))
    np.testing.assert_allclose(position_of(radii), [-math.log10(3), 0, math.log10(2)], atol=1e-15)
    rates = tuple(Regularization(drop_rate=p) for p in (0.1, 0.5, 0.9))
    # odds of 1/9, 1 and 9
    np.testing.assert_allclose(position_of(rates), [-math.log10(9), 0, math.log10(9)], atol=1e-15)


def test_a_path_of_one_strength_has_a_place_for_it_and_for_none():
    np.testing.assert_allclose(position_of(ROWS[:2]), [math.log10(L1[0]) - 1, math.log10(L1[0])])


def test_a_strength_is_written_as_it_is_read():
    rows = tuple(Regularization(l1=v) for v in (0, 5e-5, 1e-4, 0.003, 1 / 3))
    path = paths.path(regviz.train(experiment(rows)), range(5))
    assert [path.number(i) for i in range(5)] == ["0", "5e-5", "0.0001", "0.003", "0.333"]
    assert path.text(3) == "λ₁ = 0.003"
    bound = Regularization(drop_rate=0.1), Regularization(max_norm=2.0, drop_rate=0.1)
    assert paths.path(regviz.train(experiment(bound)), range(2)).text(0) == "c = ∞"


def test_the_standard_error_is_that_of_the_mean_of_a_sample():
    # 2, 4, 6, 8: mean 5, squared deviations 9 + 1 + 1 + 9, variance 20 / 3
    values = np.array([[2.0, 1], [4, 1], [6, 1], [8, 1]])
    np.testing.assert_allclose(paths.standard_error(values), [math.sqrt(20 / 3 / 4), 0])
    assert np.isnan(paths.standard_error(values[:1])).tolist() == [True, True]


def test_the_lowest_mean_is_best_and_the_strongest_within_its_standard_error_follows():
    # at index 1 the mean is 2, the standard deviation sqrt(2), the standard error 1
    losses = [[3.0, 1, 2.5, 4, 3.05], [3.0, 3, 2.5, 2, 3.05]]
    assert paths.choose(losses) == (1, 3, pytest.approx(1.0))
    wider = [[3.0, 0.9, 2.5, 4, 3.05], [3.0, 3.1, 2.5, 2, 3.05]]  # standard error 1.1
    assert paths.choose(wider) == (1, 4, pytest.approx(1.1))
    narrow = [[3.0, 1.9, 2.5, 4, 3.05], [3.0, 2.1, 2.5, 2, 3.05]]  # standard error 0.1
    assert paths.choose(narrow) == (1, 1, pytest.approx(0.1))


def test_the_rule_is_its_definition_spelled_out_on_random_losses():
    rng = np.random.default_rng(0)
    for _ in range(50):
        losses = rng.normal(1, 0.3, (5, 8)).cumsum(axis=1)[:, ::-1] + rng.normal(0, 0.5, (5, 8))
        found = paths.choose(losses)
        bound = losses.mean(0).min() + np.std(losses[:, losses.mean(0).argmin()], ddof=1) / 5**0.5
        assert found.best == losses.mean(0).argmin()
        assert found.one_se == max(i for i in range(8) if losses[:, i].mean() <= bound)


def test_one_seed_has_no_standard_error():
    best, one_se, error = paths.choose([[0.5, 0.2, 0.3]])
    assert (best, one_se) == (1, None)
    assert math.isnan(error)


def test_a_strength_that_diverged_under_any_seed_is_not_chosen():
    assert paths.choose([[0.5, 0.1, 0.6], [0.5, math.nan, 0.6]]).best == 0
    assert paths.choose([[0.5, 0.1, math.inf], [0.4, 0.1, 0.1]])[:2] == (1, 1)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([[math.nan, math.nan]], "finite at one strength at least"),
        ([0.1, 0.2], r"of shape \(seeds, strengths\), got \(2,\)"),
        (np.zeros((0, 3)), r"of shape \(seeds, strengths\), got \(0, 3\)"),
    ],
)
def test_nothing_is_chosen_from_nothing(losses, message):
    with pytest.raises(ValueError, match=f"validation_losses must be {message}"):
        paths.choose(losses)


def test_the_losses_over_seeds_are_those_at_the_end_of_each_run(history):
    other = regviz.train(experiment(seed=1))
    found = paths.losses_over_seeds([history, other])
    for split, losses in found.items():
        for run, row in zip((history, other), losses, strict=True):
            np.testing.assert_array_equal(row, run.metrics[f"{split}_loss"][-1])
    without = paths.losses_over_seeds([regviz.train(experiment(validation_fraction=0.0))])
    assert np.isnan(without["validation"]).all()
    with pytest.raises(ValueError, match="histories must be at least one history"):
        paths.losses_over_seeds([])


@pytest.mark.parametrize("name", ["moons", "three_blobs", "bumps"])
def test_constant_are_the_networks_whose_predictions_hardly_differ_over_the_points(name):
    rows = (Regularization(), Regularization(l1=1.0), Regularization(l2=10.0))
    history = regviz.train(experiment(rows, name=name))
    assert paths.constant(history, [0, 1, 2, 1]).tolist() == [False, True, True, True]
    assert not np.concatenate([w.ravel() for w in history.weights(1)]).any()
    assert np.concatenate([w.ravel() for w in history.weights(2)]).any()


@pytest.mark.parametrize(("range_of", "expected"), [(0.019, True), (0.021, False)])
def test_constant_allows_for_a_fiftieth(range_of, expected):
    # one weight from x1; its logits give probabilities over an interval of width range_of
    linear = replace(experiment(ROWS[:1]), network=regviz.NetworkSpec(hidden=()))
    history = regviz.train(linear)
    X = np.concatenate([history.dataset.points(s)[0] for s in ("train", "validation", "test")])
    low, high = X[:, 0].min(), X[:, 0].max()
    # p is about 1/2 + w x / 4 near 1/2
    parameters = np.zeros_like(history.parameters)
    column = int(np.flatnonzero(history.layout.is_weight)[0])
    parameters[..., column] = 4 * range_of / (high - low)
    made = replace(history, parameters=parameters)
    spread = np.ptp(1 / (1 + np.exp(-parameters[-1, 0, column] * X[:, 0])))
    assert spread == pytest.approx(range_of, rel=0.01)
    assert paths.constant(made, [0]).tolist() == [expected]


def test_a_diverged_network_is_not_constant(history):
    parameters = history.parameters.copy()
    parameters[-1, 2] = np.nan
    found = paths.constant(replace(history, parameters=parameters), range(5))
    assert not found[2]
