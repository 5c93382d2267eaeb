"""Lesson 15: how many of the smallest weights each method's network can lose."""

from typing import Any

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

TOLERANCE = 0.02  # increase of the test loss, in nats, that counts as none
ROWS = {
    "none": regviz.Regularization(),
    "l1": regviz.Regularization(l1=0.008),
    "l2": regviz.Regularization(l2=0.01),
    "group_lasso": regviz.Regularization(group_lasso=0.005),
}
NONE, L1, L2, GROUPS = range(4)
_SOURCE = "Han et al. 2015"
Floats = Any  # ndarray of float32 or float64


def _history(seed: int) -> regviz.History:
    """Train networks of 1,120 weights on 100 points of moons, with 900 test points."""
    return regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "moons", 1000, 0.35, train_fraction=0.1, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((32, 32), "relu"),
            regviz.TrainingSpec("momentum", 0.02, 20, 400, frames=1, seed=seed),
            tuple(ROWS.values()),
        )
    )


def _needed(history: regviz.History, k: int) -> int:
    """Return the number of weights that network k needs.

    Weights are removed in the order of their magnitude, smallest first, until the test loss rises
    by more than `TOLERANCE`.
    """
    places = np.flatnonzero(history.layout.is_weight)
    parameters = history.parameters[-1, k].copy()
    order = places[np.argsort(np.abs(parameters[places]), kind="stable")]
    n_weights = needed = len(order)
    bound = _loss(history, parameters) + TOLERANCE
    for count in reversed(np.unique(np.geomspace(1, n_weights, 120).round().astype(int)).tolist()):
        parameters[order[: n_weights - count]] = 0
        if _loss(history, parameters) > bound:
            break
        needed = count
    return needed


def _loss(history: regviz.History, parameters: Floats) -> float:
    """Return the mean logistic test loss of a network with ReLU units."""
    outputs, y = history.dataset.points("test")
    *hidden, last = history.layout.split(parameters)
    for block in hidden:
        outputs = np.maximum(outputs @ block[:, :-1].T + block[:, -1], 0)
    logits = (outputs @ last[:, :-1].T + last[:, -1])[:, 0]
    return float(np.logaddexp(0, (1 - 2 * y) * logits).mean())


@claim("L1's network can lose 98 of 100 weights, and needs the fewest of the four.", _SOURCE)
def l1_needs_the_fewest(seed: int) -> Result:
    """Remove the smallest weights of the networks of four methods."""
    history = _history(seed)
    needed = {name: _needed(history, k) for k, name in enumerate(ROWS)}
    n_weights = int(history.layout.is_weight.sum())
    others = min(needed["none"], needed["l2"], needed["group_lasso"])
    figures = {"weights": n_weights, "times": n_weights / needed["l1"], **needed}
    return Result(needed["l1"] < others and needed["l1"] <= 0.02 * n_weights, figures)


@claim("L1's network has a lower test loss than the one without regularization.")
def l1_tests_better_than_none(seed: int) -> Result:
    """Compare the test losses before weights are removed."""
    history = _history(seed)
    losses = history.metrics["test_loss"][-1].tolist()
    return Result(losses[L1] < losses[NONE], dict(zip(ROWS, losses, strict=True)))


@claim("L2's weights are small, but it needs over five times as many as L1.", _SOURCE)
def small_is_not_superfluous(seed: int) -> Result:
    """Compare the weights that the networks of L1 and L2 need."""
    history = _history(seed)
    needed_l1, needed_l2 = _needed(history, L1), _needed(history, L2)
    norms = history.metrics["l2_norm"][-1]
    figures = {"l1": needed_l1, "l2": needed_l2, "norm_none": norms[NONE], "norm_l2": norms[L2]}
    return Result(needed_l2 > 5 * needed_l1 and norms[L2] < norms[NONE], figures)


@claim("Group lasso leaves at most a quarter of the units: the others' weights are all exactly 0.")
def units_vanish(seed: int) -> Result:
    """Count the units that keep an incoming weight, and the weights of the units that are left."""
    history = _history(seed)
    left = {
        name: [int((layer != 0).any(axis=0).sum()) for layer in history.weights(k)[:-1]]
        for name, k in (("l2", L2), ("group_lasso", GROUPS))
    }
    first, second = left["group_lasso"]
    n_units = sum(history.experiment.network.hidden)
    figures = {
        "units": n_units,
        "l2": sum(left["l2"]),
        "group_lasso": first + second,
        "dense": 2 * first + first * second + second,  # weights of a network of this size
    }
    return Result(first + second <= n_units / 4 and sum(left["l2"]) == n_units, figures)
