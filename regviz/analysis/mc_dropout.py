"""Monte-Carlo dropout: uncertainty of predictions from many passes with dropout on.

Each pass is the prediction of a thinned network with another dropout mask. Taken as samples of an
approximate posterior, their spread is the model's uncertainty (Gal & Ghahramani 2016).
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regviz.data.datasets import domain, numbers
from regviz.engine import networks
from regviz.engine.history import Floats, History
from regviz.engine.layout import input_features
from regviz.engine.regularization import dropout_mask
from regviz.engine.training import pinned
from regviz.spec.validation import MAX_SEED, integer, invalid

MAX_PASSES = 10_000
MAX_LAYER_VALUES = 2**21  # bound on the values of the widest layer that are in memory at a time


class Uncertainty(NamedTuple):
    """Uncertainty of a network's predictions at n points.

    For classes, entropies in nats, where ``predictive = aleatoric + epistemic``. For regression,
    ``predictive`` and ``epistemic`` are both the standard deviation over the passes, and
    ``aleatoric`` is NaN.

    Attributes
    ----------
    predictive : ndarray of shape (n,)
        Entropy of the mean prediction.
    aleatoric : ndarray of shape (n,)
        Mean entropy of the single passes: uncertainty that each thinned network has by itself.
    epistemic : ndarray of shape (n,)
        Mutual information of prediction and weights: disagreement between thinned networks.

    Examples
    --------
    >>> from regviz.analysis.mc_dropout import uncertainty
    >>> parts = uncertainty([[0.1, 0.9], [0.3, 0.9]], task="binary")
    >>> bool((abs(parts.aleatoric + parts.epistemic - parts.predictive) < 1e-12).all())
    True
    """

    predictive: NDArray[np.float64]
    aleatoric: NDArray[np.float64]
    epistemic: NDArray[np.float64]


class Plane(NamedTuple):
    """One network's predictions and uncertainty on a grid over the plane.

    Attributes
    ----------
    k, passes : int
        Index of the network, and number of passes.
    axis : ndarray of shape (m,)
        Coordinates of the grid along x₁ and along x₂.
    plain : ndarray of shape (m, m) or (m, m, C)
        Predictions with dropout off, as of `History.predict`, with a row for each x₂.
    mean : ndarray of the same shape
        Mean prediction over the passes.
    plain_entropy : ndarray of shape (m, m)
        Entropy of ``plain`` in nats; NaN for regression.
    uncertainty : Uncertainty
        Its parts have shape (m, m).

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.mc_dropout import over_plane
    >>> rows = (regviz.Regularization(drop_rate=0.2),)
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> plane = over_plane(history, k=0, passes=20, resolution=31)
    >>> bool((plane.plain_entropy >= 0).all())
    True
    """

    k: int
    passes: int
    axis: Floats
    plain: Floats
    mean: Floats
    plain_entropy: NDArray[np.float64]
    uncertainty: Uncertainty


@pinned()
def monte_carlo(
    history: History,
    k: int,
    X: ArrayLike,
    t: int = -1,
    passes: int = 100,
    seed: int = 0,
    progress: Callable[[float], object] | None = None,
) -> Floats:
    """Return a network's predictions in many passes with dropout on.

    Each pass draws one mask, which is used for all points.

    Parameters
    ----------
    history : History
    k : int
        Index of the network; negative ones count from the end.
    X : array-like of shape (n, n_columns)
    t : int
        Index into `History.epochs`; negative ones count from the end.
    passes : int
        Number of passes, 1 to 10,000.
    seed : int
        Seed of the masks, 0 to 2**32 - 1.
    progress : callable or None
        Called with the finished share of the passes, 0 to 1, after each group of passes.

    Returns
    -------
    ndarray of shape (passes, n) or (passes, n, C)
        Probabilities of class 1 or values (regression); or probabilities of each of C classes.

    Raises
    ------
    ValueError
        If a parameter is out of range or ``X`` does not fit the run's data.

    References
    ----------
    Gal & Ghahramani 2016, "Dropout as a Bayesian Approximation".

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.mc_dropout import monte_carlo
    >>> rows = (regviz.Regularization(drop_rate=0.2),)
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> passes = monte_carlo(history, k=0, X=[[0.0, 0.0], [5.0, 5.0]], passes=50)
    >>> passes.shape, bool((passes.std(axis=0) > 0).all())
    ((50, 2), True)
    """
    k = integer("k", k, -history.parameters.shape[1], history.parameters.shape[1] - 1)
    t = integer("t", t, -len(history.epochs), len(history.epochs) - 1)
    passes = integer("passes", passes, 1, MAX_PASSES)
    points = numbers("X", X)
    if points.ndim != 2 or points.shape[1] != history.dataset.n_columns:
        raise invalid("X", f"of shape (n, {history.dataset.n_columns})", points.shape)
    row = torch.from_numpy(history.parameters[t, k].copy())
    features = input_features(points, history.experiment.network.features)
    inputs = torch.from_numpy(features.astype(history.parameters.dtype))
    masks = _masks(history, k, t, passes, integer("seed", seed, 0, MAX_SEED))
    blocks = history.layout.split(row)
    at_once = max(1, MAX_LAYER_VALUES // (max(len(points), 1) * max(history.layout.sizes)))
    parts = []
    with torch.inference_mode():
        for start in range(0, passes, at_once):
            some = slice(start, start + at_once)
            outputs = networks.hidden_and_output(
                [_thinned(block, mask[some]) for block, mask in zip(blocks, masks, strict=True)],
                inputs,
                history.experiment.network.activation,
                history.layout.normalizations(row[None]),
            )[-1]
            parts.append(networks.predict(outputs, history.dataset.task))
            if progress is not None:
                progress(min(start + at_once, passes) / passes)
    predictions: Floats = torch.cat(parts).numpy()
    return predictions


def _masks(history: History, k: int, t: int, passes: int, seed: int) -> list[torch.Tensor]:
    """Draw the dropout masks of each layer's inputs, of shape (passes, fan_in)."""
    acting = history.experiment.acting(int(history.epochs[t]))[k]
    fed = history.layout.sizes[:-1]
    rates = torch.tensor([acting.input_drop_rate, *[acting.drop_rate] * (len(fed) - 1)])
    uniform = torch.rand(
        (passes, sum(fed)), generator=torch.Generator().manual_seed(seed), device="cpu"
    )
    mask = dropout_mask(uniform, rates.repeat_interleave(torch.tensor(fed)))
    return [mask[:, end - n : end] for n, end in zip(fed, itertools.accumulate(fed), strict=True)]


