"""Animated Plotly figure of one weight's way to 0 under several penalties."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regviz.analysis import penalties
from regviz.engine.history import Floats
from regviz.figures._regularization_styles import Look, Rows, looks_of
from regviz.figures._traces import set_alt_text, style
from regviz.methods import palette
from regviz.methods.labels import digits
from regviz.methods.palette import Theme, mix
from regviz.spec.experiment import Regularization
from regviz.spec.validation import boolean, integer, real

__all__ = ["weight_race"]

FRAMES = 90
SECONDS = 6.0  # duration of the animation
MAX_STEPS = 10_000_000
SMALLEST = 1e-300  # smaller weights are shown as "below 1e-300": they may have underflowed to 0
_BUTTON = palette.BLANK["light"], palette.INK["light"]


def weight_race(
    rows: Rows,
    start: float,
    step: float,
    n_steps: int,
    *,
    log: bool = False,
    theme: Theme = "light",
) -> go.Figure:
    """Animate a weight under the proximal steps of several penalties, without data.

    Parameters
    ----------
    rows : sequence of Regularization
        Only ``l1`` and ``l2`` are used.
    start : float
        The weight at step 0, above 0 and at most 1000.
    step : float
        Step size, above 0 and at most 1000.
    n_steps : int
        Number of steps, 1 to 10 million.
    log : bool
        Whether the weight's axis is logarithmic. L2 is then a straight line, and the line of a
        weight that becomes 0 leaves the panel at the bottom.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        A line for each regularization, and then for each a point that moves along it in the
        figure's frames. Without animation the points are at step 0.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.5), regviz.Regularization(l2=1.0))
    >>> figure = figures.weight_race(rows, start=1.2, step=0.1, n_steps=40)
    >>> len(figure.frames) > 1
    True
    """
    boolean("log", log)
    start = real("start", start, 0, penalties.MAX_WEIGHT, open_low=True)
    n_steps = integer("n_steps", n_steps, 1, MAX_STEPS)
    looks = looks_of(rows, theme)
    stops = np.unique(np.linspace(0, n_steps, FRAMES + 1).round())
    steps = _with_arrivals(stops, rows, start, step)
    weights = [penalties.values_after_steps(start, row, step, steps) for row in rows]
    results = [
        _result(row, start, step, n_steps, float(w[-1]))
        for row, w in zip(rows, weights, strict=True)
    ]
    floor = _floor(weights) if log else 0.0
    figure = style(go.Figure(), theme, "Who reaches 0?", "only the penalty moves the weight")
    for row, look, w, result in zip(rows, looks, weights, results, strict=True):
        texts = [size(weight, arrived=penalties.constant_pull(row) > 0) for weight in w.tolist()]
        _line(figure, look, steps, w, texts, result, floor)
    heads = np.array([np.maximum(w, floor)[np.isin(steps, stops)] for w in weights])
    _points(figure, looks, stops, heads, theme)
    figure.update_layout(
        dragmode=False,  # so that a finger on the figure scrolls the page
        height=430 + 20 * len(rows),
        margin=dict(l=62, r=22, t=76 + 20 * len(rows), b=150, autoexpand=False),
        legend=dict(x=0, xanchor="left", y=1.02, yanchor="bottom"),
    )
    figure.update_xaxes(title_text="step", range=(0, n_steps))
    figure.update_yaxes(**_scale(start, floor))
    listed = "; ".join(f"{look.name}: {text}" for look, text in zip(looks, results, strict=True))
    return set_alt_text(figure, f"A weight that starts at {digits(start)}. {listed}.")


def _with_arrivals(stops: Floats, rows: Rows, start: float, step: float) -> NDArray[np.float64]:
    """Return the steps to plot: ``stops``, and for each zero its first step and the one before."""
    arrivals = [penalties.steps_to_zero(start, row, step) for row in rows]
    shown = [n for n in arrivals if n is not None and n <= stops[-1]]
    steps: NDArray[np.float64] = np.unique([*stops, *shown, *(n - 1 for n in shown)])
    return steps


def _result(row: Regularization, start: float, step: float, n_steps: int, last: float) -> str:
    n = penalties.steps_to_zero(start, row, step)
    if n is None:
        return f"never 0; {size(last)} after {steps_of(n_steps)}"
    return f"exactly 0 after {steps_of(n)}"


def size(weight: float, arrived: bool = False) -> str:
    """Format a weight of 0 or more.

    ``arrived`` is whether a value of 0 is exact; otherwise small values are shown as a bound.
    """
    return digits(weight) if arrived or weight >= SMALLEST else f"below {digits(SMALLEST)}"


def steps_of(n: int) -> str:
    """Format a number of steps, such as "1 step" or "1,000 steps"."""
    return f"{n:,} step" + "s" * (n != 1)


def _line(
    figure: go.Figure,
    look: Look,
    steps: Floats,
    weights: Floats,
    texts: Sequence[str],
    result: str,
    floor: float,
) -> None:
    line = weights
    if floor:  # a logarithmic axis has no 0: the line ends below the panel
        line = np.where(weights > 0, weights, np.nan)
        if weights[-1] == 0:
            line[np.argmin(weights)] = floor / 1000
    figure.add_scatter(
        x=steps,
        y=line,
        customdata=weights,
        text=texts,
        mode="lines",
        name=f"{look.name}: {result}",
        line=dict(color=look.colour, width=2.5, dash=look.dash),
        hovertemplate=f"{look.name}<br>step %{{x}}<br>weight %{{text}}<extra></extra>",
    )


def _points(
    figure: go.Figure, looks: list[Look], stops: Floats, heads: Floats, theme: Theme
) -> None:
    """Add the moving points, their frames, and a play button and a slider that control them."""
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    first = len(figure.data)
    for look, head in zip(looks, heads, strict=True):
        figure.add_scatter(
            x=stops[:1],
            y=head[:1],
            mode="markers",
            marker=dict(color=look.colour, size=13, line=dict(color=ink, width=1.5)),
            showlegend=False,
            hoverinfo="skip",
            cliponaxis=False,
        )
    figure.frames = [
        go.Frame(
            name=f"{stop:.0f}",
            traces=list(range(first, first + len(looks))),
            data=[go.Scatter(x=[stop], y=[y]) for y in now],
        )
        for stop, now in zip(stops, heads.T, strict=True)
    ]
    at_once = dict(mode="immediate", transition=dict(duration=0))
    pace = dict(duration=1000 * SECONDS / len(stops), redraw=False)
    play = dict(frame=pace, fromcurrent=True, **at_once)
    still = dict(frame=dict(duration=0, redraw=False), **at_once)
    buttons = dict(
        type="buttons",
        direction="left",
        showactive=False,
        x=0,
        xanchor="left",
        y=0,
        yanchor="top",
        pad=dict(t=56),
        # light in both themes, as Plotly's hover colour of buttons is always near white
        bgcolor=mix(*_BUTTON, 0.1),
        bordercolor=mix(*_BUTTON, 0.35),
        font=dict(color=_BUTTON[1]),
        buttons=[
            dict(label="▶ Play", method="animate", args=[None, play]),
            dict(label="❚❚ Pause", method="animate", args=[[None], still]),
        ],
    )
    slider = dict(
        active=0,
        x=0,
        len=1,
        y=0,
        yanchor="top",
        pad=dict(t=96, l=0, r=0),
        ticklen=0,
        minorticklen=0,
        tickcolor=blank,
        font=dict(color=blank),  # hides the labels of the steps, which would overlap
        currentvalue=dict(prefix="step ", font=dict(color=ink, size=13)),
        bgcolor=mix(blank, ink, 0.15),
        bordercolor=mix(blank, ink, 0.3),
        activebgcolor=mix(blank, ink, 0.5),
        steps=[
            dict(method="animate", label=frame.name, args=[[frame.name], still])
            for frame in figure.frames
        ],
    )
    figure.update_layout(updatemenus=[buttons], sliders=[slider])


def _floor(weights: Sequence[Floats]) -> float:
    """Return the lower end of the logarithmic axis: a power of ten below all nonzero last weights.

    It is between 1e-6 and 0.01 of the start, rounded down to a power of ten.
    """
    start = float(weights[0][0])
    lowest = min((float(w[-1]) for w in weights if w[-1] > 0), default=start / 1000)
    return float(10.0 ** math.floor(math.log10(min(max(lowest, 1e-6 * start), 0.01 * start))))


def _scale(start: float, floor: float) -> dict[str, object]:
    """Return the options of the weight's axis: linear for a floor of 0, else logarithmic."""
    if not floor:
        return dict(title_text="weight", range=(-0.04 * start, 1.05 * start))
    low, top = math.log10(floor), math.log10(start)
    return dict(
        title_text="weight (log scale)",
        type="log",
        range=(low, top + 0.05 * (top - low)),
        dtick=max(1, round((top - low) / 5)),
        tickformat="~g",
    )
