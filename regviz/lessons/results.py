"""The committed table of the claims' results: one JSON file for each module of claims.

``make claims`` writes it. The key of a record is the claim's name without the module; ``"holds"``
has a digit for each seed, 1 where the claim holds; ``"figures"`` has a number for each seed.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from regviz.lessons.claim import SEEDS, Result

FOLDER = Path(__file__).with_name("table")
DIGITS = 6  # significant ones of a figure


@dataclass(frozen=True)
class Record:
    """The results of a claim for all seeds.

    Attributes
    ----------
    holds : tuple of bool
        For each seed, whether the claim is true.
    figures : mapping of str to tuple of float
        For each figure, its value for each seed.
    """

    holds: tuple[bool, ...]
    figures: Mapping[str, tuple[float, ...]]

    @property
    def n_held(self) -> int:
        """Number of seeds in which the claim holds."""
        return sum(self.holds)

    @property
    def count(self) -> str:
        """The count in words, such as ``"19 of 20 seeds"``."""
        return f"{self.n_held} of {len(self.holds)} seeds"

    def median(self, figure: str) -> float:
        """Return the median of a figure over all seeds."""
        return statistics.median(self.figures[figure])

    @classmethod
    def of(cls, results: Sequence[Result]) -> "Record":
        """Return the record of a claim's results, one for each seed.

        Raises
        ------
        ValueError
            If the results have different figures.
        """
        names = list(results[0].figures)
        if any(set(result.figures) != set(names) for result in results):
            raise ValueError("the figures must have the same names for all seeds")
        values = {n: tuple(rounded(result.figures[n]) for result in results) for n in names}
        return cls(tuple(result.holds for result in results), values)


@cache
def table() -> dict[str, Record]:
    """Return all committed records by name of the claim."""
    records = {}
    for path in sorted(FOLDER.glob("*.json")):
        for name, content in json.loads(path.read_text("utf-8")).items():
            records[f"{path.stem}.{name}"] = _record(content)
    return records


def write(module: str, records: Mapping[str, Record]) -> None:
    """Write the file of a module.

    Parameters
    ----------
    module : str
        Name of the module, such as ``"noise"``.
    records : mapping of str to Record
        All records of the module, by name of the function; without any, the file is deleted.
    """
    path = FOLDER / f"{module}.json"
    table.cache_clear()
    if not records:
        path.unlink(missing_ok=True)
        return
    content = {name: _content(record) for name, record in records.items()}
    path.write_text(_text(content), "utf-8")


def read(module: str) -> dict[str, Record]:
    """Return the committed records of a module by name of the function."""
    prefix = f"{module}."
    return {
        name.removeprefix(prefix): record
        for name, record in table().items()
        if name.startswith(prefix)
    }


def rounded(value: float) -> float:
    """Return a number with the significant digits of the table."""
    return float(f"{value:.{DIGITS}g}")


def _record(content: Mapping[str, Any]) -> Record:
    figures = {name: tuple(values) for name, values in content["figures"].items()}
    record = Record(tuple(digit == "1" for digit in content["holds"]), figures)
    assert all(len(values) == len(SEEDS) for values in (record.holds, *figures.values()))
    return record


def _content(record: Record) -> dict[str, Any]:
    holds = "".join(str(int(held)) for held in record.holds)
    return {"holds": holds, "figures": dict(record.figures)}


def _text(content: Mapping[str, Any]) -> str:
    """Return JSON with one line for each figure, so that a change is one line of a diff."""
    parts = []
    for name, record in content.items():
        figures = ",\n".join(f'      "{k}": {json.dumps(v)}' for k, v in record["figures"].items())
        parts.append(
            f'  "{name}": {{\n    "holds": "{record["holds"]}",\n'
            f'    "figures": {{\n{figures}\n    }}\n  }}'
        )
    return "{\n" + ",\n".join(parts) + "\n}\n"
