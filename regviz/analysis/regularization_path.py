"""Regularization paths: weights and losses as functions of strength, and the choice of a strength.

After the paths of lasso and elastic net in R's glmnet (Friedman, Hastie & Tibshirani 2010). All
networks of a path start from the same weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regviz.engine.history import History
from regviz.engine.networks import predict
from regviz.engine.training import pinned
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import label
from regviz.spec.experiment import Experiment, Regularization
from regviz.spec.points import SPLITS
from regviz.spec.validation import Task, integer, invalid

Array = NDArray[np.float64]

SAME = 0.02  # difference of probabilities up to which two colours of the picture look equal


@dataclass(frozen=True, eq=False)
class Path:
    """The networks of one method by strength, at one epoch: L networks with W weights each.

    Attributes
    ----------
    method : str
        A key of `regviz.methods.catalogue.METHODS`.
    task : {"binary", "multiclass", "regression"}
    networks : tuple of int
        The L indices of the networks in the history.
    strengths : ndarray of shape (L,)
        Strengths from weak to strong: λ, rate or radius. The first may be the strength without
        effect: 0, or an infinite radius.
    weights : ndarray of shape (L, W)
        Weights, layer after layer, unit after unit. NaN for a diverged network.
    wires : ndarray of shape (W, 3)
        For each weight, the indices of its layer, its target unit and its source unit.
    nonzero : ndarray of shape (L,)
        Number of weights that are not exactly 0. NaN for a diverged network.
    l1_norm, l2_norm : ndarray of shape (L,)
        Norms of the weights. NaN for a diverged network.
    losses : dict of str to ndarray of shape (L,)
        Mean data losses on ``"train"``, ``"validation"`` and ``"test"``; NaN without points.

    See Also
    --------
    regviz.figures.weight_paths : Plot a path.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis import regularization_path as paths
    >>> rows = tuple(regviz.Regularization(l1=strength) for strength in (0.0, 0.001, 0.01, 0.1))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> path = paths.path(history, networks=[0, 1, 2, 3])
    >>> path.method, path.strengths
    ('l1', array([0.   , 0.001, 0.01 , 0.1  ]))
    >>> path.text(2), path.number(2)
    ('λ₁ = 0.01', '0.01')
    >>> path.weights.shape, path.positions.shape
    ((4, 88), (4,))
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
        """Whether the first network has the strength without effect, see `with_start`."""
        return float(self.strengths[0]) in (0.0, math.inf)

    @property
    def positions(self) -> Array:
        """Positions of the strengths on an axis from weak to strong, of shape (L,).

        They are ``log10(λ)`` for a penalty, ``-log10(c)`` for a radius c, and
        ``log10(p / (1 - p))`` for a dropout rate p: in linear regression, dropout is equivalent to
        an L2 penalty proportional to ``p / (1 - p)`` (Wager et al. 2013). The strength without
        effect, at minus infinity, is placed one mean step before the others.
        """
        acting = self.strengths[1:] if self.from_none else self.strengths
        odds = acting / (1 - acting) if self.method == "dropout" else acting
        logs = np.log10(odds) * (-1 if self.method == "max_norm" else 1)
        if not self.from_none:
            return np.asarray(logs)
        step = (logs[-1] - logs[0]) / (len(logs) - 1) if len(logs) > 1 else 1.0
        return np.concatenate([[logs[0] - step], logs])

    def number(self, i: int) -> str:
        """Format the strength at an index, such as ``"0.01"`` or ``"5e-5"``.

        Parameters
        ----------
        i : int
            Index of the strength.

        Returns
        -------
        str
        """
        value = self.strengths[i]
        if math.isinf(value):
            return "∞"
        return f"{value:.2g}".replace("e-0", "e-") if 0 < value < 1e-4 else f"{value:.3g}"

    def text(self, i: int) -> str:
        """Format the strength at an index with its symbol, such as ``"λ₁ = 0.01"``.

        Parameters
        ----------
        i : int
            Index of the strength.

        Returns
        -------
        str
        """
        method = METHODS[self.method]
        if method.percent:
            return method.text(self.strengths[i])
        return f"{method.symbol} = {self.number(i)}"


class Choice(NamedTuple):
    """Indices of the strengths that validation losses select.

    Attributes
    ----------
    best : int
        Index of the lowest mean validation loss.
    one_se : int or None
        Index of the strongest strength whose mean loss is within one standard error of the lowest;
        None for a single seed, which has no standard error.
    standard_error : float
        Standard error over seeds of the mean at ``best``; NaN for a single seed.

    Examples
    --------
    >>> from regviz.analysis.regularization_path import choose
    >>> choice = choose([[0.50, 0.41, 0.40, 0.60], [0.52, 0.40, 0.42, 0.70]])
    >>> choice.best, choice.one_se, round(choice.standard_error, 3)
    (1, 2, 0.005)
    """

    best: int
    one_se: int | None
    standard_error: float


def with_start(experiment: Experiment, networks: Sequence[int]) -> tuple[int, ...]:
    """Return a method's networks, preceded by the limit of vanishing strength if there is one.

    For most methods the limit is the unregularized network. For max-norm combined with dropout it
    is the network with the dropout alone.

    Parameters
    ----------
    experiment : Experiment
    networks : sequence of int
        Indices of the method's regularizations, from weak to strong.

    Returns
    -------
    tuple of int
        ``networks``, after the index of the limit if the experiment has it.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.regularization_path import with_start
    >>> strengths = (0.001, 0.01)
    >>> rows = (regviz.Regularization(), *(regviz.Regularization(l1=one) for one in strengths))
    >>> with_start(regviz.Experiment(regularizations=rows), [1, 2])
    (0, 1, 2)
    """
    rows = experiment.regularizations
    first = rows[networks[0]]
    limit = Regularization()
    if first.max_norm is not None and first.drop_rate:
        limit = replace(first, max_norm=None)
    return (rows.index(limit), *networks) if limit in rows else tuple(networks)


