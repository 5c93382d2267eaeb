"""A visitor's own points, drawn or uploaded, as a frozen value with a compact text for links.

Points have two columns, as those that are drawn, or up to `MAX_COLUMNS`, as those of a table.
"""

import base64
import binascii
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from regviz.spec.validation import (
    MAX_COLUMNS,
    MAX_SEED,
    TASKS,
    Task,
    Unquoted,
    boolean,
    choice,
    integer,
    invalid,
    real,
)

MIN_POINTS, MAX_POINTS = 10, 2000
MAX_OWN_CLASSES = 10  # the number of colours and shapes in `regviz.methods.palette`
MAX_ABS_COORDINATE = 1e5
DECIMALS = 3
LONGEST_NAME = 40
LONGEST_COLUMN = 60
# of all rows and columns with y: rows are tuples, hashed and compared at each run of a page
MAX_NUMBERS = 100_000
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class PointsSpec:
    """A visitor's own points, and how they are split.

    Parameters
    ----------
    points : array-like of shape (n, p + 1)
        10 to 2000 rows ``(x1, …, xp, y)`` of numbers from -100,000 to 100,000, at most 100,000
        numbers in all, with p from 2 to 100. They are rounded to three decimals, so that a link
        holds exactly the points that are trained on. ``y`` is a class number from 0 to 9, or the
        target of a regression.
    task : {"binary", "multiclass", "regression"}
    names : sequence of str
        Names of the classes in the order of their numbers: all different, with 1 to 40 printable
        characters each. ``()`` stands for "class 0", "class 1" and so on.
    train_fraction : float
        Share of the points for training and validation, 0.05 to 0.95; the others are for testing.
    validation_fraction : float
        Share of these points that is held out for validation, 0 to 0.5.
    standardize : bool
        Whether to shift and scale each coordinate by the mean and standard deviation of the
        training points.
    seed : int
        Seed of the splits, 0 to 2**32 - 1.
    split : str
        One digit for each point: 0 for training, 1 for validation, 2 for test; fractions and seed
        are then ignored. ``""`` splits by fractions and seed.
    columns : sequence of str
        Names of the p columns: all different, with 1 to 60 printable characters each. ``()``
        stands for ``"x1"``, ``"x2"`` and so on.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range, a class has fewer than 3 points, or a
        given split leaves a class without training points or no point for testing.

    See Also
    --------
    regviz.DataSpec : Toy datasets.
    regviz.Dataset : Arrays of any size, with any number of columns.

    Examples
    --------
    >>> import regviz
    >>> points = [(x / 10, x * x / 100, int(x > 5)) for x in range(12)]
    >>> own = regviz.PointsSpec(points, names=("low", "high"), seed=1)
    >>> own.n_samples, own.columns
    (12, ('x1', 'x2'))
    >>> regviz.PointsSpec.from_text(own.to_text(), names=own.names, seed=1) == own
    True
    """

    points: tuple[tuple[float, ...], ...]
    task: Task = "binary"
    names: tuple[str, ...] = ()
    train_fraction: float = 0.5
    validation_fraction: float = 0.2
    standardize: bool = True
    seed: int = 0
    split: str = ""
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        choice("task", self.task, TASKS)
        object.__setattr__(self, "points", _rows(self.points))
        fraction = real("train_fraction", self.train_fraction, 0.05, 0.95)
        object.__setattr__(self, "train_fraction", fraction)
        fraction = real("validation_fraction", self.validation_fraction, 0, 0.5)
        object.__setattr__(self, "validation_fraction", fraction)
        boolean("standardize", self.standardize)
        object.__setattr__(self, "seed", integer("seed", self.seed, 0, MAX_SEED))
        n_classes = 0 if self.task == "regression" else self._check_classes()
        names = self.names
        if not isinstance(names, (tuple, list)) or not all(map(_is_name, names)):
            raise invalid("names", f"texts of 1 to {LONGEST_NAME} printable characters", names)
        if names and len(names) != n_classes:
            raise invalid("names", f"{n_classes} names, one for each class, or none", names)
        if len(set(names)) < len(names):
            raise invalid("names", "different for each class", names)
        object.__setattr__(self, "names", tuple(names))
        if self.split != "":
            self._check_split()
        object.__setattr__(self, "columns", self._checked_columns())

    def _checked_columns(self) -> tuple[str, ...]:
        """Return the names of the columns.

        Raises
        ------
        ValueError
            If they are not one name for each column, all different.
        """
        names, n = self.columns, len(self.points[0]) - 1
        if isinstance(names, (tuple, list)) and not names:
            return tuple(f"x{i + 1}" for i in range(n))
        fits = isinstance(names, (tuple, list)) and all(
            isinstance(name, str) and 1 <= len(name) <= LONGEST_COLUMN and name.isprintable()
            for name in names
        )
        if not fits or not len(set(names)) == len(names) == n:
            allowed = f"{n} different texts of 1 to {LONGEST_COLUMN} printable characters"
            raise invalid("columns", allowed, names)
        return tuple(names)

    def _check_classes(self) -> int:
        """Return the number of classes.

        Raises
        ------
        ValueError
            If the classes are not 0, 1, … without gaps, or if one has fewer than 3 points, one for
            each split.
        """
        counts = Counter(row[-1] for row in self.points)
        most = 2 if self.task == "binary" else MAX_OWN_CLASSES
        n_classes = 2 if self.task == "binary" else max(3, len(counts))
        for y in counts:
            if y not in range(most):
                raise invalid("points", f"of classes 0 to {most - 1}", y)
        for c in range(n_classes):
            if counts[c] < 3:
                raise invalid("points", f"with at least 3 points of class {c}", counts[c])
        return n_classes

    def _check_split(self) -> None:
        """Raise ValueError unless each class has a training point and there is a test point."""
        split = self.split
        if not isinstance(split, str) or len(split) != self.n_samples or {*split} - {*"012"}:
            raise invalid("split", "0, 1 or 2 for each point", split)
        if "2" not in split:
            raise invalid("split", "such that a point is in “test”", Unquoted("none"))
        trained = {row[-1] for row, part in zip(self.points, split, strict=True) if part == "0"}
        labels = {row[-1] for row in self.points} if self.task != "regression" else trained
        if not trained or labels - trained:
            missing = f"none of class {min(labels - trained):g}" if trained else "none"
            raise invalid(
                "split", "such that a point of each class is in “train”", Unquoted(missing)
            )

    @property
    def name(self) -> str:
        """``"own"``, in place of a toy dataset's name."""
        return "own"

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def relevant(self) -> None:
        """None: the columns that the targets depend on are not known."""
        return

    @property
    def n_samples(self) -> int:
        """Number of points of all splits."""
        return len(self.points)

    @property
    def n_outputs(self) -> int:
        """Number of units of the output layer."""
        return len({row[-1] for row in self.points}) if self.task == "multiclass" else 1

    def to_text(self) -> str:
        """Return the points as text of letters, digits, ``-``, ``_`` and ``.``, for a link.

        The text is URL-safe base64 of zlib-compressed differences: one little-endian int32 for each
        number, in thousandths, column after column. The number of columns and a dot precede it,
        unless there are two.

        Returns
        -------
        str
        """
        steps = np.rint(np.array(self.points) * 10**DECIMALS).astype("<i4").T
        body = zlib.compress(np.diff(steps, prepend=0).astype("<i4").T.tobytes("F"), 9)
        width = "" if self.n_columns == 2 else f"{self.n_columns}."
        return width + base64.urlsafe_b64encode(body).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, **others: object) -> Self:
        """Build points from the text of `to_text`.

        Parameters
        ----------
        text : str
        **others
            Further parameters of `PointsSpec`.

        Returns
        -------
        PointsSpec

        Raises
        ------
        ValueError
            If the text is damaged, or a parameter is not allowed.
        """
        allowed = f"text written by PointsSpec.to_text, with at most {MAX_POINTS} points"
        head, dot, body = text.rpartition(".")
        width = 1 + (int(head) if re.fullmatch("[0-9]{1,3}", head) else 0 if dot else 2)
        try:
            content = _unpacked(body, min(MAX_POINTS * width, MAX_NUMBERS) * 4)
        except ValueError as error:
            raise invalid("points", f"{allowed} ({error})", text[:40]) from error
        if width < 3 or not content or len(content) % (4 * width):
            raise invalid("points", allowed, text[:40])
        steps = np.frombuffer(content, "<i4").reshape(width, -1).astype(np.int64).cumsum(axis=1)
        return cls(tuple(map(tuple, (steps.T / 10**DECIMALS).tolist())), **others)  # type: ignore[arg-type]


