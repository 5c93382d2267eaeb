"""Plotly figures of a `regviz.History`: boundaries, weights, losses and sparsity."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from regviz.data.datasets import domain
from regviz.engine.history import Floats, History
from regviz.figures._traces import (
    Look,
    network_looks,
    plane_traces,
    point_traces,
    scale,
    set_alt_text,
    style,
)
from regviz.methods import palette
from regviz.methods.palette import Theme
from regviz.spec.validation import boolean, choice, integer, invalid

__all__ = [
    "boundary",
    "loss_curves",
    "small_multiples",
    "sparsity_curves",
    "weight_histogram",
]

BINS = 40


def boundary(
    history: History, k: int, t: int = -1, *, theme: Theme = "light", resolution: int = 101
) -> go.Figure:
    """Plot the predictions of network ``k`` over the plane, with training and test points.

    For classes, the colour of the most probable class is blended with the background in proportion
    to its lead over the next, for two classes ``|2p - 1|``; lines mark class boundaries, for two
    classes p = ½. For regression, a diverging colour scale spans the training targets, with
    contours. Training points are filled, test points hollow; classes have different shapes.

    Parameters
    ----------
    history : History
        A run on data with two columns.
    k : int
        Index of the network; negative ones count from the end.
    t : int
        Index into `History.epochs`; negative ones count from the end.
    theme : {"light", "dark"}
    resolution : int
        Number of grid points along each axis, 2 to 501.

    Returns
    -------
    plotly.graph_objects.Figure
        A heatmap, then lines and points. Its ``z``, of shape (resolution, resolution) with a row
        for each x₂, are the predictions of `History.predict` at its ``x`` and ``y``. For more than
        two classes there is a heatmap for each class, and ``z`` is its probability minus the
        largest of the others, -1 to 1.

    Raises
    ------
    ValueError
        If the data do not have two columns, or a parameter is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> figure = figures.boundary(history, k=1, resolution=41)
    >>> figure.data[0].z.shape
    (41, 41)
    >>> "zero" in figure.layout.meta["alt"]  # the text alternative
    True
    """
    k, t, looks = _row(history, k), _time(history, t), network_looks(history, theme)
    axis, values = _predict_plane(history, t, resolution)
    figure = style(go.Figure(), theme, looks[k].text, _summary(history, k, t))
    figure.add_traces(plane_traces(history, axis, values[k], theme))
    points = point_traces(history, theme, size=9)
    figure.add_traces(points)
    in_a_row = min(max(history.dataset.n_classes, 2), 3)
    below = 76 + 22 * math.ceil(len(points) / in_a_row)
    figure.update_layout(
        width=540 if history.dataset.task == "multiclass" else 620,
        height=450 + 88 + below,
        coloraxis=scale(history, theme),
        margin=dict(l=60, r=30, b=below),
        legend=dict(orientation="h", x=0, y=-0.13, yanchor="top"),
    )
    figure.update_layout(legend=dict(entrywidthmode="fraction", entrywidth=0.95 / in_a_row))
    square = dict(range=domain(history.dataset), constrain="domain", showgrid=False, zeroline=False)
    figure.update_xaxes(title_text="x₁", constraintoward="left", **square)
    figure.update_yaxes(title_text="x₂", constraintoward="top", scaleanchor="x", **square)
    return set_alt_text(
        figure,
        f"What {looks[k].text} predicts over the plane at {_summary(history, k, t)}. Its"
        f" predictions lie between {values[k].min():.2f} and {values[k].max():.2f}.",
    )


def small_multiples(
    history: History, t: int = -1, *, theme: Theme = "light", resolution: int = 81
) -> go.Figure:
    """Plot the boundaries of all networks as panels like that of `boundary`, with one scale.

    Parameters and errors are those of `boundary`. Panels are in the order of
    ``history.experiment.regularizations``, row by row.

    Parameters
    ----------
    history : History
        A run on data with two columns.
    t : int
        Index into `History.epochs`; negative ones count from the end.
    theme : {"light", "dark"}
    resolution : int
        Number of grid points along each axis of a panel, 2 to 501.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> figure = figures.small_multiples(history, resolution=41, theme="dark")
    >>> len([trace for trace in figure.data if trace.type == "heatmap"])
    2
    """
    t, looks = _time(history, t), network_looks(history, theme)
    axis, values = _predict_plane(history, t, resolution)
    names = [textwrap.wrap(look.text, 32) for look in looks]
    n = len(looks)
    columns = n if n <= 4 else min(6, math.ceil(math.sqrt(1.5 * n)))
    rows = math.ceil(n / columns)
    side, across, down = 230, 20, 44 + 18 * max(map(len, names))
    width, height = columns * (side + across) - across, rows * (side + down) - down
    figure = make_subplots(
        rows, columns, horizontal_spacing=across / width, vertical_spacing=down / height
    )
    style(figure, theme, "All networks", f"epoch {history.epochs[t]}")
    points = point_traces(history, theme, size=6)
    legend_rows = math.ceil(170 * len(points) / width)
    margin = dict(l=50, r=100, t=42 + down, b=50 + 22 * legend_rows, autoexpand=False)
    figure.update_layout(
        width=width + margin["l"] + margin["r"],
        height=height + margin["t"] + margin["b"],
        margin=margin,
        coloraxis=scale(history, theme),
        legend=dict(orientation="h", x=0, y=-30 / height, yanchor="top"),
    )
    figure.update_layout(coloraxis_colorbar=dict(len=side, lenmode="pixels", y=1, yanchor="top"))
    for k, (look, lines) in enumerate(zip(looks, names, strict=True)):
        row, column = k // columns + 1, k % columns + 1
        for trace in plane_traces(history, axis, values[k], theme) + points:
            figure.add_trace(trace, row, column)
        name = "<br>".join(lines)
        figure.add_annotation(
            text=f"<b style='color:{look.colour}'>{name}</b><br>{_result(history, k, t)}",
            align="left",
            x=0,
            xanchor="left",
            xref="x domain",
            y=1,
            yanchor="bottom",
            yref="y domain",
            showarrow=False,
            row=row,
            col=column,
        )
        for trace in points:  # only those of the first panel are in the legend
            trace.showlegend = False
    square = dict(range=domain(history.dataset), showgrid=False, zeroline=False, nticks=5)
    figure.update_xaxes(showticklabels=False, **square)
    figure.update_yaxes(showticklabels=False, **square)
    figure.update_yaxes(showticklabels=True, col=1)
    for k in range(max(0, n - columns), n):  # the lowest panel of each column
        figure.update_xaxes(showticklabels=True, row=k // columns + 1, col=k % columns + 1)
    listed = "; ".join(f"{look.text}: {_result(history, k, t)}" for k, look in enumerate(looks))
    return set_alt_text(figure, f"What {n} networks predict over the plane. {listed}.")


def weight_histogram(history: History, k: int, t: int = -1, *, theme: Theme = "light") -> go.Figure:
    """Plot a histogram of the weights of network ``k``, without biases.

    Weights that are exactly 0 have a separate bar with their number; for the others, 0 is an edge
    between two bins. At a given time, all networks of a run have the same bins, except diverged
    ones, so that histograms can be compared.

    Parameters
    ----------
    history : History
    k : int
        Index of the network; negative ones count from the end.
    t : int
        Index into `History.epochs`; negative ones count from the end.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        Two bar traces: the numbers of nonzero weights by bin, and the number of exact zeros.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> bars, zeros = figures.weight_histogram(history, k=1).data
    >>> int(bars.y.sum() + zeros.y[0]), int(history.layout.is_weight.sum())
    (88, 88)
    """
    k, t = _row(history, k), _time(history, t)
    look = network_looks(history, theme)[k]
    weights = history.parameters[t][:, history.layout.is_weight].astype(np.float64)
    diverged = (history.diverged >= 0) & (history.diverged <= history.epochs[t])
    own = weights[k]
    limit = float(np.abs(own if diverged[k] else weights[~diverged]).max()) or 1.0
    counts, edges = np.histogram(own[own != 0], BINS, (-limit, limit))
    n_zeros, bin_width = int((own == 0).sum()), 2 * limit / BINS
    top = max(int(counts.max()), n_zeros, 1)
    figure = style(go.Figure(), theme, f"Weights: {look.text}", _summary(history, k, t))
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=0.92 * bin_width,
        name="other than 0",
        marker=dict(color=look.colour, line_width=0),
        hovertemplate="%{y} weights around %{x:.3g}<extra></extra>",
    )
    figure.add_bar(
        x=[0.0],
        y=[n_zeros],
        width=bin_width / 2,
        name="exactly 0",
        marker=dict(color=palette.INK[theme], line_width=0),
        hovertemplate="%{y} weights exactly 0<extra></extra>",
    )
    figure.add_annotation(
        text=f"<b>{n_zeros}</b> of {own.size} exactly 0",
        x=0,
        y=n_zeros or top,
        ax=0,
        ay=1.08 * top,
        ayref="y",
        yanchor="bottom",
        arrowhead=0,
        arrowwidth=1,
        arrowcolor=palette.INK[theme] if n_zeros else palette.BLANK[theme],
    )
    figure.update_layout(barmode="overlay", showlegend=False)
    figure.update_xaxes(title_text="weight", range=(-1.04 * limit, 1.04 * limit), zeroline=False)
    figure.update_yaxes(title_text="number of weights", range=(0, 1.2 * top))
    return set_alt_text(
        figure,
        f"The {own.size} weights of {look.text} at epoch {history.epochs[t]}: {n_zeros} are exactly"
        f" 0, the others lie between {own.min():.2f} and {own.max():.2f}.",
    )


def loss_curves(
    history: History,
    *,
    methods: Sequence[str] | None = None,
    theme: Theme = "light",
    log: bool = False,
) -> go.Figure:
    """Plot the data loss against the epoch, dashed for training points, solid for test points.

    Networks of one method have its hue, in different lightness.

    Parameters
    ----------
    history : History
    methods : sequence of str, optional
        Keys in `regviz.methods.catalogue.METHODS` of the networks to plot. By default, all.
    theme : {"light", "dark"}
    log : bool
        Whether the axis of the loss is logarithmic.

    Returns
    -------
    plotly.graph_objects.Figure
        For each network a trace of its ``train_loss`` and, if the run has test points, one of its
        ``test_loss``. The unit is nats (cross-entropy), or half the squared unit of the target.

    Raises
    ------
    ValueError
        If a method is not in the history, or a parameter is of the wrong type.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> figure = figures.loss_curves(history, log=True)
    >>> len(figure.data)  # two networks, on training and test points
    4
    """
    boolean("log", log)
    looks = _chosen(history, methods, theme)
    splits = {"train": "dash"} | (
        {"test": "solid"} if history.dataset.points("test")[1].size else {}
    )
    styles = "dashed: training points" + (" · solid: test points" if "test" in splits else "")
    figure = style(go.Figure(), theme, "Data loss", f"{styles} · without the penalty")
    for k, look in looks.items():
        for split, dash in splits.items():
            figure.add_scatter(
                x=history.epochs,
                y=history.metrics[f"{split}_loss"][:, k],
                mode="lines",
                name=_legend(history, k, look.text),
                line=dict(color=look.colour, width=2, dash=dash),
                opacity=0.55 if split == "train" and len(splits) > 1 else 1,
                legendgroup=str(k),
                showlegend=split == list(splits)[-1],
                hovertemplate=f"{look.text}<br>epoch %{{x}}<br>{split} loss %{{y:.3g}}"
                "<extra></extra>",
            )
    regression = history.dataset.task == "regression"
    unit = "half squared error" if regression else "cross-entropy, nats"
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text=f"data loss ({unit})")
    figure.update_yaxes(type="log") if log else figure.update_yaxes(rangemode="tozero")
    ends = _ends(history, looks, f"{list(splits)[-1]}_loss")
    return set_alt_text(figure, f"Data loss over the epochs. {ends}")


def sparsity_curves(
    history: History, *, methods: Sequence[str] | None = None, theme: Theme = "light"
) -> go.Figure:
    """Plot the share of weights that are exactly 0, in percent, against the epoch.

    Parameters and errors are those of `loss_curves`. There is one trace for each network.

    Parameters
    ----------
    history : History
    methods : sequence of str, optional
        Keys in `regviz.methods.catalogue.METHODS` of the networks to plot. By default, all.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> figure = figures.sparsity_curves(history, methods=["l1"])
    >>> len(figure.data)
    1
    """
    looks = _chosen(history, methods, theme)
    figure = style(go.Figure(), theme, "Sparsity", "weights that are exactly 0; biases left out")
    for k, look in looks.items():
        zeros = 100 * history.metrics["sparsity"][:, k]
        figure.add_scatter(
            x=history.epochs,
            y=zeros,
            mode="lines",
            name=_legend(history, k, f"{look.text}: {zeros[-1]:.0f} %"),
            line=dict(color=look.colour, width=2.5),
            hovertemplate=f"{look.text}<br>epoch %{{x}}<br>%{{y:.1f}} % exactly 0<extra></extra>",
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="weights exactly 0 (%)", range=(-2, 102), zeroline=False)
    ends = _ends(history, looks, "sparsity")
    return set_alt_text(figure, f"Share of weights exactly 0 over the epochs. {ends}")


def _ends(history: History, looks: dict[int, Look], metric: str) -> str:
    """List the last value of each network's curve in words."""
    ends = []
    for k, look in looks.items():
        value, since = history.metrics[metric][-1, k], history.diverged[k]
        end = f"{100 * value:.0f} %" if metric == "sparsity" else f"{value:.2f}"
        ends.append(f"{look.text} {f'diverged at epoch {since}' if since >= 0 else end}")
    name = metric.replace("_", " ")
    return f"At epoch {history.epochs[-1]} the {name} is: {'; '.join(ends)}."


