"""A CSV file or an Excel sheet as a table of text. Errors name the row of the file."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from regviz.data.notation import (
    MISSING,
    Notation,
    Sign,
    is_number,
    mostly_numbers,
    notations,
    parse,
)
from regviz.data.workbook import OLD_SIGNATURE, SIGNATURE, read_workbook
from regviz.spec.points import MAX_POINTS, MIN_POINTS
from regviz.spec.validation import Unquoted, invalid

MAX_BYTES = 1_000_000
MIN_COLUMNS, MAX_COLUMNS = 3, 102  # up to 100 inputs, a label and a split
MAX_SHEET_ROWS = 3_000  # of a workbook, including empty ones around the table
LONGEST_NAME = 60
# in order of precedence if two fit equally well: "1,5;2,5;0" has decimal commas
DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "vertical bar", " ": "space"}

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# control characters that no text file has, and bytes that windows-1252 does not define
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1b\x7f\x81\x8d\x8f\x90\x9d]")
# the first line that tells Excel the delimiter
_SEPARATOR = re.compile(r'"?sep=([^\n])"?[^\n]*(?=\n|$)', re.IGNORECASE)
_SAMPLE = 100  # rows from which delimiter and header are detected


@dataclass(frozen=True)
class Table:
    """Rows of text, all of the same length.

    Attributes
    ----------
    names : tuple of str
        Names of the columns, all different; ``"column 1"`` and so on where the file has no name.
    rows : tuple of tuple of str
        The cells, without the header and without space around them.
    first_row : int
        Row of the file in which ``rows`` begins. Rows count from 1 and include the header, as in a
        spreadsheet.
    has_header : bool
        Whether the first row of the file holds the names.
    delimiter : str
        One of `DELIMITERS`; empty for a sheet.
    encoding : str
        ``"UTF-8"``, ``"UTF-16"`` or ``"windows-1252"``; empty for a sheet.
    sheet : str
        Name of the sheet, if the file is a workbook.
    notations : tuple of Notation
        Decimal sign of each column.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first_row: int
    has_header: bool
    delimiter: str
    encoding: str
    sheet: str
    notations: tuple[Notation, ...]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        at = self._index(name)
        return [row[at] for row in self.rows]

    def cells(self, name: str) -> Iterator[tuple[int, str]]:
        """Iterate over the cells of a column, each with its row in the file."""
        return enumerate(self.column(name), start=self.first_row)

    def numbers(self, name: str) -> list[float | None]:
        """Return the cells of a column as numbers; None where a cell holds anything else."""
        decimal = self.notation(name).decimal
        return [parse(cell, decimal) for cell in self.column(name)]

    def notation(self, name: str) -> Notation:
        """Return the decimal sign of a column."""
        return self.notations[self._index(name)]

    def with_decimal(self, name: str, sign: Sign) -> "Table":
        """Return the table with this decimal sign in a column."""
        at = self._index(name)
        changed = replace(self.notations[at], decimal=sign)
        return replace(self, notations=(*self.notations[:at], changed, *self.notations[at + 1 :]))

    def is_numeric(self, name: str) -> bool:
        """Return whether most cells of a column are numbers, not counting missing ones."""
        return name in self._numeric

    @cached_property
    def _numeric(self) -> frozenset[str]:
        columns = zip(self.names, zip(*self.rows, strict=True), self.notations, strict=True)
        return frozenset(name for name, cells, n in columns if mostly_numbers(cells, (n.decimal,)))

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise invalid("column", "one of " + ", ".join(map(repr, self.names)), name)
        return self.names.index(name)


def read(content: bytes, header: bool | None = None) -> Table:
    """Read a CSV file or an Excel workbook.

    A first line such as ``sep=;`` names the delimiter. Otherwise it is detected: among the
    delimiters that give at least three cells, it is the one with most rows of the same length.
    Empty rows around the table, and empty columns at its end, are dropped.

    Parameters
    ----------
    content : bytes
        Text in UTF-8 or windows-1252, or in UTF-16 with a byte order mark; or an .xlsx file, of
        which the first sheet with cells is read. At most 1,000,000 bytes.
    header : bool, optional
        Whether the first row holds the columns' names. By default, this is detected: it does if
        more columns of numbers begin with text than with a number.

    Raises
    ------
    ValueError
        If the file has another format, or the table is not 10 to 2000 rows of 3 to 100 cells each.
    """
    if len(content) > MAX_BYTES:
        raise invalid(
            "the file", f"at most {MAX_BYTES:,} bytes long", Unquoted(f"{len(content):,}")
        )
    if content.startswith(OLD_SIGNATURE):
        raise invalid(
            "the file", "text or .xlsx", Unquoted("an .xls file: save it as .xlsx or CSV")
        )
    delimiter = encoding = sheet = ""
    if content.startswith(SIGNATURE):
        sheet, records = read_workbook(content, MAX_SHEET_ROWS, MAX_COLUMNS + 1)
    else:
        text, encoding = _decode(content)
        delimiter, text = _delimiter(text)
        if not text.strip("".join((*DELIMITERS, "\n"))):
            raise invalid("the file", "a table in CSV format", Unquoted("an empty one"))
        records = _records(text, delimiter)
    while records and not any(records[-1]):
        records.pop()
    start = next((i for i, record in enumerate(records) if any(record)), 0)
    records = _without_empty_end(records[start:]) or [[]]  # of empty quotation marks alone
    _check_shape(records, first_row=start + 1)
    has_header = _has_header(records) if header is None else header
    columns = [f"column {i}" for i in range(1, len(records[0]) + 1)]
    if has_header:
        columns = [str(name or other) for name, other in zip(records[0], columns, strict=True)]
        _check_names(columns, row=start + 1)
        records = records[1:]
    if not MIN_POINTS <= len(records) <= MAX_POINTS:
        allowed = f"a table of {MIN_POINTS} to {MAX_POINTS} rows"
        cut = sheet and start + has_header + len(records) == MAX_SHEET_ROWS
        came = Unquoted(f"{len(records)} or more") if cut else len(records)
        raise invalid("the file", allowed + " below its header" * has_header, came)
    rows = tuple(map(tuple, records))
    return Table(
        names=tuple(columns),
        rows=rows,
        first_row=start + 1 + has_header,
        has_header=has_header,
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
        notations=tuple(notations(list(zip(*rows, strict=True)), delimiter)),
    )


