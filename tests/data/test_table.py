"""Tests of reading tables: round trips, and errors with row and column."""

import codecs
import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from regviz.data.columns import (
    Columns,
    classes,
    guess_kind,
    is_rounded,
    needs_scaling,
    numbers,
    points,
    spreads,
)
from regviz.data.table import DELIMITERS, MAX_BYTES, MAX_COLUMNS, Table, read
from regviz.spec.points import MAX_POINTS, PointsSpec
from tests.support.tables import assert_read_or_refused, lines

patient = settings(deadline=None, suppress_health_check=list(HealthCheck))
XY = Columns("x1", "x2", "kind", "classes")


def encoded(rows: list[str], encoding: str = "utf-8", end: str = "\n") -> bytes:
    return end.join(rows).encode(encoding)


def with_bad_line(line: int, text: str) -> bytes:
    """Return a valid file with another text in one line, counted from 1."""
    rows = lines()
    rows[line - 1] = text
    return encoded(rows)


def read_points(content: bytes, columns: Columns | None = None, scale: bool = True) -> PointsSpec:
    """Return the points of a file, read as the page does."""
    table = read(content)
    return points(table, columns or Columns.guess(table), scale)


# Accepted files


def test_a_file_becomes_the_points_that_it_holds():
    spec = read_points(encoded(lines()), scale=False)
    assert spec.points == tuple((i / 2, (-1) ** i * i * 0.25, i % 2) for i in range(12))
    assert (spec.task, spec.names, spec.standardize) == ("binary", ("a", "b"), False)


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("tail", ["", "\n", "\n\n \n", "\n{0}{0}\n"])
def test_delimiter_line_ends_and_encoding_do_not_matter(
    delimiter: str, end: str, encoding: str, tail: str
):
    rows = [line.replace(",", delimiter).replace("a", "grün") for line in lines()]
    text = "\n".join(rows) + tail.format(delimiter)
    table = read(text.replace("\n", end).encode(encoding))
    assert (table.delimiter, table.has_header, table.first_row) == (delimiter, True, 2)
    assert table.names == ("x1", "x2", "kind")
    assert table.rows[2] == ("1.0", "0.5", "grün")
    assert len(table.rows) == 12


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_both_orders_of_utf_16_are_read(mark: bytes):
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    table = read(mark + encoded(lines(), encoding))
    assert replace(table, encoding="UTF-8") == read(encoded(lines()))


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("header", ["x1,x2,kind", ""])
def test_a_decimal_comma_is_read_where_commas_do_not_separate(delimiter: str, header: str):
    rows = [line.replace(",", delimiter).replace(".", ",") for line in lines(header=header)]
    assert (
        read_points(encoded(rows), scale=False).points
        == read_points(encoded(lines()), scale=False).points
    )


def test_quotation_marks_hold_delimiters_and_line_ends():
    rows = ['"x, 1",x2,"kind; of"', *(f'{i},"{i * i}","a, ""{i % 2}"""' for i in range(12))]
    table = read(encoded(rows))
    assert table.names == ("x, 1", "x2", "kind; of")
    assert table.rows[3] == ("3", "9", 'a, "1"')


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ("x1,x2,kind", True),
        ("0.5,0.25,a", False),
        ("0.5,nan,a", False),
        ("nan,nan,a", False),
        ("x1,,kind", True),
        ("2019,2020,kind", False),
        ("width,2020,kind", False),  # one column needs scaling, one does not
    ],
)
def test_a_header_is_found_where_text_stands_above_numbers(first: str, found: bool):
    rows = [first, *(f"{i},{-i},{'ab'[i % 2]}" for i in range(12))]
    table = read(encoded(rows))
    assert table.has_header == found
    assert (len(table.rows), table.first_row) == ((12, 2) if found else (13, 1))


def test_the_header_can_be_overruled():
    rows = ["2019,2020,kind", *lines(header="")]
    assert read(encoded(rows), header=True).names == ("2019", "2020", "kind")
    table = read(encoded(lines()), header=False)
    assert (table.names, len(table.rows)) == (("column 1", "column 2", "column 3"), 13)


def test_a_column_without_a_name_is_numbered_and_chosen_last():
    """An example is the column of row numbers that pandas writes."""
    rows = [",x1,x2,kind", *(f"{i},{line}" for i, line in enumerate(lines(header="")))]
    table = read(encoded(rows))
    assert table.names == ("column 1", "x1", "x2", "kind")
    assert Columns.guess(table) == XY


