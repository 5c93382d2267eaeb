"""Tests of measures of weights against worked examples and equivalent formulas."""

import numpy as np
import pytest

from regviz.engine import measures

NAMES = ("sparsity", "near_zero", "l1_norm", "l2_norm", "effective_weights", "hoyer")


def test_sparsity_counts_exact_zeros_only():
    weights = [[0.0, -0.0, 1e-300, -1e-45, 5.0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]]
    np.testing.assert_array_equal(measures.sparsity(weights), [0.4, 1.0, 0.0])
    assert measures.sparsity(np.array([np.float32(1e-45), 0], dtype=np.float32)) == 0.5


def test_near_zero_is_relative_to_the_largest():
    weights = np.array([0.0, 0.9e-3, -0.9e-3, 1.1e-3, -1.0])
    assert measures.near_zero(weights) == 0.6
    assert measures.near_zero(1e-9 * weights) == 0.6
    assert measures.near_zero(weights, relative=1e-2) == 0.8


def test_norms_equal_the_worked_examples():
    # the article's vector: |w| sums to 3.5 and w^2 to 7.25
    assert measures.l1_norm([-1, -2.5]) == 3.5
    assert measures.l2_norm([-1, -2.5]) ** 2 == pytest.approx(7.25, rel=1e-15)
    weights = np.random.default_rng(0).normal(size=(4, 30))
    np.testing.assert_allclose(measures.l1_norm(weights), np.linalg.norm(weights, 1, axis=1))
    np.testing.assert_allclose(measures.l2_norm(weights), np.linalg.norm(weights, 2, axis=1))


@pytest.mark.parametrize("n", [2, 7, 100])
def test_evenly_spread_and_single_weights_are_the_ends_of_each_scale(n):
    even = np.where(np.arange(n) % 2, 3.0, -3.0)
    single = np.zeros(n)
    single[n // 2] = -0.1
    assert measures.effective_weights(even) == pytest.approx(n, rel=1e-12)
    assert measures.effective_weights(single) == pytest.approx(1, rel=1e-12)
    assert measures.hoyer(even) == pytest.approx(0, abs=1e-12)
    assert measures.hoyer(single) == pytest.approx(1, rel=1e-12)


def test_hoyer_equals_its_formula():
    # |w|_1 = 7, |w|_2 = 5, N = 4: (2 - 7/5) / (2 - 1)
    assert measures.hoyer([3, 0, -4, 0]) == pytest.approx(0.6, rel=1e-12)


@pytest.mark.parametrize("name", ["sparsity", "effective_weights", "hoyer"])
def test_measures_of_spread_do_not_depend_on_scale_or_order(name):
    measure = getattr(measures, name)
    weights = np.random.default_rng(2).normal(size=40)
    weights[:7] = 0
    for same in (weights[::-1], -weights, 1e6 * weights, 1e-6 * weights):
        assert measure(same) == pytest.approx(measure(weights), rel=1e-12)


@pytest.mark.parametrize("name", ["effective_weights", "hoyer"])
@pytest.mark.filterwarnings("error")
def test_what_zero_weights_leave_undefined_is_nan(name):
    found = getattr(measures, name)([[0.0, 0.0, 0.0], [1.0, 0.0, 2.0]])
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


@pytest.mark.parametrize("name", NAMES)
def test_measures_reduce_the_last_axis(name):
    measure = getattr(measures, name)
    weights = np.random.default_rng(3).normal(size=(3, 4, 6)).astype(np.float32)
    found = measure(weights)
    assert found.shape == (3, 4)
    assert found.dtype == np.float64
    assert found[2, 1] == pytest.approx(float(measure(weights[2, 1])), rel=1e-12)


def test_units_left_are_on_a_path_of_nonzero_weights_from_an_input_to_an_output():
    first, second, last = np.ones((2, 4)), np.ones((4, 3)), np.ones((3, 1))
    assert measures.units_left([first, second, last]) == 7
    first[:, 0] = 0  # no input reaches unit 0
    second[1] = 0  # unit 1 feeds nothing
    second[:, 2] = 0
    second[2, 0] = 0  # one link of many
    last[1] = 0
    assert measures.units_left([first, second, last]) == 2  # unit 3, and unit 0 above it
    last[:] = 0
    assert measures.units_left([first, second, last]) == 0
    assert measures.units_left([np.ones((2, 1))]) == 0  # no hidden layer
