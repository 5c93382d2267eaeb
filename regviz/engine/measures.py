"""Measures of weights: how many are zero, how unevenly they are spread, how large they are.

Each takes an array of weights ``(…, N)`` and returns an array ``(…)``. What is undefined when all
weights are 0 is NaN there.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Floats = Any  # ndarray of float64, or a scalar where no axis is left


def sparsity(weights: ArrayLike) -> Floats:
    """Share of weights that are exactly 0."""
    return np.mean(np.asarray(weights) == 0, axis=-1)


def near_zero(weights: ArrayLike, relative: float = 1e-3) -> Floats:
    """Share of weights smaller than ``relative`` times the largest; exact zeros count."""
    size = np.abs(np.asarray(weights, dtype=np.float64))
    small = size < relative * size.max(axis=-1, keepdims=True)
    return np.mean(small | (size == 0), axis=-1)


def l1_norm(weights: ArrayLike) -> Floats:
    """Sum of absolute values."""
    return np.abs(np.asarray(weights, dtype=np.float64)).sum(axis=-1)


def l2_norm(weights: ArrayLike) -> Floats:
    """Root of the sum of squares."""
    with np.errstate(over="ignore"):
        return np.linalg.norm(np.asarray(weights, dtype=np.float64), axis=-1)


def effective_weights(weights: ArrayLike) -> Floats:
    """``|w|_1^2 / |w|_2^2``: N for weights of one size, 1 if a single one is not 0."""
    with np.errstate(invalid="ignore"):
        return l1_norm(weights) ** 2 / l2_norm(weights) ** 2


def hoyer(weights: ArrayLike) -> Floats:
    """``(sqrt(N) - |w|_1 / |w|_2) / (sqrt(N) - 1)``: 0 for weights of one size, 1 for a single one.

    Hurley & Rickard 2009.
    """
    root = np.sqrt(np.shape(weights)[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return (root - l1_norm(weights) / l2_norm(weights)) / (root - 1)


def gini(weights: ArrayLike) -> Floats:
    """Gini index ``1 - 2 sum_k (|w|_(k) / |w|_1) (N - k + 1/2) / N``, sizes ascending.

    Hurley & Rickard 2009.
    """
    size = np.sort(np.abs(np.asarray(weights, dtype=np.float64)), axis=-1)
    n = size.shape[-1]
    share = n - np.arange(1, n + 1) + 0.5
    with np.errstate(invalid="ignore"):
        return 1 - 2 * (size * share).sum(axis=-1) / (n * size.sum(axis=-1))
