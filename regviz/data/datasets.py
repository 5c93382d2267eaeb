"""Toy datasets and a user's own points, split into training, validation and test points."""

import hashlib
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, DataSpec
from regviz.spec.points import SPLITS, PointsSpec
from regviz.spec.tables import DATASETS
from regviz.spec.toy import ToyDataset
from regviz.spec.validation import MAX_CLASSES, TASKS, Task, choice, invalid

WEIGHTED_SPLITS = SPLITS[:2]  # training and validation
Points = tuple[NDArray[np.float64], NDArray[np.float64]]
MARGIN = 0.08  # of the picture's domain around the points, as a share of their range
# beyond these bounds, learning rates for standardised columns diverge or make no progress
MAX_RMS = 30.0
MAX_SD_RATIO = 100.0


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, test and validation points, checked and as float64 arrays.

    Parameters
    ----------
    X_train : array-like of shape (n_train, n_columns)
    y_train : array-like of shape (n_train,)
        Class numbers 0 and 1 (``"binary"``) or 0, 1, …, C−1 (``"multiclass"``, at most 20), or
        targets (``"regression"``).
    X_test, X_validation : array-like of shape (n, n_columns), optional
        Points that are not trained on. By default, none.
    y_test, y_validation : array-like of shape (n,), optional
        Their classes or targets.
    task : {"binary", "multiclass", "regression"}
    weight_train, weight_validation : array-like of shape (n,), optional
        Weights of the points in the mean loss of their split, at least 0 and not all 0. Multiplying
        all of them by a number changes nothing. By default, points count equally, as test points
        always do.

    Raises
    ------
    ValueError
        If an array has the wrong shape or an element that is not a finite number, if classes are
        not numbered from 0, if a class has no training point, or if weights are below 0 or all 0.

    Notes
    -----
    A batch of b points has the loss ``sum(w_i * loss_i) / b``, where the weights ``w_i`` are
    divided by their mean over all training points. In full-batch training this is the weighted
    mean, so that a weight of 2 is the same as a point that is repeated. In mini-batches it is the
    same in expectation. Accuracies are weighted, too. Not weighted are the means and variances of
    batch normalization, and the losses that the board computes for links edited by hand.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> import regviz
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> iris = regviz.Dataset(X_train, y_train, X_test, y_test, task="multiclass")
    >>> iris.n_columns, iris.n_classes
    (4, 3)
    >>> [array.shape for array in iris.points("test")]
    [(38, 4), (38,)]
    >>> regviz.Dataset([[1.0], [2.0]], [0, 1], weight_train=[1, 3]).weights("train")
    array([0.5, 1.5])
    """

    X_train: NDArray[np.float64]
    y_train: NDArray[np.float64]
    X_test: NDArray[np.float64] | None = None
    y_test: NDArray[np.float64] | None = None
    X_validation: NDArray[np.float64] | None = None
    y_validation: NDArray[np.float64] | None = None
    task: Task = "binary"
    weight_train: NDArray[np.float64] | None = None
    weight_validation: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        choice("task", self.task, TASKS)
        self._check_order()
        for split in SPLITS:
            X, y = _points(split, getattr(self, f"X_{split}"), getattr(self, f"y_{split}"))
            if split != "train" and X.size and X.shape[1] != self.n_columns:
                allowed = f"of shape (n, {self.n_columns}), as X_train"
                raise invalid(f"X_{split}", allowed, X.shape)
            object.__setattr__(self, f"X_{split}", X if X.size else np.zeros((0, self._columns(X))))
            object.__setattr__(self, f"y_{split}", y)
        for split in WEIGHTED_SPLITS:
            object.__setattr__(self, f"weight_{split}", self._checked_weights(split))
        if len(self.y_train) == 0:
            raise invalid("X_train", "at least one point", self.X_train.shape)
        if self.task != "regression":
            self._check_classes()

    def _check_order(self) -> None:
        """Raise ValueError for ``Dataset(*train_test_split(X, y))``, the wrong order of arrays."""
        if np.ndim(self.y_train) == 2 and self.X_test is not None and np.ndim(self.X_test) == 1:
            allowed = (
                "of shape (n_train,): Dataset takes X_train, y_train, X_test, y_test in this order,"
                " while train_test_split returns X_train, X_test, y_train, y_test;"
                " name the arguments"
            )
            raise invalid("y_train", allowed, np.shape(self.y_train))

    def _checked_weights(self, split: str) -> NDArray[np.float64] | None:
        name, n = f"weight_{split}", len(getattr(self, f"y_{split}"))
        if getattr(self, name) is None:
            return None
        weights = numbers(name, getattr(self, name))
        if weights.shape != (n,):
            raise invalid(name, f"of shape ({n},), as y_{split}", weights.shape)
        if (weights < 0).any() or (n and not weights.any()):
            raise invalid(name, "weights of at least 0 that are not all 0", weights)
        return weights

    def _columns(self, X: NDArray[np.float64]) -> int:
        return X.shape[1] if X.size else self.n_columns

    def _check_classes(self) -> None:
        """Raise ValueError unless classes are 0, 1, …, without gaps, each with a training point."""
        most = 1 if self.task == "binary" else MAX_CLASSES - 1
        for split in SPLITS:
            _, y = self.points(split)
            wrong = y[(y < 0) | (y > most) | (y != np.round(y))]
            if len(wrong):
                allowed = f"of at most {most + 1} classes, with numbers from 0 to {most}"
                raise invalid(f"y_{split}", allowed, float(wrong[0]))
        labels = np.concatenate([self.points(split)[1] for split in SPLITS])
        every = range(max(int(labels.max()) + 1, 2))
        missing = sorted(set(every) - set(self.y_train.astype(int).tolist()))
        if missing:
            allowed = f"such that each class from 0 to {every[-1]} has a training point"
            raise invalid("y_train", allowed, f"no point of class {missing[0]}")

    @property
    def n_columns(self) -> int:
        """Number of columns of the points."""
        return int(np.shape(self.X_train)[1])

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return 0 if self.task == "regression" else int(self.y_train.max()) + 1

    @property
    def n_outputs(self) -> int:
        """Number of units of the output layer: one, or one for each class of ``"multiclass"``."""
        return self.n_classes if self.task == "multiclass" else 1

    @property
    def spec(self) -> ArraysSpec:
        """The entry for these points in an `Experiment`."""
        digest = hashlib.sha256(self.task.encode())
        for split in SPLITS:
            for array in self.points(split):
                digest.update(f"{array.shape}".encode() + array.tobytes())
        for split in WEIGHTED_SPLITS:
            weights = getattr(self, f"weight_{split}")
            if weights is not None:
                digest.update(f"weight_{split}".encode() + weights.tobytes())
        n_train, n_validation, n_test = (len(self.points(split)[1]) for split in SPLITS)
        return ArraysSpec(
            self.task,
            self.n_columns,
            self.n_outputs,
            n_train,
            n_validation,
            n_test,
            digest.hexdigest()[:16],
            self.weighted,
        )

    def points(self, split: str) -> Points:
        """Return ``X`` of shape (n, n_columns) and ``y`` of shape (n,) of a split.

        Parameters
        ----------
        split : {"train", "validation", "test"}

        Returns
        -------
        X : ndarray of shape (n, n_columns)
        y : ndarray of shape (n,)
        """
        choice("split", split, SPLITS)
        return getattr(self, f"X_{split}"), getattr(self, f"y_{split}")

    def weights(self, split: str) -> NDArray[np.float64] | None:
        """Return the weights of a split's points divided by their mean, of shape (n,).

        Parameters
        ----------
        split : {"train", "validation", "test"}

        Returns
        -------
        ndarray of shape (n,) or None
            None if the points count equally.
        """
        choice("split", split, SPLITS)
        given: NDArray[np.float64] | None = getattr(self, f"weight_{split}", None)
        if given is None or not len(given):
            return None
        scaled = given / given.max()  # the sum of large weights would overflow
        return np.asarray(scaled / scaled.mean())

    @property
    def weighted(self) -> bool:
        """Whether any points have weights."""
        return any(getattr(self, f"weight_{split}") is not None for split in WEIGHTED_SPLITS)


@lru_cache(maxsize=64)
def domain(dataset: Dataset) -> tuple[float, float]:
    """Return the range ``(low, high)`` of both axes in a picture of the points.

    It contains all training points, and the 0.5 % to 99.5 % quantiles of each column of all
    points, so that single outliers among the other splits do not enlarge it; plus 8 % on each side.
    """
    lows, highs = zip(*_ends(dataset), strict=True)
    return _with_margin(min(lows), max(highs))


def domains(dataset: Dataset) -> list[tuple[float, float]]:
    """Return the range of each column in a picture of two of them, as `domain` does for both."""
    return [_with_margin(low, high) for low, high in _ends(dataset)]


def _ends(dataset: Dataset) -> list[tuple[float, float]]:
    others = np.concatenate([dataset.points(split)[0] for split in SPLITS])
    ends = np.concatenate([dataset.X_train, np.quantile(others, [0.005, 0.995], axis=0)])
    return list(zip(ends.min(axis=0).tolist(), ends.max(axis=0).tolist(), strict=True))


def _with_margin(low: float, high: float) -> tuple[float, float]:
    margin = MARGIN * (high - low or 1.0)
    return low - margin, high + margin


def _points(split: str, X: ArrayLike | None, y: ArrayLike | None) -> Points:
    """Return one split as checked arrays; arrays of length 0 if it is not given."""
    if (X is None) != (y is None):
        raise invalid(f"X_{split} and y_{split}", "given together or not at all", (X, y))
    if X is None or y is None:
        if split == "train":
            raise invalid("X_train", "an array of points", X)
        return np.zeros((0, 0)), np.zeros(0)
    features, target = numbers(f"X_{split}", X), numbers(f"y_{split}", y)
    if features.ndim != 2 or features.shape[1] == 0:
        raise invalid(f"X_{split}", "of shape (n_points, n_columns)", features.shape)
    if target.ndim != 1 or len(target) != len(features):
        raise invalid(f"y_{split}", f"of shape ({len(features)},), as X_{split}", target.shape)
    return features, target


TEXT = (
    "not text: numpy.unique(labels, return_inverse=True) numbers the classes,"
    " sklearn.preprocessing.OneHotEncoder turns categories into columns"
)


def warn_unscaled(dataset: Dataset) -> None:
    """Warn of training columns, or regression targets, that need standardising.

    The warning is attributed to the innermost caller outside this package.

    Warns
    -----
    UserWarning
        If the root mean square of a column or of the targets exceeds 30, or if the standard
        deviation of one column is more than 100 times that of another.
    """
    X, y = dataset.points("train")
    sizes = {f"column {i}": _root_mean_square(X[:, i]) for i in range(dataset.n_columns)}
    if dataset.task == "regression":
        sizes["y_train"] = _root_mean_square(y)
    largest = max(sizes, key=sizes.__getitem__)
    if sizes[largest] > MAX_RMS:
        problem = f"{largest} has a root mean square of {sizes[largest]:.3g}"
    else:
        problem = _uneven_spreads(X.std(axis=0))
    if problem:
        warnings.warn(
            f"{problem}: networks train well on numbers of mean 0 and standard deviation 1, as"
            " sklearn.preprocessing.StandardScaler, fitted to the training points, makes them",
            stacklevel=stack_level(),
        )


def stack_level() -> int:
    """Return the ``stacklevel`` that attributes the caller's warning to a frame outside regviz.

    `warnings.warn` has ``skip_file_prefixes`` for this from Python 3.12 on; we support 3.11.
    """
    package = __name__.partition(".")[0]
    frame = sys._getframe(1)
    level = 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
        level += 1
    return level


def _root_mean_square(values: NDArray[np.float64]) -> float:
    largest = np.abs(values).max() or 1.0  # divided by, so that no square overflows
    return float(largest * np.sqrt(np.mean((values / largest) ** 2)))


def _uneven_spreads(spreads: NDArray[np.float64]) -> str:
    """Describe the two columns whose standard deviations differ too much; "" if none do."""
    varied = np.flatnonzero(spreads)  # a constant column has no scale
    if not len(varied):
        return ""
    wide, narrow = (int(varied[pick(spreads[varied])]) for pick in (np.argmax, np.argmin))
    if spreads[wide] <= MAX_SD_RATIO * spreads[narrow]:
        return ""
    return (
        f"the standard deviation of column {wide} is {spreads[wide]:.3g} and that of column"
        f" {narrow} is {spreads[narrow]:.3g}"
    )


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return a read-only float64 copy of an array-like of finite numbers.

    Raises
    ------
    ValueError
        If an element is not a finite number, or the array is ragged; the message starts with
        ``name``.
    """
    try:
        raw = np.asarray(values)
        if raw.dtype.kind in "US":
            raise TypeError(TEXT)
        if raw.dtype.kind not in "biufO":
            raise TypeError(f"not {raw.dtype}")
        if raw.dtype.kind == "O" and any(isinstance(x, str | bytes) for x in raw.flat):
            raise TypeError(TEXT)
        array = np.array(raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid(name, f"an array of numbers ({error})", values) from error
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise invalid(f"{name}{list(where)}", "a finite number", float(array[where]))
    array.setflags(write=False)
    return array


def make_dataset(spec: Data | ArraysSpec) -> Dataset:
    """Generate a named dataset, or take a visitor's own points, and split and standardise them.

    Splits are stratified by class. Each class of a visitor's own points has at least one point in
    every split. With ``standardize``, coordinates are shifted and scaled by mean and standard
    deviation of the training points.

    Parameters
    ----------
    spec : DataSpec or PointsSpec

    Returns
    -------
    Dataset
        The same object for equal specs, while it is among the 64 last used.

    Raises
    ------
    ValueError
        If a class would have no training point, or a split no point.

    Examples
    --------
    >>> import regviz
    >>> dataset = regviz.make_dataset(regviz.DataSpec("circles", n_samples=100))
    >>> dataset.X_train.shape, dataset.y_train.shape
    ((40, 2), (40,))
    >>> bool(abs(dataset.X_train.mean(axis=0)).max() < 1e-12)
    True
    """
    if isinstance(spec, ArraysSpec):
        raise invalid("spec", "data to generate: points given as arrays go in as dataset", spec)
    if not isinstance(spec, DataSpec | PointsSpec):
        raise invalid("spec", "a DataSpec or a PointsSpec", spec)
    return _made(spec)


def n_train_of(spec: Data | ArraysSpec) -> int:
    """Return the number of training points, at least 1; of all points if they cannot be split."""
    if isinstance(spec, ArraysSpec):
        return spec.n_train
    if isinstance(spec, PointsSpec):
        try:
            return len(make_dataset(spec).y_train)
        except ValueError:  # the page shows this error when a training is to start
            return spec.n_samples
    kept = spec.n_samples - round((1 - spec.train_fraction) * spec.n_samples)
    return max(1, kept - round(spec.validation_fraction * kept))


def replace_dataset(dataset: ToyDataset) -> None:
    """Register a dataset in place of an earlier one of its name, whose points are forgotten.

    A worker of a cluster outlives the notebooks that send it their datasets.

    Parameters
    ----------
    dataset : ToyDataset
    """
    DATASETS[dataset.name] = dataset
    _made.cache_clear()


def remove_dataset(name: str) -> None:
    """Remove a registered dataset, if there is one of this name, and forget its points."""
    DATASETS.pop(name, None)
    _made.cache_clear()


@lru_cache(maxsize=64)
def _made(spec: Data) -> Dataset:
    """Make a dataset. Cached, as each rerun of the page needs it; its arrays are read-only."""
    if isinstance(spec, PointsSpec):
        X, y = np.split(np.array(spec.points), [-1], axis=1)
        y = y[:, 0]
    else:
        X, y = _draw(spec)
    train, validation, test = (np.asarray(part, dtype=np.int64) for part in _split(spec, y))
    X_train, X_validation, X_test = X[train], X[validation], X[test]
    y_train, y_validation, y_test = y[train], y[validation], y[test]
    if spec.standardize:
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        if len(X_validation):
            X_validation = scaler.transform(X_validation)
    return Dataset(X_train, y_train, X_test, y_test, X_validation, y_validation, task=spec.task)


def _draw(spec: DataSpec) -> Points:
    rng = np.random.default_rng(spec.seed)
    made = DATASETS[spec.name].make(spec.n_samples, spec.noise, rng)
    X, y = _checked(spec, made)
    if spec.task != "regression":
        flipped = rng.random(len(y)) < spec.label_noise
        n_classes = _n_classes(spec)
        y[flipped] = (y + rng.integers(1, n_classes, len(y)))[flipped] % n_classes
    return X, y


def _checked(spec: DataSpec, made: Any) -> Points:
    """Return copies of the arrays that a dataset's ``make`` returned.

    Raises
    ------
    ValueError
        If they are not points of the dataset's task.
    """
    n, p = spec.n_samples, spec.n_columns
    try:
        X, y = (np.array(array, dtype=np.float64) for array in made)
    except (TypeError, ValueError) as error:
        allowed = f"X of shape ({n}, {p}) and y of shape ({n},), both of numbers"
        raise _made_wrong(spec, allowed, made) from error
    if X.shape != (n, p):
        raise _made_wrong(spec, f"X of shape ({n}, {p})", X.shape)
    if y.shape != (n,):
        raise _made_wrong(spec, f"y of shape ({n},)", y.shape)
    for name, array in (("X", X), ("y", y)):
        if not np.isfinite(array).all():
            found = float(array[~np.isfinite(array)][0])
            raise _made_wrong(spec, f"{name} of finite numbers", found)
    if spec.task != "regression":
        wrong = y[~np.isin(y, np.arange(_n_classes(spec)))]
        if len(wrong):
            allowed = f"y of class numbers from 0 to {_n_classes(spec) - 1}"
            raise _made_wrong(spec, allowed, float(wrong[0]))
    return X, y


def _made_wrong(spec: DataSpec, allowed: str, got: object) -> ValueError:
    return invalid(f"make of dataset {spec.name!r}", f"a function that returns {allowed}", got)


def _n_classes(spec: DataSpec) -> int:
    return 2 if spec.task == "binary" else spec.n_outputs


def _split(spec: Data, y: NDArray[np.float64]) -> Sequence[ArrayLike]:
    """Return the indices of the training, validation and test points."""
    if not isinstance(spec, PointsSpec):
        return _split_by_scikit_learn(spec, y)
    if spec.split:
        return [[i for i, part in enumerate(spec.split) if part == each] for each in "012"]
    labels = np.zeros(len(y)) if spec.task == "regression" else y
    counts = np.unique(labels, return_counts=True)[1]
    if _every_draw_has_each_class(spec, counts):
        return _split_by_scikit_learn(spec, y)
    return _split_each_class(spec, labels)


def _every_draw_has_each_class(spec: PointsSpec, counts: NDArray[np.int64]) -> bool:
    """Return whether scikit-learn leaves a point of each class in each split under every seed.

    It rounds a class's share of a split down or up, at random where remainders are equal
    (`sklearn.utils.extmath._approximate_mode`). So this tests the shares rounded down: the answer
    may not depend on the seed, as all seeds have to give splits of the same sizes.
    """
    steps = [1 - spec.train_fraction, spec.validation_fraction]
    least = counts
    total = int(counts.sum())
    for share in steps[: 2 if spec.validation_fraction else 1]:
        held_out = _count_held_out(spec, share, total, len(counts))
        if not (least * held_out // total).all():
            return False
        least = least * (total - held_out) // total
        total -= held_out
    return bool(least.all())


def _split_by_scikit_learn(spec: Data, y: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    train, test = _held_out(spec, np.arange(len(y)), y, "train_fraction")
    validation = train[:0]
    if spec.validation_fraction:
        train, validation = _held_out(spec, train, y, "validation_fraction")
    return [train, validation, test]


def _held_out(spec: Data, indices: NDArray[np.int64], y: Any, parameter: str) -> Any:
    """Split indices into kept and held-out ones, stratified by class.

    ``parameter`` is ``"train_fraction"``, the share to keep, or ``"validation_fraction"``, the
    share to hold out.
    """
    stratify = None if spec.task == "regression" else y[indices]
    fraction = getattr(spec, parameter)
    share = 1 - fraction if parameter == "train_fraction" else fraction
    n_classes = 0 if stratify is None else len(set(stratify.tolist()))
    count = _count_held_out(spec, share, len(indices), n_classes)
    try:
        return train_test_split(indices, test_size=count, random_state=spec.seed, stratify=stratify)
    except ValueError as error:
        raise invalid(
            parameter,
            f"such that, with n_samples = {spec.n_samples}, every class has points on both sides"
            f" of the split ({error})",
            fraction,
        ) from error


def _count_held_out(spec: Data, share: float, n_points: int, n_classes: int) -> int:
    count = round(share * n_points)
    # at least one of each class: train_test_split raises otherwise
    return max(count, n_classes) if isinstance(spec, PointsSpec) else count


def _split_each_class(spec: PointsSpec, labels: NDArray[np.float64]) -> list[list[int]]:
    """Split each class separately, with at least one of its points in every split."""
    rng = np.random.default_rng(spec.seed)
    needed = 3 if spec.validation_fraction else 2
    splits: list[list[int]] = [[], [], []]
    test_left = validation_left = 0.0  # rounding remainders, carried over to the next class
    for label in sorted({*labels.tolist()}):
        members = rng.permutation(np.flatnonzero(labels == label)).tolist()
        n = len(members)  # at least 3, see `PointsSpec`
        test_left += (1 - spec.train_fraction) * n
        n_test = min(max(round(test_left), 1), n - needed + 1)
        test_left -= n_test
        n_validation = 0
        if spec.validation_fraction:
            validation_left += spec.validation_fraction * (n - n_test)
            n_validation = min(max(round(validation_left), 1), n - n_test - 1)
            validation_left -= n_validation
        splits[2] += members[:n_test]
        splits[1] += members[n_test : n_test + n_validation]
        splits[0] += members[n_test + n_validation :]
    return splits
