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
from regviz.spec.points import SPLITS as SPLITS
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS
from regviz.spec.validation import TASKS, Task, choice, invalid

Points = tuple[NDArray[np.float64], NDArray[np.float64]]
MARGIN = 0.08
MAX_CLASSES = 20
# columns beyond these train badly with the learning rates that suit standardised ones
MAX_RMS = 30.0
MAX_SD_RATIO = 100.0


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, test and validation points, checked and as float64 arrays.

    Parameters
    ----------
    X_train : array-like of shape (n_train, n_columns)
    y_train : array-like of shape (n_train,)
        Class numbers 0 and 1 (``"binary"``) or 0, 1, …, C−1 (``"multiclass"``), or values
        (``"regression"``).
    X_test, y_test, X_validation, y_validation : array-like, optional
        Further points, never trained on.
    task : {"binary", "multiclass", "regression"}

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds something else than finite numbers, if classes are
        not numbered from 0, or if a class has no training point.
    """

    X_train: NDArray[np.float64]
    y_train: NDArray[np.float64]
    X_test: NDArray[np.float64] | None = None
    y_test: NDArray[np.float64] | None = None
    X_validation: NDArray[np.float64] | None = None
    y_validation: NDArray[np.float64] | None = None
    task: Task = "binary"

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
        if len(self.y_train) == 0:
            raise invalid("X_train", "at least one point", self.X_train.shape)
        if self.task != "regression":
            self._check_classes()

    def _check_order(self) -> None:
        """Recognise ``Dataset(*train_test_split(X, y))``, whose arrays come in another order."""
        if np.ndim(self.y_train) == 2 and self.X_test is not None and np.ndim(self.X_test) == 1:
            allowed = (
                "of shape (n_train,): Dataset takes X_train, y_train, X_test, y_test in this order,"
                " while train_test_split returns X_train, X_test, y_train, y_test;"
                " name the arguments"
            )
            raise invalid("y_train", allowed, np.shape(self.y_train))

    def _columns(self, X: NDArray[np.float64]) -> int:
        return X.shape[1] if X.size else self.n_columns

    def _check_classes(self) -> None:
        """Classes are 0, 1, … without gaps, and each has a training point."""
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
        """Units of the output layer: one, or one for each class of ``"multiclass"``."""
        return self.n_classes if self.task == "multiclass" else 1

    @property
    def spec(self) -> ArraysSpec:
        """The data of an experiment on these points."""
        digest = hashlib.sha256(self.task.encode())
        for split in SPLITS:
            for array in self.points(split):
                digest.update(f"{array.shape}".encode() + array.tobytes())
        n_train, n_validation, n_test = (len(self.points(split)[1]) for split in SPLITS)
        return ArraysSpec(
            self.task,
            self.n_columns,
            self.n_outputs,
            n_train,
            n_validation,
            n_test,
            digest.hexdigest()[:16],
        )

    def points(self, split: str) -> Points:
        """``X`` (n, columns) and ``y`` (n,) of ``"train"``, ``"validation"`` or ``"test"``."""
        choice("split", split, SPLITS)
        return getattr(self, f"X_{split}"), getattr(self, f"y_{split}")


@lru_cache(maxsize=64)
def domain(dataset: Dataset) -> tuple[float, float]:
    """The range ``(low, high)`` of both axes in a picture of the points.

    A square around all training points and nearly all others: a few far ones would shrink the rest.
    """
    others = np.concatenate([dataset.points(split)[0] for split in SPLITS])
    ends = np.concatenate([dataset.X_train, np.quantile(others, [0.005, 0.995], axis=0)])
    low, high = float(ends.min()), float(ends.max())
    margin = MARGIN * (high - low or 1.0)
    return low - margin, high + margin


def _points(split: str, X: ArrayLike | None, y: ArrayLike | None) -> Points:
    """Check one split; none given is no points."""
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
    """Warn of training columns, or values to predict, whose scale makes training fail or crawl.

    The warning names the line outside this package that led here.

    Warns
    -----
    UserWarning
        If the root mean square of one exceeds 30, or if the standard deviation of one column is
        more than 100 times that of another.
    """
    X, y = dataset.points("train")
    sizes = {f"column {i}": _root_mean_square(X[:, i]) for i in range(dataset.n_columns)}
    if dataset.task == "regression":
        sizes["y_train"] = _root_mean_square(y)
    largest = max(sizes, key=sizes.__getitem__)
    if sizes[largest] > MAX_RMS:
        found = f"{largest} has a root mean square of {sizes[largest]:.3g}"
    else:
        found = _uneven_spreads(X.std(axis=0))
    if found:
        warnings.warn(
            f"{found}: networks train well on numbers of mean 0 and standard deviation 1, as"
            " sklearn.preprocessing.StandardScaler, fitted to the training points, makes them",
            stacklevel=_stack_level(),
        )


def _stack_level() -> int:
    """Return the ``stacklevel`` with which the caller warns of the first frame outside regviz.

    From Python 3.12 on, `warnings.warn` has ``skip_file_prefixes`` for this.
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
    """Which columns' standard deviations differ too much, in words; empty if none do."""
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
    """A copy of an array-like as float64, read-only, if it holds finite numbers and nothing else.

    Raises
    ------
    ValueError
        If it does not, or is ragged; the message starts with ``name``.
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
    """Split and (if asked for) standardise a toy dataset, or a visitor's own points.

    Splits are stratified by class. Each class of a visitor's own points has at least one point in
    every split. The coordinates are scaled by the training points alone.

    Parameters
    ----------
    spec : DataSpec or PointsSpec

    Raises
    ------
    ValueError
        If a class would have no training point, or a split no point.
    """
    if isinstance(spec, ArraysSpec):
        raise invalid("spec", "data to generate: points given as arrays go in as dataset", spec)
    if not isinstance(spec, DataSpec | PointsSpec):
        raise invalid("spec", "a DataSpec or a PointsSpec", spec)
    return _made(spec)


def n_train_of(spec: Data | ArraysSpec) -> int:
    """Points that are trained on, at least 1; all, where a visitor's points cannot be split."""
    if isinstance(spec, ArraysSpec):
        return spec.n_train
    if isinstance(spec, PointsSpec):
        try:
            return len(make_dataset(spec).y_train)
        except ValueError:  # told once a training is to start
            return spec.n_samples
    kept = spec.n_samples - round((1 - spec.train_fraction) * spec.n_samples)
    return max(1, kept - round(spec.validation_fraction * kept))


