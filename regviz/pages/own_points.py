"""Controls in the sidebar for a visitor's own points: a file upload and a drawing canvas."""

import csv
import functools
import io
from collections import Counter
from dataclasses import replace
from html import escape

import streamlit as st
from sklearn.datasets import load_iris

from regviz.data.columns import (
    KINDS,
    MIN_OF_CLASS,
    Columns,
    Kind,
    guess_kind,
    is_rounded,
    needs_scaling,
    numbers,
    points,
    spreads,
    usable_inputs,
)
from regviz.data.drawing import Drawing, points_key
from regviz.data.notation import SIGNS, parse
from regviz.data.table import DELIMITERS, MAX_BYTES, Table, read
from regviz.methods import palette
from regviz.pages.changes import note_change
from regviz.pages.components import asset_component, file_uploader, plain
from regviz.pages.control_values import renew
from regviz.pages.state import page_state
from regviz.spec.points import (
    MAX_NUMBERS,
    MAX_OWN_CLASSES,
    MAX_POINTS,
    MIN_POINTS,
    PointsSpec,
)
from regviz.spec.validation import MAX_COLUMNS, invalid

PREVIEW_ROWS = 4
PREVIEW_INPUTS = 5  # columns that fit into the sidebar
UNCHANGED = "What is on screen stays."
REQUIREMENTS = (
    "Needed: a text table (CSV, TSV, ...) or an Excel workbook (.xlsx) with two to"
    f" {MAX_COLUMNS} columns of numbers, a column of classes or values, {MIN_POINTS} to"
    f" {MAX_POINTS} rows, at most {MAX_NUMBERS:,} numbers and {MAX_BYTES // 1_000_000} MB."
)
KIND_LABELS: dict[Kind, str] = {"classes": "a class", "value": "a value"}

_canvas = asset_component("regviz_draw", "draw")


def set_points(points: PointsSpec | None) -> None:
    """Replace the visitor's own points, also on the canvas; None removes them."""
    page_state().own_points = points
    drawing = page_state().drawing
    if points is not None and points.n_columns == 2 and drawing is not None:
        drawing.load(points)


def upload(before: PointsSpec | None) -> PointsSpec | None:
    """Draw the controls for a file of points, and return the points in use.

    A preview shows how the file was read. A button below it puts the file's points in use.

    Parameters
    ----------
    before : PointsSpec, optional
        The points in use so far.

    Returns
    -------
    PointsSpec or None
        None if there are none yet.
    """
    file = file_uploader(
        "Table of points",
        type=["csv", "tsv", "txt", "data", "xlsx"],
        key="upload_file",
        on_change=note_change,
        max_upload_size=1,
        help="Text with cells separated by commas, semicolons, tabs or spaces, or an Excel"
        " workbook. The file is kept in memory only, for this visit.",
    )
    st.download_button(
        "Download an example",
        example_csv,
        "iris.csv",
        "text/csv",
        key="upload_example",
        on_click="ignore",
        type="tertiary",
        help="150 irises: four measurements in centimetres, and the species.",
    )
    if file is None:
        st.caption(REQUIREMENTS if before is None else f"In use: {_summary(before)}")
        return before
    try:
        spec = _choose_columns(_read(file.getvalue(), file.file_id), file.file_id)
    except ValueError as error:
        st.error(f"{_sentence(error)} {UNCHANGED}")
        return before
    in_use = before is not None and _content(before) == _content(spec)
    st.button(
        "In use" if in_use else "Use these points",
        key="upload_use",
        width="stretch",
        disabled=in_use,
        on_click=_use_points,
        args=(spec,),
    )
    return before


def _content(spec: PointsSpec) -> tuple[object, ...]:
    """Return the fields of the points that this control chooses: all but seed and fractions."""
    return spec.points, spec.task, spec.names, spec.standardize, spec.split, spec.columns


def _use_points(spec: PointsSpec) -> None:
    note_change()
    page_state().own_points = spec
    # the slider starts anew, as the file may hold a split of its own
    renew("train_share")


def _read(content: bytes, file_id: str) -> Table:
    """Read the file as a table, with a control for its header."""
    key = f"upload_header_{file_id}"
    header = st.session_state.get(key)
    try:
        table = _read_once(content, file_id, header)
    except ValueError:
        # the error may come from reading the first row of numbers as names
        if header is not False and _is_readable(content, file_id):
            st.toggle("First row holds the names", value=True, key=key, on_change=note_change)
        raise
    st.toggle("First row holds the names", value=table.has_header, key=key, on_change=note_change)
    return table


