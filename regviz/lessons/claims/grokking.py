"""Lesson 16: with weight decay, a network memorises first and understands later."""

from typing import NamedTuple

import numpy as np

import regviz
from regviz.lessons.claim import Result, claim

N_TRAIN, N_TEST, N_BITS = 180, 820, 30
RULE = 2  # the class is the sign of the product of the first two columns
PATIENCE = 50  # epochs, of early stopping
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
    """Train networks of 16 ReLU units with AdamW, on all points at once."""
    rng = np.random.default_rng(seed)
    X = rng.choice([-1.0, 1.0], size=(N_TRAIN + N_TEST, N_BITS))
    y = (X[:, 0] * X[:, 1] > 0).astype(float)
    X = (X - X[:N_TRAIN].mean(axis=0)) / X[:N_TRAIN].std(axis=0)
    data = regviz.Dataset(X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:])
    return regviz.train(
        regviz.Experiment(
            data.spec,
            regviz.NetworkSpec((16,), "relu"),
            regviz.TrainingSpec("adamw", 0.01, None, 1500, frames=100, seed=seed),
            tuple(ROWS.values()),
        ),
        data,
    )


def _course(history: regviz.History, k: int) -> _Course:
    return _Course(
        _first(history.metrics["train_accuracy"][:, k] == 1),
        _first(history.metrics["test_accuracy"][:, k] >= 0.95),
    )


def _first(reached: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int | None:
    return int(reached.argmax()) if reached.any() else None


@claim("The network knows every training point while it is hardly better than chance on new ones.")
def it_memorises_first(seed: int) -> Result:
    """Measure the test accuracy when the training accuracy first is 1, with weight decay."""
    history = _history(seed)
    time = _course(history, STRONG).memorised
    if time is None:
        return Result(False, {"epoch": 1e9, "test_accuracy": 0})
    accuracy = history.metrics["test_accuracy"][time, STRONG]
    figures = {"epoch": history.epochs[time], "test_accuracy": accuracy}
    return Result(accuracy < 0.7, figures)


@claim(
    "With weight decay, it is right for 95 of 100 new points, at over three times as many epochs.",
    _SOURCE,
)
def it_understands_later(seed: int) -> Result:
    """Compare the epochs of memorising and of understanding."""
    history = _history(seed)
    epochs = [1e9 if time is None else history.epochs[time] for time in _course(history, STRONG)]
    memorised, understood = (float(epoch) for epoch in epochs)
    final = history.metrics["test_accuracy"][-1, STRONG]
    figures = {"memorised": memorised, "understood": understood, "final": final}
    return Result(3 * memorised < understood < 1e9 and final >= 0.95, figures)


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
    last = len(history.epochs) - 1
    times = [_course(history, k).understood for k in (WEAK, STRONG)]
    weak, strong = (float(history.epochs[last if time is None else time]) for time in times)
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
    return Result(early < 0.25 and late > 0.5, {"memorised": early, "end": late})


@claim("Early stopping would have stopped before it understood.")
def early_stopping_misses_it(seed: int) -> Result:
    """Apply the patience to the test loss, which is the best that validation points could do."""
    history = _history(seed)
    losses, epochs = history.metrics["test_loss"][:, STRONG], history.epochs
    best = np.minimum.accumulate(losses)
    since = epochs - epochs[[int(np.flatnonzero(losses == b)[0]) for b in best]]
    stopped = _first(since >= PATIENCE)
    understood = _course(history, STRONG).understood
    last = len(epochs) - 1
    accuracy = history.metrics["test_accuracy"]
    at = last if stopped is None else stopped
    figures = {"stopped": epochs[at], "accuracy": accuracy[at, STRONG]}
    return Result(
        stopped is not None and (understood is None or stopped < understood), figures
    )
