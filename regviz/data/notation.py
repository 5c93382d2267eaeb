"""Notation of numbers in a table: decimal sign and thousands separators of a column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Sign = Literal[".", ","]
SIGNS: tuple[Sign, Sign] = (".", ",")
MISSING = ("", "na", "n/a", "nan", "null", "none", "inf", "-inf", "?", "-")

# space, no-break space, thin space, narrow no-break space, and two apostrophes
_SEPARATORS = " \u00a0\u2009\u202f'\u2019"


def _pattern(decimal: Sign) -> re.Pattern[str]:
    """Return the pattern of numbers with this decimal sign, with or without grouped thousands.

    Groups are separated by the other sign, a space or an apostrophe, the same between all groups.
    """
    other = "," if decimal == "." else "."
    grouped = rf"[1-9]\d{{0,2}}([{other}{_SEPARATORS}])\d{{3}}(?:\1\d{{3}})*"
    mantissa = rf"(?:(?:\d+|{grouped})(?:\{decimal}\d*)?|\{decimal}\d+)"
    return re.compile(rf"[+-]?{mantissa}(?:[eE][+-]?\d+)?", re.ASCII)


_PATTERNS = {sign: _pattern(sign) for sign in SIGNS}
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


@dataclass(frozen=True)
class Notation:
    """The decimal sign of a column.

    Attributes
    ----------
    decimal : {".", ","}
    doubtful : str
        A cell such as ``"1,010"`` that is a different number under either sign, if the rest of the
        table does not determine the sign; else empty.
    """

    decimal: Sign = "."
    doubtful: str = ""


class NumericCell(str):
    """A cell that a spreadsheet stores as a number: its text has a decimal point."""

    __slots__ = ()


def parse(cell: str, decimal: Sign) -> float | None:
    """Return the number in a cell, or None if it holds anything else.

    ``decimal`` applies to text only: a `NumericCell` always has a decimal point.

    Examples
    --------
    >>> parse("−1.331,5", ",")
    -1331.5
    """
    if isinstance(cell, NumericCell):
        decimal = "."
    text = cell.replace("−", "-")
    match = _PATTERNS[decimal].fullmatch(text)
    if not match:
        return None
    if match[1]:
        text = text.replace(match[1], "")
    return float(text.replace(decimal, "."))


def is_number(cell: str) -> bool:
    """Return whether a cell is a number under either decimal sign."""
    return any(parse(cell, sign) is not None for sign in SIGNS)


def mostly_numbers(cells: Sequence[str], signs: Sequence[Sign] = SIGNS) -> bool:
    """Return whether more than half of the cells that are not missing are numbers."""
    present = [cell for cell in cells if cell.lower() not in MISSING]
    numbers = sum(any(parse(cell, sign) is not None for sign in signs) for cell in present)
    return 2 * numbers > len(present)


def notations(columns: Sequence[Sequence[str]], delimiter: str) -> list[Notation]:
    """Return the notation of each column.

    The rules, in this order:

    1. A cell such as ``"34,5"`` or ``"1,331.5"`` is a number under one decimal sign only and
       determines the sign of its column; the majority of such cells decides.
    2. A column without such a cell has the sign of the other columns, if they agree.
    3. Otherwise, a comma before exactly three digits separates thousands if the column also has
       whole numbers without a separator or the delimiter is no semicolon; a point is a decimal
       sign.

    A `NumericCell` is no evidence. A column whose numbers are all of this type has a decimal point.

    Parameters
    ----------
    columns : sequence of sequence of str
        The cells of each column, without a header.
    delimiter : str
        Delimiter of the file. Files with semicolons mostly have decimal commas.
    """
    decided = [_unambiguous_sign(cells) if mostly_numbers(cells) else None for cells in columns]
    signs = {sign for sign in decided if sign}
    of_file = signs.pop() if len(signs) == 1 else None
    return [
        Notation(sign) if sign else _guess(cells, delimiter, of_file)
        for sign, cells in zip(decided, columns, strict=True)
    ]


def _text(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if not isinstance(cell, NumericCell)]


def _unambiguous_sign(cells: Sequence[str]) -> Sign | None:
    """Return the sign under which most cells with only one reading are numbers; None without any.

    A tie gives the point.
    """
    only = dict.fromkeys(SIGNS, 0)
    for cell in _text(cells):
        readable = [sign for sign in SIGNS if parse(cell, sign) is not None]
        if len(readable) == 1:
            only[readable[0]] += 1
    if not any(only.values()):
        return None
    return "." if only["."] >= only[","] else ","


def _guess(cells: Sequence[str], delimiter: str, of_file: Sign | None) -> Notation:
    """Return the notation of a column in which every number is a number under both signs."""
    text = _text(cells)
    if len(text) < len(cells) and not any(map(is_number, text)):
        return Notation(".")
    doubtful = [cell for cell in text if parse(cell, ".") != parse(cell, ",")]
    if not doubtful:
        return Notation(of_file or ".")
    has_whole = any(map(_WHOLE.fullmatch, text))
    has_comma = any("," in cell for cell in doubtful)
    if of_file:
        contradicts = has_comma and has_whole and of_file == ","
        return Notation(of_file, doubtful[0] if contradicts else "")
    if has_comma:
        sign: Sign = "." if has_whole or delimiter != ";" else ","
        return Notation(sign, "" if has_whole else doubtful[0])
    return Notation(".", "" if delimiter == "," else doubtful[0])
