"""Figures of claims as SVG elements, for pages without Plotly."""

import math
import re
from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 14, 62  # margins, with the labels of the axes
LEGEND = 24  # additional margin at the top
SIDE = 0.3  # space beside the outer places, as a share of the places' distance
N_TICKS = 5
RADIUS, DOT_RADIUS = 5.5, 3
LINE = 15  # height of a line of a tick's label
# corners of the signs of a line, in units of the radius; circles have none
_CORNERS = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "triangle-up": ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    "cross": ((-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)),
}


def claim_svg(light: go.Figure, dark: go.Figure) -> str:
    """Return the SVG element of a figure of `regviz.figures.claim_figures`.

    Parameters
    ----------
    light, dark : plotly.graph_objects.Figure
        The figure in both themes. The element has both colours of each line, as the CSS variables
        ``--light`` and ``--dark``; ``assets/board/styles/offline.css`` selects one.
    """
    named = light.layout.showlegend
    top = TOP + (LEGEND if named else 0)
    xs: list[float] = [float(x) for x in light.layout.xaxis.tickvals]
    step = float(np.diff(np.sort(xs)).min()) if len(xs) > 1 else 1.0
    reach = (min(xs) - SIDE * step, max(xs) + SIDE * step)
    ticks = nice_ticks(*_extent(light.data))
    low, high = ticks[0], ticks[-1]

    beside = _words(light.layout.yaxis.title.text)
    left = LEFT + LINE * (len(beside) - 1)

    def across(x: float) -> float:
        return left + (x - reach[0]) / (reach[1] - reach[0]) * (WIDTH - left - RIGHT)

    def down(y: float) -> float:
        return top + (high - y) / (high - low) * (HEIGHT - top - BOTTOM)

    parts = [_horizontal(left, down(y), f"{y:.6g}") for y in ticks]
    labels = [_words(text) for text in light.layout.xaxis.ticktext]
    for x, words in zip(xs, labels, strict=True):
        parts += [
            _text(across(x), HEIGHT - BOTTOM + 18 + LINE * i, line) for i, line in enumerate(words)
        ]
    below = " ".join(_words(light.layout.xaxis.title.text))
    parts.append(_text((left + WIDTH - RIGHT) / 2, HEIGHT - 6, below))
    middle = (top + HEIGHT - BOTTOM) / 2
    for i, line in enumerate(beside):
        x = 14 + LINE * i
        parts.append(_text(x, middle, line, f' transform="rotate(-90 {x} {middle:.1f})"'))
    names = 0.0
    for ours, theirs in zip(light.data, dark.data, strict=True):
        shapes = _trace(ours, across, down)
        if named and "lines" in ours.mode:
            label = " ".join(_words(ours.name))
            shapes += [
                _sign(left + 8 + names, 12, RADIUS, ours.marker.symbol),
                _text(left + 20 + names, 16, label, ' text-anchor="start"'),
            ]
            names += 36 + 7.5 * len(label)
        colours = f"--light:{ours.marker.color};--dark:{theirs.marker.color}"
        parts.append(f'<g style="{colours}">{"".join(shapes)}</g>')
    alt = escape(light.layout.meta["alt"])
    box = f"0 0 {WIDTH} {HEIGHT}"
    head = f'<svg class="claim-chart" viewBox="{box}" role="img" aria-label="{alt}">'
    return f"{head}{''.join(parts)}</svg>"


def nice_ticks(low: float, high: float) -> list[float]:
    """Return about `N_TICKS` multiples of 1, 2 or 5 times a power of ten that enclose a range.

    Zero is enclosed, too, where it is within the range's length from it.
    """
    if low > 0 and low < high - low:
        low = 0.0
    if high < 0 and -high < high - low:
        high = 0.0
    length = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(length / N_TICKS))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= length / N_TICKS * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _extent(traces: Iterable[Any]) -> tuple[float, float]:
    """Return the least and greatest y of traces, with their error bars."""
    ends = []
    for trace in traces:
        y = np.asarray(trace.y, dtype=float)
        bars = trace.error_y.array
        size = 0.0 if bars is None else np.asarray(bars, dtype=float)
        ends += [(y - size).min(), (y + size).max()]
    return float(min(ends)), float(max(ends))


def _trace(trace: Any, across: Any, down: Any) -> list[str]:
    """Return the elements of a trace: dots, or a line with signs and error bars."""
    places = [(across(float(x)), down(float(y))) for x, y in zip(trace.x, trace.y, strict=True)]
    symbol = trace.marker.symbol
    if "lines" not in trace.mode:
        dots = (_sign(x, y, DOT_RADIUS, symbol) for x, y in places)
        return [f'<g opacity="0.35">{"".join(dots)}</g>']
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    shapes = [f'<polyline points="{points}"/>']
    if trace.error_y.array is not None:
        for (x, _), y, bar in zip(places, trace.y, trace.error_y.array, strict=True):
            ends = down(float(y) - float(bar)), down(float(y) + float(bar))
            shapes.append(f'<path d="M{x:.1f} {ends[0]:.1f}V{ends[1]:.1f}"/>')
    return shapes + [_sign(x, y, RADIUS, symbol) for x, y in places]


def _sign(x: float, y: float, radius: float, symbol: str) -> str:
    corners = _CORNERS.get(symbol)
    if corners is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'
    at = " ".join(f"{x + radius * a:.1f},{y + radius * b:.1f}" for a, b in corners)
    shape = f'<polygon points="{at}"/>'
    if symbol != "cross":
        return shape
    upright = " ".join(f"{x + radius * b:.1f},{y + radius * a:.1f}" for a, b in corners)
    return f'{shape}<polygon points="{upright}"/>'


def _horizontal(left: float, y: float, label: str) -> str:
    line = f'<path class="grid" d="M{left} {y:.1f}H{WIDTH - RIGHT}"/>'
    return line + _text(left - 8, y + 4, label.replace("-", "−"), ' text-anchor="end"')


def _text(x: float, y: float, text: str, more: str = "") -> str:
    anchor = "" if "text-anchor" in more else ' text-anchor="middle"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{anchor}{more}>{text}</text>'


def _words(text: str) -> list[str]:
    """Return the lines of a text of Plotly, in which special characters are escaped as in HTML."""
    return re.split(r"<br>", text)
