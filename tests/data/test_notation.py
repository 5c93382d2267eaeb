"""Tests of number parsing: the decimal sign is decided for each column."""

import io
import re
import time
import zipfile
from typing import Any

import openpyxl
import pytest
from defusedxml.common import EntitiesForbidden

from regviz.data.notation import Notation, is_number, notations, parse
from regviz.data.table import read
from regviz.data.workbook import read_workbook
from tests.support.uploads import workbook


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("980", 980, 980),
        ("34.5", 34.5, None),
        ("34,5", None, 34.5),
        ("1,010", 1010, 1.01),
        ("1.010", 1.01, 1010),
        ("0,123", None, 0.123),
        ("1,331.5", 1331.5, None),
        ("1.331,5", None, 1331.5),
        ("12,345,678", 12_345_678, None),
        ("1 010", 1010, 1010),
        ("1\u00a0010,5", None, 1010.5),
        ("1\u202f234\u202f567.25", 1_234_567.25, None),
        ("1’010.5", 1010.5, None),
        ("1 010,5", None, 1010.5),
        ("−3", -3, -3),
        ("−1.5e−3", -0.0015, None),
        (".5", 0.5, None),
        ("1 010,000", None, 1010),
        ("1,0101", None, 1.0101),
        ("01,010", None, 1.01),
        ("1,,010", None, None),
        ("1 01", None, None),
        ("1.2.3", None, None),
        ("1_000", None, None),
        ("١", None, None),
        ("one", None, None),
        ("", None, None),
    ],
)
def test_a_cell_is_read_with_either_decimal_sign(
    cell: str, point: float | None, comma: float | None
):
    assert (parse(cell, "."), parse(cell, ",")) == (point, comma)
    assert is_number(cell) == (point is not None or comma is not None)


WHOLE = ["600", "980", "1,010", "1,050"]


@pytest.mark.parametrize(
    ("column", "others", "delimiter", "expected"),
    [
        # decided by the column itself
        (["1,5", "1,010"], [], ";", Notation(",")),
        (["1.5", "1,010"], [], "\t", Notation(".")),
        (["0,1", "1,8"], [], ",", Notation(",")),
        (["1.331,5", "980"], [], ";", Notation(",")),
        (["1,331.5", "980"], [], ";", Notation(".")),
        (["1.234.567", "980"], [], ";", Notation(",")),
        # decided by other columns
        (["980", "1.010"], [["34,5", "35,5"]], ";", Notation(",")),
        (["980", "1,010"], [["34.5", "35.5"]], ";", Notation(".")),
        # a comma among whole numbers separates thousands
        (WHOLE, [], "\t", Notation(".")),
        (WHOLE, [], ";", Notation(".")),
        (WHOLE, [["A", "B"]], ",", Notation(".")),
        # ambiguous
        (WHOLE, [["34,5", "35,5"]], "\t", Notation(",", "1,010")),
        (["1,010", "2,020"], [], "\t", Notation(".", "1,010")),
        (["1,010", "2,020"], [], ";", Notation(",", "1,010")),
        (["1.010", "2.020"], [], ";", Notation(".", "1.010")),
        (WHOLE[2:], [["0,5"], ["0.5"]], ";", Notation(",", "1,010")),
        # not ambiguous: commas are delimiters
        (["1.010", "2.020"], [], ",", Notation(".")),
        (["600", "980"], [], ";", Notation(".")),
    ],
)
def test_the_decimal_sign_is_decided_by_column(
    column: list[str], others: list[list[str]], delimiter: str, expected: Notation
):
    assert notations([column, *others], delimiter)[0] == expected


def test_text_does_not_decide_how_numbers_are_written():
    text = ["v 1", "0.5", "v 3", "v 4"]
    assert notations([["980", "1.010"], text, ["34,5", "1"]], ";")[0] == Notation(",")


def test_cells_of_a_workbook_are_taken_as_what_they_are():
    import datetime

    day = datetime.datetime(2024, 2, 1)
    rows: list[list[object]] = [["x", "y", "day", "on"]]
    rows += [[i / 8, 1000 * i, day, i % 2 == 0] for i in range(12)]
    table = read(workbook(("empty", []), ("Points", rows)))
    assert (table.sheet, table.delimiter, table.encoding) == ("Points", "", "")
    assert table.numbers("x") == [i / 8 for i in range(12)]
    assert table.numbers("y") == [1000 * i for i in range(12)]
    assert (table.rows[0][2:], table.first_row) == (("2024-02-01", "true"), 2)


def test_a_workbook_that_unpacks_to_too_much_is_refused():
    cells = [["x" * 30_000 + str(i), i, i] for i in range(500)]
    content = workbook(("bomb", cells))
    assert len(content) < 1_000_000
    with pytest.raises(ValueError, match=r"at most 12,000,000 bytes when unpacked, got 1\d,"):
        read(content)