def _chosen(history: History, methods: Sequence[str] | None, theme: Theme) -> dict[int, Look]:
    looks = dict(enumerate(network_looks(history, theme)))
    if methods is None:
        return looks
    present = list(dict.fromkeys(look.method for look in looks.values()))
    if isinstance(methods, str) or not isinstance(methods, Sequence) or not methods:
        raise invalid("methods", "a sequence of " + ", ".join(map(repr, present)), methods)
    for i, method in enumerate(methods):
        choice(f"methods[{i}]", method, present)
    return {k: look for k, look in looks.items() if look.method in methods}


def _row(history: History, k: int) -> int:
    n = len(history.experiment.regularizations)
    return integer("k", k, -n, n - 1) % n


def _time(history: History, t: int) -> int:
    n = len(history.epochs)
    return integer("t", t, -n, n - 1) % n


def _summary(history: History, k: int, t: int) -> str:
    return f"epoch {history.epochs[t]} · {_result(history, k, t)}"


def _result(history: History, k: int, t: int) -> str:
    """Summarize loss and sparsity of network ``k``, or its divergence, in a few words."""
    if 0 <= history.diverged[k] <= history.epochs[t]:
        return f"diverged at epoch {history.diverged[k]}"
    split = "test" if len(history.dataset.points("test")[1]) else "train"
    loss, zeros = history.metrics[f"{split}_loss"][t, k], history.metrics["sparsity"][t, k]
    return f"{split} loss {loss:.2f} · {100 * zeros:.0f} % zero weights"


def _legend(history: History, k: int, text: str) -> str:
    since = history.diverged[k]
    lines = textwrap.wrap(text, 32) + ([f"diverged at epoch {since}"] if since >= 0 else [])
    return "<br>".join(lines)


def _predict_plane(history: History, t: int, resolution: int) -> tuple[Floats, Floats]:
    """Return the grid's axis, (n,), and all networks' predictions, (K, n, n) or (K, n, n, C)."""
    if history.dataset.n_columns != 2:
        raise invalid("history", "a run on data with two columns", history.dataset.n_columns)
    n = integer("resolution", resolution, 2, 501)
    axis = np.linspace(*domain(history.dataset), n)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    values = history.predict(grid, t)
    return axis, values.reshape(len(values), n, n, *values.shape[2:])
