"""Shared parts of figures: names and colours of networks, style, traces of the plane."""

import textwrap
from typing import Any, NamedTuple, get_args

import numpy as np
import plotly.graph_objects as go

from regviz.engine.history import Floats, History
from regviz.methods import palette
from regviz.methods.catalogue import colour as method_colour
from regviz.methods.labels import class_names, escaped, labels, short_names, shortened
from regviz.methods.palette import Theme, mix, rgb_of
from regviz.spec.validation import choice

FONT = "'Source Sans', system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
# Share of the class colour for a probability of 1, so that points stand out from it.
MAX_OPACITY = 0.65
NAMES = {"train": "training", "test": "test"}
MAX_LEGEND_CHARS = 18  # maximum length of a class's name in a legend, in characters
HOVER_POSITION = "x₁ = %{x:.2f}, x₂ = %{y:.2f}<br>"


class Look(NamedTuple):
    """Method, name and colour of a network."""

    method: str
    text: str
    colour: str


def network_looks(history: History, theme: Theme) -> list[Look]:
    """Return the look of every network, with different names."""
    choice("theme", theme, get_args(Theme))
    all_labels = labels(history.experiment)
    texts, methods = [one.text for one in all_labels], [one.method for one in all_labels]
    looks = []
    for k, (text, method) in enumerate(zip(texts, methods, strict=True)):
        if texts.count(text) > 1:
            text += f" (network {k})"
        shade = shades(methods.count(method))[methods[:k].count(method)]
        other = palette.INK[theme] if shade > 0 else palette.BLANK[theme]
        looks.append(Look(method, text, mix(method_colour(method)[theme], other, abs(shade))))
    return looks


def shades(n: int) -> list[float]:
    """Return the shades of n networks of one method: shares of ink (positive) or background."""
    return [0.0] if n == 1 else np.linspace(-0.25, 0.55, n).tolist()


def style(figure: go.Figure, theme: Theme, title: str, subtitle: str) -> go.Figure:
    """Apply the common background, colours, fonts, title and legend to a figure."""
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    muted, size = mix(ink, blank, 0.25), 18 if len(title) <= 50 else 14
    heading = "<br>".join(textwrap.wrap(title, 50))
    below = f"<span style='font-size:13px;color:{muted}'>{subtitle}</span>"
    figure.update_layout(
        template="none",
        paper_bgcolor=blank,
        plot_bgcolor=blank,
        font=dict(family=FONT, size=13, color=ink),
        title=dict(
            text=f"<b>{heading}</b><br>{below}",
            font_size=size,
            x=0,
            xref="paper",
            y=1,
            yanchor="top",
            pad=dict(t=26),
        ),
        height=440,
        margin=dict(l=70, r=30, t=88, b=60),
        legend=dict(x=1.02, y=1, font_size=13, tracegroupgap=0),
        hoverlabel=dict(font=dict(family=FONT, size=13)),
    )
    axis = dict(
        gridcolor=mix(blank, ink, 0.12),
        zerolinecolor=mix(blank, ink, 0.35),
        ticks="",
        title=dict(font_size=14, standoff=10),
    )
    figure.update_xaxes(axis)
    figure.update_yaxes(axis)
    return figure


def set_alt_text(figure: go.Figure, words: str) -> go.Figure:
    """Set a figure's text alternative."""
    return figure.update_layout(meta={"alt": words})


def plane_traces(
    history: History, axis: Floats, values: Floats, theme: Theme
) -> list[go.Heatmap | go.Contour]:
    """Return traces of a network's predictions over the plane, and of the class boundaries.

    Parameters
    ----------
    history : History
    axis : ndarray of shape (n,)
        Coordinates of the grid along both axes.
    values : ndarray of shape (n, n) or (n, n, C)
        Predictions of `History.predict` on the grid.
    theme : {"light", "dark"}
    """
    common = dict(x=axis, y=axis, showlegend=False)
    if history.dataset.task == "regression":
        low, high = target_range(history)
        return [
            go.Contour(
                z=values,
                coloraxis="coloraxis",
                contours=dict(coloring="heatmap", start=low, end=high, size=(high - low) / 8),
                line=dict(color=mix(palette.BLANK[theme], palette.INK[theme], 0.55), width=0.7),
                hovertemplate=f"{HOVER_POSITION}prediction %{{z:.3g}}<extra></extra>",
                **common,
            )
        ]
    if history.dataset.task == "binary":
        fields = [
            go.Heatmap(
                z=values,
                zsmooth="best",
                coloraxis="coloraxis",
                hovertemplate=HOVER_POSITION
                + f"p({_names(history)[1]}) = %{{z:.3f}}<extra></extra>",
                **common,
            )
        ]
        values = np.stack([values, 1 - values], axis=2)
    else:
        fields = [_region(values, c, theme, common) for c in range(values.shape[2])]
        confidence = values.max(axis=2).astype(np.float64).round(3)
        winners = np.array(_names(history), dtype=object)[values.argmax(axis=2)]
        best = np.stack([winners, confidence.astype(object)], axis=2)
        hover = f"{HOVER_POSITION}%{{customdata[0]}}, p = %{{customdata[1]}}<extra></extra>"
        fields[-1].update(customdata=best, hoverinfo=None, hovertemplate=hover)
    # logarithms: contours interpolated between probabilities near 0 and 1 zigzag along the grid
    scores = np.log(values.astype(np.float64).clip(1e-9))
    lines = [
        go.Contour(
            z=_lead(scores, c).astype(np.float32),
            contours=dict(coloring="none", start=0, end=0, size=1),
            line=dict(color=palette.INK[theme], width=2),
            showscale=False,
            hoverinfo="skip",
            **common,
        )
        for c in range(values.shape[2] - 1)
    ]
    return fields + lines


