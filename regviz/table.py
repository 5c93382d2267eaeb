"""A CSV file as a table of text. Whatever is wrong with the file is told by its row."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from regviz.points import MAX_POINTS, MIN_POINTS
from regviz.validation import refuse

MAX_BYTES = 1_000_000
MIN_COLUMNS, MAX_COLUMNS = 3, 100
LONGEST_NAME = 60
# in the order of precedence where two would do: "1,5;2,5;0" has decimal commas
DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma"}
MISSING = ("", "na", "n/a", "nan", "null", "none", "inf", "-inf", "?", "-")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SAMPLE = 100  # rows that tell what the delimiter is, and whether there is a header


class Said(str):
    """What came, where an error message is to show it without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Table:
    """Rows of text, all of the same length.

    Attributes
    ----------
    names : tuple of str
        Of the columns, all different; ``"column 1"`` and so on where the file has no name.
    rows : tuple of tuple of str
        The cells, without the header and without space around them.
    first_row : int
        Row of the file in which ``rows`` begins. Rows count from 1 and include the header, as in a
        spreadsheet.
    has_header : bool
    delimiter : str
        Comma, semicolon or tab. Only with the latter two may numbers have a decimal comma.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first_row: int
    has_header: bool
    delimiter: str

    def column(self, name: str) -> list[str]:
        """The cells of a column.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        if name not in self.names:
            raise refuse("column", "one of " + ", ".join(map(repr, self.names)), name)
        at = self.names.index(name)
        return [row[at] for row in self.rows]

    def cells(self, name: str) -> Iterator[tuple[int, str]]:
        """The cells of a column, each with its row in the file."""
        return enumerate(self.column(name), start=self.first_row)

    def number(self, cell: str) -> float | None:
        """What a cell says, if it is a number and nothing else."""
        return _number(cell, self.delimiter)

    def is_numeric(self, name: str) -> bool:
        """Whether most cells of a column are numbers, those apart that are missing."""
        return _mostly_numbers(self.column(name), self.delimiter)


def read(content: bytes, header: bool | None = None) -> Table:
    """Read a CSV file.

    Cells are separated by commas, semicolons or tabs, whichever fits best. Empty rows around the
    table are left out.

    Parameters
    ----------
    content : bytes
        UTF-8, or UTF-16 with a byte order mark; at most 1,000,000 bytes.
    header : bool, optional
        Whether the first row holds the columns' names. By default, it does if it has text above
        columns of numbers.

    Raises
    ------
    ValueError
        If the file is not such a table, or has not 10 to 2000 rows of 3 to 100 cells.
    """
    text = _decode(content)
    if not text.strip("".join((*DELIMITERS, " \n"))):
        raise refuse("the file", "a table in CSV format", Said("an empty one"))
    delimiter = _delimiter(text)
    records = _records(text, delimiter)
    while records and not any(records[-1]):
        records.pop()
    start = next((i for i, record in enumerate(records) if any(record)), 0)
    records = records[start:] or [[]]  # of empty quotation marks alone
    _check_shape(records, first_row=start + 1)
    has_header = _has_header(records, delimiter) if header is None else header
    columns = [f"column {i}" for i in range(1, len(records[0]) + 1)]
    if has_header:
        columns = [name or other for name, other in zip(records[0], columns, strict=True)]
        _check_names(columns, row=start + 1)
        records = records[1:]
    if not MIN_POINTS <= len(records) <= MAX_POINTS:
        allowed = f"a table of {MIN_POINTS} to {MAX_POINTS} rows"
        raise refuse("the file", allowed + " below its header" * has_header, len(records))
    rows = tuple(map(tuple, records))
    return Table(tuple(columns), rows, start + 1 + has_header, has_header, delimiter)


