"""Lesson 3: L1 makes most of a network exactly 0."""

from dataclasses import replace

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim
from regviz.spec.experiment import FEATURES

_NONE = regviz.Regularization()
_CIRCLES = regviz.DataSpec(
    "circles", n_samples=400, noise=0.2, train_fraction=0.15, validation_fraction=0
)
_TRAINING = regviz.TrainingSpec("momentum", learning_rate=0.03, batch_size=10, epochs=600, frames=2)
STRENGTHS = (0.0005, 0.001, 0.002, 0.004)
_XOR = regviz.DataSpec("xor", n_samples=400, noise=0.1, validation_fraction=0)


@claim(
    "L1 sets more than half of a network's weights to exactly 0, the more the stronger it is, and"
    " its test loss is lower than without. L2 sets none to 0.",
    source="Tibshirani 1996",
)
def most_weights_are_zero(seed: int) -> Result:
    """Train without regularization, with L1 of four strengths and with L2."""
    rows = (
        _NONE,
        *(regviz.Regularization(l1=strength) for strength in STRENGTHS),
        regviz.Regularization(l2=0.02),
    )
    data, training = replace(_CIRCLES, seed=seed), replace(_TRAINING, seed=seed)
    history = regviz.train(regviz.Experiment(data, regviz.NetworkSpec((8, 8)), training, rows))
    zeros, loss = (history.metrics[name][-1] for name in ("sparsity", "test_loss"))
    names = ("none", "05", "1", "2", "4", "l2")
    figures = {f"zeros_{name}": zeros[k] for k, name in enumerate(names)}
    figures |= {"loss_none": loss[0], "loss_l1": loss[4]}
    stronger = (np.diff(zeros[:5]) > 0).all()
    holds = stronger and zeros[4] > 0.5 and zeros[5] == 0 and loss[4] < loss[0]
    return Result(holds, figures)


@claim(
    "Of seven inputs, a linear model under L1 keeps only x₁x₂, which alone decides the class of an"
    " XOR point. L2 keeps all seven.",
    source="Tibshirani 1996",
)
def keeps_the_input_that_matters(seed: int) -> Result:
    """Train linear models on XOR with all seven inputs."""
    rows = (_NONE, regviz.Regularization(l1=0.1), regviz.Regularization(l2=0.1))
    training = replace(_TRAINING, epochs=300, seed=seed)
    network = regviz.NetworkSpec((), features=FEATURES)
    history = regviz.train(regviz.Experiment(replace(_XOR, seed=seed), network, training, rows))
    weights = [history.weights(k)[0][:, 0] for k in range(3)]
    left = [np.flatnonzero(w).tolist() for w in weights]
    accuracy = history.metrics["test_accuracy"][-1]
    figures = {
        "left_none": len(left[0]),
        "left_l1": len(left[1]),
        "left_l2": len(left[2]),
        "accuracy_none": accuracy[0],
        "accuracy_l1": accuracy[1],
        "product": weights[1][FEATURES.index("x1*x2")],
    }
    holds = left[1] == [FEATURES.index("x1*x2")] and len(left[0]) == len(left[2]) == 7
    return Result(holds, figures)
