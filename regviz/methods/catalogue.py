"""The catalogue of regularizers: one record for each."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from typing import Any, get_args

from regviz.methods import palette
from regviz.methods.palette import Theme
from regviz.methods.strengths import (
    DEFAULT_STRENGTH_INDEX,
    dropout_rates,
    dropout_rates_beside_max_norm,
    max_norm_radii,
    penalty_strengths,
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
class Variants:
    """The variants of a method: a second parameter with a few offered values.

    Each variant has strengths of its own. On the page a second slider chooses the variant.

    Parameters
    ----------
    key : str
        Identifier of the parameter, such as ``"l1_ratio"``. The parameter in links is the method's
        key, an underscore and this one.
    label, about : str
        Name of the parameter on the page, and its explanation, in one or two sentences.
    values : callable
        ``values(data, network, training)`` returns the offered values: different numbers from 0
        upwards, in ascending order, at least one.
    of : callable
        ``of(regularization)`` returns the value of a regularization of the method. For others it
        returns any number, or raises ValueError or ArithmeticError.
    text : callable
        ``text(value)`` returns a value in words, such as ``"50 % L1"``.
    default_index : int
        Index among the offered values of the one that the page shows initially.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type, or a text is empty.

    Examples
    --------
    >>> import regviz
    >>> rates = regviz.Variants(
    ...     "rate",
    ...     label="Dropout",
    ...     about="The share of hidden units that are dropped.",
    ...     values=lambda data, network, training: (0.0, 0.1, 0.2),
    ...     of=lambda regularization: regularization.drop_rate,
    ...     text=lambda rate: f"drop {rate:.0%}",
    ... )
    >>> rates.text(0.1)
    'drop 10%'
    """

    key: str
    label: str
    about: str
    values: Callable[[Data, NetworkSpec, TrainingSpec], tuple[float, ...]]
    of: Callable[[Regularization], float]
    text: Callable[[float], str]
    default_index: int = 0

    def __post_init__(self) -> None:
        if not (isinstance(self.key, str) and self.key.isidentifier()):
            raise invalid("key", "an identifier such as 'l1_ratio'", self.key)
        text("label", self.label)
        text("about", self.about)
        for name in ("values", "of", "text"):
            function(name, getattr(self, name))
        integer("default_index", self.default_index, 0, 10**9)


@dataclass(frozen=True, eq=False)
class Method:
    """A regularizer with one strength, and with variants if it has a second parameter.

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
        ``at(strength)`` returns the `Regularization` of a strength, or ``at(strength, value)`` that
        of a strength of a variant. It raises ValueError if a number is out of range.
    strength : callable
        ``strength(regularization)`` is the inverse of ``at``. For a regularization without this
        method it returns the strength without effect: 0, or an infinite radius.
    strengths : callable
        ``strengths(data, network, training)`` returns the offered strengths, from weak to strong:
        different numbers above 0 in ascending or descending order. It returns an empty tuple for a
        method without strength. With variants, ``strengths(data, network, training, value)``
        returns those of one.
    percent : bool
        Whether texts show the strength as a percentage: "drop 20 %" for the symbol "drop".
    default_index : int
        Index among the offered strengths of the one that the page shows initially.
    variants : Variants, optional
        The method's second parameter, by default none.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type, a text is empty or a colour is missing.

    See Also
    --------
    regviz.methods.strengths : Rules for strengths, and the measurements behind them.

    Examples
    --------
    >>> from regviz.methods.catalogue import METHODS
    >>> import regviz
    >>> elastic_net = METHODS["elastic_net"]
    >>> row = elastic_net.regularization(0.01, 0.75)
    >>> row.l1, row.l2
    (0.0075, 0.0025)
    >>> elastic_net.text(0.01, elastic_net.variant(row))
    'λ = 0.01, 75 % L1'
    >>> parts = regviz.DataSpec(), regviz.NetworkSpec(), regviz.TrainingSpec()
    >>> elastic_net.values(*parts)
    (0.0, 0.25, 0.5, 0.75, 1.0)
    >>> len(elastic_net.offered(*parts, 0.5))
    12
    """

    key: str
    label: str
    symbol: str
    about: str
    colour: Mapping[Theme, str]
    at: Callable[..., Regularization]
    strength: Callable[[Regularization], float]
    strengths: Callable[..., tuple[float, ...]]
    percent: bool = False
    default_index: int = DEFAULT_STRENGTH_INDEX
    variants: Variants | None = None

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
        if not isinstance(self.variants, Variants | None):
            raise invalid("variants", "a Variants or None", self.variants)

    @property
    def variants_parameter(self) -> str | None:
        """Name in links of the parameter that chooses the variant; None without variants."""
        return None if self.variants is None else f"{self.key}_{self.variants.key}"

    def values(self, data: Data, network: NetworkSpec, training: TrainingSpec) -> tuple[Any, ...]:
        """Return the values of the offered variants; one value of None for a method without.

        Parameters
        ----------
        data : DataSpec or PointsSpec
        network : NetworkSpec
        training : TrainingSpec

        Returns
        -------
        tuple of float or None

        Raises
        ------
        ValueError
            If they are not different numbers from 0 upwards, in ascending order.
        """
        if self.variants is None:
            return (None,)
        offered = self.variants.values(data, network, training)
        numbers = _numbers(offered)
        ascending = numbers is not None and numbers == tuple(sorted(set(numbers)))
        if not numbers or not ascending or not 0 <= numbers[0] <= numbers[-1] < math.inf:
            allowed = "a function that returns different numbers from 0 upwards, in ascending order"
            raise invalid(f"values of the variants of {self.key!r}", allowed, offered)
        return numbers

    def offered(
        self,
        data: Data,
        network: NetworkSpec,
        training: TrainingSpec,
        value: float | None = None,
    ) -> tuple[float, ...]:
        """Return the offered strengths of the variant with a value, or of a method without.

        Parameters
        ----------
        data : DataSpec or PointsSpec
        network : NetworkSpec
        training : TrainingSpec
        value : float or None
            Value of the variant; None for a method without variants.

        Returns
        -------
        tuple of float
            Strengths from weak to strong.

        Raises
        ------
        ValueError
            If they are not different numbers above 0 in order.
        """
        offered = self.strengths(data, network, training, *_given(value))
        numbers = _numbers(offered)
        up, down = (tuple(sorted(set(numbers or ()), reverse=order)) for order in (False, True))
        if numbers not in (up, down) or not all(0 < number < math.inf for number in numbers):
            allowed = "a function that returns different numbers above 0, from weak to strong"
            raise invalid(f"strengths of {self.key!r}", allowed, offered)
        return numbers

    def variant(self, regularization: Regularization) -> float | None:
        """Return the value of a regularization's variant; None for a method without variants.

        Parameters
        ----------
        regularization : Regularization
            A regularization of this method.

        Returns
        -------
        float or None
        """
        return None if self.variants is None else self.variants.of(regularization)

    def regularization(self, strength: float, value: float | None = None) -> Regularization:
        """Return the regularization of a strength, and of the variant with a value if given.

        Parameters
        ----------
        strength : float
            λ, rate or radius.
        value : float or None
            Value of the variant; None for a method without variants.

        Returns
        -------
        Regularization
        """
        return self.at(strength, *_given(value))

    def text(self, strength: float, value: float | None = None) -> str:
        """Return symbol, strength and variant, such as ``"λ₁ = 0.004"``; empty without a symbol.

        Parameters
        ----------
        strength : float
            λ, rate or radius.
        value : float or None
            Value of the variant; None for a method without variants.

        Returns
        -------
        str
        """
        if not self.symbol:
            return ""
        own = f"{100 * strength:.3g} %" if self.percent else f"= {strength:g}"
        more = "" if self.variants is None or value is None else f", {self.variants.text(value)}"
        return f"{self.symbol} {own}{more}"


def _given(value: float | None) -> tuple[float, ...]:
    """Return the further argument of functions of a method with variants."""
    return () if value is None else (value,)


def _numbers(values: Any) -> tuple[float, ...] | None:
    """Return values as a tuple of numbers, or None if they are none."""
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError):
        return None


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

    Examples
    --------
    >>> import regviz
    >>> strong = regviz.Method(
    ...     key="strong_l2",
    ...     label="Strong L2",
    ...     symbol="λ",
    ...     about="L2 at three large strengths.",
    ...     colour={"light": "#300028", "dark": "#a84800"},
    ...     at=lambda strength: regviz.Regularization(l2=strength),
    ...     strength=lambda regularization: regularization.l2,
    ...     strengths=lambda data, network, training: (0.1, 0.3, 1.0),
    ...     default_index=1,
    ... )
    >>> regviz.register_method(strong)
    >>> scene = regviz.Scene(methods=("none", "strong_l2"))
    >>> scene.grid().strengths("strong_l2")
    [0.1, 0.3, 1.0]
    """
    if not isinstance(method, Method):
        raise invalid("method", "a Method", method)
    if METHODS.get(method.key, method) is not method or method.key == EARLY_STOPPING:
        raise invalid("key", "one that no other method has", method.key)
    taken = RESERVED | {other.variants_parameter for other in METHODS.values()}
    if method.key in taken:
        raise invalid("key", "one that no parameter of links or Scene has", method.key)
    if method.variants and method.variants_parameter in RESERVED | set(METHODS):
        raise invalid("variants", "a parameter that links do not have", method.variants_parameter)
    parts = DataSpec(), NetworkSpec(), TrainingSpec()
    for value in method.values(*parts):
        strengths = method.offered(*parts, value)
        if method.variants and not strengths:
            raise invalid("variants", "None, as there are no strengths", method.variants)
        if strengths and not method.symbol:
            allowed = "a text that is not empty, as there are strengths"
            raise invalid("symbol", allowed, method.symbol)
        for strength in strengths or (0.0,):
            _check_inverse(method, strength, value)
    METHODS[method.key] = method