def _decode(content: bytes) -> str:
    """The file's text, with lines that end in line feeds."""
    if len(content) > MAX_BYTES:
        raise refuse("the file", f"at most {MAX_BYTES:,} bytes long", Said(f"{len(content):,}"))
    found = ((mark, name) for mark, name in _MARKS if content.startswith(mark))
    mark, encoding = next(found, (b"", "utf-8"))
    body = content[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        binary = encoding == "utf-8" and b"\0" in body
        came = "binary data" if binary else f"byte 0x{body[error.start]:02x}"
        raise _undecodable(body[: error.start].decode(encoding, "replace"), came) from error
    if "\0" in text:
        raise _undecodable(text[: text.index("\0")], "binary data")
    return "\n".join(_lines(text))


def _undecodable(before: str, came: str) -> ValueError:
    where = f"in row {len(_lines(before))}"
    return refuse("the file", "text in UTF-8 (save as “CSV UTF-8”)", Said(f"{came} {where}"))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _records(text: str, delimiter: str) -> list[list[str]]:
    """Rows of cells; an empty line is a row without cells."""
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for record in reader:
            records.append([cell.strip() for cell in record])
    except csv.Error as error:
        allowed = "in CSV format, with every quotation mark closed"
        raise refuse(f"row {len(records) + 1}", allowed, Said(error)) from error
    return records


def _delimiter(text: str) -> str:
    """The delimiter under which most rows have the same number of cells, three or more."""
    sample = "\n".join(text.split("\n", _SAMPLE)[:_SAMPLE])

    def fit(delimiter: str) -> tuple[int, float]:
        try:
            records = _records(sample, delimiter)
        except ValueError:  # a quotation mark that is not closed within the sample, or at all
            records = [line.split(delimiter) for line in sample.split("\n")]
        counts = Counter(len(record) for record in records if any(record))
        if not counts:
            return 0, 0.0
        cells, rows = counts.most_common(1)[0]
        return min(cells, MIN_COLUMNS), rows / counts.total()

    return max(DELIMITERS, key=fit)  # the first of equals


def _check_shape(records: list[list[str]], first_row: int) -> None:
    cells = len(records[0])
    if cells < MIN_COLUMNS:
        allowed = "of three columns or more, separated by comma, semicolon or tab"
        raise refuse("the table", allowed, cells)
    if cells > MAX_COLUMNS:
        raise refuse("the table", f"of at most {MAX_COLUMNS} columns", cells)
    allowed = f"{cells} cells, as in row {first_row}"
    for row, record in enumerate(records, start=first_row):
        if not any(record):
            raise refuse(f"the length of row {row}", allowed, Said("an empty row"))
        if len(record) != cells:
            raise refuse(f"the length of row {row}", allowed, len(record))


def _has_header(records: list[list[str]], delimiter: str) -> bool:
    """Whether more columns of numbers have text in their first row than have a number there."""
    names, *rows = records[: _SAMPLE + 1]
    votes = 0
    for name, cells in zip(names, zip(*rows, strict=True), strict=False):
        if name.lower() not in MISSING and _mostly_numbers(cells, delimiter):
            votes += 1 if _number(name, delimiter) is None else -1
    return votes > 0


def _check_names(names: list[str], row: int) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            allowed = "names that differ from column to column"
            raise refuse(f"row {row}", allowed, Said(f"{name[:LONGEST_NAME]!r} {times} times"))
        if len(name) > LONGEST_NAME or not name.isprintable():
            allowed = f"names of at most {LONGEST_NAME} printable characters"
            raise refuse(f"row {row}", allowed, name)


def _mostly_numbers(cells: tuple[str, ...] | list[str], delimiter: str) -> bool:
    there = [cell for cell in cells if cell.lower() not in MISSING]
    numbers = sum(_number(cell, delimiter) is not None for cell in there)
    return 2 * numbers > len(there)


def _number(cell: str, delimiter: str) -> float | None:
    text = cell if delimiter == "," or "." in cell else cell.replace(",", ".", 1)
    return float(text) if _NUMBER.fullmatch(text) else None
