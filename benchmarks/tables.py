"""Tables of what a load has come to, each figure with what it is to reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.screens import Showing

DIGITS = {"": 0, "MiB": 1}  # of other units, two


@dataclass
class Row:
    """A figure.

    Attributes
    ----------
    name : str
    value : float
        Infinite for what never came.
    unit : str
    target : float or None
        What the value may be at most.
    beyond : float
        What an infinite value is known to exceed.
    """

    name: str
    value: float
    unit: str = "s"
    target: float | None = None
    beyond: float = math.inf

    def text(self) -> str:
        """The line of the table, which says so if the target is missed."""
        number = f"{self.value:.{DIGITS.get(self.unit, 2)}f}"
        if math.isinf(self.value):
            number = f"> {self.beyond:g}"
        line = f"  {self.name:46} {number:>8} {self.unit:4}"
        if self.target is None:
            return line.rstrip()
        return f"{line} <= {self.target:g}{'' if self.value <= self.target else '   MISSED'}"


def quantile(values: Sequence[float | None], share: float) -> float:
    """The value that a share of all values does not exceed; None counts as infinite."""
    ordered = sorted(math.inf if value is None else value for value in values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def times(
    showings: Sequence[Showing],
    beyond: float,
    first: float | None = None,
    whole: float | None = None,
) -> list[Row]:
    """Median and 95th percentile of each of the times, those to reach with their targets.

    Parameters
    ----------
    showings : sequence of Showing
    beyond : float
        Seconds for which has been waited, at least.
    first, whole : float, optional
        Seconds to reach at the 95th percentile.
    """
    rows = []
    for name, values, target in (
        ("first picture", [showing.first for showing in showings], first),
        ("every strength", [showing.whole for showing in showings], whole),
    ):
        for share, called in ((0.5, "median"), (0.95, "p95")):
            value = quantile(values, share)
            at_most = target if share == 0.95 else None
            rows.append(Row(f"{name}, {called}", value, target=at_most, beyond=beyond))
    return rows


def drawn(showings: Sequence[Showing], beyond: float) -> list[Row]:
    """Rows of the times until the real browser has drawn; see `times`."""
    rows = []
    for name, values in (
        ("first picture", [showing.first for showing in showings]),
        ("every strength", [showing.whole for showing in showings]),
    ):
        rows.append(Row(f"real browser: {name}, median", quantile(values, 0.5), beyond=beyond))
        if len(showings) > 1:
            rows.append(Row(f"real browser: {name}, slowest", quantile(values, 1), beyond=beyond))
    return rows


def show(title: str, rows: Sequence[Row], errors: Sequence[str]) -> None:
    """Print a table, and at its end how often what has gone wrong."""
    print(f"\n{title}")
    for row in [*rows, Row("errors", len(errors), "", 0)]:
        print(row.text())
    for error in sorted(set(errors)):
        print(f"    {errors.count(error)} x {error}")
    print(end="", flush=True)
