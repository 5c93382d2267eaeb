"""The state of the page as a value, which links and files store."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from regviz.data.datasets import n_train_of
from regviz.engine.training import recorded_epochs
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.methods.labels import label
from regviz.methods.strengths import DEFAULT_STRENGTH_INDEX
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import (
    MAX_EPOCHS,
    PARTS,
    Data,
    DataSpec,
    Experiment,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
    build,
    checked_phases,
    mapping,
    phases_from,
    read_json,
    why_not_corrected,
)
from regviz.spec.validation import boolean, choice, integer, invalid

FILE_VERSION = 2
GROUPS = ("data", "network", "training", "line_up", "claims", "share", "understand")
MAX_PINS = 4


@dataclass(frozen=True)
class Scene:
    """An experiment with all offered strengths of some methods, and the view of its recording.

    Parameters
    ----------
    data : DataSpec or PointsSpec
    network : NetworkSpec
    training : TrainingSpec
    methods : sequence of str
        Keys of `regviz.methods.catalogue.METHODS`; stored in the order of the catalogue.
        By default, the line-up of the opening page, `regviz.scenes.showcase.LINE_UP`.
    early_stopping : bool
        Whether to show the result of early stopping for the unregularized network as well.
    phases : sequence of Phase
        First parts of the training, as of `regviz.Experiment`: in them all networks are the same.
    focus : str or None
        Key of the method, or ``"early_stopping"``, that is shown large; None for the default of
        the page.
    strengths : mapping of str to float
        Strengths to show by method: λ, dropout rate or max-norm radius. The page shows the nearest
        offered strength, and the initial one for methods that are not given.
    variants : mapping of str to float
        Values of the second parameter to show by method: elastic net's share of L1, or the dropout
        rate beside max-norm. The page shows the nearest offered value, and the initial one for
        methods that are not given.
    epoch : int or None
        The epoch to show; None is the last.
    plane : (int, int) or None
        Two columns of a table, numbered from 1, in whose plane the page shows the networks. None
        shows the weights of the inputs. Always None of data with two columns.
    hide : sequence of str
        Groups of controls that the page does not show, among ``"data"``, ``"network"``,
        ``"training"``, ``"line_up"``, ``"claims"``, ``"share"`` and ``"understand"``.
    pins : sequence of Scene
        Runs to show small beside this one, at most `MAX_PINS`. They have no pins, and their
        ``hide`` is set to ``()``.
    corrected : bool
        Whether elastic net is the corrected one, where it is defined: in linear regression without
        AdamW. Elsewhere it has no effect, and neither has the correction in `phases`.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> import regviz
    >>> scene = regviz.Scene(regviz.DataSpec("moons"), focus="l1", strengths={"l1": 0.003})
    >>> scene.methods
    ('none', 'l1', 'l2', 'elastic_net', 'dropout', 'max_norm')
    >>> len(scene.grid().experiment.regularizations)
    109
    >>> regviz.Scene.from_json(scene.to_json()) == scene
    True
    >>> scene.with_epochs(100).training.epochs
    100

    The scene of an experiment, and the networks that the page does not offer:

    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.0042))
    >>> experiment = regviz.Experiment(regularizations=rows)
    >>> scene = regviz.Scene.of(experiment)
    >>> scene.missing(experiment)
    ['The page does not offer L1 λ₁ = 0.0042: the nearest that it has are shown.']
    """

    data: Data = SHOWCASE.data  # type: ignore[assignment] # a toy dataset
    network: NetworkSpec = SHOWCASE.network
    training: TrainingSpec = SHOWCASE.training
    methods: tuple[str, ...] = LINE_UP
    early_stopping: bool = True
    phases: tuple[Phase, ...] = ()
    focus: str | None = None
    strengths: tuple[tuple[str, float], ...] = ()
    variants: tuple[tuple[str, float], ...] = ()
    epoch: int | None = None
    plane: tuple[int, int] | None = None
    hide: tuple[str, ...] = ()
    pins: "tuple[Scene, ...]" = ()
    corrected: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.data, ArraysSpec):
            raise invalid("data", "a DataSpec or a PointsSpec, which a link can hold", self.data)
        # the constructor of Experiment checks the three parts, and then the phases
        Experiment(self.data, self.network, self.training)
        object.__setattr__(self, "phases", checked_phases(self.phases, self.training.epochs))
        Experiment(self.data, self.network, self.training, phases=self._trained_phases())
        if self.network.batch_normalized and n_train_of(self.data) < 2:
            allowed = "none or layer, as there is one training point"
            raise invalid("normalization", allowed, self.network.normalization)
        object.__setattr__(self, "methods", _names("methods", self.methods, tuple(METHODS)))
        if not self.methods:
            raise invalid("methods", "at least one of " + ", ".join(METHODS), self.methods)
        object.__setattr__(self, "hide", _names("hide", self.hide, GROUPS))
        boolean("early_stopping", self.early_stopping)
        boolean("corrected", self.corrected)
        last = self.training.epochs
        if self.focus is not None:
            held = self.early_stopping and "none" in self.methods
            choice("focus", self.focus, (*self.methods, *[EARLY_STOPPING] * held))
        if self.epoch is not None:
            object.__setattr__(self, "epoch", integer("epoch", self.epoch, 0, last))
        object.__setattr__(self, "plane", self._checked_plane())
        self._check_numbers()
        object.__setattr__(self, "pins", _pins(self.pins))

    def _checked_plane(self) -> tuple[int, int] | None:
        if self.plane is None:
            return None
        n = self.data.n_columns
        pair = self.plane
        if n == 2:
            raise invalid("plane", "None for data with two columns", pair)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or len({*map(str, pair)}) < 2:
            raise invalid("plane", "the numbers of two columns", pair)
        return (integer("plane[0]", pair[0], 1, n), integer("plane[1]", pair[1], 1, n))

    def _check_numbers(self) -> None:
        """Convert `strengths` and `variants` to pairs of method and number, ordered by method.

        Raises
        ------
        ValueError
            If a method is unknown or has no second parameter, or `Regularization` does not accept a
            number.
        """
        parts = self.data, self.network, self.training
        pairs = _pairs("variants", self.variants, [k for k, m in METHODS.items() if m.variants])
        for key, value in pairs:
            method = METHODS[key]
            method.regularization(method.offered(*parts, method.values(*parts)[0])[0], value)
        values = dict(pairs)
        object.__setattr__(self, "variants", tuple((k, float(value)) for k, value in pairs))
        pairs = _pairs("strengths", self.strengths, [key for key in METHODS if key != "none"])
        for key, strength in pairs:
            method = METHODS[key]
            method.regularization(strength, values.get(key, method.values(*parts)[0]))
        object.__setattr__(self, "strengths", tuple((k, float(value)) for k, value in pairs))

    def grid(self) -> StrengthGrid:
        """Return the grid of all strengths, with the batch size limited to the training points.

        Returns
        -------
        StrengthGrid
        """
        training = self.training
        if training.batch_size is not None:
            most = n_train_of(self.data)
            training = replace(training, batch_size=min(training.batch_size, most))
        return StrengthGrid.of(
            self.methods,
            self.data,
            self.network,
            training,
            self._trained_phases(),
            self.early_stopping,
            self.corrected and self._can_be_corrected(),
        )

    def _can_be_corrected(self) -> bool:
        return why_not_corrected(self.data.task, self.network, self.training) is None

    def _trained_phases(self) -> tuple[Phase, ...]:
        """Return `phases`, without the correction of elastic net where it is not defined."""
        if self._can_be_corrected():
            return self.phases
        rows = [replace(phase.regularization, corrected=False) for phase in self.phases]
        pairs = zip(self.phases, rows, strict=True)
        return tuple(replace(phase, regularization=row) for phase, row in pairs)

    def with_epochs(self, epochs: int) -> "Scene":
        """Return the scene with another number of epochs, which limits ``phases`` and ``epoch``.

        The learning rate is that of the first phase that does not end within the epochs.

        Parameters
        ----------
        epochs : int
            Number of epochs of the training.

        Returns
        -------
        Scene
        """
        rates = [phase.learning_rate for phase in self.phases if phase.until >= epochs]
        rate = rates[0] if rates and rates[0] is not None else self.training.learning_rate
        return replace(
            self,
            training=replace(self.training, epochs=epochs, learning_rate=rate),
            phases=tuple(phase for phase in self.phases if phase.until < epochs),
            epoch=None if self.epoch is None else min(self.epoch, epochs),
        )

    def strength_indices(self, grid: StrengthGrid) -> dict[str, int]:
        """Return the index in ``grid`` of the offered strength nearest to each of `strengths`.

        Strengths on offer are those of the variant that is shown.
        """
        variant_indices = self.variant_indices(grid)
        networks_by_method = dict(grid.networks_by_method(variant_indices))
        return {
            key: _nearest(grid.strengths(key, variant_indices.get(key)), strength)
            for key, strength in self.strengths
            if len(networks_by_method.get(key, ())) > 1
        }

    def variant_indices(self, grid: StrengthGrid) -> dict[str, int]:
        """Return the index in ``grid`` of the offered value nearest to each of `variants`."""
        return {
            key: _nearest(grid.values(key), value)
            for key, value in self.variants
            if key in grid.methods
        }

    def rows(self, grid: StrengthGrid) -> list[int]:
        """Return the index of the network of ``grid`` that each method shows."""
        return grid.rows(self.strength_indices(grid), self.variant_indices(grid))

    def approximations(self, grid: StrengthGrid) -> list[str]:
        """Return a sentence for each of `strengths`, and for `epoch`, that ``grid`` lacks."""
        strength_indices, variant_indices = self.strength_indices(grid), self.variant_indices(grid)
        sentences = []
        recorded = recorded_epochs(grid.experiment.training)
        if self.epoch is not None and self.epoch not in recorded:
            before = max(epoch for epoch in recorded if epoch < self.epoch)
            sentences.append(f"Epoch {self.epoch} is not recorded: epoch {before} is shown.")
        for key, strength in self.strengths:
            if key in strength_indices:
                nearest = grid.strengths(key, variant_indices.get(key))[strength_indices[key]]
                sentences += _approximation(METHODS[key].label, strength, nearest)
        for key, value in self.variants:
            if key in variant_indices:
                variants = METHODS[key].variants
                assert variants is not None
                name = f"{variants.label} of {METHODS[key].label}"
                nearest = grid.values(key)[variant_indices[key]]
                sentences += _approximation(name, value, nearest)
        return sentences

    def to_json(self) -> str:
        """Return the scene as JSON text, from which `from_json` builds an equal one.

        Returns
        -------
        str
        """
        content = _content(self)
        if self.pins:
            content["pins"] = [_content(pin) for pin in self.pins]
        return json.dumps({"regviz": FILE_VERSION} | content, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build a scene from the text of `to_json` or `regviz.Experiment.to_json`.

        Missing parameters take the defaults of the file's version (`DEFAULTS`), including those of
        data, network and training; in the text of an experiment, the defaults of
        `regviz.Experiment`. An experiment is converted by `of`.

        Parameters
        ----------
        text : str
            JSON text.

        Returns
        -------
        Scene

        Raises
        ------
        ValueError
            If the text is not JSON, names no parameter or an unknown one, or holds a value out of
            range.
        """
        content = read_json("file", text)
        if isinstance(content, dict) and "regularizations" in content:
            return cls.of(Experiment.from_json(text))
        allowed = [field.name for field in dataclasses.fields(cls)]
        content = dict(mapping("file", content, ["regviz", "onset", *allowed]))
        if not content:  # of any program, rather than an experiment with all defaults
            names = ", ".join(["regviz", *allowed])
            raise invalid("file", f"an object with one or more of {names}", content)
        version = integer("regviz", content.pop("regviz", FILE_VERSION), 1, FILE_VERSION)
        pins = content.pop("pins", [])
        if not isinstance(pins, list):
            raise invalid("pins", "a list of scenes", pins)
        scene = cls._of_content("file", content, version)
        return replace(
            scene,
            pins=tuple(
                cls._of_content(f"pins[{i}]", pin, version)
                for i, pin in enumerate(pins[: MAX_PINS + 1])
            ),
        )

    @classmethod
    def _of_content(cls, name: str, content: Any, version: int) -> Self:
        """Build a scene without pins from the parameters in a file of a version."""
        allowed = [field.name for field in dataclasses.fields(cls) if field.name != "pins"]
        content = dict(mapping(name, content, ["onset", *allowed]))
        default = DEFAULTS[version]
        if "phases" in content:
            content["phases"] = phases_from(content["phases"])
        if "onset" in content:  # of version 1
            content["phases"] = phases_of_onset(content.pop("onset"))
        for name, kinds in PARTS.items():
            given = content.get(name)
            if isinstance(given, dict) and "points" not in given:
                given = dataclasses.asdict(getattr(default, name)) | given
            if name in content:
                content[name] = build(name, kinds, given)
        scene = cls(**{name: getattr(default, name) for name in allowed} | content)
        return scene.as_shown_in(version)

    def as_shown_in(self, version: int) -> Self:
        """Return the scene with the strengths that links and files of a version leave out.

        Version 1 showed elastic net at `DEFAULT_STRENGTH_INDEX`, as L1 and L2.
        """
        given = dict(self.strengths)
        if version > 1 or "elastic_net" not in self.methods or "elastic_net" in given:
            return self
        strength = self.grid().strengths("elastic_net")[DEFAULT_STRENGTH_INDEX]
        return replace(self, strengths=tuple((given | {"elastic_net": strength}).items()))

    def missing(self, experiment: Experiment) -> list[str]:
        """Return a sentence about the networks of ``experiment`` that the page does not offer.

        The list is empty if it offers all of them.

        Parameters
        ----------
        experiment : Experiment

        Returns
        -------
        list of str
        """
        offered = set(self.grid().experiment.regularizations)
        if not experiment.phases:
            # `of` turns the latest onset into a phase of all networks
            onset = self.phases[-1].until if self.phases else 0
            offered = {replace(row, onset=onset) for row in offered} | {Regularization()}
        absent = [label(row).text for row in experiment.regularizations if row not in offered]
        if not absent:
            return []
        names = ", ".join(absent[:3]) + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
        return [f"The page does not offer {names}: the nearest that it has are shown."]

    @classmethod
    def of(cls, experiment: Experiment) -> Self:
        """Return the scene nearest to an experiment with any regularizations.

        Its methods are those of the experiment's networks, each at the strength of its first
        network.

        Parameters
        ----------
        experiment : Experiment

        Returns
        -------
        Scene
        """
        rows = [replace(row, onset=0) for row in experiment.regularizations]
        onset = max(row.onset for row in experiment.regularizations)
        onset = min(onset, experiment.training.epochs - 1)
        strengths: dict[str, float] = {}
        variants: dict[str, float] = {}
        for row in rows:
            key = label(row).method
            if key not in strengths:
                strengths[key] = METHODS[key].strength(row)
                if (value := METHODS[key].variant(row)) is not None:
                    variants[key] = value
        return cls(
            experiment.data,  # type: ignore[arg-type] # checked by the constructor
            experiment.network,
            experiment.training,
            tuple(strengths),
            phases=experiment.phases or phases_of_onset(onset),
            strengths=tuple((k, s) for k, s in strengths.items() if k != "none"),
            variants=tuple(variants.items()),
            corrected=any(row.corrected for row in rows),
        )


