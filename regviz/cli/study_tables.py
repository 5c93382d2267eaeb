"""The table and the JSON of ``regviz study``."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from regviz.analysis.criteria import Criterion, criteria
from regviz.cli import output
from regviz.data.datasets import make_dataset
from regviz.methods.catalogue import EARLY_STOPPING, METHODS, patience_of
from regviz.methods.labels import dataset_label, label
from regviz.spec.points import PointsSpec
from regviz.studies.cell import Cell
from regviz.studies.result import StudyResult
from regviz.studies.statistics import EQUAL, LEVEL
from regviz.studies.study import Study
from regviz.studies.summary import methods_of, methods_with_choice

COLUMNS = 100  # of a terminal
OTHERS = ("test_accuracy", "sparsity")  # columns of the table beside the metric
MARK = "*"  # of a clear difference
_CORRECTIONS = {"holm": "Holm", "benjamini_hochberg": "Benjamini and Hochberg"}


@dataclass(frozen=True)
class Comparison:
    """The comparison that is asked for.

    Attributes
    ----------
    metric, baseline, interval, correction
        As of `StudyResult.differences`.
    """

    metric: str
    baseline: str
    interval: str
    correction: str | None


class Line(NamedTuple):
    """The numbers of a method in a cell.

    Attributes
    ----------
    key : str
        Of the cell.
    cell : Cell
    method : str
        Key.
    strengths : tuple of float
        The chosen strength under each seed; NaN without one.
    means : dict of str to dict
        The row of `StudyResult.means` of each metric.
    difference : dict or None
        The row of `StudyResult.differences`; None for the baseline.
    """

    key: str
    cell: Cell
    method: str
    strengths: tuple[float, ...]
    means: dict[str, dict[str, Any]]
    difference: dict[str, Any] | None


def lines(result: StudyResult, comparison: Comparison, metrics: list[str]) -> Iterator[Line]:
    """Yield the numbers of each method in each cell."""
    by_metric = [
        result.means(metric).set_index(["cell", "method"]).to_dict("index") for metric in metrics
    ]
    differences = (
        result.differences(
            comparison.metric,
            comparison.baseline,
            interval=comparison.interval,
            correction=comparison.correction,
        )
        .set_index(["cell", "method"])
        .to_dict("index")
    )
    chosen = result.chosen.groupby(["cell", "method"], sort=False)["strength"]
    strengths = {key: tuple(map(float, own)) for key, own in chosen}
    for key, position in result.positions.items():
        cell = result.study.cells[position]
        for method in result.methods:
            at = key, method
            means = {name: of[at] for name, of in zip(metrics, by_metric, strict=True)}
            yield Line(key, cell, method, strengths.get(at, ()), means, differences.get(at))


def as_text(result: StudyResult, comparison: Comparison) -> str:
    """Return means, and paired differences with their intervals, as a table by cell."""
    study = result.study
    columns = _criteria(study)
    others = [key for key in OTHERS if key in columns and key != comparison.metric]
    metric = columns[comparison.metric]
    base = _name(study.cells[0], comparison.baseline)[0]
    heads = [columns[key].label for key in others]
    rows = [("Method", "Strength", metric.label, f"Difference from {base}", *heads)]
    captions: dict[int, str] = {}  # by the number of rows before
    last = ""
    for line in lines(result, comparison, [comparison.metric, *others]):
        if line.key != last and study.axes:
            captions[len(rows)] = _caption(study, line.cell)
        last = line.key
        texts = [_mean(columns[key], line.means[key]) for key in (comparison.metric, *others)]
        difference = "" if line.difference is None else _difference(metric, line.difference)
        name, strength = _strength(line)
        rows.append((name, strength, texts[0], difference, *texts[1:]))
    while len(rows[0]) > 4 and max(map(len, output.table(rows).splitlines())) > COLUMNS:
        rows = [row[:-1] for row in rows]
    printed = []
    for i, text in enumerate(output.table(rows).splitlines()):
        printed += [f"\n{captions[i]}"] if i in captions else []
        printed.append(text)
    cells = f", {len(study.cells):,} cells" * (len(study.cells) > 1)
    seeds = f"{len(study.seeds)} seed{'s' * (len(study.seeds) > 1)}"
    varied = dict(study.vary)
    epochs = "" if "training.epochs" in varied else f", epoch {study.base.training.epochs}"
    data = "Study" if "data.name" in varied else dataset_label(study.base.data)
    body = "\n".join(printed)
    return f"{data}{epochs}{cells}, {seeds}\n\n{body}\n\n{_notes(study, comparison)}"


def _criteria(study: Study) -> dict[str, Criterion]:
    """Return name and format of the metrics of a study."""
    known = {one.key: one for one in criteria(make_dataset(study.base.data), 0)}
    more = [
        Criterion("train_accuracy", "Training accuracy", "", percent=True),
        Criterion("validation_accuracy", "Validation accuracy", "", "higher", percent=True),
        Criterion("validation_loss", "Validation loss", "", "lower"),
        Criterion("norm", "Norm", ""),
    ]
    return {one.key: one for one in more} | known


def _caption(study: Study, cell: Cell) -> str:
    """Return the values of a cell: ``"Hidden layers 8-8, noise 0.3"``."""
    parts: list[str] = []
    for axis, (_, value) in zip(study.axes, cell.values, strict=True):
        text = axis.texts[axis.values.index(value)]
        parts.append(f"{axis.label if not parts else axis.label.lower()} {text}")
    return ", ".join(parts)


def _name(cell: Cell, method: str, strength: float | None = None) -> tuple[str, str]:
    """Return the name of a method, and its strength in words: of a network, or of all its own."""
    own = [row for row in cell.rows if row.method == method]
    if method == EARLY_STOPPING:
        return "Early stopping", f"patience {patience_of(cell.experiment.training)}"
    row = next((row for row in own if row.strength == strength), own[0])
    acting = cell.experiment.acting(cell.experiment.training.epochs)
    named = label(acting[row.network], method if method in METHODS else None)
    return named.name, named.strength


def _strength(line: Line) -> tuple[str, str]:
    """Return the name of a line's method, and the chosen strength or the range of them."""
    chosen = sorted({strength for strength in line.strengths if strength == strength})
    name, first = _name(line.cell, line.method, chosen[0] if chosen else None)
    if len(chosen) < 2:
        return name, first
    method = METHODS.get(line.method)
    numbers = [f"{100 * s:.3g} %" if method and method.percent else f"{s:g}" for s in chosen]
    symbol = method.symbol if method else ""
    return name, f"{symbol} {numbers[0]} to {numbers[-1]}".strip()


