"""Traces of the figure of a regularization path: lines, markers and invisible bars."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from regviz.analysis.regularization_path import Path, standard_error
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from regviz.methods.palette import Theme, mix

Array = NDArray[np.float64]
MAX_MARKERS = 4000  # of the weights' lines: more are slow to draw, and too dense to point at one
SPLITS = {"train": "training", "validation": "validation", "test": "test"}


def column_edges(path: Path) -> Array:
    """Return the edges of the strengths' bars on the axis, of shape (L + 1,)."""
    x = path.positions
    if len(x) == 1:
        return np.array([x[0] - 0.5, x[0] + 0.5])
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])


def column_trace(
    path: Path, losses: Mapping[str, Array], panel: tuple[float, float], i: int
) -> go.Bar:
    """Return invisible bars over a panel, with a summary of each strength as their hover text.

    They make every position of the panel clickable.
    """
    edges, (low, high) = column_edges(path), panel
    n = len(path.strengths)
    return go.Bar(
        x=(edges[1:] + edges[:-1]) / 2,
        width=np.diff(edges),
        base=np.full(n, low),
        y=np.full(n, high - low),
        marker=dict(color="rgba(0, 0, 0, 0)", line_width=0, opacity=1),
        customdata=np.arange(n),
        hovertext=[_summary(path, losses, index) for index in range(n)],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        xaxis=f"x{i}",
        yaxis=f"y{i}",
    )


def _summary(path: Path, losses: Mapping[str, Array], i: int) -> str:
    lines = [f"<b>{path.text(i)}</b>"]
    if np.isnan(path.nonzero[i]):
        return f"{lines[0]}<br>diverged"
    lines += [
        f"{path.nonzero[i]:.0f} of {path.weights.shape[1]} weights not 0",
        f"‖w‖₁ = {path.l1_norm[i]:.3g}, ‖w‖₂ = {path.l2_norm[i]:.3g}",
    ]
    for split, values in losses.items():
        error = standard_error(values)[i]
        spread = f" ± {error:.3f}" if np.isfinite(error) else ""
        lines.append(f"{SPLITS[split]} loss {values[:, i].mean():.3f}{spread}")
    return "<br>".join(lines)


def weight_traces(path: Path, theme: Theme) -> list[go.Scatter]:
    """Return a trace for each layer, with a line for each of its weights."""
    n_layers, n = int(path.wires[-1, 0]) + 1, len(path.strengths)
    method = METHODS[path.method]
    at = f"{method.symbol} " + ("%{customdata[2]:.3~p}" if method.percent else "= %{customdata[2]}")
    # invisible markers: Plotly reports no clicks on a line, and a line intercepts those on the bars
    marked = path.weights.size <= MAX_MARKERS
    ends = (0.0, 0.72) if theme == "light" else (0.38, 1.0)
    shades = np.linspace(*ends, n_layers) if n_layers > 1 else np.array([0.45])
    colours = sample_colorscale("Viridis", shades.tolist())
    traces = []
    for layer, colour in enumerate(colours):
        members = path.wires[:, 0] == layer
        count = int(members.sum())
        gap = np.full((count, 1), np.nan)
        ends_of = np.repeat(path.wires[members][:, None, 1:] + 1, n + 1, axis=1)
        strengths = np.tile(np.append(path.strengths, np.nan), (count, 1))
        indices = np.tile(np.append(np.arange(n, dtype=float), np.nan), (count, 1))
        output = layer == n_layers - 1
        name = "to the output" if output else f"to layer {layer + 1}"
        source = "input" if layer == 0 else f"layer {layer} unit"
        traces.append(
            go.Scatter(
                x=np.hstack([np.tile(path.positions, (count, 1)), gap]).ravel(),
                y=np.hstack([path.weights[:, members].T, gap]).ravel(),
                mode="lines+markers" if marked else "lines",
                name=name,
                marker=dict(color="rgba(0, 0, 0, 0)", opacity=1, size=6, line_width=0),
                hoverinfo=None if marked else "skip",
                line=dict(color=colour, width=1.2 if count < 200 else 0.7),
                opacity=0.75 if count < 200 else 0.5,
                # lists: of a 2-D typed array, Plotly reports the clicked row as an object
                customdata=np.dstack([ends_of, strengths, indices]).reshape(-1, 4).tolist()
                if marked
                else None,
                hovertemplate=None
                if not marked
                else f"w = %{{y:.3g}} at {at}<br>{source} %{{customdata[1]}} → "
                f"{name.removeprefix('to ')}"
                f"{'' if output else ' unit'} %{{customdata[0]}}<extra></extra>",
                xaxis="x",
                yaxis="y",
            )
        )
    return traces


def zero_trace(path: Path, limit: float, theme: Theme) -> go.Scatter:
    """Return discs on 0 whose areas are the shares of weights that are exactly 0."""
    share = np.nan_to_num(1 - path.nonzero / path.weights.shape[1])
    some = share > 0
    return go.Scatter(
        x=path.positions[some],
        y=np.zeros(int(some.sum())),
        mode="markers",
        name="exactly 0",
        marker=dict(
            color=palette.INK[theme],
            size=20 * np.sqrt(share[some]),
            opacity=0.85,
            line=dict(color=palette.BLANK[theme], width=1),
        ),
        customdata=np.flatnonzero(some),
        hovertext=[f"{100 * s:.0f} % of the weights exactly 0" for s in share[some]],
        hovertemplate="%{hovertext}<extra></extra>",
        xaxis="x",
        yaxis="y",
    )


def norm_traces(path: Path, theme: Theme) -> list[go.Scatter]:
    """Return the L1 and L2 norms of the weights, in percent of their largest values."""
    traces = []
    for name, norm, dash in (("‖w‖₁", path.l1_norm, "solid"), ("‖w‖₂", path.l2_norm, "dot")):
        largest = float(np.nanmax(norm, initial=0)) or 1.0
        traces.append(
            go.Scatter(
                x=path.positions,
                y=100 * norm / largest,
                mode="lines",
                name=name,
                line=dict(color=mix(palette.INK[theme], palette.BLANK[theme], 0.2), dash=dash),
                customdata=norm,
                hovertemplate=f"{name} = %{{customdata:.3g}} (%{{y:.0f}} %)<extra></extra>",
                xaxis="x2",
                yaxis="y2",
            )
        )
    return traces


def loss_trace(path: Path, split: str, values: Array, theme: Theme) -> go.Scatter:
    """Return the mean of losses (S, L) over seeds, with standard errors if there are several."""
    own = METHODS[path.method].colour[theme]
    colour, dash, symbol = {
        "train": (mix(own, palette.BLANK[theme], 0.35), "dash", "circle-open"),
        "validation": (palette.INK[theme], "dot", "diamond"),
        "test": (own, "solid", "circle"),
    }[split]
    error = standard_error(values)
    return go.Scatter(
        x=path.positions,
        y=values.mean(axis=0),
        error_y=dict(array=error, thickness=1.2, width=4) if len(values) > 1 else None,
        mode="lines+markers",
        name=f"{SPLITS[split]} loss",
        line=dict(color=colour, dash=dash, width=2),
        marker=dict(color=colour, symbol=symbol, size=7, opacity=1),
        customdata=np.arange(len(path.strengths)),
        hovertemplate=f"{SPLITS[split]} loss %{{y:.3f}}<extra></extra>",
        xaxis="x3",
        yaxis="y3",
    )
