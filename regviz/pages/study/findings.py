"""Sentences about what a study shows, with its uncertainty."""

from typing import Any

from regviz.methods.catalogue import METHODS
from regviz.pages.study.offers import offer_of
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
    known = table.dropna(subset=["mean"])
    clear = known[known["clear"]]
    n_seeds = len(result.study.seeds)
    if clear.empty:
        return [
            f"**No method differs clearly from None** in the {result.n_done} cells with {n_seeds}"
            " seeds (Holm's correction). That does not show that there is no difference: the"
            " intervals say how large it may be."
        ]
    row = clear.loc[clear["mean"].abs().idxmax()]
    better = "below" if row["mean"] < 0 else "above"
    sentences = [
        f"**{_where(result, row)}, {_name(row['method'])} tests {abs(row['mean']):.2g} {better}"
        f" None** (test loss; 95 % interval of the difference {_number(row['low'])} to"
        f" {_number(row['high'])}, {n_seeds} seeds)."
    ]
    same = known[known["method"] == row["method"]]
    least = same.loc[same["mean"].abs().idxmin()]
    if len(same) > 1:
        word = "clear" if least["clear"] else "not clear"
        sentences[0] += (
            f" {_where(result, least)} the difference is {_number(least['mean'])}"
            f" ({_number(least['low'])} to {_number(least['high'])}), {word}."
        )
    sentences[0] += (
        f" {len(clear)} of {len(table)} differences are clear after Holm's correction for all of"
        " them."
    )
    return sentences


def _where(result: StudyResult, row: Any) -> str:
    parts = []
    for axis in result.study.axes:
        offer = offer_of(axis.path, axis.values, result.study.base)
        value = axis.values[axis.column.index(row[axis.path])]
        label = offer.label.partition(" (")[0].partition(",")[0].lower()
        parts.append(f"{label} {offer.text(value)}")
    return ("At " + ", ".join(parts)) if parts else "Here"


def _name(key: str) -> str:
    return METHODS[key].label if key in METHODS else "early stopping"


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
