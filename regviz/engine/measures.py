"""Measures of sparsity and size of weight vectors.

Each function but `units_left` takes an array of weights of shape (…, N) and returns an array of
shape (…). Ratios that are undefined for weights that are all 0 are NaN.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Floats = Any  # ndarray of float64, or a scalar for one-dimensional input


def sparsity(weights: ArrayLike) -> Floats:
    """Return the share of weights that are exactly 0."""
    return np.mean(np.asarray(weights) == 0, axis=-1)


def units_left(weights: Sequence[ArrayLike]) -> int:
    """Return the number of connected hidden units.

    A unit is connected if paths of nonzero weights lead to it from an input, and from it to an
    output.

    Parameters
    ----------
    weights : sequence of array-like of shape (fan_in, fan_out)
        The weights of each layer.
    """
    links = [np.asarray(layer) != 0 for layer in weights]
    reached = [np.ones(len(links[0]), bool)]
    for link in links:
        reached.append(link[reached[-1]].any(axis=0))
    leads = np.ones(links[-1].shape[1], bool)
    count = 0
    for link, reach in zip(reversed(links[1:]), reversed(reached[1:-1]), strict=True):
        leads = link[:, leads].any(axis=1)
        count += int((leads & reach).sum())
    return count


def near_zero(weights: ArrayLike, relative: float = 1e-3) -> Floats:
    """Return the share of weights that are 0 or smaller than ``relative`` times the largest.

    Sizes are absolute values.
    """
    size = np.abs(np.asarray(weights, dtype=np.float64))
    small = size < relative * size.max(axis=-1, keepdims=True)
    return np.mean(small | (size == 0), axis=-1)


def l1_norm(weights: ArrayLike) -> Floats:
    """Return the sum of absolute values."""
    return np.abs(np.asarray(weights, dtype=np.float64)).sum(axis=-1)


def l2_norm(weights: ArrayLike) -> Floats:
    """Return the Euclidean norm; infinity if the sum of squares overflows."""
    with np.errstate(over="ignore"):
        return np.linalg.norm(np.asarray(weights, dtype=np.float64), axis=-1)


def effective_weights(weights: ArrayLike) -> Floats:
    """Return ``|w|_1^2 / |w|_2^2``: N for N weights of equal size, 1 for one nonzero weight."""
    with np.errstate(invalid="ignore"):
        return l1_norm(weights) ** 2 / l2_norm(weights) ** 2


def hoyer(weights: ArrayLike) -> Floats:
    """Return Hoyer's sparsity ``(sqrt(N) - |w|_1 / |w|_2) / (sqrt(N) - 1)``.

    It is 0 for weights of equal size and 1 for a single nonzero weight; undefined for N = 1.

    References
    ----------
    Hoyer 2004; Hurley & Rickard 2009, Comparing measures of sparsity.
    """
    root = np.sqrt(np.shape(weights)[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return (root - l1_norm(weights) / l2_norm(weights)) / (root - 1)
