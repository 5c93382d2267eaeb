"""Names of networks, datasets and classes, on the board and in figures alike."""

import html
from collections.abc import Sequence
from typing import NamedTuple

from regviz.methods.catalogue import METHODS
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, Experiment, Regularization
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS


class Label(NamedTuple):
    """The name of a regularization.

    Attributes
    ----------
    method : str
        The key in `regviz.methods.catalogue.METHODS` that is nearest; picks the colour.
    name : str
        Such as ``"L1"`` or ``"L2 + dropout"``.
    strength : str
        Such as ``"λ₁ = 0.004"``; empty without any.
    """

    method: str
    name: str
    strength: str

    @property
    def text(self) -> str:
        """Name and strength."""
        return f"{self.name} {self.strength}".rstrip()


def dataset_label(data: Data | ArraysSpec) -> str:
    """The name of some data on the page and in figures."""
    if isinstance(data, PointsSpec):
        return "Your points"
    return "Your arrays" if isinstance(data, ArraysSpec) else DATASETS[data.name].label


def label(regularization: Regularization) -> Label:
    """Name a regularization, and the method of the catalogue that it is nearest to.

    L1 and L2 together are elastic net, with a single λ = λ₁ + λ₂ where they are equal, as in the
    catalogue. Max-norm's name covers the dropout that it is used with; its strength says the rate.

    Examples
    --------
    >>> label(Regularization(l1=0.004)).text
    'L1 λ₁ = 0.004'
    """
    r = regularization
    parts: list[tuple[str, str, str]] = []
    if r.l1 and r.l2 and not r.decoupled:
        both = f"λ = {r.l1 + r.l2:g}" if r.l1 == r.l2 else f"λ₁ = {r.l1:g}, λ₂ = {r.l2:g}"
        parts.append(("elastic_net", "elastic net", both))
    else:
        if r.l1:
            parts.append(("l1", "L1", f"λ₁ = {r.l1:g}"))
        if r.l2:
            parts.append(("l2", "weight decay" if r.decoupled else "L2", f"λ₂ = {r.l2:g}"))
    if r.max_norm is not None:
        rate = f", p = {r.drop_rate:g}" if r.drop_rate else ""
        parts.append(("max_norm", "max-norm", f"c = {r.max_norm:g}{rate}"))
    elif r.drop_rate:
        parts.append(("dropout", "dropout", f"p = {r.drop_rate:g}"))
    if r.input_drop_rate:
        parts.append(("dropout", "input dropout", f"p₀ = {r.input_drop_rate:g}"))
    if not parts:
        return Label("none", METHODS["none"].label, "")
    methods, names, strengths = zip(*parts, strict=True)
    name, strength = " + ".join(names), ", ".join(strengths)
    onset = f", from epoch {r.onset}" if r.onset else ""
    return Label(methods[0], name[0].upper() + name[1:], strength + onset)


def labels(experiment: Experiment) -> list[Label]:
    """The label of every network of an experiment; under AdamW, L2 is weight decay."""
    return [label(row) for row in experiment.acting(experiment.training.epochs)]


def digits(value: float) -> str:
    """A number in three digits, with a true minus sign."""
    return f"{value:.3g}".replace("-", "−")


def class_names(data: Data | ArraysSpec, n_classes: int) -> tuple[str, ...]:
    """Names of the classes of some data: their owner's, else ``"class 0"`` and so on."""
    names = data.names if isinstance(data, PointsSpec) else ()
    return names if len(names) == n_classes else tuple(f"class {c}" for c in range(n_classes))


def shortened(name: str, longest: int = 24) -> str:
    """A name in at most so many characters."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def short_names(names: Sequence[str], longest: int) -> tuple[str, ...]:
    """Different names in at most so many characters each, and still different.

    Names whose beginnings are the same are cut there, and else they get numbers.
    """
    heads = tuple(shortened(name, longest) for name in names)
    ends = tuple(n if len(n) <= longest else "…" + n[1 - longest :] for n in names)
    numbered = tuple(shortened(f"{i} {name}", longest) for i, name in enumerate(names))
    return next(cut for cut in (heads, ends, numbered) if len(set(cut)) == len(names))


def escaped(name: str) -> str:
    """Text of a visitor's own for Plotly, which reads tags, entities and templates in it."""
    return html.escape(name, quote=False).replace("{", "&#123;")
