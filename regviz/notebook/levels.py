"""Levels of a board's cards: the strengths that they offer, and checks of given ones."""

from collections.abc import Mapping
from numbers import Real
from types import MappingProxyType
from typing import Any

from regviz.scenes.cards import Card
from regviz.spec.validation import choice, invalid, one_of

Level = float | tuple[float, float]
Levels = Mapping[str, Level]

# relative: a strength is shown with three digits
TOLERANCE = 0.01


def has_level(card: Card) -> bool:
    """Return whether the networks of a card have a strength."""
    return not card["early_stopped"] and card["variants"][0]["strengths"][0] != ""


def offered_levels(card: Card) -> tuple[Level, ...]:
    """Return the levels of a card, from weak to strong, and by the value of the second slider."""
    return tuple(
        _level(card, strength, variant["value"])
        for variant in card["variants"]
        for strength in variant["values"]
    )


def initial_level(card: Card) -> Level:
    """Return the level that a card shows at first."""
    variant = card["variants"][card["variant_index"]]
    return _level(card, variant["values"][card["strength_index"]], variant["value"])


def network_at(card: Card, levels: Levels) -> int:
    """Return the index of the network that a card shows."""
    if not has_level(card):
        return int(card["variants"][0]["networks"][0])
    level = levels[card["key"]]
    strength, value = level if isinstance(level, tuple) else (level, None)
    variant = next(each for each in card["variants"] if value in (None, each["value"]))
    return int(variant["networks"][variant["values"].index(strength)])


def checked_levels(cards: list[Card], levels: Levels, given: Any) -> Levels:
    """Return levels of all cards that have one.

    Parameters
    ----------
    cards : list of Card
    levels : mapping of str to Level
        The levels of cards that are not given.
    given : mapping of str to Level
        For a card with two sliders a number is its strength, and the value of the second slider
        stays.

    Raises
    ------
    ValueError
        If ``given`` has another card, or a level that is not offered.
    """
    adjustable = {card["key"]: card for card in cards if has_level(card)}
    if not isinstance(given, Mapping):
        raise invalid("levels", "a mapping from cards to strengths", given)
    if given and not adjustable:
        raise invalid("levels", "empty, as no card has a strength", given)
    for key in given:
        choice("each key of levels", key, adjustable)
    return MappingProxyType(
        {
            key: _checked(card, levels[key], given[key]) if key in given else levels[key]
            for key, card in adjustable.items()
        }
    )


def _level(card: Card, strength: float, value: float | None) -> Level:
    return strength if card["second"] is None or value is None else (strength, value)


def _checked(card: Card, now: Level, given: Any) -> Level:
    """Return the offered level of a card that is nearest to a given one."""
    name = f"levels[{card['key']!r}]"
    variant = card["variants"][0]
    if isinstance(now, tuple):
        # JSON has lists
        pair = given if isinstance(given, tuple | list) and len(given) == 2 else (given, now[1])
        values = [each["value"] for each in card["variants"]]
        value = _nearest(f"{name}[1]", values, pair[1])
        variant, given = card["variants"][values.index(value)], pair[0]
    return _level(card, _nearest(name, variant["values"], given), variant["value"])


def _nearest(name: str, offered: list[float], given: Any) -> float:
    """Return the offered number that a given one is, up to `TOLERANCE`."""
    if isinstance(given, Real) and not isinstance(given, bool):
        nearest = min(offered, key=lambda one: abs(one - float(given)))
        if abs(nearest - float(given)) <= TOLERANCE * abs(nearest):
            return nearest
    raise invalid(name, one_of(f"{one:.6g}" for one in offered), given)
