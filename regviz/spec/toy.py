"""The toy datasets of two columns, and the record of a dataset."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_blobs, make_circles, make_moons

from regviz.spec.validation import (
    MAX_CLASSES,
    MAX_COLUMNS,
    TASKS,
    Task,
    boolean,
    choice,
    function,
    integer,
    invalid,
    real,
    text,
)

Points = tuple[NDArray[np.float64], NDArray[np.float64]]
MIN_SAMPLES, MAX_SAMPLES = 20, 2000


@dataclass(frozen=True)
class ToyDataset:
    """A dataset that `DataSpec` knows by name.

    Parameters
    ----------
    name : str
        Identifier in `DataSpec`, links and files.
    label : str
        Name on the page and in figures.
    task : {"binary", "multiclass", "regression"}
    make : callable
        ``make(n, noise, rng)`` returns ``X`` of shape (n, n_columns) and ``y`` of shape (n,): class
        numbers 0, 1, … or the targets of a regression. ``noise`` is the standard deviation of the
        noise; a table of measurements ignores it (``noisy=False``).
        All random numbers come from ``rng``, a `numpy.random.Generator`, so that equal seeds give
        equal points. `regviz.make_dataset` raises ValueError for other shapes, for numbers that are
        not finite and for other class numbers.
    collapse : float
        The L1 strength at which networks of three hidden layers of tanh units become constant on
        these points, above 0 and up to 1000. It is about the strongest L1 strength on offer;
        ``python -m benchmarks.strengths collapse`` measures it.
    n_classes : int
        Number of classes of a multiclass task, 3 to 20; ignored for other tasks.
    columns : sequence of str
        Names of the columns, 2 to 100, all different.
    relevant : sequence of int or None
        Indices of the columns that the targets depend on; None if that is not known.
    names : sequence of str
        Names of the classes in the order of their numbers; ``()`` stands for "class 0" and so on.
    most_samples : int
        Largest ``n_samples``, such as the number of rows of a table, 20 to 2000.
    noisy : bool
        Whether ``make`` uses ``noise``.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import regviz
    >>> def stripe(n, noise, rng):
    ...     X = rng.uniform(-1, 1, (n, 2))
    ...     return X + noise * rng.normal(size=X.shape), (abs(X[:, 0]) < 0.4).astype(float)
    >>> regviz.ToyDataset("stripe", "Stripe", "binary", stripe).columns
    ('x1', 'x2')
    """

    name: str
    label: str
    task: Task
    make: Callable[[int, float, np.random.Generator], Points]
    collapse: float = 0.025
    n_classes: int = 3
    columns: tuple[str, ...] = ("x1", "x2")
    relevant: tuple[int, ...] | None = None
    names: tuple[str, ...] = ()
    most_samples: int = MAX_SAMPLES
    noisy: bool = True

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise invalid("name", "an identifier such as 'moons'", self.name)
        text("label", self.label)
        choice("task", self.task, TASKS)
        function("make", self.make)
        real("collapse", self.collapse, 0, 1000, open_low=True)
        integer("n_classes", self.n_classes, 3, MAX_CLASSES)
        names = self.columns
        texts = isinstance(names, (tuple, list)) and all(isinstance(name, str) for name in names)
        if not texts or not 2 <= len(set(names)) == len(names) <= MAX_COLUMNS:
            raise invalid("columns", f"2 to {MAX_COLUMNS} different texts", names)
        object.__setattr__(self, "columns", tuple(names))
        if self.relevant is not None:
            last = len(names) - 1
            found = tuple(integer("relevant", i, 0, last) for i in self.relevant)
            object.__setattr__(self, "relevant", found)
        object.__setattr__(self, "names", tuple(self.names))
        integer("most_samples", self.most_samples, MIN_SAMPLES, MAX_SAMPLES)
        boolean("noisy", self.noisy)


DATASETS: dict[str, ToyDataset] = {}


def register_dataset(dataset: ToyDataset) -> None:
    """Add a dataset to those that `DataSpec`, the page, links and files know by name.

    Parameters
    ----------
    dataset : ToyDataset

    Raises
    ------
    ValueError
        If ``dataset`` is no ToyDataset, if another one has its name, or if the name is ``"own"`` or
        ``"arrays"``.

    Examples
    --------
    >>> import numpy as np, regviz
    >>> def ring(n, noise, rng):
    ...     X = rng.uniform(-1, 1, (n, 2))
    ...     y = (np.hypot(*X.T) > 0.7).astype(float)
    ...     return X + noise * rng.normal(size=X.shape), y
    >>> regviz.register_dataset(regviz.ToyDataset("ring", "Ring", "binary", ring))
    >>> regviz.make_dataset(regviz.DataSpec("ring", noise=0.1)).task
    'binary'
    """
    if not isinstance(dataset, ToyDataset):
        raise invalid("dataset", "a ToyDataset", dataset)
    if dataset.name in RESERVED or DATASETS.get(dataset.name, dataset) != dataset:
        raise invalid("name", "one that no other dataset has", dataset.name)
    DATASETS[dataset.name] = dataset


RESERVED = ("own", "arrays")  # the names of `PointsSpec` and `ArraysSpec`


def _seed(rng: np.random.Generator) -> int:
    """Draw a seed for scikit-learn's dataset functions, which do not accept a ``Generator``."""
    return int(rng.integers(2**32))


