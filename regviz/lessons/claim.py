"""Claims: facts about regularization, each as a function that checks it for one seed."""

import importlib
import math
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from regviz.spec.validation import boolean, invalid, text

SEEDS = range(20)  # of data and training, for which each claim is computed
LEAST_HELD = 18  # number of `SEEDS` in which a claim of a lesson must hold
_PACKAGE = "regviz.lessons.claims"
_FIGURE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Result:
    """The result of a claim for one seed.

    Parameters
    ----------
    holds : bool
        Whether the claim is true for this seed.
    figures : mapping of str to float
        The measured numbers that a lesson may quote, finite. A name has lower-case letters, digits
        and underscores. All seeds of a claim must have the same names.

    Raises
    ------
    ValueError
        If a parameter is of another type, or a number is not finite.
    """

    holds: bool
    figures: Mapping[str, float]

    def __post_init__(self) -> None:
        holds = self.holds.item() if isinstance(self.holds, np.bool_) else self.holds
        object.__setattr__(self, "holds", boolean("holds", holds))
        figures = {name: float(value) for name, value in self.figures.items()}
        for name, value in figures.items():
            if not _FIGURE.fullmatch(name):
                raise invalid("figures", "named by lower-case letters, digits, underscores", name)
            if not math.isfinite(value):
                raise invalid(f"figures[{name!r}]", "a finite number", value)
        object.__setattr__(self, "figures", figures)


@dataclass(frozen=True)
class Claim:
    """A fact about regularization.

    Attributes
    ----------
    name : str
        Name of the module and of the function, such as ``"noise.gap_grows_with_width"``.
    sentence : str
        The fact in one sentence.
    source : str
        Publication that states it, such as ``"Zou & Hastie 2005"``; empty if there is none.
    function : callable
        ``function(seed)`` returns the `Result` for a seed of data and training.
    """

    name: str
    sentence: str
    source: str
    function: Callable[[int], Result]


_CLAIMS: dict[str, Claim] = {}


def claim(
    sentence: str, source: str = ""
) -> Callable[[Callable[[int], Result]], Callable[[int], Result]]:
    """Return a decorator that registers a function as a claim.

    Parameters
    ----------
    sentence, source : str
        As in `Claim`.

    Raises
    ------
    ValueError
        If the sentence is empty, or another function has the same name.

    Examples
    --------
    >>> from regviz.lessons.claim import Result, claim
    >>> @claim("A seed is smaller than twenty.")  # doctest: +SKIP
    ... def is_small(seed: int) -> Result:
    ...     return Result(seed < 20, {"seed": seed})
    """
    text("sentence", sentence)

    def register(function: Callable[[int], Result]) -> Callable[[int], Result]:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        before = _CLAIMS.get(name)
        if before is not None and before.function.__module__ != function.__module__:
            raise invalid("claim", "a name that is not taken", name)
        _CLAIMS[name] = Claim(name, sentence, source, function)
        return function

    return register


def all_claims() -> dict[str, Claim]:
    """Return all claims by name, in the order of modules and of functions in them."""
    folder = importlib.import_module(_PACKAGE).__path__
    for module in sorted(module.name for module in pkgutil.iter_modules(folder)):
        importlib.import_module(f"{_PACKAGE}.{module}")
    return dict(_CLAIMS)
