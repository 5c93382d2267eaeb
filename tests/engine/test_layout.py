"""Tests of input features, parameter layout and initial weights."""

import math

import numpy as np
import pytest
import torch

from regviz.engine.layout import Layout, initial_row, input_features
from regviz.spec.experiment import ACTIVATIONS, NetworkSpec
from tests.support.networks import FEATURE_SETS, features_by_hand, layers_by_hand


def test_input_features_equal_their_formulas():
    points = np.random.default_rng(3).normal(size=(9, 2))
    for names in FEATURE_SETS:
        expected = features_by_hand(points, names)
        np.testing.assert_array_equal(input_features(points, names), expected)
        np.testing.assert_allclose(
            input_features(torch.tensor(points), names), expected, rtol=1e-15
        )
    for n_columns in (1, 3, 7):
        points = np.zeros((4, n_columns))
        assert input_features(points, ("x1",)) is points


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_only_two_columns_are_turned_into_features(n_columns):
    layout = Layout.of(NetworkSpec((4,), features=("x1", "x2", "x1^2")), n_columns, 1)
    assert layout.sizes == (3 if n_columns == 2 else n_columns, 4, 1)


@pytest.mark.parametrize("sizes", [(2, 1), (3, 5, 2), (1, 1, 1, 1), (7, 32, 3, 4)])
def test_a_row_holds_each_units_weights_and_then_its_bias(sizes):
    layout = Layout(sizes)
    row = torch.arange(layout.n_parameters, dtype=torch.float64)
    layers = layers_by_hand(row, sizes)
    for block, (weight, bias) in zip(layout.split(row), layers, strict=True):
        assert torch.equal(block, torch.column_stack([weight, bias]))
    of_weights = torch.cat([weight.flatten() for weight, _ in layers]).numpy()
    np.testing.assert_array_equal(np.flatnonzero(layout.is_weight), of_weights)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_initial_weights_are_uniform_within_glorots_or_hes_bound_and_biases_zero(activation):
    layout = Layout((30, 32, 20))
    row = initial_row(layout, activation, seed=3)
    for block, (fan_in, fan_out) in zip(layout.split(row), [(30, 32), (32, 20)], strict=True):
        relu = activation in ("relu", "leaky_relu")
        bound = math.sqrt(6 / fan_in if relu else 6 / (fan_in + fan_out))
        weights = block[:, :-1] / bound
        assert weights.abs().max() <= 1
        # uniform on [-1, 1] has variance 1/3; five standard errors of it
        n = weights.numel()
        assert abs(float((weights**2).mean()) - 1 / 3) < 5 * math.sqrt(4 / 45 / n)
        assert abs(float(weights.mean())) < 5 * math.sqrt(1 / 3 / n)
        assert (block[:, -1] == 0).all()
    assert torch.equal(row, initial_row(layout, activation, seed=3))
    assert not torch.equal(row, initial_row(layout, activation, seed=4))
