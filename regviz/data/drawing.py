"""Points that a visitor draws in the browser, and validation of the browser's messages."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from regviz.data.columns import KINDS, MIN_OF_CLASS, Kind
from regviz.spec.points import (
    MAX_ABS_COORDINATE,
    MAX_OWN_CLASSES,
    MAX_POINTS,
    MIN_POINTS,
    PointsSpec,
)
from regviz.spec.validation import invalid


@dataclass
class Drawing:
    """The server's copy of the points that a visitor draws.

    Attributes
    ----------
    version : int
        Number of calls of `load`. Messages of the browser about an earlier version are ignored.
    kind : {"classes", "value"}
        Meaning of the third number of each row.
    rows : list of [float, float, float]
        The points as ``[x1, x2, y]``.
    names : tuple of str
        Names of the classes; empty for default names.
    standardize : bool
        The parameter of `PointsSpec`.
    known_keys : set of int
        Keys (`points_key`) of points that were loaded or drawn in this version: receiving them
        again is no change from outside, so they need not be loaded.
    """

    version: int = 0
    kind: Kind = "classes"
    rows: list[list[float]] = field(default_factory=list)
    names: tuple[str, ...] = ()
    standardize: bool = True
    known_keys: set[int] = field(default_factory=set)

    def load(self, spec: PointsSpec) -> None:
        """Replace the drawing by these points and start a new version."""
        self.version += 1
        self.kind = "value" if spec.task == "regression" else "classes"
        self.rows = [list(row) for row in spec.points]
        self.names, self.standardize = spec.names, spec.standardize
        self.known_keys = {points_key(spec)}

    def apply_message(self, message: Any) -> None:
        """Replace the points by those of a browser's message, unless its version is outdated.

        Parameters
        ----------
        message : dict
            ``{"version": int, "kind": "classes" or "value", "points": [[x1, x2, y], …]}``.

        Raises
        ------
        ValueError
            If the message does not have this form, or has more than 2000 points.
        """
        if not isinstance(message, dict) or type(message.get("version")) is not int:
            raise invalid("the drawing", "of a known version", message)
        if message["version"] != self.version:
            return
        kind, rows = message.get("kind"), message.get("points")
        if kind not in KINDS or not isinstance(rows, list) or len(rows) > MAX_POINTS:
            raise invalid("the drawing", f"of at most {MAX_POINTS} classes or values", message)
        for row in rows:
            if not _is_point(row, kind):
                raise invalid("a point", "(x₁, x₂, class or value)", row)
        self.kind, self.rows = kind, rows

    def spec(self) -> PointsSpec | None:
        """Return the points, or None if there are fewer than 10, or fewer than 3 of a class."""
        counts = Counter(y for _, _, y in self.rows)
        n_classes = max(2, int(max(counts, default=0)) + 1) if self.kind == "classes" else 0
        task = {0: "regression", 2: "binary"}.get(n_classes, "multiclass")
        few = task != "regression" and min(counts[c] for c in range(n_classes)) < MIN_OF_CLASS
        if few or len(self.rows) < MIN_POINTS:
            return None
        names = self.names if len(self.names) == n_classes and self.kind == "classes" else ()
        rows = tuple((x1, x2, y) for x1, x2, y in self.rows)
        return PointsSpec(rows, task, names, standardize=self.standardize)  # type: ignore[arg-type]


def _is_point(row: Any, kind: Kind) -> bool:
    return (
        isinstance(row, list)
        and [type(x) in (int, float) for x in row] == [True] * 3
        and all(abs(x) <= MAX_ABS_COORDINATE for x in row)
        and (kind == "value" or row[2] in range(MAX_OWN_CLASSES))
    )


def points_key(spec: PointsSpec) -> int:
    """Return the hash of points and task, which does not depend on the split."""
    return hash((spec.points, spec.task))
