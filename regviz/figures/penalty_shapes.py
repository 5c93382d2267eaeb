"""Plotly figures of the effects of penalties on one and two weights.

`regviz.analysis.penalties` computes the numbers. Figures are narrow enough for three side by side.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from regviz.analysis import penalties
from regviz.analysis.penalties import LeastSquares
from regviz.engine.history import Floats
from regviz.figures._regularization_styles import Look, Rows, looks_of
from regviz.figures._traces import set_alt_text, style
from regviz.methods import palette
from regviz.methods.labels import digits, label
from regviz.methods.palette import Theme, mix, rgb_of
from regviz.spec.experiment import Regularization
from regviz.spec.validation import real

__all__ = ["loss_and_penalty", "penalty_curves", "penalty_gradients", "proximal_maps"]

NARROW = dict(xref="container", pad_l=8)  # aligns a title with the figure's edge, not with its axis


def penalty_curves(rows: Rows, *, limit: float = 1.5, theme: Theme = "light") -> go.Figure:
    """Plot each penalty against the weight.

    Parameters
    ----------
    rows : sequence of Regularization
        Only ``l1``, ``l2``, ``group_lasso`` and, in `proximal_maps`, ``max_norm`` are used.
    limit : float
        The axis is from ``-limit`` to ``limit``; above 0 and at most 1000.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        A trace for each regularization.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    See Also
    --------
    penalty_gradients, proximal_maps : Figures of the same size and axis.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.5), regviz.Regularization(l2=1.0))
    >>> figure = figures.penalty_curves(rows)
    >>> [trace.name for trace in figure.data]
    ['L1', 'L2']
    """
    looks = looks_of(rows, theme)
    figure = style(go.Figure(), theme, "Penalty", "λ₁|w| + (λ₂/2)w²")
    _draw(figure, looks, rows, limit, penalties.penalties)
    figure.update_xaxes(title_text="weight w")
    figure.update_yaxes(title_text="penalty", rangemode="tozero")
    values = _values(looks, rows, limit, penalties.penalties)
    return set_alt_text(figure, f"The penalty at {_far_and_near(limit)}: {values}.")


def penalty_gradients(rows: Rows, *, limit: float = 1.5, theme: Theme = "light") -> go.Figure:
    """Plot the gradient of each penalty against the weight; descent moves the weight against it.

    At 0, the vertical part of a line is the set of subgradients of L1. Parameters, result and
    errors are those of `penalty_curves`.

    Parameters
    ----------
    rows : sequence of Regularization
        Only ``l1``, ``l2`` and ``group_lasso`` are used.
    limit : float
        The axis is from ``-limit`` to ``limit``; above 0 and at most 1000.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.5), regviz.Regularization(l2=1.0))
    >>> figure = figures.penalty_gradients(rows, limit=2.0)
    >>> [trace.name for trace in figure.data]
    ['L1', 'L2']
    """
    looks = looks_of(rows, theme)
    figure = style(go.Figure(), theme, "Gradient", "λ₁·sign(w) + λ₂w")
    _draw(figure, looks, rows, limit, penalties.gradients)
    figure.update_xaxes(title_text="weight w")
    figure.update_yaxes(title_text="gradient of the penalty")
    values = _values(looks, rows, limit, penalties.gradients)
    return set_alt_text(figure, f"The gradient at {_far_and_near(limit)}: {values}.")


def proximal_maps(
    rows: Rows, step: float, *, limit: float = 1.5, theme: Theme = "light"
) -> go.Figure:
    """Plot a weight after a proximal step, or max-norm's projection, against the weight before.

    A thin line is the identity. Other parameters, result and errors are those of `penalty_curves`.

    Parameters
    ----------
    rows : sequence of Regularization
        Only ``l1``, ``l2``, ``group_lasso`` and ``max_norm`` are used.
    step : float
        Step size, above 0 and at most 1000.
    limit : float
        The axis is from ``-limit`` to ``limit``; above 0 and at most 1000.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.5), regviz.Regularization(l2=1.0))
    >>> figure = figures.proximal_maps(rows, step=0.5)
    >>> [trace.name for trace in figure.data][:2]
    ['L1', 'L2']
    """

    def after(weights: Floats, row: Regularization) -> Floats:
        return penalties.proximal_step(weights, row, step)

    looks = looks_of(rows, theme)
    step = real("step", step, 0, penalties.MAX_STEP, open_low=True)
    heading = f"step size {digits(step)}; thin: no change"
    figure = style(go.Figure(), theme, "Proximal map", heading)
    _draw(figure, looks, rows, limit, after)
    ends, thin = [-limit, limit], dict(color=palette.INK[theme], width=1)
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line=thin, opacity=0.5, showlegend=False, hoverinfo="skip"
    )
    figure.update_xaxes(title_text="weight before")
    figure.update_yaxes(title_text="weight after")
    effects = [
        " and ".join(
            ([f"sets weights within ±{digits(step * pull)} to exactly 0"] if pull else [])
            + ([f"divides by {digits(1 + step * row.l2)}"] if row.l2 else [])
            + ([f"clips at ±{digits(row.max_norm)}"] if row.max_norm is not None else [])
            or ["changes nothing"]
        )
        for row, pull in ((row, penalties.constant_pull(row)) for row in rows)
    ]
    listed = "; ".join(f"{look.name} {text}" for look, text in zip(looks, effects, strict=True))
    return set_alt_text(figure, f"In a step of size {digits(step)}: {listed}.")


def loss_and_penalty(
    problem: LeastSquares, row: Regularization, *, theme: Theme = "light"
) -> go.Figure:
    """Plot the contours of a loss of two weights and of a penalty that touch at the solution.

    Parameters
    ----------
    problem : LeastSquares
    row : Regularization
        With ``l1``, ``l2`` or ``group_lasso`` above 0. The weights are one group.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        Contours of the loss, the one through the solution emphasized; the region in which the
        penalty is at most that of the solution; the path of solutions for growing strength,
        dotted; a cross at the optimum of the loss, and a point at the solution.

    Raises
    ------
    ValueError
        If all three are 0, or the theme is unknown.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> from regviz.analysis.penalties import LeastSquares
    >>> problem = LeastSquares(optimum=(1.0, 0.4))
    >>> figure = figures.loss_and_penalty(problem, regviz.Regularization(l1=0.5))
    """
    (look,) = looks_of([row], theme)
    best = problem.minimum(row)
    value = penalties.penalty_of_two(best, row)
    figure = style(go.Figure(), theme, look.name, f"● {_pair(best)}")
    near, far = float(problem.loss(best)), float(problem.loss([0.0, 0.0]))
    for level in (*(far * share for share in (0.05, 0.2, 0.5, 1, 1.8, 3)), near):
        strong = level == near
        shade = mix(palette.BLANK[theme], palette.INK[theme], 0.75 if strong else 0.28)
        hover = f"loss {digits(level)} above the optimum's<extra></extra>"
        line = dict(color=shade, width=2 if strong else 1)
        _outline(figure, problem.ellipse(level), line, hovertemplate=hover)
    _outline(
        figure,
        penalties.level_set(row, value),
        dict(color=look.colour, width=2.5),
        fill="toself",
        fillcolor=f"rgba({', '.join(map(str, rgb_of(look.colour)))}, 0.2)",
        hoveron="points",
        hovertemplate=f"penalty {digits(value)}<extra></extra>",
    )
    dotted = dict(color=look.colour, width=2, dash="dot")
    _outline(figure, _solution_path(problem, row), dotted, hoverinfo="skip")
    for weights, symbol, colour, name in (
        (problem.optimum, "x", palette.INK[theme], "optimum of the loss"),
        (best, "circle", look.colour, "solution"),
    ):
        edge = dict(color=palette.BLANK[theme], width=1.5)
        figure.add_scatter(
            x=[weights[0]],
            y=[weights[1]],
            mode="markers",
            marker=dict(symbol=symbol, color=colour, size=12, line=edge),
            hovertemplate=f"{name}<br>{_pair(weights)}<extra></extra>",
            cliponaxis=False,
        )
    # contains the diamond of L1 through the optimum
    reach = 1.08 * max(sum(map(abs, problem.optimum)), 1e-3)
    square = dict(range=(-reach, reach), nticks=5, constrain="domain", zerolinewidth=2)
    figure.update_xaxes(title_text="w₁", constraintoward="left", **square)
    figure.update_yaxes(title_text="w₂", constraintoward="top", scaleanchor="x", **square)
    figure.update_layout(
        dragmode=False, showlegend=False, height=380, margin=dict(l=56, r=14, t=66, b=50)
    )
    return set_alt_text(
        figure,
        f"{look.name}, {label(row).strength}: loss and penalty balance at {_pair(best)};"
        f" without the penalty, at {_pair(problem.optimum)}.",
    )


def _draw(
    figure: go.Figure,
    looks: list[Look],
    rows: Rows,
    limit: float,
    value: Callable[[Floats, Regularization], Floats],
) -> None:
    """Add a line of ``value(weight, regularization)`` for each regularization, and set the axes."""
    limit = real("limit", limit, 0, penalties.MAX_WEIGHT, open_low=True)
    # points next to 0 on both sides, so that a jump is vertical
    right = np.concatenate([[1e-9 * limit], np.linspace(0, limit, 201)[1:]])
    x = np.concatenate([-right[::-1], [0.0], right])
    for look, row in zip(looks, rows, strict=True):
        figure.add_scatter(
            x=x,
            y=value(x, row),
            mode="lines",
            name=look.name,
            line=dict(color=look.colour, width=2.5, dash=look.dash),
            hovertemplate=f"{label(row).text}<br>%{{x:.3g}} → %{{y:.3g}}<extra></extra>",
        )
    figure.update_layout(
        dragmode=False,  # so that a finger on the figure scrolls the page
        height=392,
        title=NARROW,
        # equal for all figures, so that axes are aligned side by side
        margin=dict(l=62, r=12, t=66, b=144, autoexpand=False),
        showlegend=True,
        legend=dict(orientation="h", x=0, y=-0.29, yanchor="top"),
    )
    figure.update_xaxes(range=(-limit, limit), nticks=7)
    figure.update_yaxes(nticks=7)


def _outline(figure: go.Figure, points: Floats, line: Mapping[str, object], **look: object) -> None:
    figure.add_scatter(x=points[:, 0], y=points[:, 1], mode="lines", line=dict(line), **look)


def _solution_path(problem: LeastSquares, row: Regularization) -> Floats:
    """Return the solutions for strengths growing from 0, of shape (n, 2)."""
    times = (0.0, *np.geomspace(0.01, 1000, 60))
    rows = [
        Regularization(
            **{name: min(getattr(row, name) * f, 1000) for name in ("l1", "l2", "group_lasso")}
        )
        for f in times
    ]
    return np.array([problem.minimum(stronger) for stronger in rows])


def _values(
    looks: list[Look],
    rows: Rows,
    limit: float,
    value: Callable[[Floats, Regularization], Floats],
) -> str:
    """List each regularization's values at ``limit`` and at a tenth of it, in words."""
    at = np.array([limit, limit / 10])
    pairs = [" and ".join(digits(v) for v in value(at, row)) for row in rows]
    return "; ".join(f"{look.name} {pair}" for look, pair in zip(looks, pairs, strict=True))


def _far_and_near(limit: float) -> str:
    return f"a weight of {digits(limit)}, and of {digits(limit / 10)}"


def _pair(weights: Sequence[float] | Floats) -> str:
    return ", ".join(f"w{index} = {digits(w)}" for index, w in zip("₁₂", weights, strict=True))
