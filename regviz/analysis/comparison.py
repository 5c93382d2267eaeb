"""Tables of criteria by network, for one run or over several seeds."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regviz.analysis import evaluation
from regviz.analysis.criteria import Criterion, criteria, plus_minus
from regviz.analysis.regularization_path import standard_error
from regviz.data.datasets import Dataset, domain
from regviz.engine import measures, networks
from regviz.engine.history import History
from regviz.engine.training import pinned
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data
from regviz.spec.points import PointsSpec
from regviz.spec.validation import integer, invalid

Array = NDArray[np.float64]

RESOLUTION = 151  # grid points along each axis for the length of the boundary
# A difference is clear beyond this many standard errors. With 5 seeds and no true difference, its
# mean is beyond 3 with probability 0.04 (Student's t with 4 degrees of freedom).
CLEAR = 3.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Values of C criteria for n networks.

    Attributes
    ----------
    columns : tuple of Criterion
        The C criteria that are defined for the data.
    values : ndarray of shape (n, C)
        NaN if a network has diverged or the criterion is undefined.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.comparison import compare
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> table = compare(history, rows=[0, 1])
    >>> [column.key for column in table.columns][:4]
    ['test_loss', 'train_loss', 'validation_loss', 'gap']
    >>> table["sparsity"].shape
    (2,)
    >>> table.best.shape
    (2, 13)
    """

    columns: tuple[Criterion, ...]
    values: Array

    def __getitem__(self, key: str) -> Array:
        """Return the values of a criterion by its key, of shape (n,)."""
        return np.asarray(self.values[:, [column.key for column in self.columns].index(key)])

    @property
    def best(self) -> NDArray[np.bool_]:
        """Mask of shape (n, C) of the best networks by each criterion, and of equals as shown."""
        return _with_equals(self.columns, best(self.columns, self.values), self.values, None)


@dataclass(frozen=True, eq=False)
class Replicates:
    """Values of C criteria for n networks under S seeds.

    Attributes
    ----------
    columns : tuple of Criterion
    values : ndarray of shape (S, n, C)
    overlap : float
        The correction of the standard error returned by `overlap`.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.comparison import Replicates, compare
    >>> rows = (regviz.Regularization(), regviz.Regularization(l2=0.03))
    >>> short = regviz.TrainingSpec(epochs=20)
    >>> experiment = regviz.Experiment(training=short, regularizations=rows)
    >>> histories = regviz.replicate(experiment, seeds=range(5))
    >>> table = Replicates.of([compare(history, rows=[0, 1]) for history in histories])
    >>> table["test_loss"].shape
    (5, 2)
    >>> table.mean.shape == table.error.shape
    True
    >>> bool(table.difference(baseline=0)["test_loss"].any())
    True
    """

    columns: tuple[Criterion, ...]
    values: Array
    overlap: float = 0.0

    @classmethod
    def of(cls, comparisons: Sequence[Comparison], overlap: float = 0.0) -> "Replicates":
        """Stack comparisons of the same networks, one for each seed.

        Parameters
        ----------
        comparisons : sequence of Comparison
            One for each seed.
        overlap : float
            See `Replicates`.

        Returns
        -------
        Replicates
        """
        return cls(comparisons[0].columns, np.stack([one.values for one in comparisons]), overlap)

    def __getitem__(self, key: str) -> Array:
        """Return the values of a criterion by its key, of shape (S, n)."""
        return np.asarray(self.values[:, :, [column.key for column in self.columns].index(key)])

    @property
    def mean(self) -> Array:
        """Mean over seeds, of shape (n, C); NaN if a value is undefined under a seed."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def error(self) -> Array:
        """Standard error of `mean`, of shape (n, C)."""
        return standard_error(self.values, self.overlap)

    @property
    def best(self) -> NDArray[np.bool_]:
        """Mask of shape (n, C) of the networks that tie with the best mean of each criterion.

        A network ties with the best if its mean paired difference from it (see `difference`) is at
        most one standard error of that difference. A network whose mean, rounded as shown, is at
        least as good as that of one of these is included: ties are not transitive, as each
        difference has its own standard error.

        So every other network shows a worse mean than all of these, and differs from the best by
        more than one standard error.

        References
        ----------
        Breiman, Friedman, Olshen & Stone 1984, *Classification and Regression Trees*, section
        3.4.3, for the one-standard-error rule.
        """
        mask = best(self.columns, self.mean)
        for c in np.flatnonzero(mask.any(axis=0)):
            behind = self.difference(int(mask[:, c].argmax()))
            mask[:, c] |= np.abs(behind.mean[:, c]) <= behind.error[:, c]
        return _with_equals(self.columns, mask, self.mean, self.error)

    def difference(self, baseline: int) -> "Replicates":
        """Return the paired differences from the network ``baseline`` under the same seed.

        Effects of a seed that are equal for both networks cancel, so that mean and standard error
        are those of a paired comparison.

        Parameters
        ----------
        baseline : int
            Index of the network to compare with.

        Returns
        -------
        Replicates
            Differences, of the same shape.
        """
        baseline = integer("baseline", baseline, 0, self.values.shape[1] - 1)
        difference = self.values - self.values[:, baseline, None]
        return Replicates(self.columns, difference, self.overlap)

    def verdict(self, names: Sequence[str], i: int, baseline: int | None = None) -> str:
        """Describe the test loss of network ``i``, compared with that of ``baseline``, in words.

        Parameters
        ----------
        names : sequence of str
            Names of the networks.
        i : int
            Index of the network.
        baseline : int, optional
            Index of the network to compare with. By default, there is no comparison.

        Returns
        -------
        str

        Examples
        --------
        >>> import numpy as np
        >>> from regviz.analysis.comparison import Replicates
        >>> from regviz.analysis.criteria import Criterion
        >>> columns = (Criterion("test_loss", "Test loss", "Mean loss.", "lower"),)
        >>> losses = np.array([[0.5, 0.3], [0.6, 0.4], [0.7, 0.6]])[:, :, None]
        >>> print(Replicates(columns, losses).verdict(["None", "L2"], i=1, baseline=0))
        L2 tests 0.17 ± 0.03 lower than None over 3 seeds.
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
        size = plus_minus(abs(mean), error)
        result = f"{names[i]} tests {size} {direction} than {names[baseline]}"
        luck = "" if abs(mean) > CLEAR * error else " This may be luck."
        return f"{result} over {count} seeds.{luck}"


