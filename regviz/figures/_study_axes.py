"""Shared parts of a study's figures: its axes, panels, and the looks of its methods."""

import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from regviz.analysis.criteria import plus_minus
from regviz.figures._study_places import (
    BETWEEN,
    CHAR,
    MAX_ROWS,
    ROW_WIDTH,
    Places,
    n_chars,
    places_of,
)
from regviz.figures._traces import style
from regviz.methods import palette
from regviz.methods.catalogue import colour as method_colour
from regviz.methods.labels import digits, escaped, method_name
from regviz.methods.palette import Theme, mix, rgb_of
from regviz.spec.validation import choice, invalid, one_of
from regviz.studies.axes import Axis

if TYPE_CHECKING:
    from regviz.studies.result import StudyResult
    from regviz.studies.study import Study

MAX_PANELS = 12
IN_A_ROW = 3  # panels
PANEL, PANEL_GAP = 250, 64  # pixels of a panel's height, and between two
TOP, BOTTOM = 72, 62  # pixels of the title and of an axis' title
LEGEND_ROW = 22  # pixels of two entries of the legend, as they stand in a figure 390 px wide
LINE = 23  # pixels of a line below the title: 1.3 times the size of the title
NOTE_CHARS = 54  # of a line below the title, in a figure 390 px wide
GAP = 18  # pixels between two panels of a row there
TICK_ROW = 17  # pixels of a row of labels
BAND_OPACITY = 0.18
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "bowtie")
NAMES = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "test_loss": "test loss",
    "gap": "gap",
    "train_accuracy": "training accuracy",
    "validation_accuracy": "validation accuracy",
    "test_accuracy": "test accuracy",
    "sparsity": "share of weights exactly 0",
    "hoyer": "Hoyer's sparsity",
    "effective_weights": "effective weights",
    "norm": "norm of the weights",
}
PERCENT = ("train_accuracy", "validation_accuracy", "test_accuracy", "sparsity")


class Look(NamedTuple):
    """Name, colour and Plotly symbol of a method."""

    name: str
    colour: str
    symbol: str


def looks_of(result: "StudyResult", theme: Theme) -> dict[str, Look]:
    """Return the look of each method of a study, by its key in tables."""
    looks = {}
    for i, key in enumerate(result.methods):
        first = re.split("[+@ ]", key)[0]
        colour = method_colour(first)[theme]
        looks[key] = Look(escaped(method_name(key)), colour, SYMBOLS[i % len(SYMBOLS)])
    return looks


Place = tuple[int, int]  # row and column of a panel, from 1


class View(NamedTuple):
    """The axes of a figure and the fixed values of the others.

    Attributes
    ----------
    study : Study
    x, y, facet : Axis or None
    fixed : dict of str to int
        By path of an axis that is not shown, the index of its value.
    """

    study: "Study"
    x: Axis | None
    y: Axis | None
    facet: Axis | None
    fixed: dict[str, int]

    def cell(self, x: int, facet: int, y: int = 0) -> int:
        """Return the position of a cell in the study."""
        numbers = dict(self.fixed)
        for axis, number in ((self.x, x), (self.facet, facet), (self.y, y)):
            if axis is not None:
                numbers[axis.path] = number
        found = 0
        for axis in self.study.axes:
            found = found * len(axis.values) + numbers[axis.path]
        return found

    def where(self, *numbers: tuple[Axis | None, int]) -> str:
        """Return values in words, those of the fixed axes after those of the given ones."""
        pairs = [(places_of(axis), i) for axis, i in numbers if axis is not None]
        pairs += [(places_of(axis), self.fixed[axis.path]) for axis in self.hidden]
        return ", ".join(places.texts[i] for places, i in pairs)

    @property
    def hidden(self) -> list[Axis]:
        """The axes that are not shown."""
        return [axis for axis in self.study.axes if axis.path in self.fixed]


