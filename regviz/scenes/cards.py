"""Cards of the board: groups of networks that differ in their strength, with labels and colours.

A card is an entry of a message's header (`regviz.scenes.encoding`), with the networks of a method
at all variants and strengths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from regviz.methods import catalogue
from regviz.methods.catalogue import METHODS, descends, method_of
from regviz.methods.labels import parts_of
from regviz.methods.strengths import N_STRENGTHS
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import (
    Experiment,
    Regularization,
    why_not_corrected,
    without_hidden_units,
)

Card = Mapping[str, Any]


@lru_cache(maxsize=64)
def grid_cards(grid: StrengthGrid, rows: tuple[int, ...]) -> list[Card]:
    """Return the cards of a grid, one for each method, and one for early stopping.

    Parameters
    ----------
    grid : StrengthGrid
    rows : tuple of int
        Index of the network to show at first for each method, in the order of ``grid.methods``.
    """
    names = {key: METHODS[key].label for key in grid.methods}
    if grid.experiment.training.optimizer == "adamw":
        names["l2"] = "Weight decay"
    cards: list[Card] = []
    standards = zip(grid.strength_indices({}), grid.variant_indices({}), strict=True)
    for key, row, (standard, standard_variant) in zip(grid.methods, rows, standards, strict=True):
        method, (variant_index, strength_index) = METHODS[key], grid.position(key, row)
        second = method.variants
        cards.append(
            {
                "key": key,
                "label": names[key],
                "about": method.about + (_of_correction(grid) if key == "elastic_net" else ""),
                "colour": method.colour,
                "second": second
                and {
                    "parameter": method.variants_parameter,
                    "label": second.label,
                    "about": second.about,
                },
                "corrected": _is_corrected(grid) if key == "elastic_net" else None,
                "variants": [
                    _variant(grid, key, index)
                    for index in range(len(dict(grid.networks_by_variant)[key]))
                ],
                "standard": standard,
                "standard_variant": standard_variant,
                "strength_index": strength_index,
                "variant_index": variant_index,
                "early_stopped": False,
            }
        )
    if grid.early_stopping:
        none = next(card for card in cards if card["key"] == "none")
        cards.append(_early_stopped(none))
    return cards


def _early_stopped(none: Card) -> Card:
    """Return the card of early stopping, from that of the networks without regularization."""
    return {
        **none,
        "key": catalogue.EARLY_STOPPING,
        "label": "Early stopping",
        "about": catalogue.ABOUT_EARLY_STOPPING,
        "colour": catalogue.colour(catalogue.EARLY_STOPPING),
        "early_stopped": True,
    }


def _of_correction(grid: StrengthGrid) -> str:
    """Return a sentence on the corrected elastic net: whether it is shown, or why it cannot be."""
    run = grid.experiment
    lack = why_not_corrected(run.data.task, run.network, run.training)
    if lack:
        return f" The corrected elastic net is not defined here: it needs that {lack}."
    if _is_corrected(grid):
        return " Here it is the corrected one: its weights are 1 + λ₂ times those of the naive one."
    return " Here it is the naive one; the weights of the corrected one are 1 + λ₂ times as large."


def _is_corrected(grid: StrengthGrid) -> bool | None:
    """Return whether elastic net is the corrected one; None where that is not defined."""
    run = grid.experiment
    if why_not_corrected(run.data.task, run.network, run.training):
        return None
    return any(row.corrected for row in run.regularizations)


def _variant(grid: StrengthGrid, key: str, index: int) -> dict[str, Any]:
    """Return the entry of one variant of a method, with lists over its strengths."""
    method = METHODS[key]
    networks = dict(grid.networks_by_variant)[key][index]
    values, strengths = grid.values(key), grid.strengths(key, index)
    return {
        "value": values[index] if values else None,
        "text": method.variants.text(values[index]) if method.variants else "",
        "networks": networks,
        "strengths": [method.text(strength) for strength in strengths],
        "values": strengths,
        **_lists(grid.experiment, networks),
    }


def _lists(experiment: Experiment, networks: Sequence[int]) -> dict[str, Any]:
    """Return the entries of a variant that depend on its regularizations alone."""
    rows = [experiment.regularizations[k] for k in networks]
    hidden = bool(experiment.network.hidden)
    return {
        "drop_rates": [row.drop_rate for row in rows],
        "idle": [_is_idle(row, hidden) for row in rows],
    }


def _is_idle(regularization: Regularization, hidden: bool) -> bool:
    """Return whether a regularization has no effect, as it acts on hidden units and there are none.

    The unregularized network is not idle.
    """
    rest = without_hidden_units(regularization)
    return not hidden and rest == Regularization() != regularization


class _Network(NamedTuple):
    """A network's place: its card, and its numbers there.

    Attributes
    ----------
    card : tuple
        Equal for the networks of one card.
    k : int
        Index of the network.
    numbers, texts : tuple
        A number for each parameter that networks of the card may differ in, and its text.
    """

    card: tuple[Any, ...]
    k: int
    numbers: tuple[float, ...]
    texts: tuple[str, ...]


def history_cards(experiment: Experiment, early_stopping: bool = True) -> list[Card]:
    """Return the cards of the networks of any experiment, in the order of their first networks.

    Networks of one method are one card. Those that combine parts of several methods are one card
    for each combination, such as L2 with dropout. Networks that start later, or are corrected, have
    cards of their own. Networks with equal regularizations are equal; the first of them is shown.

    Parameters
    ----------
    experiment : Experiment
    early_stopping : bool
        Whether to add the card of early stopping, where there are validation points and a network
        without regularization.
    """
    adamw = experiment.training.optimizer == "adamw"
    by_card: dict[tuple[Any, ...], list[_Network]] = {}
    for k, row in enumerate(experiment.regularizations):
        network = _network(replace(row, decoupled=False) if adamw else row, k)
        by_card.setdefault(network.card, []).append(network)
    cards: list[Card] = []
    for networks in by_card.values():
        card = _history_card(experiment, networks)
        taken = [other["colour"] for other in cards]
        if card["colour"] in taken:
            free = (method.colour for method in METHODS.values() if method.colour not in taken)
            card = {**card, "colour": next(free, card["colour"])}
        cards.append(card)
    none = next((card for card in cards if card["key"] == "none"), None)
    data = experiment.data
    n_validation = getattr(data, "n_validation", getattr(data, "validation_fraction", 0))
    if early_stopping and none is not None and n_validation > 0:
        cards.append(_early_stopped(none))
    return cards


def _network(row: Regularization, k: int) -> _Network:
    """Return the place of a network."""
    key = method_of(row)
    if key == "none":
        return _Network(("none", 0, False), k, (0.0,), ("",))
    if key is None:
        parts = parts_of(row)
        name = tuple((part.method, part.name) for part in parts)
        numbers = [(part.number, part.text) for part in parts]
        return _Network((name, row.onset, row.corrected), k, *_columns(numbers))
    method = METHODS[key]
    strength, value = method.strength(row), method.variant(row)
    numbers = [(strength, method.text(_shortened(strength)))]
    if method.variants is not None and value is not None:
        numbers.append((value, method.variants.text(_shortened(value))))
    return _Network((key, row.onset, row.corrected), k, *_columns(numbers))


def _columns(pairs: list[tuple[float, str]]) -> tuple[tuple[float, ...], tuple[str, ...]]:
    return tuple(number for number, _ in pairs), tuple(text for _, text in pairs)


def _history_card(experiment: Experiment, networks: Sequence[_Network]) -> Card:
    """Return the card of some networks with the same ``card``."""
    identity, onset, corrected = networks[0].card
    own = isinstance(identity, str)
    names = [identity] if own else [name for _, name in identity if name]
    key = "_".join(name.lower().replace(" ", "_").replace("-", "_") for name in names)
    method = METHODS[identity if own else identity[0][0]]
    # the slider of strengths has the parameter with the most numbers; a method's own is the first
    counts = [len(set(numbers)) for numbers in zip(*(n.numbers for n in networks), strict=True)]
    main = 0 if own else counts.index(max(counts))
    variants = _variants(experiment, networks, main, descending=own and descends(identity))
    label = method.label if own else _capital(" + ".join(names))
    if own and identity == "l2" and experiment.training.optimizer == "adamw":
        label = "Weight decay"
    about = method.about if own else f"{_capital(' and '.join(names))} together."
    second = None
    if len(variants) > 1 or (own and method.variants is not None):
        second = _second(identity, key, main)
    standard_variant = (len(variants) - 1) // 2
    n_strengths = len(variants[standard_variant]["networks"])
    whole = own and n_strengths == N_STRENGTHS  # all strengths that the page offers
    standard = min(method.default_index, n_strengths - 1) if whole else (n_strengths - 1) // 2
    return {
        "key": key + f"_from_{onset}" * bool(onset) + "_corrected" * corrected,
        "label": label + f" from epoch {onset}" * bool(onset) + ", corrected" * corrected,
        "about": about
        + f" It begins after epoch {onset}." * bool(onset)
        + " The weights are 1 + λ₂ times those of the naive one." * corrected,
        "colour": method.colour,
        "second": second,
        "corrected": None,
        "variants": variants,
        "standard": standard,
        "standard_variant": standard_variant,
        "strength_index": standard,
        "variant_index": standard_variant,
        "early_stopped": False,
    }


def _second(identity: Any, key: str, main: int) -> dict[str, Any]:
    """Return the entry of a card's second slider."""
    variants = METHODS[identity].variants if isinstance(identity, str) else None
    if variants is not None:
        parameter = METHODS[identity].variants_parameter
        return {"parameter": parameter, "label": variants.label, "about": variants.about}
    others = [part for i, part in enumerate(identity) if i != main]
    names = [name or _second_name(method) for method, name in others]
    label = _capital(" and ".join(names))
    return {"parameter": f"{key}_second", "label": label, "about": f"The strength of {label}."}