@pytest.mark.parametrize(
    ("member", "before", "more", "message"),
    [
        ("xl/styles.xml", "</fonts>", "<font/>" * 400_000, "40,000 elements that are not cells"),
        ("xl/workbook.xml", "</sheets>", '<x:sheet name="a"/>' * 200, "100 sheets, got 201"),
        ("xl/worksheets/sheet1.xml", "</row>", "<c/>" * 800_000, "700,000 elements of XML"),
        ("docProps/app.xml", "</Properties>", "<a/>" * 100_000, ""),
        ("xl/theme/theme1.xml", "</a:theme>", "<a/>" * 100_000, ""),
    ],
)
def test_a_workbook_of_too_many_elements_is_refused_before_it_is_parsed(
    member: str, before: str, more: str, message: str
):
    rows = [["x", "y", "z"], *([i, i * i, i % 2] for i in range(12))]
    out = io.BytesIO()
    packed = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(workbook(("Points", rows)))) as good, packed as bad:
        for name in good.namelist():
            body = good.read(name).decode()
            if name == member:
                assert before in body
                body = body.replace(before, more + before, 1)
            bad.writestr(name, body)
    assert len(out.getvalue()) < 30_000
    start = time.process_time()
    if message:
        with pytest.raises(ValueError, match=f"the file must be a workbook of at most {message}"):
            read(out.getvalue())
    else:  # of a part without cells
        assert len(read(out.getvalue()).rows) == 12
    assert time.process_time() - start < 2


def test_sheets_that_share_a_member_are_read_once(monkeypatch: pytest.MonkeyPatch):
    content = workbook(("far", []), ("Points", [["x"] * 3, *([i, i, i] for i in range(12))]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as good, zipfile.ZipFile(out, "w") as bad:
        for name in good.namelist():
            body = good.read(name)
            if name == "xl/workbook.xml":
                (sheet,) = re.findall(rb'<sheet [^>]*"far"[^>]*/>', body)
                body = body.replace(sheet, sheet * 50)
            bad.writestr(name, body)
    sheet_class = type(openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0])
    read_titles, iter_rows = [], sheet_class.iter_rows

    def noting(sheet: Any, **more: Any) -> Any:
        read_titles.append(sheet.title)
        return iter_rows(sheet, **more)

    monkeypatch.setattr(sheet_class, "iter_rows", noting)
    assert read_workbook(out.getvalue(), 3000, 101)[0] == "Points"
    assert len(read_titles) == 2


def test_a_workbook_of_as_many_cells_as_a_table_may_have_is_read():
    body = [["AB"[i % 2]] * 100 for i in range(2000)]
    table = read(workbook(("Points", [[f"n{j}" for j in range(100)], *body])), header=True)
    assert (len(table.rows), len(table.names)) == (2000, 100)


def test_a_workbook_of_too_many_rows_or_columns_is_refused():
    with pytest.raises(ValueError, match=r"10 to 2000 rows below its header, got 2999 or more"):
        read(workbook(("long", [["x", "y", "z"], *([i, i, i] for i in range(5000))])))
    wide = openpyxl.Workbook()
    for row in range(1, 20):
        wide.active.cell(row, 16_384, row)
    out = io.BytesIO()
    wide.save(out)
    with pytest.raises(ValueError, match="cells in its first 102 columns, got none"):
        read(out.getvalue())
    with pytest.raises(ValueError, match="at most 102 columns, got 103"):
        read(workbook(("wide", [[*range(300)] for _ in range(12)])))


def test_a_damaged_workbook_is_refused():
    content = workbook(("Points", [["x", "y", "z"], *([i, i, i] for i in range(12))]))
    for damaged in (content[: len(content) // 2], content.replace(b"xl/", b"xx/")):
        with pytest.raises(ValueError, match="Excel workbook"):
            read(damaged)


def test_entities_in_a_workbook_are_refused():
    content = workbook(("Points", [["x", "y", "z"], *([i, i, i] for i in range(12))]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as good, zipfile.ZipFile(out, "w") as bad:
        for name in good.namelist():
            body = good.read(name)
            if name == "xl/worksheets/sheet1.xml":
                start = body.index(b"<worksheet")
                body = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + body[start:]
            bad.writestr(name, body)
    with pytest.raises(ValueError, match=r"Excel workbook .* that can be opened") as refused:
        read(out.getvalue())
    causes: list[BaseException | None] = [refused.value]
    while causes[-1] is not None:
        causes.append(causes[-1].__cause__ or causes[-1].__context__)
    assert any(isinstance(cause, EntitiesForbidden) for cause in causes)
