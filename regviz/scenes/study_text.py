"""Axes, strengths and seeds of a study as text, for links and the command line."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from regviz.methods.catalogue import METHODS
from regviz.scenes.link import field_texts
from regviz.spec.validation import MAX_SEED, Unquoted, choice, invalid
from regviz.studies.axes import paths_of

MAX_SEEDS = 1000  # of a study in a link or on the command line
_AXES_BETWEEN = ";"


def _hidden(text: str) -> tuple[int, ...]:
    try:
        return () if text == "none" else tuple(map(int, text.split("-")))
    except ValueError:
        allowed = "must be none, or units by layer with hyphens between, such as 8-8"
        raise ValueError(allowed) from None


# fields whose values hold commas in links of scenes
_OWN_TEXTS: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    "network.hidden": (_hidden, lambda units: "-".join(map(str, units)) or "none"),
    "network.features": (lambda text: tuple(text.split("+")), "+".join),
}


def read_value(path: str, text: str) -> Any:
    """Return the value of an axis that a text stands for.

    Parameters
    ----------
    path : str
        Path of the axis, such as ``"network.hidden"``.
    text : str
        As in a link of a scene, with three exceptions: hidden layers are ``"8-8"``, or ``"none"``
        for a linear model, and inputs ``"x1+x2"``.

    Returns
    -------
    int, float, str, bool, tuple or None

    Raises
    ------
    ValueError
        If the text is not of the type of the axis. Its message begins with "must be".
    """
    read, _ = _OWN_TEXTS.get(path) or field_texts(path)
    return read(text)


def axis_text(path: str, values: Iterable[Any]) -> str:
    """Return an axis as text: ``"network.hidden=2,8-8"``."""
    _, write = _OWN_TEXTS.get(path) or field_texts(path)
    return f"{path}={','.join(map(write, values))}"


def axes_text(vary: Iterable[tuple[str, Iterable[Any]]]) -> str:
    """Return the axes of a study as text: ``"network.hidden=2,8-8;data.noise=0.1,0.3"``."""
    return _AXES_BETWEEN.join(axis_text(path, values) for path, values in vary)


def split_axes(text: str) -> list[tuple[str, list[str]]]:
    """Return path and texts of the values of each axis in a text of `axes_text`."""
    axes = []
    for part in text.split(_AXES_BETWEEN) if text else ():
        path, _, values = part.partition("=")
        axes.append((path.strip(), [value.strip() for value in values.split(",")]))
    return axes


def read_axis(base: Any, text: str) -> tuple[str, tuple[Any, ...]]:
    """Return path and values of an axis in a text of `axis_text`.

    Parameters
    ----------
    base : Experiment
        The experiment whose fields vary.
    text : str

    Raises
    ------
    ValueError
        If the path is no field that can vary, or a value is not of its type.
    """
    path, equals, rest = text.partition("=")
    choice("PATH", path, paths_of(base))
    if not equals or not rest:
        raise invalid(path, f"values with commas between, as {path}=V,V", Unquoted("none"))
    values = []
    for value in rest.split(","):
        try:
            values.append(read_value(path, value))
        except ValueError as error:
            raise ValueError(f"{path} {error}, got {value!r}") from error
    return path, tuple(values)


def strengths_text(strengths: Any) -> str:
    """Return the strengths of a study as text: ``"grid"``, ``"3"`` or ``"l2=0.001,0.01,l1=1"``."""
    if not isinstance(strengths, tuple):
        return str(strengths)
    return ",".join(
        f"{key}={','.join(repr(number).removesuffix('.0') for number in numbers)}"
        for key, numbers in strengths
    )


def read_strengths(text: str) -> Any:
    """Return the strengths of a study that a text of `strengths_text` stands for.

    Raises
    ------
    ValueError
        If the text is not of this form. Its message begins with "must be".
    """
    if text == "grid":
        return text
    if text.isdecimal():
        return int(text[:9])
    found: dict[str, list[float]] = {}
    key = ""
    for part in text.split(",") if text else ():
        name, equals, number = part.rpartition("=")
        key = name.strip() if equals else key
        try:
            found.setdefault(key, []).append(float(number))
        except ValueError:
            key = ""
        if key not in METHODS:
            allowed = "grid, a number of strengths, or strengths by method as l2=0.001,0.01,l1=0.01"
            raise ValueError(f"must be {allowed}")
    return {key: tuple(numbers) for key, numbers in found.items()}


def seeds_text(seeds: Sequence[int]) -> str:
    """Return seeds as text: ``"20"`` for 0 to 19, ``"5-24"`` for 5 to 24, or ``"3,5,8"``."""
    first, end = seeds[0], seeds[0] + len(seeds)
    if tuple(seeds) == tuple(range(first, end)):
        return f"{first}-{end - 1}" if first else str(end)
    return ",".join(map(str, seeds))


def read_seeds(text: str, least: int = 1) -> tuple[int, ...]:
    """Return the seeds that a text of `seeds_text` stands for.

    Parameters
    ----------
    text : str
    least : int
        Smallest number of seeds that is allowed.

    Raises
    ------
    ValueError
        If the text is not of this form, or there are more than `MAX_SEEDS`. Its message begins
        with "must be".
    """
    allowed = f"a number of seeds from {least} to {MAX_SEEDS}, or seeds such as 5-24 or 3,5,8"
    wrong = ValueError(f"must be {allowed}")
    low, hyphen, high = text.partition("-")
    parts = [low, high] if hyphen else text.split(",")
    if not all(part.isdecimal() and len(part) < 11 for part in parts):
        raise wrong
    numbers = tuple(map(int, parts))
    if hyphen or len(numbers) == 1:
        first, last = numbers if hyphen else (0, numbers[0] - 1)
        if not least <= last - first + 1 <= MAX_SEEDS:
            raise wrong
        numbers = tuple(range(first, last + 1))
    if not least <= len(numbers) <= MAX_SEEDS or max(numbers) > MAX_SEED:
        raise wrong
    return numbers
