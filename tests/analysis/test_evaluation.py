"""Tests of confusion, calibration and boundary length against scikit-learn and geometry."""

import math

import numpy as np
import pytest
import torch
from scipy import special
from sklearn import metrics

import regviz
from regviz.analysis.evaluation import (
    boundary_length,
    calibration_error,
    confusion_matrix,
    zero_length,
)

rng = np.random.default_rng(0)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_confusion_matrix_is_scikit_learns(n_classes):
    y = rng.integers(0, n_classes, 80)
    predicted = rng.integers(0, n_classes, (4, 80))
    found = confusion_matrix(predicted, y, n_classes)
    for one, classes in zip(found, predicted, strict=True):
        expected = metrics.confusion_matrix(y, classes, labels=range(n_classes))
        np.testing.assert_array_equal(one, expected)


def test_a_class_that_is_neither_true_nor_predicted_has_a_row_and_a_column():
    np.testing.assert_array_equal(
        confusion_matrix([[0, 0, 2]], [0.0, 2.0, 2.0], 4)[0],
        [[1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]],
    )


@pytest.mark.parametrize(("predicted", "y"), [([[3]], [0]), ([[0]], [-1]), ([[0]], [0.5])])
def test_classes_out_of_range_are_refused(predicted, y):
    with pytest.raises(ValueError, match=r"^(predicted|y) must be classes from 0 to 2"):
        confusion_matrix(predicted, y, 3)


# ------------------------------------------------------------------------------ calibration


def expected_calibration_error(probabilities, y, n_bins):
    """Compute the calibration error of one network by its formula, from class probabilities."""
    bins = [[] for _ in range(n_bins)]
    for p, label in zip(probabilities, y, strict=True):
        confidence = max(p)
        for b in range(n_bins):
            if b / n_bins < confidence <= (b + 1) / n_bins:
                bins[b].append((confidence, float(np.argmax(p) == label)))
    total = 0.0
    for members in filter(None, bins):
        confidence, accuracy = np.mean(members, axis=0)
        total += len(members) / len(y) * abs(accuracy - confidence)
    return total


@pytest.mark.parametrize("n_bins", [1, 7, 10, 15])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_calibration_error_equals_its_formula(n_classes, n_bins):
    p = special.softmax(2 * rng.normal(size=(5, 300, n_classes)), axis=2)
    y = rng.integers(0, n_classes, 300)
    found = calibration_error(p[:, :, 1] if n_classes == 2 else p, y, n_bins)
    expected = [expected_calibration_error(one, y, n_bins) for one in p]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_calibration_error_of_closed_cases():
    # three of four right at a confidence of 0.75; all right, and all wrong, at 0.9; half at 1
    p = np.array([[0.25, 0.25, 0.75, 0.25], [0.9] * 4, [0.1] * 4, [1, 1, 0, 0]])
    found = calibration_error(p, [0, 0, 1, 1])
    np.testing.assert_allclose(found[0], 0, atol=1e-15)
    np.testing.assert_allclose(calibration_error(p[1:3], [1, 1, 1, 1]), [0.1, 0.9], rtol=1e-12)
    np.testing.assert_allclose(calibration_error(p[3:], [1, 0, 1, 0]), [0.5], rtol=1e-12)


def test_errors_of_two_bins_do_not_cancel():
    # overconfident by 0.2 in one bin, underconfident by 0.2 in another
    p = np.array([[0.95] * 4 + [0.55] * 4])
    y = [1, 1, 1, 0, 1, 1, 1, 0]
    assert calibration_error(p, y)[0] == pytest.approx((0.2 + 0.2) / 2)
    assert calibration_error(p, y, n_bins=1)[0] == pytest.approx(0, abs=1e-15)


def test_without_points_calibration_is_undefined():
    assert np.isnan(calibration_error(np.zeros((2, 0)), [])).all()


# ------------------------------------------------------------------------------ boundary length


def grid(n_rows, n_columns, width=1.0, height=1.0):
    return np.meshgrid(np.linspace(0, width, n_columns), np.linspace(0, height, n_rows))


@pytest.mark.parametrize("angle", [0, 0.3, math.pi / 4, 1.1, math.pi / 2, 2.2, 3.0])
def test_a_straight_line_has_its_exact_length(angle):
    x, y = grid(23, 31, width=3, height=2)
    values = math.cos(angle) * (x - 1.37) + math.sin(angle) * (y - 0.91)
    # distances from (1.37, 0.91) along the line to the rectangle's sides
    along = np.array([-math.sin(angle), math.cos(angle)])
    runs = []
    for direction in (along, -along):
        reach = [
            ((3 if d > 0 else 0) - 1.37) / d if i == 0 else ((2 if d > 0 else 0) - 0.91) / d
            for i, d in enumerate(direction)
            if abs(d) > 1e-12
        ]
        runs.append(min(reach))
    assert zero_length(values, 3, 2) == pytest.approx(sum(runs), rel=1e-9)


