"""Lesson 12: weight decay is not L2 under Adam."""

from dataclasses import replace

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

STRENGTH = 0.05
_NONE = regviz.Regularization()
_L2 = regviz.Regularization(l2=STRENGTH)
_DECAY = regviz.Regularization(l2=STRENGTH, decoupled=True)
_DATA = regviz.DataSpec(
    "moons", n_samples=400, noise=0.3, train_fraction=0.15, validation_fraction=0
)
_NETWORK = regviz.NetworkSpec((8, 8))
_SGD = regviz.TrainingSpec(
    "sgd", learning_rate=0.03, batch_size=10, epochs=400, dtype="float64", frames=1
)
_ADAM = replace(_SGD, optimizer="adam", learning_rate=0.01)


@claim(
    "Under plain gradient descent, L2 and decoupled weight decay of the same strength give the same"
    " network: the weights differ by less than 0.1 % of their length.",
    source="Loshchilov & Hutter 2019",
)
def same_under_sgd(seed: int) -> Result:
    """Train with L2 and with decoupled decay by stochastic gradient descent."""
    figures = _differences(seed, _SGD)
    return Result(figures["difference"] < 0.001 and figures["l2_to_none"] < 0.7, figures)


@claim(
    "Under Adam, the same two give different networks: the weights differ by more than the whole"
    " length of L2's, and decay leaves them longer.",
    source="Loshchilov & Hutter 2019",
)
def different_under_adam(seed: int) -> Result:
    """Train with L2 and with decoupled decay by Adam."""
    figures = _differences(seed, _ADAM)
    longer = figures["decay_to_none"] > figures["l2_to_none"]
    return Result(figures["difference"] > 1 and longer, figures)


@claim(
    "In one step of Adam, decoupled decay subtracts the same share ηλ of every weight, as under"
    " gradient descent. L2's share differs from weight to weight by more than ten times.",
    source="Loshchilov & Hutter 2019; Yun et al. 2020",
)
def decay_treats_all_alike(seed: int) -> Result:
    """Make one step with Adam, without and with both, from the same weights."""
    training = replace(_ADAM, batch_size=None, epochs=1, seed=seed)
    history = _train(seed, training, (_NONE, _L2, _DECAY))
    is_weight = history.layout.is_weight
    start = history.parameters[0, 0][is_weight]
    none, l2, decay = history.parameters[-1][:, is_weight]
    of_decay = (none - decay) / start
    of_l2 = (none - l2) / none
    figures = {
        "decay_share": of_decay.mean(),
        "l2_least_share": of_l2.min(),
        "l2_largest_share": of_l2.max(),
    }
    alike = np.abs(of_decay - training.learning_rate * STRENGTH).max() < 1e-12
    return Result(alike and of_l2.max() > 10 * of_l2.min(), figures)


@claim(
    "With L2, gradient descent and Adam in full batches stop at the same point, the minimum of loss"
    " plus penalty. With decoupled decay, Adam approaches the minimum of the loss alone instead.",
    source="Loshchilov & Hutter 2019; Xie & Li 2024",
)
def only_l2_minimises_under_adam(seed: int) -> Result:
    """Train a convex problem, and measure the slope of the loss, and of loss plus penalty.

    Decoupled decay minimises the loss alone, with weights bounded by ``1 / l2 = 10`` (Xie & Li
    2024, theorem 1.1). They do not reach the bound here.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 6))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (X @ rng.normal(size=6) + rng.normal(size=80) > 0).astype(float)
    points = regviz.Dataset(X, y)
    rows = (regviz.Regularization(l2=0.1), regviz.Regularization(l2=0.1, decoupled=True))
    figures = {}
    for training, epochs in ((replace(_SGD, learning_rate=0.3), 2000), (_ADAM, 4000)):
        full = replace(training, batch_size=None, epochs=epochs, seed=seed)
        experiment = regviz.Experiment(points.spec, regviz.NetworkSpec(()), full, rows)
        history = regviz.train(experiment, points)
        error = history.predict(X) - y  # of shape (2, n)
        weights = history.parameters[-1][:, history.layout.is_weight]
        of_loss = error @ X / len(X)
        of_sum = np.abs(of_loss + 0.1 * weights).max(axis=1)
        for k, name in enumerate(("l2", "decay")):
            figures[f"{training.optimizer}_{name}"] = round(of_sum[k], 9)
            figures[f"{training.optimizer}_{name}_loss"] = np.abs(of_loss[k]).max()
    at_minimum = all(figures[name] == 0 for name in ("sgd_l2", "sgd_decay", "adam_l2"))
    near_loss = figures["adam_decay_loss"] < 0.2 * figures["adam_l2_loss"]
    elsewhere = figures["adam_decay"] > 0.05 and near_loss
    return Result(at_minimum and elsewhere, figures)


def _train(
    seed: int, training: regviz.TrainingSpec, rows: tuple[regviz.Regularization, ...]
) -> regviz.History:
    data = replace(_DATA, seed=seed)
    return regviz.train(regviz.Experiment(data, _NETWORK, replace(training, seed=seed), rows))


def _differences(seed: int, training: regviz.TrainingSpec) -> dict[str, float]:
    """Return lengths of L2's and decay's weights, and of their difference, as shares."""
    history = _train(seed, training, (_NONE, _L2, _DECAY))
    none, l2, decay = history.parameters[-1][:, history.layout.is_weight]
    length = np.linalg.norm
    return {
        "difference": float(length(decay - l2) / length(l2)),
        "l2_to_none": float(length(l2) / length(none)),
        "decay_to_none": float(length(decay) / length(none)),
    }
