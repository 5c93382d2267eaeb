"""Checks of the parameters of a study."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.methods.strengths import N_STRENGTHS
from regviz.spec.validation import MAX_SEED, choice, integer, invalid, real


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
    if not isinstance(strengths, (Mapping, tuple)):
        raise invalid("strengths", "'grid', a whole number or a mapping", strengths)
    found = {}
    allowed = [key for key in methods or () if key not in ("none", EARLY_STOPPING)]
    for key, given in dict(strengths).items():
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
    """Return the values of second parameters as pairs of a method and a number."""
    allowed = [key for key in methods or () if key in METHODS and METHODS[key].variants]
    pairs = list(variants.items() if isinstance(variants, Mapping) else variants)
    for key, value in pairs:
        choice("a method of variants", key, allowed)
        real(f"variants[{key!r}]", value, 0, 1000)
    return tuple((key, float(value)) for key, value in pairs)


def checked_seeds(seeds: Any) -> tuple[int, ...]:
    """Return the seeds of a study as a tuple."""
    if not isinstance(seeds, Sequence) or isinstance(seeds, str) or not seeds:
        raise invalid("seeds", "a sequence of at least one whole number", seeds)
    numbers = tuple(integer(f"seeds[{i}]", seed, 0, MAX_SEED) for i, seed in enumerate(seeds))
    if len(set(numbers)) < len(numbers):
        raise invalid("seeds", "without repetition", list(numbers))
    return numbers