def _check_inverse(method: Method, strength: float, value: float | None) -> None:
    """Raise ValueError if a regularization of a method does not give its parameters back."""
    row = method.regularization(strength, value)
    if not isinstance(row, Regularization):
        raise invalid("at", "a function that returns a Regularization", row)
    found = method.strength(row)
    if not math.isclose(found, strength, rel_tol=_PRECISION):
        allowed = f"the inverse of at, which returns {strength:g} for at({strength:g})"
        raise invalid("strength", allowed, found)
    if value is None:
        return
    variant = method.variant(row)
    if not math.isclose(variant or 0.0, value, rel_tol=_PRECISION, abs_tol=_PRECISION):
        allowed = f"the inverse of at, which returns {value:g} for at({strength:g}, {value:g})"
        raise invalid("of", allowed, variant)


_PRECISION = 1e-9  # relative: strengths are sums and products of few numbers

# Names that are no keys of methods: a link or file would not tell the method from the parameter.
# The last tuple is the fields of `regviz.Scene` and the parameters of `regviz.scenes.link` that no
# part has; tests/scenes/test_link.py compares both.
RESERVED = frozenset(
    field.name
    for part in (DataSpec, PointsSpec, NetworkSpec, TrainingSpec)
    for field in fields(part)
) | frozenset(
    (
        *PARTS,
        *("methods", "early_stopping", "onset", "phases", "focus", "strengths", "variants"),
        "corrected",
        *("epoch", "plane", "hide", "pins"),
        *("v", "regviz", "training_seed", "too_long", "try", "room", "embed", "embed_options"),
    )
)