def _read_once(content: bytes, file_id: str, header: bool | None) -> Table:
    """Read the file, or return the table of an earlier run: a workbook can take seconds."""
    cached_id, results = page_state().upload
    if cached_id != file_id:
        results = {}
        page_state().upload = (file_id, results)
    if header not in results:
        try:
            table = read(content, header)
            results[header] = results[table.has_header] = table
        except ValueError as error:
            # the text alone: raised at each run, the exception would collect their tracebacks
            results[header] = str(error)
    result: Table | str = results[header]
    if isinstance(result, str):
        raise ValueError(result)
    return result


def _is_readable(content: bytes, file_id: str) -> bool:
    try:
        _read_once(content, file_id, header=False)
    except ValueError:
        return False
    return True


def _choose_columns(table: Table, file_id: str) -> PointsSpec:
    """Draw the choice of columns and a preview, and return the points of the chosen columns."""
    guess = Columns.guess(table)

    def column(label: str, name: str) -> str:
        where = f"upload_{label}_{file_id}_{table.has_header}"
        at = table.names.index(name)
        return st.selectbox(label, table.names, at, key=where, on_change=note_change)

    usable = usable_inputs(table, guess)
    several = len(usable) > 2 and st.toggle(
        "More than two inputs",
        key=f"upload_several_{file_id}_{table.has_header}",
        on_change=note_change,
        help=f"Up to {MAX_COLUMNS} columns are the networks' inputs. Without this, two columns span"
        " the plane that is drawn.",
    )
    more: tuple[str, ...] = ()
    if several:
        y = column("Label", guess.y)
        usable = usable_inputs(table, replace(guess, y=y))
        chosen = st.multiselect(
            f"Inputs (at most {MAX_COLUMNS})",
            usable,
            usable,
            key=f"upload_inputs_{file_id}_{table.has_header}_{y}",
            on_change=note_change,
        )
        if len(chosen) < 2:
            raise invalid("the inputs", "at least two columns", len(chosen))
        x1, x2, *rest = sorted(chosen, key=table.names.index)
        more = tuple(rest)
    else:
        x1, x2, y = column("x₁", guess.x1), column("x₂", guess.x2), column("Label", guess.y)
    for name in dict.fromkeys((x1, x2, *more, y)):
        table = _choose_decimal_sign(table, name, file_id)
    kinds = guess.kind if y == guess.y else guess_kind(table, y)
    kind = st.segmented_control(
        "The label is",
        KINDS,
        default=kinds,
        required=True,
        format_func=KIND_LABELS.__getitem__,
        key=f"upload_kind_{file_id}_{table.has_header}_{y}",
        on_change=note_change,
        help=f"Text or numbers of 2 to {MAX_OWN_CLASSES} classes, or a number that is to be"
        " predicted.",
    )
    split = "" if guess.split in (x1, x2, *more, y) else guess.split
    columns = Columns(x1, x2, y, kind or kinds, split, more)
    scale = st.toggle(
        "Scale the columns",
        value=_suggest_scaling(table, columns),
        key=f"upload_scale_{file_id}_{hash(columns)}",
        on_change=note_change,
        help="To mean 0 and standard deviation 1. Networks learn best from such numbers. The mean"
        " and the standard deviation of x₁ and x₂ are those of the training points alone.",
    )
    spec = points(table, columns, scale)
    _preview(table, columns)
    st.caption(f"{_summary(spec)}  \n{_scaling_caption(table, columns, scale)}")
    return spec


def _choose_decimal_sign(table: Table, name: str, file_id: str) -> Table:
    """Draw a choice of the decimal sign if a column has ambiguous numbers such as 1,010."""
    doubtful = table.notation(name).doubtful
    if not doubtful:
        return table
    meanings = {sign: f"{parse(doubtful, sign):.15g}" for sign in SIGNS}
    sign = st.segmented_control(
        plain(f"In {name}, {doubtful} means"),
        SIGNS,
        default=table.notation(name).decimal,
        required=True,
        format_func=meanings.__getitem__,
        key=f"upload_decimal_{file_id}_{table.has_header}_{name}",
        on_change=note_change,
    )
    return table.with_decimal(name, sign) if sign else table


def _preview(table: Table, columns: Columns) -> None:
    """Show the first rows as they were read."""
    names = (*columns.features[:PREVIEW_INPUTS], columns.y)
    texts = {name: table.column(name)[:PREVIEW_ROWS] for name in names}
    for name in names:
        if name not in columns.scaled:
            continue
        texts[name] = [f"{value:.15g}" for value in numbers(table, name)[:PREVIEW_ROWS]]
    rows = zip(*texts.values(), strict=True)
    cells = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    st.html(
        f"<table class='regviz-preview'><caption>The first of {len(table.rows):,} rows</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>"
    )


