"""Lesson 2: L2 makes everything a little smaller."""

from dataclasses import replace

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

_DATA = regviz.DataSpec(
    "circles", n_samples=400, noise=0.2, train_fraction=0.15, validation_fraction=0
)
_NETWORK = regviz.NetworkSpec((8, 8))
_TRAINING = regviz.TrainingSpec("momentum", learning_rate=0.03, batch_size=10, epochs=600, frames=2)
STRENGTHS = (0.001, 0.002, 0.005, 0.01, 0.02)
_NONE = regviz.Regularization()
_L2 = tuple(regviz.Regularization(l2=strength) for strength in STRENGTHS)


@claim(
    "Under L2 the weights of every layer are shorter than without, and all of them together the"
    " more so the stronger it is. Not one of them is exactly 0.",
    source="Krogh & Hertz 1991",
)
def every_layer_is_shorter(seed: int) -> Result:
    """Train without regularization and with L2 of five strengths."""
    history = _train(seed, (_NONE, *_L2))
    rows = range(len(history.experiment.regularizations))
    norms = np.array([[np.linalg.norm(layer) for layer in history.weights(k)] for k in rows])
    total = history.metrics["l2_norm"][-1]
    sizes = np.abs(history.parameters[-1][:, history.layout.is_weight])
    figures = {
        f"norm_{name}": total[k] for k, name in enumerate(("none", "1", "2", "5", "10", "20"))
    }
    figures["share_of_smaller"] = np.mean(sizes[-2] < sizes[0])
    figures["zeros"] = history.metrics["sparsity"][-1].max()
    shorter = (norms[1:] < norms[0]).all() and (np.diff(total) < 0).all()
    return Result(shorter and figures["zeros"] == 0, figures)


@claim(
    "A step of gradient descent with L2 is the step without it, and then every weight times the"
    " same number 1/(1 + ηλ₂), which is 1 − ηλ₂ up to (ηλ₂)².",
    source="Krogh & Hertz 1991",
)
def a_step_multiplies(seed: int) -> Result:
    """Train 50 epochs without regularization, then make one step without and with L2."""
    training = regviz.TrainingSpec(
        "sgd", learning_rate=0.1, batch_size=None, epochs=51, dtype="float64", seed=seed
    )
    rows = (_NONE, regviz.Regularization(l2=0.1))
    experiment = regviz.Experiment(
        replace(_DATA, seed=seed), _NETWORK, training, rows, (regviz.Phase(50),)
    )
    history = regviz.train(experiment)
    without, under_l2 = history.parameters[-1]
    is_weight = history.layout.is_weight
    factors = (under_l2 / without)[is_weight]
    product = training.learning_rate * rows[1].l2  # ηλ₂
    same_biases = (without == under_l2)[~is_weight].all()
    error = np.abs(factors * (1 + product) - 1).max()
    close = np.abs(factors - (1 - product)).max() <= product**2
    figures = {"factor": factors.mean(), "first_order": 1 - product}
    return Result(same_biases and error < 1e-12 and close, figures)


@claim("L2 tests better: at strength 0.01, its test loss is less than 70 % of that without.")
def tests_better(seed: int) -> Result:
    """Train without regularization and with L2."""
    history = _train(seed, (_NONE, regviz.Regularization(l2=0.01)))
    test, train = (history.metrics[f"{split}_loss"][-1] for split in ("test", "train"))
    figures = {
        "test_none": test[0],
        "test_l2": test[1],
        "train_none": train[0],
        "train_l2": train[1],
    }
    return Result(test[1] < 0.7 * test[0] and train[1] > train[0], figures)


def _train(seed: int, rows: tuple[regviz.Regularization, ...]) -> regviz.History:
    data, training = replace(_DATA, seed=seed), replace(_TRAINING, seed=seed)
    return regviz.train(regviz.Experiment(data, _NETWORK, training, rows))
