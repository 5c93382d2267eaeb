"""Effects of penalties on one weight or two, without a network.

One weight: what its penalty costs, how hard that pulls, where a proximal step takes it, and when
the steps have taken it to 0. Two weights: where the pull of a least-squares loss and that of the
penalty balance. A `Regularization` says which penalty; of max-norm's weights there is but one, so
that its projection is ``|w| <= max_norm``. Dropout, onset and decoupling have no part in this.
"""

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
    """``l1 * |w| + (l2 / 2) * w^2`` of each weight; any shape."""
    one = torch.tensor(numbers("weights", weights)).unsqueeze(-1)
    found: Floats = maps.penalty(one, regularization.l1, regularization.l2).numpy()
    return found


def gradients(weights: ArrayLike, regularization: Regularization) -> Floats:
    """``l1 * sign(w) + l2 * w`` for each weight: the gradient of `penalties`; any shape.

    At 0 it is the middle, 0, of what L1 allows there: every number from ``-l1`` to ``l1`` is a
    subgradient.
    """
    w = numbers("weights", weights)
    found: Floats = regularization.l1 * np.sign(w) + regularization.l2 * w
    return found


@pinned()
def proximal_step(weights: ArrayLike, regularization: Regularization, step: float) -> Floats:
    """Apply the penalty's part of a training step to each weight; any shape.

    The proximal map ``S(w, step * l1) / (1 + step * l2)``, which minimises ``(v - w)^2 / 2 + step *
    penalty(v)`` over ``v``, and then the projection onto ``|v| <= max_norm``: those that train.

    Parameters
    ----------
    weights : array-like
        After the step along the data loss.
    regularization : Regularization
    step : float
        Step size, above 0 to 1000.

    Raises
    ------
    ValueError
        If the step is out of range or a weight is not a finite number.
    """
    step = real("step", step, 0, MAX_STEP, open_low=True)
    w = torch.tensor(numbers("weights", weights))
    threshold = torch.tensor(step * regularization.l1, dtype=w.dtype)
    factor = torch.tensor(1 / (1 + step * regularization.l2), dtype=w.dtype)
    maps.shrink_(w, (-threshold, threshold), factor)
    if regularization.max_norm is not None:
        radius = torch.tensor(regularization.max_norm, dtype=w.dtype)
        maps.project_(w.unsqueeze(-1), radius)
    found: Floats = w.numpy()
    return found


def arrival(start: float, regularization: Regularization, step: float) -> int | None:
    """After how many proximal steps a weight is exactly 0, with no data to hold it; None if never.

    L1 takes ``ceil(|start| / (step * l1))`` steps, as each takes off the same. With L2 besides,
    ``w' = (w - step * l1) / (1 + step * l2)``, and it takes ``ceil(log(1 + step * l2 * n) / log(1 +
    step * l2))`` of them, where ``n`` is L1's ratio. L2 alone multiplies, and never arrives.

    Raises
    ------
    ValueError
        If ``start`` is not within ±1000 or ``step`` not above 0 to 1000.
    """
    start = real("start", start, -MAX_WEIGHT, MAX_WEIGHT)
    step = real("step", step, 0, MAX_STEP, open_low=True)
    if start == 0:
        return 0
    if regularization.l1 == 0:
        return None
    ratio, shrink = abs(start) / (step * regularization.l1), step * regularization.l2
    if shrink:
        ratio = math.log1p(shrink * ratio) / math.log1p(shrink)
    # decimals are not exact in binary: from 1, steps of 0.1 * 0.1 are a hundred, not 100.00000001
    return math.ceil(float(f"{ratio:.12g}"))


def race(
    start: float, regularization: Regularization, step: float, steps: ArrayLike
) -> NDArray[np.float64]:
    """Return a weight's values over a number of proximal steps, without data.

    In closed form: the recursion of `arrival` has its fixed point at ``-l1 / l2``, from which the
    distance shrinks by ``1 / (1 + step * l2)`` a step. L2 alone follows ``start / (1 + step *
    l2)^t``.

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
        Exactly 0 from the step of `arrival` on.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """
    n = numbers("steps", steps)
    if (n < 0).any():
        raise invalid("steps", "numbers of 0 or more", float(n.min()))
    arrived = arrival(start, regularization, step)
    taken, rate = step * regularization.l1, math.log1p(step * regularization.l2)
    if rate:
        lost = -np.expm1(-rate * n)  # the share of the distance to the fixed point
        size = abs(start) * np.exp(-rate * n) - taken / math.expm1(rate) * lost
    else:
        size = abs(start) - taken * n
    if arrived is not None:
        size = np.where(n < arrived, size, 0.0)
    found: NDArray[np.float64] = math.copysign(1.0, start) * size + 0.0  # no -0
    return found