def _region(values: Floats, c: int, theme: Theme, common: dict[str, Any]) -> go.Heatmap:
    """Return the lead of class ``c`` in its colour, transparent where another is more probable."""
    rgb = ", ".join(str(v) for v in rgb_of(class_colour(c, theme)))
    return go.Heatmap(
        z=_lead(values, c),
        zmin=0,
        zmax=1,
        zsmooth="best",
        colorscale=[[0, f"rgba({rgb}, 0)"], [1, f"rgba({rgb}, {MAX_OPACITY})"]],
        showscale=False,
        hoverinfo="skip",
        **common,
    )


def _lead(scores: Floats, c: int) -> Floats:
    """Return the score of class ``c`` minus the largest of the others, of shape (n, n)."""
    lead: Floats = scores[..., c] - np.delete(scores, c, axis=2).max(axis=2)
    return lead


def point_traces(history: History, theme: Theme, size: float) -> list[go.Scatter]:
    """Return traces of the test points, hollow, and the training points on top, filled."""
    draw = _targets if history.dataset.task == "regression" else _classes
    traces = draw(history, "test", theme, size) + draw(history, "train", theme, size)
    return [trace for trace in traces if len(trace.x)]


def _classes(history: History, split: str, theme: Theme, size: float) -> list[go.Scatter]:
    X, y = history.dataset.points(split)
    traces = []
    names = _names(history)
    for c, (called, short) in enumerate(zip(names, _names(history, MAX_LEGEND_CHARS), strict=True)):
        colour, shape = class_colour(c, theme), palette.SHAPES[c % len(palette.SHAPES)]
        filled = dict(color=colour, line=dict(color=palette.INK[theme], width=1))
        hollow = dict(color=palette.BLANK[theme], line=dict(color=colour, width=1.8))
        # enlarged, as a triangle has 41 % of the area of its circumscribed circle
        look = dict(symbol=shape, size=size * (1.25 if shape.startswith("triangle") else 1))
        traces.append(
            go.Scatter(
                x=X[y == c, 0],
                y=X[y == c, 1],
                mode="markers",
                name=f"{short}, {NAMES[split]}",
                marker=look | (filled if split == "train" else hollow),
                legendrank=c if split == "train" else 100 + c,
                hovertemplate=f"{HOVER_POSITION}{called} ({NAMES[split]})<extra></extra>",
            )
        )
    return traces


def _targets(history: History, split: str, theme: Theme, size: float) -> list[go.Scatter]:
    X, y = history.dataset.points(split)
    value = dict(color=y, coloraxis="coloraxis", size=size)
    if split == "train":
        markers = [value | dict(line=dict(color=palette.INK[theme], width=1))]
    else:  # a coloured ring on a wider one of ink, visible on any background
        ring = dict(symbol="circle-open", size=size)
        markers = [
            ring | dict(color=palette.INK[theme], line_width=0.46 * size),
            value | ring | dict(line_width=0.24 * size),
        ]
    return [
        go.Scatter(
            x=X[:, 0],
            y=X[:, 1],
            mode="markers",
            name=f"{NAMES[split]} points",
            marker=marker,
            customdata=y,
            legendgroup=split,
            legendrank=1 if split == "train" else 100,
            showlegend=marker is markers[0],
            hovertemplate=HOVER_POSITION
            + f"target %{{customdata:.3g}} ({NAMES[split]})<extra></extra>",
        )
        for marker in markers
    ]


def scale(history: History, theme: Theme) -> dict[str, Any]:
    """Return the Plotly colour axis of predictions and targets, with its colour bar."""
    low, high = target_range(history)
    blank, ends = palette.BLANK[theme], palette.CLASSES[:2]
    bar: dict[str, Any] = dict(thickness=12, outlinewidth=0, len=0.6)
    if history.dataset.task == "regression":
        title = "prediction and target"
    else:
        called = class_names(history.experiment.data, history.dataset.n_classes)[1]
        title = f"probability of {escaped(shortened(called))}"
        ends = tuple(mix(blank, colour, MAX_OPACITY) for colour in ends)
        bar |= dict(tickvals=[0, 0.5, 1], ticktext=["0", "½", "1"])
    return dict(
        cmin=low,
        cmax=high,
        colorscale=[[0, ends[0]], [0.5, blank], [1, ends[1]]],
        colorbar=bar | dict(title=dict(text=title, side="right", font_size=13)),
    )


def target_range(history: History) -> tuple[float, float]:
    """Return the smallest and the largest training target; 0 and 1 for two classes."""
    y = history.dataset.y_train
    low, high = float(y.min()), float(y.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _names(history: History, longest: int | None = None) -> list[str]:
    """Return the names of the classes, escaped for Plotly, cut to ``longest`` if given."""
    names = class_names(history.experiment.data, history.dataset.n_classes)
    return [escaped(name) for name in (short_names(names, longest) if longest else names)]


def class_colour(c: int, theme: Theme) -> str:
    """Return the colour of a class; beyond the palette, its colours are repeated, darker."""
    cycle, c = divmod(c, len(palette.CLASSES))
    return mix(palette.CLASSES[c], palette.INK[theme], 1 - 0.7**cycle)