@lru_cache(maxsize=64)
def _made(spec: Data) -> Dataset:
    """A dataset, made once: nobody can change it, and a page asks for it again and again."""
    if isinstance(spec, PointsSpec):
        X, y = np.split(np.array(spec.points), [2], axis=1)
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
    X, y = DATASETS[spec.name].make(spec.n_samples, spec.noise, rng)
    if spec.task != "regression":
        flipped = rng.random(len(y)) < spec.label_noise
        n_classes = int(y.max()) + 1
        y[flipped] = (y + rng.integers(1, n_classes, len(y)))[flipped] % n_classes
    return X, y


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
    """Whether scikit-learn's split leaves a point of each class in each split under every seed.

    Of a class's share of a split, it rounds down or up, by lot where shares are equal. The drawn
    split is not looked at: all seeds have to give splits of the same sizes.
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
    """Hold out a share of these indices, in proportion to the classes."""
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
    # of a few points, one of each class
    return max(count, n_classes) if isinstance(spec, PointsSpec) else count


def _split_each_class(spec: PointsSpec, labels: NDArray[np.float64]) -> list[list[int]]:
    """Split each class by itself, with at least one of its points in every split."""
    rng = np.random.default_rng(spec.seed)
    needed = 3 if spec.validation_fraction else 2
    splits: list[list[int]] = [[], [], []]
    test_left = validation_left = 0.0  # of the shares, after rounding; the next class takes them
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