def overlap(history: History) -> float:
    """Return the argument ``overlap`` of `standard_error` for a history's seeds; see `overlap_of`.

    Parameters
    ----------
    history : History
    """
    return overlap_of(history.experiment.data, history.dataset)


def overlap_of(data: Data | ArraysSpec, dataset: Dataset) -> float:
    """Return the argument ``overlap`` of `standard_error` for an experiment's seeds.

    It is ``n_test / n_train`` for a visitor's own points, which each seed splits in another way,
    and 0 for a toy dataset, of which each seed draws new points. It is also 0 for arrays, whose
    points and splits do not depend on the seed: their standard error is that of the training.

    Parameters
    ----------
    data : DataSpec, PointsSpec or ArraysSpec
    dataset : Dataset
        The points of ``data`` under any seed.
    """
    if not isinstance(data, PointsSpec):
        return 0.0
    n_test, n_train = (len(dataset.points(split)[1]) for split in ("test", "train"))
    return n_test / n_train


def best(columns: Sequence[Criterion], values: Array) -> NDArray[np.bool_]:
    """Return the mask of the best values in each column; False for criteria without a direction.

    Parameters
    ----------
    columns : sequence of Criterion
    values : ndarray of shape (n, C)
    """
    mask = np.zeros(values.shape, dtype=bool)
    for c, column in enumerate(columns):
        if column.better is not None and np.isfinite(values[:, c]).any():
            extreme = np.nanmin if column.better == "lower" else np.nanmax
            mask[:, c] = values[:, c] == extreme(values[:, c])
    return mask


def _with_equals(
    columns: Sequence[Criterion], mask: NDArray[np.bool_], values: Array, error: Array | None
) -> NDArray[np.bool_]:
    """Extend a mask of the best to all numbers that look at least as good as one of them.

    Parameters
    ----------
    columns : sequence of Criterion
        They define how numbers are rounded.
    mask : ndarray of shape (n, C)
    values : ndarray of shape (n, C)
    error : ndarray of shape (n, C), or None
        Standard errors, shown beside the values.
    """
    extended = mask.copy()
    for c in np.flatnonzero(mask.any(axis=0)):
        column, errors = columns[int(c)], None if error is None else error[:, c].tolist()
        shown = np.array(
            [
                column.as_shown(value, None if errors is None else errors[i])
                for i, value in enumerate(values[:, c].tolist())
            ]
        )
        if column.better == "lower":
            extended[:, c] = shown <= shown[mask[:, c]].max()
        else:
            extended[:, c] = shown >= shown[mask[:, c]].min()
    return extended


