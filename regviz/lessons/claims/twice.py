"""Lesson 6: the naive elastic net shrinks twice, and the corrected one undoes one of the two."""

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

L1, L2 = 0.1, 0.3
NAIVE, CORRECTED = range(2)  # rows of an experiment
_SOURCE = "Zou & Hastie 2005"


def _rows(l1: float, l2: float) -> tuple[regviz.Regularization, regviz.Regularization]:
    return (
        regviz.Regularization(l1=l1, l2=l2),
        regviz.Regularization(l1=l1, l2=l2, corrected=True),
    )


def _history(
    seed: int, data: regviz.DataSpec, rows: tuple[regviz.Regularization, ...]
) -> regviz.History:
    training = regviz.TrainingSpec("momentum", 0.05, None, 3000, frames=1, seed=seed)
    return regviz.train(regviz.Experiment(data, regviz.NetworkSpec(()), training, rows))


def _small_and_fat(seed: int) -> regviz.DataSpec:
    """Return 40 training points of 60 columns, of which five matter."""
    return regviz.DataSpec(
        "small_and_fat", 800, 0.3, train_fraction=0.05, validation_fraction=0, seed=seed
    )


def _slope(history: regviz.History, k: int) -> float:
    """Return the slope of test targets over predictions: above 1 if these vary too little."""
    X, y = history.dataset.points("test")
    return float(np.polyfit(history.predict(X)[k], y, 1)[0])


@claim("The naive elastic net predicts values that are too close to their mean.", _SOURCE)
def the_naive_is_biased(seed: int) -> Result:
    """Measure the slope of the targets over the predictions, of test points."""
    history = _history(seed, _small_and_fat(seed), _rows(L1, L2))
    slope, corrected = _slope(history, NAIVE), _slope(history, CORRECTED)
    figures = {"naive": slope, "corrected": corrected}
    return Result(slope > 1.1 and abs(corrected - 1) < slope - 1, figures)


@claim("Where five of 60 inputs matter, the correction lowers the test loss.", _SOURCE)
def the_correction_helps(seed: int) -> Result:
    """Compare the test losses of the naive and the corrected model."""
    losses = _history(seed, _small_and_fat(seed), _rows(L1, L2)).metrics["test_loss"][-1]
    figures = {"naive": losses[NAIVE], "corrected": losses[CORRECTED]}
    return Result(losses[CORRECTED] < losses[NAIVE], figures)


@claim("With orthogonal inputs of variance 1, the corrected elastic net is the lasso.", _SOURCE)
def without_correlation_it_is_the_lasso(seed: int) -> Result:
    """Train on five orthogonal columns of variance 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 5))
    X = np.linalg.qr(X - X.mean(axis=0))[0] * np.sqrt(len(X))
    y = X @ rng.normal(size=5) + rng.normal(size=len(X))
    data = regviz.Dataset(X, y, task="regression")
    rows = (*_rows(L1, L2), regviz.Regularization(l1=L1))
    training = regviz.TrainingSpec("momentum", 0.05, None, 1000, frames=1, seed=seed)
    history = regviz.train(
        regviz.Experiment(data.spec, regviz.NetworkSpec(()), training, rows), data
    )
    naive, corrected, lasso = (history.weights(k)[0][:, 0] for k in range(3))
    figures = {
        "largest_difference": round(float(np.abs(corrected - lasso).max()), 4),
        "share_of_naive": float(np.abs(naive).sum() / np.abs(lasso).sum()),
    }
    return Result(figures["largest_difference"] == 0 and figures["share_of_naive"] < 1, figures)


@claim("Where a signal has three copies, the correction overshoots: their sum is too large.")
def copies_overshoot(seed: int) -> Result:
    """Add up the weights of the copies of a signal whose true weight is 1."""
    data = regviz.DataSpec(
        "correlated_groups",
        *(800, 0.3),
        train_fraction=0.1,
        validation_fraction=0,
        standardize=False,
        seed=seed,
    )
    history = _history(seed, data, _rows(0.02, 1.0))
    naive, corrected = (float(history.weights(k)[0][:3, 0].sum()) for k in range(2))
    return Result(naive < 1 < corrected, {"true": 1, "naive": naive, "corrected": corrected})
