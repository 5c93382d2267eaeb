"""Which columns of a table are the points, and how they become numbers for `PointsSpec`."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from regviz.data.notation import parse
from regviz.data.table import MIN_COLUMNS, Table
from regviz.spec.points import DECIMALS, LARGEST, MAX_CLASSES, SPLITS, PointsSpec
from regviz.spec.validation import Said, choice, invalid

Kind = Literal["classes", "value"]
KINDS: tuple[Kind, ...] = ("classes", "value")
LONGEST_CLASS = 40
MIN_OF_CLASS = 3
NO_CLASS = ("", "na", "n/a", "nan", "null")
BEYOND = 1e100  # so that no sum or product overflows
# what a column is called that holds the label; "y" and "kind" mean other things, too
_LABEL = r"(labels?|class(es)?|targets?|species|diagnosis|outcome|category|response)"
LABELS = re.compile(rf"{_LABEL}([_ ]{_LABEL})*")
# what a column is called that counts the rows; so are "heat_index" and "no" of yes and no
COUNTS = re.compile(r"(.*[_ ])?(id|index)|idx|nr\.?|no\.?|#|row|unnamed: 0")
SPLIT = "split"
# what a column is called that holds the split, and its cells, as places in `SPLITS`
SPLIT_NAMES = (SPLIT, "set", "fold", "partition", "subset")
SPLIT_CELLS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1}
SPLIT_CELLS |= {"test": 2, "testing": 2}
COARSE = 0.01  # the largest rounding error that is let pass, in standard deviations


@dataclass(frozen=True)
class Columns:
    """The names of two features and a label, and whether the label is a class or a value.

    ``split`` names the column that says which points are for training, validation and test, if
    there is one.
    """

    x1: str
    x2: str
    y: str
    kind: Kind
    split: str = ""

    @classmethod
    def guess(cls, table: Table) -> Self:
        """Guess from names and cells.

        The label is the column that is named as one; else the only column of text with few
        classes; else ``y``, unless there is an ``x``; else the last column, or the last one of
        text. The features are the first two other columns of numbers. Columns that count the rows,
        and those without a name, come last as features and are never the label. So are columns
        that are named as a split and hold nothing else; the first of them is the split, unless it
        is the same in all rows.
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
        """The columns that scaling acts on."""
        return (self.x1, self.x2, self.y) if self.kind == "value" else (self.x1, self.x2)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a column, over all rows."""

    name: str
    mean: float
    sd: float


def _is_ours(table: Table) -> bool:
    """Whether the table is one that `regviz.data.points_file.points_csv` writes."""
    *features, y, split = table.names
    return (
        len(features) >= 2
        and features == [f"x{i + 1}" for i in range(len(features))]
        and (y, split) == ("y", SPLIT)
        and table.is_numeric(y)
        and {*table.column(SPLIT)} <= {*SPLITS}
    )


def _is_split(table: Table, name: str) -> bool:
    """Whether a column is named as a split, and each of its cells is a part of one."""
    return name.casefold() in SPLIT_NAMES and None not in _parts(table, name)


def _parts(table: Table, name: str) -> list[int | None]:
    """Return the place in `SPLITS` that each cell of a column names; None where it names none."""
    return [SPLIT_CELLS.get(cell.casefold()) for cell in table.column(name)]


def _counts(table: Table, name: str) -> bool:
    """Whether a column counts the rows one by one, or is named so and different in all of them."""
    cells = table.column(name)
    values = [value for value in table.numbers(name) if value is not None]
    whole = len(values) == len(cells) and all(map(float.is_integer, values))
    if COUNTS.fullmatch(name.lower()) and (whole or not table.is_numeric(name)):
        return len({*cells}) == len(cells)
    return whole and bool((np.diff(np.clip(values, -BEYOND, BEYOND)) == 1).all())


def _guess_label(table: Table, candidates: list[str]) -> str:
    named = [name for name in candidates if LABELS.fullmatch(name.lower())]
    text = [name for name in candidates if not table.is_numeric(name)]
    few = [name for name in text if 2 <= len({*table.column(name)}) <= MAX_CLASSES]
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
    """Guess whether a column holds classes or values.

    Text, and few different whole numbers, are classes; other numbers are values. So are numbers of
    which one has fewer rows than a class needs.
    """
    if not table.is_numeric(name):
        return "classes"
    counts = Counter(value for value in table.numbers(name) if value is not None)
    if min(counts.values()) < MIN_OF_CLASS:
        return "value"
    few = all(map(float.is_integer, counts)) and len(counts) <= MAX_CLASSES
    return "classes" if few or len(counts) <= 3 else "value"


def numbers(table: Table, name: str) -> NDArray[np.float64]:
    """A column ``(n,)`` as numbers.

    Raises
    ------
    ValueError
        If a cell is something else; the message names the first such row and says how many there
        are. Also if all numbers are the same.
    """
    values = table.numbers(name)
    wrong = [i for i, value in enumerate(values) if value is None or not abs(value) <= BEYOND]
    if wrong:
        more = f" (the first of {len(wrong)} such rows)" if len(wrong) > 1 else ""
        where = f"row {table.first_row + wrong[0]}, column {name!r}{more},"
        cell = table.column(name)[wrong[0]]
        raise invalid(where, _allowed(table, name, cell), cell or Said("an empty cell"))
    array = np.array(values, dtype=np.float64)
    if np.ptp(array) == 0:
        raise invalid(
            f"column {name!r}", "of numbers that differ", Said(f"{array[0]:g} in all rows")
        )
    return array


def _allowed(table: Table, name: str, cell: str) -> str:
    decimal = table.notation(name).decimal
    if parse(cell, "," if decimal == "." else ".") is None:
        return "a finite number"
    return f"a finite number with {decimal!r} as its decimal sign, as in the rest of the column"


def classes(table: Table, name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """A column ``(n,)`` as class numbers 0, 1, …, and what the classes are called.

    Classes are in the order of their numbers or else of the alphabet.

    Raises
    ------
    ValueError
        If a cell is empty or too long, if there is one class or more than 10, or if a class has
        fewer than 3 rows.
    """
    for row, cell in table.cells(name):
        if cell.lower() in NO_CLASS:
            came = cell or Said("an empty cell")
            raise invalid(f"row {row}, column {name!r},", "a class", came)
        if len(cell) > LONGEST_CLASS or not cell.isprintable():
            allowed = f"a class of at most {LONGEST_CLASS} printable characters"
            raise invalid(f"row {row}, column {name!r},", allowed, cell)
    cells = table.column(name)
    values = table.numbers(name)
    # 1 and 1.0 are one class
    keys = cells if None in values else values
    called: dict[str | float | None, str] = {}
    rows: dict[str | float | None, list[int]] = {}
    for row, (key, cell) in enumerate(zip(keys, cells, strict=True), start=table.first_row):
        called.setdefault(key, str(cell))  # plain text, also of a `NumericCell`
        rows.setdefault(key, []).append(row)
    where = f"column {name!r}"
    if len(called) == 1:
        raise invalid(where, f"of 2 to {MAX_CLASSES} classes", Said(f"{cells[0]!r} in all rows"))
    if len(called) > MAX_CLASSES:
        key, more = list(called.items())[MAX_CLASSES]
        came = f"{len(called)}; row {rows[key][0]} brings class {MAX_CLASSES + 1}, {more!r}"
        raise invalid(where, f"of 2 to {MAX_CLASSES} classes", Said(came))
    for key, members in rows.items():
        if len(members) < MIN_OF_CLASS:
            came = f"{len(members)} of {called[key]!r}, in row {members[0]}"
            allowed = f"such that each class has {MIN_OF_CLASS} rows"
            raise invalid(
                where, f"{allowed}: one each for training, validation and test", Said(came)
            )
    order = sorted(called, key=lambda key: key)  # type: ignore[arg-type, return-value]
    return np.array([order.index(key) for key in keys], float), tuple(called[key] for key in order)


def spreads(table: Table, columns: Columns) -> tuple[Spread, ...]:
    """Mean and standard deviation of the columns that scaling acts on.

    Raises
    ------
    ValueError
        If one of them does not hold numbers.
    """
    found = []
    for name in columns.scaled:
        values = numbers(table, name)
        found.append(Spread(name, float(values.mean()), float(_spread(values)[1])))
    return tuple(found)


def needs_scaling(table: Table, columns: Columns) -> bool:
    """Whether a column is far from mean 0 and standard deviation 1, by a factor of three or so."""
    return any(
        not (abs(each.mean) <= 1 and 1 / 3 <= each.sd <= 3) for each in spreads(table, columns)
    )


def points(table: Table, columns: Columns, scale: bool = True) -> PointsSpec:
    """The points that are to be trained on.

    Parameters
    ----------
    table : Table
    columns : Columns
    scale : bool
        Shift and scale both features, and a value that is to be predicted, to mean 0 and standard
        deviation 1 over all rows, so that three decimals suffice; and leave it to `PointsSpec` to
        scale the features by the training points alone. Else the numbers are used as they are.

    Raises
    ------
    ValueError
        If a column is chosen twice or does not hold what it should, or if its numbers are too large
        or too close to one another to be used as they are.
    """
    choice("kind", columns.kind, KINDS)
    if not any(map(table.is_numeric, table.names)):
        raise invalid("the table", "of two columns of numbers or more", Said("none"))
    chosen = (columns.x1, columns.x2, columns.y)
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
            raise invalid(
                "x₁, x₂ and the label", "three different columns", Said(f"{name!r} twice")
            )
    read = _scaled if scale else _as_they_are
    features = [read(table, columns.x1), read(table, columns.x2)]
    names: tuple[str, ...] = ()
    if columns.kind == "value":
        y, task = read(table, columns.y), "regression"
    else:
        y, names = classes(table, columns.y)
        task = "binary" if len(names) == 2 else "multiclass"
    rows = tuple(map(tuple, np.column_stack([*features, y]).tolist()))
    return PointsSpec(rows, task, names, standardize=scale, split=split)  # type: ignore[arg-type]


def is_rounded(table: Table, columns: Columns) -> bool:
    """Whether numbers that are used as they are lose decimals."""
    return any(_rounding(numbers(table, name)) for name in columns.scaled)


def _scaled(table: Table, name: str) -> NDArray[np.float64]:
    return _spread(numbers(table, name))[0]


def _as_they_are(table: Table, name: str) -> NDArray[np.float64]:
    values = numbers(table, name)
    for row, value in enumerate(values.tolist(), start=table.first_row):
        if abs(value) > LARGEST:
            allowed = f"scaled, or from -{LARGEST:,.0f} to {LARGEST:,.0f}"
            raise invalid(f"row {row}, column {name!r},", allowed, value)
    sd = _spread(values)[1]
    if _rounding(values) > COARSE * sd:
        came = Said(f"a standard deviation of {sd:.2g}")
        raise invalid(f"column {name!r}", f"scaled, as {DECIMALS} decimals are kept", came)
    return values


def _rounding(values: NDArray[np.float64]) -> float:
    """The largest error of rounding to so many decimals as are kept."""
    if np.abs(values).max() > LARGEST:
        return 0.0  # refused for its size
    error = float(np.abs(values - np.round(values, DECIMALS)).max())
    return error if error > 1e-9 else 0.0  # what is left of 0.1 + 0.2


def _spread(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The values with mean 0 and standard deviation 1, and their standard deviation before."""
    reach = np.ptp(values)
    # from 0 to 1 first: squares of tiny differences would be lost
    shares = (values - values.min()) / reach
    sd = shares.std()
    return (shares - shares.mean()) / sd, float(sd * reach)
