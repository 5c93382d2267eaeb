"""Figure of a regularization path: weights, norms and losses against the strength."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from regviz.analysis.regularization_path import Choice, Path, standard_error
from regviz.figures._strength_path_traces import (
    Array,
    column_edges,
    column_trace,
    loss_trace,
    norm_traces,
    weight_traces,
    zero_trace,
)
from regviz.figures._traces import style
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from regviz.methods.palette import Theme, mix, rgb_of
from regviz.spec.validation import integer, invalid

__all__ = ["weight_paths"]

HEIGHT = 860  # pixels
HEADROOM = 1.42  # top of the weights' panel in largest weights, with room for the names of marks


def weight_paths(
    path: Path,
    losses: Mapping[str, Array] | None = None,
    *,
    choice: Choice | None = None,
    shown: int | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Plot all weights, the norms and the losses of a method against its strength.

    After the path plots of R's glmnet, with the number of nonzero weights along the top. The
    strengths are at `Path.positions`.

    Parameters
    ----------
    path : Path
    losses : mapping of str to ndarray of shape (S, L), optional
        Losses of `regviz.analysis.regularization_path.losses_over_seeds`, whose means and
        standard errors are plotted. By default, those of the path.
    choice : Choice, optional
        Strengths to mark as those that validation selects.
    shown : int, optional
        Index of the strength to mark as that on the board, 0 to L - 1.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        A trace for each layer, with its weights' lines separated by NaN; one of markers for exact
        zeros; two of norms; one for each split with points; and an invisible bar for each strength
        behind each panel. The ``customdata`` of a clickable point, or its last element, is the
        index of the strength.

    Raises
    ------
    ValueError
        If ``losses`` have another number of strengths, or ``shown`` is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> from regviz.analysis.regularization_path import path
    >>> rows = tuple(regviz.Regularization(l1=strength) for strength in (0.0, 0.001, 0.01, 0.1))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> figure = figures.weight_paths(path(history, networks=[0, 1, 2, 3]), shown=2)
    """
    n = len(path.strengths)
    losses = {s: v[None] for s, v in path.losses.items()} if losses is None else losses
    for split, values in losses.items():
        if values.ndim != 2 or values.shape[1] != n:
            raise invalid(f"losses[{split!r}]", f"of shape (seeds, {n})", values.shape)
    if shown is not None:
        shown = integer("shown", shown, 0, n - 1)
    losses = {split: values for split, values in losses.items() if np.isfinite(values).any()}
    figure = make_subplots(3, 1, shared_xaxes=True, vertical_spacing=0.035, row_heights=[5, 2, 4])
    n_seeds = len(next(iter(losses.values()))) if losses else 1
    of = (
        f"losses: mean ± standard error of {n_seeds} seeds"
        if n_seeds > 1
        else "from weak to strong, after training"
    )
    style(figure, theme, METHODS[path.method].label, of)
    limit = float(np.nanmax(np.abs(path.weights), initial=0)) or 1.0
    top = max((_ceiling(values) for values in losses.values()), default=0) or 1.0
    panels = ((-1.08 * limit, HEADROOM * limit), (-6.0, 112.0), (0.0, 1.06 * top))
    figure.add_traces(
        [column_trace(path, losses, panel, i) for i, panel in enumerate(panels, 1)]
        + weight_traces(path, theme)
        + [zero_trace(path, limit, theme), *norm_traces(path, theme)]
        + [loss_trace(path, split, values, theme) for split, values in losses.items()]
    )
    _axes(figure, path, panels, theme)
    _marks(figure, path, choice, shown, theme)
    # a click selects a strength: without this, Plotly fades all points but the clicked one
    figure.for_each_trace(
        lambda trace: trace.update(
            selected=dict(marker_opacity=trace.marker.opacity),
            unselected=dict(marker_opacity=trace.marker.opacity),
        ),
        selector=lambda trace: trace.type == "bar" or "markers" in (trace.mode or ""),
    )
    figure.update_layout(meta=dict(alt=_describe(path, losses, choice)))
    return figure


def _ceiling(values: Array) -> float:
    """Return the largest mean loss plus standard error."""
    mean, error = values.mean(axis=0), np.nan_to_num(standard_error(values))
    return float(np.nanmax(np.where(np.isfinite(mean), mean + error, 0), initial=0))


