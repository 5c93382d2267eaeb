"""Lesson 9: dropout fails at learning rates at which dropout with max-norm trains."""

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

LOW, MIDDLE, HIGH = 0.01, 0.03, 0.1  # learning rates
RADIUS = 1.0
NONE, DROPOUT, BOUNDED, BOTH = range(4)  # rows of an experiment
_SOURCE = "Srivastava et al. 2014"


def _rows(drop_rate: float) -> tuple[regviz.Regularization, ...]:
    return (
        regviz.Regularization(),
        regviz.Regularization(drop_rate=drop_rate),
        regviz.Regularization(max_norm=RADIUS),
        regviz.Regularization(drop_rate=drop_rate, max_norm=RADIUS),
    )


def _classes(seed: int, learning_rate: float) -> regviz.History:
    """Train tanh networks on 100 points of xor, with 900 test points."""
    return regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "xor", 1000, 0.15, train_fraction=0.1, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((32, 32), "tanh"),
            regviz.TrainingSpec("momentum", learning_rate, 10, 200, frames=1, seed=seed),
            _rows(0.2),
        )
    )


def _losses(history: regviz.History) -> list[float]:
    return [float(loss) for loss in history.metrics["test_loss"][-1]]


@claim("At a low learning rate, dropout alone lowers the test loss.", _SOURCE)
def alone_at_a_low_rate(seed: int) -> Result:
    """Compare dropout with no regularization at the low learning rate."""
    losses = _losses(_classes(seed, LOW))
    figures = {"rate": LOW, "none": losses[NONE], "dropout": losses[DROPOUT], "both": losses[BOTH]}
    return Result(losses[DROPOUT] < losses[NONE], figures)


@claim(
    "At three times the rate, dropout with max-norm has a lower test loss than dropout alone, and"
    " than no regularization.",
    _SOURCE,
)
def together_at_a_middle_rate(seed: int) -> Result:
    """Compare the pair with dropout alone and with no regularization."""
    losses = _losses(_classes(seed, MIDDLE))
    figures = {
        "rate": MIDDLE,
        "none": losses[NONE],
        "dropout": losses[DROPOUT],
        "max_norm": losses[BOUNDED],
        "both": losses[BOTH],
    }
    return Result(losses[BOTH] < min(losses[DROPOUT], losses[NONE]), figures)


@claim(
    "At ten times the rate, dropout alone has a higher test loss than at the low rate,"
    " and a higher one than with max-norm.",
    _SOURCE,
)
def alone_at_a_high_rate(seed: int) -> Result:
    """Compare dropout at the high learning rate with dropout at the low one, and with the pair."""
    low = _losses(_classes(seed, LOW))[DROPOUT]
    history = _classes(seed, HIGH)
    losses = _losses(history)
    longest = [
        max(float(np.linalg.norm(layer, axis=0).max()) for layer in history.weights(k)[:-1])
        for k in (DROPOUT, BOTH)
    ]
    figures = {
        "rate": HIGH,
        "dropout_low": low,
        "dropout": losses[DROPOUT],
        "max_norm": losses[BOUNDED],
        "both": losses[BOTH],
        "longest_dropout": longest[0],
        "longest_both": longest[1],
    }
    return Result(losses[DROPOUT] > max(low, losses[BOTH]), figures)


@claim(
    "In regression at a high rate, dropout makes the training diverge;"
    " with max-norm it stays finite.",
    _SOURCE,
)
def divergence(seed: int) -> Result:
    """Train ReLU networks on bumps, where gradients are not bounded."""
    history = regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "bumps", 1000, 0.1, train_fraction=0.1, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((32, 32), "relu"),
            regviz.TrainingSpec("momentum", HIGH, 10, 100, frames=1, seed=seed),
            _rows(0.5),
        )
    )
    constant = float(history.dataset.points("test")[1].var()) / 2
    figures = {
        "rate": HIGH,
        "diverged_at": float(history.diverged[DROPOUT]),
        "max_norm": _losses(history)[BOUNDED],
        "both": _losses(history)[BOTH],
        "constant": constant,
    }
    return Result(history.diverged[DROPOUT] >= 0 > history.diverged[BOTH], figures)