def view_of(
    study: "Study",
    x: str | None,
    y: str | None,
    facet: str | None,
    at: Mapping[str, Any] | None,
    *,
    plane: bool,
) -> View:
    """Return the axes of a figure, by default in the order of the study.

    Parameters
    ----------
    study : Study
    x, y, facet : str, optional
        Paths of axes.
    at : mapping of str to value, optional
        Values of axes that are not shown; by default their first.
    plane : bool
        Whether the figure has an axis y of the study.

    Raises
    ------
    ValueError
        If an axis or value does not exist, or is used twice.
    """
    axes = {axis.path: axis for axis in study.axes}
    fixed = {}
    for path, value in (at or {}).items():
        axis = axes[choice("a path of at", path, axes)]
        plain = tuple(value) if isinstance(value, list) else value
        if plain not in axis.values:
            raise invalid(f"at[{path!r}]", one_of(map(repr, axis.values)), value)
        fixed[path] = axis.values.index(plain)
    free = {path: axis for path, axis in axes.items() if path not in fixed}
    if not plane and y is not None:
        raise invalid("y", "None but for kind='map'", y)
    shown: dict[str, Axis | None] = dict(x=None, y=None, facet=None)
    for name, given in (("x", x), ("y", y), ("facet", facet)):
        if given is not None:
            shown[name] = free.pop(choice(name, given, free))
    for name in ("x", "y", "facet") if plane else ("x", "facet"):
        if shown[name] is None and free:
            rest = next(iter(free.values()))
            if name != "facet" or len(rest.values) <= MAX_PANELS:
                shown[name] = free.pop(rest.path)
    panels = shown["facet"]
    if panels is not None and len(panels.values) > MAX_PANELS:
        allowed = f"an axis of at most {MAX_PANELS} values; give one of them as at={{path: value}}"
        raise invalid("facet", allowed, f"{panels.path} with {len(panels.values)}")
    fixed |= dict.fromkeys(free, 0)
    return View(study, shown["x"], shown["y"], shown["facet"], fixed)


