"""Figures that compare networks: confusion matrices, and losses over several seeds."""

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from regviz.analysis.criteria import plus_minus
from regviz.analysis.regularization_path import standard_error
from regviz.figures._traces import style
from regviz.methods import palette
from regviz.methods.catalogue import colour as method_colour
from regviz.methods.labels import escaped, short_names
from regviz.methods.palette import Theme, mix
from regviz.spec.validation import choice, invalid

__all__ = ["confusion_matrices", "seed_losses"]

IN_A_ROW = 3  # matrices
MAX_NAME_CHARS = 9  # maximum length of a class's name along an axis, in characters
# "Early stopping", 88 px wide, fits beside the dots of several seeds, and above one of three
# matrices in the figure of 330 px that a phone shows
MAX_LINE_CHARS = 14


def confusion_matrices(
    counts: ArrayLike, names: Sequence[str], classes: Sequence[str], *, theme: Theme = "light"
) -> go.Figure:
    """Plot confusion matrices side by side, with a row for each true class.

    A cell shows the number of points; its shade is their share of the true class.

    Parameters
    ----------
    counts : array-like of shape (n, C, C)
        Confusion matrices, as `regviz.analysis.comparison.confusion` returns them.
    names : sequence of str
        Names of the n networks.
    classes : sequence of str
        Names of the C classes.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        A heatmap for each network; its ``z`` are the shares and its ``text`` the counts.

    Raises
    ------
    ValueError
        If the shapes do not match.

    Examples
    --------
    >>> from regviz import figures
    >>> counts = [[[40, 10], [5, 45]]]
    >>> figure = figures.confusion_matrices(counts, names=["L2"], classes=["no", "yes"])
    >>> figure.data[0].z.tolist()
    [[0.8, 0.2], [0.1, 0.9]]
    """
    choice("theme", theme, get_args(Theme))
    matrices = np.asarray(counts)
    n, n_classes = len(names), len(classes)
    if matrices.shape != (n, n_classes, n_classes) or not n:
        raise invalid("counts", f"of shape {(n, n_classes, n_classes)}", matrices.shape)
    shares = matrices / np.maximum(matrices.sum(axis=2, keepdims=True), 1)
    columns = min(n, IN_A_ROW)
    rows = math.ceil(n / columns)
    side, between = 52 + 30 * n_classes, 50
    height = rows * (side + between) - between
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[_wrapped(name) for name in names],
        horizontal_spacing=0.045,
        vertical_spacing=between / height if rows > 1 else 0,
    )
    style(figure, theme, "Confusion matrices", "test points of each class, by prediction")
    figure.update_annotations(font_size=13)
    blank, ink = palette.BLANK[theme], palette.INK[theme]
    unnamed = list(classes) == [f"class {c}" for c in range(n_classes)]
    short = [str(c) for c in range(n_classes)] if unnamed else short_names(classes, MAX_NAME_CHARS)
    pairs = [[f"true {a}, predicted {b}" for b in classes] for a in classes]
    places = list(range(n_classes))
    left = 50 if unnamed else 106
    # room for names that Plotly rotates when the figure is narrow
    below = 48 if unnamed else 30 + 8 * max(map(len, short))
    figure.update_layout(
        height=height + 132 + below,
        margin=dict(l=left, r=14, t=118, b=below + 14),
        title=dict(xref="container", pad_l=14),
    )
    for i, (matrix, share) in enumerate(zip(matrices, shares, strict=True)):
        row, column = i // columns + 1, i % columns + 1
        figure.add_trace(
            go.Heatmap(
                x=places,
                y=places,
                z=share,
                zmin=0,
                zmax=1,
                text=matrix,
                texttemplate="%{text}",
                textfont=dict(size=12, color=ink),
                colorscale=[[0, mix(blank, ink, 0.04)], [1, mix(blank, ink, 0.36)]],
                showscale=False,
                xgap=2,
                ygap=2,
                name=names[i],
                hovertext=[[escaped(pair) for pair in row_of] for row_of in pairs],
                hovertemplate="%{hovertext}:<br>%{text} points, %{z:.1%} of the class",
            ),
            row,
            column,
        )
        last = i + columns >= n
        figure.update_xaxes(showticklabels=last, row=row, col=column)
        figure.update_yaxes(showticklabels=column == 1, row=row, col=column)
    axis = dict(tickvals=places, ticktext=[escaped(name) for name in short])
    axis |= dict(showgrid=False, zeroline=False, fixedrange=True)
    figure.update_xaxes(axis, autotickangles=[0, 90])
    figure.update_yaxes(axis, autorange="reversed")
    edge = dict(xref="paper", yref="paper", showarrow=False, font_size=14)
    figure.add_annotation(text="class predicted", x=0.5, y=0, yshift=-below, **edge)
    figure.add_annotation(text="true class", x=0, y=0.5, xshift=12 - left, textangle=-90, **edge)
    figure.update_layout(meta=dict(alt=_describe_confusion(matrices, names, classes)))
    return figure


