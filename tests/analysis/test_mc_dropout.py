"""Tests of Monte-Carlo dropout: passes against torch.nn, entropies against closed forms."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import regviz
from regviz import Regularization
from regviz.analysis import mc_dropout
from regviz.data.datasets import domain

ROWS = (
    Regularization(),
    Regularization(drop_rate=0.3),
    Regularization(drop_rate=0.2, input_drop_rate=0.4, max_norm=1.0),
)


def run(name="moons", rows=ROWS, hidden=(6, 5), **training):
    return regviz.train(
        regviz.Experiment(
            data=regviz.DataSpec(name, n_samples=60),
            network=regviz.NetworkSpec(hidden=hidden),
            training=regviz.TrainingSpec(**{"epochs": 20, "frames": 2} | training),
            regularizations=rows,
        )
    )


@pytest.fixture(scope="module")
def histories():
    return {name: run(name) for name in ("moons", "three_blobs", "bumps")}


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(size=(7, 2))


@pytest.mark.parametrize("name", ["moons", "three_blobs", "bumps"])
def test_without_dropout_every_pass_is_the_prediction(histories, points, name):
    history = histories[name]
    for t in (0, -1):
        passes = mc_dropout.monte_carlo(history, 0, points, t, passes=4)
        expected = history.predict(points, t)[0]
        np.testing.assert_allclose(passes, np.stack([expected] * 4), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["moons", "three_blobs", "bumps"])
@pytest.mark.parametrize("k", [1, 2])
def test_a_pass_is_a_forward_pass_with_masked_activations(histories, points, name, k, as_module):
    history, passes = histories[name], 5
    row = history.experiment.regularizations[k]
    found = mc_dropout.monte_carlo(history, k, points, passes=passes, seed=3)
    # layers of torch.nn, with masks made from the same random numbers
    layers = list(as_module(history.weights(k), history.biases(k), "tanh"))
    uniform = torch.rand((passes, 2 + 6 + 5), generator=torch.Generator().manual_seed(3)).double()
    drawn = uniform.split([2, 6, 5], dim=1)
    rates = (row.input_drop_rate, row.drop_rate, row.drop_rate)
    for i in range(passes):
        values = torch.from_numpy(points)
        linear = 0
        for layer in layers:
            if isinstance(layer, torch.nn.Linear):
                keep = drawn[linear][i] < 1 - rates[linear]
                values = values * keep / (1 - rates[linear])
                linear += 1
            values = layer(values)
        with torch.no_grad():
            expected = {
                "moons": lambda v: torch.sigmoid(v[:, 0]),
                "three_blobs": lambda v: torch.softmax(v, 1),
                "bumps": lambda v: v[:, 0],
            }[name](values)
        np.testing.assert_allclose(found[i], expected.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_the_mean_over_passes_of_one_hidden_layer_is_the_value_without_dropout(points):
    history = run("bumps", hidden=(8,))
    passes = 4000
    found = mc_dropout.monte_carlo(history, 1, points, passes=passes).astype(float)
    # value = sum_j m_j v_j h_j + b with E[m] = 1, Var[m] = p / (1 - p): its variance is known
    hidden = np.tanh(points @ history.weights(1)[0] + history.biases(1)[0])
    p = history.experiment.regularizations[1].drop_rate
    variance = p / (1 - p) * ((hidden * history.weights(1)[1][:, 0]) ** 2).sum(axis=1)
    plain = history.predict(points)[1]
    assert (np.abs(found.mean(axis=0) - plain) < 5 * np.sqrt(variance / passes)).all()
    # the relative error of a sample variance is about sqrt(2 / passes)
    np.testing.assert_allclose(found.var(axis=0), variance, rtol=5 * math.sqrt(2 / passes))


def test_units_are_kept_as_often_as_the_rate_says():
    history = run("bumps", hidden=(1,), rows=(Regularization(drop_rate=0.3),))
    found = mc_dropout.monte_carlo(history, 0, [[0.7, -0.4]], passes=5000)[:, 0]
    # a single unit is dropped, which leaves the bias, or scaled by 1 / 0.7
    values, counts = np.unique(found.round(5), return_counts=True)
    assert len(values) == 2
    dropped = counts[np.argmin(np.abs(values - history.biases(0)[1][0]))]
    assert abs(dropped / 5000 - 0.3) < 5 * math.sqrt(0.3 * 0.7 / 5000)


def test_the_same_seed_draws_the_same_and_fewer_passes_are_the_first_of_more(histories, points):
    history = histories["moons"]
    many = mc_dropout.monte_carlo(history, 1, points, passes=50, seed=1)
    np.testing.assert_array_equal(
        many, mc_dropout.monte_carlo(history, 1, points, passes=50, seed=1)
    )
    np.testing.assert_array_equal(
        many[:9], mc_dropout.monte_carlo(history, 1, points, passes=9, seed=1)
    )
    assert (many != mc_dropout.monte_carlo(history, 1, points, passes=50, seed=2)).any()


def test_the_chunk_size_makes_no_difference(histories, points, monkeypatch):
    history = histories["moons"]
    whole = mc_dropout.monte_carlo(history, 1, points, passes=10)
    monkeypatch.setattr(mc_dropout, "MAX_LAYER_VALUES", 7 * 6 * 3)
    np.testing.assert_array_equal(mc_dropout.monte_carlo(history, 1, points, passes=10), whole)


def test_progress_is_reported(histories, points, monkeypatch):
    shares = []
    mc_dropout.monte_carlo(histories["moons"], 1, points, passes=10, progress=shares.append)
    assert shares == [1]
    monkeypatch.setattr(mc_dropout, "MAX_LAYER_VALUES", 4 * len(points) * 6)
    mc_dropout.monte_carlo(histories["moons"], 1, points, passes=10, progress=shares.append)
    assert shares[1:] == [0.4, 0.8, 1]


def test_dropout_before_its_onset_drops_nothing(points):
    rows = (Regularization(drop_rate=0.5, onset=20),)
    history = run(rows=rows)
    before = mc_dropout.monte_carlo(history, 0, points, t=1, passes=3)
    np.testing.assert_array_equal(before[0], before[1])
    after = mc_dropout.monte_carlo(history, 0, points, t=-1, passes=3)
    assert (after[0] != after[1]).any()


def test_float64_histories_have_float64_passes(points):
    assert mc_dropout.monte_carlo(run(dtype="float64"), 1, points).dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 3}, "k must be a whole number from -3 to 2, got 3"),
        ({"t": 3}, "t must be a whole number from -3 to 2, got 3"),
        ({"passes": 0}, "passes must be a whole number from 1 to 10000, got 0"),
        ({"seed": -1}, "seed must be a whole number from 0 to"),
        ({"X": [[1.0]]}, r"X must be of shape \(n, 2\), got \(1, 1\)"),
        ({"X": [[1.0, math.nan]]}, "must be a finite number"),
    ],
)
def test_what_cannot_be_passed_is_refused(histories, arguments, message):
    with pytest.raises(ValueError, match=message):
        mc_dropout.monte_carlo(histories["moons"], **{"k": 1, "X": [[0.0, 0.0]]} | arguments)


def test_entropy_has_its_closed_forms():
    for n in (2, 3, 7):
        assert mc_dropout.entropy(np.full(n, 1 / n)) == pytest.approx(math.log(n))
        assert mc_dropout.entropy(np.eye(n)).tolist() == [0] * n
    # probabilities 1/2, 1/4, 1/4: ln 2 + ln 2 / 2
    assert mc_dropout.entropy([0.5, 0.25, 0.25]) == pytest.approx(1.5 * math.log(2))
    assert mc_dropout.entropy(np.full((4, 5, 3), 1 / 3)).shape == (4, 5)


def test_entropy_is_torchs():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    expected = torch.distributions.Categorical(probs=torch.from_numpy(p)).entropy()
    np.testing.assert_allclose(mc_dropout.entropy(p), expected.numpy(), rtol=1e-12)


def test_passes_that_contradict_each_other_are_all_epistemic():
    found = mc_dropout.uncertainty([[0.0], [1.0]], "binary")
    np.testing.assert_allclose(np.ravel(found), [math.log(2), 0, math.log(2)])
    classes = np.eye(3)[:, None]  # three passes at one point, each certain of another class
    found = mc_dropout.uncertainty(classes, "multiclass")
    np.testing.assert_allclose(np.ravel(found), [math.log(3), 0, math.log(3)])


def test_passes_that_agree_on_being_unsure_are_all_aleatoric():
    found = mc_dropout.uncertainty(np.full((5, 1), 0.5), "binary")
    np.testing.assert_allclose(np.ravel(found), [math.log(2), math.log(2), 0])


def test_the_epistemic_part_is_the_mutual_information_of_pass_and_class():
    passes = np.random.default_rng(0).dirichlet(np.ones(3), (6, 4))
    found = mc_dropout.uncertainty(passes, "multiclass")
    for i in range(4):
        joint = passes[:, i] / 6  # joint distribution of pass and class
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        expected = (joint * np.log(joint / apart)).sum()
        assert found.epistemic[i] == pytest.approx(expected)
    np.testing.assert_allclose(found.predictive, found.aleatoric + found.epistemic)


def test_one_pass_is_never_epistemic():
    p = np.random.default_rng(0).random((1, 50))
    found = mc_dropout.uncertainty(p, "binary")
    np.testing.assert_array_equal(found.epistemic, 0)
    np.testing.assert_array_equal(mc_dropout.predictive_entropy(p), found.aleatoric)


def test_regression_has_a_standard_deviation_and_no_entropy():
    found = mc_dropout.uncertainty([[1.0, 5.0], [3.0, 5.0]], "regression")
    np.testing.assert_allclose(found.predictive, [1, 0])
    np.testing.assert_array_equal(found.predictive, found.epistemic)
    assert np.isnan(found.aleatoric).all()


@pytest.mark.parametrize("name", ["moons", "three_blobs", "bumps"])
def test_the_plane_holds_what_is_found_at_each_of_its_points(histories, name):
    history = histories[name]
    plane = mc_dropout.over_plane(history, 1, passes=20, seed=4, resolution=5)
    assert (plane.k, plane.passes) == (1, 20)
    assert (plane.axis[0], plane.axis[-1]) == domain(history.dataset)
    for i, j in itertools.product(range(5), range(5)):
        point = [[plane.axis[j], plane.axis[i]]]
        passes = mc_dropout.monte_carlo(history, 1, point, passes=20, seed=4)
        close = {"rtol": 1e-4, "atol": 1e-6}
        np.testing.assert_allclose(plane.plain[i, j], history.predict(point)[1, 0], **close)
        np.testing.assert_allclose(plane.mean[i, j], passes.mean(axis=0)[0], **close)
        parts = mc_dropout.uncertainty(passes, history.dataset.task)
        for whole, part in zip(plane.uncertainty, parts, strict=True):
            np.testing.assert_allclose(whole[i, j], part[0], rtol=1e-3, atol=1e-5)
        if name == "bumps":
            assert np.isnan(plane.plain_entropy[i, j])
        else:
            p = np.atleast_1d(plane.plain[i, j]).astype(float)
            p = p if len(p) > 1 else np.array([p[0], 1 - p[0]])
            expected = torch.distributions.Categorical(probs=torch.from_numpy(p)).entropy()
            assert plane.plain_entropy[i, j] == pytest.approx(float(expected), abs=1e-6)


def test_networks_are_counted_from_the_end_too(histories):
    plane = mc_dropout.over_plane(histories["moons"], -1, passes=3, resolution=3)
    assert plane.k == 2
    np.testing.assert_array_equal(
        plane.mean,
        mc_dropout.over_plane(histories["moons"], 2, passes=3, resolution=3).mean,
    )


def test_data_of_other_than_two_columns_have_no_plane(histories):
    X = np.random.default_rng(0).normal(size=(30, 3))
    dataset = regviz.Dataset(X, (X[:, 0] > 0).astype(float))
    history = regviz.train(replace(histories["moons"].experiment), dataset=dataset)
    with pytest.raises(ValueError, match="history must be a run on data with two columns, got 3"):
        mc_dropout.over_plane(history, 1)
    assert mc_dropout.monte_carlo(history, 1, X, passes=2).shape == (2, 30)
