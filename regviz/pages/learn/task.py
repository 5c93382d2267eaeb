"""The state of a lesson's task, computed from the networks that the board shows."""

from dataclasses import dataclass

import numpy as np

from regviz.lessons.lesson import Lesson
from regviz.lessons.task import ANY, FOCUS, Comparison, Operand, measures_of
from regviz.methods.catalogue import METHODS
from regviz.pages.snapshot import BoardSnapshot

_LABELS = {
    "train_loss": "training loss",
    "test_loss": "test loss",
    "gap": "gap",
    "train_accuracy": "training accuracy",
    "test_accuracy": "test accuracy",
    "sparsity": "share of weights at 0",
    "weights_left": "weights left",
    "units_left": "units left",
    "l1_norm": "sum of |w|",
    "l2_norm": "length of w",
    "epoch": "epoch",
}
_PERCENT = ("train_accuracy", "test_accuracy", "sparsity")
_WHOLE = ("weights_left", "units_left", "epoch")
_SIGNS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


@dataclass(frozen=True)
class Status:
    """The state of a task.

    Attributes
    ----------
    text : str
        The measures of the shown network and what is wanted of them, in Markdown.
    is_solved : bool
    """

    text: str
    is_solved: bool


def status(
    lesson: Lesson, scene: str | None, snapshot: BoardSnapshot | None, epoch: int | None
) -> Status | None:
    """Return the state of a lesson's task.

    Parameters
    ----------
    lesson : Lesson
    scene : str or None
        Key of the scene on the board.
    snapshot : BoardSnapshot or None
        None if the training is not complete.
    epoch : int or None
        The epoch that the board shows; None for the last.

    Returns
    -------
    Status or None
        None if the board shows another scene than the task's, or the training is not complete.
    """
    if scene != lesson.task.scene or snapshot is None:
        return None
    history, methods = snapshot.history, snapshot.grid.methods
    t = len(history.epochs) - 1
    if epoch is not None:
        t = max(0, int(np.searchsorted(history.epochs, epoch, side="right")) - 1)
    measures = {key: measures_of(history, snapshot.network(key), t) for key in methods}
    of = lesson.task.of
    tried = {FOCUS: [snapshot.focus], ANY: [snapshot.focus, *methods]}.get(of, [of])
    condition = lesson.task.condition
    solving = [key for key in tried if condition.holds(measures, key)]
    shown = solving[0] if solving else tried[0]

    def value(side: Operand) -> float:
        if side.measure is None:
            return side.number
        return measures[side.method or shown][side.measure]

    def line(comparison: Comparison) -> str:
        left, right = comparison.left, comparison.right
        measure = left.measure or right.measure or ""
        met = condition.__class__("", (comparison,)).holds(measures, shown)
        wanted = _text(measure, value(right))
        if right.measure is not None:
            wanted = f"{_name(right, shown)}, {wanted}"
        mark = "✓" if met else "✗"
        return (
            f"- {mark} {_name(left, shown)}: **{_text(measure, value(left))}**,"
            f" wanted {_SIGNS[comparison.sign]} {wanted}"
        )

    return Status("\n".join(map(line, condition.comparisons)), bool(solving))


def _name(side: Operand, method: str) -> str:
    """Return the name of a side in words, such as ``"L1's test loss"``."""
    if side.measure is None:
        return "the number"
    return f"{METHODS[side.method or method].label}'s {_LABELS[side.measure]}"


def _text(measure: str, value: float) -> str:
    if np.isnan(value):
        return "–"
    if measure in _PERCENT:
        return f"{value:.0%}"
    return f"{value:.0f}" if measure in _WHOLE else f"{value:.3g}"
