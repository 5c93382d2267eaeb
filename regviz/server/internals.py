"""Check of the installed packages for the internals that RegViz relies on."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

# raised by `_find`; the last two by `inspect`, for an object of another kind than a class
_NOT_FOUND = (ImportError, AttributeError, TypeError, ValueError)


def find_difference(touches: Mapping[str, tuple[str, ...] | None]) -> str | None:
    """Return the first difference between what is expected and what is installed, None if none.

    Parameters
    ----------
    touches : mapping of str to tuple of str, or None
        From each thing that is relied on to the names of its parameters if it is a function, or
        None. ``"module:Class.method"`` is an attribute of a class, ``"module:Class().name"`` one of
        its instances.
    """
    for path, expected in touches.items():
        try:
            found = _find(path)
        except _NOT_FOUND:
            return f"there is no {path}"
        if expected is not None:
            try:
                parameters = tuple(inspect.signature(found).parameters)
            except (TypeError, ValueError):  # not callable, or a C function without a signature
                return f"{path} has no signature"
            if parameters != expected:
                return f"{path} takes {', '.join(parameters)}"
    return None


def find_other_value(values: Mapping[str, object]) -> str | None:
    """Return the first constant with another value than expected, None if there is none.

    Parameters
    ----------
    values : mapping of str to object
        Expected values by path, such as ``"module:NAME"``.
    """
    for path, expected in values.items():
        try:
            found = _find(path)
        except _NOT_FOUND:
            return f"there is no {path}"
        if found != expected:
            return f"{path} is {found!r}"
    return None


def find_name(path: str) -> str | None:
    """Return the value of a constant that is a string, None if there is none.

    Parameters
    ----------
    path : str
        Such as ``"module:NAME"``.
    """
    try:
        found = _find(path)
    except _NOT_FOUND:
        return None
    return found if isinstance(found, str) else None


def _find(path: str) -> Any:
    """Return the object of a key of ``touches``; of an instance's attribute, return the class."""
    module, _, names = path.partition(":")
    names, _, attribute = names.partition("().")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    if attribute and attribute not in _instance_attributes(found):
        raise AttributeError(attribute)
    return found


def _instance_attributes(kind: type) -> set[str]:
    """Return the names that a class annotates or uses in its initializer."""
    initializer = inspect.unwrap(kind.__init__)  # type: ignore[misc]
    return {*inspect.get_annotations(kind), *initializer.__code__.co_names}
