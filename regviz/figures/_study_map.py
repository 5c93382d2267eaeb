"""Map of a study: the method with the lowest loss, or highest accuracy, by two axes."""

import html
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from regviz.figures._study_axes import (
    NAMES,
    Look,
    View,
    add_legend,
    finish,
    looks_of,
    muted,
    number_text,
    panels,
    rows_by_cell,
    set_x_axes,
)
from regviz.figures._study_places import CHAR, ROW_WIDTH, Places, places_of
from regviz.figures._traces import set_alt_text
from regviz.methods import palette
from regviz.methods.palette import Theme, mix, rgb_of
from regviz.studies.summary import LOWER

if TYPE_CHECKING:
    from regviz.studies.result import StudyResult

HALF = 0.47  # of a cell's side, which is 1
STRIP = 0.28  # height of the strip of the methods that tie with the winner
PALE, FAINT = 0.55, 0.8  # shares of the background in the colours of unclear winners, and of ties
MAX_NAMED_COLUMNS = 4  # with more columns in a row of panels, names do not fit into cells
ROW_HEIGHT, LEAST_HEIGHT = 80, 160  # pixels of a row of cells, and of a panel
SIGN, LEAST_SIGN = 9, 5  # pixels of a sign
SIGN_SHARE = 0.75  # of the width of a rectangle in a strip
NAME_ABOVE, NAME_BELOW = 0.24, 0.08  # distances of sign and name from a rectangle's middle
CELL_CHAR = 6.2  # pixels of a character in a cell
UP_CHARS, BESIDE = 12, 40  # characters of a label beside a row of cells; pixels of the axis' title


Box = tuple[float, float, float, float]  # left, right, low, high


class Place(NamedTuple):
    """A cell in a panel: its position, its row in the table of winners, its values in words."""

    x: float
    y: float
    row: dict[str, Any]
    words: str

    @property
    def key(self) -> str:
        """Key of the study's cell; empty if it is not finished."""
        return str(self.row.get("cell", ""))

    @property
    def methods(self) -> tuple[str, ...]:
        """The winner and the methods that tie with it; none if all diverged."""
        winner = self.row.get("method", "")
        return (winner, *self.row["ties"]) if winner else ()

    @property
    def pale(self) -> bool:
        """Whether the winner is not clear: there are ties, or another method diverged."""
        return not self.row["clear"]


def draw(result: "StudyResult", view: View, metric: str, theme: Theme) -> go.Figure:
    """Draw the winners, and below each one its ties; see `regviz.figures.study`."""
    rows = dict(rows_by_cell(result, result.winners(metric)))
    looks = looks_of(result, theme)
    right, up = _ranked(places_of(view.x)), _ranked(places_of(view.y))
    figure, where = panels(view, right, max(LEAST_HEIGHT, ROW_HEIGHT * len(up.at)))
    n_columns = len(right.at) * max(column for _, column in where)
    longest = max(len(html.unescape(look.name)) for look in looks.values())
    named = n_columns <= MAX_NAMED_COLUMNS and CELL_CHAR * longest <= ROW_WIDTH / n_columns
    n_tied = max(len(looks) - 1, 1)
    small = min(SIGN, max(LEAST_SIGN, SIGN_SHARE * ROW_WIDTH / (n_columns * n_tied)))
    for f, at in enumerate(where):
        cells = [
            Place(
                float(right.at[i]),
                float(up.at[j]),
                rows.get(view.cell(i, f, j), {}),
                view.where((view.x, i), (view.y, j), (view.facet, f)),
            )
            for i in range(len(right.at))
            for j in range(len(up.at))
        ]
        figure.add_trace(_outlines(cells, theme), *at)
        for key, look in looks.items():
            for trace in _method_traces(cells, key, looks, metric, theme, small, named=named):
                figure.add_trace(trace.update(name=look.name), *at)
        figure.add_trace(_empty(cells, theme), *at)
        if named:
            figure.add_trace(_names(cells, looks, metric, theme), *at)
    add_legend(figure, looks.values(), "markers")
    notes = _notes(result, list(rows.values()), metric, named=named)
    title = f"{_extreme(metric).capitalize()} mean {NAMES[metric]}"
    finish(figure, view, theme, title, notes, result)
    labels = up.layout(CHAR * len(up.at) * UP_CHARS)  # below one another, they need no rows
    figure.update_yaxes(labels | dict(showgrid=False, showticklabels=False))
    beside = CHAR * max(len(html.unescape(text)) for text in labels["ticktext"])
    figure.update_layout(margin_l=max(figure.layout.margin.l, beside + BESIDE))
    figure.update_yaxes(title_text=up.title, showticklabels=True, col=1)
    figure.update_xaxes(showgrid=False)
    set_x_axes(figure, right, where)
    figure.update_layout(hoverdistance=-1)  # the nearest sign, so that a whole cell answers
    return set_alt_text(figure, _describe(view, right, up, rows, looks, metric))