def method_of(regularization: Regularization) -> str | None:
    """Return the key of the method that gives a regularization at one of its strengths.

    If several methods do, it is the first in `METHODS`; methods with variants, which give many
    regularizations, come after the others. Onset and correction do not matter.

    A method that gives it exactly comes before one that gives it as changed by an experiment: AdamW
    decouples every ``l2``. Decoupled, the built-in methods with ``l2`` are not themselves.

    Returns
    -------
    str or None
        None if there is no such method.
    """
    order = sorted(METHODS.items(), key=lambda item: item[1].variants is not None)
    return _method_of(regularization, tuple(order))


@lru_cache(maxsize=4096)
def _method_of(
    regularization: Regularization, methods: tuple[tuple[str, Method], ...]
) -> str | None:
    """Return `method_of`, cached: the search takes 60 µs, and a page needs hundreds."""
    row = replace(
        regularization,
        onset=0,
        corrected=False,
        decoupled=regularization.decoupled and regularization.l2 > 0,
    )
    given = {}
    for key, method in methods:
        try:
            given[key] = method.regularization(method.strength(row), method.variant(row))
        # the strength without effect of max-norm is no radius, and L1 has no share of no penalty
        except (ValueError, ArithmeticError):
            continue
        if _equal(given[key], row):
            return key
    for key, one in given.items():
        if _equal(replace(one, decoupled=row.decoupled), row):
            return None if row.decoupled and key in _BUILT_IN else key
    return None


def _equal(first: Regularization, second: Regularization) -> bool:
    """Compare two regularizations; numbers may differ by rounding."""
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=_PRECISION))
        for a, b in pairs
    )


@lru_cache(maxsize=64)
def default_strengths(key: str) -> tuple[float, ...]:
    """Return the strengths of a method's first variant for a default experiment, weak to strong."""
    method, parts = METHODS[key], (DataSpec(), NetworkSpec(), TrainingSpec())
    return method.offered(*parts, method.values(*parts)[0])


def descends(key: str) -> bool:
    """Return whether the smaller of two strengths is the stronger one, as a radius is."""
    strengths = default_strengths(key)
    return strengths != tuple(sorted(strengths))


EARLY_STOPPING = "early_stopping"  # derived from the unregularized network, so no `Method`
ABOUT_EARLY_STOPPING = (
    "No penalty: the network without regularization, kept as it was when its validation loss was"
    " lowest. Training on would only overfit."
)


