"""The datasets of more than two columns: one record for each, beside those of `regviz.spec.toy`.

The columns are the inputs of a network.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from regviz.spec.toy import DATASETS, Points, ToyDataset, register_dataset

__all__ = ["DATASETS", "TABLES"]

COPIES = 3  # columns of each signal of "correlated_groups"
COPY_NOISE = 0.1  # standard deviation of a copy around its signal, which has 1
N_FAT, N_RELEVANT = 60, 5  # columns of "small_and_fat", and those that its target depends on
N_BITS = 30  # columns of "parity"
SHARED = 0.5  # correlation of any two of its relevant columns


def _correlated_groups(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Return noisy copies of two signals, and ``signal 1 + signal 2 / 2`` with noise.

    After an example of Zou & Hastie 2005, with two hidden signals of three copies each.
    """
    signals = rng.normal(size=(n, 2))
    X = np.repeat(signals, COPIES, axis=1) + COPY_NOISE * rng.normal(size=(n, 2 * COPIES))
    return X, signals @ [1.0, 0.5] + noise * rng.normal(size=n)


def _small_and_fat(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Return columns of variance 1, and the sum of the first, divided by its standard deviation.

    The relevant columns share a signal; the others are independent of it and of each other.
    """
    shared, X = rng.normal(size=(n, 1)), rng.normal(size=(n, N_FAT))
    X[:, :N_RELEVANT] = SHARED**0.5 * shared + (1 - SHARED) ** 0.5 * X[:, :N_RELEVANT]
    deviation = (N_RELEVANT * (1 + (N_RELEVANT - 1) * SHARED)) ** 0.5
    return X, X[:, :N_RELEVANT].sum(axis=1) / deviation + noise * rng.normal(size=n)


def _parity(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Return columns of -1 and 1 with noise; class 1 is where the first two have the same sign."""
    signs = rng.choice([-1.0, 1.0], size=(n, N_BITS))
    return signs + noise * rng.normal(size=signs.shape), (signs[:, 0] == signs[:, 1]).astype(float)


def _rows_of(load: Callable[[], Any]) -> Callable[[int, float, np.random.Generator], Points]:
    """Return a function that draws rows of a table without replacement."""

    def make(n: int, noise: float, rng: np.random.Generator) -> Points:
        X, y = load()
        rows = rng.permutation(len(y))[:n]
        return X[rows], y[rows]

    return make


@cache
def _diabetes() -> Points:
    """Return scikit-learn's table, with the targets in standard deviations from their mean."""
    X, y = load_diabetes(return_X_y=True)
    return X, (y - y.mean()) / y.std()


@cache
def _breast_cancer() -> Points:
    X, y = load_breast_cancer(return_X_y=True)
    return X, y.astype(float)


@cache
def _digits() -> Points:
    X, y = load_digits(return_X_y=True)
    return X, (y >= 5).astype(float)


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(f"x{i + 1}" for i in range(n))


TABLES = (
    ToyDataset(
        *("correlated_groups", "Correlated groups (regression)", "regression", _correlated_groups),
        collapse=0.05,
        columns=_numbered(2 * COPIES),
        relevant=tuple(range(2 * COPIES)),
    ),
    ToyDataset(
        *("small_and_fat", "Small and fat (regression)", "regression", _small_and_fat),
        collapse=0.035,
        columns=_numbered(N_FAT),
        relevant=tuple(range(N_RELEVANT)),
    ),
    ToyDataset(
        *("parity", "Parity of two bits", "binary", _parity),
        columns=_numbered(N_BITS),
        relevant=(0, 1),
        names=("different", "same"),
    ),
    ToyDataset(
        *("diabetes", "Diabetes (regression)", "regression", _rows_of(_diabetes)),
        collapse=0.03,
        columns=(
            *("age", "sex", "body mass index", "blood pressure", "total cholesterol", "LDL", "HDL"),
            *("cholesterol / HDL", "log triglycerides", "glucose"),
        ),
        most_samples=442,
        noisy=False,
    ),
    ToyDataset(
        *("breast_cancer", "Breast cancer", "binary", _rows_of(_breast_cancer)),
        collapse=0.04,
        columns=tuple(
            statistic.format(measure)
            for statistic in ("mean {}", "{} error", "worst {}")
            for measure in (
                *("radius", "texture", "perimeter", "area", "smoothness", "compactness"),
                *("concavity", "concave points", "symmetry", "fractal dimension"),
            )
        ),
        names=("malignant", "benign"),
        most_samples=569,
        noisy=False,
    ),
    ToyDataset(
        *("digits", "Digits 0–4 and 5–9", "binary", _rows_of(_digits)),
        collapse=0.03,
        columns=tuple(f"row {i}, column {j}" for i in range(1, 9) for j in range(1, 9)),
        names=("0 to 4", "5 to 9"),
        most_samples=1797,
        noisy=False,
    ),
)
for _table in TABLES:
    register_dataset(_table)