def _extreme(metric: str) -> str:
    """Return which mean wins, in a word."""
    return "lowest" if metric in LOWER else "highest"


def _above_others(metric: str) -> str:
    return f"clearly {'lower' if metric in LOWER else 'higher'} than all others"


def _ranked(places: Places) -> Places:
    """Return the same axis with its values at equal distances, numbers in ascending order."""
    ranks = np.argsort(np.argsort(places.at, kind="stable")).astype(float)
    return places._replace(at=ranks, kind="named")


def _outlines(cells: list[Place], theme: Theme) -> go.Scatter:
    """Return the outlines of all cells, so that those that are not finished are seen as empty."""
    whole = (-HALF, HALF, -HALF, HALF)
    xs, ys = _outline([_moved(whole, one) for one in cells])
    line = dict(width=1, color=mix(palette.BLANK[theme], palette.INK[theme], 0.2), dash="dot")
    return go.Scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip")


def _outline(boxes: list[Box]) -> tuple[list[float | None], list[float | None]]:
    """Return the corners of rectangles, with a gap after each."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for left, right, low, high in boxes:
        xs += [left, right, right, left, left, None]
        ys += [low, low, high, high, low, None]
    return xs, ys


def _moved(box: Box, place: Place) -> Box:
    """Return a rectangle that is given from the middle of a cell."""
    left, right, low, high = box
    return place.x + left, place.x + right, place.y + low, place.y + high


def _box(place: Place, key: str) -> Box:
    """Return a method's rectangle: the winner's, or one in the strip below it."""
    n_tied, i = len(place.methods) - 1, place.methods.index(key) - 1
    if i < 0:
        return _moved((-HALF, HALF, STRIP * (n_tied > 0) - HALF, HALF), place)
    width = 2 * HALF / n_tied
    return _moved((i * width - HALF, (i + 1) * width - HALF, -HALF, STRIP - HALF), place)


def _fills(look: Look, theme: Theme) -> tuple[str, str, str]:
    """Return a method's colours: of a clear winner, of one that is not clear, of a tie."""
    pale, faint = (mix(look.colour, palette.BLANK[theme], share) for share in (PALE, FAINT))
    return look.colour, pale, faint


def _fill(place: Place, key: str, look: Look, theme: Theme) -> str:
    """Return the colour of a method's rectangle in a cell."""
    clear, pale, faint = _fills(look, theme)
    if key != place.methods[0]:
        return faint
    return pale if place.pale else clear


