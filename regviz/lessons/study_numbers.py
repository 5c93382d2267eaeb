"""The numbers of a study's figure: tables and findings in words, from the committed result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, NamedTuple

from regviz.lessons.claim import all_studies
from regviz.lessons.lesson import StudyFigure
from regviz.lessons.study_results import networks, read
from regviz.methods.catalogue import METHODS
from regviz.studies.result import StudyResult
from regviz.studies.summary import methods_with_choice

if TYPE_CHECKING:
    import pandas as pd

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
MAX_SEEDS = 1000  # largest number of needed seeds that is told


class Table(NamedTuple):
    """A table of texts.

    Attributes
    ----------
    caption : str
    head : tuple of str
        Names of the columns.
    rows : tuple of tuple of str
        For each value on the x axis a row, with the value first.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Panel:
    """The part of a study's figure for one value of the facet.

    Attributes
    ----------
    name : str
        The value with its axis, such as ``"Noise 0.2"``; empty without a facet.
    at : tuple of str
        Values on the x axis.
    lines : mapping of str to list of tuple of float
        By method's label, for each value on the x axis, the test losses of all seeds; with a
        baseline, their differences from its.
    tables : tuple of Table
        The methods' means, the differences of the compared methods, and the medians of strengths,
        if they are chosen.
    finding : str
        A sentence that says where one of the compared methods is clearly better.
    """

    name: str
    at: tuple[str, ...]
    lines: Mapping[str, list[tuple[float, ...]]]
    tables: tuple[Table, ...]
    finding: str


@cache
def panels(block: StudyFigure) -> tuple[Panel, ...]:
    """Return the panels of a study's figure: one for each value of the facet, or a single one."""
    result = read(block.study)
    first, second = block.compare
    frame = result.differences("test_loss", second)
    frame = frame[frame["method"] == first].set_index("cell")
    axes = {axis.path: axis for axis in result.study.axes}
    facet = axes.get(block.facet)
    if facet is None:
        return (_panel(block, result, frame, {}, ""),)
    return tuple(
        _panel(block, result, frame, {facet.path: value}, f"{facet.label} {text}")
        for value, text in zip(facet.values, facet.texts, strict=True)
    )


def method_note(block: StudyFigure) -> str:
    """Return how the compared methods' difference was measured, in words."""
    result = read(block.study)
    first, second = _labels(block)
    comparisons = (len(result.methods) - 1) * len(result.study.cells)
    return (
        f"The difference is {first}'s test loss minus {second}'s, seed by seed on the same points:"
        f" its mean over {len(result.study.seeds)} seeds, and the 95 % interval of Student's t. It"
        " is called clear if the paired t test has p < 0.05 after Holm's correction for"
        f" {comparisons} comparisons: of {second} with each other method in each cell. The last"
        " column is the number of seeds that a single test of a difference of this size would need."
    )


def _labels(block: StudyFigure) -> tuple[str, str]:
    first, second = block.compare
    return METHODS[first].label, METHODS[second].label


def _panel(
    block: StudyFigure,
    result: StudyResult,
    differences: "pd.DataFrame",
    fixed: Mapping[str, Any],
    name: str,
) -> Panel:
    axis = next(axis for axis in result.study.axes if axis.path == block.x)
    cells = [{**fixed, axis.path: value} for value in axis.values]
    by_seed = networks(result).values()
    lines = {
        METHODS[method].label: [
            tuple(one.value("test_loss", method, cell) for one in by_seed) for cell in cells
        ]
        for method in result.methods
    }
    keys = [result.study.cell(cell).key for cell in cells]
    own = differences.loc[keys].to_dict("records")
    first, second = _labels(block)
    means, paired = [], []
    for i, (text, row) in enumerate(zip(axis.texts, own, strict=True)):
        means.append((text, *(f"{fmean(line[i]):.3f}" for line in lines.values())))
        interval = f"{_signed(row['low'])} to {_signed(row['high'])}".replace(" ", NO_BREAK)
        clear = "yes" if row["clear"] else "no"
        paired.append((text, _signed(row["mean"]), interval, clear, _seeds(row["seeds_needed"])))
    difference = f"{first} {MINUS} {second}"
    tables: tuple[Table, ...] = (
        Table(_joined("Mean test loss", name), (block.label, *lines), tuple(means)),
        Table(
            _joined("Paired difference in test loss", name),
            (block.label, difference, "95 % interval", "clear", "seeds"),
            tuple(paired),
        ),
    )
    places = {
        found: [text for text, row in zip(axis.texts, own, strict=True) if _side(row) == found]
        for found in (-1, 1, 0)
    }
    finding = _finding(name, (first, second), places, block.label)
    if has_choice(block):
        tables += (_strengths(block, result, cells, axis.texts, name),)
    return Panel(name, axis.texts, _from_baseline(block, lines), tables, finding)


def has_choice(block: StudyFigure) -> bool:
    """Return whether strengths of the block's study are chosen."""
    return bool(methods_with_choice(all_studies()[block.study]))


def _strengths(
    block: StudyFigure,
    result: StudyResult,
    cells: list[dict[str, Any]],
    texts: Sequence[str],
    name: str,
) -> Table:
    """Return the table of the median strength of each method that has several."""
    methods = methods_with_choice(result.study)
    by_seed = networks(result).values()
    rows = [
        (
            text,
            *(f"{median(n.value('strength', key, cell) for n in by_seed):.2g}" for key in methods),
        )
        for text, cell in zip(texts, cells, strict=True)
    ]
    head = (block.label, *(METHODS[key].label for key in methods))
    return Table(_joined("Median of the chosen strengths", name), head, tuple(rows))


def _from_baseline(
    block: StudyFigure, lines: dict[str, list[tuple[float, ...]]]
) -> dict[str, list[tuple[float, ...]]]:
    """Return the lines' differences from those of the baseline, paired by seed, if there is one."""
    if not block.baseline:
        return lines
    name = METHODS[block.baseline].label
    base = lines[name]
    return {
        label: [
            tuple(one - other for one, other in zip(own, of_base, strict=True))
            for own, of_base in zip(line, base, strict=True)
        ]
        for label, line in lines.items()
        if label != name
    }


def _side(row: Mapping[str, Any]) -> int:
    """Return -1 if the first method's loss is clearly lower, 1 if it is higher, 0 if neither."""
    return (-1 if row["mean"] < 0 else 1) if row["clear"] else 0


def _finding(
    name: str, methods: tuple[str, str], places: Mapping[int, Sequence[str]], label: str
) -> str:
    first, second = methods
    parts = [
        f"{better}'s test loss is clearly below {worse}'s at {', '.join(places[side])} {label}."
        for side, better, worse in ((-1, first, second), (1, second, first))
        if places[side]
    ]
    if places[0]:
        parts.append(f"The seeds leave open which is lower at {', '.join(places[0])} {label}.")
    return f"{name}: {' '.join(parts)}" if name else " ".join(parts)


def _joined(caption: str, name: str) -> str:
    return f"{caption}, {name}" if name else caption


def _signed(value: float) -> str:
    return f"{value:z.3f}".replace("-", MINUS)


def _seeds(needed: float) -> str:
    return f"{needed:.0f}" if needed <= MAX_SEEDS else f">{NO_BREAK}{MAX_SEEDS:,}"