@pytest.mark.parametrize(
    ("header", "row", "guess"),
    [
        ("kind,x1,x2", "{k},{x},{y}", XY),
        ("name,x1,x2,z,kind", "n{i},{x},{y},{i},{k}", XY),
        ("x1,x2,kind", "{x},{y},{y}1", Columns("x1", "x2", "kind", "value")),
        ("x1,x2,kind", "{x},{y},{b}", XY),
        ("x1,x2,kind,", "{x},{y},{k},", XY),
    ],
)
def test_the_first_two_columns_of_numbers_and_the_last_one_are_guessed(
    header: str, row: str, guess: Columns
):
    body = [row.format(i=i, x=i / 4, y=i * i / 2, k="pq"[i % 2], b=i % 3) for i in range(12)]
    assert Columns.guess(read(encoded([header, *body]))) == guess


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        ("b a", ("a", "b"), (1, 0)),
        ("10 9", ("9", "10"), (1, 0)),
        ("1 0.0 0", ("0.0", "1"), (1, 0, 0)),
        ("-1 +1", ("-1", "+1"), (0, 1)),
        ("c a b", ("a", "b", "c"), (2, 0, 1)),
        ("x 2 10", ("10", "2", "x"), (2, 1, 0)),
    ],
)
def test_classes_are_numbered_in_order(labels: str, names: tuple[str, ...], expected: Any):
    each = labels.split()
    rows = ["x1,x2,kind", *(f"{i},{-i},{each[i % len(each)]}" for i in range(18))]
    spec = read_points(encoded(rows), XY)
    assert spec.names == names
    assert spec.task == ("binary" if len(names) == 2 else "multiclass")
    assert tuple(y for _, _, y in spec.points) == expected * (18 // len(each))


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        (lambda i: i % 4 + 1, "classes"),
        (lambda i: i % 10, "classes"),
        (lambda i: i % 11, "value"),
        (lambda i: i % 3 / 2, "classes"),
        (lambda i: i % 4 / 2, "value"),
        (lambda i: i // 2, "value"),
        (lambda i: 0, "classes"),
    ],
)
def test_up_to_ten_whole_numbers_are_classes(label: Any, kind: str):
    body = [f"{i},{-i},{label(i)}" for i in range(40)]
    assert guess_kind(read(encoded(["x1,x2,kind", *body])), "kind") == kind


# Scaling


def big_table(n: int = 50, kind: str = "value") -> tuple[Table, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3)) * [1e6, 1e-6, 30] + [2e9, 5, -400]
    label = X[:, 2] if kind == "value" else (X[:, 2] > -400).astype(int)
    rows = [f"{a!r},{b!r},{c!r}" for a, b, c in zip(*X.T[:2].tolist(), label.tolist(), strict=True)]
    return read(encoded(["x1,x2,kind", *rows])), X


@pytest.mark.parametrize("kind", ["value", "classes"])
def test_scaled_columns_are_those_of_scikit_learn(kind: Any):
    table, X = big_table(kind=kind)
    columns = Columns("x1", "x2", "kind", kind)
    spec = points(table, columns)
    expected = StandardScaler().fit(X)
    scaled = expected.transform(X)[:, : 3 if kind == "value" else 2]
    assert np.abs(np.array(spec.points)[:, : scaled.shape[1]] - scaled).max() <= 0.0005 + 1e-9
    assert spec.standardize
    for column, each in enumerate(spreads(table, columns)):
        assert each.mean == pytest.approx(expected.mean_[column], rel=1e-12)
        assert each.sd == pytest.approx(expected.scale_[column], rel=1e-8)


def test_scaling_does_not_change_what_is_scaled_by_the_training_points():
    """Shift and scale cancel, so that no test point affects the training points."""
    table, X = big_table(kind="classes")
    scaled = np.array(points(table, XY).points)[:, :2]
    for part in (slice(0, 25), slice(10, 50)):
        before = StandardScaler().fit(X[part, :2]).transform(X[:, :2])
        after = StandardScaler().fit(scaled[part]).transform(scaled)
        assert np.abs(before - after).max() < 0.005