@pytest.mark.parametrize("radius", [0.2, 0.45])
def test_a_circle_has_its_circumference_up_to_the_grid(radius):
    errors = []
    for n in (41, 81, 161):
        x, y = grid(n, n)
        values = np.hypot(x - 0.5, y - 0.48) - radius
        errors.append(abs(zero_length(values, 1, 1) / (2 * math.pi * radius) - 1))
    assert errors[2] < 1e-3
    assert errors[2] < errors[0] / 4  # the error is of second order in the grid's step


def test_length_does_not_depend_on_which_side_is_positive_or_on_steepness():
    x, y = grid(60, 60)
    values = np.sin(7 * x) - np.cos(5 * y) + 0.3
    length = zero_length(values, 1, 1)
    assert length > 1
    assert zero_length(-values, 1, 1) == pytest.approx(length, rel=1e-12)
    assert zero_length(1e6 * values, 1, 1) == pytest.approx(length, rel=1e-12)
    assert zero_length(values, 10, 10) == pytest.approx(10 * length, rel=1e-12)


def test_no_line_where_nothing_changes():
    np.testing.assert_array_equal(zero_length(np.zeros((2, 5, 5)), 1, 1), [0, 0])
    np.testing.assert_array_equal(zero_length(np.ones((2, 5, 5)), 1, 1), [0, 0])


def test_two_outputs_have_the_boundary_of_their_difference():
    x, y = grid(50, 50)
    lead = x**2 + y - 0.8
    one = boundary_length(lead[None, None], 1, 1)
    two = boundary_length(np.stack([0.3 * x, lead + 0.3 * x])[None], 1, 1)
    np.testing.assert_allclose(two, one, rtol=1e-9)


def test_three_sectors_share_three_borders():
    # class c wins in its sector of 120 degrees around the middle of the square
    x, y = grid(241, 241, 2, 2)
    angles = np.pi / 2 + 2 * np.pi * np.arange(3) / 3
    scores = np.cos(angles)[:, None, None] * (x - 1) + np.sin(angles)[:, None, None] * (y - 1)
    # one vertical border, and two that rise by 30 degrees to the sides
    expected = 1 + 2 / math.cos(math.pi / 6)
    assert boundary_length(scores[None], 2, 2)[0] == pytest.approx(expected, rel=3e-3)


def test_a_class_that_never_wins_adds_no_border():
    x, _ = grid(30, 30)
    scores = np.stack([x - 0.4, 0.4 - x, np.full_like(x, -9)])
    assert boundary_length(scores[None], 1, 1)[0] == pytest.approx(1, rel=1e-12)


def test_a_grid_too_small_is_refused():
    with pytest.raises(ValueError, match=r"^values must be on a grid of at least 2 by 2"):
        zero_length(np.zeros((1, 5)), 1, 1)


# ------------------------------------------------------------------------------ raw outputs


@pytest.mark.parametrize("name", ["moons", "three_blobs", "plane"])
def test_outputs_are_those_of_the_chosen_networks_at_their_own_times(name, as_module):
    rows = (regviz.Regularization(), regviz.Regularization(l2=0.1), regviz.Regularization(l1=0.1))
    training = regviz.TrainingSpec(epochs=6, dtype="float64")
    history = regviz.train(
        regviz.Experiment(regviz.DataSpec(name), training=training, regularizations=rows)
    )
    points = rng.normal(size=(7, 2))
    found = history.outputs(points, [2, 0, 0], [-1, 1, 4])
    for outputs, k, t in zip(found, [2, 0, 0], [6, 1, 4], strict=True):
        module = as_module(history.weights(k, t), history.biases(k, t), "tanh")
        expected = module(torch.tensor(points)).detach().numpy().T
        np.testing.assert_allclose(outputs, expected, rtol=1e-12, atol=1e-12)


def test_outputs_of_unknown_networks_or_times_are_refused():
    history = regviz.train(regviz.Experiment(training=regviz.TrainingSpec(epochs=2)))
    point = [[0.0, 0.0]]
    with pytest.raises(ValueError, match=r"^rows must be a whole number from -1 to 0, got 1"):
        history.outputs(point, [1])
    with pytest.raises(ValueError, match=r"^t must be a whole number from -3 to 2, got 3"):
        history.outputs(point, [0], 3)
    with pytest.raises(ValueError, match=r"^t must be one index, or 1, one for each row"):
        history.outputs(point, [0], [0, 1])
    with pytest.raises(ValueError, match=r"^X must be of shape \(n, 2\)"):
        history.outputs([[0.0]], [0])
