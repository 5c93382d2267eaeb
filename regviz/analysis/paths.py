"""A method's path: what becomes of weights and losses as its strength grows, and which to choose.

The plots of lasso and elastic net paths in R's glmnet are the model (Friedman, Hastie & Tibshirani
2010). All networks of a path start from the same weights, so that neighbours resemble each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regviz.data.datasets import SPLITS
from regviz.engine.history import History
from regviz.engine.networks import predict
from regviz.engine.training import pinned
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import label
from regviz.spec.experiment import Experiment, Regularization
from regviz.spec.validation import Task, integer, invalid

Array = NDArray[np.float64]

SAME = 0.02  # two probabilities that differ by no more are one colour in a picture


@dataclass(frozen=True, eq=False)
class Path:
    """One method from weak to strong, at one epoch. L networks have W weights each.

    Attributes
    ----------
    method : str
        A key of `regviz.methods.catalogue.METHODS`.
    task : {"binary", "multiclass", "regression"}
    networks : tuple of int
        Which networks of the history these are, ``(L,)``.
    strengths : ndarray of shape (L,)
        λ, rate or radius. Where the path starts without the method, at 0, or infinity for a radius.
    weights : ndarray of shape (L, W)
        Layer after layer, unit after unit. NaN for a network that has diverged.
    wires : ndarray of shape (W, 3)
        For each weight its layer, the unit that it leads to, and the one that it comes from.
    nonzero : ndarray of shape (L,)
        How many weights are not exactly 0. NaN for a network that has diverged, as the norms.
    l1_norm, l2_norm : ndarray of shape (L,)
    losses : dict of str to ndarray of shape (L,)
        Mean data loss of ``"train"``, ``"validation"`` and ``"test"``; NaN without points.

    See Also
    --------
    regviz.figures.path : Draws it.
    """

    method: str
    task: Task
    networks: tuple[int, ...]
    strengths: Array
    weights: Array
    wires: NDArray[np.int64]
    nonzero: Array
    l1_norm: Array
    l2_norm: Array
    losses: dict[str, Array]

    @property
    def from_none(self) -> bool:
        """Whether the first network is the one that the method becomes as its strength vanishes."""
        return float(self.strengths[0]) in (0.0, math.inf)

    @property
    def positions(self) -> Array:
        """Positions ``(L,)`` of the strengths on an axis, weak ones first: ``log10`` of a penalty.

        Of a dropout rate p, ``log10(p / (1 - p))``: in linear regression dropout acts as an L2
        penalty that is proportional to ``p / (1 - p)`` (Wager et al. 2013). Of a radius c,
        ``-log10(c)``. A network without the method would lie infinitely far to the left. It is put
        one step there, and the axis is broken between it and the others.
        """
        acting = self.strengths[1:] if self.from_none else self.strengths
        odds = acting / (1 - acting) if self.method == "dropout" else acting
        logs = np.log10(odds) * (-1 if self.method == "max_norm" else 1)
        if not self.from_none:
            return np.asarray(logs)
        step = (logs[-1] - logs[0]) / (len(logs) - 1) if len(logs) > 1 else 1.0
        return np.concatenate([[logs[0] - step], logs])

    def number(self, i: int) -> str:
        """The strength at an index as text, such as ``"0.01"`` or ``"5e-5"``."""
        value = self.strengths[i]
        if math.isinf(value):
            return "∞"
        return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-4 else f"{value:.3g}"

    def text(self, i: int) -> str:
        """The strength at an index with its symbol, such as ``"λ₁ = 0.01"``."""
        return f"{METHODS[self.method].symbol} = {self.number(i)}"


class Choice(NamedTuple):
    """Which of the strengths, from weak to strong, validation would choose.

    Attributes
    ----------
    best : int
        The one with the lowest mean validation loss.
    one_se : int or None
        The strongest whose mean lies within one standard error of that; None for a single seed,
        which has none.
    standard_error : float
        Of the mean at ``best``, over seeds; NaN for a single seed.
    """

    best: int
    one_se: int | None
    standard_error: float


def with_start(experiment: Experiment, networks: Sequence[int]) -> tuple[int, ...]:
    """The networks of a method, led by the one that it becomes as its strength vanishes.

    For most methods that is the unregularized network. Max-norm without its bound still has its
    dropout, so that for it the network with only that dropout is looked for. Where the experiment
    has no such network, the path starts with its weakest strength.
    """
    rows = experiment.regularizations
    first = rows[networks[0]]
    limit = Regularization()
    if first.max_norm is not None and first.drop_rate:
        limit = replace(first, max_norm=None)
    return (rows.index(limit), *networks) if limit in rows else tuple(networks)


def path(history: History, networks: Sequence[int], t: int = -1) -> Path:
    """Extract one method's path over its strengths from a history.

    Parameters
    ----------
    history : History
    networks : sequence of int
        Of one method, from weak to strong; the first may be without it, see `with_start`.
    t : int
        Index into `History.epochs`.

    Raises
    ------
    ValueError
        If a network or time does not exist, or the last network has no method with a strength.
    """
    n_times, n_networks, _ = history.parameters.shape
    t = integer("t", t, -n_times, n_times - 1) % n_times
    if len(networks) == 0:
        raise invalid("networks", "at least one network", networks)
    rows = [integer(f"networks[{i}]", k, 0, n_networks - 1) for i, k in enumerate(networks)]
    regularizations = [history.experiment.regularizations[k] for k in rows]
    method = label(regularizations[-1]).method
    if method == "none":
        raise invalid("method", "one that has a strength", method)
    weights = history.parameters[t, rows][:, history.layout.is_weight].astype(np.float64)
    since = history.diverged[rows]
    lost = (since >= 0) & (since <= history.epochs[t])
    weights[lost] = np.nan
    metrics = {name: np.where(lost, np.nan, m[t, rows]) for name, m in history.metrics.items()}
    strengths = [METHODS[method].strength(row) for row in regularizations]
    return Path(
        method,
        history.dataset.task,
        tuple(rows),
        np.array(strengths),
        weights,
        _wires(history),
        np.where(lost, np.nan, (weights != 0).sum(axis=1)),
        metrics["l1_norm"],
        metrics["l2_norm"],
        {split: metrics[f"{split}_loss"] for split in SPLITS},
    )


def _wires(history: History) -> NDArray[np.int64]:
    return np.array(
        [
            (layer, unit, source)
            for layer, (fan_out, columns) in enumerate(history.layout.shapes)
            for unit in range(fan_out)
            for source in range(columns - 1)
        ]
    )


@pinned()
def constant(history: History, networks: Sequence[int]) -> NDArray[np.bool_]:
    """Which networks predict, in the end, the same at every point: ``(L,)``.

    Their probabilities differ by at most `SAME` over all points of the dataset, or their values by
    that share of the training targets' range. A network that has diverged is none of them.
    """
    data = history.dataset
    X = np.concatenate([data.points(split)[0] for split in SPLITS])
    outputs = torch.from_numpy(history.outputs(X, list(networks)))
    predicted = predict(outputs, data.task).numpy()
    largest = SAME * (float(np.ptp(data.y_train)) if data.task == "regression" else 1.0)
    spread = np.ptp(predicted, axis=1).reshape(len(networks), -1).max(axis=1)
    return np.asarray(spread <= largest)


def losses_over_seeds(histories: Sequence[History]) -> dict[str, Array]:
    """The final data loss of each split, ``(S, L)``, from one history for each seed.

    NaN where a split has no points, or where a network has diverged.
    """
    if len(histories) == 0:
        raise invalid("histories", "at least one history", histories)
    return {
        split: np.stack([history.metrics[f"{split}_loss"][-1] for history in histories])
        for split in SPLITS
    }


def standard_error(values: ArrayLike, overlap: float = 0.0) -> Array:
    """Standard error of the mean over the first axis, ``(S, …)`` to ``(…)``.

    It is ``s * sqrt(1 / S + overlap)``. The standard deviation s is that of a sample, with S - 1 in
    the denominator. NaN for S = 1.

    Parameters
    ----------
    values : array-like of shape (S, …)
    overlap : float
        0 for independent values. For losses over S random splits of the same points, ``n_test /
        n_train``: the splits overlap, and vary less than new points would.

    References
    ----------
    Nadeau & Bengio 2003, the corrected resampled t-test.
    """
    array = np.asarray(values, dtype=np.float64)
    n = len(array)
    if n < 2:
        return np.full(array.shape[1:], np.nan)
    return np.asarray(array.std(axis=0, ddof=1) * math.sqrt(1 / n + overlap))


def choose(validation_losses: ArrayLike) -> Choice:
    """Which strength the validation points would choose, and the one-standard-error rule's choice.

    The rule takes the most regularized model whose loss is within one standard error of the lowest:
    what is not clearly worse is preferred for being simpler.

    Parameters
    ----------
    validation_losses : array-like of shape (S, L)
        For each of S seeds the loss at each of L strengths, from weak to strong. A strength with a
        loss that is not finite, as a diverged network's, is not chosen.

    Raises
    ------
    ValueError
        If no strength has finite losses.

    References
    ----------
    Breiman, Friedman, Olshen & Stone 1984; Hastie, Tibshirani & Friedman 2009, section 7.10.
    """
    losses = np.asarray(validation_losses, dtype=np.float64)
    if losses.ndim != 2 or 0 in losses.shape:
        raise invalid("validation_losses", "of shape (seeds, strengths)", losses.shape)
    finite = np.isfinite(losses).all(axis=0)
    if not finite.any():
        raise invalid("validation_losses", "finite at one strength at least", losses)
    means = np.where(finite, np.where(finite, losses, 0).mean(axis=0), np.inf)
    best = int(np.argmin(means))
    if len(losses) == 1:
        return Choice(best, None, math.nan)
    error = float(standard_error(losses[:, best]))
    within = np.flatnonzero(means <= means[best] + error)
    return Choice(best, int(within[-1]), error)
