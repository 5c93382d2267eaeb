"""Tests of the figures of penalties."""

import math

import numpy as np
import pytest

from regviz import Regularization, figures
from regviz.analysis.penalties import LeastSquares
from regviz.methods.catalogue import METHODS

L1, L2 = Regularization(l1=0.8), Regularization(l2=0.5)
NET, NORM = Regularization(l1=0.4, l2=0.25), Regularization(max_norm=0.7)
ROWS = [L1, L2, NET]
PROBLEM = LeastSquares((1.0, 0.4), 0.3)


def soft(z, threshold):
    return np.sign(z) * np.maximum(np.abs(z) - threshold, 0)


def alt(figure):
    return figure.layout.meta["alt"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_penalties_are_drawn_by_their_formula_in_the_colours_of_their_methods(theme):
    figure = figures.penalty_curves(ROWS, limit=2.0, theme=theme)
    colours = [METHODS[key].colour[theme] for key in ("l1", "l2", "elastic_net")]
    assert [trace.line.color for trace in figure.data] == colours
    for trace, row in zip(figure.data, ROWS, strict=True):
        x = np.asarray(trace.x)
        assert (x.min(), x.max()) == (-2, 2)
        np.testing.assert_allclose(trace.y, row.l1 * np.abs(x) + row.l2 * x**2 / 2, atol=1e-12)
    assert "L1 1.6 and 0.16" in alt(figure)
    assert "L2 1 and 0.01" in alt(figure)


def test_gradients_jump_at_0_for_l1_and_not_for_l2():
    figure = figures.penalty_gradients(ROWS)
    for trace, row in zip(figure.data, ROWS, strict=True):
        x, y = np.asarray(trace.x), np.asarray(trace.y)
        np.testing.assert_allclose(y, row.l1 * np.sign(x) + row.l2 * x, atol=1e-12)
        at_zero = np.flatnonzero(x == 0).item()
        jump = y[at_zero + 1] - y[at_zero - 1]
        assert jump == pytest.approx(2 * row.l1, abs=1e-6)
    assert "L1 0.8 and 0.8" in alt(figure)


def test_proximal_maps_are_soft_threshold_shrinkage_and_projection():
    step = 0.5
    figure = figures.proximal_maps([*ROWS, NORM], step)
    *maps, unchanged = figure.data
    for trace, row in zip(maps, [*ROWS, NORM], strict=True):
        z = np.asarray(trace.x)
        expected = soft(z, step * row.l1) / (1 + step * row.l2)
        bound = row.max_norm or math.inf
        np.testing.assert_allclose(trace.y, expected.clip(-bound, bound), atol=1e-12)
    np.testing.assert_array_equal(unchanged.x, unchanged.y)
    assert "L1 sets weights within ±0.4 to exactly 0" in alt(figure)
    assert "Max-norm clips at ±0.7" in alt(figure)


def test_the_race_follows_the_closed_forms():
    figure = figures.weight_race(ROWS, 1.2, 0.1, 40)
    l1, l2 = figure.data[:2]
    np.testing.assert_allclose(l1.y, np.maximum(1.2 - 0.08 * np.asarray(l1.x), 0), atol=1e-12)
    np.testing.assert_allclose(l2.y, 1.2 / 1.05 ** np.asarray(l2.x))
    assert l1.name == "L1: exactly 0 after 15 steps"  # 1.2 / 0.08
    assert l2.name == f"L2: never 0; {1.2 / 1.05**40:.3g} after 40 steps"
    assert l1.name in alt(figure)
    assert l2.name in alt(figure)


@pytest.mark.parametrize("log", [False, True])
def test_a_weight_that_is_never_0_is_not_said_to_be_0(log):
    l1, l2 = figures.weight_race(ROWS, 1.2, 10, 5000, log=log).data[:2]
    assert l2.customdata[-1] == 0  # 1.2 / 6^5000 is 1e-3891, below the smallest float
    assert l2.name == "L2: never 0; below 1e−300 after 5,000 steps"
    assert "0" not in l2.text
    assert l2.text[-1] == "below 1e−300"
    assert l1.name == "L1: exactly 0 after 1 step"
    assert (l1.text[0], l1.text[-1]) == ("1.2", "0")


@pytest.mark.parametrize("log", [False, True])
def test_points_run_along_the_lines_once_the_viewer_starts_them(log):
    figure = figures.weight_race(ROWS, 1.2, 0.1, 40, log=log)
    lines, points = figure.data[:3], figure.data[3:]
    bottom = 10 ** figure.layout.yaxis.range[0] if log else 0
    for point in points:
        assert (list(point.x), list(point.y)) == ([0], [1.2])  # not moving at the start
    assert [int(frame.name) for frame in figure.frames] == list(range(41))
    for frame in figure.frames:
        assert list(frame.traces) == [3, 4, 5]
        for line, point in zip(lines, frame.data, strict=True):
            weight = np.asarray(line.customdata)[np.asarray(line.x) == point.x[0]].item()
            assert point.y[0] == pytest.approx(max(weight, bottom))
    play, pause = figure.layout.updatemenus[0].buttons
    assert (play.method, play.args[0]) == ("animate", None)  # all frames
    assert (pause.method, pause.args[0]) == ("animate", (None,))  # stop
    assert [s.args[0][0] for s in figure.layout.sliders[0].steps] == [f.name for f in figure.frames]


def test_on_a_log_axis_l2_is_straight_and_l1_falls_out_at_the_bottom():
    figure = figures.weight_race(ROWS, 1.2, 0.1, 40, log=True)
    l1, l2 = figure.data[:2]
    slopes = np.diff(np.log(l2.y)) / np.diff(l2.x)
    np.testing.assert_allclose(slopes, -math.log(1.05))
    bottom = 10 ** figure.layout.yaxis.range[0]
    drawn = np.asarray(l1.y)
    assert np.asarray(l1.x)[drawn < bottom].tolist() == [15]
    assert np.isnan(drawn[16:]).all()
    assert min(l2.y) > bottom


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("row", [L1, L2, NET, Regularization(l1=1e-6), Regularization(l2=100)])
def test_races_of_any_length_stay_small_and_finite(row, log):
    figure = figures.weight_race([row], 1.2, 0.05, 3_000_000, log=log)
    assert len(figure.frames) <= 100
    assert len(figure.data[0].x) <= 105
    heads = [frame.data[0].y[0] for frame in figure.frames]
    assert np.isfinite(heads).all()
    assert figure.data[0].x[-1] == 3_000_000


def test_arrivals_are_drawn_where_they_are_however_few_the_steps_drawn():
    figure = figures.weight_race([Regularization(l1=0.003)], 1.2, 0.1, 100_000)
    x, y = np.asarray(figure.data[0].x), np.asarray(figure.data[0].y)
    assert x[y == 0].min() == 4000
    assert x[y > 0].max() == 3999


@pytest.mark.parametrize("row", ROWS)
def test_loss_and_penalty_touch_at_the_solution(row):
    figure = figures.loss_and_penalty(PROBLEM, row)
    *ellipses, shape, way, optimum, solution = figure.data
    best = np.array([solution.x[0], solution.y[0]])
    # optimality conditions: |gradient of the loss| <= l1 where a weight is 0
    gradient = PROBLEM.hessian @ (best - PROBLEM.optimum)
    for g, w in zip(gradient, best, strict=True):
        if w == 0:
            assert abs(g) <= row.l1
        else:
            assert g == pytest.approx(-row.l1 * np.sign(w) - row.l2 * w)
    assert (optimum.x[0], optimum.y[0]) == PROBLEM.optimum

    def penalty(w):
        return row.l1 * np.abs(w).sum(axis=-1) + row.l2 / 2 * (w**2).sum(axis=-1)

    np.testing.assert_allclose(penalty(np.stack([shape.x, shape.y], axis=1)), penalty(best))
    touching = np.stack([ellipses[-1].x, ellipses[-1].y], axis=1)
    assert np.hypot(*(touching - best).T).min() < 0.03
    assert (way.x[0], way.y[0]) == pytest.approx(PROBLEM.optimum)
    assert np.hypot(way.x[-1], way.y[-1]) < 0.01
    for axis in (figure.layout.xaxis, figure.layout.yaxis):  # the whole shape is within the axes
        assert axis.range[0] <= min(*shape.x, *shape.y)
        assert axis.range[1] >= max(*shape.x, *shape.y)


def test_the_group_lasso_of_two_weights_is_a_circle_whose_solutions_reach_zero_together():
    row = Regularization(group_lasso=0.3)
    *_, shape, way, _, solution = figures.loss_and_penalty(PROBLEM, row).data
    radius = math.hypot(solution.x[0], solution.y[0])
    np.testing.assert_allclose(np.hypot(shape.x, shape.y), radius)
    x, y = np.asarray(way.x), np.asarray(way.y)
    assert (x[-1], y[-1]) == (0, 0)
    np.testing.assert_array_equal(x == 0, y == 0)


def test_regularizations_of_one_method_are_told_apart():
    figure = figures.penalty_curves([L1, Regularization(l1=0.2)])
    names, colours = zip(*((t.name, t.line.color) for t in figure.data), strict=True)
    assert names == ("L1 λ₁ = 0.8", "L1 λ₁ = 0.2")
    assert colours[0] != colours[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.penalty_curves([]), "rows must be a sequence of Regularization"),
        (lambda: figures.penalty_curves(["l1"]), r"rows\[0\] must be a Regularization"),
        (lambda: figures.penalty_curves(ROWS, limit=0), "limit must be a number above 0"),
        (lambda: figures.penalty_gradients(ROWS, theme="blue"), "theme must be one of"),
        (lambda: figures.proximal_maps(ROWS, 0.0), "step must be a number above 0"),
        (lambda: figures.weight_race(ROWS, 0.0, 0.1, 10), "start must be a number above 0"),
        (lambda: figures.weight_race(ROWS, 1.0, -0.1, 10), "step must be a number above 0"),
        (lambda: figures.weight_race(ROWS, 1.0, 0.1, 0), "n_steps must be a whole number"),
        (lambda: figures.weight_race(ROWS, 1.0, 0.1, 9, log=1), "log must be True or False"),
        (
            lambda: figures.loss_and_penalty(PROBLEM, Regularization()),
            "l1, l2 or group_lasso above 0",
        ),
    ],
)
def test_errors_name_the_parameter(call, message):
    with pytest.raises(ValueError, match=message):
        call()