@pinned()
def compare(history: History, rows: Sequence[int], t: int | Sequence[int] = -1) -> Comparison:
    """Compute all criteria for some networks of a history.

    Parameters
    ----------
    history : History
    rows : sequence of int
        Indices of the networks, at least one.
    t : int or sequence of int
        Index into ``history.epochs``, for all networks or for each of ``rows``, such as the times
        that `History.early_stopping` returns.

    Returns
    -------
    Comparison
        Losses, gap and accuracy as in ``history.metrics``; share of exact zeros, Hoyer's sparsity,
        effective number and Frobenius norm by layer of the weights; length of the class boundary
        within `regviz.data.datasets.domain`; calibration error on the test points.

    Raises
    ------
    ValueError
        If there is no such network or time.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.comparison import compare
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> table = compare(history, rows=[0, 1])
    >>> table["sparsity"] > 0
    array([False,  True])
    """
    if not rows:
        raise invalid("rows", "at least one network", rows)
    X, y = history.dataset.points("test")
    outputs = history.outputs(X, rows, t)  # raises for rows and times that do not exist
    times = list(t) if isinstance(t, Sequence) else [t] * len(rows)
    at = (times, list(rows))
    by_key = {
        name: history.metrics[name][at]
        for name in ("train_loss", "validation_loss", "test_loss", "gap", "test_accuracy")
    }
    parameters = history.parameters[at].astype(np.float64)
    weights = parameters[:, history.layout.is_weight]
    for measure in (measures.sparsity, measures.hoyer, measures.effective_weights):
        by_key[measure.__name__] = measure(weights)
    for i, block in enumerate(history.layout.split(parameters), 1):
        by_key[f"norm_{i}"] = np.linalg.norm(block[:, :, :-1], axis=(1, 2))
    task = history.dataset.task
    if task != "regression":
        probability = networks.predict(torch.from_numpy(outputs), task).numpy()
        by_key["calibration_error"] = evaluation.calibration_error(probability, y)
        if history.dataset.n_columns == 2:
            by_key["boundary_length"] = _boundary_length(history, rows, times)
    columns = criteria(history.dataset, len(history.layout.shapes))
    values = np.stack([by_key[column.key] for column in columns], axis=1)
    values[np.isnan(by_key["train_loss"])] = np.nan  # diverged
    return Comparison(columns, values)


def confusion(
    history: History, rows: Sequence[int], t: int | Sequence[int] = -1
) -> NDArray[np.int64]:
    """Return confusion matrices of some networks on the test points, of shape (n, C, C).

    Parameters are those of `compare`; `evaluation.confusion_matrix` defines the entries.

    Parameters
    ----------
    history : History
    rows : sequence of int
        Indices of the networks.
    t : int or sequence of int
        Index into ``history.epochs``, for all networks or for each of ``rows``.

    Returns
    -------
    ndarray of int of shape (n, C, C)
        Entry ``(k, i, j)`` is the number of points of class i for which network k predicts j.

    Raises
    ------
    ValueError
        If the task is regression, or there is no such network or time.

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.comparison import confusion
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> counts = confusion(history, rows=[0, 1])
    >>> counts.shape, counts.sum(axis=(1, 2))
    ((2, 2, 2), array([200, 200]))
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
    """Return a comparison as CSV text, with all digits; NaN is an empty cell.

    Parameters
    ----------
    names : sequence of (str, str)
        Method and strength of each network.
    columns : sequence of Criterion
    values : ndarray of shape (n, C)
    error : ndarray of shape (n, C), or None
        Standard errors, each in the column after its mean; None for a single run.

    Returns
    -------
    str

    Examples
    --------
    >>> import regviz
    >>> from regviz.analysis.comparison import compare, to_csv
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> table = compare(history, rows=[0, 1])
    >>> text = to_csv([("None", ""), ("L1", "0.01")], table.columns, table.values, error=None)
    >>> text.splitlines()[0][:42]
    'method,strength,test_loss,train_loss,valid'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [[c.key] if error is None else [c.key, f"{c.key}_standard_error"] for c in columns]
    writer.writerow(["method", "strength", *(head for pair in heads for head in pair)])
    for i, name in enumerate(names):
        cells = values[i] if error is None else np.stack([values[i], error[i]], axis=1).ravel()
        writer.writerow([*name, *("" if np.isnan(cell) else repr(float(cell)) for cell in cells)])
    return text.getvalue()
