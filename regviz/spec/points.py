"""A visitor's own points, drawn or uploaded, as a frozen value with a compact text for links."""

import base64
import binascii
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from regviz.spec.validation import (
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
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class PointsSpec:
    """A visitor's own points in the plane, and how they are split.

    Parameters
    ----------
    points : array-like of shape (n, 3)
        10 to 2000 rows ``(x1, x2, y)`` of numbers from -100,000 to 100,000. They are rounded to
        three decimals, so that a link holds exactly the points that are trained on. ``y`` is a
        class number from 0 to 9, or the target of a regression.
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

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range, a class has fewer than 3 points, or a
        given split leaves a class without training points or no point for testing.

    See Also
    --------
    regviz.DataSpec : Toy datasets.
    regviz.Dataset : Arrays of any size, with any number of columns.
    """

    points: tuple[tuple[float, float, float], ...]
    task: Task = "binary"
    names: tuple[str, ...] = ()
    train_fraction: float = 0.5
    validation_fraction: float = 0.2
    standardize: bool = True
    seed: int = 0
    split: str = ""

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

    def _check_classes(self) -> int:
        """Return the number of classes.

        Raises
        ------
        ValueError
            If the classes are not 0, 1, … without gaps, or if one has fewer than 3 points, one for
            each split.
        """
        counts = Counter(y for _, _, y in self.points)
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
        trained = {y for (_, _, y), part in zip(self.points, split, strict=True) if part == "0"}
        labels = {y for _, _, y in self.points} if self.task != "regression" else trained
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
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return ("x1", "x2")

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
        return len({y for _, _, y in self.points}) if self.task == "multiclass" else 1

    def to_text(self) -> str:
        """Return the points as text of letters, digits, ``-`` and ``_``, for a link.

        The text is URL-safe base64 of zlib-compressed differences: one little-endian int32 for each
        number, in thousandths, column after column.
        """
        steps = np.rint(np.array(self.points) * 10**DECIMALS).astype("<i4").T
        body = zlib.compress(np.diff(steps, prepend=0).astype("<i4").T.tobytes("F"), 9)
        return base64.urlsafe_b64encode(body).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, **others: object) -> Self:
        """Build points from the text of `to_text`.

        Parameters
        ----------
        text : str
        **others
            Further parameters of `PointsSpec`.

        Raises
        ------
        ValueError
            If the text is damaged, or a parameter is not allowed.
        """
        allowed = f"text written by PointsSpec.to_text, with at most {MAX_POINTS} points"
        try:
            content = _unpacked(text, MAX_POINTS * 3 * 4)
        except ValueError as error:
            raise invalid("points", f"{allowed} ({error})", text[:40]) from error
        if len(content) % 12:
            raise invalid("points", allowed, text[:40])
        steps = np.frombuffer(content, "<i4").reshape(3, -1).astype(np.int64).cumsum(axis=1)
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


def _rows(points: ArrayLike) -> tuple[tuple[float, float, float], ...]:
    """Return the points as rows of three numbers, rounded to `DECIMALS`."""
    try:
        rows = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise invalid("points", "rows of three numbers", points) from error
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise invalid("points", "rows of three numbers", rows.shape)
    if not MIN_POINTS <= len(rows) <= MAX_POINTS:
        raise invalid("points", f"{MIN_POINTS} to {MAX_POINTS} rows", len(rows))
    wrong = rows[~(np.abs(rows) <= MAX_ABS_COORDINATE)]
    if wrong.size:
        raise invalid(
            "points",
            f"numbers from -{MAX_ABS_COORDINATE:g} to {MAX_ABS_COORDINATE:g}",
            float(wrong[0]),
        )
    # adding 0 turns -0 into 0, so that equal points have equal texts and digests
    return tuple(map(tuple, (np.round(rows, DECIMALS) + 0.0).tolist()))
