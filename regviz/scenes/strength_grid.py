"""The grid of methods, variants and strengths whose networks are trained together for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from regviz.engine.layout import Layout
from regviz.methods.catalogue import METHODS, initial_variant, offered, patience_of
from regviz.methods.strengths import first_training
from regviz.scenes.frames import HALF, MAX_BYTES, frame_bytes
from regviz.spec.experiment import (
    Data,
    Experiment,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
)

# If fewer frames than these fit, each method is offered in its initial variant only.
LEAST_FRAMES_WITH_VARIANTS = 30

Columns = Mapping[str, tuple[tuple[Regularization, ...], ...]]


@dataclass(frozen=True)
class StrengthGrid:
    """Some methods in all offered variants, at all offered strengths.

    Attributes
    ----------
    experiment : Experiment
        The experiment of all networks, method after method and variant after variant, each from
        weak to strong. Networks with equal regularizations are one: elastic net without L2 is L1.
    networks_by_variant : tuple of (str, tuple of tuple of int)
        Key of each method, and for each of its variants the indices of its networks in
        ``experiment.regularizations``. A method without a second parameter has one variant.
    early_stopping : bool
        Whether to show the result of early stopping for the unregularized network as well. False
        without validation points or without method ``"none"``.

    Examples
    --------
    >>> import regviz
    >>> grid = regviz.Scene(methods=("none", "l1", "elastic_net")).grid()
    >>> grid.methods
    ('none', 'l1', 'elastic_net')
    >>> len(grid.strengths("l1")), grid.values("elastic_net")
    (12, [0.0, 0.25, 0.5, 0.75, 1.0])
    >>> networks = dict(grid.networks_by_method())["l1"]
    >>> grid.rows({"l1": 5}) == [0, networks[5], grid.rows({})[2]]
    True
    >>> len(grid.only(grid.rows({})).regularizations)
    3
    """

    experiment: Experiment
    networks_by_variant: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]
    early_stopping: bool = True

    @classmethod
    def of(
        cls,
        methods: Sequence[str],
        data: Data,
        network: NetworkSpec,
        training: TrainingSpec,
        phases: tuple[Phase, ...] = (),
        early_stopping: bool = True,
        corrected: bool = False,
    ) -> "StrengthGrid":
        """Return the grid of some methods of the catalogue.

        The number of recorded frames is limited so that they fit into `MAX_BYTES` in half
        precision. Networks so large that fewer than `LEAST_FRAMES_WITH_VARIANTS` would fit are
        offered in the initial variant of each method only. Grids are cached, as each rerun of the
        page needs one.

        Parameters
        ----------
        methods : sequence of str
            Keys of `regviz.methods.catalogue.METHODS`.
        data : DataSpec or PointsSpec
        network : NetworkSpec
        training : TrainingSpec
        phases : tuple of Phase
            First parts of the training, as of `regviz.Experiment`.
        early_stopping : bool
            See `StrengthGrid`.
        corrected : bool
            Whether networks with L2 of elastic net are those of the corrected one; only for linear
            regression without AdamW.
        """
        return _built(tuple(methods), data, network, training, phases, early_stopping, corrected)

    @property
    def patience(self) -> int:
        """Number of epochs without improvement after which early stopping stops."""
        return patience_of(self.experiment.training)

    @property
    def methods(self) -> tuple[str, ...]:
        """Keys of the methods."""
        return tuple(key for key, _ in self.networks_by_variant)

    @property
    def default_focus(self) -> str:
        """Key of the method in focus by default: L1, or else the first but None."""
        keys = ("l1", *self.methods)
        return next((key for key in keys if key in self.methods and key != "none"), "none")

    def networks_by_method(
        self, variant_indices: Mapping[str, int] | None = None
    ) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Return the networks of each method from weak to strong, in one of its variants.

        Parameters
        ----------
        variant_indices : mapping of str to int, optional
            Index of the variant by method, by default the initial one.

        Returns
        -------
        tuple of (str, tuple of int)
            Key of each method, and indices of its networks in ``experiment.regularizations``.
        """
        indices = self.variant_indices(variant_indices or {})
        return tuple(
            (key, variants[index])
            for (key, variants), index in zip(self.networks_by_variant, indices, strict=True)
        )

    def values(self, method: str) -> list[float]:
        """Return the values of a method's variants; an empty list without a second parameter.

        Parameters
        ----------
        method : str
            Key of the method.

        Returns
        -------
        list of float
        """
        variants, rows = METHODS[method].variants, self.experiment.regularizations
        if variants is None:
            return []
        by_variant = dict(self.networks_by_variant)[method]
        return [_shortened(variants.of(rows[networks[0]])) for networks in by_variant]

    def strengths(self, method: str, variant_index: int | None = None) -> list[float]:
        """Return the strengths of a method from weak to strong, in a variant or the initial one.

        Parameters
        ----------
        method : str
            Key of the method.
        variant_index : int, optional
            Index of the variant, by default the initial one.

        Returns
        -------
        list of float
        """
        given = {} if variant_index is None else {method: variant_index}
        rows = self.experiment.regularizations
        networks = dict(self.networks_by_method(given))[method]
        return [_shortened(METHODS[method].strength(rows[row])) for row in networks]

    def rows(
        self,
        strength_indices: Mapping[str, int],
        variant_indices: Mapping[str, int] | None = None,
    ) -> list[int]:
        """Return the network of each method at its strength and variant, by default the initial.

        Parameters
        ----------
        strength_indices : mapping of str to int
            Index of the strength by method; the initial one for other methods.
        variant_indices : mapping of str to int, optional
            Index of the variant by method; the initial one for other methods.

        Returns
        -------
        list of int
            Indices into ``experiment.regularizations``, in the order of `methods`.
        """
        pairs = zip(
            self.networks_by_method(variant_indices),
            self.strength_indices(strength_indices, variant_indices),
            strict=True,
        )
        return [networks[index] for (_, networks), index in pairs]

    def strength_indices(
        self,
        strength_indices: Mapping[str, int],
        variant_indices: Mapping[str, int] | None = None,
    ) -> list[int]:
        """Return the strength index of each method, clipped to those of its variant.

        Methods that are not given have their `Method.default_index`.
        """
        return [
            _clipped(strength_indices.get(key, METHODS[key].default_index), networks)
            for key, networks in self.networks_by_method(variant_indices)
        ]

    def variant_indices(self, variant_indices: Mapping[str, int]) -> list[int]:
        """Return the index of each method's variant, clipped to the offered ones.

        Methods that are not given have their `Variants.default_index`.
        """
        return [
            _clipped(variant_indices.get(key, initial_variant(key)), variants)
            for key, variants in self.networks_by_variant
        ]

    def position(self, method: str, network: int) -> tuple[int, int]:
        """Return the variant index and the strength index of a method's network."""
        variants = dict(self.networks_by_variant)[method]
        variant_index = next(i for i, networks in enumerate(variants) if network in networks)
        return variant_index, variants[variant_index].index(network)

    def only(self, rows: Sequence[int]) -> Experiment:
        """Return the experiment with the regularizations at indices ``rows`` only.

        Parameters
        ----------
        rows : sequence of int
            Indices into ``experiment.regularizations``.

        Returns
        -------
        Experiment
        """
        chosen = tuple(self.experiment.regularizations[row] for row in rows)
        return replace(self.experiment, regularizations=chosen)

    def with_rows(self, rows: Sequence[int]) -> "StrengthGrid":
        """Return the grid of `only` with one network of each method."""
        networks = tuple((key, ((i,),)) for i, key in enumerate(self.methods))
        return replace(self, experiment=self.only(rows), networks_by_variant=networks)

    def around(
        self, rows: Sequence[int], *, strengths: bool = True, variants: bool = True
    ) -> "StrengthGrid":
        """Return the grid with only those networks that some controls can show.

        Parameters
        ----------
        rows : sequence of int
            Index of the network to show at first for each method, in the order of `methods`.
        strengths : bool
            Whether to keep all strengths, or only that of ``rows``.
        variants : bool
            Whether to keep all variants, or only that of ``rows``.
        """
        kept: dict[int, int] = {}
        by_method = []
        for (key, by_variant), row in zip(self.networks_by_variant, rows, strict=True):
            variant, strength = self.position(key, row)
            columns = by_variant if variants else by_variant[variant : variant + 1]
            if not strengths:
                columns = tuple((column[_clipped(strength, column)],) for column in columns)
            renumbered = tuple(
                tuple(kept.setdefault(k, len(kept)) for k in column) for column in columns
            )
            by_method.append((key, renumbered))
        return replace(self, experiment=self.only(list(kept)), networks_by_variant=tuple(by_method))


