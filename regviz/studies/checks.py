"""Checks of the parameters of a study."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from regviz.methods.catalogue import EARLY_STOPPING, METHODS, default_strengths
from regviz.methods.strengths import N_STRENGTHS
from regviz.spec.validation import MAX_SEED, choice, integer, invalid, real


def pairs_of(parameter: str, given: Any, allowed: str, pair: str) -> list[tuple[Any, Any]]:
    """Return a mapping, or a sequence of pairs, as a list of pairs.

    Parameters
    ----------
    parameter : str
        Name of the parameter.
    given : object
    allowed, pair : str
        What the parameter, and each of its pairs, must be.

    Raises
    ------
    ValueError
        If it is neither, or a key is repeated; the message names the value.
    """
    pairs = list(given.items()) if isinstance(given, Mapping) else given
    if not isinstance(pairs, (list, tuple)):
        raise invalid(parameter, allowed, given)
    for i, one in enumerate(pairs):
        if not isinstance(one, (list, tuple)) or len(one) != 2:
            raise invalid(f"{parameter}[{i}]", pair, one)
    keys = [key for key, _ in pairs]
    if any(key in keys[:i] for i, key in enumerate(keys)):
        raise invalid(parameter, "without repetition", keys)
    return [(key, value) for key, value in pairs]


def checked_methods(methods: Any) -> tuple[str, ...] | None:
    """Return the methods of a study as a tuple."""
    if methods is None:
        return None
    if not isinstance(methods, (tuple, list)) or not methods:
        raise invalid("methods", "a tuple of at least one method, or None", methods)
    for i, key in enumerate(methods):
        choice(f"methods[{i}]", key, (*METHODS, EARLY_STOPPING))
    if len(set(methods)) < len(methods):
        raise invalid("methods", "without repetition", methods)
    return tuple(methods)


def checked_strengths(strengths: Any, methods: tuple[str, ...] | None) -> Any:
    """Return strengths, with a mapping as sorted pairs of a key and numbers."""
    if methods is None and strengths != "grid":
        raise invalid("strengths", "'grid' without methods", strengths)
    if strengths == "grid":
        return strengths
    if isinstance(strengths, Integral):
        return integer("strengths", strengths, 1, N_STRENGTHS)
    whole = "'grid', a whole number or a mapping"
    pairs = pairs_of("strengths", strengths, whole, "a pair of a method and its strengths")
    found = {}
    allowed = [key for key in methods or () if key not in ("none", EARLY_STOPPING)]
    if pairs and not allowed:
        raise invalid("strengths", "empty, as no method of the study has strengths", strengths)
    for key, given in pairs:
        choice("a method of strengths", key, allowed)
        numbers = given if isinstance(given, (tuple, list)) else (given,)
        if not numbers:
            raise invalid(f"strengths[{key!r}]", "at least one number", given)
        names = (f"strengths[{key!r}][{i}]" for i in range(len(numbers)))
        found[key] = tuple(
            real(name, number, 0, math.inf, open_high=True)
            for name, number in zip(names, numbers, strict=True)
        )
    return tuple((key, tuple(sorted(found[key]))) for key in sorted(found))


def checked_variants(
    variants: Any, methods: tuple[str, ...] | None
) -> tuple[tuple[str, float], ...]:
    """Return the values of second parameters as pairs of a method and a number, sorted."""
    allowed = [key for key in methods or () if key in METHODS and METHODS[key].variants]
    whole = "a mapping of methods, such as 'elastic_net', to numbers"
    pairs = pairs_of("variants", variants, whole, "a pair of a method and a number")
    if pairs and not allowed:
        raise invalid("variants", "empty, as no method of the study has a second value", variants)
    found = {}
    for key, value in pairs:
        choice("a method of variants", key, allowed)
        name = f"variants[{key!r}]"
        found[key] = real(name, value, 0, math.inf, open_high=True)
        try:
            METHODS[key].regularization(default_strengths(key)[0], found[key])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return tuple(sorted(found.items()))


def checked_seeds(seeds: Any) -> tuple[int, ...]:
    """Return the seeds of a study as a tuple."""
    if not isinstance(seeds, Sequence) or isinstance(seeds, str) or not seeds:
        raise invalid("seeds", "a sequence of at least one whole number", seeds)
    numbers = tuple(integer(f"seeds[{i}]", seed, 0, MAX_SEED) for i, seed in enumerate(seeds))
    if len(set(numbers)) < len(numbers):
        raise invalid("seeds", "without repetition", list(numbers))
    return numbers
