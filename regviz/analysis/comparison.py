"""Networks in numbers, side by side: one row each, once or over several seeds."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regviz.analysis import evaluation
from regviz.analysis.criteria import Criterion, criteria, plus_minus
from regviz.analysis.paths import standard_error
from regviz.data.datasets import domain
from regviz.engine import measures, networks
from regviz.engine.history import History
from regviz.engine.training import pinned
from regviz.spec.points import PointsSpec
from regviz.spec.validation import integer, invalid

Array = NDArray[np.float64]

RESOLUTION = 151  # grid points along each axis, where the boundary is measured
# With 5 seeds, luck alone takes each mean difference beyond 3 standard errors once in 25 times
# (Student's t with 4 degrees of freedom).
CLEAR = 3.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Networks in numbers.

    Attributes
    ----------
    columns : tuple of Criterion
        C of them; those that the data do not have are left out.
    values : ndarray of shape (n, C)
        NaN where a network has diverged or a measure is undefined.
    """

    columns: tuple[Criterion, ...]
    values: Array

    def __getitem__(self, key: str) -> Array:
        """The column of this key: ``(n,)``."""
        return np.asarray(self.values[:, [column.key for column in self.columns].index(key)])

    @property
    def best(self) -> NDArray[np.bool_]:
        """Mask ``(n, C)`` of the best networks of each column; equals are all the best."""
        return best(self.columns, self.values)


