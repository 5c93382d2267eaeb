"""Effects of penalties on one or two weights, without a network.

For one weight: the penalty, its gradient, the proximal map, and the number of proximal steps to 0.
For two weights: the minimum of a least-squares loss plus penalty. A `Regularization` gives the
penalty. One weight is a group of its own, so that the group lasso is L1; two weights are one group.
Max-norm acts on each weight alone, as ``|w| <= max_norm``. Dropout, ``onset``, ``decoupled`` and
``corrected`` are ignored.
"""

import dataclasses
import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regviz.data.datasets import numbers
from regviz.engine import regularization as maps
from regviz.engine.history import Floats
from regviz.engine.training import pinned
from regviz.spec.experiment import Regularization
from regviz.spec.validation import invalid, real

MAX_STEP = 1000.0
MAX_WEIGHT = 1000.0
MAX_CORRELATION = 0.99


@pinned()
def penalties(weights: ArrayLike, regularization: Regularization) -> Floats:
    """Return ``(l1 + group_lasso) * |w| + (l2 / 2) * w^2`` for each weight of an array."""
    one = torch.tensor(numbers("weights", weights)).unsqueeze(-1)
    result: Floats = maps.penalty(one, constant_pull(regularization), regularization.l2).numpy()
    return result


def penalty_of_two(weights: ArrayLike, regularization: Regularization) -> float:
    """Return the penalty of two weights that are one group."""
    w = numbers("weights", weights)
    alone = dataclasses.replace(regularization, group_lasso=0.0)
    return float(penalties(w, alone).sum() + _group_pull(regularization) * np.linalg.norm(w))


def constant_pull(regularization: Regularization) -> float:
    """Return ``l1 + group_lasso``, the part of the gradient that is equal for any one weight."""
    return regularization.l1 + regularization.group_lasso


def _group_pull(regularization: Regularization) -> float:
    """Return ``group_lasso * sqrt(2)``, the factor of the norm of a group of two weights."""
    return math.sqrt(2) * regularization.group_lasso


def gradients(weights: ArrayLike, regularization: Regularization) -> Floats:
    """Return ``(l1 + group_lasso) * sign(w) + l2 * w``, the gradient of `penalties`, for an array.

    At 0, where the subgradients of L1 are the numbers from ``-l1`` to ``l1``, it is 0.
    """
    w = numbers("weights", weights)
    result: Floats = constant_pull(regularization) * np.sign(w) + regularization.l2 * w
    return result


@pinned()
def proximal_step(weights: ArrayLike, regularization: Regularization, step: float) -> Floats:
    """Apply the proximal map and the max-norm projection to each weight, as training does.

    The proximal map ``S(w, step * l1) / (1 + step * l2)``, where S is the soft threshold, minimises
    ``(v - w)^2 / 2 + step * penalty(v)`` over ``v``. The projection is onto ``|v| <= max_norm``.

    Parameters
    ----------
    weights : array-like of any shape
        Weights after the gradient step.
    regularization : Regularization
    step : float
        Step size, above 0 and at most 1000.

    Returns
    -------
    ndarray of the same shape
        Weights after the step.

    Raises
    ------
    ValueError
        If the step is out of range or a weight is not a finite number.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.penalties import proximal_step
    >>> proximal_step([-1.0, 0.05, 0.5], regviz.Regularization(l1=0.2), step=0.5)
    array([-0.9,  0. ,  0.4])
    >>> proximal_step([-1.0, 0.5], regviz.Regularization(l2=2.0), step=0.5)
    array([-0.5 ,  0.25])
    """
    step = real("step", step, 0, MAX_STEP, open_low=True)
    w = torch.tensor(numbers("weights", weights))
    threshold = torch.tensor(step * constant_pull(regularization), dtype=w.dtype)
    factor = torch.tensor(1 / (1 + step * regularization.l2), dtype=w.dtype)
    maps.shrink_(w, (-threshold, threshold), factor)
    if regularization.max_norm is not None:
        radius = torch.tensor(regularization.max_norm, dtype=w.dtype)
        maps.project_(w.unsqueeze(-1), radius)
    result: Floats = w.numpy()
    return result


