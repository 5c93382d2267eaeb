"""Figures of a claim's measured numbers over all seeds."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from regviz.analysis.regularization_path import standard_error
from regviz.figures._traces import set_alt_text, style
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import escaped
from regviz.methods.palette import Theme, mix
from regviz.spec.validation import choice, invalid

__all__ = ["claim_figures", "claim_seeds"]

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
MAX_LINE_CHARS = 28  # of the title and of the y axis' label, in a figure 340 px wide
MAX_TICK_CHARS = 12
ROW, ROW_GAP = 96, 48  # pixels of a row of `claim_seeds` with its gap, and of the gap alone
SPREAD = 0.05  # of the seeds' dots on both sides of a place, as a share of the places' distance


def claim_figures(
    title: str,
    x: str,
    y: str,
    at: Sequence[float] | Sequence[str],
    lines: Mapping[str, ArrayLike],
    *,
    errors: bool = False,
    theme: Theme = "light",
) -> go.Figure:
    """Plot numbers that were measured for several seeds, and their medians or means.

    Parameters
    ----------
    title, x, y : str
        Title, and labels of the axes.
    at : sequence of float or str
        The n places on the x axis: numbers, or names in equal distances.
    lines : mapping of str to array-like of shape (n, n_seeds)
        By name of the line, its values. The name of a method gives the line its colour; a single
        line may have an empty name.
    errors : bool
        Whether to plot means, with bars of one standard error on both sides, instead of the numbers
        of all seeds and their medians.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        For each line a trace of its medians, after one of the dots of all seeds; with ``errors`` a
        trace of its means.

    Raises
    ------
    ValueError
        If a shape does not match.

    Examples
    --------
    >>> from regviz import figures
    >>> gaps = {"None": [[0.2, 0.3], [0.9, 1.1]], "L2": [[0.2, 0.2], [0.3, 0.4]]}
    >>> figure = figures.claim_figures("Gap by width", "units", "gap", [2, 8], gaps)
    >>> len(figure.data)
    4
    """
    choice("theme", theme, get_args(Theme))
    named = any(isinstance(place, str) for place in at)
    places = np.arange(len(at), dtype=float) if named else np.asarray(at, dtype=float)
    figure = go.Figure()
    n_seeds = 0
    words = []
    middle = "mean" if errors else "median"
    for i, (name, values) in enumerate(lines.items()):
        numbers = np.asarray(values, dtype=float)
        if numbers.ndim != 2 or len(numbers) != len(at):
            raise invalid(f"lines[{name!r}]", f"of shape ({len(at)}, n_seeds)", numbers.shape)
        n_seeds = numbers.shape[1]
        look = _look(name, i, theme)
        step = float(np.diff(np.sort(places)).min()) if len(at) > 1 else 1.0
        aside = (i - (len(lines) - 1) / 2) * 3 * SPREAD
        shift = step * (aside + np.linspace(-SPREAD, SPREAD, n_seeds))
        middles = numbers.mean(axis=1) if errors else np.median(numbers, axis=1)
        bars = standard_error(numbers.T) if errors else None
        if bars is None:
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
            y=middles,
            error_y=None if bars is None else dict(array=bars, thickness=2, width=5),
            mode="lines+markers",
            name=escaped(name) or middle,
            line=dict(color=look["color"], width=2.4),
            marker=dict(size=8 if errors else 11, color=look["color"], symbol=look["symbol"]),
            customdata=bars,
            hovertemplate=f"{middle} %{{y:.3g}}{' ± %{customdata:.2g}' if errors else ''}"
            f"<extra>{escaped(name)}</extra>",
        )
        numbers_told = (
            [f"{value:.3g}" for value in middles]
            if bars is None
            else [f"{value:.3g} ± {bar:.2g}" for value, bar in zip(middles, bars, strict=True)]
        )
        listed = ", ".join(
            f"{told} at {place}" for place, told in zip(at, numbers_told, strict=True)
        )
        words.append(f"{name}: {listed}" if name else listed)
    heading = textwrap.wrap(title, MAX_LINE_CHARS)
    about = (
        f"mean ± standard error of {n_seeds} seeds"
        if errors
        else f"each dot a seed, {n_seeds} in all; lines: medians"
    )
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
    return set_alt_text(figure, f"{title}. {middle.capitalize()} {y} by {x}: {'; '.join(words)}.")


def claim_seeds(
    figures: Mapping[str, ArrayLike], holds: Sequence[bool], *, theme: Theme = "light"
) -> go.Figure:
    """Plot the measured numbers of a claim for each seed, in a row for each number.

    Parameters
    ----------
    figures : mapping of str to array-like of shape (n_seeds,)
        By name of the number, its values. At least one.
    holds : sequence of bool, of length n_seeds
        For each seed, whether the claim is true.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        For each number a trace of dots, crosses for seeds in which the claim is false, and a line
        at the median.

    Raises
    ------
    ValueError
        If a shape does not match.

    Examples
    --------
    >>> from regviz import figures
    >>> figure = figures.claim_seeds({"gap": [0.9, 1.1, 0.1]}, holds=[True, True, False])
    """
    choice("theme", theme, get_args(Theme))
    values = {name: np.asarray(each, dtype=float) for name, each in figures.items()}
    if not values or any(each.shape != (len(holds),) for each in values.values()):
        shapes = [each.shape for each in values.values()]
        raise invalid("figures", f"mapping to arrays of shape ({len(holds)},)", shapes)
    n = len(values)
    figure = make_subplots(
        rows=n,
        cols=1,
        vertical_spacing=ROW_GAP / (ROW * n - ROW_GAP) if n > 1 else 0,
        subplot_titles=[
            f"{escaped(name.replace('_', ' '))}, median {np.median(each):.3g}"
            for name, each in values.items()
        ],
    )
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    seeds = np.arange(len(holds))
    # dots of near values do not cover one another: in the order of the seeds from below to above
    heights = np.linspace(-1, 1, len(holds)) if len(holds) > 1 else np.zeros(1)
    for row, each in enumerate(values.values(), 1):
        figure.add_scatter(
            x=each,
            y=heights,
            mode="markers",
            marker=dict(
                size=8,
                color=mix(ink, blank, 0.15),
                opacity=0.7,
                symbol=["circle" if held else "x" for held in holds],
            ),
            customdata=[
                (seed, "holds" if held else "does not hold")
                for seed, held in zip(seeds.tolist(), holds, strict=True)
            ],
            hovertemplate="seed %{customdata[0]}: %{x:.3g}, %{customdata[1]}<extra></extra>",
            row=row,
            col=1,
        )
        figure.add_vline(
            float(np.median(each)), line=dict(color=mix(ink, blank, 0.3), width=1.5), row=row, col=1
        )
    about = "dots: seeds" + ("" if all(holds) else "; ×: does not hold")
    style(figure, theme, f"{len(holds)} seeds", f"{about}; line: median")
    figure.update_layout(
        height=ROW * n + 100,
        margin=dict(l=16, r=16, t=90, b=10 + ROW_GAP // 2),
        showlegend=False,
        dragmode=False,
    )
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    figure.update_xaxes(nticks=5, zeroline=False)
    figure.update_yaxes(visible=False, range=[-1.3, 1.3])
    words = "; ".join(
        f"{name.replace('_', ' ')}: median {np.median(each):.3g}, from {each.min():.3g} to"
        f" {each.max():.3g}"
        for name, each in values.items()
    )
    return set_alt_text(figure, f"{sum(holds)} of {len(holds)} seeds hold. {words}.")


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
