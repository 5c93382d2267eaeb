"""Selection of a table's feature and label columns, and their conversion to `PointsSpec`."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from regviz.data.notation import parse
from regviz.data.table import MIN_COLUMNS, Table
from regviz.spec.points import DECIMALS, MAX_ABS_COORDINATE, MAX_OWN_CLASSES, SPLITS, PointsSpec
from regviz.spec.validation import MAX_COLUMNS, Unquoted, choice, invalid

Kind = Literal["classes", "value"]
KINDS: tuple[Kind, ...] = ("classes", "value")
LONGEST_CLASS = 40
MIN_OF_CLASS = 3
NO_CLASS = ("", "na", "n/a", "nan", "null")
MAX_ABS_VALUE = 1e100  # bound on absolute values, so that no sum or square overflows float64
# names of a label column; "y" and "kind" are left out, as they are also names of features
_LABEL = r"(labels?|class(es)?|targets?|species|diagnosis|outcome|category|response)"
LABELS = re.compile(rf"{_LABEL}([_ ]{_LABEL})*")
# names of a column of row numbers; "heat_index" and "no" match too, so cells are checked as well
COUNTS = re.compile(r"(.*[_ ])?(id|index)|idx|nr\.?|no\.?|#|row|unnamed: 0")
SPLIT = "split"
# names of a column that holds the split, and its cells as indices into `SPLITS`
SPLIT_NAMES = (SPLIT, "set", "fold", "partition", "subset")
SPLIT_CELLS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1}
SPLIT_CELLS |= {"test": 2, "testing": 2}
COARSE = 0.01  # the largest accepted rounding error, in standard deviations of the column


@dataclass(frozen=True)
class Columns:
    """The columns that become points.

    Attributes
    ----------
    x1, x2, y : str
        Names of the two features and of the label.
    kind : {"classes", "value"}
        Whether the label is a class or the target of a regression.
    split : str
        Name of the column that assigns rows to training, validation and test; empty for none.
    more : tuple of str
        Names of further features, after ``x1`` and ``x2``.
    """

    x1: str
    x2: str
    y: str
    kind: Kind
    split: str = ""
    more: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features."""
        return (self.x1, self.x2, *self.more)

    @classmethod
    def guess(cls, table: Table) -> Self:
        """Guess the columns from their names and cells.

        - The label is the only column whose name matches `LABELS`; else the only column of text
          with 2 to 10 different cells; else ``y``, unless there is an ``x``; else the last column,
          or the last one of text if fewer than three columns are numeric.
        - The features are the first two other columns of numbers.
        - Columns of row numbers, columns without a name, and columns that hold only a split are
          chosen as features last, and never as the label.
        - The split is the first column of those that hold only a split and is not constant.
        """
        splits = [name for name in table.names if _is_split(table, name)]
        split = next((name for name in splits if len({*_parts(table, name)}) > 1), "")
        if _is_ours(table):
            x1, x2, y = table.names[0], table.names[1], table.names[-2]
            whole = all(re.fullmatch(r"\d+", cell) for cell in table.column(y))
            return cls(x1, x2, y, guess_kind(table, y) if whole else "value", split)
        names = [name for name in table.names if name not in splits]
        filled = [name for name in names if any(table.column(name))] or names or [*table.names]
        counting = {name for name in filled if _counts(table, name)}
        y = _guess_label(table, [name for name in filled if name not in counting] or filled)
        unnamed = {f"column {i}" for i in range(1, len(table.names) + 1)} & {*table.names}

        def rank(name: str) -> tuple[bool, bool, bool, bool]:
            numeric = table.is_numeric(name)
            return name in splits, not numeric, name in counting, name in unnamed

        features = sorted((name for name in table.names if name != y), key=rank)[:2]
        x1, x2 = sorted(features, key=table.names.index)
        return cls(x1, x2, y, guess_kind(table, y), "" if split in (x1, x2, y) else split)

    @property
    def scaled(self) -> tuple[str, ...]:
        """Names of the columns that are scaled: the features, and the target of a regression."""
        return (*self.features, self.y) if self.kind == "value" else self.features


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a column, over all rows."""

    name: str
    mean: float
    sd: float


def _is_ours(table: Table) -> bool:
    """Return whether the table has the form that `regviz.data.points_file.points_csv` writes."""
    *features, y, split = table.names
    return (
        len(features) >= 2
        and features == [f"x{i + 1}" for i in range(len(features))]
        and (y, split) == ("y", SPLIT)
        and table.is_numeric(y)
        and {*table.column(SPLIT)} <= {*SPLITS}
    )


def _is_split(table: Table, name: str) -> bool:
    """Return whether the column's name is in `SPLIT_NAMES` and all its cells in `SPLIT_CELLS`."""
    return name.casefold() in SPLIT_NAMES and None not in _parts(table, name)


