"""Checks of single arguments. Errors name the parameter, the allowed values and the given value."""

import math
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import Any, Literal, get_args

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
MAX_CLASSES = 20  # of any dataset; a visitor's own points have fewer (`regviz.spec.points`)
MAX_COLUMNS = 100  # of any dataset with a name, and of a visitor's own points
MAX_SEED = 2**32 - 1  # the largest seed that numpy.random.RandomState accepts


class Unquoted(str):
    """Text that an error message shows without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


def invalid(parameter: str, allowed: str, got: object) -> ValueError:
    """Return the exception for an invalid argument, with a message of the project's one form.

    Parameters
    ----------
    parameter : str
        Name of the parameter.
    allowed : str
        Description of the allowed values, which completes "must be".
    got : object
        The given value; its ``repr`` is cut to 80 characters.
    """
    try:
        shown = repr(got)
    except ValueError:  # a number of thousands of digits
        shown = f"a {type(got).__name__} too long to print"
    return ValueError(
        f"{parameter} must be {allowed}, got {shown if len(shown) <= 80 else shown[:77] + '...'}"
    )


def text(parameter: str, value: Any) -> str:
    """Return ``value``; raise ValueError unless it is text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise invalid(parameter, "a text that is not empty", value)
    return value


def function(parameter: str, value: Any) -> None:
    """Raise ValueError unless ``value`` can be called."""
    if not callable(value):
        raise invalid(parameter, "a function", value)


def integer(parameter: str, value: Any, low: int, high: int) -> int:
    """Return ``value`` as int; raise ValueError unless it is a whole number in [low, high]."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not low <= int(value) <= high:
        raise invalid(parameter, f"a whole number from {low} to {high}", value)
    return int(value)


def real(
    parameter: str,
    value: Any,
    low: float,
    high: float,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return ``value`` as float; raise ValueError unless it is a finite number in [low, high].

    ``open_low`` and ``open_high`` exclude the bound itself.
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else None
    except OverflowError:
        number = None
    at_open_end = (open_low and number == low) or (open_high and number == high)
    if number is None or not low <= number <= high or at_open_end:
        start, end = "above" if open_low else "from", "to below" if open_high else "to"
        if math.isinf(high):
            raise invalid(parameter, f"a finite number {start} {low:g}", value)
        raise invalid(parameter, f"a number {start} {low:g} {end} {high:g}", value)
    return number


def choice(parameter: str, value: Any, allowed: Collection[str]) -> str:
    """Return ``value``; raise ValueError unless it is one of the names ``allowed``."""
    if not isinstance(value, str) or value not in allowed:
        raise invalid(parameter, one_of(map(repr, allowed)), value)
    return value


def one_of(names: Iterable[str]) -> str:
    """Return a list of allowed values in words: "one of 1, 2", or "1" if there is a single one."""
    listed = list(names)
    return "one of " * (len(listed) > 1) + ", ".join(listed)


def boolean(parameter: str, value: Any) -> bool:
    """Return ``value``; raise ValueError unless it is True or False."""
    if not isinstance(value, bool):
        raise invalid(parameter, "True or False", value)
    return value
