"""Tests of the eight strengths of each method: range, order, stability."""

import itertools
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

import regviz
from regviz.board.showcase import LINE_UP, SHOWCASE
from regviz.methods.catalogue import METHODS, offered
from regviz.methods.strengths import N_STRENGTHS
from regviz.spec.experiment import ACTIVATIONS, OPTIMIZERS
from regviz.spec.toy import DATASETS

HIDDEN = [(), (1,), (4, 2), (8, 8, 8), (32,) * 6]
RATES = [1e-5, 0.003, 0.03, 0.3, 10]


def settings():
    """Yield settings across the ranges that the page offers."""
    for name, hidden, activation, optimizer, rate, epochs in itertools.product(
        DATASETS, HIDDEN, ACTIVATIONS, OPTIMIZERS, RATES, (1, 1000)
    ):
        yield (
            replace(SHOWCASE.data, name=name),
            regviz.NetworkSpec(hidden, activation),
            regviz.TrainingSpec(optimizer, rate, None if epochs == 1 else 10, epochs),
        )


def test_a_grid_has_eight_different_strengths_in_order_for_any_setting():
    for setting in settings():
        for method in METHODS:
            found = METHODS[method].strengths(*setting)
            if method == "none":
                assert found == ()
                continue
            assert len(found) == N_STRENGTHS
            pairs = list(itertools.pairwise(found))
            weaker = (
                (a > b for a, b in pairs) if method == "max_norm" else (a < b for a, b in pairs)
            )
            assert all(weaker), (setting, method, found)


def test_strengths_are_round_numbers():
    for setting in itertools.islice(settings(), 0, None, 5):
        for method in METHODS:
            for strength in METHODS[method].strengths(*setting):
                digits = "".join(map(str, Decimal(repr(strength)).normalize().as_tuple().digits))
                assert len(digits) <= 2
                if method in ("l1", "l2", "elastic_net"):
                    assert digits in ("1", "2", "3", "5")


def test_every_offered_strength_is_a_regularization_of_its_method():
    for setting in itertools.islice(settings(), 0, None, 23):
        columns = offered(list(METHODS), *setting)
        assert [len(column) for column in columns] == [1] + [N_STRENGTHS] * (len(METHODS) - 1)
        assert columns[0] == (regviz.Regularization(),)
        for method, column in zip(list(METHODS)[1:], columns[1:], strict=True):
            for strength, row in zip(METHODS[method].strengths(*setting), column, strict=True):
                expected = METHODS[method].at(strength)
                if method == "max_norm":
                    assert 0 < row.drop_rate <= expected.drop_rate
                    if setting[1].activation not in ("tanh", "sigmoid"):
                        assert row.drop_rate <= 0.02
                    expected = replace(expected, drop_rate=row.drop_rate)
                assert row == expected
        assert regviz.Experiment(*setting, tuple(itertools.chain(*columns)))


def test_the_showcase_is_a_line_of_its_grid():
    columns = offered(LINE_UP, SHOWCASE.data, SHOWCASE.network, SHOWCASE.training)
    expected = tuple(
        column[min(METHODS[key].default_index, len(column) - 1)]
        for key, column in zip(LINE_UP, columns, strict=True)
    )
    assert expected == SHOWCASE.regularizations
    assert sum(map(len, columns)) == 41


def test_weight_decay_never_steps_beyond_zero():
    for data, network, training in settings():
        if training.optimizer == "adamw":
            for column in offered(("l2", "elastic_net"), data, network, training):
                assert all(training.learning_rate * row.l2 <= 1 for row in column)


@pytest.mark.parametrize("name", ["moons", "circles", "three_blobs", "bumps"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_penalties_lead_from_next_to_no_effect_to_collapse(name: str, activation: str):
    data = replace(SHOWCASE.data, name=name, seed=0)
    network = regviz.NetworkSpec((8, 8, 8), activation)
    training = regviz.TrainingSpec("sgd", learning_rate=0.1, epochs=200, frames=1)
    columns = offered(("none", "l1", "l2", "elastic_net"), data, network, training)
    history = regviz.train(
        regviz.Experiment(data, network, training, tuple(itertools.chain(*columns)))
    )
    X, y = history.dataset.points("test")
    predicted = history.predict(X)
    scale = y.std() if history.dataset.task == "regression" else 1
    spread = predicted.std(axis=1).reshape(len(predicted), -1).mean(axis=1)
    for first in range(1, len(predicted), N_STRENGTHS):
        assert np.abs(predicted[first] - predicted[0]).mean() < 0.08 * scale
        assert spread[first + N_STRENGTHS - 1] < 0.6 * spread[0]
        assert spread[first + N_STRENGTHS // 2] > 0.5 * spread[0]


@pytest.mark.parametrize("name", ["moons", "three_spirals", "plane", "bumps"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(
    ("optimizer", "learning_rate"),
    [
        *(("sgd", rate) for rate in (0.03, 0.1, 0.3, 1)),
        *(("momentum", rate) for rate in (0.01, 0.05, 0.1)),
        *(("adam", rate) for rate in (0.1, 1)),
        *(("adamw", rate) for rate in (0.1, 1, 10)),
    ],
)
def test_no_offered_strength_diverges_where_the_unregularized_network_learns(
    name: str, activation: str, optimizer: str, learning_rate: float
):
    data = replace(SHOWCASE.data, name=name)
    network = regviz.NetworkSpec((8, 8, 8), activation)
    training = regviz.TrainingSpec(optimizer, learning_rate, epochs=30, frames=1)
    columns = offered(list(METHODS), data, network, training)
    history = regviz.train(
        regviz.Experiment(data, network, training, tuple(itertools.chain(*columns)))
    )
    start, end = history.metrics["train_loss"][[0, -1], 0]
    if history.diverged[0] < 0 and end < start:
        assert (history.diverged < 0).all(), np.flatnonzero(history.diverged >= 0)


@pytest.mark.parametrize("method", ["L1", "nope", "", None])
def test_an_unknown_method_is_refused_by_name(method):
    parts = SHOWCASE.data, SHOWCASE.network, SHOWCASE.training
    with pytest.raises(ValueError, match=rf"^methods must be one of .*'l1'.*, got {method!r}$"):
        offered([method], *parts)


@pytest.mark.parametrize("name", ["circles", "moons", "xor"])
def test_with_relu_no_card_that_comes_first_is_constant_and_max_norm_tests_better(name: str):
    worse = []
    for seed in range(4):
        data = replace(SHOWCASE.data, name=name, seed=seed)
        network = replace(SHOWCASE.network, activation="relu")
        training = replace(SHOWCASE.training, seed=seed, frames=1)
        names = ("none", "dropout", "max_norm")
        pairs = zip(names, offered(names, data, network, training), strict=True)
        first = [
            column[min(METHODS[name].default_index, len(column) - 1)] for name, column in pairs
        ]
        history = regviz.train(regviz.Experiment(data, network, training, tuple(first)))
        predicted = history.predict(history.dataset.points("test")[0])
        spread = predicted.std(axis=1)
        assert (spread > 0.3 * spread[0]).all()
        none, dropout, max_norm = history.metrics["test_loss"][-1]
        assert max_norm < none
        worse.append(dropout > none / 0.75)
    assert sum(worse) <= 1
