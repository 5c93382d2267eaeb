"""Figures of a claim's measured numbers over all seeds."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from regviz.figures._traces import set_alt_text, style
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import escaped
from regviz.methods.palette import Theme, mix
from regviz.spec.validation import choice, invalid

__all__ = ["claim_figures"]

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
MAX_LINE_CHARS = 28  # of the title and of the y axis' label, in a figure 340 px wide
MAX_TICK_CHARS = 12
SPREAD = 0.05  # of the seeds' dots on both sides of a place, as a share of the places' distance


def claim_figures(
    title: str,
    x: str,
    y: str,
    at: Sequence[float] | Sequence[str],
    lines: Mapping[str, ArrayLike],
    *,
    theme: Theme = "light",
) -> go.Figure:
    """Plot numbers that were measured for several seeds, and their medians.

    Parameters
    ----------
    title, x, y : str
        Title, and labels of the axes.
    at : sequence of float or str
        The n places on the x axis: numbers, or names in equal distances.
    lines : mapping of str to array-like of shape (n, n_seeds)
        By name of the line, its values. The name of a method gives the line its colour; a single
        line may have an empty name.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        For each line a trace of its medians, after one of the dots of all seeds.

    Raises
    ------
    ValueError
        If a shape does not match.
    """
    choice("theme", theme, get_args(Theme))
    named = any(isinstance(place, str) for place in at)
    places = np.arange(len(at), dtype=float) if named else np.asarray(at, dtype=float)
    figure = go.Figure()
    n_seeds = 0
    words = []
    for i, (name, values) in enumerate(lines.items()):
        numbers = np.asarray(values, dtype=float)
        if numbers.ndim != 2 or len(numbers) != len(at):
            raise invalid(f"lines[{name!r}]", f"of shape ({len(at)}, n_seeds)", numbers.shape)
        n_seeds = numbers.shape[1]
        look = _look(name, i, theme)
        step = float(np.diff(np.sort(places)).min()) if len(at) > 1 else 1.0
        aside = (i - (len(lines) - 1) / 2) * 3 * SPREAD
        shift = step * (aside + np.linspace(-SPREAD, SPREAD, n_seeds))
        medians = np.median(numbers, axis=1)
        figure.add_scatter(
            x=(places[:, None] + shift).ravel(),
            y=numbers.ravel(),
            mode="markers",
            marker=dict(size=6, color=look["color"], symbol=look["symbol"], opacity=0.35),
            customdata=np.tile(np.arange(n_seeds), len(at)),
            hovertemplate="seed %{customdata}: %{y:.3g}<extra>" + escaped(name) + "</extra>",
            showlegend=False,
        )
        figure.add_scatter(
            x=places + step * aside,
            y=medians,
            mode="lines+markers",
            name=escaped(name) or "median",
            line=dict(color=look["color"], width=2.4),
            marker=dict(size=11, color=look["color"], symbol=look["symbol"]),
            hovertemplate="median %{y:.3g}<extra>" + escaped(name) + "</extra>",
        )
        listed = ", ".join(
            f"{value:.3g} at {place}" for place, value in zip(at, medians, strict=True)
        )
        words.append(f"{name}: {listed}" if name else listed)
    heading = textwrap.wrap(title, MAX_LINE_CHARS)
    about = f"each dot a seed, {n_seeds} in all; lines: medians"
    style(figure, theme, escaped(heading[0]), about)
    # in lines that fit a phone's width, as `style` does for wider figures
    lines_of_title = "<br>".join(escaped(line) for line in heading)
    figure.layout.title.text = figure.layout.title.text.replace(escaped(heading[0]), lines_of_title)
    more = 20 * (len(heading) - 1)  # pixels
    y_lines = textwrap.wrap(y, MAX_LINE_CHARS)
    several = len(lines) > 1  # with a legend between title and axes
    figure.update_layout(
        height=(390 if several else 360) + more,
        margin=dict(l=64 + 16 * (len(y_lines) - 1), r=16, t=(106 if several else 76) + more, b=56),
        legend=dict(orientation="h", x=0, y=1.02, yanchor="bottom"),
        showlegend=several,
        dragmode=False,
    )
    figure.update_xaxes(title_text=escaped(x), zeroline=False)
    figure.update_xaxes(tickvals=places.tolist(), ticktext=[_tick(place) for place in at])
    figure.update_yaxes(title_text="<br>".join(escaped(line) for line in y_lines))
    return set_alt_text(figure, f"{title}. Median {y} by {x}: {'; '.join(words)}.")


def _tick(place: float | str) -> str:
    """Return a place's name in lines that fit beside those of a few other places."""
    return "<br>".join(escaped(line) for line in textwrap.wrap(str(place), MAX_TICK_CHARS))


def _look(name: str, i: int, theme: Theme) -> dict[str, Any]:
    """Return colour and symbol of a line: a method's colour, or a shade of the text's."""
    methods = {method.label: method for method in METHODS.values()}
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    known = name in methods
    colour = methods[name].colour[theme] if known else mix(ink, blank, (0.15, 0.45, 0.6)[i % 3])
    return {"color": colour, "symbol": _SYMBOLS[i % len(_SYMBOLS)]}