@dataclass(frozen=True, eq=False)
class Replicates:
    """Networks in numbers over S seeds.

    Attributes
    ----------
    columns : tuple of Criterion
    values : ndarray of shape (S, n, C)
    overlap : float
        Test points over training points where all seeds split the same points, else 0; see
        `overlap`.
    """

    columns: tuple[Criterion, ...]
    values: Array
    overlap: float = 0.0

    @classmethod
    def of(cls, comparisons: Sequence[Comparison], overlap: float = 0.0) -> "Replicates":
        """The same networks under each seed."""
        return cls(comparisons[0].columns, np.stack([one.values for one in comparisons]), overlap)

    def __getitem__(self, key: str) -> Array:
        """The column of this key: ``(S, n)``."""
        return np.asarray(self.values[:, :, [column.key for column in self.columns].index(key)])

    @property
    def mean(self) -> Array:
        """``(n, C)``; NaN where it is undefined under a seed."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def error(self) -> Array:
        """Standard error of `mean`."""
        return standard_error(self.values, self.overlap)

    @property
    def best(self) -> NDArray[np.bool_]:
        """Mask ``(n, C)`` of means that are the best of their column, or behind it by chance."""
        found = best(self.columns, self.mean)
        for c in np.flatnonzero(found.any(axis=0)):
            behind = self.difference(int(found[:, c].argmax()))
            found[:, c] |= np.abs(behind.mean[:, c]) <= CLEAR * behind.error[:, c]
        return found

    def difference(self, baseline: int) -> "Replicates":
        """Differences of each network from the network ``baseline`` under the same seed.

        Its mean and standard error are those of paired differences: what a seed does to both
        networks alike falls out.
        """
        baseline = integer("baseline", baseline, 0, self.values.shape[1] - 1)
        difference = self.values - self.values[:, baseline, None]
        return Replicates(self.columns, difference, self.overlap)

    def verdict(self, names: Sequence[str], i: int, baseline: int | None = None) -> str:
        """A sentence or two on the test loss of network ``i``, against that of ``baseline``.

        Parameters
        ----------
        names : sequence of str
            Of the networks.
        i : int
        baseline : int, optional
            Without one it is not compared.
        """
        losses, count = self["test_loss"], len(self.values)
        for k in (i, i if baseline is None else baseline):
            gone = int(np.isnan(losses[:, k]).sum())
            if gone:
                return f"{names[k]} diverged under {gone} of {count} seeds."
        if baseline is None or i == baseline:
            mean, error = losses[:, i].mean(), float(standard_error(losses[:, i], self.overlap))
            return f"{names[i]} has a test loss of {plus_minus(mean, error)} over {count} seeds."
        paired = losses[:, i] - losses[:, baseline]
        if not paired.any():
            return f"{names[i]} tests exactly as {names[baseline]} over {count} seeds."
        mean, error = paired.mean(), float(standard_error(paired, self.overlap))
        direction = "lower" if mean < 0 else "higher"
        told = f"{names[i]} tests {plus_minus(abs(mean), error)} {direction} than {names[baseline]}"
        luck = "" if abs(mean) > CLEAR * error else " This may be luck."
        return f"{told} over {count} seeds.{luck}"


def overlap(history: History) -> float:
    """By how much seeds share their points: ``n_test / n_train`` of one's own points, else 0.

    Each seed draws other points of a toy dataset, but only splits one's own points anew, and leaves
    points that were given as arrays as they are: their standard error is that of training. See
    `regviz.analysis.paths.standard_error`.
    """
    if not isinstance(history.experiment.data, PointsSpec):
        return 0.0
    n_test, n_train = (len(history.dataset.points(split)[1]) for split in ("test", "train"))
    return n_test / n_train


def best(columns: Sequence[Criterion], values: Array) -> NDArray[np.bool_]:
    """Mask of the best ``values`` ``(n, C)`` of each column; False where it does not judge."""
    found = np.zeros(values.shape, dtype=bool)
    for c, column in enumerate(columns):
        if column.better is not None and np.isfinite(values[:, c]).any():
            extreme = np.nanmin if column.better == "lower" else np.nanmax
            found[:, c] = values[:, c] == extreme(values[:, c])
    return found


@pinned()
def compare(history: History, rows: Sequence[int], t: int | Sequence[int] = -1) -> Comparison:
    """Some networks of a history in numbers.

    Parameters
    ----------
    history : History
    rows : sequence of int
        Which networks, at least one.
    t : int or sequence of int
        Index into ``history.epochs``: one for all, or one for each of ``rows``, such as those that
        `History.early_stopping` gives.

    Returns
    -------
    Comparison
        Losses, gap and accuracy as in ``history.metrics``; of the weights the share of exact zeros,
        Hoyer's sparsity, the effective number and each layer's Frobenius norm; the length of the
        boundary in the picture and the calibration error on the test points.

    Raises
    ------
    ValueError
        If there is no such network or time.
    """
    if not rows:
        raise invalid("rows", "at least one network", rows)
    X, y = history.dataset.points("test")
    outputs = history.outputs(X, rows, t)  # refuses rows and times that there are not
    times = list(t) if isinstance(t, Sequence) else [t] * len(rows)
    at = (times, list(rows))
    found = {
        name: history.metrics[name][at]
        for name in ("train_loss", "validation_loss", "test_loss", "gap", "test_accuracy")
    }
    parameters = history.parameters[at].astype(np.float64)
    weights = parameters[:, history.layout.is_weight]
    for measure in (measures.sparsity, measures.hoyer, measures.effective_weights):
        found[measure.__name__] = measure(weights)
    for i, block in enumerate(history.layout.split(parameters), 1):
        found[f"norm_{i}"] = np.linalg.norm(block[:, :, :-1], axis=(1, 2))
    task = history.dataset.task
    if task != "regression":
        probability = networks.predict(torch.from_numpy(outputs), task).numpy()
        found["calibration_error"] = evaluation.calibration_error(probability, y)
        if history.dataset.n_columns == 2:
            found["boundary_length"] = _boundary_length(history, rows, times)
    chosen = criteria(history.dataset, len(history.layout.shapes))
    values = np.stack([found[column.key] for column in chosen], axis=1)
    values[np.isnan(found["train_loss"])] = np.nan  # diverged
    return Comparison(chosen, values)


def confusion(
    history: History, rows: Sequence[int], t: int | Sequence[int] = -1
) -> NDArray[np.int64]:
    """Confusion matrices ``(n, C, C)`` of some networks on the test points; see `compare`.

    Raises
    ------
    ValueError
        If there are no classes, or no such network or time.
    """
    if history.dataset.task == "regression":
        raise invalid("history", "a run on classes", history.dataset.task)
    X, y = history.dataset.points("test")
    predicted = evaluation.winners(history.outputs(X, rows, t))
    return evaluation.confusion_matrix(predicted, y, history.dataset.n_classes)


def _boundary_length(history: History, rows: Sequence[int], times: Sequence[int]) -> Array:
    low, high = domain(history.dataset)
    axis = np.linspace(low, high, RESOLUTION)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    outputs = history.outputs(plane, rows, times)
    grids = outputs.reshape(*outputs.shape[:2], RESOLUTION, RESOLUTION)
    return np.asarray(evaluation.boundary_length(grids, high - low, high - low))


def to_csv(
    names: Sequence[tuple[str, str]],
    columns: Sequence[Criterion],
    values: Array,
    error: Array | None,
) -> str:
    """A comparison as CSV, numbers in full, empty where they are undefined.

    Parameters
    ----------
    names : sequence of (str, str)
        Method and strength of each network.
    columns : sequence of Criterion
    values : ndarray of shape (n, C)
    error : ndarray of shape (n, C), or None
        Standard errors, each in a column after its mean.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [[c.key] if error is None else [c.key, f"{c.key}_standard_error"] for c in columns]
    writer.writerow(["method", "strength", *(head for pair in heads for head in pair)])
    for i, name in enumerate(names):
        cells = values[i] if error is None else np.stack([values[i], error[i]], axis=1).ravel()
        writer.writerow([*name, *("" if np.isnan(cell) else repr(float(cell)) for cell in cells)])
    return text.getvalue()
