"""Tests of the strengths and variants of each method: range, order, stability."""

import itertools
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression

import regviz
from regviz.methods.catalogue import METHODS, initial, initial_variant, offered
from regviz.methods.strengths import N_STRENGTHS, highest_dropout_rate, penalty_strengths
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from regviz.spec.experiment import ACTIVATIONS, OPTIMIZERS
from regviz.spec.tables import DATASETS, TABLES

HIDDEN = [(), (1,), (4, 2), (8, 8, 8), (32,) * 6]
RATES = [1e-5, 0.003, 0.03, 0.3, 10]
PENALTIES = ("l1", "l2", "elastic_net", "group_lasso")


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


def offers(setting):
    """Yield each method and value of its variants, with the strengths that it offers."""
    for key, method in METHODS.items():
        for value in method.values(*setting):
            yield key, value, method.offered(*setting, value)


def test_each_method_offers_twelve_different_strengths_in_order_for_any_setting():
    for setting in settings():
        for method, value, found in offers(setting):
            if method == "none":
                assert found == ()
                continue
            assert len(found) == N_STRENGTHS == 12
            pairs = list(itertools.pairwise(found))
            weaker = (
                (a > b for a, b in pairs) if method == "max_norm" else (a < b for a, b in pairs)
            )
            assert all(weaker), (setting, method, value, found)


def test_strengths_are_round_numbers():
    for setting in itertools.islice(settings(), 0, None, 5):
        for method, _, found in offers(setting):
            for strength in found:
                digits = "".join(map(str, Decimal(repr(strength)).normalize().as_tuple().digits))
                assert len(digits) <= 2
                if method in PENALTIES:
                    assert digits in ("1", "15", "2", "3", "5", "7")


def test_steps_between_penalties_are_small_and_smaller_at_the_strong_end():
    for setting in itertools.islice(settings(), 0, None, 7):
        for method, _, found in offers(setting):
            if method in PENALTIES:
                ratios = [b / a for a, b in itertools.pairwise(found)]
                assert max(ratios) < 2.6
                assert max(ratios[-4:]) < 1.7


def test_elastic_net_leads_from_the_strengths_of_l2_to_those_of_l1():
    for setting in itertools.islice(settings(), 0, None, 7):
        found = {value: s for method, value, s in offers(setting) if method == "elastic_net"}
        assert list(found) == [0, 0.25, 0.5, 0.75, 1]
        assert found[0] == METHODS["l2"].offered(*setting)
        assert found[1] == METHODS["l1"].offered(*setting)
        if setting[2].optimizer != "adamw":  # whose weight decay has a bound of its own
            ends = [strengths[-1] for strengths in found.values()]
            assert ends == sorted(ends, reverse=True)


def test_max_norm_comes_without_dropout_with_a_little_and_with_more_that_does_not_diverge():
    for setting in itertools.islice(settings(), 0, None, 7):
        none, *others = METHODS["max_norm"].values(*setting)
        assert none == 0
        assert 1 <= len(others) <= 2
        assert max(others) <= highest_dropout_rate(*setting)
        if setting[1].activation not in ("tanh", "sigmoid"):
            assert others[0] <= 0.02
        elif setting[0].task != "regression":
            assert others == [0.1, 0.2]


def test_every_offered_strength_is_a_regularization_of_its_method():
    for setting in itertools.islice(settings(), 0, None, 23):
        for key, variants in zip(METHODS, offered(list(METHODS), *setting), strict=True):
            method = METHODS[key]
            if key == "none":
                assert variants == ((regviz.Regularization(),),)
                continue
            for value, column in zip(method.values(*setting), variants, strict=True):
                expected = [
                    method.regularization(s, value) for s in method.offered(*setting, value)
                ]
                assert list(column) == expected


def test_the_showcase_is_a_line_of_its_grid():
    parts = SHOWCASE.data, SHOWCASE.network, SHOWCASE.training
    assert initial(LINE_UP, *parts) == SHOWCASE.regularizations
    columns = dict(zip(LINE_UP, offered(LINE_UP, *parts), strict=True))
    for key, row in zip(LINE_UP, SHOWCASE.regularizations, strict=True):
        method = METHODS[key]
        if key != "none":
            assert row == columns[key][initial_variant(key)][method.default_index]
    assert SHOWCASE.regularizations[3].l1 == SHOWCASE.regularizations[3].l2
    assert len(rows_of(LINE_UP, *parts)) == 109


def rows_of(methods, *setting):
    """Return the different regularizations of all variants of some methods."""
    variants = itertools.chain(*offered(methods, *setting))
    return tuple(dict.fromkeys(itertools.chain(*variants)))


def test_weight_decay_never_steps_beyond_zero():
    for data, network, training in settings():
        if training.optimizer == "adamw":
            rows = rows_of(("l2", "elastic_net"), data, network, training)
            assert all(training.learning_rate * row.l2 <= 1 for row in rows)


