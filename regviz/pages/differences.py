"""Differences between the settings of two scenes, in the words of the page's controls."""

from collections.abc import Callable, Iterator

from regviz.data.datasets import n_train_of
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import dataset_label, label
from regviz.pages.controls import ACTIVATION_LABELS, FEATURE_LABELS, OPTIMIZER_LABELS
from regviz.scenes.link import settings
from regviz.scenes.scene import Scene
from regviz.spec.experiment import Phase
from regviz.spec.points import PointsSpec

_SPLIT = ("n_samples", "train_fraction", "validation_fraction")
_OWN_POINTS = "points"  # in place of the settings of a toy dataset


def _units(scene: Scene) -> str:
    """Return the units of the hidden layers: a number if they are equal, else a list."""
    hidden = scene.network.hidden
    return str(hidden[0]) if len(set(hidden)) == 1 else ", ".join(map(str, hidden)) or "no"


# Text around the pinned value, and the value, by parameter of a link. Other parameters are named as
# in links.
_WORDS: dict[str, tuple[str, Callable[[Scene], str]]] = {
    "data": ("{}", lambda scene: dataset_label(scene.data)),
    "noise": ("noise {}", lambda scene: f"{getattr(scene.data, 'noise', 0):g}"),
    "label_noise": (
        "{} wrong labels",
        lambda scene: f"{100 * getattr(scene.data, 'label_noise', 0):g} %",
    ),
    "standardize": ("{}", lambda scene: "standardized" if scene.data.standardize else "raw"),
    "affine": ("gain and shift {}", lambda scene: "on" if scene.network.affine else "off"),
    "activation": ("{}", lambda scene: ACTIVATION_LABELS[scene.network.activation]),
    "features": (
        "inputs {}",
        lambda scene: ", ".join(FEATURE_LABELS[name] for name in scene.network.features),
    ),
    "optimizer": ("{}", lambda scene: OPTIMIZER_LABELS[scene.training.optimizer]),
    "epochs": ("{} epochs", lambda scene: f"{scene.training.epochs:,}"),
}


def differences(pin: Scene, now: Scene) -> list[str]:
    """Return a phrase for each setting in which a pinned scene differs from the present one.

    Phrases are in the order data, network, training, line-up, strengths, epoch. Strengths that
    neither scene names are chosen by the page for its settings, and are no difference.

    Parameters
    ----------
    pin : Scene
    now : Scene
        The scene with the present view.

    Returns
    -------
    list of str
        Such as ``["32 units instead of 4", "learning rate 0.03 instead of 0.01"]``; empty if there
        is no difference.

    Examples
    --------
    >>> import regviz
    >>> differences(Scene(regviz.DataSpec("moons")), Scene(regviz.DataSpec("moons", noise=0.5)))
    ['noise 0.2 instead of 0.5']
    """
    return [*_of_settings(pin, now), *_of_strengths(pin, now), *_of_epoch(pin, now)]


def _of_settings(pin: Scene, now: Scene) -> Iterator[str]:
    ours, theirs = settings(pin), settings(now)
    own = [isinstance(scene.data, PointsSpec) for scene in (pin, now)]
    if own[0] != own[1]:
        yield f"{dataset_label(pin.data)} instead of {dataset_label(now.data)}"
    elif own[0] and getattr(pin.data, _OWN_POINTS) != getattr(now.data, _OWN_POINTS):
        yield "other points of your own"
    differing = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    if n_train_of(pin.data) != n_train_of(now.data):
        yield f"{n_train_of(pin.data)} training points instead of {n_train_of(now.data)}"
        differing = [name for name in differing if name not in _SPLIT]
    if "seed" in differing and all(scene.training.seed == scene.data.seed for scene in (pin, now)):
        differing.remove("training_seed")
    for name in differing:
        if name == "hidden":
            yield from _of_layers(pin, now)
        elif name == "phases":
            yield _of_phases(pin, now)
        elif name == "methods":
            yield from _of_line_up(pin, now)
        elif name == "early_stopping":
            yield f"with{'' if pin.early_stopping else 'out'} early stopping"
        elif name == "corrected":
            yield f"{'corrected' if pin.corrected else 'naive'} elastic net"
        elif name in _WORDS:
            text, value = _WORDS[name]
            yield f"{text.format(value(pin))} instead of {value(now)}"
        else:
            yield f"{name.replace('_', ' ')} {ours[name]} instead of {theirs[name]}"


def _of_layers(pin: Scene, now: Scene) -> Iterator[str]:
    ours, theirs = len(pin.network.hidden), len(now.network.hidden)
    if ours != theirs:
        yield f"{ours or 'no'} hidden layer{'s' * (ours != 1)} instead of {theirs or 'none'}"
    if ours and theirs and _units(pin) != _units(now):
        yield f"{_units(pin)} units instead of {_units(now)}"


def _of_phases(pin: Scene, now: Scene) -> str:
    ours, theirs = (", ".join(map(_phase, scene.phases)) for scene in (pin, now))
    if ours and theirs:
        return f"{ours} instead of {theirs}"
    return f"with {ours}" if ours else f"without {theirs}"


def _phase(phase: Phase) -> str:
    """Return the words for a phase, such as ``"L1 λ₁ = 0.01 until epoch 200"``."""
    rate = "" if phase.learning_rate is None else f" and learning rate {phase.learning_rate:g}"
    return f"{label(phase.regularization).text}{rate} until epoch {phase.until}"


def _of_line_up(pin: Scene, now: Scene) -> Iterator[str]:
    for word, more, less in (("with", pin, now), ("without", now, pin)):
        names = [METHODS[key].label for key in more.methods if key not in less.methods]
        if names:
            yield f"{word} {', '.join(names)}"


def _of_strengths(pin: Scene, now: Scene) -> Iterator[str]:
    shown = [_shown_strengths(scene) for scene in (pin, now)]
    for key, ours in shown[0].items():
        theirs = shown[1].get(key, ours)
        named = any(
            key in dict(numbers) for s in (pin, now) for numbers in (s.strengths, s.variants)
        )
        if named and ours != theirs:
            method = METHODS[key]
            value = method.text(*theirs).removeprefix(method.symbol).removeprefix(" =").strip()
            yield f"{method.label} {method.text(*ours)} instead of {value}"


def _shown_strengths(scene: Scene) -> dict[str, tuple[float, float | None]]:
    """Return strength and variant that the page shows for each method with several strengths."""
    grid = scene.grid()
    variants = dict(
        zip(grid.methods, grid.variant_indices(scene.variant_indices(grid)), strict=True)
    )
    indices = grid.strength_indices(scene.strength_indices(grid), variants)
    shown = {}
    for (key, networks), index in zip(grid.networks_by_method(variants), indices, strict=True):
        if len(networks) > 1:
            values = grid.values(key)
            value = values[variants[key]] if values else None
            shown[key] = (grid.strengths(key, variants[key])[index], value)
    return shown


def _of_epoch(pin: Scene, now: Scene) -> Iterator[str]:
    ours, theirs = (s.training.epochs if s.epoch is None else s.epoch for s in (pin, now))
    if ours != theirs and (pin.epoch, now.epoch) != (None, None):
        yield f"epoch {ours:,} instead of {theirs:,}"