def _axes(
    figure: go.Figure, path: Path, panels: tuple[tuple[float, float], ...], theme: Theme
) -> None:
    method, edges, x = METHODS[path.method], column_edges(path), path.positions
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    kind = {"dropout": "dropout rate", "max_norm": "largest norm of a unit's weights"}
    shared = dict(tickvals=x, range=(edges[0], edges[-1]), fixedrange=True)
    shared |= dict(showgrid=False, zeroline=False, autotickangles=[0, 90], tickfont_size=12)
    figure.update_xaxes(shared)
    figure.update_xaxes(
        title_text=kind.get(path.method, "strength") + f" {method.symbol}" * (not method.percent),
        ticktext=[path.number(i) for i in range(len(x))],
        row=3,
    )
    counts = ["–" if np.isnan(count) else f"{count:.0f}" for count in path.nonzero]
    figure.update_layout(
        xaxis4=figure.layout.xaxis.to_plotly_json()
        | shared
        | dict(
            overlaying="x",
            matches="x",
            anchor="y",
            side="top",
            showticklabels=True,
            ticktext=counts,
            title=dict(text="weights not 0", font_size=14, standoff=4),
        )
    )
    # an empty trace, as Plotly does not draw an axis without one
    figure.add_scatter(x=[None], y=[None], xaxis="x4", yaxis="y", showlegend=False)
    unit = "½ error²" if path.task == "regression" else "nats"
    titles = ("weight", "norm (%)", f"data loss ({unit})")
    for row, (title, panel) in enumerate(zip(titles, panels, strict=True), 1):
        figure.update_yaxes(title_text=title, range=panel, nticks=6, fixedrange=True, row=row)
    figure.update_yaxes(tickvals=[0, 50, 100], zeroline=False, row=2)
    if path.from_none and len(x) > 1:
        gap = (x[0] + x[1]) / 2
        figure.add_annotation(
            text="//", x=gap, y=0, yref="paper", showarrow=False, bgcolor=blank, borderpad=0
        )
        _line(figure, gap, dict(color=mix(blank, ink, 0.3), width=1, dash="dot"))
    figure.update_layout(
        height=HEIGHT,
        barmode="overlay",
        bargap=0,
        hovermode="closest",
        margin=dict(l=54, r=10, t=114, b=60),
        legend=dict(orientation="h", x=0, y=-0.14, yanchor="top", entrywidth=92, font_size=12),
    )


def _marks(
    figure: go.Figure, path: Path, choice: Choice | None, shown: int | None, theme: Theme
) -> None:
    """Add vertical lines through all panels, with their names at the top in a row each."""
    ink = palette.INK[theme]
    marks: list[tuple[str, int, dict[str, object]]] = []
    if shown is not None:
        rgb = ", ".join(map(str, rgb_of(METHODS[path.method].colour[theme])))
        marks.append(("on the board", shown, dict(color=f"rgba({rgb}, 0.22)", width=11)))
    if choice is not None:
        marks.append(("lowest validation loss", choice.best, dict(color=ink, width=1.6)))
        if choice.one_se is not None:
            look = dict(color=ink, width=1.6, dash="dash")
            marks.append(("within 1 standard error", choice.one_se, look))
    x = path.positions
    for row, (text, i, look) in enumerate(marks):
        _line(figure, x[i], look)
        right = x[i] > (x[0] + x[-1]) / 2
        figure.add_annotation(
            text=text,
            x=x[i],
            xanchor="right" if right else "left",
            xshift=-7 if right else 7,
            y=1,
            yref="y domain",
            yanchor="top",
            yshift=-2 - 19 * row,
            showarrow=False,
            bgcolor=palette.BLANK[theme],
            borderpad=1,
            opacity=0.92,
            font_size=12,
        )


def _line(figure: go.Figure, x: float, look: dict[str, object]) -> None:
    figure.add_shape(
        type="line", x0=x, x1=x, xref="x", y0=0, y1=1, yref="paper", line=look, layer="below"
    )


def _describe(path: Path, losses: Mapping[str, Array], choice: Choice | None) -> str:
    """Describe the figure in words."""
    n_weights = path.weights.shape[1]
    ends = f"{path.text(0)} to {path.number(-1)}"
    converged = np.flatnonzero(np.isfinite(path.nonzero))
    sentences = [f"{METHODS[path.method].label} from {ends}, at {len(path.strengths)} strengths."]
    if len(converged):
        weak, strong = converged[0], converged[-1]
        sentences.append(
            f"Of {n_weights} weights {path.nonzero[weak]:.0f} are not 0 at"
            f" {path.text(weak)} and {path.nonzero[strong]:.0f} at {path.text(strong)}."
        )
    if "test" in losses and np.isfinite(tests := losses["test"].mean(axis=0)).any():
        i = int(np.nanargmin(tests))
        sentences.append(f"Test loss is lowest, {tests[i]:.2f}, at {path.text(i)}.")
    if choice is not None:
        sentences.append(f"Validation loss is lowest at {path.text(choice.best)}.")
    if choice is not None and choice.one_se is not None:
        strongest = path.text(choice.one_se)
        sentences.append(f"The strongest within one standard error of it is {strongest}.")
    return " ".join(sentences)