def _method_traces(
    cells: list[Place],
    key: str,
    looks: dict[str, Look],
    metric: str,
    theme: Theme,
    small: float,
    *,
    named: bool,
) -> list[go.Scatter]:
    """Return a method's traces: its rectangles, a trace for each colour, and its signs."""
    look = looks[key]
    own = [one for one in cells if key in one.methods]
    fills = [_fill(one, key, look, theme) for one in own]
    boxes = [_box(one, key) for one in own]
    traces = []
    for colour in _fills(look, theme):
        xs, ys = _outline([box for box, fill in zip(boxes, fills, strict=True) if fill == colour])
        traces.append(
            go.Scatter(
                x=xs,
                y=ys,
                mode="lines",
                fill="toself",
                fillcolor=colour,
                line=dict(width=0),
                hoverinfo="skip",
            )
        )
    wins = [key == one.methods[0] for one in own]
    raised = [NAME_ABOVE * (named and won) for won in wins]  # the winner's name is below its sign
    signs = go.Scatter(
        x=[(left + right) / 2 for left, right, _, _ in boxes],
        y=[(low + high) / 2 + up for (_, _, low, high), up in zip(boxes, raised, strict=True)],
        mode="markers",
        marker=dict(
            symbol=look.symbol,
            size=[SIGN if won else small for won in wins] or SIGN,
            color=[_contrast(fill) for fill in fills] or look.colour,
            line=dict(width=1, color=look.colour),
        ),
        customdata=[(one.key, _text(one, looks, metric)) for one in own],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    return [*traces, signs]


def _empty(cells: list[Place], theme: Theme) -> go.Scatter:
    """Return the signs of cells without a winner: × if all methods diverged, else a dot."""
    own = [one for one in cells if not one.methods]
    return go.Scatter(
        x=[one.x for one in own],
        y=[one.y for one in own],
        mode="markers",
        marker=dict(
            symbol=["x" if one.row else "circle" for one in own],
            size=[SIGN if one.row else 3 for one in own],
            color=[muted(theme) for _ in own],
        ),
        customdata=[
            (one.key, f"{one.words}<br>{'all methods diverged' if one.row else 'not finished'}")
            for one in own
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )


def _names(cells: list[Place], looks: dict[str, Look], metric: str, theme: Theme) -> go.Scatter:
    """Return the texts of cells: the winner, and how often its mean wins."""
    own = [one for one in cells if one.methods]
    texts, heights, colours = [], [], []
    for one in own:
        look, share = looks[one.methods[0]], one.row["certainty"]
        often = "" if math.isnan(share) else f"<br>{_extreme(metric)} in {share:.0%}"
        texts.append(f"{look.name}{often}")
        _, _, low, high = _box(one, one.methods[0])
        heights.append((low + high) / 2 - NAME_BELOW)
        colours.append(_contrast(_fill(one, one.methods[0], look, theme)))
    return go.Scatter(
        x=[one.x for one in own],
        y=heights,
        mode="text",
        text=texts,
        textfont=dict(size=12, color=colours),
        hoverinfo="skip",
    )


def _contrast(colour: str) -> str:
    """Return dark or white, whichever has the higher contrast with a colour (WCAG 2.2)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (channel / 255 for channel in rgb_of(colour))
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # equal contrasts (L + 0.05) / (L_dark + 0.05) = 1.05 / (L + 0.05), where L_dark = 0.017
    return palette.INK["light"] if luminance > 0.215 else "#ffffff"


def _text(place: Place, looks: dict[str, Look], metric: str) -> str:
    """Return the text about a cell: winner, how sure it is, ties, diverged methods."""
    row = place.row
    name = looks[row["method"]].name
    share = row["certainty"]
    often = (
        ""
        if math.isnan(share)
        else f", {_extreme(metric)} mean in {share:.0%} of bootstrap samples"
    )
    lines = [place.words, f"<b>{name}</b>: {number_text(metric, row['mean'])}{often}"]
    if row["ties"]:
        worse = "higher" if metric in LOWER else "lower"
        tied = ", ".join(looks[key].name for key in row["ties"])
        lines.append(f"not clearly {worse}: {tied}")
    elif row["clear"]:
        lines.append(_above_others(metric))
    else:
        lines.append("not clear: no test against a method that diverged")
    if row["diverged"]:
        lines.append(f"diverged: {', '.join(looks[key].name for key in row['diverged'])}")
    return "<br>".join(lines)


def _notes(
    result: "StudyResult", rows: list[dict[str, Any]], metric: str, *, named: bool
) -> list[str]:
    """Return the notes below the title: what colours and strips are."""
    n_methods = len(result.methods)
    n = len(result.study.cells) * n_methods * (n_methods - 1) // 2
    n_seeds = len(result.study.seeds)
    better = "lower" if metric in LOWER else "higher"
    if n_seeds == 1:
        notes = ["One seed. Pale, as it allows no test; in the faint strips all other methods."]
    else:
        notes = [
            f"Means of {n_seeds} seeds. Pale: not clearly {better} than the methods in the faint"
            f" strip below it, by paired tests (Holm's correction for {n} pairs)."
        ]
    if named and any(not math.isnan(row["certainty"]) for row in rows):
        notes.append(
            f"%: share of bootstrap samples of the seeds in which this mean is the"
            f" {_extreme(metric)}."
        )
    if any(row["method"] and not row["clear"] and not row["ties"] for row in rows):
        notes.append("Pale without a strip: no test, as a method diverged under a seed.")
    if any(not row["method"] for row in rows):
        notes.append("×: all methods diverged under a seed.")
    return notes


def _describe(
    view: View,
    right: Places,
    up: Places,
    rows: dict[int, dict[str, Any]],
    looks: dict[str, Look],
    metric: str,
) -> str:
    """Describe the map in words: how often each method wins, clearly or with ties."""
    facets = 1 if view.facet is None else len(view.facet.values)
    numbers = [
        view.cell(i, f, j)
        for f in range(facets)
        for i in range(len(right.at))
        for j in range(len(up.at))
    ]
    shown = [rows[number] for number in numbers if number in rows]
    clear = Counter(row["method"] for row in shown if row["clear"])
    tied = Counter(key for row in shown if row["ties"] for key in (row["method"], *row["ties"]))
    words = [
        f"{look.name} is {_above_others(metric)} in {clear[key]} and ties in {tied[key]}"
        for key, look in looks.items()
    ]
    untested = sum(bool(row["method"]) and not row["clear"] and not row["ties"] for row in shown)
    if untested:
        words.append(f"in {untested} there is no test against a method that diverged")
    axes = " and ".join(places.title.lower() for places in (right, up) if places.title)
    return (
        f"Map of the methods with the {_extreme(metric)} mean {NAMES[metric]}"
        f"{' by ' + axes if axes else ''}."
        f" Of {len(shown)} finished cells of {len(numbers)}: {'; '.join(words)}."
    )
