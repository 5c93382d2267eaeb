"""Sentences about what a study shows, with its uncertainty."""

import math
from typing import Any

from regviz.methods.catalogue import METHODS
from regviz.pages.study.offers import offers_of
from regviz.studies.result import StudyResult


def seen(result: StudyResult) -> list[str]:
    """Return sentences about the largest difference from None, and the number of clear ones.

    Parameters
    ----------
    result : StudyResult

    Returns
    -------
    list of str
        Empty if nothing is compared.
    """
    methods = [key for key in result.methods if key != "none"]
    if "none" not in result.methods or not methods:
        return []
    table = result.differences("test_loss")
    known = table.dropna(subset=["p_corrected"])
    clear = known[known["clear"]]
    n_seeds = len(result.study.seeds)
    if n_seeds == 1:
        return ["**One seed shows no uncertainty.** A comparison needs at least two."]
    if known.empty:
        return [
            "**No method can be compared with None**: in each finished cell, one of both diverged"
            " under at least one seed."
        ]
    if clear.empty:
        cells = "1 cell" if result.n_done == 1 else f"{result.n_done} cells"
        return [
            f"**No method differs clearly from None** in {cells} with {n_seeds} seeds (Holm's"
            f" correction).{_diverged(table, known)} That does not show that there is no"
            " difference: the intervals say how large it may be."
        ]
    row = clear.loc[clear["mean"].abs().idxmax()]
    better = "below" if row["mean"] < 0 else "above"
    sentences = [
        f"**{_where(result, row)}, {_name(row['method'])} tests {abs(row['mean']):.2g} {better}"
        f" None** (test loss; 95 % interval of the difference {_interval(row)}, {n_seeds} seeds)."
    ]
    same = known[known["method"] == row["method"]]
    least = same.loc[same["mean"].abs().idxmin()]
    if len(same) > 1:
        word = "clear" if least["clear"] else "not clear"
        small = max(abs(least["low"]), abs(least["high"])) < abs(row["mean"]) / 100
        size = (
            "less than a hundredth of the first"
            if small
            else f"{_number(least['mean'], least)} ({_interval(least)})"
        )
        sentences[0] += f" {_where(result, least)} the difference is {size}, {word}."
    if len(known) > 1:
        sentences[0] += (
            f" The first difference is the largest clear one of {len(known)}, so the true one is"
            " probably smaller. Each interval is for a single cell that is chosen in advance."
        )
    n_all = len(result.study.cells) * len(methods)
    sentences[0] += (
        f" {len(clear)} of {len(known)} differences are clear after Holm's correction for the"
        f" study's {n_all}.{_diverged(table, known)}"
    )
    return sentences


def _diverged(table: Any, known: Any) -> str:
    """Return a sentence about the differences that do not exist; empty if all exist."""
    n_missing = len(table) - len(known)
    return f" {n_missing} more cannot be taken, as a method diverged." if n_missing else ""


def _where(result: StudyResult, row: Any) -> str:
    of_axes, parts = offers_of(result.study), []
    for axis in result.study.axes:
        value = axis.values[axis.column.index(row[axis.path])]
        offer = of_axes[axis.path]
        parts.append(f"{offer.name.lower()} {offer.text(value)}")
    return ("At " + ", ".join(parts)) if parts else "Here"


def _name(key: str) -> str:
    return METHODS[key].label if key in METHODS else "early stopping"


def _interval(row: Any) -> str:
    return f"{_number(row['low'], row)} to {_number(row['high'], row)}"


def _number(value: float, row: Any) -> str:
    """Return a number with two digits of the end of a row's interval that is farther from 0."""
    farther = max(abs(row["low"]), abs(row["high"]))
    decimals = max(0, 1 - math.floor(math.log10(farther))) if farther else 0
    return f"{value:z.{decimals}f}".replace("-", "−")
