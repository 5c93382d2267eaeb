"""Figures of one training step: a weight's way, a map of a layer, and the values of all units."""

import math
from typing import NamedTuple, get_args

import numpy as np
import plotly.graph_objects as go

from regviz.analysis.anatomy import PARTS, Anatomy, Floats, Step
from regviz.figures._traces import set_alt_text, style
from regviz.methods import palette
from regviz.methods.catalogue import colour as method_colour
from regviz.methods.labels import class_names, escaped, labels, short_names, shortened
from regviz.methods.palette import Theme, mix
from regviz.spec.arrays import ArraysSpec
from regviz.spec.validation import choice, integer

__all__ = ["anatomy_network", "layer_map", "weight_step"]

PART_NAMES = {
    "decay": "weight decay",
    "optimizer": "gradient step",
    "proximal": "proximal map",
    "group_lasso": "group lasso’s map",
    "max_norm": "max-norm",
}
# names of the quantities that `layer_map` shows
QUANTITIES = {
    "old": "weight before",
    "gradient": "data gradient",
    "penalty_gradient": "penalty’s gradient",
    **PART_NAMES,
    "new": "weight after",
}
# of weights above and below 0, as in assets/board/draw/diagram.js
SIGNS: dict[Theme, tuple[str, str]] = {
    "light": ("#33404f", "#b92a9c"),
    "dark": ("#dbe3ee", "#ff79d8"),
}
FEATURE_NAMES = {
    **{"x1": "x₁", "x2": "x₂", "x1^2": "x₁²", "x2^2": "x₂²", "x1*x2": "x₁x₂"},
    **{"sin(x1)": "sin x₁", "sin(x2)": "sin x₂"},
}
# largest share of a sign's colour behind a number, so that the number stands out against it
TINT: dict[Theme, float] = {"light": 0.5, "dark": 0.42}
MAX_COLUMNS = 9  # largest number of columns of a map with numbers, at 380 pixels
MAX_TICKS = 20  # largest number of labels below a map
MAX_WRITTEN = 12  # largest number of units of a layer whose values are written


class Place(NamedTuple):
    """The place of a parameter in a network.

    Attributes
    ----------
    layer : int
        Number of the layer of weights, from 0.
    unit, column : int
        Numbers of the unit that it leads to, and of the one that it comes from, from 0. The column
        of a bias is the number of units below.
    """

    layer: int
    unit: int
    column: int


def place_of(anatomy: Anatomy, index: int) -> Place:
    """Return the place of the parameter at an index of the P parameters."""
    layout = anatomy.layout
    for layer, (_, columns) in enumerate(layout.shapes):
        start = layout.ends[layer] - layout.counts[layer]
        if index < layout.ends[layer]:
            return Place(layer, *divmod(index - start, columns))
    raise IndexError(index)


def index_of(anatomy: Anatomy, place: Place) -> int:
    """Return the index of a parameter, the inverse of `place_of`."""
    layout = anatomy.layout
    start = layout.ends[place.layer] - layout.counts[place.layer]
    return start + place.unit * layout.shapes[place.layer][1] + place.column


def unit_names(anatomy: Anatomy, layer: int) -> list[str]:
    """Return short names of a layer's units; layer 0 has the inputs."""
    sizes, task = anatomy.layout.sizes, anatomy.dataset.task
    if layer == 0:
        if anatomy.dataset.n_columns == 2:
            return [FEATURE_NAMES[name] for name in anatomy.experiment.network.features]
        data = anatomy.experiment.data
        if isinstance(data, ArraysSpec):
            return [f"x{j + 1}" for j in range(sizes[0])]
        return [escaped(name) for name in short_names(data.columns, 20)]
    if layer < len(sizes) - 1:
        return [f"h{j + 1}" for j in range(sizes[layer])]
    if task == "multiclass":
        names = class_names(anatomy.experiment.data, sizes[-1])
        return [escaped(shortened(name, 12)) for name in names]
    return ["p" if task == "binary" else "ŷ"]