def _decode(content: bytes) -> tuple[str, str]:
    """Return the file's text, with lines that end in line feeds, and its encoding."""
    matches = ((mark, name) for mark, name in _MARKS if content.startswith(mark))
    mark, encoding = next(matches, (b"", "utf-8"))
    body = content[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and not _BINARY.search(body):
            return "\n".join(_lines(body.decode("windows-1252"))), "windows-1252"
        came = "binary data" if encoding == "utf-8" else f"byte 0x{body[error.start]:02x}"
        raise _undecodable(body[: error.start].decode(encoding, "replace"), came) from error
    if "\0" in text:
        raise _undecodable(text[: text.index("\0")], "binary data")
    return "\n".join(_lines(text)), "UTF-8" if encoding == "utf-8" else "UTF-16"


def _undecodable(before: str, came: str) -> ValueError:
    where = f"in row {len(_lines(before))}"
    return invalid("the file", "text in UTF-8 (save as “CSV UTF-8”)", Unquoted(f"{came} {where}"))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _records(text: str, delimiter: str) -> list[list[str]]:
    """Split text into rows of cells; an empty line is a row without cells."""
    records: list[list[str]] = []
    if delimiter == " ":  # several spaces are one delimiter
        text = "\n".join(re.sub(" +", " ", line.strip(" ")) for line in text.split("\n"))
    reader = csv.reader(
        io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True
    )
    try:
        for record in reader:
            records.append([cell.strip() for cell in record])
    except csv.Error as error:
        allowed = "in CSV format, with every quotation mark closed"
        raise invalid(f"row {len(records) + 1}", allowed, Unquoted(error)) from error
    return records


def _delimiter(text: str) -> tuple[str, str]:
    """Return the delimiter, and the text, in which a ``sep=`` line is replaced by an empty one."""
    if line := _SEPARATOR.match(text):
        if line[1] not in DELIMITERS:
            allowed = "“sep=” and a comma, semicolon, tab, vertical bar or space"
            raise invalid("row 1", allowed, line[1])
        return line[1], text[line.end() :]
    sample = "\n".join(text.split("\n", _SAMPLE)[:_SAMPLE])

    def fit(delimiter: str) -> tuple[int, bool, float]:
        try:
            records = _records(sample, delimiter)
        except ValueError:  # a quotation mark is not closed within the sample
            records = [line.split(delimiter) for line in sample.split("\n")]
        counts = Counter(len(record) for record in records if any(record))
        if not counts:
            return 0, False, 0.0
        cells, rows = counts.most_common(1)[0]
        # a space ranks below all others, as cells of text contain spaces
        return min(cells, MIN_COLUMNS), delimiter != " ", rows / counts.total()

    return max(DELIMITERS, key=fit), text  # max returns the first of equals


def _without_empty_end(records: list[list[str]]) -> list[list[str]]:
    """Remove the empty columns at the right end."""
    width = len(records[0]) if records else 0
    while width > 1 and not any(any(record[width - 1 :]) for record in records):
        width -= 1
    return [record if any(record[width:]) else record[:width] for record in records]


def _check_shape(records: list[list[str]], first_row: int) -> None:
    cells = len(records[0])
    if cells < MIN_COLUMNS:
        allowed = "of three columns or more, separated by comma, semicolon, tab or space"
        raise invalid("the table", allowed, cells)
    if cells > MAX_COLUMNS:
        raise invalid("the table", f"of at most {MAX_COLUMNS} columns", cells)
    allowed = f"{cells} cells, as in row {first_row}"
    for row, record in enumerate(records, start=first_row):
        if not any(record):
            raise invalid(f"the length of row {row}", allowed, Unquoted("an empty row"))
        if len(record) != cells:
            raise invalid(f"the length of row {row}", allowed, len(record))


def _has_header(records: list[list[str]]) -> bool:
    """Return whether more columns of numbers begin with text than with a number."""
    names, *rows = records[: _SAMPLE + 1]
    votes = 0
    for name, cells in zip(names, zip(*rows, strict=True), strict=False):
        if name.lower() not in MISSING and mostly_numbers(cells):
            votes += -1 if is_number(name) else 1
    return votes > 0


def _check_names(names: list[str], row: int) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            allowed = "names that differ from column to column"
            raise invalid(f"row {row}", allowed, Unquoted(f"{name[:LONGEST_NAME]!r} {times} times"))
        if len(name) > LONGEST_NAME or not name.isprintable():
            allowed = f"names of at most {LONGEST_NAME} printable characters"
            raise invalid(f"row {row}", allowed, name)
