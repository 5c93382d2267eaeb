"""Chosen strengths of a study: median and quartiles over seeds against an axis."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from regviz.figures._study_axes import (
    Look,
    View,
    band,
    cells_of,
    finish,
    gaps,
    looks_of,
    muted,
    panels,
    set_x_axes,
)
from regviz.figures._study_places import LOG_SPAN, Places, places_of
from regviz.figures._traces import set_alt_text
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import digits
from regviz.methods.palette import Theme
from regviz.spec.validation import invalid
from regviz.studies.summary import methods_with_choice

if TYPE_CHECKING:
    from regviz.studies.result import StudyResult

ROW_HEIGHT = 190  # pixels of a panel


def draw(result: "StudyResult", view: View, theme: Theme) -> go.Figure:
    """Draw the chosen strengths, with a row of panels for each method; see `figures.study`."""
    methods = methods_with_choice(result.study)
    if not methods:
        raise invalid("result", "of a study with several strengths of a method", "one of each")
    looks, places = looks_of(result, theme), places_of(view.x)
    chosen, offered = _by_cell(result, result.chosen), _by_cell(result, result.frame)
    figure, where = panels(view, places, ROW_HEIGHT, len(methods))
    n_facets, n_seeds, parts = len(where) // len(methods), len(result.study.seeds), []
    for n, place in enumerate(where):
        key, f = methods[n // n_facets], n % n_facets
        cells = [view.cell(i, f) for i in places.order]
        own = [chosen.get((cell, key), ("", np.empty(0))) for cell in cells]
        words = [view.where((view.x, i), (view.facet, f)) for i in places.order]
        tried = [np.unique(offered.get((cell, key), ("", np.empty(0)))[1]) for cell in cells]
        figure.add_trace(_grid(places, tried, theme), *place)
        for trace in _traces(key, looks[key], places, own, words, n_seeds):
            figure.add_trace(trace, *place)
        parts.append(_describe(key, looks[key], places, own, view.where((view.facet, f))))
    figure.update_traces(showlegend=False)
    notes = [f"median of {n_seeds} seeds, quartiles; dashes: strengths tried"]
    finish(figure, view, theme, "Chosen strengths", notes, result)
    for n, key in enumerate(methods):
        every = np.concatenate([tried for (_, name), (_, tried) in offered.items() if name == key])
        symbol = METHODS[key].symbol if key in METHODS else "strength"
        for row in {row for row, _ in where[n * n_facets : (n + 1) * n_facets]}:
            figure.update_yaxes(_scale(every), row=row)
            figure.update_yaxes(title_text=f"{looks[key].name}: {symbol}", row=row, col=1)
    set_x_axes(figure, places, where)
    about = f"Strengths chosen on validation points against {places.title.lower() or 'nothing'}"
    return set_alt_text(figure, f"{about}, medians over seeds. {' '.join(parts)}")


def _by_cell(result: "StudyResult", frame: Any) -> dict[tuple[int, str], tuple[str, Any]]:
    """Return the key and the strengths of each cell and method in a frame."""
    keys, strengths = frame["cell"].to_numpy(), frame["strength"].to_numpy()
    groups = frame.groupby([cells_of(result, frame), "method"]).indices
    return {(int(at[0]), at[1]): (keys[rows[0]], strengths[rows]) for at, rows in groups.items()}


def _grid(places: Places, grid: list[Any], theme: Theme) -> go.Scatter:
    """Return a dash for each strength that was tried."""
    at = places.at[places.order]
    return go.Scatter(
        x=[float(x) for x, strengths in zip(at, grid, strict=True) for _ in strengths],
        y=[float(strength) for strengths in grid for strength in strengths],
        mode="markers",
        marker=dict(symbol="line-ew", size=9, line=dict(width=1.2, color=muted(theme))),
        opacity=0.55,
        hoverinfo="skip",
        name="tried",
    )


def _traces(
    key: str,
    look: Look,
    places: Places,
    own: list[tuple[str, Any]],
    words: list[str],
    n_seeds: int,
) -> list[go.Scatter]:
    """Return the traces of a method in a panel: a band of quartiles, and the medians."""
    x = places.at[places.order]
    low, middle, high = _quartiles(own)
    counts = [len(strengths) for _, strengths in own]
    texts = [
        f"{word}<br><b>{look.name}</b> {_strength(key, middle[i])} in the median of {counts[i]} of"
        f" {n_seeds} seeds<br>quartiles {digits(low[i])} to {digits(high[i])}"
        for i, word in enumerate(words)
    ]
    line = go.Scatter(
        x=x,
        y=gaps(middle),
        mode="lines+markers",
        line=dict(color=look.colour, width=2.2, dash="dot" if places.kind == "named" else "solid"),
        marker=dict(symbol=look.symbol, size=9, color=look.colour),
        customdata=[(cell, text) for (cell, _), text in zip(own, texts, strict=True)],
        hovertemplate="%{customdata[1]}<extra></extra>",
        name=look.name,
    )
    if places.kind == "named":
        bars = dict(array=gaps(high - middle), arrayminus=gaps(middle - low), symmetric=False)
        return [line.update(error_y=bars | dict(color=look.colour, thickness=2, width=5))]
    return [band(look, x, low, high), line]


def _quartiles(own: list[tuple[str, Any]]) -> Any:
    """Return the quartiles of each cell's strengths, of shape (3, n); NaN without strengths.

    Each is a strength of the study, not a mean of two of them.
    """
    empty = np.full(3, math.nan)
    return np.array(
        [
            np.quantile(strengths, [0.25, 0.5, 0.75], method="inverted_cdf")
            if len(strengths)
            else empty
            for _, strengths in own
        ]
    ).T


def _describe(key: str, look: Look, places: Places, own: list[tuple[str, Any]], where: str) -> str:
    """Return the medians at both ends of the axis in words."""
    middle = _quartiles(own)[1]
    shown = [int(i) for i in np.flatnonzero(np.isfinite(middle))]
    words = " to ".join(
        f"{_strength(key, middle[i])} at {places.ticks[places.order[i]]}"
        for i in dict.fromkeys(shown[:1] + shown[-1:])
    )
    return f"{look.name}{', ' + where if where else ''}: {words or 'no strength'}."


def _strength(key: str, strength: float) -> str:
    """Return a strength in words; of a combination, which no method names, the number."""
    return METHODS[key].text(strength) if key in METHODS else digits(strength)


def _scale(strengths: Any) -> dict[str, Any]:
    """Return the options of the axis of strengths: logarithmic if they span a decade."""
    if not len(strengths):
        return {}
    low, high = float(strengths.min()), float(strengths.max())
    if low > 0 and high / low >= LOG_SPAN:
        reach = [math.log10(low) - 0.15, math.log10(high) + 0.15]
        return dict(type="log", dtick=1, exponentformat="power", range=reach, zeroline=False)
    margin = 0.08 * (high - low) or 0.5
    return dict(range=[low - margin, high + margin], zeroline=False)