@pytest.mark.parametrize(
    ("factor", "shift", "needed"),
    [(1, 0, False), (1, 0.8, False), (1, 2, True), (2.5, 0, False), (5, 0, True), (0.2, 0, True)],
)
def test_scaling_is_advised_far_from_mean_0_and_standard_deviation_1(
    factor: float, shift: float, needed: bool
):
    x = np.random.default_rng(0).normal(size=40)
    x = factor * (x - x.mean()) / x.std() + shift
    good = (x - x.mean()) / x.std()
    rows = [f"{a!r},{b!r},{'ab'[i % 2]}" for i, (a, b) in enumerate(zip(good, x, strict=True))]
    table = read(encoded(["x1,x2,kind", *rows]).replace(b"np.float64(", b"").replace(b")", b""))
    assert needs_scaling(table, XY) == needed


def test_numbers_that_lose_decimals_are_told_of_or_refused():
    def table(step: float) -> Table:
        return read(encoded(["x1,x2,kind", *(f"{i * step},{i},{'ab'[i % 2]}" for i in range(12))]))

    assert not is_rounded(table(0.001), XY)
    assert not is_rounded(table(0.1), XY)
    assert is_rounded(table(0.1234), XY)
    assert points(table(0.1234), XY, scale=False).points[1][0] == 0.123
    with pytest.raises(ValueError, match="column 'x1' must be scaled, as 3 decimals are kept"):
        points(table(0.0004), XY, scale=False)
    assert points(table(0.0004), XY).n_samples == 12


def test_numbers_that_are_too_large_are_told_of_by_row():
    rows = lines()
    rows[7] = "123456,1,a"
    with pytest.raises(
        ValueError, match=r"row 8, column 'x1', must be scaled, or from -100,000 to"
    ):
        read_points(encoded(rows), scale=False)
    assert read_points(encoded(rows)).n_samples == 12


@pytest.mark.parametrize("scale", [1e-300, 5e-324, 1e-9, 1e99])
def test_numbers_of_any_size_can_be_scaled(scale: float):
    values = [i % 4 for i in range(12)]
    rows = ["x1,x2,kind", *(f"{v * scale!r},{i},{'ab'[i % 2]}" for i, v in enumerate(values))]
    found = np.array(read_points(encoded(rows), XY).points)[:, 0]
    assert np.abs(found - (np.array(values) - 1.5) / np.std(values)).max() <= 0.00051


# Refused files

