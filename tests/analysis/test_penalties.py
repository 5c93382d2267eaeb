"""Tests of penalties on one and two weights: exact arithmetic, autograd, scikit-learn."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge

from regviz import Regularization
from regviz.analysis.penalties import (
    LeastSquares,
    gradients,
    level_set,
    penalties,
    penalty_of_two,
    proximal_step,
    steps_to_zero,
    values_after_steps,
)

L1, L2 = Regularization(l1=0.7), Regularization(l2=0.7)
NET = Regularization(l1=0.3, l2=0.5)
WEIGHTS = np.array([-1.8, -0.35, -0.05, 0.0, 0.02, 0.3, 0.9, 2.5])
GROUP = Regularization(l2=0.2, group_lasso=0.4)
PENALISED = [L1, L2, NET, GROUP]
PROBLEMS = [
    LeastSquares((1.0, 0.4)),
    LeastSquares((1.0, 0.4), 0.8),
    LeastSquares((-0.6, 1.2), -0.5),
    LeastSquares((0.5, -1.5), 0.9),
]


def test_the_worked_example():
    assert penalties([-1, -2.5], Regularization(l1=1)).sum() == 3.5
    assert penalties([-1, -2.5], Regularization(l2=2)).sum() == 7.25


@pytest.mark.parametrize("row", PENALISED)
def test_gradients_are_those_of_the_penalty_by_autograd(row):
    away = torch.tensor(WEIGHTS[WEIGHTS != 0], requires_grad=True)
    pull = row.l1 + row.group_lasso
    (pull * away.abs() + row.l2 / 2 * away.square()).sum().backward()
    np.testing.assert_allclose(gradients(away.detach().numpy(), row), away.grad.numpy())
    assert gradients(0.0, row) == 0


@pytest.mark.parametrize("step", [0.05, 0.4, 3.0])
@pytest.mark.parametrize("row", [*PENALISED, Regularization(l1=0.2, max_norm=0.6)])
def test_a_proximal_step_minimises_distance_and_penalty(row, step):
    bound, pull = row.max_norm or 10.0, row.l1 + row.group_lasso
    for z, got in zip(WEIGHTS, proximal_step(WEIGHTS, row, step), strict=True):
        found = minimize_scalar(
            lambda v, z=z: (v - z) ** 2 / 2 + step * (pull * abs(v) + row.l2 / 2 * v**2),
            bounds=(-bound, bound),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert got == pytest.approx(found.x, abs=2e-6)
        assert (got == 0) == (abs(z) <= step * pull)  # equal, not approximately


def test_max_norm_clips_one_weight():
    row = Regularization(max_norm=0.8)
    np.testing.assert_allclose(proximal_step(WEIGHTS, row, 0.1), WEIGHTS.clip(-0.8, 0.8))
    np.testing.assert_array_equal(proximal_step(WEIGHTS, Regularization(), 0.1), WEIGHTS)


def exact_race(start: str, l1: str, l2: str, step: str, n: int) -> list[Fraction]:
    """Iterate the shrinking steps in exact decimal arithmetic."""
    w, t, found = Fraction(start), Fraction(step), [Fraction(start)]
    for _ in range(n):
        rest = max(abs(w) - t * Fraction(l1), Fraction(0)) * (1 if w > 0 else -1)
        w = rest / (1 + t * Fraction(l2))
        found.append(w)
    return found


@pytest.mark.parametrize("l2", ["0", "0.5", "3"])
@pytest.mark.parametrize("l1", ["0", "0.1", "0.3", "1"])
@pytest.mark.parametrize("start", ["1", "-1.2", "0.7", "-0.03"])
def test_the_race_is_that_of_exact_arithmetic(start, l1, l2):
    row = Regularization(l1=float(l1), l2=float(l2))
    for step in ("0.1", "0.3", "1"):
        expected = exact_race(start, l1, l2, step, 120)
        got = values_after_steps(float(start), row, float(step), range(121))
        np.testing.assert_allclose(got, [float(w) for w in expected], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(got == 0, [w == 0 for w in expected])
        zeros = [n for n, w in enumerate(expected) if w == 0]
        reached = steps_to_zero(float(start), row, float(step))
        assert reached == zeros[0] if zeros else reached is None or reached > 120


def test_l1_takes_as_many_steps_as_the_closed_form_says_and_l2_never_arrives():
    assert steps_to_zero(1.2, Regularization(l1=0.5), 0.1) == 24
    assert steps_to_zero(1.0, Regularization(l1=0.1), 0.1) == 100  # in floats 1 / (0.1 * 0.1) < 100
    assert steps_to_zero(-1.0, L2, 0.1) is None
    assert steps_to_zero(0.0, L2, 0.1) == 0
    assert values_after_steps(1.2, L2, 0.1, [100])[0] == pytest.approx(1.2 / 1.07**100)
    assert values_after_steps(1.2, L2, 0.1, [10**5])[0] >= 0


def data(problem: LeastSquares) -> tuple[np.ndarray, np.ndarray]:
    """Return points with XᵀX / n = H and y without noise, for which scikit-learn's loss is ours."""
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=2)))
    X = corners @ np.linalg.cholesky(problem.hessian).T
    return X, X @ problem.optimum