def weight_name(anatomy: Anatomy, index: int) -> str:
    """Return the name of a parameter, such as ``"x₁ → h2 of layer 1"``."""
    layer, unit, column = place_of(anatomy, index)
    below, above = unit_names(anatomy, layer), unit_names(anatomy, layer + 1)
    into = above[unit]
    if layer + 2 < len(anatomy.layout.sizes):
        into += f" of layer {layer + 1}"
    return f"bias of {into}" if column == len(below) else f"{below[column]} → {into}"


def decimals(step: Step, index: int) -> int:
    """Return the number of decimals that writes each change of a parameter with two digits."""
    changes = np.abs(np.diff(step.path[:, index]))
    smallest = changes[changes > 1e-12 * max(1.0, abs(step.old[index]))].min(initial=1.0)
    return int(min(max(4, 1 - math.floor(math.log10(smallest))), 10))


def number(value: float, n: int, signed: bool = False) -> str:
    """Write a number with ``n`` decimals and typographic signs; exact zeros are ``"0"``."""
    if value == 0:
        return "0"
    text = f"{value:+.{n}f}" if signed else f"{value:.{n}f}"
    return text.replace("-", "−")


def rounded_path(step: Step, index: int) -> Floats:
    """Return a parameter's path, rounded so that the differences add up as written."""
    path: Floats = step.path[:, index].round(decimals(step, index))
    return path


def acting(step: Step, index: int) -> list[str]:
    """Return the parts that change a parameter; the optimizer's step always is one of them."""
    return [name for name in PARTS if name == "optimizer" or step.changes[name][index] != 0]


