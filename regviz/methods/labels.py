"""Names of networks, datasets and classes, shared by the board and the figures."""

import html
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from regviz.methods.catalogue import EARLY_STOPPING, METHODS, method_of
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, Experiment, Regularization
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS


class Label(NamedTuple):
    """The name of a regularization.

    Attributes
    ----------
    method : str
        Key of its method in `regviz.methods.catalogue.METHODS`, or of the nearest one; its colour
        is used.
    name : str
        Label of the method, such as ``"L1"``, or names of all parts, such as ``"L2 + dropout"``.
    strength : str
        Its strength, such as ``"λ₁ = 0.004"``, or strengths of all parts; empty without
        regularization.
    """

    method: str
    name: str
    strength: str

    @property
    def text(self) -> str:
        """Name and strength."""
        return f"{self.name} {self.strength}".rstrip()


def dataset_label(data: Data | ArraysSpec) -> str:
    """Return the name of a dataset on the page and in figures."""
    if isinstance(data, PointsSpec):
        return "Your points"
    return "Your arrays" if isinstance(data, ArraysSpec) else DATASETS[data.name].label


def label(regularization: Regularization, method: str | None = None) -> Label:
    """Return the label of a regularization.

    Label and symbol are those of its method. A combination that no method gives is named by its
    parts, where L1 and L2 together are elastic net.

    Parameters
    ----------
    regularization : Regularization
    method : str, optional
        Key of the method whose regularization it is. By default it is the first method that gives
        it: elastic net without L2 is called L1.

    Examples
    --------
    >>> label(Regularization(l1=0.004)).text
    'L1 λ₁ = 0.004'
    >>> label(Regularization(l1=0.004), "elastic_net").text
    'Elastic net λ = 0.004, 100 % L1'
    """
    r = regularization
    first = method_of(r)
    key = first if first is None or method is None else method
    if key == "none":
        return Label(key, METHODS[key].label, "")
    if key is None:
        key, name, strength = _nearest(r)
    else:
        record = METHODS[key]
        name, strength = record.label, record.text(record.strength(r), record.variant(r))
    onset = f"from epoch {r.onset}" if r.onset else ""
    corrected = "corrected" if r.corrected else ""
    return Label(key, name, ", ".join(filter(None, (strength, corrected, onset))))


def method_name(key: str) -> str:
    """Return the name of a method in a study's table, also of a combination such as ``l1+l2``."""
    if key == EARLY_STOPPING:
        return "Early stopping"
    words, _, corrected = key.partition(" ")
    parts, _, onset = words.partition("@")
    names = " + ".join(METHODS[part].label for part in parts.split("+"))
    return names + f" from epoch {onset}" * bool(onset) + f" {corrected}" * bool(corrected)


class Part(NamedTuple):
    """A number of a regularization that combines several methods.

    Attributes
    ----------
    method : str
        Key of the method that has the number.
    name : str
        Name of the method, such as ``"dropout"``; empty for its second number, such as a mix.
    text : str
        The number in words, such as ``"drop 10 %"``.
    number : float
    """

    method: str
    name: str
    text: str
    number: float


def parts_of(r: Regularization) -> list[Part]:
    """Return the numbers of a regularization by method, where L1 and L2 are elastic net."""
    parts: list[Part] = []

    def add(key: str, name: str, number: float, text: str = "") -> None:
        parts.append(Part(key, name, text or METHODS[key].text(number), number))
        variants = METHODS[key].variants
        if variants is not None:
            parts.append(Part(key, "", variants.text(variants.of(r)), variants.of(r)))

    if r.l1 and r.l2 and not r.decoupled:
        add("elastic_net", "elastic net", r.l1 + r.l2)
    else:
        if r.l1:
            add("l1", "L1", r.l1)
        if r.l2:
            add("l2", "weight decay" if r.decoupled else "L2", r.l2)
    if r.group_lasso:
        add("group_lasso", "group lasso", r.group_lasso)
    if r.max_norm is not None:
        add("max_norm", "max-norm", r.max_norm)
    elif r.drop_rate:
        add("dropout", "dropout", r.drop_rate)
    if r.input_drop_rate:
        text = f"{METHODS['dropout'].text(r.input_drop_rate)} of inputs"
        add("dropout", "input dropout", r.input_drop_rate, text)
    return parts


def _nearest(r: Regularization) -> tuple[str, str, str]:
    """Return key of the nearest method, name and strength of a combination that no method gives."""
    parts = parts_of(r)
    name = " + ".join(part.name for part in parts if part.name)
    strength = ", ".join(part.text for part in parts)
    return parts[0].method, name[0].upper() + name[1:], strength


def labels(experiment: Experiment, methods: Sequence[str | None] = ()) -> list[Label]:
    """Return the label of every network of an experiment; under AdamW, L2 is weight decay.

    ``methods`` has the key of each network's method, if these are known; see `label`.
    """
    rows = experiment.acting(experiment.training.epochs)
    return [label(row, key) for row, key in zip_longest(rows, methods)]


def digits(value: float) -> str:
    """Format a number with three significant digits and a typographic minus sign, U+2212."""
    return f"{value:.3g}".replace("-", "−")


def class_names(data: Data | ArraysSpec, n_classes: int) -> tuple[str, ...]:
    """Return the names of the classes, or else ``"class 0"``, ``"class 1"``, …."""
    names = () if isinstance(data, ArraysSpec) else data.names
    return names if len(names) == n_classes else tuple(f"class {c}" for c in range(n_classes))


def shortened(name: str, longest: int = 24) -> str:
    """Return a name cut to ``longest`` characters, the last of them an ellipsis."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def short_names(names: Sequence[str], longest: int) -> tuple[str, ...]:
    """Cut different names to ``longest`` characters each, so that they remain different.

    Names are cut at their ends; if that makes two equal, at their beginnings; else they are
    numbered.
    """
    heads = tuple(shortened(name, longest) for name in names)
    ends = tuple(n if len(n) <= longest else "…" + n[1 - longest :] for n in names)
    numbered = tuple(shortened(f"{i} {name}", longest) for i, name in enumerate(names))
    return next(cut for cut in (heads, ends, numbered) if len(set(cut)) == len(names))


def escaped(name: str) -> str:
    """Escape a visitor's text for Plotly, which interprets HTML tags, entities and %{templates}."""
    return html.escape(name, quote=False).replace("{", "&#123;")
