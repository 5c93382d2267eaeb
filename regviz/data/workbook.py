"""Read an Excel workbook's cells as text, with bounds on its unpacked size and its XML elements."""

import datetime
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl

from regviz.data.notation import NumericCell
from regviz.spec.validation import Unquoted, invalid

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

SIGNATURE = b"PK\x03\x04"  # of ZIP archives: .xlsx files are some
OLD_SIGNATURE = b"\xd0\xcf\x11\xe0"  # of .xls files
MAX_UNPACKED_BYTES = 12_000_000  # 2,000 rows of 100 cells of 50 bytes come to 10 MB
MAX_MEMBERS = 500
# openpyxl needs 10 to 25 µs per element: 200,000 cells of text are 602,000 elements and take 5 s
MAX_ELEMENTS = 700_000
# fonts, borders, merged cells and so on: openpyxl creates a large object for each
MAX_OTHER_ELEMENTS = 40_000
MAX_SHEETS = 100  # openpyxl opens all of them, even if the first one has the table

# parts without cells, strings or formats of numbers: charts, pivot tables, properties and so on
_UNUSED = re.compile(r"xl/(worksheets/_rels|(?!_rels/|worksheets/)[^/]+)/|docProps/|customXml/")
# start tags of anything but rows, cells and their text
_OTHER = re.compile(rb"<(?![/!?]|(?:[\w.-]+:)?(?:row|c|v|f|is|t|si)[\s/>])")
_SHEET = re.compile(rb"<(?:[\w.-]+:)?sheet[\s/>]")
_OPENABLE = "an Excel workbook (.xlsx) that can be opened"


def read_workbook(content: bytes, max_rows: int, max_columns: int) -> tuple[str, list[list[str]]]:
    """Return the name and the rows of the first sheet that is not empty.

    A cell that holds a number is a `NumericCell` in any number format; other cells are plain text.
    A formula is read as the value that was saved with it. All rows have the same length; empty
    rows at the bottom and empty columns on the right are dropped.

    Parameters
    ----------
    content : bytes
        An .xlsx file.
    max_rows, max_columns : int
        Rows and columns beyond these numbers are not read.

    Raises
    ------
    ValueError
        If the file is damaged, has no cells, or unpacks to more than 12,000,000 bytes, 700,000
        elements of XML or 100 sheets.
    """
    members = _unpack(content)
    _check_elements(members)
    try:
        # not `pandas.read_excel`: it has no bound on columns, and one cell in column XFD gives
        # rows of 16,384 cells
        book = openpyxl.load_workbook(
            _pack(members), read_only=True, data_only=True, keep_links=False
        )
        # several sheets may refer to one member of the archive, which is then read only once
        for sheet in {sheet._worksheet_path: sheet for sheet in book.worksheets}.values():
            rows = _rows(sheet, max_rows, max_columns)
            if rows:
                return str(sheet.title), rows
    except Exception as error:  # openpyxl raises exceptions of many types for a damaged file
        raise invalid("the file", _OPENABLE, Unquoted(type(error).__name__)) from error
    allowed = f"a workbook with cells in its first {max_columns - 1} columns"
    raise invalid("the file", allowed, Unquoted("none"))


def _unpack(content: bytes) -> dict[str, bytes]:
    """Return the contents of the archive's members that openpyxl needs, by name."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            # declared sizes can be trusted: zipfile reads at most so many bytes of a member
            size = sum(member.file_size for member in members)
            fits = size <= MAX_UNPACKED_BYTES and len(members) <= MAX_MEMBERS
            used = [member for member in members if fits and not _UNUSED.match(member.filename)]
            bodies = {member.filename: archive.read(member) for member in used}
    except Exception as error:  # zipfile raises many types for a damaged or encrypted archive
        raise invalid("the file", _OPENABLE, Unquoted("a damaged archive")) from error
    if not fits:
        came = Unquoted(f"{size:,} in {len(members):,} parts")
        raise _too_large(f"{MAX_UNPACKED_BYTES:,} bytes when unpacked", came)
    return bodies


def _check_elements(members: dict[str, bytes]) -> None:
    """Raise ValueError for more XML elements than openpyxl reads in seconds.

    The bound on bytes does not suffice: the shortest elements have four bytes.
    """
    elements = sum(body.count(b"<") - body.count(b"</") for body in members.values())
    if elements > MAX_ELEMENTS:
        raise _too_large(f"{MAX_ELEMENTS:,} elements of XML", Unquoted(f"{elements:,}"))
    others = sum(_count(_OTHER, body) for body in members.values())
    if others > MAX_OTHER_ELEMENTS:
        allowed = f"{MAX_OTHER_ELEMENTS:,} elements that are not cells (fonts, borders, …)"
        raise _too_large(allowed, Unquoted(f"{others:,}"))
    sheets = sum(_count(_SHEET, body) for body in members.values())
    if sheets > MAX_SHEETS:
        raise _too_large(f"{MAX_SHEETS} sheets", Unquoted(f"{sheets:,}"))


def _count(pattern: re.Pattern[bytes], body: bytes) -> int:
    return sum(1 for _ in pattern.finditer(body))


def _too_large(allowed: str, came: Unquoted) -> ValueError:
    return invalid("the file", f"a workbook of at most {allowed}", came)


def _pack(members: dict[str, bytes]) -> io.BytesIO:
    """Return an archive of the checked members only, for openpyxl to open."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out


def _rows(sheet: "ReadOnlyWorksheet", max_rows: int, max_columns: int) -> list[list[str]]:
    sheet.reset_dimensions()  # some programs write wrong ones
    rows = [
        [_text(value) for value in row]
        for row in sheet.iter_rows(max_row=max_rows, max_col=max_columns, values_only=True)
    ]
    while rows and not any(rows[-1]):
        rows.pop()
    width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell), default=0)
    return [(row + [""] * width)[:width] for row in rows]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return NumericCell(value)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return NumericCell(int(value) if whole else repr(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value).strip()
