"""Tasks of lessons: conditions on a network's measures, such as ``test_loss < 0.35``."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from regviz.engine.history import History
from regviz.methods.catalogue import METHODS
from regviz.spec.validation import invalid, one_of

MEASURES = (
    *("train_loss", "test_loss", "gap", "train_accuracy", "test_accuracy"),
    *("sparsity", "weights_left", "units_left", "l1_norm", "l2_norm", "epoch"),
)
FOCUS, ANY = "focus", "any"  # of a task: the method in focus, or any one method
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"(?P<left>[\w.]+) *(?P<sign><=|>=|<|>) *(?P<right>[\w.+-]+)")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Operand:
    """One side of a comparison.

    Attributes
    ----------
    measure : str or None
        One of `MEASURES`; None for a number.
    method : str or None
        Key of the method whose network is measured; None for that of the task.
    number : float
    """

    measure: str | None = None
    method: str | None = None
    number: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """A comparison of measures or numbers."""

    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True)
class Condition:
    """Comparisons that must all hold.

    Attributes
    ----------
    text : str
        As in the lesson, such as ``"test_loss < 0.35 and weights_left <= 30"``.
    comparisons : tuple of Comparison
    """

    text: str
    comparisons: tuple[Comparison, ...]

    def methods(self) -> set[str]:
        """Return the methods that the comparisons name."""
        sides = (side for c in self.comparisons for side in (c.left, c.right))
        return {side.method for side in sides if side.method}

    def holds(self, measures: Mapping[str, Mapping[str, float]], method: str) -> bool:
        """Return whether all comparisons hold; never for a measure that is not defined (NaN).

        Parameters
        ----------
        measures : mapping
            The measures of each shown network, by method; as of `measures_of`.
        method : str
            The method of the measures without one.
        """

        def value(side: Operand) -> float:
            if side.measure is None:
                return side.number
            return measures.get(side.method or method, {}).get(side.measure, float("nan"))

        return all(_COMPARE[c.sign](value(c.left), value(c.right)) for c in self.comparisons)


def parse_condition(text: str) -> Condition:
    """Parse comparisons joined by ``and``.

    A side is a number, a measure, or a method and a measure joined by a dot, as ``l1.test_loss``.

    Raises
    ------
    ValueError
        If the text is not of this form, or a name is unknown.
    """
    comparisons = []
    for part in re.split(r"\s+and\s+", text.strip()):
        found = _COMPARISON.fullmatch(part.strip())
        if not found:
            raise invalid("solved", "comparisons such as 'test_loss < 0.35', joined by and", part)
        left, right = _operand(found["left"]), _operand(found["right"])
        if left.measure is None and right.measure is None:
            raise invalid("solved", "comparisons with at least one measure", part)
        comparisons.append(Comparison(left, found["sign"], right))
    return Condition(text, tuple(comparisons))


def _operand(text: str) -> Operand:
    if _NUMBER.fullmatch(text):
        return Operand(number=float(text))
    method, dot, measure = text.rpartition(".")
    if measure not in MEASURES:
        raise invalid("solved", f"about {one_of(MEASURES)}", text)
    if dot and method not in METHODS:
        raise invalid("solved", f"about a method: {one_of(METHODS)}", text)
    return Operand(measure, method or None)


def measures_of(history: History, k: int, t: int) -> dict[str, float]:
    """Return the measures of network `k` at recorded time `t` by name.

    ``weights_left`` is the number of weights that are not exactly 0, and ``units_left`` is
    `History.units_left`.
    """
    weights = history.weights(k, t)
    left = {name: float(values[t, k]) for name, values in history.metrics.items()}
    left = {name: value for name, value in left.items() if name in MEASURES}
    return left | {
        "weights_left": float(sum(np.count_nonzero(layer) for layer in weights)),
        "units_left": float(history.units_left(k, t)),
        "epoch": float(history.epochs[t]),
    }
