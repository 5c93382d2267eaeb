"""Figure of a network's uncertainty over the plane: entropy, or standard deviation."""

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regviz.analysis.mc_dropout import Plane
from regviz.data.datasets import domain
from regviz.engine.history import History
from regviz.figures._traces import HOVER_POSITION, plane_traces, point_traces, scale, style
from regviz.methods.labels import labels
from regviz.methods.palette import Theme
from regviz.spec.validation import choice

__all__ = ["uncertainty_map"]

HEIGHT = 590  # pixels
SEQUENTIAL = "Cividis"  # perceptually uniform, also with colour blindness (Nuñez et al. 2018)
PARTS = {
    "plain": "entropy of the prediction",
    "predictive": "entropy of the mean prediction",
    "aleatoric": "mean entropy of the passes",
    "epistemic": "mutual information",
}
_ENDS = {"light": "#ffffff", "dark": "#1b2430"}  # of outlines: one of them contrasts with any field


def uncertainty_map(
    history: History, plane: Plane, part: str = "predictive", *, theme: Theme = "light"
) -> go.Figure:
    """Plot a network's uncertainty over the plane, with the training points.

    The colour scale of entropies is from 0 to ln C in every map, so that maps can be compared.
    Lines are class boundaries. For regression, ``"plain"`` is the prediction, and any other part
    the standard deviation over the passes.

    Parameters
    ----------
    history : History
    plane : Plane
        Predictions of `regviz.analysis.mc_dropout.over_plane` for this history.
    part : {"predictive", "aleatoric", "epistemic", "plain"}
        The part of `Uncertainty`; ``"plain"`` is the entropy of the prediction with dropout off.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        A heatmap or contour plot, then lines and points.

    Raises
    ------
    ValueError
        If the part is unknown.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> from regviz.analysis.mc_dropout import over_plane
    >>> rows = (regviz.Regularization(drop_rate=0.2),)
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> plane = over_plane(history, k=0, passes=20, resolution=31)
    >>> figures.uncertainty_map(history, plane, "epistemic").data[0].type
    'heatmap'
    """
    choice("part", part, PARTS)
    regression = history.dataset.task == "regression"
    single = part == "plain"
    title = "Dropout off" if single else f"{plane.passes} passes, dropout on"
    if regression:
        quantity = "prediction" if single else "standard deviation of the prediction"
    else:
        quantity = f"{PARTS[part]} (nats)"
    figure = style(go.Figure(), theme, title, quantity)
    values = plane.plain if single else plane.mean
    if regression and single:
        figure.add_traces(plane_traces(history, plane.axis, values, theme))
        figure.update_layout(coloraxis=scale(history, theme))
        field = values.astype(np.float64)
    else:
        field = plane.plain_entropy if single else getattr(plane.uncertainty, part)
        if regression:
            field, top = plane.uncertainty.predictive, float(plane.uncertainty.predictive.max())
        else:
            top = math.log(history.dataset.n_classes)
        figure.add_trace(_field(plane, field, quantity))
        figure.update_layout(coloraxis=dict(colorscale=SEQUENTIAL, cmin=0, cmax=top or 1.0))
        if not regression:
            figure.add_traces(_boundaries(history, plane, values, theme))
    figure.add_traces(_points(history, theme, on_entropy=not (regression and single)))
    bar = dict(orientation="h", thickness=12, len=1, outlinewidth=0, x=0.5, y=-0.15, yanchor="top")
    if not regression:
        quarters = np.linspace(0, 1, 5) * math.log(history.dataset.n_classes)
        texts = [f"{value:.2f}" for value in quarters[:-1]] + [f"ln {history.dataset.n_classes}"]
        bar |= dict(tickvals=quarters, ticktext=texts)
    figure.update_layout(
        height=HEIGHT,
        margin=dict(l=50, r=14, t=76, b=140),
        coloraxis_colorbar=bar,
        coloraxis_colorbar_title_text="",
        legend=dict(orientation="h", x=0, y=-0.31, yanchor="top", font_size=12),
        meta=dict(alt=_describe(history, plane, part, field)),
    )
    square = dict(range=domain(history.dataset), showgrid=False, zeroline=False, fixedrange=True)
    figure.update_xaxes(title_text="x₁", constrain="domain", constraintoward="left", **square)
    figure.update_yaxes(
        title_text="x₂", constrain="domain", constraintoward="top", scaleanchor="x", **square
    )
    return figure


def _field(plane: Plane, field: NDArray[np.float64], quantity: str) -> go.Heatmap:
    return go.Heatmap(
        x=plane.axis,
        y=plane.axis,
        z=field,
        zsmooth="best",
        coloraxis="coloraxis",
        hovertemplate=f"{HOVER_POSITION}{quantity} %{{z:.3f}}<extra></extra>",
        showlegend=False,
    )


def _boundaries(
    history: History, plane: Plane, values: NDArray[np.floating], theme: Theme
) -> list[go.Contour]:
    """Return class boundaries as dark lines on wider light ones, visible on the whole scale."""
    traces = []
    for colour, width in ((_ENDS["light"], 4), (_ENDS["dark"], 1.8)):
        for trace in plane_traces(history, plane.axis, values, theme):
            if trace.type == "contour":
                traces.append(trace.update(line=dict(color=colour, width=width)))
    return traces


def _points(history: History, theme: Theme, on_entropy: bool) -> list[go.Scatter]:
    """Return the training points, outlined on entropies so that they are visible on any of them."""
    traces = [t for t in point_traces(history, theme, size=8) if t.legendrank < 100]
    if not on_entropy:
        return traces
    for trace in traces:
        trace.marker.line = dict(color=_ENDS["light"], width=1.4)
        if history.dataset.task == "regression":  # the colour scale is of deviations, not targets
            trace.marker.line.color = _ENDS["dark"]
            trace.marker.update(color=_ENDS["light"], coloraxis=None)
    return traces


def _describe(history: History, plane: Plane, part: str, field: NDArray[np.float64]) -> str:
    """Describe the figure in words."""
    name = labels(history.experiment)[plane.k].text
    mean, low, high = field.mean(), field.min(), field.max()
    passes = f"over {plane.passes} passes with dropout on"
    if history.dataset.task == "regression":
        if part == "plain":
            return f"{name}, dropout off: the prediction runs from {low:.2f} to {high:.2f}."
        return (
            f"{name}, {passes}: the standard deviation of the prediction is {mean:.2f} on average"
            f" over the plane, and {high:.2f} at most."
        )
    dropout = "dropout off" if part == "plain" else passes
    n = history.dataset.n_classes
    return (
        f"{name}, {dropout}: {PARTS[part]} is {mean:.2f} nats on average over the plane, and"
        f" {high:.2f} at most. It cannot be above ln {n} = {math.log(n):.2f}."
    )