def rows_by_cell(result: "StudyResult", frame: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a table with the position of their cell in the study."""
    yield from zip(cells_of(result, frame).tolist(), frame.to_dict("records"), strict=True)


def cells_of(result: "StudyResult", frame: Any) -> NDArray[np.intp]:
    """Return the position of the cell of each row of a table."""
    found = np.zeros(len(frame), dtype=np.intp)
    for axis in result.study.axes:
        index = {value: i for i, value in enumerate(axis.column)}
        found = found * len(index) + frame[axis.path].map(index).to_numpy(dtype=np.intp)
    return found


def panels(
    view: View, x: Places, height: int = PANEL, n_blocks: int = 0
) -> tuple[go.Figure, list[Place]]:
    """Return a figure with a panel for each value of the facet, and the places of the panels.

    Parameters
    ----------
    view : View
    x : Places
        Of the x axis: only so many panels stand in a row that labels and titles fit on a phone.
    height : int
        Of a panel, in pixels.
    n_blocks : int
        If given, all panels are repeated in so many blocks below one another, with y axes of their
        own for each row. The places are block by block.
    """
    names = [""] if view.facet is None else list(places_of(view.facet).texts)
    columns = _n_columns(x, names)
    titles = [_wrapped(name, columns) for name in names]
    of_block = math.ceil(len(names) / columns)
    rows = of_block * max(1, n_blocks)
    titles += [""] * (of_block * columns - len(names))
    if of_block > 1:
        titles *= max(1, n_blocks)
    gap = PANEL_GAP + TICK_ROW * max(title.count("<br>") for title in titles)
    total = rows * (height + gap) - gap
    figure = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="rows" if n_blocks else "all",
        subplot_titles=titles,
        horizontal_spacing=GAP / ROW_WIDTH if columns > 1 else 0,
        vertical_spacing=gap / total if rows > 1 else 0,
    )
    figure.update_layout(height=total)
    return figure, [
        (block * of_block + i // columns + 1, i % columns + 1)
        for block in range(max(1, n_blocks))
        for i in range(len(names))
    ]


def _width(columns: int) -> float:
    """Return the width of a panel on a page 390 px wide, in pixels."""
    return (ROW_WIDTH - GAP * (columns - 1)) / columns


def _n_columns(x: Places, names: list[str]) -> int:
    """Return the number of panels in a row whose labels and titles fit on a page 390 px wide."""
    n, widest = len(x.at), CHAR * max(map(n_chars, x.ticks))
    for columns in range(min(len(names), IN_A_ROW), 1, -1):
        width = _width(columns)
        lines = [line for name in names for line in _wrapped(name, columns).split("<br>")]
        if CHAR * max(map(n_chars, lines)) > width + GAP / 2:
            continue
        if x.kind != "named":
            return columns
        rows = x.n_rows(width)
        # the last label of a panel and the first of the next may be in the same row
        meet = (n - 1) % rows == 0
        room = width / n * (1 if meet else rows) + GAP * meet
        if rows < MAX_ROWS and widest + BETWEEN <= min(room, rows * width / n):
            return columns
    return 1


def _wrapped(title: str, columns: int) -> str:
    """Return the title of a panel in two lines if it is too long for one."""
    if CHAR * n_chars(title) <= _width(columns):
        return title
    name, _, value = title.rpartition(" ")
    return f"{name}<br>{value}" if name else value


def set_x_axes(figure: go.Figure, places: Places, where: list[Place]) -> None:
    """Set the x axes of all panels, with ticks where no panel is below, and one title."""
    columns = max(column for _, column in where)
    width = _width(columns)
    figure.update_xaxes(places.layout(width))
    more = TICK_ROW * (places.n_rows(width) - 1)
    layout = figure.layout
    inner = layout.height - layout.margin.t - layout.margin.b
    figure.update_layout(
        height=layout.height + more,
        margin_b=layout.margin.b + more,
        legend_y=layout.legend.y - more / inner,
    )
    for row, column in where:
        figure.update_xaxes(showticklabels=(row + 1, column) not in where, row=row, col=column)
    last = where[-1][0]
    middle = (1 + max(column for row, column in where if row == last)) // 2
    figure.update_xaxes(title_text=places.title, row=last, col=middle)


def add_legend(figure: go.Figure, looks: Iterable[Look], mode: str) -> None:
    """Add an entry of the legend for each method, with its own colour, and no other."""
    figure.update_traces(showlegend=False)
    for look in looks:
        figure.add_scatter(
            x=[None],
            y=[None],
            mode=mode,
            name=look.name,
            line=dict(color=look.colour, width=2.2),
            marker=dict(symbol=look.symbol, size=10, color=look.colour),
            hoverinfo="skip",
        )


def finish(
    figure: go.Figure,
    view: View,
    theme: Theme,
    title: str,
    notes: list[str],
    result: "StudyResult",
) -> go.Figure:
    """Apply style, title, notes on the study, and the legend below the panels."""
    hidden = view.where()
    height = figure.layout.height
    notes = [*([hidden[0].upper() + hidden[1:]] if hidden else []), *notes]
    lines = [line for note in notes for line in textwrap.wrap(note, NOTE_CHARS)]
    state = f"{result.n_done} of {len(result.study.cells)} cells are finished"
    style(figure, theme, title, "<br>".join([*lines, *[state] * (not result.complete)]))
    titles = max((one.text.count("<br>") for one in figure.layout.annotations), default=0)
    # Without panel titles there is space for the state, and panels stay where they are when the
    # study is complete.
    n_lines = len(lines) + (view.facet is not None and not result.complete)
    top = TOP + LINE * n_lines + TICK_ROW * titles
    n_entries = sum(trace.showlegend is not False for trace in figure.data)
    bottom = BOTTOM + LEGEND_ROW * math.ceil(n_entries / 2)
    figure.update_layout(
        height=height + top + bottom,
        margin=dict(l=64, r=16, t=top, b=bottom),
        title=dict(xref="container", pad_l=14),
        legend=dict(
            # from below the axis' title downwards: how many rows it has depends on the width
            orientation="h",
            **dict(x=0, y=-BOTTOM / height, xanchor="left", yanchor="top"),
        ),
        dragmode=False,  # or the buttons for it cover the title on a phone
        hovermode="closest",
        hoverlabel_align="left",
    )
    figure.update_annotations(font_size=13)
    if view.facet is None:
        figure.layout.annotations = ()
    return figure


def band(look: Look, x: Any, low: Any, high: Any) -> go.Scatter:
    """Return a filled band, with a polygon for each run of numbers without a gap.

    Parameters
    ----------
    look : Look
    x, low, high : ndarray of shape (n,)
        Positions and both ends; NaN for a gap.
    """
    xs: list[float | None] = []
    ys: list[float | None] = []
    usable = np.flatnonzero(np.isfinite(low + high))
    for part in np.split(usable, np.flatnonzero(np.diff(usable) > 1) + 1):
        run = np.repeat(part, 2) if len(part) == 1 else part  # no polygon has one corner
        if len(run):
            xs += [*x[run], *x[run[::-1]], x[run[0]], None]
            ys += [*high[run], *low[run[::-1]], high[run[0]], None]
    rgb = ", ".join(map(str, rgb_of(look.colour)))
    return go.Scatter(
        x=xs,
        y=ys,
        mode="lines",
        fill="toself",
        fillcolor=f"rgba({rgb}, {BAND_OPACITY})",
        line=dict(width=1, color=f"rgba({rgb}, {2 * BAND_OPACITY})"),
        hoverinfo="skip",
        name=f"{look.name}, band",
    )


def gaps(values: Any) -> list[float | None]:
    """Return numbers with None for NaN, as in JSON."""
    return [float(value) if math.isfinite(value) else None for value in values]


def muted(theme: Theme) -> str:
    """Return the colour of lines and texts beside the data."""
    return mix(palette.INK[theme], palette.BLANK[theme], 0.4)


def number_text(metric: str, mean: float, error: float | None = None) -> str:
    """Return a number of a metric in words, with its standard error if given."""
    scale, unit = (100, " %") if metric in PERCENT else (1, "")
    if error is None:
        return digits(scale * mean) + unit
    return plus_minus(scale * mean, scale * error).replace("-", "−") + unit
