"""The catalogue of regularizers: one record for each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from regviz.methods import palette
from regviz.methods.palette import Theme
from regviz.methods.strengths import (
    PenaltyRule,
    dropout_rates,
    highest_dropout_rate,
    max_norm_radii,
)
from regviz.spec.experiment import Data, NetworkSpec, Regularization, TrainingSpec
from regviz.spec.validation import choice, invalid


@dataclass(frozen=True, eq=False)
class Method:
    """A regularizer with one strength.

    Parameters
    ----------
    key : str
        Identifier in links, files and Python, such as ``"l1"``.
    label, symbol : str
        Name on the page, and symbol of the strength; the symbol is empty if there is none.
    about : str
        Description of the effect, in one or two sentences.
    colour : mapping of {"light", "dark"} to str
        Colour in either theme, ``"#rrggbb"``.
    at : callable
        ``at(strength)`` returns the `Regularization` of a strength. It raises ValueError if the
        strength is out of range.
    strength : callable
        ``strength(regularization)`` is the inverse of ``at``. For a regularization without this
        method it returns the strength without effect: 0, or an infinite radius.
    strengths : callable
        ``strengths(data, network, training)`` returns the offered strengths, from weak to strong;
        an empty tuple for a method without strength.

    Raises
    ------
    ValueError
        If ``key`` is not an identifier.

    See Also
    --------
    regviz.methods.strengths : Rules for strengths, and the measurements behind them.
    """

    key: str
    label: str
    symbol: str
    about: str
    colour: Mapping[Theme, str]
    at: Callable[[float], Regularization]
    strength: Callable[[Regularization], float]
    strengths: Callable[[Data, NetworkSpec, TrainingSpec], tuple[float, ...]]

    def __post_init__(self) -> None:
        if not (isinstance(self.key, str) and self.key.isidentifier()):
            raise invalid("key", "an identifier such as 'l1'", self.key)


METHODS: dict[str, Method] = {}


def register_method(method: Method) -> None:
    """Add a regularizer to those that the page, links and files know by key.

    Parameters
    ----------
    method : Method

    Raises
    ------
    ValueError
        If another method has this key, or if the key is ``"early_stopping"``.
    """
    if METHODS.get(method.key, method) is not method or method.key == EARLY_STOPPING:
        raise invalid("key", "one that no other method has", method.key)
    METHODS[method.key] = method


EARLY_STOPPING = "early_stopping"  # derived from the unregularized network, so no `Method`
ABOUT_EARLY_STOPPING = (
    "No penalty: the network without regularization, kept as it was when its validation loss was"
    " lowest. Training on would only overfit."
)


def colour(key: str) -> Mapping[Theme, str]:
    """Return the colour of a method, or of early stopping, in either theme.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    choice("methods", key, (*METHODS, EARLY_STOPPING))
    return palette.EARLY_STOPPING if key == EARLY_STOPPING else METHODS[key].colour


def offered(
    methods: Sequence[str],
    data: Data,
    network: NetworkSpec,
    training: TrainingSpec,
    onset: int = 0,
) -> tuple[tuple[Regularization, ...], ...]:
    """Return the offered regularizations of each method, from weak to strong; one for ``"none"``.

    The dropout that is combined with max-norm has at most the rate of `highest_dropout_rate`.

    Parameters
    ----------
    methods : sequence of str
        Keys of `METHODS`.
    data : DataSpec or PointsSpec
    network : NetworkSpec
    training : TrainingSpec
    onset : int
        Epochs before the regularizations act. Strengths are chosen for the epochs that remain.

    Returns
    -------
    tuple of tuple of Regularization
        A tuple for each method.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    highest = highest_dropout_rate(data, network, training)
    training = replace(training, epochs=max(1, training.epochs - onset))
    by_method = []
    for key in methods:
        method = METHODS[choice("methods", key, METHODS)]
        rows = [method.at(s) for s in method.strengths(data, network, training) or (0.0,)]
        rows = [
            row if row.max_norm is None else replace(row, drop_rate=min(row.drop_rate, highest))
            for row in rows
        ]
        if rows != [Regularization()]:
            rows = [replace(row, onset=onset) for row in rows]
        by_method.append(tuple(rows))
    return tuple(by_method)


def _without_strength(
    data: Data, network: NetworkSpec, training: TrainingSpec
) -> tuple[float, ...]:
    return ()


for _method in (
    Method(
        "none",
        "None",
        "",
        "No regularization: the baseline that the others are compared with.",
        {"light": "#72889a", "dark": "#a1adc0"},
        at=lambda strength: Regularization(),
        strength=lambda r: 0.0,
        strengths=_without_strength,
    ),
    Method(
        "l1",
        "L1",
        "λ₁",
        "Adds λ₁·Σ|w| to the loss. Its pull is the same for every weight, so it takes small"
        " weights all the way to exactly 0.",
        {"light": "#da025a", "dark": "#ea2e73"},
        at=lambda strength: Regularization(l1=strength),
        strength=lambda r: r.l1,
        strengths=PenaltyRule(1.0, linear_collapse=0.5, first_effect=0.2, l2_share=0.0),
    ),
    Method(
        "l2",
        "L2",
        "λ₂",
        "Adds (λ₂/2)·Σw² to the loss. Its pull is proportional to the weight, so it makes all"
        " weights smaller, and none exactly 0.",
        {"light": "#0b603e", "dark": "#82f0c2"},
        at=lambda strength: Regularization(l2=strength),
        strength=lambda r: r.l2,
        strengths=PenaltyRule(2.5, linear_collapse=10.0, first_effect=0.5, l2_share=1.0),
    ),
    Method(
        "elastic_net",
        "Elastic net",
        "λ",
        "Half L1, half L2: adds (λ/2)·Σ|w| + (λ/4)·Σw² to the loss, for exact zeros and small"
        " weights at once.",
        {"light": "#7449ca", "dark": "#986db8"},
        at=lambda strength: Regularization.elastic_net(strength, l1_ratio=0.5),
        strength=lambda r: r.l1 + r.l2,
        strengths=PenaltyRule(1.5, linear_collapse=1.0, first_effect=0.3, l2_share=0.5),
    ),
    Method(
        "dropout",
        "Dropout",
        "p",
        "In every training step each hidden activation h becomes h·m / (1 − p), where m is 0"
        " with probability p and else 1, so that the network cannot rely on any one unit. Off"
        " when the boundary is drawn.",
        {"light": "#8a8704", "dark": "#d0c22a"},
        at=lambda strength: Regularization(drop_rate=strength),
        strength=lambda r: r.drop_rate,
        strengths=dropout_rates,
    ),
    # combined with dropout, as introduced by Srivastava et al. 2014
    Method(
        "max_norm",
        "Max-norm",
        "c",
        "After every step, each hidden unit's incoming weights w become w·min(1, c / ‖w‖₂), so"
        " that their length is at most c. Used together with a little dropout (p = 0.1).",
        {"light": "#311670", "dark": "#5a86fc"},
        at=lambda strength: Regularization(max_norm=strength, drop_rate=0.1),
        strength=lambda r: math.inf if r.max_norm is None else r.max_norm,
        strengths=max_norm_radii,
    ),
):
    register_method(_method)