def patience_of(training: TrainingSpec) -> int:
    """Return the epochs without improvement after which early stopping stops: a tenth of all."""
    return max(1, training.epochs // 10)


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
) -> tuple[tuple[tuple[Regularization, ...], ...], ...]:
    """Return the offered regularizations of each method.

    Parameters
    ----------
    methods : sequence of str
        Keys of `METHODS`.
    data : DataSpec or PointsSpec
    network : NetworkSpec
    training : TrainingSpec

    Returns
    -------
    tuple of tuple of tuple of Regularization
        For each method, and each of its variants, the regularizations from weak to strong. A method
        without a second parameter has one variant, and ``"none"`` one regularization.

    Raises
    ------
    ValueError
        If there is no such method, or the strengths or variants of one are not allowed.
    """
    parts = data, network, training
    by_method = []
    for key in methods:
        method = METHODS[choice("methods", key, METHODS)]
        variants = []
        for value in method.values(*parts):
            strengths = method.offered(*parts, value) or (0.0,)
            variants.append(tuple(method.regularization(s, value) for s in strengths))
        by_method.append(tuple(variants))
    return tuple(by_method)


def initial(
    methods: Sequence[str], data: Data, network: NetworkSpec, training: TrainingSpec
) -> tuple[Regularization, ...]:
    """Return the regularization of each method that the page shows initially; see `offered`."""
    return tuple(
        _clipped(_clipped(variants, initial_variant(key)), METHODS[key].default_index)
        for key, variants in zip(methods, offered(methods, data, network, training), strict=True)
    )


def initial_variant(key: str) -> int:
    """Return the index of a method's initial variant."""
    variants = METHODS[key].variants
    return 0 if variants is None else variants.default_index


def _clipped(values: Sequence[Any], index: int) -> Any:
    return values[min(index, len(values) - 1)]


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
        strengths=partial(penalty_strengths, l1_ratio=1.0),
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
        strengths=partial(penalty_strengths, l1_ratio=0.0),
    ),
    Method(
        "elastic_net",
        "Elastic net",
        "λ",
        "L1 and L2 at once: adds λ·(m·Σ|w| + (1 − m)·Σw²/2) to the loss, where m is the mix. It"
        " gives exact zeros and small weights.",
        {"light": "#7449ca", "dark": "#986db8"},
        at=Regularization.elastic_net,
        strength=lambda r: r.l1 + r.l2,
        strengths=penalty_strengths,
        # at the default index L1 had the most zeros in 17 of the opening page's 20 seeds, with one
        # less in all of them (`python -m benchmarks.opening`)
        default_index=DEFAULT_STRENGTH_INDEX - 1,
        variants=Variants(
            "l1_ratio",
            "Mix",
            "The mix m is the share of L1 in the penalty: at 0 % it is L2, at 100 % it is L1. λ"
            " changes with it, as L2 needs a larger one.",
            values=lambda data, network, training: (0.0, 0.25, 0.5, 0.75, 1.0),
            of=lambda r: r.l1 / (r.l1 + r.l2) if r.l1 + r.l2 else 0.5,
            text=lambda value: f"{100 * value:.3g} % L1",
            default_index=2,
        ),
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
        default_index=5,  # 20 %, or 1 % for unbounded activations
    ),
    # combined with dropout, as introduced by Srivastava et al. 2014
    Method(
        "max_norm",
        "Max-norm",
        "c",
        "After every step, each hidden unit's incoming weights w become w·min(1, c / ‖w‖₂), so"
        " that their length is at most c. Often used together with a little dropout.",
        {"light": "#311670", "dark": "#5a86fc"},
        at=lambda radius, rate: Regularization(max_norm=radius, drop_rate=rate),
        strength=lambda r: math.inf if r.max_norm is None else r.max_norm,
        strengths=max_norm_radii,
        default_index=6,  # a radius of 1
        variants=Variants(
            "drop_rate",
            "Dropout",
            "The share of hidden units that dropout drops beside max-norm in each training step.",
            values=dropout_rates_beside_max_norm,
            of=lambda r: r.drop_rate,
            text=lambda value: f"drop {100 * value:.3g} %" if value else "no dropout",
            default_index=1,
        ),
    ),
    Method(
        "group_lasso",
        "Group lasso",
        "λg",
        "Adds λg·Σ√p·‖w‖₂ to the loss: a sum over the hidden units, where w are a unit's p incoming"
        " weights. It sets all of them to exactly 0 at once, so that whole units vanish.",
        {"light": "#9c00fc", "dark": "#7830fc"},
        at=lambda strength: Regularization(group_lasso=strength),
        strength=lambda r: r.group_lasso,
        strengths=partial(penalty_strengths, l1_ratio=1.0),
    ),
):
    register_method(_method)

_BUILT_IN = frozenset(METHODS)
