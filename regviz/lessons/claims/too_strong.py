"""Lesson 14: too strong a penalty leaves nothing."""

from dataclasses import replace

import numpy as np

import regviz
from regviz.engine.layout import input_features
from regviz.lessons.claim import Result, claim
from regviz.spec.experiment import FEATURES

_DATA = regviz.DataSpec(
    "circles", n_samples=400, noise=0.2, train_fraction=0.15, validation_fraction=0
)
_NETWORK = regviz.NetworkSpec((8, 8))
_TRAINING = regviz.TrainingSpec("momentum", learning_rate=0.03, batch_size=10, epochs=600, frames=1)
PATH = (0.00001, 0.001, 0.003, 0.01, 0.03, 0.1)  # strengths of L2


@claim(
    "A strong L1 sets every weight to exactly 0: the network answers the same everywhere, the share"
    " of the classes among its training points."
)
def l1_collapses(seed: int) -> Result:
    """Train with a strong L1."""
    history = _train(seed, (regviz.Regularization(l1=0.04),))
    predicted = history.predict(history.dataset.points("test")[0])[0]
    share = history.dataset.points("train")[1].mean()
    figures = {
        "zeros": history.metrics["sparsity"][-1, 0],
        "range": np.ptp(predicted),
        "answer": predicted.mean(),
        "loss": history.metrics["test_loss"][-1, 0],
    }
    constant = figures["range"] == 0 and abs(figures["answer"] - share) < 0.05
    return Result(figures["zeros"] == 1 and constant, figures)


@claim(
    "Both ends of L2's path are bad: at the weak end the test loss is that of the network without,"
    " at the strong end that of a constant answer. In between it is lower than at both."
)
def the_path_has_two_ends(seed: int) -> Result:
    """Train without regularization and with L2 of six strengths."""
    history = _train(seed, (regviz.Regularization(), *(regviz.Regularization(l2=s) for s in PATH)))
    loss = history.metrics["test_loss"][-1]
    names = ("none", *(f"l2_{i}" for i in range(len(PATH))))
    figures = {f"loss_{name}": loss[k] for k, name in enumerate(names)}
    figures["lowest"] = loss[1:].min()
    figures["range_at_end"] = np.ptp(history.predict(history.dataset.points("test")[0])[-1])
    weak_is_none = abs(loss[1] - loss[0]) < 0.1 * loss[0]
    constant = figures["range_at_end"] < 0.01
    better = figures["lowest"] < 0.8 * min(loss[1], loss[-1])
    return Result(weak_is_none and constant and better, figures)


@claim(
    "A linear model under L1 is all 0 from λ₁ = maxⱼ |xⱼᵀ(y − ȳ)|/n on, a number known before any"
    " training; just below, exactly one weight is left.",
    source="Koh, Kim & Boyd 2007",
)
def lambda_max_is_known(seed: int) -> Result:
    """Compute λmax from the data, and train just above and just below."""
    data = regviz.DataSpec(
        "xor", n_samples=400, noise=0.1, train_fraction=0.25, validation_fraction=0, seed=seed
    )
    X, y = regviz.make_dataset(data).points("train")
    inputs = input_features(X, FEATURES)
    largest = np.abs((inputs - inputs.mean(axis=0)).T @ (y - y.mean())).max() / len(y)
    rows = tuple(regviz.Regularization(l1=largest * share) for share in (1.001, 0.99))
    training = regviz.TrainingSpec(
        "sgd", learning_rate=0.3, batch_size=None, epochs=1500, dtype="float64", frames=1, seed=seed
    )
    network = regviz.NetworkSpec((), features=FEATURES)
    history = regviz.train(regviz.Experiment(data, network, training, rows))
    left = [int((history.weights(k)[0] != 0).sum()) for k in range(2)]
    figures = {"lambda_max": largest, "left_above": left[0], "left_below": left[1]}
    return Result(left == [0, 1], figures)


def _train(seed: int, rows: tuple[regviz.Regularization, ...]) -> regviz.History:
    data, training = replace(_DATA, seed=seed), replace(_TRAINING, seed=seed)
    return regviz.train(regviz.Experiment(data, _NETWORK, training, rows))
