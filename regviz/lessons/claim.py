"""Claims: facts about regularization, each as a function that checks it for one seed.

Some claims are about studies. These are declared in the claims' module: its ``STUDIES`` has them by
name. `regviz.lessons.compute` computes each study once, and a claim reads the networks of its seed.
"""

import importlib
import math
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from regviz.spec.validation import boolean, invalid, text

if TYPE_CHECKING:
    from regviz.lessons.study_results import Networks
    from regviz.studies.study import Study

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
        ``function(seed)`` returns the `Result` for a seed of data and training. With ``studies``,
        it is called with the seed's `Networks` of each instead.
    studies : tuple of str
        Names of the studies whose networks the function reads, such as ``"width.chosen"``; empty if
        it trains networks itself.
    """

    name: str
    sentence: str
    source: str
    function: Callable[..., Result]
    studies: tuple[str, ...] = ()

    def of_seed(self, seed: int, networks: "Mapping[str, Mapping[int, Networks]]") -> Result:
        """Return the result for a seed.

        Parameters
        ----------
        seed : int
        networks : mapping of str to mapping of int to Networks
            By name of a study and seed, its networks; at least those of ``studies``.
        """
        if not self.studies:
            return self.function(seed)
        return self.function(*(networks[name][seed] for name in self.studies))


_CLAIMS: dict[str, Claim] = {}


def claim(
    sentence: str, source: str = "", studies: tuple[str, ...] = ()
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Return a decorator that registers a function as a claim.

    Parameters
    ----------
    sentence, source : str
        As in `Claim`.
    studies : tuple of str
        Names in the ``STUDIES`` of the function's module, such as ``"chosen"``.

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

    def register(function: Callable[..., Result]) -> Callable[..., Result]:
        module = function.__module__.rpartition(".")[2]
        name = f"{module}.{function.__name__}"
        before = _CLAIMS.get(name)
        if before is not None and before.function.__module__ != function.__module__:
            raise invalid("claim", "a name that is not taken", name)
        named = tuple(f"{module}.{study}" for study in studies)
        _CLAIMS[name] = Claim(name, sentence, source, function, named)
        return function

    return register


def all_claims() -> dict[str, Claim]:
    """Return all claims by name, in the order of modules and of functions in them."""
    _modules()
    return dict(_CLAIMS)


def all_studies() -> "dict[str, Study]":
    """Return the studies of all modules of claims by name, such as ``"width.chosen"``."""
    return {
        f"{name}.{key}": study
        for name, module in _modules().items()
        for key, study in getattr(module, "STUDIES", {}).items()
    }


def _modules() -> dict[str, Any]:
    """Import the modules of claims, and return them by name in order."""
    folder = importlib.import_module(_PACKAGE).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(folder))
    return {name: importlib.import_module(f"{_PACKAGE}.{name}") for name in names}