def weight_step(anatomy: Anatomy, i: int, index: int, *, theme: Theme = "light") -> go.Figure:
    """Draw the way of one weight in a step, as arrows above its axis.

    Parameters
    ----------
    anatomy : Anatomy
    i : int
        Number of the step in ``anatomy.steps``.
    index : int
        Index of a weight or bias.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.01),)
    >>> steps = regviz.anatomy(regviz.Experiment(regularizations=rows), epoch=2)
    >>> figure = figures.weight_step(steps, i=0, index=3)
    """
    step = _step(anatomy, i, theme)
    index = integer("index", index, 0, anatomy.layout.ends[-1] - 1)
    parts, n = acting(step, index), decimals(step, index)
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    path = dict(zip(PARTS, step.path[1:, index], strict=True))
    written = dict(zip(PARTS, np.diff(rounded_path(step, index)), strict=True))
    figure = style(go.Figure(), theme, weight_name(anatomy, index), "the step, part by part")
    start, rows = float(step.old[index]), len(parts) + 1
    ends = [start, *(float(path[name]) for name in parts)]
    low, high = _range(ends)
    band = _dead_zone(anatomy, step, index)
    if low < band and -band < high and band:
        figure.add_vrect(
            *(-band, band),
            fillcolor=mix(blank, method_colour(_method(anatomy))[theme], 0.2),
            line_width=0,
            layer="below",
            annotation=dict(text="L1 takes this to exactly 0", font_size=13),
            annotation_position="top left",
        )
    for y, (name, before, after) in enumerate(zip(parts, ends, ends[1:], strict=False)):
        height, colour = rows - 1 - y, _colour(anatomy, name, theme)
        figure.add_scatter(
            x=[after, after],
            y=[height, height - 1],
            mode="lines",
            line=dict(color=mix(blank, ink, 0.35), width=1.5, dash="dot"),
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_annotation(
            x=after,
            y=height,
            ax=before,
            ay=height,
            **dict(xref="x", yref="y", axref="x", ayref="y", text=""),
            **dict(showarrow=True, arrowhead=2, arrowwidth=4, arrowsize=0.9, arrowcolor=colour),
        )
        figure.add_annotation(
            x=0,
            y=height + 0.16,
            text=f"<b>{PART_NAMES[name]}</b> {number(written[name], n, signed=True)}",
            font=dict(size=15, color=colour),
            **dict(xref="paper", xanchor="left", yanchor="bottom", showarrow=False),
        )
    figure.add_scatter(
        x=[start, ends[-1]],
        y=[rows - 1, 0],
        mode="markers",
        marker=dict(size=15, color=[blank, ink], line=dict(color=ink, width=3)),
        text=[f"before: {start:.6g}", f"after: {ends[-1]:.6g}"],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    for x, y, text in ((start, rows - 1, "before"), (ends[-1], 0, "after")):
        figure.add_annotation(
            x=x,
            y=y,
            text=f"{text} <b>{number(round(x, n), n)}</b>",
            font_size=15,
            yshift=-21,
            showarrow=False,
        )
    figure.update_layout(dragmode=False, height=200 + 62 * rows, margin=dict(l=24, r=24, b=54))
    figure.update_xaxes(title_text="weight", range=(low, high), zeroline=True, zerolinewidth=2)
    figure.update_yaxes(
        title_text="", range=(-0.75, rows - 0.1), showgrid=False, zeroline=False, visible=False
    )
    said = ", ".join(f"{PART_NAMES[p]} {number(written[p], n, signed=True)}" for p in parts)
    return set_alt_text(
        figure,
        f"The weight {weight_name(anatomy, index)} before the step: {number(round(start, n), n)};"
        f" {said}; after it: {number(round(ends[-1], n), n)}.",
    )


def _range(values: list[float]) -> tuple[float, float]:
    """Return the ends of the axis, with 0 if it is not far away."""
    low, high = min(values), max(values)
    span = max(high - low, 1e-6 * max(1.0, abs(high)))
    if min(abs(low), abs(high)) < 2 * span or low * high < 0:
        low, high = min(low, 0.0), max(high, 0.0)
    span = max(high - low, span)
    return low - 0.22 * span, high + 0.22 * span


def _dead_zone(anatomy: Anatomy, step: Step, index: int) -> float:
    """Return the threshold of L1 in this step: its map takes what is within it to exactly 0."""
    (rule,) = anatomy.experiment.acting(step.epoch)
    return float(step.step_sizes[index] * rule.l1 * anatomy.layout.is_weight[index])


def layer_map(
    anatomy: Anatomy,
    i: int,
    layer: int,
    quantity: str = "old",
    index: int | None = None,
    *,
    theme: Theme = "light",
) -> go.Figure:
    """Draw a quantity of all weights of a layer, as a map with a row for each unit.

    Parameters
    ----------
    anatomy : Anatomy
    i : int
        Number of the step in ``anatomy.steps``.
    layer : int
        Number of the layer of weights, from 0.
    quantity : str
        Key of `QUANTITIES`.
    index : int or None
        Index of a parameter to frame.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.01),)
    >>> steps = regviz.anatomy(regviz.Experiment(regularizations=rows), epoch=2)
    >>> figure = figures.layer_map(steps, i=0, layer=1, quantity="proximal")
    >>> figure.data[0].z.shape
    (8, 9)
    """
    step = _step(anatomy, i, theme)
    layer = integer("layer", layer, 0, len(anatomy.layout.shapes) - 1)
    choice("quantity", quantity, QUANTITIES)
    values = step.changes[quantity] if quantity in PARTS else getattr(step, quantity)
    block = anatomy.layout.split(values)[layer]
    rows, columns = block.shape
    below, above = unit_names(anatomy, layer), unit_names(anatomy, layer + 1)
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    most = float(np.abs(block).max()) or 1.0
    name, is_written = QUANTITIES[quantity], columns <= MAX_COLUMNS
    power, unit = _unit(most)
    about = f"layer {layer + 1}{unit}; exact zeros are 0"
    figure = style(go.Figure(), theme, name.capitalize(), about)
    names = [*below, "bias"]
    figure.add_heatmap(
        z=block,
        zmin=-most,
        zmax=most,
        colorscale=[[0, _shade(-1, theme)], [0.5, blank], [1, _shade(1, theme)]],
        text=[[number(v / 10**power, 1 if power else 2) for v in row] for row in block],
        texttemplate="%{text}" if is_written else None,
        textfont=dict(size=13, color=ink),
        customdata=[[f"{one} → {other}" for one in names] for other in above],
        hovertemplate="%{customdata}: %{z:.5g}<extra></extra>",
        x=list(range(columns)),
        y=list(range(rows)),
        xgap=2,
        ygap=2,
        showscale=False,
    )
    if index is not None and (place := place_of(anatomy, index)).layer == layer:
        x, y = place.column, place.unit
        figure.add_shape(
            type="rect",
            x0=x - 0.5,
            x1=x + 0.5,
            y0=y - 0.5,
            y1=y + 0.5,
            line=dict(color=ink, width=3),
        )
    every = math.ceil(columns / MAX_TICKS)
    longest = max(map(len, names))
    upright = columns > 3 and longest > 4  # else neighbours would overlap
    bottom = 54 + 7 * longest * upright
    figure.update_layout(
        dragmode=False,
        height=116 + bottom + max(30 * rows, 90),
        margin=dict(l=64, r=16, b=bottom),
    )
    ticks = dict(tickmode="array", showgrid=False, zeroline=False)
    figure.update_xaxes(
        **ticks,
        tickvals=list(range(0, columns, every)),
        ticktext=names[::every],
        tickangle=-90 if upright else 0,
        title=dict(text="from", standoff=4),
    )
    figure.update_yaxes(
        **ticks,
        tickvals=list(range(rows)),
        ticktext=above,
        autorange="reversed",
        title_text="to",
    )
    zeros = int((block == 0).sum())
    return set_alt_text(
        figure,
        f"{name.capitalize()} of the {block.size} parameters of layer {layer + 1}, from"
        f" {block.min():.3g} to {block.max():.3g}; {zeros} are exactly 0.",
    )


def _unit(most: float) -> tuple[int, str]:
    """Return the power of ten in which a map's numbers are written, and its name for the subtitle.

    Numbers of at least 0.1 are written as they are: the power is 0, and the name empty.
    """
    power = math.floor(math.log10(most))
    if -1 <= power <= 1:
        return 0, ""
    digits = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power, f", in 10{digits}"


def anatomy_network(
    anatomy: Anatomy, i: int, point: int = 0, *, theme: Theme = "light"
) -> go.Figure:
    """Draw the network with the values of its units at one point of a step's mini-batch.

    Parameters
    ----------
    anatomy : Anatomy
    i : int
        Number of the step in ``anatomy.steps``.
    point : int
        Number of the point in the batch.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        Links of weights that are not 0, thicker for larger ones, and a circle for each unit with
        its value. Units that dropout leaves out are crossed.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> rows = (regviz.Regularization(l1=0.01),)
    >>> steps = regviz.anatomy(regviz.Experiment(regularizations=rows), epoch=2)
    >>> figure = figures.anatomy_network(steps, i=0, point=4)
    """
    step = _step(anatomy, i, theme)
    point = integer("point", point, 0, len(step.points) - 1)
    ink, blank = palette.INK[theme], palette.BLANK[theme]
    sizes = anatomy.layout.sizes
    heights = [np.linspace(0.5, -0.5, n) * (n - 1) / max(1, max(sizes) - 1) for n in sizes]
    target = float(anatomy.dataset.y_train[step.points[point]])
    figure = style(
        go.Figure(),
        theme,
        "Forward: one point of the batch",
        f"target {target:.3g}, loss {step.losses[point]:.4g}",
    )
    _links(figure, anatomy, step, heights, theme)
    fits = max(sizes) <= MAX_WRITTEN
    n_dropped = 0
    for layer, values in enumerate(step.values):
        column = values[:, point]
        kept = np.ones(len(column), bool)
        if step.masks and layer < len(step.masks):
            kept = step.masks[layer][:, point] > 0
        n_dropped += int((~kept).sum())
        reach = max(1.0, float(np.abs(column).max()))
        names = unit_names(anatomy, layer)
        figure.add_scatter(
            x=[layer] * len(column),
            y=heights[layer],
            mode="markers+text" if fits else "markers",
            marker=dict(
                size=38 if fits else 9,
                color=[_shade(value / reach, theme) for value in column],
                line=dict(color=[ink if k else mix(blank, ink, 0.4) for k in kept], width=1.5),
            ),
            text=[
                f"{v:.2f}".replace("-", "−") if k else "✕"
                for v, k in zip(column, kept, strict=True)
            ],
            textfont=dict(size=12, color=ink),
            customdata=[
                f"{name} = {v:.5g}" if k else f"{name} is dropped"
                for name, v, k in zip(names, column, kept, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    heads = ["inputs", *(f"layer {j + 1}" for j in range(len(sizes) - 2)), "output"]
    figure.update_layout(
        dragmode=False, height=150 + 44 * max(4, min(max(sizes), 10)), margin=dict(l=16, r=16, b=40)
    )
    figure.update_xaxes(
        tickvals=list(range(len(sizes))),
        ticktext=heads,
        range=(-0.4, len(sizes) - 0.6),
        title_text="",
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(visible=False, range=(-0.62, 0.62))
    outputs = ", ".join(
        f"{name} = {value:.3g}"
        for name, value in zip(
            unit_names(anatomy, len(sizes) - 1), step.values[-1][:, point], strict=True
        )
    )
    dropped = f" {n_dropped} units are dropped." if n_dropped else ""
    return set_alt_text(
        figure,
        f"Values of all units at point {point + 1} of {len(step.points)} of the batch: output"
        f" {outputs}, target {target:.3g}, loss {step.losses[point]:.4g}.{dropped}",
    )


def _links(
    figure: go.Figure, anatomy: Anatomy, step: Step, heights: list[Floats], theme: Theme
) -> None:
    """Draw the weights that are not 0, in three widths by their size."""
    weights = [block[:, :-1] for block in anatomy.layout.split(step.old)]
    most = max(float(np.abs(block).max()) for block in weights) or 1.0
    positive, negative = SIGNS[theme]
    for sign, colour, dash in ((1, positive, "solid"), (-1, negative, "dash")):
        for k, width in enumerate((0.6, 1.5, 3.2)):
            x: list[float | None] = []
            y: list[float | None] = []
            for layer, block in enumerate(weights):
                share = sign * block / most
                for unit, below in np.argwhere((share > k / 3) & (share <= (k + 1) / 3)):
                    x += [layer, layer + 1, None]
                    y += [heights[layer][below], heights[layer + 1][unit], None]
            line = dict(color=colour, width=width, dash=dash)
            figure.add_scatter(
                x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False
            )


def _shade(value: float, theme: Theme) -> str:
    """Return the colour of a unit's value, from -1 to 1."""
    positive, negative = SIGNS[theme]
    end = positive if value > 0 else negative
    return mix(palette.BLANK[theme], end, TINT[theme] * min(1, abs(value)))


def _step(anatomy: Anatomy, i: int, theme: Theme) -> Step:
    choice("theme", theme, get_args(Theme))
    return anatomy.steps[integer("i", i, 0, len(anatomy.steps) - 1)]


def _method(anatomy: Anatomy) -> str:
    return labels(anatomy.experiment)[0].method


def _colour(anatomy: Anatomy, part: str, theme: Theme) -> str:
    """Return the colour of a part: ink for the data's, else that of the method."""
    if part == "optimizer":
        return palette.INK[theme]
    return method_colour(_method(anatomy))[theme]
