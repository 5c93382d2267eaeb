"""Monte-Carlo dropout: how unsure a network is, from many passes with its dropout left on.

With dropout on, each pass is the prediction of another thinned network. Taken as samples of an
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
MAX_LAYER_VALUES = 2**21  # values of the widest layer that are in memory at a time


class Uncertainty(NamedTuple):
    """Uncertainty of a network's predictions at n points.

    For classes, entropies in nats: of the mean prediction, ``predictive``, which is the sum of the
    other two. ``aleatoric`` is the mean entropy of the single passes: each of them is unsure.
    ``epistemic`` is the mutual information of prediction and weights: the passes contradict each
    other. For regression the standard deviation over the passes, which is epistemic and all that
    the passes tell; ``aleatoric`` is NaN.
    """

    predictive: NDArray[np.float64]
    aleatoric: NDArray[np.float64]
    epistemic: NDArray[np.float64]


class Plane(NamedTuple):
    """One network's predictions and uncertainty on a grid over the plane.

    Attributes
    ----------
    k, passes : int
        Which network of the history, and how many passes there were.
    axis : ndarray of shape (m,)
        Of both x₁ and x₂.
    plain : ndarray of shape (m, m) or (m, m, C)
        What the network predicts with dropout off, as `History.predict`; a row for each x₂.
    mean : ndarray of the same shape
        The mean of the passes.
    plain_entropy : ndarray of shape (m, m)
        The entropy of ``plain`` in nats; NaN for regression.
    uncertainty : Uncertainty
        Each part ``(m, m)``.
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
    """Predict by network ``k`` in many passes with its dropout on.

    A pass draws one mask, which thins out the network for all points: a unit that is dropped is
    dropped everywhere.

    Parameters
    ----------
    history : History
    k, t : int
        Which network, and at which of `History.epochs`; negative ones count from the end.
    X : array-like of shape (n, columns)
    passes : int
        1 to 10,000.
    seed : int
        Of the masks.
    progress : callable or None
        Called with the share of the passes that is made, as they are.

    Returns
    -------
    ndarray of shape (passes, n) or (passes, n, C)
        The probability of class 1, or the value (regression); or of each of C classes.

    Raises
    ------
    ValueError
        If a parameter is out of range or ``X`` does not fit the run's data.

    References
    ----------
    Gal & Ghahramani 2016, "Dropout as a Bayesian Approximation".
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
    found = []
    with torch.inference_mode():
        for start in range(0, passes, at_once):
            some = slice(start, start + at_once)
            outputs = networks.hidden_and_output(
                [_thinned(block, mask[some]) for block, mask in zip(blocks, masks, strict=True)],
                inputs,
                history.experiment.network.activation,
            )[-1]
            found.append(networks.predict(outputs, history.dataset.task))
            if progress is not None:
                progress(min(start + at_once, passes) / passes)
    predictions: Floats = torch.cat(found).numpy()
    return predictions


def _masks(history: History, k: int, t: int, passes: int, seed: int) -> list[torch.Tensor]:
    """For what feeds each layer, inputs first, a mask ``(passes, fan_in)``."""
    acting = history.experiment.acting(int(history.epochs[t]))[k]
    fed = history.layout.sizes[:-1]
    rates = torch.tensor([acting.input_drop_rate, *[acting.drop_rate] * (len(fed) - 1)])
    uniform = torch.rand(
        (passes, sum(fed)), generator=torch.Generator().manual_seed(seed), device="cpu"
    )
    mask = dropout_mask(uniform, rates.repeat_interleave(torch.tensor(fed)))
    return [mask[:, end - n : end] for n, end in zip(fed, itertools.accumulate(fed), strict=True)]


def _thinned(block: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """A layer ``(fan_out, fan_in + 1)`` once for each pass, fed by what its mask lets through.

    Weights times what is thinned out is weights thinned out times what there is.
    """
    weights = block[:, :-1] * mask[:, None].to(block)
    return torch.cat([weights, block[:, -1:].expand(len(mask), -1, -1)], dim=2)


def entropy(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Entropy in nats of distributions ``(…, C)`` over classes: ``-sum_c p_c ln p_c``, ``(…)``."""
    p = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1)), axis=-1))


def predictive_entropy(predictions: ArrayLike) -> NDArray[np.float64]:
    """Entropy in nats of the mean prediction.

    Parameters
    ----------
    predictions : array-like of shape (passes, n) or (passes, n, C)
        Of `monte_carlo`, of a run on classes.

    Returns
    -------
    ndarray of shape (n,)
        From 0 to ln 2, or to ln C.
    """
    return entropy(_distributions(predictions).mean(axis=0))


def uncertainty(predictions: ArrayLike, task: str) -> Uncertainty:
    """Decompose the uncertainty of passes into its parts.

    Parameters
    ----------
    predictions : array-like of shape (passes, n) or (passes, n, C)
        Of `monte_carlo`.
    task : {"binary", "multiclass", "regression"}

    References
    ----------
    Houlsby et al. 2011 (the decomposition); Gal 2016, section 3.3.
    """
    if task == "regression":
        spread = np.asarray(predictions, dtype=np.float64).std(axis=0)
        return Uncertainty(spread, np.full(spread.shape, np.nan), spread)
    whole = predictive_entropy(predictions)
    aleatoric = entropy(_distributions(predictions)).mean(axis=0)
    # where the passes agree, rounding can leave less than nothing
    return Uncertainty(whole, aleatoric, np.maximum(whole - aleatoric, 0))


def _distributions(predictions: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of all classes, ``(passes, n, C)``, also where there is one of class 1 only."""
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
    """One network's predictions and uncertainty on a grid that covers the points.

    Parameters are those of `monte_carlo`, and the grid's points along each axis, 2 to 501.

    Raises
    ------
    ValueError
        If the data do not have two columns, or a parameter is out of range.
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
