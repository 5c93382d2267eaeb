"""Lesson 16: with weight decay, a network memorises first and understands later."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import regviz
from regviz.lessons.claim import Result, claim

RULE = 2  # number of columns that decide the class, the first ones
PATIENCE = 20  # epochs, of early stopping
ROWS = {
    "none": regviz.Regularization(),
    "weak": regviz.Regularization(l2=0.2),
    "strong": regviz.Regularization(l2=0.5),
}
NONE, WEAK, STRONG = range(3)
_SOURCE = "Power et al. 2022; Merrill et al. 2023"


class _Course(NamedTuple):
    """The course of a training: times are indices of recorded epochs, or None."""

    memorised: int | None  # the first time with every training point right
    understood: int | None  # the first time with 95 of 100 test points right


def _history(seed: int) -> regviz.History:
    """Train networks of 16 ReLU units with AdamW, on all 180 points at once."""
    return regviz.train(
        regviz.Experiment(
            regviz.DataSpec(
                "parity", 1000, 0, train_fraction=0.18, validation_fraction=0, seed=seed
            ),
            regviz.NetworkSpec((16,), "relu"),
            regviz.TrainingSpec("adamw", 0.01, None, 2000, frames=100, seed=seed),
            tuple(ROWS.values()),
        )
    )


def _course(history: regviz.History, k: int) -> _Course:
    return _Course(
        _first(history.metrics["train_accuracy"][:, k] == 1),
        _first(history.metrics["test_accuracy"][:, k] >= 0.95),
    )


def _first(reached: NDArray[np.bool_]) -> int | None:
    return int(reached.argmax()) if reached.any() else None


def _epoch(history: regviz.History, time: int | None) -> float:
    """Return the epoch of a time, or the last epoch for None."""
    return float(history.epochs[-1 if time is None else time])


@claim("When the network knows every training point, it is wrong for over 30 of 100 new ones.")
def it_memorises_first(seed: int) -> Result:
    """Measure the test accuracy when the training accuracy first is 1, with weight decay."""
    history = _history(seed)
    time = _course(history, STRONG).memorised
    accuracy = history.metrics["test_accuracy"][-1 if time is None else time, STRONG]
    figures = {"epoch": _epoch(history, time), "test_accuracy": accuracy}
    return Result(time is not None and accuracy < 0.7, figures)


@claim(
    "With weight decay, it is right for 95 of 100 new points, at over three times as many epochs.",
    _SOURCE,
)
def it_understands_later(seed: int) -> Result:
    """Compare the epochs of memorising and of understanding."""
    history = _history(seed)
    memorised, understood = (_epoch(history, time) for time in _course(history, STRONG))
    final = history.metrics["test_accuracy"][-1, STRONG]
    figures = {"memorised": memorised, "understood": understood, "final": final}
    return Result(3 * memorised < understood and final >= 0.95, figures)


@claim("Without weight decay, it does not get there in the same time.", _SOURCE)
def never_without(seed: int) -> Result:
    """Measure the final accuracies without regularization."""
    history = _history(seed)
    train, test = (history.metrics[f"{s}_accuracy"][-1, NONE] for s in ("train", "test"))
    return Result(train == 1 and test < 0.85, {"train": train, "test": test})


@claim("Stronger weight decay makes it understand sooner.", "Power et al. 2022")
def sooner_with_more(seed: int) -> Result:
    """Compare two strengths."""
    history = _history(seed)
    weak, strong = (_epoch(history, _course(history, k).understood) for k in (WEAK, STRONG))
    return Result(strong < weak, {"weak": weak, "strong": strong})


@claim(
    "When it has memorised, its weights are spread over all inputs;"
    " in the end most of them are those of the two that matter."
)
def weights_move_to_the_rule(seed: int) -> Result:
    """Measure the share of the two relevant inputs in the squared weights of the first layer."""
    history = _history(seed)
    time = _course(history, STRONG).memorised or 0
    early, late = (
        float((w[:RULE] ** 2).sum() / (w**2).sum())
        for w in (history.weights(STRONG, t)[0] for t in (time, -1))
    )
    return Result(early < 0.3 and late > 0.5, {"memorised": early, "end": late})


@claim("Early stopping would have stopped before it understood.")
def early_stopping_misses_it(seed: int) -> Result:
    """Apply the patience to the test loss, which is the best that validation points could do."""
    history = _history(seed)
    losses, epochs = history.metrics["test_loss"][:, STRONG], history.epochs
    best = [int(losses[: t + 1].argmin()) for t in range(len(epochs))]
    stopped = _first(epochs - epochs[best] >= PATIENCE)
    understood = _course(history, STRONG).understood
    accuracy = history.metrics["test_accuracy"][-1 if stopped is None else stopped, STRONG]
    figures = {"stopped": _epoch(history, stopped), "accuracy": accuracy}
    return Result(stopped is not None and (understood is None or stopped < understood), figures)