def steps_to_zero(start: float, regularization: Regularization, step: float) -> int | None:
    """Return the number of proximal steps, without data, until a weight is 0.

    None without L1 and group lasso, which act alike on one weight. With L1 alone, each step
    subtracts ``step * l1``, so that ``n = |start| / (step * l1)``, rounded up, steps are needed.
    With L2 besides, a step is ``w' = (w - step * l1) / (1 + step * l2)``, and
    ``log(1 + step * l2 * n) / log(1 + step * l2)``, rounded up, are needed. L2 alone multiplies by
    a positive factor, so that the weight never becomes 0.

    Parameters
    ----------
    start : float
        The weight at step 0, within ±1000.
    regularization : Regularization
    step : float
        Step size, above 0 and at most 1000.

    Returns
    -------
    int or None

    Raises
    ------
    ValueError
        If ``start`` or ``step`` is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.penalties import steps_to_zero
    >>> steps_to_zero(1.2, regviz.Regularization(l1=0.2), step=0.1)
    60
    >>> print(steps_to_zero(1.2, regviz.Regularization(l2=0.2), step=0.1))
    None
    """
    start = real("start", start, -MAX_WEIGHT, MAX_WEIGHT)
    step = real("step", step, 0, MAX_STEP, open_low=True)
    if start == 0:
        return 0
    pull, shrink = constant_pull(regularization), step * regularization.l2
    if pull == 0:
        return None
    ratio = abs(start) / (step * pull)
    if shrink:
        ratio = math.log1p(shrink * ratio) / math.log1p(shrink)
    # rounded to 12 digits first: 0.9 / (0.01 * 0.03) is 3000.0000000000005 in float64
    return math.ceil(float(f"{ratio:.12g}"))


def values_after_steps(
    start: float, regularization: Regularization, step: float, steps: ArrayLike
) -> NDArray[np.float64]:
    """Return a weight's values after numbers of proximal steps, without data.

    In closed form: the recursion of `steps_to_zero` has the fixed point ``-l1 / l2``, and each step
    multiplies the distance to it by ``1 / (1 + step * l2)``. With L2 alone, the value after t steps
    is ``start / (1 + step * l2)^t``.

    Parameters
    ----------
    start : float
        The weight at step 0, within ±1000.
    regularization : Regularization
    step : float
        Step size, above 0 to 1000.
    steps : array-like of shape (n,)
        Numbers of steps, 0 or more.

    Returns
    -------
    ndarray of shape (n,)
        Values, exactly 0 from step `steps_to_zero` on.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.penalties import values_after_steps
    >>> values_after_steps(1.2, regviz.Regularization(l1=0.2), step=0.1, steps=[0, 30, 60]).round(6)
    array([1.2, 0.6, 0. ])
    """
    n = numbers("steps", steps)
    if (n < 0).any():
        raise invalid("steps", "numbers of 0 or more", float(n.min()))
    first_zero = steps_to_zero(start, regularization, step)
    threshold, rate = step * constant_pull(regularization), math.log1p(step * regularization.l2)
    if rate:
        covered = -np.expm1(-rate * n)  # share of the distance to the fixed point
        size = abs(start) * np.exp(-rate * n) - threshold / math.expm1(rate) * covered
    else:
        size = abs(start) - threshold * n
    if first_zero is not None:
        size = np.where(n < first_zero, size, 0.0)
    values: NDArray[np.float64] = math.copysign(1.0, start) * size + 0.0  # + 0.0 turns -0 into 0
    return values


