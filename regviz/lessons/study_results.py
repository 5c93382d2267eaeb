"""The committed results of the studies of claims: one CSV file for each study.

``make claims`` writes them. They have the chosen networks only, and of their numbers those that
lessons quote and draw.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regviz.lessons import results
from regviz.lessons.claim import all_studies
from regviz.studies.cell import arrow
from regviz.studies.result import StudyResult

if TYPE_CHECKING:
    from regviz.studies.study import Study

NUMBERS = ("strength", "train_loss", "test_loss")


@dataclass(frozen=True, eq=False)
class Networks:
    """The chosen networks of a study under one seed.

    Attributes
    ----------
    study : Study
    seed : int
    rows : mapping of tuple to mapping
        By cell key and method, the numbers of `NUMBERS`.
    """

    study: "Study"
    seed: int
    rows: Mapping[tuple[str, str], Mapping[str, float]]

    def value(self, name: str, method: str, values: Mapping[str, Any]) -> float:
        """Return a number of a method's network in a cell.

        Parameters
        ----------
        name : str
            One of `NUMBERS`.
        method : str
            Key of the method.
        values : mapping of str to value
            The cell, as for `regviz.Study.cell`.

        Raises
        ------
        ValueError
            If the method diverged under the seed at all of its strengths.
        """
        row = self.rows.get((_key(self.study, tuple(values.items())), method))
        if row is None:
            raise ValueError(f"{method} diverged at {dict(values)} under seed {self.seed}")
        return row[name]


@cache
def _key(study: "Study", values: tuple[tuple[str, Any], ...]) -> str:
    return study.cell(dict(values)).key


def networks(result: StudyResult) -> dict[int, Networks]:
    """Return the chosen networks of each seed."""
    by_seed: dict[int, dict[tuple[str, str], dict[str, float]]]
    by_seed = {seed: {} for seed in result.study.seeds}
    names = ("cell", "method", "seed", *NUMBERS)
    for row in _chosen(result).select(names).to_pylist():
        by_seed[row["seed"]][row["cell"], row["method"]] = {name: row[name] for name in NUMBERS}
    return {seed: Networks(result.study, seed, rows) for seed, rows in by_seed.items()}


def committed_form(result: StudyResult) -> StudyResult:
    """Return what a file holds of a result: chosen networks, with six significant digits.

    Claims are computed from this form, so that they say the same of the file.
    """
    return _from_rows(result.study, _rows(result))


def write(name: str, result: StudyResult) -> None:
    """Write the file of a study.

    Parameters
    ----------
    name : str
        Name of the study, such as ``"width.chosen"``.
    result : StudyResult
        Of `committed_form`.
    """
    names = _columns(result.study)
    lines = [",".join(names)]
    for row in _rows(result):
        short = {key: f"{row[key]:.{results.DIGITS}g}" for key in NUMBERS}
        short["strength"] = short["strength"].replace("nan", "")
        lines.append(",".join(str(value) for value in (row | short).values()))
    _path(name).write_text("\n".join(lines) + "\n", "utf-8")
    read.cache_clear()


@cache
def read(name: str) -> StudyResult:
    """Return the committed result of a study, with the columns that its file has.

    Raises
    ------
    KeyError
        If there is no such study.
    """
    study = all_studies()[name]
    return _from_rows(study, list(csv.DictReader(_path(name).read_text("utf-8").splitlines())))


def remove_others() -> None:
    """Delete the files of studies that no longer exist."""
    for path in results.FOLDER.glob("*.csv"):
        if path.stem not in all_studies():
            path.unlink()


def _path(name: str) -> Path:
    return results.FOLDER / f"{name}.csv"


def _columns(study: "Study") -> tuple[str, ...]:
    return (*(axis.path for axis in study.axes), "method", "seed", *NUMBERS)


def _chosen(result: StudyResult) -> Any:
    return result.table.filter(result.table["chosen"])


def _rows(result: StudyResult) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _chosen(result).select(_columns(result.study)).to_pylist()
    return rows


def _from_rows(study: "Study", rows: list[dict[str, Any]]) -> StudyResult:
    """Return the result of rows, whose values are numbers or the texts of a file."""
    pa = arrow()
    cells = {}
    for i, cell in enumerate(study.cells):
        at = study.cells.position(i)
        texts = tuple(str(axis.column[j]) for axis, j in zip(study.axes, at, strict=True))
        cells[texts] = cell
    columns: dict[str, list[Any]] = {"cell": []}
    columns |= {name: [] for name in (*_columns(study), "strength_index")}
    for row in rows:
        cell = cells[tuple(str(row[axis.path]) for axis in study.axes)]
        columns["cell"].append(cell.key)
        for axis in study.axes:
            of_axis = {str(value): value for value in axis.column}
            columns[axis.path].append(of_axis[str(row[axis.path])])
        columns["method"].append(row["method"])
        columns["seed"].append(int(row["seed"]))
        for name in NUMBERS:
            columns[name].append(results.rounded(float(row[name] or math.nan)))
        strength = columns["strength"][-1]
        of_method = [one for one in cell.rows if one.method == row["method"]]
        (index,) = [
            one.strength_index
            for one in of_method
            if one.strength == strength or len(of_method) == 1
        ]
        columns["strength_index"].append(index)
    n = len(rows)
    columns["gap"] = [
        test - train
        for test, train in zip(columns["test_loss"], columns["train_loss"], strict=True)
    ]
    table = pa.table(columns | {"chosen": [True] * n, "diverged": [False] * n})
    return StudyResult(study, table, len(study.cells))