@pytest.mark.parametrize("name", ["moons", "circles", "three_blobs", "bumps"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_penalties_lead_from_next_to_no_effect_to_collapse(name: str, activation: str):
    data = replace(SHOWCASE.data, name=name, seed=0)
    network = regviz.NetworkSpec((8, 8, 8), activation)
    training = regviz.TrainingSpec("sgd", learning_rate=0.1, epochs=200, frames=1)
    columns = [
        variants[initial_variant(key)]
        for key, variants in zip(
            ("none", *PENALTIES),
            offered(("none", *PENALTIES), data, network, training),
            strict=True,
        )
    ]
    history = regviz.train(
        regviz.Experiment(data, network, training, tuple(itertools.chain(*columns)))
    )
    X, y = history.dataset.points("test")
    predicted = history.predict(X)
    scale = y.std() if history.dataset.task == "regression" else 1
    spread = predicted.std(axis=1).reshape(len(predicted), -1).mean(axis=1)
    for key, first in zip(PENALTIES, range(1, len(predicted), N_STRENGTHS), strict=True):
        assert np.abs(predicted[first] - predicted[0]).mean() < 0.08 * scale
        if key == "group_lasso":  # few units can do what many did
            assert history.units_left(first) == 24
            assert history.units_left(first + N_STRENGTHS - 1) <= 6
            continue
        assert spread[first + N_STRENGTHS - 1] < 0.75 * spread[0]
        assert spread[first + N_STRENGTHS // 2] > 0.5 * spread[0]


def test_of_each_penalty_at_most_one_network_collapses_nearly_everywhere():
    few = []
    # Networks learn the rule of parity after these 300 epochs, with weights of another size: at
    # most one network collapsed in 6 of its 16 cases.
    names = [name for name in DATASETS if name != "parity"]
    for name, hidden, activation in itertools.product(names, ((4, 2), (8, 8, 8)), ("tanh", "relu")):
        data = replace(SHOWCASE.data, name=name, seed=0)
        network = regviz.NetworkSpec(hidden, activation)
        training = replace(SHOWCASE.training, learning_rate=0.05, epochs=300, seed=0, frames=1)
        columns = [
            variants[initial_variant(key)]
            for key, variants in zip(
                PENALTIES, offered(PENALTIES, data, network, training), strict=True
            )
        ]
        rows = (regviz.Regularization(), *itertools.chain(*columns))
        history = regviz.train(regviz.Experiment(data, network, training, rows))
        predicted = history.predict(history.dataset.points("test")[0])
        spread = predicted.std(axis=1).reshape(len(rows), -1).mean(axis=1)
        collapsed = (spread[1:] < 0.05 * spread[0]).reshape(len(PENALTIES), N_STRENGTHS)
        few += list(collapsed.sum(axis=1) <= 1)
    assert np.mean(few) >= 0.8


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
    rows = rows_of(list(METHODS), data, network, training)
    history = regviz.train(regviz.Experiment(data, network, training, rows))
    start, end = history.metrics["train_loss"][[0, -1], 0]
    if history.diverged[0] < 0 and end < start:
        assert (history.diverged < 0).all(), np.flatnonzero(history.diverged >= 0)


@pytest.mark.parametrize("method", ["L1", "nope", "", None])
def test_an_unknown_method_is_refused_by_name(method):
    parts = SHOWCASE.data, SHOWCASE.network, SHOWCASE.training
    with pytest.raises(ValueError, match=rf"^methods must be one of .*'l1'.*, got {method!r}$"):
        offered([method], *parts)


@pytest.mark.parametrize("hidden", [(8, 8, 8), (4, 2), (32, 32)])
def test_with_relu_no_card_that_comes_first_is_constant_and_most_test_better_than_none(hidden):
    ratios = []
    for name, seed in itertools.product(("circles", "moons", "xor"), range(6)):
        data = replace(SHOWCASE.data, name=name, seed=seed)
        network = replace(SHOWCASE.network, activation="relu", hidden=hidden)
        training = replace(SHOWCASE.training, seed=seed, frames=1)
        first = initial(("none", "dropout", "max_norm"), data, network, training)
        history = regviz.train(regviz.Experiment(data, network, training, first))
        spread = history.predict(history.dataset.points("test")[0]).std(axis=1)
        if spread[0] > 0.01:  # a small ReLU network may be constant from the start
            assert (spread > 0.3 * spread[0]).all(), (name, seed)
        loss = history.metrics["test_loss"][-1]
        ratios.append(loss[1:] / loss[0])
    dropout, max_norm = np.array(ratios).T
    assert np.median(dropout) < 1
    assert np.mean(dropout > 1.1) <= 0.4
    assert np.median(max_norm) < 0.8
    assert np.mean(max_norm > 1.1) <= 0.2


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_strongest_l1_of_a_linear_model_of_a_table_is_next_to_scikit_learns(table):
    data = regviz.DataSpec(table.name, train_fraction=0.2, seed=3)
    strengths = penalty_strengths(data, regviz.NetworkSpec(()), SHOWCASE.training, 1.0)
    X, y = regviz.make_dataset(data).points("train")

    def kept(strength):
        if table.task == "regression":
            model = Lasso(alpha=strength)
        else:
            C = 1 / (strength * len(y))
            model = LogisticRegression(C=C, l1_ratio=1, solver="saga", tol=1e-6, max_iter=10_000)
        return np.count_nonzero(model.fit(X, y).coef_)

    # each is at most 1.7 times the one before, and the last one is the nearest to the collapse
    assert kept(1.3 * strengths[-1]) == 0
    assert kept(strengths[-2] / 1.3) > 0
