"""Lesson 5: elastic net keeps groups of correlated inputs together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import regviz
from regviz.lessons.claim import Result, claim

COPIES = 3  # columns of each signal of "correlated_groups"
L1, ELASTIC = range(2)  # rows of an experiment
ROWS = (regviz.Regularization(l1=0.1), regviz.Regularization(l1=0.1, l2=0.3))
N_SAMPLES = 5  # draws of training points that a seed compares
_SOURCE = "Zou & Hastie 2005"


def _data(seed: int) -> regviz.DataSpec:
    """Return 40 training points: three noisy copies of each of two signals."""
    return regviz.DataSpec(
        "correlated_groups", 400, 0.3, train_fraction=0.1, validation_fraction=0, seed=seed
    )


def _history(seed: int) -> regviz.History:
    training = regviz.TrainingSpec("momentum", 0.05, None, 2000, frames=1, seed=seed)
    network = regviz.NetworkSpec(())
    return regviz.train(regviz.Experiment(_data(seed), network, training, ROWS))


def _weights(history: regviz.History, k: int) -> NDArray[Any]:
    """Return the weights of a linear model, of shape (2, 3): signal, copy."""
    return history.weights(k)[0][:, 0].reshape(-1, COPIES)


@claim("Elastic net keeps all six copies; L1 sets some of them to exactly 0.", _SOURCE)
def the_group_stays(seed: int) -> Result:
    """Count the weights that are not exactly 0."""
    history = _history(seed)
    kept = [int(np.count_nonzero(_weights(history, k))) for k in (L1, ELASTIC)]
    losses = history.metrics["test_loss"][-1]
    figures = {
        "l1": kept[L1],
        "elastic_net": kept[ELASTIC],
        "loss_l1": losses[L1],
        "loss_elastic_net": losses[ELASTIC],
    }
    return Result(kept[ELASTIC] == 2 * COPIES and kept[L1] < 2 * COPIES, figures)


@claim("Elastic net gives the copies of a signal similar weights, L1 very different ones.", _SOURCE)
def copies_share(seed: int) -> Result:
    """Compare the largest and smallest weight of the first signal with their sum."""
    history = _history(seed)
    spread = [np.ptp(w[0]) / w[0].sum() for w in (_weights(history, k) for k in (L1, ELASTIC))]
    figures = {"l1": spread[L1], "elastic_net": spread[ELASTIC]}
    return Result(spread[ELASTIC] < 0.15 and spread[L1] > 0.3, figures)


@claim("On other points of the same source, L1 prefers another copy; elastic net's weights stay.")
def the_choice_changes(seed: int) -> Result:
    """Compare five draws of training points, of the first signal's copies."""
    histories = [_history(N_SAMPLES * seed + i) for i in range(N_SAMPLES)]
    l1, elastic = (
        np.array([_weights(history, k)[0] for history in histories]) for k in (L1, ELASTIC)
    )
    preferred = len(set(l1.argmax(axis=1).tolist()))
    deviations = [float(weights.std(axis=0).mean()) for weights in (l1, elastic)]
    figures = {
        "preferred": preferred,
        "deviation_l1": deviations[L1],
        "deviation_elastic_net": deviations[ELASTIC],
    }
    return Result(preferred > 1 and deviations[ELASTIC] < deviations[L1] / 3, figures)


@claim(
    "Of two identical inputs, elastic net gives both the same weight;"
    " L1's split between them depends on the initial weights.",
    _SOURCE,
)
def twins_are_equal(seed: int) -> Result:
    """Train on a column and its exact copy, from four initializations."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=60)
    x = (x - x.mean()) / x.std()
    y = x + 0.3 * rng.normal(size=60)
    data = regviz.Dataset(np.stack([x, x], axis=1), y, task="regression")
    differences = []
    for i in range(4):
        training = regviz.TrainingSpec("momentum", 0.05, None, 500, frames=1, seed=4 * seed + i)
        history = regviz.train(
            regviz.Experiment(data.spec, regviz.NetworkSpec(()), training, ROWS), data
        )
        differences.append([float(np.diff(history.weights(k)[0][:, 0])[0]) for k in (L1, ELASTIC)])
    l1, elastic = np.transpose(differences)
    figures = {"l1": np.ptp(l1), "elastic_net": round(np.abs(elastic).max(), 5)}
    return Result(figures["elastic_net"] == 0 and figures["l1"] > 0.1, figures)
