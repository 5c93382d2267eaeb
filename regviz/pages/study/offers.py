"""The axes that the page *Study* offers for a scene, with values that make sense for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from regviz.data.datasets import n_train_of
from regviz.pages.controls import (
    ACTIVATION_LABELS,
    BATCH_SIZES,
    EPOCHS,
    LEARNING_RATES,
    OPTIMIZER_LABELS,
)
from regviz.scenes.study_text import read_value
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import ACTIVATIONS, NORMALIZATIONS, OPTIMIZERS, Data, Experiment
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS
from regviz.studies.study import Study

N_LEARNING_RATES = 5  # of the offered ones around the scene's
SHARES = (0.05, 0.1, 0.2, 0.4, 0.8)
NOISES = (0.0, 0.1, 0.2, 0.3, 0.4)
WRONG_LABELS = (0.0, 0.05, 0.1, 0.2, 0.3)
WIDTHS, DEPTHS = (2, 4, 8, 16, 32), (1, 2, 3, 4)


@dataclass(frozen=True)
class Offer:
    """An axis that a visitor can choose.

    Attributes
    ----------
    key : str
        Its name in the session state.
    path : str
        Path of the field, as of `regviz.Study`.
    label : str
    values : tuple
        The values that are chosen at first.
    text : callable
        ``text(value)`` returns a value in words.
    read : callable
        ``read(text)`` returns the value that a visitor has typed. It raises ValueError.
    """

    key: str
    path: str
    label: str
    values: tuple[Any, ...]
    text: Callable[[Any], str]
    read: Callable[[str], Any]

    @property
    def name(self) -> str:
        """The label without its explanation: ``"Width"`` of ``"Width, of 3 layers"``."""
        return self.label.partition(" (")[0].partition(",")[0]


def offers(base: Experiment) -> dict[str, Offer]:
    """Return the axes for a base experiment by key; the first is that of the first study."""
    assert not isinstance(base.data, ArraysSpec)  # `Study` refuses arrays
    found = [*_of_data(base.data), *_of_network(base), *_of_training(base)]
    return {offer.key: offer for offer in found}


@lru_cache(maxsize=64)
def offers_of(study: Study) -> Mapping[str, Offer]:
    """Return the offer of each axis of a study, by its path; cached for the names of its cells."""
    return {path: offer_of(path, values, study.base) for path, values in study.vary}


def offer_of(path: str, values: tuple[Any, ...], base: Experiment) -> Offer:
    """Return the offer that a path and its values belong to, or one that is made for them."""
    for offer in offers(base).values():
        if offer.path == path and _fits(offer, values):
            return replace(offer, values=values)
    return _offer(path.replace(".", "_"), path, path.partition(".")[2].replace("_", " "), values)


def _fits(offer: Offer, values: tuple[Any, ...]) -> bool:
    """Return whether an offer's texts are read as the values again."""
    try:
        return all(offer.read(offer.text(value)) == value for value in values)
    except ValueError:
        return False


def _offer(
    key: str,
    path: str,
    label: str,
    values: tuple[Any, ...],
    text: Callable[[Any], str] | None = None,
    read: Callable[[str], Any] | None = None,
) -> Offer:
    return Offer(key, path, label, values, text or _text, read or (lambda t: read_value(path, t)))


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "none"
    if value is None:
        return "all"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of_data(data: Data) -> list[Offer]:
    points = n_train_of(data)
    shares = [share for share in SHARES if not isinstance(data, PointsSpec) or 0.1 < share < 0.8]
    share = _offer(
        "share",
        "data.train_fraction",
        f"Share for training (now {points} points)",
        tuple(sorted({*shares})),
        lambda value: f"{100 * value:g} %",
        _share,
    )
    if isinstance(data, PointsSpec):
        return [] if data.split else [share]
    noise = _offer("noise", "data.noise", "Noise", NOISES)
    wrong = _offer(
        "wrong",
        "data.label_noise",
        "Wrong labels",
        WRONG_LABELS,
        lambda value: f"{100 * value:g} %",
        _share,
    )
    found = [noise] * DATASETS[data.name].noisy + [share]
    return found + [wrong] * (data.task != "regression")


def _share(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError as error:
        raise ValueError(f"it must be a percentage such as 20 %, got {text!r}") from error


def _of_network(base: Experiment) -> list[Offer]:
    network = base.network
    depth, width = max(1, len(network.hidden)), max(network.hidden, default=8)
    plural = "s" * (depth > 1)
    return [
        _offer(
            "width",
            "network.hidden",
            f"Width, of {depth} layer{plural}",
            tuple((width,) * depth for width in WIDTHS),
            lambda value: str(value[0]) if value else "none",
            lambda text: (_whole(text),) * depth,
        ),
        _offer(
            "depth",
            "network.hidden",
            f"Depth, layers of {width}",
            tuple((width,) * layers for layers in DEPTHS),
            lambda value: str(len(value)),
            lambda text: (width,) * _whole(text),
        ),
        _offer("layers", "network.hidden", "Hidden layers", ((), (8,), (8, 8))),
        _offer(
            "activation",
            "network.activation",
            "Activation",
            tuple(key for key in ACTIVATIONS if key != "linear"),
            ACTIVATION_LABELS.__getitem__,
            _reader(ACTIVATION_LABELS),
        ),
        _offer("normalization", "network.normalization", "Normalization", NORMALIZATIONS),
    ]


def _of_training(base: Experiment) -> list[Offer]:
    rate, n_train = base.training.learning_rate, n_train_of(base.data)
    rates = sorted({*LEARNING_RATES, rate})
    first = max(0, min(rates.index(rate) - N_LEARNING_RATES // 2, len(rates) - N_LEARNING_RATES))
    batches = tuple(size for size in BATCH_SIZES if 1 < size <= n_train)
    return [
        _offer(
            "learning_rate",
            "training.learning_rate",
            "Learning rate",
            tuple(rates[first : first + N_LEARNING_RATES]),
        ),
        _offer(
            "optimizer",
            "training.optimizer",
            "Optimizer",
            OPTIMIZERS,
            OPTIMIZER_LABELS.__getitem__,
            _reader(OPTIMIZER_LABELS),
        ),
        _offer("batch_size", "training.batch_size", "Batch size", (*batches, None)),
        _offer("epochs", "training.epochs", "Epochs", EPOCHS[1:]),
    ]


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError(f"it must be a whole number, got {text!r}") from error


def _reader(labels: dict[str, str]) -> Callable[[str], str]:
    keys = {label: key for key, label in labels.items()} | {key: key for key in labels}

    def read(text: str) -> str:
        if text not in keys:
            raise ValueError(f"it must be one of {', '.join(labels.values())}, got {text!r}")
        return keys[text]

    return read
