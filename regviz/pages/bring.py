"""A visitor's own points, from a file or drawn: the controls for both, in the sidebar."""

import csv
import functools
import io
from collections import Counter

import streamlit as st
from sklearn.datasets import load_iris

from regviz import palette
from regviz.columns import (
    KINDS,
    MIN_OF_CLASS,
    Columns,
    Kind,
    guess_kind,
    is_rounded,
    needs_scaling,
    points,
    spreads,
)
from regviz.drawing import Drawing, mark
from regviz.pages.components import asset_component, file_uploader, plain
from regviz.points import MAX_CLASSES, MAX_POINTS, MIN_POINTS, PointsSpec
from regviz.table import DELIMITERS, MAX_BYTES, Table, read

STAYS = "What is on screen stays."
KIND_LABELS: dict[Kind, str] = {"classes": "a class", "value": "a value"}

_canvas = asset_component("regviz_draw", "draw")


def begin(points: PointsSpec | None) -> None:
    """Let a link's or a file's points take the place of a visitor's own, or none."""
    st.session_state["own"] = points
    drawing = st.session_state.get("drawing")
    if points is not None and isinstance(drawing, Drawing):
        drawing.load(points)


def upload(before: PointsSpec | None) -> PointsSpec | None:
    """Draw the controls for a file of points, and return what is chosen there.

    Parameters
    ----------
    before : PointsSpec, optional
        The points in use as long as there is no file.

    Returns
    -------
    PointsSpec or None
        None while there are no points that can be used; the page then says why. The points say
        themselves (``standardize``) whether they are to be scaled.
    """
    file = file_uploader(
        "CSV file",
        type=["csv", "tsv", "txt"],
        key="upload_file",
        max_upload_size=1,
        help="Text in UTF-8, cells separated by commas, semicolons or tabs. The file is kept in"
        " memory only, for this visit.",
    )
    st.download_button(
        "See an example file",
        _example(),
        "iris.csv",
        "text/csv",
        key="upload_example",
        on_click="ignore",
        type="tertiary",
        help="150 irises: four measurements in centimetres, and the species.",
    )
    if file is None:
        if before is None:
            st.caption(
                "Needed: two columns of numbers, a column of classes or values,"
                f" {MIN_POINTS} to {MAX_POINTS} rows, at most {MAX_BYTES // 1_000_000} MB."
            )
        else:
            st.caption(f"In use: {_told(before)}")
        return before
    try:
        return _choose(_read(file.getvalue(), file.file_id), file.file_id)
    except ValueError as error:
        st.error(f"{_sentence(error)} {STAYS}")
        return None


def _read(content: bytes, file_id: str) -> Table:
    """The file as a table, with a control for its header."""
    key = f"upload_header_{file_id}"
    header = st.session_state.get(key)
    try:
        table = read(content, header)
    except ValueError:
        # where names are what is wrong, there may be none
        if header is not False and _reads(content):
            st.toggle("First row holds the names", value=True, key=key)
        raise
    st.toggle("First row holds the names", value=table.has_header, key=key)
    return table


def _reads(content: bytes) -> bool:
    try:
        read(content, header=False)
    except ValueError:
        return False
    return True


def _choose(table: Table, file_id: str) -> PointsSpec:
    """The points that the columns chosen hold."""
    guess = Columns.guess(table)

    def column(label: str, name: str) -> str:
        where = f"upload_{label}_{file_id}_{table.has_header}"
        return st.selectbox(label, table.names, table.names.index(name), key=where)

    x1, x2, y = column("x₁", guess.x1), column("x₂", guess.x2), column("Label", guess.y)
    kind = st.segmented_control(
        "The label is",
        KINDS,
        default=guess_kind(table, y),
        required=True,
        format_func=KIND_LABELS.__getitem__,
        key=f"upload_kind_{file_id}_{table.has_header}_{y}",
        help=f"Text or numbers of 2 to {MAX_CLASSES} classes, or a number that is to be predicted.",
    )
    columns = Columns(x1, x2, y, kind or guess_kind(table, y))
    scale = st.toggle(
        "Scale the columns",
        value=_advise(table, columns),
        key=f"upload_scale_{file_id}_{columns}",
        help="To mean 0 and standard deviation 1. Networks learn best from such numbers. The mean"
        " and the standard deviation of x₁ and x₂ are those of the training points alone.",
    )
    spec = points(table, columns, scale)
    st.caption(f"{_told(spec)}  \n{_scaling(table, columns, scale)}")
    return spec


def _advise(table: Table, columns: Columns) -> bool:
    try:
        return needs_scaling(table, columns)
    except ValueError:  # told once the points are made
        return True


def _scaling(table: Table, columns: Columns, scale: bool) -> str:
    """What was done with the numbers."""
    rounded = ", rounded to three decimals" if is_rounded(table, columns) else ""
    decimal = "" if table.delimiter == "," else ", and may have a decimal comma"
    cells = f"Cells are separated by {DELIMITERS[table.delimiter]}s{decimal}."
    if not scale:
        return f"The numbers are used as they are{rounded}. {cells}"
    spread = "; ".join(
        f"{plain(each.name)}: mean {each.mean:.3g}, sd {each.sd:.3g}"
        for each in spreads(table, columns)
    )
    return f"Scaled to mean 0 and standard deviation 1. In the file, {spread}. {cells}"


def _told(spec: PointsSpec) -> str:
    """How many points of what there are."""
    if spec.task == "regression":
        return f"{spec.n_samples} points with a value."
    counts = Counter(int(y) for _, _, y in spec.points)
    names = spec.names or tuple(f"class {c}" for c in sorted(counts))
    return f"{spec.n_samples} points: {len(names)} classes ({plain(', '.join(names))})."


def _sentence(error: ValueError) -> str:
    message = str(error)
    return plain(message[:1].upper() + message[1:].rstrip(".") + ".")


@functools.cache
def _example() -> str:
    """Fisher's irises as a CSV file."""
    iris = load_iris()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([name.removesuffix(" (cm)") for name in iris.feature_names] + ["species"])
    for row, label in zip(iris.data.tolist(), iris.target, strict=True):
        writer.writerow([*row, iris.target_names[label]])
    return out.getvalue()


def draw(before: PointsSpec | None) -> PointsSpec | None:
    """Draw the canvas for a visitor's own points, and return those that are on it.

    Parameters
    ----------
    before : PointsSpec, optional
        Points to start from. They are loaded when the canvas appears, and when they become others
        than those that were drawn on it.

    Returns
    -------
    PointsSpec or None
        None while there are too few points; the canvas then says what is missing.
    """
    drawing: Drawing = st.session_state.setdefault("drawing", Drawing())
    appears = "draw" not in st.session_state
    said = (st.session_state.get("draw") or {}).get("drawn")
    complaint = ""
    try:
        if said is not None:
            drawing.hear(said)
    except ValueError as error:
        complaint = f"{_sentence(error)} {STAYS} Reload the page to draw on."
    if before is not None:
        current = drawing.spec()
        known = {mark(current)} if appears and current else drawing.known
        if mark(before) not in known:
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
        on_drawn_change=lambda: None,
    )
    if complaint:
        st.error(complaint)
        return None
    spec = drawing.spec()
    if spec is not None and spec.standardize:
        st.caption("For training, each coordinate is scaled to mean 0 and standard deviation 1.")
    if spec is not None:
        drawing.known.add(mark(spec))
    return spec
