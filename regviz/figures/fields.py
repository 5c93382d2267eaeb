"""Models' outputs on a grid over a plane, with the points to draw over them: data of pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from regviz.data.datasets import domain
from regviz.engine.history import History
from regviz.figures._traces import network_looks
from regviz.methods.labels import class_names
from regviz.methods.palette import Theme
from regviz.spec.validation import Task

Floats = NDArray[np.floating]
Range = tuple[float, float]
Kind = Literal["probability", "decision", "class", "value"]
THEMES: tuple[Theme, ...] = get_args(Theme)


@dataclass(frozen=True)
class Facts:
    """A model's name, its colours and the numbers below its picture.

    Attributes
    ----------
    name : str
    colours : mapping of {"light", "dark"} to str
        Colour ``"#rrggbb"`` of the name.
    numbers : tuple of (str, str)
        Terms and values, in the order in which they are shown.
    kind : {"probability", "decision", "class", "value"}
        Meaning of the model's outputs: log-odds or logarithms of probabilities, decision values,
        classes without a measure of certainty, or values of a regression.
    factor : float
        Factor by which decision values are multiplied.

    Examples
    --------
    >>> from regviz.figures.fields import Facts
    >>> Facts("SVC", {"light": "#5f666e", "dark": "#a7abb2"}, (("test accuracy", "95 %"),)).text
    'SVC, test accuracy 95 %'
    """

    name: str
    colours: Mapping[Theme, str]
    numbers: tuple[tuple[str, str], ...]
    kind: Kind = "probability"
    factor: float = 1.0

    @property
    def text(self) -> str:
        """Name and numbers in words."""
        return ", ".join([self.name, *(f"{term} {value}" for term, value in self.numbers)])


@dataclass(frozen=True, eq=False)
class Fields:
    """Outputs of K models on an n × n grid over a plane, and the points to draw over them.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
    classes : tuple of str
        Names of the classes; empty for regression.
    axes : tuple of str
        Names of the two inputs.
    x, y : (float, float)
        Ranges of the plane. The outer grid points lie on its edges.
    outputs : ndarray of shape (K, n_outputs, n, n)
        Outputs before sigmoid or softmax: for two classes, one, positive where the second class is
        the more probable; for regression, the values. Rows go from the lowest ``y`` upwards.
    points : mapping of {"train", "test"} to (ndarray of shape (n_points, 2), ndarray)
        Points and their class numbers or targets.
    models : tuple of Facts

    Examples
    --------
    >>> import regviz
    >>> from sklearn.linear_model import LinearRegression
    >>> X = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> fields = regviz.show(LinearRegression().fit(X, [0, 1, 2, 3]), X, [0, 1, 2, 3]).fields
    >>> fields.task, fields.outputs.shape
    ('regression', (1, 1, 96, 96))
    >>> round(float(fields.outputs[0, 0, 0, 0]), 2)  # at the lower left corner, 0.08 beyond X
    -0.24
    """

    task: Task
    classes: tuple[str, ...]
    axes: tuple[str, str]
    x: Range
    y: Range
    outputs: Floats
    points: Mapping[str, tuple[Floats, Floats]]
    models: tuple[Facts, ...]


def grid(x: Range, y: Range, n: int) -> NDArray[np.float64]:
    """Return the points of an n × n grid over a plane, of shape (n · n, 2), row by row upwards."""
    return np.stack(np.meshgrid(np.linspace(*x, n), np.linspace(*y, n)), axis=-1).reshape(-1, 2)


def fields_of(history: History, rows: list[int], t: int, n: int) -> Fields:
    """Return the outputs of some networks of a run on data with two columns.

    Parameters
    ----------
    history : History
    rows : list of int
        Indices of the networks.
    t : int
        Index into `History.epochs`.
    n : int
        Number of grid points along each side.
    """
    dataset, sides = history.dataset, domain(history.dataset)
    outputs = history.outputs(grid(sides, sides, n), rows, t)
    n_classes = max(dataset.n_classes, 2)
    named = history.experiment.data
    return Fields(
        dataset.task,
        () if dataset.task == "regression" else class_names(named, n_classes),
        ("x₁", "x₂"),
        sides,
        sides,
        outputs.reshape(*outputs.shape[:2], n, n),
        {split: dataset.points(split) for split in ("train", "test")},
        tuple(facts_of(history, rows, t)),
    )


def facts_of(history: History, rows: list[int], t: int) -> list[Facts]:
    """Return name, test loss (or else training loss) and share of exact zeros of some networks."""
    looks = {theme: network_looks(history, theme) for theme in THEMES}
    split = "test" if len(history.dataset.points("test")[1]) else "train"
    facts = []
    for k in rows:
        if 0 <= history.diverged[k] <= history.epochs[t]:
            numbers = [("diverged at epoch", str(history.diverged[k]))]
        else:
            loss = decimals(float(history.metrics[f"{split}_loss"][t, k]))
            zeros = f"{100 * history.metrics['sparsity'][t, k]:.0f} %"
            numbers = [(f"{split} loss", loss), ("exact zeros", zeros)]
        colours = {theme: each[k].colour for theme, each in looks.items()}
        kind: Kind = "value" if history.dataset.task == "regression" else "probability"
        facts.append(Facts(looks["light"][k].text, colours, tuple(numbers), kind))
    return facts


def decimals(value: float) -> str:
    """Format a loss or score with two decimals, or large ones with three significant digits.

    NaN, such as R² of one point, is a dash.
    """
    if value != value:
        return "–"
    return (f"{value:.2f}" if abs(value) < 1000 else f"{value:.3g}").replace("-", "−")
