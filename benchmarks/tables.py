"""Tables of measurements with targets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.screens import Showing

DIGITS = {"": 0, "MiB": 1}  # of other units, two


@dataclass
class Row:
    """A row of a table.

    Attributes
    ----------
    name : str
    value : float
        The measured value; infinite after a timeout.
    unit : str
    target : float or None
        Upper bound that the value has to meet; None without one.
    beyond : float
        Lower bound of an infinite value, shown in its place: the timeout.
    """

    name: str
    value: float
    unit: str = "s"
    target: float | None = None
    beyond: float = math.inf

    def text(self) -> str:
        """Return the line of the table, with a mark if the value exceeds the target."""
        number = f"{self.value:.{DIGITS.get(self.unit, 2)}f}"
        if math.isinf(self.value):
            number = f"> {self.beyond:g}"
        line = f"  {self.name:46} {number:>8} {self.unit:4}"
        if self.target is None:
            return line.rstrip()
        return f"{line} <= {self.target:g}{'' if self.value <= self.target else '   MISSED'}"


def quantile(values: Sequence[float | None], share: float) -> float:
    """Return the smallest value that at least ``share`` of the values do not exceed.

    None counts as infinite. NaN without values.
    """
    ordered = sorted(math.inf if value is None else value for value in values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def times(
    showings: Sequence[Showing],
    beyond: float,
    first: float | None = None,
    whole: float | None = None,
) -> list[Row]:
    """Return rows of median and 95th percentile of the times to first picture and to all networks.

    Parameters
    ----------
    showings : sequence of Showing
    beyond : float
        Timeout in seconds.
    first, whole : float, optional
        Targets of the 95th percentiles in seconds.
    """
    rows = []
    for name, values, target in (
        ("first picture", [showing.first for showing in showings], first),
        ("every strength", [showing.whole for showing in showings], whole),
    ):
        for share, statistic in ((0.5, "median"), (0.95, "p95")):
            value = quantile(values, share)
            at_most = target if share == 0.95 else None
            rows.append(Row(f"{name}, {statistic}", value, target=at_most, beyond=beyond))
    return rows


def drawn(showings: Sequence[Showing], beyond: float) -> list[Row]:
    """Return rows of the times of the real browser, which include drawing; see `times`."""
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
    """Print a table, followed by the errors with their counts."""
    print(f"\n{title}")
    for row in [*rows, Row("errors", len(errors), "", 0)]:
        print(row.text())
    for error in sorted(set(errors)):
        print(f"    {errors.count(error)} x {error}")
    print(end="", flush=True)