@dataclass(frozen=True)
class LeastSquares:
    """The mean half squared error of a linear model with two standardised features.

    ``loss(w) = (w - optimum)ᵀ H (w - optimum) / 2`` plus what no weights can explain, which is left
    out; ``H = [[1, r], [r, 1]]`` with the correlation ``r`` of the features.

    Parameters
    ----------
    optimum : (float, float)
        The weights without regularization, each within ±1000.
    correlation : float
        Within ±0.99, as for equal features no optimum is unique.

    Raises
    ------
    ValueError
        If a parameter is out of range.
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
        """``H``, of shape (2, 2)."""
        return np.array([[1.0, self.correlation], [self.correlation, 1.0]])

    def loss(self, weights: ArrayLike) -> Floats:
        """The loss at weights ``(..., 2)``: of shape ``(...)``, 0 at the optimum."""
        away = numbers("weights", weights) - self.optimum
        found: Floats = 0.5 * np.einsum("...i,ij,...j->...", away, self.hessian, away)
        return found

    def gradient(self, weights: ArrayLike) -> Floats:
        """The gradient of `loss` at weights ``(..., 2)``: of the same shape."""
        found: Floats = (numbers("weights", weights) - self.optimum) @ self.hessian
        return found

    def minimum(self, regularization: Regularization) -> Floats:
        """The weights ``(2,)`` that minimise loss plus penalty, with exact zeros.

        Which weights are 0, and the signs of the others, leave one system of linear equations each.
        The minimum solves one of these nine, and no solution of another lies lower.
        """
        l1, l2 = regularization.l1, regularization.l2
        curvature, optimum = self.hessian, np.array(self.optimum)
        found, lowest = np.zeros(2), math.inf
        # fewest weights first, so that on a tie the zero is exact
        for signs in sorted(itertools.product((0, 1, -1), repeat=2), key=np.count_nonzero):
            free = np.flatnonzero(signs)
            w = np.zeros(2)
            system = curvature[np.ix_(free, free)] + l2 * np.eye(len(free))
            pull = (curvature @ optimum)[free] - l1 * np.array(signs)[free]
            w[free] = np.linalg.solve(system, pull)
            away = w - optimum
            height = away @ curvature @ away / 2 + l1 * np.abs(w).sum() + l2 / 2 * w @ w
            if height < lowest and (np.sign(w) == signs).all():
                found, lowest = w, height
        return found

    def ellipse(self, level: float, n: int = 181) -> Floats:
        """Points ``(n, 2)`` all around, where the loss is ``level``, 0 or more."""
        angle = np.linspace(0, 2 * np.pi, n)
        # the principal axes are the diagonals, with curvatures 1 + r and 1 - r
        along = math.sqrt(level / (1 + self.correlation)) * np.cos(angle)
        across = math.sqrt(level / (1 - self.correlation)) * np.sin(angle)
        found: Floats = np.stack([along + across, along - across], axis=1) + self.optimum
        return found


def level_set(regularization: Regularization, value: float, n: int = 181) -> Floats:
    """Two weights whose penalty is ``value``: L1's diamond, L2's circle, or elastic net's between.

    Parameters
    ----------
    regularization : Regularization
        With ``l1`` or ``l2`` above 0.
    value : float
        0 or more.
    n : int
        How many points; the corners are among them for ``n = 4 m + 1``.

    Returns
    -------
    ndarray of shape (n, 2)
        All around; the last point is the first.
    """
    l1, l2 = regularization.l1, regularization.l2
    if l1 == 0 and l2 == 0:
        raise invalid("regularization", "one with l1 or l2 above 0", regularization)
    angle = np.linspace(0, 2 * np.pi, n)
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    slope = l1 * np.abs(towards).sum(axis=1)
    # the root of (l2 / 2) r² + slope r = value, in the form that also holds for l2 = 0
    radius = 2 * value / (slope + np.sqrt(slope**2 + 2 * l2 * value) + (value == 0))
    found: Floats = radius[:, None] * towards
    return found