@lru_cache(maxsize=64)
def _built(
    methods: tuple[str, ...],
    data: Data,
    network: NetworkSpec,
    training: TrainingSpec,
    phases: tuple[Phase, ...],
    early_stopping: bool,
    corrected: bool,
) -> StrengthGrid:
    """Build the grid of `StrengthGrid.of`."""
    n_parameters = Layout.of(network, data.n_columns, data.n_outputs).n_parameters
    first = first_training(training, phases)
    columns = dict(zip(methods, offered(methods, data, network, first), strict=True))
    if corrected and "elastic_net" in columns:
        columns["elastic_net"] = tuple(
            tuple(replace(row, corrected=row.l2 > 0) for row in column)
            for column in columns["elastic_net"]
        )
    wanted = min(training.frames, training.epochs)
    if _frames(columns, n_parameters) < min(wanted, LEAST_FRAMES_WITH_VARIANTS):
        columns = {
            key: variants[_clipped(initial_variant(key), variants) :][:1]
            for key, variants in columns.items()
        }
    numbers = {row: k for k, row in enumerate(_distinct(columns))}
    networks_by_variant = tuple(
        (key, tuple(tuple(numbers[row] for row in column) for column in variants))
        for key, variants in columns.items()
    )
    frames = max(1, min(training.frames, _frames(columns, n_parameters)))
    experiment = Experiment(data, network, replace(training, frames=frames), tuple(numbers), phases)
    return StrengthGrid(
        experiment,
        networks_by_variant,
        early_stopping and "none" in methods and data.validation_fraction > 0,
    )


def _distinct(columns: Columns) -> list[Regularization]:
    """Return the different regularizations of all methods, in order."""
    every = (row for variants in columns.values() for column in variants for row in column)
    return list(dict.fromkeys(every))


def _frames(columns: Columns, n_parameters: int) -> int:
    """Return the number of frames that fit into `MAX_BYTES` in half precision.

    They are counted without the initial networks, and with the last frame in single precision.
    """
    return MAX_BYTES // frame_bytes(len(_distinct(columns)), n_parameters, HALF) - 2


def _clipped(index: int, values: Sequence[object]) -> int:
    return min(max(index, 0), len(values) - 1)


def _shortened(value: float) -> float:
    """Return a number without the rounding errors of sums and quotients of parameters."""
    return float(f"{value:.12g}")