def _parts(table: Table, name: str) -> list[int | None]:
    """Return the index into `SPLITS` for each cell of a column; None for any other text."""
    return [SPLIT_CELLS.get(cell.casefold()) for cell in table.column(name)]


def _counts(table: Table, name: str) -> bool:
    """Return whether a column holds row numbers.

    It does if its numbers increase by 1 from row to row, or if its name matches `COUNTS` and all
    its cells are different.
    """
    cells = table.column(name)
    values = [value for value in table.numbers(name) if value is not None]
    whole = len(values) == len(cells) and all(map(float.is_integer, values))
    if COUNTS.fullmatch(name.lower()) and (whole or not table.is_numeric(name)):
        return len({*cells}) == len(cells)
    return whole and bool((np.diff(np.clip(values, -MAX_ABS_VALUE, MAX_ABS_VALUE)) == 1).all())


def _guess_label(table: Table, candidates: list[str]) -> str:
    named = [name for name in candidates if LABELS.fullmatch(name.lower())]
    text = [name for name in candidates if not table.is_numeric(name)]
    few = [name for name in text if 2 <= len({*table.column(name)}) <= MAX_OWN_CLASSES]
    lower = {name.lower(): name for name in candidates}
    if len(named) == 1:
        return named[0]
    if len(few) == 1:
        return few[0]
    if "y" in lower and "x" not in lower:
        return lower["y"]
    last = candidates[-1]
    if last not in text and text and sum(map(table.is_numeric, table.names)) < MIN_COLUMNS:
        return text[-1]
    return last


def guess_kind(table: Table, name: str) -> Kind:
    """Guess whether a column holds classes or the targets of a regression.

    Classes are text, at most 10 different whole numbers, or at most 3 different numbers. Numbers
    are values if one of them has fewer than 3 rows, the minimum for a class.
    """
    if not table.is_numeric(name):
        return "classes"
    counts = Counter(value for value in table.numbers(name) if value is not None)
    if min(counts.values()) < MIN_OF_CLASS:
        return "value"
    few = all(map(float.is_integer, counts)) and len(counts) <= MAX_OWN_CLASSES
    return "classes" if few or len(counts) <= 3 else "value"


def numbers(table: Table, name: str) -> NDArray[np.float64]:
    """Return a column as an array of shape (n,).

    Raises
    ------
    ValueError
        If a cell is not a finite number; the message names the first such row and their count.
        Also if all numbers are equal.
    """
    values = table.numbers(name)
    is_wrong = [value is None or not abs(value) <= MAX_ABS_VALUE for value in values]
    wrong = [i for i, found in enumerate(is_wrong) if found]
    if wrong:
        more = f" (the first of {len(wrong)} such rows)" if len(wrong) > 1 else ""
        where = f"row {table.first_row + wrong[0]}, column {name!r}{more},"
        cell = table.column(name)[wrong[0]]
        raise invalid(where, _allowed(table, name, cell), cell or Unquoted("an empty cell"))
    array = np.array(values, dtype=np.float64)
    if np.ptp(array) == 0:
        raise invalid(
            f"column {name!r}", "of numbers that differ", Unquoted(f"{array[0]:g} in all rows")
        )
    return array


