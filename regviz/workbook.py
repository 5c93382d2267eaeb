"""The cells of an Excel workbook as text, within bounds on what it may unpack to."""

import datetime
import io
import zipfile
from typing import Any

import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from regviz.validation import Said, refuse

SIGNATURE = b"PK\x03\x04"  # of every ZIP archive, as which .xlsx files are stored
OLD_SIGNATURE = b"\xd0\xcf\x11\xe0"  # of .xls files
MAX_UNPACKED_BYTES = 12_000_000  # 2,000 rows of 100 cells of 50 bytes come to 10 MB
MAX_MEMBERS = 500

_OPENABLE = "an Excel workbook (.xlsx) that can be opened"


def read_workbook(content: bytes, max_rows: int, max_columns: int) -> tuple[str, list[list[str]]]:
    """Return the name and the rows of the first sheet that is not empty.

    Formulas stand for the values that were saved with them. Rows all have the same length, and
    rows and columns that are empty to the end are left out.

    Parameters
    ----------
    content : bytes
        An .xlsx file.
    max_rows, max_columns : int
        Rows and columns beyond these numbers are not read.

    Raises
    ------
    ValueError
        If the file is damaged, has no cells, or unpacks to more than 12,000,000 bytes.
    """
    _check_size(content)
    try:
        # `pandas.read_excel` has no bound on columns: one cell in column XFD makes 16,384 of them
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
        for sheet in book.worksheets:
            rows = _rows(sheet, max_rows, max_columns)
            if rows:
                return str(sheet.title), rows
    except Exception as error:  # of a damaged file, openpyxl raises many kinds
        raise refuse("the file", _OPENABLE, Said(type(error).__name__)) from error
    allowed = f"a workbook with cells in its first {max_columns - 1} columns"
    raise refuse("the file", allowed, Said("none"))


def _check_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise refuse("the file", _OPENABLE, Said("a damaged archive")) from error
    # the sizes hold: zipfile reads no more of a member than its size
    size = sum(member.file_size for member in members)
    if size > MAX_UNPACKED_BYTES or len(members) > MAX_MEMBERS:
        allowed = f"a workbook of at most {MAX_UNPACKED_BYTES:,} bytes when unpacked"
        raise refuse("the file", allowed, Said(f"{size:,} in {len(members):,} parts"))


def _rows(sheet: ReadOnlyWorksheet, max_rows: int, max_columns: int) -> list[list[str]]:
    sheet.reset_dimensions()  # which some programs write wrongly
    found = [
        [_text(value) for value in row]
        for row in sheet.iter_rows(max_row=max_rows, max_col=max_columns, values_only=True)
    ]
    while found and not any(found[-1]):
        found.pop()
    width = max((i + 1 for row in found for i, cell in enumerate(row) if cell), default=0)
    return [(row + [""] * width)[:width] for row in found]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value).strip()