def _second_name(key: str) -> str:
    """Return the name of a method's second parameter."""
    variants = METHODS[key].variants
    return "" if variants is None else variants.label.lower()


def _variants(
    experiment: Experiment, networks: Sequence[_Network], main: int, descending: bool
) -> list[dict[str, Any]]:
    """Return the variants of a card in order, each with its strengths from weak to strong.

    Parameters
    ----------
    experiment : Experiment
    networks : sequence of _Network
    main : int
        Index of the number that is the strength. The others determine the variant.
    descending : bool
        Whether a smaller number is the stronger one.
    """
    by_variant: dict[tuple[float, ...], dict[float, _Network]] = {}
    for network in networks:
        numbers = [_shortened(number) for number in network.numbers]
        strength = numbers.pop(main)
        by_variant.setdefault(tuple(numbers), {}).setdefault(strength, network)
    variants = []
    for index, (others, by_strength) in enumerate(sorted(by_variant.items())):
        strengths = sorted(by_strength, reverse=descending)
        shown = [by_strength[strength] for strength in strengths]
        texts = [text for i, text in enumerate(shown[0].texts) if i != main]
        variants.append(
            {
                "value": (others[0] if len(others) == 1 else float(index)) if others else None,
                "text": ", ".join(texts),
                "networks": [network.k for network in shown],
                "strengths": [network.texts[main] for network in shown],
                "values": strengths,
                **_lists(experiment, [network.k for network in shown]),
            }
        )
    return variants


def _shortened(value: float) -> float:
    """Return a number without the rounding errors of sums and quotients of parameters."""
    return float(f"{value:.12g}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