def path(history: History, networks: Sequence[int], t: int = -1, method: str | None = None) -> Path:
    """Return the path of a method over its strengths at a recorded time.

    Parameters
    ----------
    history : History
    networks : sequence of int
        Indices of one method's networks, from weak to strong, as `with_start` returns them.
    t : int
        Index into `History.epochs`.
    method : str, optional
        Key of the method; by default that of the last network. Elastic net without L2 is also L1.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If a network or time does not exist, or the last network is not regularized.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis import regularization_path as paths
    >>> rows = tuple(regviz.Regularization(l1=strength) for strength in (0.0, 0.001, 0.01, 0.1))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> path = paths.path(history, networks=[0, 1, 2, 3])
    >>> bool(path.nonzero[0] == path.weights.shape[1]), bool(path.nonzero[-1] < path.nonzero[0])
    (True, True)
    """
    n_times, n_networks, _ = history.parameters.shape
    t = integer("t", t, -n_times, n_times - 1) % n_times
    if len(networks) == 0:
        raise invalid("networks", "at least one network", networks)
    rows = [integer(f"networks[{i}]", k, 0, n_networks - 1) for i, k in enumerate(networks)]
    regularizations = [history.experiment.regularizations[k] for k in rows]
    method = label(regularizations[-1], method).method
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
    """Return a mask of the networks whose final predictions are constant, of shape (L,).

    Predictions are constant if, over all points of the dataset, probabilities differ by at most
    `SAME`, or values by that share of the range of the training targets. Diverged networks keep
    their last finite parameters, and are judged by these.
    """
    data = history.dataset
    X = np.concatenate([data.points(split)[0] for split in SPLITS])
    outputs = torch.from_numpy(history.outputs(X, list(networks)))
    predicted = predict(outputs, data.task).numpy()
    largest = SAME * (float(np.ptp(data.y_train)) if data.task == "regression" else 1.0)
    spread = np.ptp(predicted, axis=1).reshape(len(networks), -1).max(axis=1)
    return np.asarray(spread <= largest)


def losses_over_seeds(histories: Sequence[History]) -> dict[str, Array]:
    """Return the final data losses by split, of shape (S, L), from one history for each of S seeds.

    NaN for a split without points, and for a diverged network.

    Parameters
    ----------
    histories : sequence of History
        One for each of S seeds, each with the L networks of the path.

    Returns
    -------
    dict of str to ndarray of shape (S, L)
        For ``"train"``, ``"validation"`` and ``"test"``.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.regularization_path import losses_over_seeds
    >>> rows = tuple(regviz.Regularization(l2=strength) for strength in (0.001, 0.01, 0.1))
    >>> short = regviz.TrainingSpec(epochs=20)
    >>> experiment = regviz.Experiment(training=short, regularizations=rows)
    >>> histories = regviz.replicate(experiment, seeds=range(4))
    >>> losses_over_seeds(histories)["validation"].shape
    (4, 3)
    """
    if len(histories) == 0:
        raise invalid("histories", "at least one history", histories)
    return {
        split: np.stack([history.metrics[f"{split}_loss"][-1] for history in histories])
        for split in SPLITS
    }


def standard_error(values: ArrayLike, overlap: ArrayLike = 0.0) -> Array:
    """Return the standard error of the mean over the first axis, ``s * sqrt(1 / S + overlap)``.

    ``s`` is the sample standard deviation, with S - 1 in the denominator.

    Parameters
    ----------
    values : array-like of shape (S, …)
    overlap : array-like, broadcast to shape (…)
        0 for independent values. For losses over S random splits of the same points, ``n_test /
        n_train``: as the splits overlap, these losses vary less than those of new points.

    Returns
    -------
    ndarray of shape (…)
        NaN for S = 1.

    References
    ----------
    Nadeau & Bengio 2003, the corrected resampled t-test.

    Examples
    --------
    >>> from regviz.analysis.regularization_path import standard_error
    >>> round(float(standard_error([0.4, 0.5, 0.6])), 4)
    0.0577
    """
    array = np.asarray(values, dtype=np.float64)
    n = len(array)
    if n < 2:
        return np.full(array.shape[1:], np.nan)
    return np.asarray(array.std(axis=0, ddof=1) * np.sqrt(1 / n + np.asarray(overlap)))


def choose(validation_losses: ArrayLike) -> Choice:
    """Choose a strength by the lowest mean validation loss, and by the one-standard-error rule.

    The rule chooses the most regularized model whose mean loss is within one standard error of the
    lowest.

    Parameters
    ----------
    validation_losses : array-like of shape (S, L)
        Losses for S seeds and L strengths, from weak to strong. Strengths with a loss that is not
        finite are not chosen.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        If no strength has finite losses.

    References
    ----------
    Breiman, Friedman, Olshen & Stone 1984; Hastie, Tibshirani & Friedman 2009, section 7.10.

    Examples
    --------
    >>> from regviz.analysis.regularization_path import choose
    >>> choice = choose([[0.50, 0.41, 0.40, 0.60], [0.52, 0.40, 0.42, 0.70]])
    >>> choice.best, choice.one_se
    (1, 2)
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