def seed_losses(
    losses: ArrayLike,
    names: Sequence[str],
    methods: Sequence[str],
    *,
    baseline: int | None = None,
    overlap: float = 0.0,
    theme: Theme = "light",
) -> go.Figure:
    """Plot the test losses of networks under several seeds, with means and standard errors.

    Parameters
    ----------
    losses : array-like of shape (S, n)
        Losses for S seeds and n networks; NaN for a diverged network.
    names, methods : sequence of str
        Names of the n networks, and keys of `regviz.methods.catalogue.METHODS` for their colours.
    baseline : int, optional
        Index of the network whose mean is marked by a line.
    overlap : float
        As for `regviz.analysis.regularization_path.standard_error`.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        Two traces for each network: a dot for each seed, and the mean with its standard error.

    Raises
    ------
    ValueError
        If the shapes do not match, or a method is unknown.

    Examples
    --------
    >>> from regviz import figures
    >>> losses = [[0.50, 0.41], [0.61, 0.38], [0.47, 0.40]]  # three seeds, two networks
    >>> figure = figures.seed_losses(losses, ["None", "L2"], ["none", "l2"], baseline=0)
    >>> len(figure.data)
    4
    """
    choice("theme", theme, get_args(Theme))
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(names) or len(names) != len(methods):
        raise invalid(
            "losses", f"of shape (seeds, {len(names)}), as names and methods", values.shape
        )
    figure = style(
        go.Figure(),
        theme,
        f"Test loss over {len(values)} seeds",
        "● a seed &nbsp; ◆ mean ± standard error",
    )
    means, errors = values.mean(axis=0), standard_error(values, overlap)
    for i, (name, method) in enumerate(zip(names, methods, strict=True)):
        colour = method_colour(method)[theme]
        seeds = np.arange(len(values))
        figure.add_scatter(
            x=values[:, i],
            y=np.full(len(values), i - 0.17),
            mode="markers",
            marker=dict(size=8, color=colour, opacity=0.6),
            customdata=seeds,
            name=name,
            hovertemplate="seed %{customdata}: test loss %{x:.3f}",
        )
        figure.add_scatter(
            x=means[[i]],
            y=[i + 0.17],
            mode="markers",
            marker=dict(size=12, symbol="diamond", color=colour),
            error_x=dict(array=errors[[i]], color=colour, thickness=2, width=6),
            name=name,
            hovertemplate=f"mean {plus_minus(means[i], errors[i])}",
        )
        if np.isnan(means[i]):
            gone = int(np.isnan(values[:, i]).sum())
            figure.add_annotation(
                text=f"diverged under {gone} of {len(values)} seeds",
                **dict(x=1, xref="x domain", xanchor="right", y=i + 0.17, showarrow=False),
            )
    if baseline is not None and np.isfinite(means[baseline]):
        muted = mix(palette.INK[theme], palette.BLANK[theme], 0.4)
        figure.add_vline(means[baseline], line=dict(color=muted, dash="dot", width=1.5))
    figure.update_layout(
        height=150 + 52 * len(names), showlegend=False, margin=dict(l=112, r=16, t=84, b=58)
    )
    figure.update_xaxes(title_text="test loss", rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[_wrapped(name) for name in names],
        range=[len(names) - 0.45, -0.55],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_layout(meta=dict(alt=_describe_losses(means, errors, names, len(values))))
    return figure


def _wrapped(name: str) -> str:
    """Break a name after its first word if it is longer than `MAX_LINE_CHARS`."""
    first, _, rest = name.partition(" ")
    return f"{first}<br>{rest}" if len(name) > MAX_LINE_CHARS and rest else name


def _describe_confusion(
    matrices: NDArray[np.int64], names: Sequence[str], classes: Sequence[str]
) -> str:
    """Describe the confusion matrices in words."""
    n_points = int(matrices[0].sum())
    right = matrices.trace(axis1=1, axis2=2)
    listed = ", ".join(f"{name} {hits}" for name, hits in zip(names, right, strict=True))
    wrong = matrices.sum(axis=0) * (1 - np.eye(len(classes), dtype=int))
    if not wrong.any():
        return f"Of {n_points} test points, all are classified correctly: {listed}."
    i, j = np.unravel_index(wrong.argmax(), wrong.shape)
    return (
        f"Confusion matrices. Test points classified correctly, of {n_points}: {listed}."
        f" The most common mistake is to take {classes[i]} for {classes[j]}."
    )


def _describe_losses(
    means: NDArray[np.float64], errors: NDArray[np.float64], names: Sequence[str], n_seeds: int
) -> str:
    """Describe the dot plot in words."""
    converged = np.isfinite(means)
    listed = ", ".join(
        f"{name} {plus_minus(mean, error) if finite else 'diverged'}"
        for name, mean, error, finite in zip(names, means, errors, converged, strict=True)
    )
    lowest = f" {names[int(np.nanargmin(means))]} is the lowest." if converged.any() else ""
    return f"Mean test loss and standard error over {n_seeds} seeds: {listed}.{lowest}"
