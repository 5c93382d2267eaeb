"""A method against its strength, from weak to strong: every weight, the norms, the losses."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from regviz.analysis.paths import Choice, Path, standard_error
from regviz.figures._path_traces import (
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

HEIGHT = 860
HEADROOM = 1.42  # of the weights' panel, for what is written above the lines


def weight_paths(
    path: Path,
    losses: Mapping[str, Array] | None = None,
    *,
    choice: Choice | None = None,
    shown: int | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Every weight's path, the norms and the losses of a method, against its strength.

    After the path plots of R's glmnet, with the number of weights other than 0 along the top. The
    axis is that of `Path.positions`.

    Parameters
    ----------
    path : Path
    losses : mapping of str to ndarray of shape (S, L), optional
        Of `regviz.analysis.paths.losses_over_seeds`: means and standard errors are drawn instead of
        the path's own losses.
    choice : Choice, optional
        The strengths to mark as validation's.
    shown : int, optional
        The strength to mark as the one that is looked at, 0 to L - 1.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        A trace of lines for each layer (NaN between two weights), one of markers for the exact
        zeros, two of norms, one for each split that has points, and behind each panel a bar for
        each strength. What can be clicked has the index of its strength as ``customdata``, or as
        the last of them.

    Raises
    ------
    ValueError
        If ``losses`` are of another number of strengths, or ``shown`` is none of them.
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
    # whoever clicks chooses a strength; nothing is to fade then
    figure.for_each_trace(
        lambda trace: trace.update(
            selected=dict(marker_opacity=trace.marker.opacity),
            unselected=dict(marker_opacity=trace.marker.opacity),
        ),
        selector=lambda trace: trace.type == "bar" or "markers" in (trace.mode or ""),
    )
    figure.update_layout(meta=dict(alt=_said(path, losses, choice)))
    return figure


def _ceiling(values: Array) -> float:
    """The highest that is drawn of these losses, with its standard error."""
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
        title_text=f"{kind.get(path.method, 'strength')} {method.symbol}",
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
    # an axis without a trace is not drawn
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
    """Vertical lines through all panels, each with its name in a row of its own at the top."""
    ink = palette.INK[theme]
    found: list[tuple[str, int, dict[str, object]]] = []
    if shown is not None:
        rgb = ", ".join(map(str, rgb_of(METHODS[path.method].colour[theme])))
        found.append(("on the board", shown, dict(color=f"rgba({rgb}, 0.22)", width=11)))
    if choice is not None:
        found.append(("lowest validation loss", choice.best, dict(color=ink, width=1.6)))
        if choice.one_se is not None:
            look = dict(color=ink, width=1.6, dash="dash")
            found.append(("within 1 standard error", choice.one_se, look))
    x = path.positions
    for row, (text, i, look) in enumerate(found):
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


def _said(path: Path, losses: Mapping[str, Array], choice: Choice | None) -> str:
    """The figure in words."""
    n_weights = path.weights.shape[1]
    ends = f"{path.text(0)} to {path.number(-1)}"
    known = np.flatnonzero(np.isfinite(path.nonzero))
    said = [f"{METHODS[path.method].label} from {ends}, at {len(path.strengths)} strengths."]
    if len(known):
        said.append(
            f"Of {n_weights} weights {path.nonzero[known[0]]:.0f} are not 0 at"
            f" {path.text(known[0])} and {path.nonzero[known[-1]]:.0f} at {path.text(known[-1])}."
        )
    if "test" in losses and np.isfinite(tests := losses["test"].mean(axis=0)).any():
        i = int(np.nanargmin(tests))
        said.append(f"Test loss is lowest, {tests[i]:.2f}, at {path.text(i)}.")
    if choice is not None:
        said.append(f"Validation loss is lowest at {path.text(choice.best)}.")
    if choice is not None and choice.one_se is not None:
        strong = path.text(choice.one_se)
        said.append(f"The strongest within one standard error of it is {strong}.")
    return " ".join(said)