def _content(scene: Scene) -> dict[str, Any]:
    """Return the parameters of a scene for JSON, without pins."""
    content = dataclasses.asdict(replace(scene, pins=())) | {"strengths": dict(scene.strengths)}
    del content["pins"]
    return content


def _pins(pins: Any) -> tuple[Scene, ...]:
    """Return pins that hide nothing; raise ValueError for other values than scenes without pins."""
    allowed = f"at most {MAX_PINS} scenes without pins"
    if not isinstance(pins, (tuple, list)) or len(pins) > MAX_PINS:
        raise invalid("pins", allowed, pins)
    for pin in pins:
        if not isinstance(pin, Scene) or pin.pins:
            raise invalid("pins", allowed, pin)
    return tuple(replace(pin, hide=()) for pin in pins)


def phases_of_onset(onset: Any) -> tuple[Phase, ...]:
    """Return the phases of a training without regularization for its first ``onset`` epochs.

    Raises
    ------
    ValueError
        If ``onset`` is not a whole number from 0.
    """
    n_epochs = integer("onset", onset, 0, MAX_EPOCHS)
    return (Phase(n_epochs),) if n_epochs else ()


def _names(parameter: str, names: Any, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``names`` in the order of ``allowed``; raise ValueError for others."""
    if not isinstance(names, (tuple, list)):
        raise invalid(parameter, "a list of " + ", ".join(allowed), names)
    for name in names:
        choice(parameter, name, allowed)
    return tuple(name for name in allowed if name in names)


def _pairs(parameter: str, values: Any, allowed: Sequence[str]) -> list[tuple[str, Any]]:
    """Return pairs of method and value in the order of the methods ``allowed``.

    Raises
    ------
    ValueError
        If a method is another one, or a value is None.
    """
    pairs = values.items() if isinstance(values, Mapping) else values
    try:
        given = dict(pairs)
    except (TypeError, ValueError) as error:
        raise invalid(parameter, "a number for each of some methods", values) from error
    for key, value in given.items():
        choice(parameter, key, allowed)
        if value is None:  # Regularization accepts None, as max-norm without a bound
            raise invalid(key, "a number", value)
    return [(key, given[key]) for key in allowed if key in given]


def _nearest(offered: list[float], value: float) -> int:
    """Return the index of the offered number nearest to a value."""
    return min(range(len(offered)), key=lambda i: abs(offered[i] - value))


def _approximation(name: str, value: float, nearest: float) -> list[str]:
    """Return a sentence if an offered number differs from the one asked for."""
    if abs(nearest - value) <= 0.01 * value:
        return []
    return [f"{name} is not offered at {value:g} here: the nearest, {nearest:g}, is shown."]


# Defaults by version of links and files. Those of earlier versions are written out, as a change of
# the showcase must not change them.
DEFAULTS: dict[int, Scene] = {
    1: Scene(
        DataSpec("circles", 400, 0.2, train_fraction=0.2, validation_fraction=0.25, seed=2),
        NetworkSpec((8, 8, 8), "tanh"),
        TrainingSpec("momentum", 0.05, 10, 400, seed=2),
        ("none", "l1", "l2", "elastic_net", "dropout", "max_norm"),
    ),
    2: Scene(),
}