def _moons(n: int, noise: float, rng: np.random.Generator) -> Points:
    return make_moons(n, noise=noise, random_state=_seed(rng))  # type: ignore[no-any-return]


def _circles(n: int, noise: float, rng: np.random.Generator) -> Points:
    return make_circles(n, noise=noise, factor=0.5, random_state=_seed(rng))  # type: ignore[no-any-return]


def _blobs(n: int, noise: float, rng: np.random.Generator) -> Points:
    return _around(np.array([[-1.0, -1.0], [1.0, 1.0]]), n, noise, rng)


def _three_blobs(n: int, noise: float, rng: np.random.Generator) -> Points:
    angle = np.pi / 2 + 2 * np.pi * np.arange(3) / 3
    return _around(1.2 * np.column_stack([np.cos(angle), np.sin(angle)]), n, noise, rng)


def _around(centers: Any, n: int, noise: float, rng: np.random.Generator) -> Points:
    X, y = make_blobs(n, centers=centers, cluster_std=0.2, random_state=_seed(rng))
    return X + noise * rng.normal(size=X.shape), y


def _xor(n: int, noise: float, rng: np.random.Generator) -> Points:
    X = rng.uniform(-1, 1, (n, 2))
    y = (X[:, 0] * X[:, 1] < 0).astype(float)
    return X + noise * rng.normal(size=X.shape), y


def _checkerboard(n: int, noise: float, rng: np.random.Generator) -> Points:
    X = rng.uniform(-2, 2, (n, 2))
    y = np.floor(X).sum(axis=1) % 2
    return X + noise * rng.normal(size=X.shape), y


def _spirals(arms: int, turns: float) -> Callable[[int, float, np.random.Generator], Points]:
    def make(n: int, noise: float, rng: np.random.Generator) -> Points:
        y = np.arange(n) % arms
        radius = np.sqrt(rng.uniform(0.01, 1, n))
        angle = 2 * np.pi * (turns * radius + y / arms)
        X = 2 * np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        return X + noise * rng.normal(size=X.shape), y.astype(float)

    return make


def _plane(n: int, noise: float, rng: np.random.Generator) -> Points:
    X = rng.uniform(-1, 1, (n, 2))
    return X, X.mean(axis=1) + noise * rng.normal(size=n)


def _bumps(n: int, noise: float, rng: np.random.Generator) -> Points:
    X = rng.uniform(-1, 1, (n, 2))
    centers = np.array([[-0.5, 0.5], [0.0, -0.5], [0.5, 0.5]])
    squared = ((X[:, None] - centers) ** 2).sum(axis=2)
    y = (np.array([1.0, -1.0, 1.0]) * np.exp(-squared / (2 * 0.25**2))).sum(axis=1)
    return X, y + noise * rng.normal(size=n)


for _dataset in (
    ToyDataset("moons", "Moons", "binary", _moons, collapse=0.045),
    ToyDataset("circles", "Circles", "binary", _circles, collapse=0.0125),
    ToyDataset("xor", "XOR", "binary", _xor, collapse=0.008),
    ToyDataset("blobs", "Two blobs", "binary", _blobs, collapse=0.07),
    ToyDataset("spirals", "Spirals", "binary", _spirals(arms=2, turns=1.25), collapse=0.025),
    ToyDataset("checkerboard", "Checkerboard", "binary", _checkerboard, collapse=0.009),
    ToyDataset("three_blobs", "Three blobs", "multiclass", _three_blobs, collapse=0.07),
    ToyDataset(
        *("three_spirals", "Three spirals", "multiclass", _spirals(arms=3, turns=0.75)),
        collapse=0.04,
    ),
    ToyDataset("plane", "Plane (regression)", "regression", _plane, collapse=0.017),
    ToyDataset("bumps", "Bumps (regression)", "regression", _bumps, collapse=0.008),
):
    register_dataset(_dataset)