def _suggest_scaling(table: Table, columns: Columns) -> bool:
    try:
        return needs_scaling(table, columns)
    except ValueError:  # `points` raises it again, and its message is shown
        return True


def _scaling_caption(table: Table, columns: Columns, scale: bool) -> str:
    """Return a caption on the scaling and notation of the numbers."""
    rounded = ", rounded to three decimals" if is_rounded(table, columns) else ""
    cells = _reading_caption(table, columns)
    if not scale:
        return f"The numbers are used as they are{rounded}. {cells}"
    if columns.more:
        return f"Each column is scaled to mean 0 and standard deviation 1. {cells}"
    spread = "; ".join(
        f"{plain(each.name)}: mean {each.mean:.3g}, sd {each.sd:.3g}"
        for each in spreads(table, columns)
    )
    return f"Scaled to mean 0 and standard deviation 1. In the file, {spread}. {cells}"


def _reading_caption(table: Table, columns: Columns) -> str:
    """Return a caption on encoding, delimiter and header of the file."""
    header = "The first row holds the names." if table.has_header else "No row holds names."
    if table.sheet:
        return f"Read from the sheet {plain(table.sheet)}. {header}"
    used = (*columns.features, columns.y)
    commas = [name for name in used if table.notation(name).decimal == ","]
    written = [name for name in commas if table.is_numeric(name)]
    decimal = f" Decimal commas in {plain(', '.join(written))}." if written else ""
    return (
        f"Text in {table.encoding}, cells separated by {DELIMITERS[table.delimiter]}s."
        f"{decimal} {header}"
    )


def _summary(spec: PointsSpec) -> str:
    """Return a sentence with the number of points, and of each class."""
    inputs = f" of {spec.n_columns} inputs" if spec.n_columns > 2 else ""
    if spec.task == "regression":
        return f"{spec.n_samples} points{inputs} with a value.{_split_summary(spec)}"
    counts = Counter(int(row[-1]) for row in spec.points)
    names = spec.names or tuple(f"class {c}" for c in sorted(counts))
    each = ", ".join(f"{name}: {counts[c]}" for c, name in enumerate(names))
    classes = f"{len(names)} classes ({plain(each)})"
    return f"{spec.n_samples} points{inputs}: {classes}.{_split_summary(spec)}"


def _split_summary(spec: PointsSpec) -> str:
    if not spec.split:
        return ""
    train, validation, test = (spec.split.count(part) for part in "012")
    return f" Split as in the file: {train} training, {validation} validation, {test} test."


def _sentence(error: ValueError) -> str:
    message = str(error)
    return plain(message[:1].upper() + message[1:].rstrip(".") + ".")


@functools.cache
def example_csv() -> str:
    """Return Fisher's irises as the text of a CSV file."""
    iris = load_iris()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([name.removesuffix(" (cm)") for name in iris.feature_names] + ["species"])
    for row, label in zip(iris.data.tolist(), iris.target, strict=True):
        writer.writerow([*row, iris.target_names[label]])
    return out.getvalue()


def draw(before: PointsSpec | None) -> PointsSpec | None:
    """Draw the canvas for a visitor's own points, and return its points.

    Parameters
    ----------
    before : PointsSpec, optional
        The points in use so far. The canvas loads them unless they were drawn on it.

    Returns
    -------
    PointsSpec or None
        None while there are too few points; the canvas then shows how many are missing.
    """
    drawing = page_state().drawing = page_state().drawing or Drawing()
    appears = "draw" not in st.session_state
    drawn = (st.session_state.get("draw") or {}).get("drawn")
    message = ""
    try:
        if drawn is not None:
            drawing.apply_message(drawn)
    except ValueError as error:
        message = f"{_sentence(error)} {UNCHANGED} Reload the page to draw on."
    if before is not None and before.n_columns == 2:
        current = drawing.spec()
        drawn_keys = {points_key(current)} if appears and current else drawing.known_keys
        if points_key(before) not in drawn_keys:
            drawing.load(before)
    _canvas(
        key="draw",
        data={
            "version": drawing.version,
            "kind": drawing.kind,
            "points": drawing.rows,
            "names": list(drawing.names),
            "colours": palette.CLASSES,
            "limits": {"all": MIN_POINTS, "each": MIN_OF_CLASS, "most": MAX_POINTS},
        },
        on_drawn_change=note_change,
    )
    if message:
        st.error(message)
        return None
    spec = drawing.spec()
    if spec is not None and before is not None and points_key(spec) == points_key(before):
        spec = replace(spec, split=before.split)
    if spec is not None and spec.standardize:
        st.caption("For training, each coordinate is scaled to mean 0 and standard deviation 1.")
    if spec is not None:
        drawing.known_keys.add(points_key(spec))
    return spec