def _mean(column: Criterion, row: dict[str, Any]) -> str:
    """Return mean ± standard error, or the number of seeds under which a method diverged."""
    if row["n_diverged"]:
        return f"{row['n_diverged']} diverged"
    return column.text(row["mean"], row["standard_error"])


def _difference(column: Criterion, row: dict[str, Any]) -> str:
    """Return a difference with its interval, and a mark if it is clear."""
    scale, unit = (100, " %") if column.percent else (1, "")
    numbers = [scale * float(row[name]) for name in ("mean", "low", "high")]
    if not all(map(math.isfinite, numbers)):
        return "– "
    half = (numbers[2] - numbers[1]) / 2
    if half * EQUAL <= abs(numbers[0]):
        half = abs(numbers[0]) or 1.0
    # to the first digit of the interval's half, or the second if the first is 1 or 2
    n_digits = min(max(-math.floor(math.log10(half / 3)), 0), 6)
    mean, low, high = (f"{number:z.{n_digits}f}" for number in numbers)
    return f"{mean} [{low}, {high}]{unit}{MARK if row['clear'] else ' '}"


def _notes(study: Study, comparison: Comparison) -> str:
    """Return how the numbers of the table are computed, in lines of at most 100 characters."""
    n = len(study.cells) * (len(methods_of(study)) - 1)
    notes = [f"Mean ± standard error over {len(study.seeds)} seeds."]
    if study.choose and methods_with_choice(study):
        notes.append("For each seed, the validation loss chooses the strength.")
    if n:
        sentence = f"Differences are taken seed by seed, with {100 * LEVEL:.0f} % intervals"
        notes.append(f"{sentence} ({comparison.interval}).")
        after = ""
        if n > 1 and comparison.correction is not None:
            name = _CORRECTIONS[comparison.correction]
            after = f" after the correction of {name} for {n:,} comparisons"
        notes.append(f"{MARK} is clear: p < {1 - LEVEL:.2g} by a paired t test{after}.")
    if isinstance(study.base.data, PointsSpec):
        notes.append("Errors allow for the overlap of the splits (Nadeau & Bengio 2003).")
    return "\n".join(notes)


def as_content(result: StudyResult, comparison: Comparison) -> dict[str, Any]:
    """Return means and differences of all metrics' chosen networks for JSON."""
    study = result.study
    columns = _criteria(study)
    metrics = [key for key in columns if key in result.frame.columns]
    cells: dict[str, dict[str, Any]] = {}
    for line in lines(result, comparison, metrics):
        values = {
            axis.path: axis.column[axis.values.index(value)]
            for axis, (_, value) in zip(study.axes, line.cell.values, strict=True)
        }
        cell = cells.setdefault(line.key, {"cell": line.key, **values, "methods": []})
        name, strength = _strength(line)
        cell["methods"].append(
            {
                "method": line.method,
                "name": name,
                "strength": strength,
                "chosen_strengths": list(line.strengths),
                "means": {key: _plain(row) for key, row in line.means.items()},
                "difference": None if line.difference is None else _plain(line.difference),
            }
        )
    return {
        "study": study.id,
        "seeds": list(study.seeds),
        **asdict(comparison),
        "cells": list(cells.values()),
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a table without its axes, and with the numbers of Python."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in row.items()
        if "." not in name
    }
