"""Checks of single arguments. Every refusal names the parameter, what is allowed and what came."""

import math
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any


def refuse(parameter: str, allowed: str, got: object) -> ValueError:
    """The one form of our error messages; the caller raises what this returns."""
    shown = repr(got)
    return ValueError(
        f"{parameter} must be {allowed}, got {shown if len(shown) <= 80 else shown[:77] + '...'}"
    )


def integer(parameter: str, value: Any, low: int, high: int) -> int:
    """Check that ``value`` is a whole number in ``[low, high]``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
        raise refuse(parameter, f"a whole number from {low} to {high}", value)
    return int(value)


def real(
    parameter: str, value: Any, low: float, high: float, *, open_low: bool = False, open_high=False
) -> float:
    """Check that ``value`` is a finite number between ``low`` and ``high``."""
    allowed = f"a number {'>' if open_low else '>='} {low:g} and {'<' if open_high else '<='} {high:g}"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise refuse(parameter, allowed, value)
    if value < low or value > high or (open_low and value == low) or (open_high and value == high):
        raise refuse(parameter, allowed, value)
    return float(value)


def choice(parameter: str, value: Any, allowed: Collection[str]) -> str:
    """Check that ``value`` is one of the names ``allowed``."""
    if not isinstance(value, str) or value not in allowed:
        raise refuse(parameter, "one of " + ", ".join(map(repr, allowed)), value)
    return value


def boolean(parameter: str, value: Any) -> bool:
    """Check that ``value`` is True or False."""
    if not isinstance(value, bool):
        raise refuse(parameter, "True or False", value)
    return value
