"""Names and colours of the regularizations in the figures of penalties."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

from regviz.figures._traces import shades
from regviz.methods import palette
from regviz.methods.catalogue import colour as method_colour
from regviz.methods.labels import label
from regviz.methods.palette import Theme, mix
from regviz.spec.experiment import Regularization
from regviz.spec.validation import choice, invalid

DASHES = {"none": "dot", "l1": "solid", "l2": "dash", "elastic_net": "dashdot", "max_norm": "dot"}

Rows = Sequence[Regularization]


class Look(NamedTuple):
    """Name, colour and Plotly dash style of a regularization's line."""

    name: str
    colour: str
    dash: str


def looks_of(rows: Rows, theme: Theme) -> list[Look]:
    """Return the look of each regularization; names include strengths if methods are repeated.

    Raises
    ------
    ValueError
        If ``rows`` is not a sequence of Regularization, or the theme is unknown.
    """
    choice("theme", theme, get_args(Theme))
    if isinstance(rows, str) or not isinstance(rows, Sequence) or not rows:
        raise invalid("rows", "a sequence of Regularization", rows)
    for i, row in enumerate(rows):
        if not isinstance(row, Regularization):
            raise invalid(f"rows[{i}]", "a Regularization", row)
    labels = [label(row) for row in rows]
    names, methods = [one.name for one in labels], [one.method for one in labels]
    looks = []
    for k, (one, method) in enumerate(zip(labels, methods, strict=True)):
        shade = shades(methods.count(method))[methods[:k].count(method)]
        other = palette.INK[theme] if shade > 0 else palette.BLANK[theme]
        colour = mix(method_colour(method)[theme], other, abs(shade))
        name = one.text if names.count(one.name) > 1 else one.name
        looks.append(Look(name, colour, DASHES.get(method, "solid")))
    return looks