@pytest.mark.parametrize("strength", [0.01, 0.1, 0.4, 0.9, 3.0])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_minima_are_those_of_scikit_learn_with_the_same_zeros(problem, strength):
    X, y = data(problem)
    tight = dict(fit_intercept=False, tol=1e-14, max_iter=100_000)
    for row, model in (
        (Regularization(l1=strength), Lasso(strength, **tight)),
        (Regularization(l2=strength), Ridge(len(y) * strength, fit_intercept=False)),
        (Regularization.elastic_net(strength, 0.3), ElasticNet(strength, l1_ratio=0.3, **tight)),
    ):
        reference = model.fit(X, y).coef_
        found = problem.minimum(row)
        np.testing.assert_allclose(found, reference, atol=1e-7)
        np.testing.assert_array_equal(found == 0, np.abs(reference) < 1e-12)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_loss_is_the_mean_half_squared_error_and_its_gradient_autograds(problem):
    X, y = data(problem)
    assert LinearRegression(fit_intercept=False).fit(X, y).coef_ == pytest.approx(problem.optimum)
    assert problem.minimum(Regularization()) == pytest.approx(problem.optimum)
    w = torch.tensor([0.3, -0.8], dtype=torch.float64, requires_grad=True)
    loss = (torch.from_numpy(X) @ w - torch.from_numpy(y)).square().mean() / 2
    loss.backward()
    assert problem.loss([0.3, -0.8]) == pytest.approx(loss.item())
    assert problem.gradient([0.3, -0.8]) == pytest.approx(w.grad.numpy())


@pytest.mark.parametrize("problem", PROBLEMS)
def test_ellipses_lie_at_their_level(problem):
    np.testing.assert_allclose(problem.loss(problem.ellipse(0.37)), 0.37)
    assert np.ptp(problem.ellipse(0.37), axis=0).min() > 0.5  # points all around the optimum


@pytest.mark.parametrize("row", PENALISED)
def test_a_level_set_goes_all_around_at_its_value(row):
    around = level_set(row, 0.6)
    np.testing.assert_allclose([penalty_of_two(w, row) for w in around], 0.6)
    angles = np.unwrap(np.arctan2(around[:, 1], around[:, 0]))
    assert angles[-1] - angles[0] == pytest.approx(2 * math.pi)
    assert not level_set(row, 0.0).any()


@pytest.mark.parametrize("strength", [0.05, 0.3, 1.5])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_group_lasso_sets_both_weights_to_zero_or_neither(problem, strength):
    row = Regularization(l2=0.1, group_lasso=strength)
    found = problem.minimum(row)
    pull = problem.gradient(found) + row.l2 * found
    if not found.any():
        assert np.linalg.norm(pull) <= strength * math.sqrt(2)
        assert strength == 1.5
    else:  # the optimality condition
        assert found.all()
        unit = found / np.linalg.norm(found)
        np.testing.assert_allclose(pull, -strength * math.sqrt(2) * unit, atol=1e-9)


def test_a_group_of_one_weight_takes_its_steps_as_the_closed_form_says():
    group = Regularization(l2=0.5, group_lasso=0.3)
    expected = [1.2]
    for _ in range(60):
        expected.append(float(proximal_step(expected[-1], group, 0.1)))
    found = values_after_steps(1.2, group, 0.1, range(61))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert steps_to_zero(1.2, group, 0.1) == expected.index(0)


def test_the_diamond_has_its_corners_and_the_circle_one_radius():
    diamond = level_set(Regularization(l1=2), 1.0)
    corners = np.array([(0.5, 0), (0, 0.5), (-0.5, 0), (0, -0.5)])
    assert np.abs(diamond[:, None] - corners).max(axis=2).min(axis=0).max() < 1e-12
    assert np.hypot(*level_set(Regularization(l2=2), 1.0).T) == pytest.approx(1.0)


@pytest.mark.parametrize("row", PENALISED)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_at_the_minimum_the_penalty_s_level_set_touches_the_loss_s(problem, row):
    """Check that no point within the penalty's level set has a lower loss than the minimum."""
    best = problem.minimum(row)
    value = penalty_of_two(best, row)
    around = level_set(row, value, 721)
    assert problem.loss(around).min() >= problem.loss(best) - 1e-9
    assert problem.loss(around).min() == pytest.approx(problem.loss(best), abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proximal_step([1], L1, 0.0), "step must be a number above 0"),
        (lambda: proximal_step([math.nan], L1, 0.1), "weights"),
        (lambda: steps_to_zero(math.inf, L1, 0.1), "start must be a number"),
        (lambda: values_after_steps(1.0, L1, 0.1, [-1]), "steps must be"),
        (lambda: LeastSquares((1.0,)), "optimum must be two numbers"),
        (lambda: LeastSquares((1.0, math.nan)), r"optimum\[1\] must be a number"),
        (lambda: LeastSquares((1.0, 1.0), 1.0), "correlation must be a number"),
        (lambda: level_set(Regularization(), 1.0), "regularization must be one with l1, l2"),
    ],
)
def test_errors_name_the_parameter(call, message):
    with pytest.raises(ValueError, match=message):
        call()