def _thinned(block: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return a layer (fan_out, fan_in + 1) with its weights multiplied by the mask of each pass.

    This is equivalent to multiplying its inputs: ``W (m * x) = (W * m) x``.
    """
    weights = block[:, :-1] * mask[:, None].to(block)
    return torch.cat([weights, block[:, -1:].expand(len(mask), -1, -1)], dim=2)


def entropy(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the entropy ``-sum_c p_c ln p_c`` in nats of distributions (…, C), of shape (…)."""
    p = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1)), axis=-1))


def predictive_entropy(predictions: ArrayLike) -> NDArray[np.float64]:
    """Return the entropy of the mean prediction in nats.

    Parameters
    ----------
    predictions : array-like of shape (passes, n) or (passes, n, C)
        Class probabilities, as `monte_carlo` returns them.

    Returns
    -------
    ndarray of shape (n,)
        Entropies from 0 to ln C, where C is 2 for the first shape.
    """
    return entropy(_distributions(predictions).mean(axis=0))


def uncertainty(predictions: ArrayLike, task: str) -> Uncertainty:
    """Decompose the uncertainty of predictions into aleatoric and epistemic parts.

    Parameters
    ----------
    predictions : array-like of shape (passes, n) or (passes, n, C)
        Predictions, as `monte_carlo` returns them.
    task : {"binary", "multiclass", "regression"}

    Returns
    -------
    Uncertainty

    References
    ----------
    Houlsby et al. 2011 (the decomposition); Gal 2016, section 3.3.

    Examples
    --------
    >>> from regviz.analysis.mc_dropout import uncertainty
    >>> first_pass, second_pass = [0.5, 0.0], [0.5, 1.0]  # they disagree at the second point
    >>> parts = uncertainty([first_pass, second_pass], task="binary")
    >>> parts.predictive.round(3), parts.epistemic.round(3)
    (array([0.693, 0.693]), array([0.   , 0.693]))
    """
    if task == "regression":
        spread = np.asarray(predictions, dtype=np.float64).std(axis=0)
        return Uncertainty(spread, np.full(spread.shape, np.nan), spread)
    whole = predictive_entropy(predictions)
    aleatoric = entropy(_distributions(predictions)).mean(axis=0)
    # where the passes agree, rounding can make the difference negative
    return Uncertainty(whole, aleatoric, np.maximum(whole - aleatoric, 0))


def _distributions(predictions: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities of all classes, (passes, n, C), also from those of class 1 alone."""
    p = np.asarray(predictions, dtype=np.float64)
    return p if p.ndim == 3 else np.stack([1 - p, p], axis=-1)


def over_plane(
    history: History,
    k: int,
    t: int = -1,
    *,
    passes: int = 100,
    seed: int = 0,
    resolution: int = 61,
    progress: Callable[[float], object] | None = None,
) -> Plane:
    """Compute a network's predictions and uncertainty on a grid over the points' domain.

    Parameters
    ----------
    history : History
        A run on data with two columns.
    k : int
        Index of the network; negative ones count from the end.
    t : int
        Index into `History.epochs`; negative ones count from the end.
    passes : int
        Number of passes, 1 to 10,000.
    seed : int
        Seed of the masks, 0 to 2**32 - 1.
    resolution : int
        Number of grid points along each axis, 2 to 501.
    progress : callable or None
        Called with the finished share of the passes, 0 to 1, after each group of passes.

    Returns
    -------
    Plane

    Raises
    ------
    ValueError
        If the data do not have two columns, or a parameter is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.mc_dropout import over_plane
    >>> rows = (regviz.Regularization(drop_rate=0.2),)
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> plane = over_plane(history, k=0, passes=20, resolution=31)
    >>> plane.axis.shape, plane.mean.shape, plane.uncertainty.epistemic.shape
    ((31,), (31, 31), (31, 31))
    """
    if history.dataset.n_columns != 2:
        raise invalid("history", "a run on data with two columns", history.dataset.n_columns)
    m = integer("resolution", resolution, 2, 501)
    axis = np.linspace(*domain(history.dataset), m)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    passed = monte_carlo(history, k, grid, t, passes, seed, progress)
    plain, task = history.predict(grid, t)[k], history.dataset.task
    parts = uncertainty(passed, task)
    flat = (
        np.full(len(grid), np.nan)
        if task == "regression"
        else entropy(_distributions(plain[None])[0])
    )
    return Plane(
        k % history.parameters.shape[1],
        passes,
        axis,
        plain.reshape(m, m, *plain.shape[1:]),
        passed.mean(axis=0).reshape(m, m, *plain.shape[1:]),
        flat.reshape(m, m),
        Uncertainty(*(part.reshape(m, m) for part in parts)),
    )
