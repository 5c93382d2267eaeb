"""The catalogue of regularizers: one record for each."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import get_args

from regviz.methods import palette
from regviz.methods.palette import Theme
from regviz.methods.strengths import (
    DEFAULT_STRENGTH_INDEX,
    MAX_NORM_DROP_RATE,
    PenaltyRule,
    dropout_rate_beside_max_norm,
    dropout_rates,
    max_norm_radii,
)
from regviz.spec.experiment import (
    PARTS,
    Data,
    DataSpec,
    NetworkSpec,
    Regularization,
    TrainingSpec,
)
from regviz.spec.points import PointsSpec
from regviz.spec.validation import boolean, choice, function, integer, invalid, text


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
        ``strengths(data, network, training)`` returns the offered strengths, from weak to strong:
        different numbers above 0 in ascending or descending order. It returns an empty tuple for a
        method without strength.
    percent : bool
        Whether texts show the strength as a percentage: "drop 20 %" for the symbol "drop".
    default_index : int
        Index among the offered strengths of the one that the page shows initially.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type, a text is empty or a colour is missing.

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
    percent: bool = False
    default_index: int = DEFAULT_STRENGTH_INDEX

    def __post_init__(self) -> None:
        if not (isinstance(self.key, str) and self.key.isidentifier()):
            raise invalid("key", "an identifier such as 'l1'", self.key)
        text("label", self.label)
        if not isinstance(self.symbol, str):
            raise invalid("symbol", "a text", self.symbol)
        text("about", self.about)
        for theme in get_args(Theme):
            value = self.colour.get(theme) if isinstance(self.colour, Mapping) else None
            if not isinstance(value, str) or not _COLOUR.fullmatch(value):
                allowed = "a mapping of 'light' and 'dark' to '#rrggbb' each"
                raise invalid("colour", allowed, self.colour)
        for name in ("at", "strength", "strengths"):
            function(name, getattr(self, name))
        boolean("percent", self.percent)
        integer("default_index", self.default_index, 0, 10**9)

    def text(self, strength: float) -> str:
        """Return symbol and strength, such as ``"λ₁ = 0.004"``; empty without a symbol."""
        if self.percent:
            return f"{self.symbol} {100 * strength:.3g} %"
        return f"{self.symbol} = {strength:g}" if self.symbol else ""


_COLOUR = re.compile("#[0-9a-fA-F]{6}")


METHODS: dict[str, Method] = {}


def register_method(method: Method) -> None:
    """Add a regularizer to those that the page, links and files know by key.

    Parameters
    ----------
    method : Method

    Raises
    ------
    ValueError
        If ``method`` is no Method, if another one has its key, if the key is ``"early_stopping"``
        or one of `RESERVED`, or if, for a default experiment, the strengths that it offers are not
        allowed or ``strength`` is not the inverse of ``at``.
    """
    if not isinstance(method, Method):
        raise invalid("method", "a Method", method)
    if METHODS.get(method.key, method) is not method or method.key == EARLY_STOPPING:
        raise invalid("key", "one that no other method has", method.key)
    if method.key in RESERVED:
        raise invalid("key", "one that no parameter of links or Scene has", method.key)
    strengths = _strengths(method, DataSpec(), NetworkSpec(), TrainingSpec())
    if strengths and not method.symbol:
        raise invalid("symbol", "a text that is not empty, as there are strengths", method.symbol)
    for strength in strengths or (0.0,):
        row = method.at(strength)
        if not isinstance(row, Regularization):
            raise invalid("at", "a function that returns a Regularization", row)
        found = method.strength(row)
        if not math.isclose(found, strength, rel_tol=_PRECISION):
            allowed = f"the inverse of at, which returns {strength:g} for at({strength:g})"
            raise invalid("strength", allowed, found)
    METHODS[method.key] = method


_PRECISION = 1e-9  # relative: strengths are sums and products of few numbers

# Names that are no keys of methods: a link or file would not tell the method from the parameter.
# The last tuple is the fields of `regviz.Scene` and the parameters of `regviz.board.link` that no
# part has; tests/board/test_link.py compares both.
RESERVED = frozenset(
    field.name
    for part in (DataSpec, PointsSpec, NetworkSpec, TrainingSpec)
    for field in fields(part)
) | frozenset(
    (
        *PARTS,
        *("methods", "early_stopping", "onset", "phases", "focus", "strengths", "epoch", "hide"),
        "pins",
        *("v", "regviz", "training_seed", "too_long", "try", "embed", "embed_options"),
    )
)


def _strengths(
    method: Method, data: Data, network: NetworkSpec, training: TrainingSpec
) -> tuple[float, ...]:
    """Return the strengths that a method offers.

    Raises
    ------
    ValueError
        If they are not different numbers above 0 in order.
    """
    offered = method.strengths(data, network, training)
    allowed = "a function that returns different numbers above 0, from weak to strong"
    try:
        numbers = tuple(float(strength) for strength in offered)
    except (TypeError, ValueError) as error:
        raise invalid(f"strengths of {method.key!r}", allowed, offered) from error
    in_order = numbers in (tuple(sorted(set(numbers))), tuple(sorted(set(numbers), reverse=True)))
    if not in_order or not all(0 < number < math.inf for number in numbers):
        raise invalid(f"strengths of {method.key!r}", allowed, offered)
    return numbers


def method_of(regularization: Regularization) -> str | None:
    """Return the key of the method that gives a regularization at one of its strengths.

    If several methods do, it is the first in `METHODS`. The onset does not matter.

    A method that gives it exactly comes before one that gives it as changed by an experiment:
    `offered` lowers the dropout that is combined with max-norm, and AdamW decouples every ``l2``.
    Decoupled, the built-in methods with ``l2`` are not themselves.

    Returns
    -------
    str or None
        None if there is no such method.
    """
    return _method_of(regularization, tuple(METHODS.items()))


@lru_cache(maxsize=4096)
def _method_of(
    regularization: Regularization, methods: tuple[tuple[str, Method], ...]
) -> str | None:
    """Return `method_of`, cached: the search takes 60 µs, and a page needs hundreds."""
    row = replace(
        regularization, onset=0, decoupled=regularization.decoupled and regularization.l2 > 0
    )
    given = {}
    for key, method in methods:
        try:
            given[key] = method.at(method.strength(row))
        except ValueError:  # the strength without effect of max-norm is no radius
            continue
        if _equal(given[key], row):
            return key
    for key, one in given.items():
        lowered = one.drop_rate if one.max_norm is None else min(one.drop_rate, row.drop_rate)
        if _equal(replace(one, decoupled=row.decoupled, drop_rate=lowered), row):
            return None if row.decoupled and key in _BUILT_IN else key
    return None


def _equal(first: Regularization, second: Regularization) -> bool:
    """Compare two regularizations; numbers may differ by rounding."""
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=_PRECISION))
        for a, b in pairs
    )


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
) -> tuple[tuple[Regularization, ...], ...]:
    """Return the offered regularizations of each method, from weak to strong; one for ``"none"``.

    The dropout combined with max-norm has at most the rate of `dropout_rate_beside_max_norm`.

    Parameters
    ----------
    methods : sequence of str
        Keys of `METHODS`.
    data : DataSpec or PointsSpec
    network : NetworkSpec
    training : TrainingSpec

    Returns
    -------
    tuple of tuple of Regularization
        A tuple for each method.

    Raises
    ------
    ValueError
        If there is no such method, or the strengths of one are not allowed.
    """
    highest = dropout_rate_beside_max_norm(data, network, training)
    by_method = []
    for key in methods:
        method = METHODS[choice("methods", key, METHODS)]
        rows = [method.at(s) for s in _strengths(method, data, network, training) or (0.0,)]
        rows = [
            row if row.max_norm is None else replace(row, drop_rate=min(row.drop_rate, highest))
            for row in rows
        ]
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
        # one weaker than the others: at equal indices L1 had the most zeros in 9 of 20 runs of the
        # first experiment of version 1 (`python -m benchmarks.opening`)
        default_index=DEFAULT_STRENGTH_INDEX - 1,
    ),
    Method(
        "dropout",
        "Dropout",
        "drop",
        "In every training step each hidden activation is dropped (set to 0) at random; those kept"
        " are divided by the share kept. So the network cannot rely on any one unit. Off when the"
        " boundary is drawn.",
        {"light": "#8a8704", "dark": "#d0c22a"},
        at=lambda strength: Regularization(drop_rate=strength),
        strength=lambda r: r.drop_rate,
        strengths=dropout_rates,
        percent=True,
    ),
    # combined with dropout, as introduced by Srivastava et al. 2014
    Method(
        "max_norm",
        "Max-norm",
        "c",
        "After every step, each hidden unit's incoming weights w become w·min(1, c / ‖w‖₂), so"
        " that their length is at most c. Used together with a little dropout.",
        {"light": "#311670", "dark": "#5a86fc"},
        at=lambda strength: Regularization(max_norm=strength, drop_rate=MAX_NORM_DROP_RATE),
        strength=lambda r: math.inf if r.max_norm is None else r.max_norm,
        strengths=max_norm_radii,
    ),
):
    register_method(_method)

_BUILT_IN = frozenset(METHODS)
