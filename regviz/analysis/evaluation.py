"""Measures of classification: confusion, calibration, and the length of class boundaries.

The functions take arrays only. Shapes are in terms of K networks, n points and C classes.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regviz.spec.validation import integer, invalid

Floats = Any  # ndarray of float64, or a scalar for the smallest input shape


def winners(outputs: ArrayLike) -> NDArray[np.int64]:
    """Return the most probable classes, of shape (K, n).

    Parameters
    ----------
    outputs : array-like of shape (K, n_outputs, n)
        Outputs before sigmoid or softmax. A single output is for two classes: class 1 if positive.
    """
    scores = np.asarray(outputs)
    single = scores.shape[1] == 1
    return np.asarray(scores[:, 0] > 0 if single else scores.argmax(axis=1), dtype=np.int64)


def confusion_matrix(predicted: ArrayLike, y: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Count the points of each class by predicted class, as `sklearn.metrics.confusion_matrix`.

    Parameters
    ----------
    predicted : array-like of shape (K, n)
    y : array-like of shape (n,)
        The true classes, 0 to ``n_classes - 1``.
    n_classes : int

    Returns
    -------
    ndarray of shape (K, C, C)
        Entry ``(k, i, j)`` is the number of points of class i for which network k predicts j.

    Raises
    ------
    ValueError
        If a class is out of range.
    """
    n_classes = integer("n_classes", n_classes, 1, 10**6)
    guess, true = (_classes(name, c, n_classes) for name, c in (("predicted", predicted), ("y", y)))
    networks = np.arange(len(guess))[:, None]
    cells = (networks * n_classes + true) * n_classes + guess
    counts = np.bincount(cells.ravel(), minlength=len(guess) * n_classes**2)
    return np.asarray(counts.reshape(-1, n_classes, n_classes))


def _classes(name: str, classes: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    given = np.asarray(classes)
    whole = given.astype(np.int64)
    wrong = given[(whole != given) | (whole < 0) | (whole >= n_classes)]
    if wrong.size:
        raise invalid(name, f"classes from 0 to {n_classes - 1}", float(wrong[0]))
    return whole


def calibration_error(probability: ArrayLike, y: ArrayLike, n_bins: int = 10) -> Floats:
    """Return the expected calibration error, ``sum_b (n_b / n) |accuracy_b - confidence_b|``.

    Points are binned by confidence, the probability of the predicted class, in B bins of equal
    width, ``((b - 1) / B, b / B]``.

    Parameters
    ----------
    probability : array-like of shape (K, n) or (K, n, C)
        Probabilities of class 1 of two classes, or of each of C classes.
    y : array-like of shape (n,)
        The true classes.
    n_bins : int
        The number of bins, B.

    Returns
    -------
    ndarray of shape (K,)
        Errors from 0 to 1; NaN for n = 0.

    References
    ----------
    Guo et al. 2017, On calibration of modern neural networks.
    """
    n_bins = integer("n_bins", n_bins, 1, 10**6)
    p, true = np.asarray(probability, dtype=np.float64), np.asarray(y)
    if p.ndim == 2:
        confidence, right = np.maximum(p, 1 - p), (p > 0.5) == (true > 0.5)
    else:
        confidence, right = p.max(axis=2), p.argmax(axis=2) == true
    if not len(true):
        return np.full(len(p), np.nan)
    bins = (np.ceil(confidence * n_bins) - 1).clip(0, n_bins - 1)
    excess = (right - confidence)[:, None] * (bins[:, None] == np.arange(n_bins)[:, None])
    return np.abs(excess.sum(axis=2)).sum(axis=1) / len(true)


def boundary_length(outputs: ArrayLike, width: float, height: float) -> Floats:
    """Return the length of the boundary between classes within a rectangle.

    Parameters
    ----------
    outputs : array-like of shape (K, n_outputs, rows, columns)
        Outputs before sigmoid or softmax on an even grid over the rectangle, including its corners.
        A single output is for two classes, with the boundary where it is 0.
    width, height : float
        Size of the rectangle.

    Returns
    -------
    ndarray of shape (K,)
        Lengths in the unit of ``width`` and ``height``. For more than two classes, the total length
        of all borders between the regions of the predicted classes.
    """
    scores = np.asarray(outputs, dtype=np.float64)
    if scores.shape[1] == 1:
        return zero_length(scores[:, 0], width, height)
    leads = (
        scores[:, c] - np.delete(scores, c, axis=1).max(axis=1) for c in range(scores.shape[1])
    )
    # each border is counted for the regions on both sides
    return sum(zero_length(lead, width, height) for lead in leads) / 2


def zero_length(values: ArrayLike, width: float, height: float) -> Floats:
    """Return the length of a function's zero contour, from its values on a grid.

    Marching triangles: each square of the grid is cut into two triangles, on which linear
    interpolation has at most one line. The length of a straight line is exact. An area in which the
    function is 0 counts as negative.

    Parameters
    ----------
    values : array-like of shape (…, rows, columns)
    width, height : float
        Size of the grid.

    Returns
    -------
    ndarray of shape (…)

    Raises
    ------
    ValueError
        If the grid has fewer than 2 by 2 points.
    """
    grid = np.asarray(values, dtype=np.float64)
    rows, columns = grid.shape[-2:]
    if min(rows, columns) < 2:
        raise invalid("values", "on a grid of at least 2 by 2 points", grid.shape)
    step = np.array([width / (columns - 1), height / (rows - 1)])
    corner = {
        (x, y): grid[..., y : rows - 1 + y, x : columns - 1 + x] for x in (0, 1) for y in (0, 1)
    }
    length = np.zeros(grid.shape[:-2])
    for triangle in (((0, 0), (1, 0), (1, 1)), ((0, 0), (0, 1), (1, 1))):
        above = [corner[place] > 0 for place in triangle]
        for i in range(3):  # the corner that the line separates from the other two
            j, k = (i + 1) % 3, (i + 2) % 3
            where = (above[i] != above[j]) & (above[i] != above[k])
            apex = corner[triangle[i]][where]
            ends = []
            for other in (j, k):
                with np.errstate(invalid="ignore"):
                    share = apex / (apex - corner[triangle[other]][where])
                side = (np.array(triangle[other]) - triangle[i]) * step
                ends.append(share[:, None] * side)
            piece = np.zeros(where.shape)
            piece[where] = np.linalg.norm(ends[1] - ends[0], axis=-1)
            length += piece.sum(axis=(-2, -1))
    return length