def pack_split(split: str) -> str:
    """Return the ``split`` of a `PointsSpec` as text for a link: URL-safe base64 of zlib data."""
    body = zlib.compress(split.encode(), 9)
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def unpack_split(text: str) -> str:
    """Return the split from the text of `pack_split`.

    Raises
    ------
    ValueError
        If the text is damaged.
    """
    try:
        return _unpacked(text, MAX_POINTS).decode("ascii")
    except ValueError as error:
        raise invalid("split", f"text of a link ({error})", text[:40]) from error


def _unpacked(text: str, limit: int) -> bytes:
    """Decode base64 text without padding, and decompress it to at most ``limit`` bytes.

    Raises
    ------
    ValueError
        If the text is damaged or decompresses to more.
    """
    try:
        body = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        content = reader.decompress(body, limit + 1)
    except (binascii.Error, zlib.error, TypeError) as error:
        raise ValueError(str(error)) from error
    if not reader.eof or reader.unused_data or len(content) > limit:
        raise ValueError(f"not complete, or more than {limit} bytes")
    return content


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 1 <= len(name) <= LONGEST_NAME and name.isprintable()


def _rows(points: ArrayLike) -> tuple[tuple[float, ...], ...]:
    """Return the points as rows of numbers, rounded to `DECIMALS`."""
    allowed = f"rows of three to {MAX_COLUMNS + 1} numbers"
    try:
        rows = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise invalid("points", allowed, points) from error
    if rows.ndim != 2 or not 3 <= rows.shape[1] <= MAX_COLUMNS + 1:
        raise invalid("points", allowed, rows.shape)
    if not MIN_POINTS <= len(rows) <= MAX_POINTS:
        raise invalid("points", f"{MIN_POINTS} to {MAX_POINTS} rows", len(rows))
    if rows.size > MAX_NUMBERS:
        came = Unquoted(f"{len(rows):,} rows of {rows.shape[1]}")
        raise invalid("points", f"at most {MAX_NUMBERS:,} numbers, rows times columns", came)
    wrong = rows[~(np.abs(rows) <= MAX_ABS_COORDINATE)]
    if wrong.size:
        raise invalid(
            "points",
            f"numbers from -{MAX_ABS_COORDINATE:g} to {MAX_ABS_COORDINATE:g}",
            float(wrong[0]),
        )
    # adding 0 turns -0 into 0, so that equal points have equal texts and digests
    return tuple(map(tuple, (np.round(rows, DECIMALS) + 0.0).tolist()))