def _allowed(table: Table, name: str, cell: str) -> str:
    decimal = table.notation(name).decimal
    if parse(cell, "," if decimal == "." else ".") is None:
        return "a finite number"
    return f"a finite number with {decimal!r} as its decimal sign, as in the rest of the column"


def classes(table: Table, name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return a column as class numbers 0, 1, … of shape (n,), and the names of the classes.

    Classes are sorted as numbers if all cells are numbers, and else as text.

    Raises
    ------
    ValueError
        If a cell is empty, unprintable or longer than 40 characters, if there is one class or more
        than 10, or if a class has fewer than 3 rows.
    """
    for row, cell in table.cells(name):
        if cell.lower() in NO_CLASS:
            came = cell or Unquoted("an empty cell")
            raise invalid(f"row {row}, column {name!r},", "a class", came)
        if len(cell) > LONGEST_CLASS or not cell.isprintable():
            allowed = f"a class of at most {LONGEST_CLASS} printable characters"
            raise invalid(f"row {row}, column {name!r},", allowed, cell)
    cells = table.column(name)
    values = table.numbers(name)
    # numbers, so that 1 and 1.0 are one class
    keys = cells if None in values else values
    called: dict[str | float | None, str] = {}
    rows: dict[str | float | None, list[int]] = {}
    for row, (key, cell) in enumerate(zip(keys, cells, strict=True), start=table.first_row):
        called.setdefault(key, str(cell))  # plain text, also of a `NumericCell`
        rows.setdefault(key, []).append(row)
    where = f"column {name!r}"
    if len(called) == 1:
        raise invalid(
            where, f"of 2 to {MAX_OWN_CLASSES} classes", Unquoted(f"{cells[0]!r} in all rows")
        )
    if len(called) > MAX_OWN_CLASSES:
        key, more = list(called.items())[MAX_OWN_CLASSES]
        came = f"{len(called)}; row {rows[key][0]} brings class {MAX_OWN_CLASSES + 1}, {more!r}"
        raise invalid(where, f"of 2 to {MAX_OWN_CLASSES} classes", Unquoted(came))
    for key, members in rows.items():
        if len(members) < MIN_OF_CLASS:
            came = f"{len(members)} of {called[key]!r}, in row {members[0]}"
            allowed = f"such that each class has {MIN_OF_CLASS} rows"
            raise invalid(
                where, f"{allowed}: one each for training, validation and test", Unquoted(came)
            )
    order = sorted(called, key=lambda key: key)  # type: ignore[arg-type, return-value]
    return np.array([order.index(key) for key in keys], float), tuple(called[key] for key in order)


def spreads(table: Table, columns: Columns) -> tuple[Spread, ...]:
    """Return mean and standard deviation of each column that scaling acts on.

    Raises
    ------
    ValueError
        If one of them does not hold numbers.
    """
    result = []
    for name in columns.scaled:
        values = numbers(table, name)
        result.append(Spread(name, float(values.mean()), float(_spread(values)[1])))
    return tuple(result)


def needs_scaling(table: Table, columns: Columns) -> bool:
    """Return whether a column has a mean beyond ±1 or a standard deviation outside [1/3, 3]."""
    return any(
        not (abs(each.mean) <= 1 and 1 / 3 <= each.sd <= 3) for each in spreads(table, columns)
    )


def points(table: Table, columns: Columns, scale: bool = True) -> PointsSpec:
    """Return the chosen columns as points to train on.

    Parameters
    ----------
    table : Table
    columns : Columns
    scale : bool
        Whether to shift and scale the features, and the target of a regression, to mean 0 and
        standard deviation 1 over all rows, for which the three decimals of `PointsSpec` suffice.
        Its ``standardize``, which scales by the training points alone, is set to the same value.

    Raises
    ------
    ValueError
        If a column is chosen twice or has cells of the wrong kind; or, unscaled, if its numbers
        exceed 100,000 or differ too little for three decimals.
    """
    choice("kind", columns.kind, KINDS)
    if not any(map(table.is_numeric, table.names)):
        raise invalid("the table", "of two columns of numbers or more", Unquoted("none"))
    chosen = (*columns.features, columns.y)
    if len(columns.features) > MAX_COLUMNS:
        allowed = f"at most {MAX_COLUMNS} columns"
        raise invalid("the inputs", allowed, len(columns.features))
    split = ""
    if columns.split:
        parts = _parts(table, columns.split)
        if None in parts:
            row = parts.index(None)
            where = f"row {table.first_row + row}, column {columns.split!r},"
            raise invalid(where, "train, validation or test", table.column(columns.split)[row])
        split = "".join(map(str, parts))
    for name in chosen:
        if chosen.count(name) > 1:
            which, count = ("inputs", "") if columns.more else ("x₁, x₂", "three ")
            allowed = f"{count}different columns"
            raise invalid(f"{which} and the label", allowed, Unquoted(f"{name!r} twice"))
    read = _scaled if scale else _as_they_are
    features = [read(table, name) for name in columns.features]
    names: tuple[str, ...] = ()
    if columns.kind == "value":
        y, task = read(table, columns.y), "regression"
    else:
        y, names = classes(table, columns.y)
        task = "binary" if len(names) == 2 else "multiclass"
    rows = tuple(map(tuple, np.column_stack([*features, y]).tolist()))
    called = columns.features if columns.more else ()
    return PointsSpec(rows, task, names, standardize=scale, split=split, columns=called)  # type: ignore[arg-type]


def usable_inputs(table: Table, columns: Columns) -> tuple[str, ...]:
    """Return the columns that can be inputs: those of numbers, without label, split and counts."""
    others = [name for name in table.names if name not in (columns.y, columns.split)]
    return tuple(
        name
        for name in others
        if table.is_numeric(name) and not _counts(table, name) and not _is_split(table, name)
    )


def is_rounded(table: Table, columns: Columns) -> bool:
    """Return whether rounding to three decimals changes the unscaled numbers."""
    return any(_rounding(numbers(table, name)) for name in columns.scaled)


def _scaled(table: Table, name: str) -> NDArray[np.float64]:
    return _spread(numbers(table, name))[0]


def _as_they_are(table: Table, name: str) -> NDArray[np.float64]:
    values = numbers(table, name)
    for row, value in enumerate(values.tolist(), start=table.first_row):
        if abs(value) > MAX_ABS_COORDINATE:
            allowed = f"scaled, or from -{MAX_ABS_COORDINATE:,.0f} to {MAX_ABS_COORDINATE:,.0f}"
            raise invalid(f"row {row}, column {name!r},", allowed, value)
    sd = _spread(values)[1]
    if _rounding(values) > COARSE * sd:
        came = Unquoted(f"a standard deviation of {sd:.2g}")
        raise invalid(f"column {name!r}", f"scaled, as {DECIMALS} decimals are kept", came)
    return values


def _rounding(values: NDArray[np.float64]) -> float:
    """Return the largest error of rounding to `DECIMALS`."""
    if np.abs(values).max() > MAX_ABS_COORDINATE:
        return 0.0  # `_as_they_are` rejects these values
    error = float(np.abs(values - np.round(values, DECIMALS)).max())
    return error if error > 1e-9 else 0.0  # rounding error of float64, as in 0.1 + 0.2


def _spread(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the values with mean 0 and standard deviation 1, and their former deviation."""
    reach = np.ptp(values)
    # scaled to [0, 1] first: squares of differences below 1e-162 underflow to 0
    shares = (values - values.min()) / reach
    sd = shares.std()
    return (shares - shares.mean()) / sd, float(sd * reach)