@dataclass(frozen=True)
class LeastSquares:
    """Mean half squared error of a linear model with two standardised features.

    ``loss(w) = (w - optimum)ᵀ H (w - optimum) / 2`` up to a constant, where
    ``H = [[1, r], [r, 1]]`` with the correlation ``r`` of the features.

    Parameters
    ----------
    optimum : (float, float)
        The weights that minimise the loss, each within ±1000.
    correlation : float
        Correlation of the features, within ±0.99. At ±1 the optimum would not be unique.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.penalties import LeastSquares
    >>> problem = LeastSquares(optimum=(1.0, 0.4))
    >>> problem.minimum(regviz.Regularization(l1=0.5))
    array([0.5, 0. ])
    >>> problem.minimum(regviz.Regularization(l2=1.0))
    array([0.5, 0.2])
    >>> float(problem.loss([1.0, 0.4])), problem.gradient([1.0, 0.4])
    (0.0, array([0., 0.]))
    >>> problem.ellipse(level=0.1, n=50).shape
    (50, 2)
    """

    optimum: tuple[float, float]
    correlation: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.optimum, tuple) or len(self.optimum) != 2:
            raise invalid("optimum", "two numbers", self.optimum)
        for j, weight in enumerate(self.optimum):
            real(f"optimum[{j}]", weight, -MAX_WEIGHT, MAX_WEIGHT)
        real("correlation", self.correlation, -MAX_CORRELATION, MAX_CORRELATION)

    @property
    def hessian(self) -> Floats:
        """The Hessian ``H`` of the loss, of shape (2, 2)."""
        return np.array([[1.0, self.correlation], [self.correlation, 1.0]])

    def loss(self, weights: ArrayLike) -> Floats:
        """Return the loss at weights (…, 2), of shape (…); 0 at the optimum.

        Parameters
        ----------
        weights : array-like of shape (…, 2)

        Returns
        -------
        ndarray of shape (…)
        """
        away = numbers("weights", weights) - self.optimum
        result: Floats = 0.5 * np.einsum("...i,ij,...j->...", away, self.hessian, away)
        return result

    def gradient(self, weights: ArrayLike) -> Floats:
        """Return the gradient of `loss` at weights (…, 2), of the same shape.

        Parameters
        ----------
        weights : array-like of shape (…, 2)

        Returns
        -------
        ndarray of shape (…, 2)
        """
        result: Floats = (numbers("weights", weights) - self.optimum) @ self.hessian
        return result

    def minimum(self, regularization: Regularization) -> Floats:
        """Return the weights that minimise loss plus penalty, of shape (2,), with exact zeros.

        For each of the nine combinations of signs (0, 1 or -1 for each weight), the optimality
        conditions are a linear system. The minimum is the lowest of the solutions with the signs
        assumed. The group lasso adds ``group / |w|`` to the diagonal, where ``|w|`` is found by
        bisection: ``|w| / r`` decreases in the r that takes its place.

        Parameters
        ----------
        regularization : Regularization

        Returns
        -------
        ndarray of shape (2,)
        """
        l1, l2, group = regularization.l1, regularization.l2, _group_pull(regularization)
        curvature, optimum = self.hessian, np.array(self.optimum)
        minimum, lowest = np.zeros(2), math.inf
        # fewest nonzero weights first, so that a tie gives an exact zero
        for signs in sorted(itertools.product((0, 1, -1), repeat=2), key=np.count_nonzero):
            free = np.flatnonzero(signs)
            w = np.zeros(2)
            system = curvature[np.ix_(free, free)] + l2 * np.eye(len(free))
            pull = (curvature @ optimum)[free] - l1 * np.array(signs)[free]
            w[free] = _solve(system, pull, group)
            away = w - optimum
            height = away @ curvature @ away / 2 + penalty_of_two(w, regularization)
            if height < lowest and (np.sign(w) == signs).all():
                minimum, lowest = w, height
        return minimum

    def ellipse(self, level: float, n: int = 181) -> Floats:
        """Return ``n`` points around the ellipse of loss ``level``, 0 or more, of shape (n, 2).

        Parameters
        ----------
        level : float
            The loss, 0 or more.
        n : int
            Number of points.

        Returns
        -------
        ndarray of shape (n, 2)
        """
        angle = np.linspace(0, 2 * np.pi, n)
        # the principal axes are the diagonals, with curvatures 1 + r and 1 - r
        along = math.sqrt(level / (1 + self.correlation)) * np.cos(angle)
        across = math.sqrt(level / (1 - self.correlation)) * np.sin(angle)
        points: Floats = np.stack([along + across, along - across], axis=1) + self.optimum
        return points


def _solve(system: Floats, pull: Floats, group: float) -> Floats:
    """Return ``w`` with ``(system + group / |w|) w = pull``, or 0 where there is none."""
    if group == 0:
        found: Floats = np.linalg.solve(system, pull)
        return found
    if np.linalg.norm(pull) <= group:
        return np.zeros_like(pull)

    def at(r: float) -> Floats:
        solution: Floats = np.linalg.solve(system + group / r * np.eye(len(pull)), pull)
        return solution

    # without the group the norm is larger
    low, high = 0.0, float(np.linalg.norm(np.linalg.solve(system, pull)))
    for _ in range(60):
        r = (low + high) / 2
        low, high = (r, high) if np.linalg.norm(at(r)) > r else (low, r)
    return at(high)


def level_set(regularization: Regularization, value: float, n: int = 181) -> Floats:
    """Return the closed curve of two weights with a given penalty: L1's diamond, L2's circle, ….

    Parameters
    ----------
    regularization : Regularization
        With ``l1``, ``l2`` or ``group_lasso`` above 0.
    value : float
        The penalty, 0 or more.
    n : int
        Number of points. For ``n = 4 m + 1`` they include the corners.

    Returns
    -------
    ndarray of shape (n, 2)
        Points of the curve, of which the last equals the first.

    Raises
    ------
    ValueError
        If all three are 0.
    """
    l1, l2, group = regularization.l1, regularization.l2, _group_pull(regularization)
    if l1 == l2 == group == 0:
        raise invalid("regularization", "one with l1, l2 or group_lasso above 0", regularization)
    angle = np.linspace(0, 2 * np.pi, n)
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    slope = l1 * np.abs(towards).sum(axis=1) + group
    # the root of (l2 / 2) r² + slope r = value, in the form that also holds for l2 = 0
    radius = 2 * value / (slope + np.sqrt(slope**2 + 2 * l2 * value) + (value == 0))
    points: Floats = radius[:, None] * towards
    return points