NO_TEXT = r"the file must be text in UTF-8 \(save as “CSV UTF-8”\), got"
FAULTS = {
    "empty": (b"", "the file must be a table in CSV format, got an empty one"),
    "blank": (b" \n\n ;; \n", "the file must be a table in CSV format, got an empty one"),
    "mark alone": (codecs.BOM_UTF8, "got an empty one"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0", rf"{NO_TEXT} binary data in row 1"),
    "zip": (
        b"PK\x03\x04\x14\0\x06\0",
        r"the file must be an Excel workbook \(.xlsx\) that can be opened, got a damaged archive",
    ),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "got an .xls file: save it as .xlsx or CSV"),
    "NUL": (with_bad_line(5, "1,2\0,a"), rf"{NO_TEXT} binary data in row 5"),
    "NUL in UTF-16": (
        encoded([*lines()[:3], "1,\0,a"], "utf-16"),
        rf"{NO_TEXT} binary data in row 4",
    ),
    "not in windows-1252": (
        encoded([*lines()[:6], "1,2,\x81"], "latin-1", "\r\n"),
        rf"{NO_TEXT} binary data in row 7",
    ),
    "half of UTF-16": (encoded(lines()[:4], "utf-16")[:-1], rf"{NO_TEXT} byte 0x.. in row 4"),
    "too long": (b"1,2,a\n" * (MAX_BYTES // 6 + 1), "at most 1,000,000 bytes long, got 1,000,002"),
    "one column": (b"1\n" * 12, "of three columns or more, separated by comma, .*, got 1"),
    "two columns": (b"1;2\n" * 12, "of three columns or more, separated by comma, .*, got 2"),
    "many columns": (b"1" + b",2" * MAX_COLUMNS + b"\n", "of at most 102 columns, got 103"),
    "few rows": (encoded(lines(9)), "of 10 to 2000 rows below its header, got 9"),
    "many rows": (encoded(lines(2001)), "of 10 to 2000 rows below its header, got 2001"),
    "many rows, no header": (encoded(lines(2345, "")), "of 10 to 2000 rows, got 2345"),
    "short row": (
        with_bad_line(4, "1,2"),
        "the length of row 4 must be 3 cells, as in row 1, got 2",
    ),
    "long row": (
        with_bad_line(9, "1,2,a,b"),
        "the length of row 9 must be 3 cells, as in row 1, got 4",
    ),
    "empty row": (
        with_bad_line(6, ""),
        "the length of row 6 must be 3 cells, as in row 1, got an empty",
    ),
    "open quote": (
        with_bad_line(7, '1,"2,a'),
        "row 7 must be in CSV format, with every quotation mark",
    ),
    "text after quote": (
        with_bad_line(7, '1,"2"3,a'),
        "row 7 must be in CSV format, .* expected after",
    ),
    "same names": (with_bad_line(1, "x1,x1,kind"), "row 1 must be names that differ.*'x1' 2 times"),
    "long name": (
        with_bad_line(1, "x1," + "y" * 61 + ",kind"),
        "row 1 must be names of at most 60",
    ),
    "unprintable name": (with_bad_line(1, "x1,x\x07,kind"), "row 1 must be names of .* printable"),
    "text": (with_bad_line(3, "one,2,a"), "row 3, column 'x1', must be a finite number, got 'one'"),
    "NaN": (
        with_bad_line(13, "1,NaN,a"),
        "row 13, column 'x2', must be a finite number, got 'NaN'",
    ),
    "inf": (with_bad_line(2, "inf,2,a"), "row 2, column 'x1', must be a finite number, got 'inf'"),
    "overflow": (with_bad_line(2, "1e999,2,a"), "row 2, column 'x1', must be a finite number"),
    "empty cell": (
        with_bad_line(5, "1,,a"),
        "row 5, column 'x2', must be a finite number, got an empty",
    ),
    "other decimal sign": (
        with_bad_line(5, '"1,25",2,a'),
        r"row 5, column 'x1', must be a finite number with '.' as its decimal sign, as in the rest"
        " of the column, got '1,25'",
    ),
    "underscore": (with_bad_line(5, "1_0,2,a"), "row 5, column 'x1', must be a finite number"),
    "other digits": (with_bad_line(5, "١,2,a"), "row 5, column 'x1', must be a finite number"),
    "no numbers": (
        encoded(["x1,x2,kind", *("a,b,c" for _ in range(12))]),
        "the table must be of two columns of numbers or more, got none",
    ),
    "constant": (
        encoded(["x1,x2,kind", *(f"5,{i},{'ab'[i % 2]}" for i in range(12))]),
        "column 'x1' must be of numbers that differ, got 5 in all rows",
    ),
    "no class": (
        with_bad_line(4, "1,2,"),
        "row 4, column 'kind', must be a class, got an empty cell",
    ),
    "NaN class": (with_bad_line(4, "1,2,nan"), "row 4, column 'kind', must be a class, got 'nan'"),
    "long class": (with_bad_line(4, "1,2," + "c" * 41), "row 4, column 'kind', .* of at most 40"),
    "one class": (
        encoded(["x1,x2,kind", *(f"{i},{-i},a" for i in range(12))]),
        "column 'kind' must be of 2 to 10 classes, got 'a' in all rows",
    ),
    "eleven classes": (
        encoded(["x1,x2,kind", *(f"{i},{-i},{'aabcdefghijk'[i % 12]}" for i in range(12))]),
        "column 'kind' must be of 2 to 10 classes, got 11; row 13 brings class 11, 'k'",
    ),
    "rare class": (
        with_bad_line(8, "1,2,c"),
        "column 'kind' must be such that each class has 3 rows: one each for training, validation"
        " and test, got 1 of 'c', in row 8",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_told_by_row_and_column(fault: str):
    content, message = FAULTS[fault]
    with pytest.raises(ValueError, match=message) as told:
        read_points(content, None if fault == "no numbers" else XY)
    assert len(str(told.value)) < 300


def test_rows_are_counted_as_in_the_file_where_it_begins_with_empty_ones():
    with pytest.raises(ValueError, match="row 6, column 'x1', must be a finite number"):
        read_points(b"\n\n" + with_bad_line(4, "?,2,a"))


def test_a_column_can_be_chosen_once_and_must_be_there():
    table = read(encoded(lines()))
    with pytest.raises(ValueError, match=r"three different columns, got 'x1' twice"):
        points(table, Columns("x1", "x1", "kind", "classes"))
    with pytest.raises(ValueError, match=r"three different columns, got 'x2' twice"):
        points(table, Columns("x1", "x2", "x2", "classes"))
    with pytest.raises(ValueError, match="column must be one of 'x1', 'x2', 'kind', got 'z'"):
        points(table, Columns("x1", "z", "kind", "classes"))
    with pytest.raises(ValueError, match="kind must be one of 'classes', 'value'"):
        points(table, Columns("x1", "x2", "kind", "other"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"row 2, column 'kind' \(the first of 12 such rows\),"):
        points(table, Columns("x1", "x2", "kind", "value"))


# Arbitrary content


@patient
@given(st.binary(max_size=500))
@example(b'"' * 300)
@example(b"\xff\xfe\x00\xd8" * 20)
@example(b"\xef\xbb\xbf" + b"1,2,3\n" * 12)
@example(b",".join([b"9" * 20_000] * 3) + b"\n")
@example(b"\n".join([b"9" * 4_400 + b",1,2", *[b"1,2,3"] * 12]))
@example(b"a" * 200_000)
def test_any_bytes_are_read_or_refused(content: bytes):
    assert_read_or_refused(content)


bits = st.sampled_from(
    [*'",;\t\n\r.-+eE_ "', "1", "2.5", "a", "b", "nan", "\0", "é", "\u2028", "1e400", "1,5", "=1+1"]
)


@patient
@given(st.lists(bits, max_size=150).map("".join), st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_anything_like_a_table_is_read_or_refused(text: str, encoding: str):
    assert_read_or_refused(text.encode(encoding, "replace"))


cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12
)


@patient
@given(st.data())
def test_a_written_table_is_read_back(data: st.DataObject):
    """Cells hold arbitrary text, quoted by the csv module."""
    n_columns = data.draw(st.integers(3, 6))
    n_rows = data.draw(st.integers(10, 20))
    row = st.lists(cells, min_size=n_columns, max_size=n_columns)
    rows = data.draw(st.lists(row, min_size=n_rows, max_size=n_rows))
    names = data.draw(st.lists(cells, min_size=n_columns, max_size=n_columns, unique=True))
    delimiter = data.draw(st.sampled_from(list(DELIMITERS)))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    content = out.getvalue().encode(encoding)
    if content.startswith(codecs.BOM_UTF8) and encoding == "utf-8":
        return  # its first name begins with the character of a byte order mark
    table = read(content, header=True)
    assert table.names == tuple(names)
    assert table.rows == tuple(map(tuple, rows))


steps = st.integers(-100_000_000, 100_000_000).map(lambda step: step / 1000)


@patient
@given(
    st.lists(st.tuples(steps, steps, st.integers(0, 2)), min_size=10, max_size=40),
    st.sampled_from([(",", "."), (";", ","), ("\t", "."), (";", ".")]),
    st.booleans(),
)
def test_points_come_back_as_they_were_written(
    rows: list[tuple[float, float, int]], style: tuple[str, str], header: bool
):
    """Points come back in order, rounded to three decimals."""
    counts = np.bincount([y for _, _, y in rows], minlength=3)
    x1, x2, _ = zip(*rows, strict=True)
    if len(set(x1)) == 1 or len(set(x2)) == 1 or counts.min() < 3:
        return
    delimiter, mark = style
    body = [
        delimiter.join([f"{a:.3f}".replace(".", mark), f"{b:.3f}".replace(".", mark), f"class {y}"])
        for a, b, y in rows
    ]
    content = "\n".join([delimiter.join(["u", "v", "w"]), *body] if header else body)
    table = read(content.encode())
    assert table.has_header == header
    assert table.delimiter == delimiter
    spec = points(table, Columns.guess(table), scale=False)
    assert spec.points == tuple((a + 0.0, b + 0.0, float(y)) for a, b, y in rows)
    assert spec.names == ("class 0", "class 1", "class 2")


def test_as_many_points_are_read_as_are_allowed():
    assert read_points(encoded(lines(MAX_POINTS))).n_samples == MAX_POINTS
    assert read_points(encoded(lines(10))).n_samples == 10


def test_numbers_and_classes_are_read_without_a_fault_of_other_columns():
    table = read(with_bad_line(3, "one,2,a"))
    assert numbers(table, "x2")[1] == 2
    assert classes(table, "kind")[1] == ("a", "b")
