"""The grid of methods and strengths whose networks are trained together for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from regviz.board.frames import HALF, MAX_BYTES, frame_bytes
from regviz.engine.layout import Layout
from regviz.methods.catalogue import METHODS, offered
from regviz.spec.experiment import (
    Data,
    Experiment,
    NetworkSpec,
    Phase,
    Regularization,
    TrainingSpec,
)


@dataclass(frozen=True)
class StrengthGrid:
    """Some methods at all offered strengths.

    Attributes
    ----------
    experiment : Experiment
        The experiment of all networks, method after method, each from weak to strong.
    networks_by_method : tuple of (str, tuple of int)
        Key of each method, and indices of its networks in ``experiment.regularizations``.
    early_stopping : bool
        Whether to show the result of early stopping for the unregularized network as well. False
        without validation points or without method ``"none"``.
    """

    experiment: Experiment
    networks_by_method: tuple[tuple[str, tuple[int, ...]], ...]
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
    ) -> "StrengthGrid":
        """Return the grid of some methods of the catalogue.

        The number of recorded frames is limited so that they fit into `MAX_BYTES` in half
        precision. Grids are cached, as each rerun of the page needs one.

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
        """
        return _built(tuple(methods), data, network, training, phases, early_stopping)

    @property
    def patience(self) -> int:
        """Number of epochs without improvement after which early stopping stops: a tenth of all."""
        return max(1, self.experiment.training.epochs // 10)

    def strengths(self, method: str) -> list[float]:
        """Return the strengths of a method, from weak to strong."""
        rows = self.experiment.regularizations
        return [
            METHODS[method].strength(rows[row]) for row in dict(self.networks_by_method)[method]
        ]

    def rows(self, strength_indices: Mapping[str, int]) -> list[int]:
        """Return the network of each method at its strength index, by default the initial one."""
        pairs = zip(self.networks_by_method, self.strength_indices(strength_indices), strict=True)
        return [networks[index] for (_, networks), index in pairs]

    def strength_indices(self, strength_indices: Mapping[str, int]) -> list[int]:
        """Return the strength index of each method, clipped to the offered ones.

        Methods that are not given have their `Method.default_index`.
        """
        return [
            min(max(strength_indices.get(key, METHODS[key].default_index), 0), len(networks) - 1)
            for key, networks in self.networks_by_method
        ]

    def only(self, rows: Sequence[int]) -> Experiment:
        """Return the experiment with the regularizations at indices ``rows`` only."""
        chosen = tuple(self.experiment.regularizations[row] for row in rows)
        return replace(self.experiment, regularizations=chosen)

    def with_rows(self, rows: Sequence[int]) -> "StrengthGrid":
        """Return the grid of `only` with one network of each method."""
        keys = [key for key, _ in self.networks_by_method]
        networks = tuple((key, (i,)) for i, key in enumerate(keys))
        return replace(self, experiment=self.only(rows), networks_by_method=networks)


@lru_cache(maxsize=64)
def _built(
    methods: tuple[str, ...],
    data: Data,
    network: NetworkSpec,
    training: TrainingSpec,
    phases: tuple[Phase, ...],
    early_stopping: bool,
) -> StrengthGrid:
    """Build the grid of `StrengthGrid.of`."""
    networks_by_method: list[tuple[str, tuple[int, ...]]] = []
    rows: list[Regularization] = []
    for key, column in zip(methods, offered(methods, data, network, training), strict=True):
        networks_by_method.append((key, tuple(range(len(rows), len(rows) + len(column)))))
        rows += column
    n_parameters = Layout.of(network, 2, data.n_outputs).n_parameters
    half = frame_bytes(len(rows), n_parameters, HALF)
    # minus the initial networks, and the last frame, which may be sent in single precision
    frames = max(1, min(training.frames, MAX_BYTES // half - 2))
    experiment = Experiment(data, network, replace(training, frames=frames), tuple(rows), phases)
    return StrengthGrid(
        experiment,
        tuple(networks_by_method),
        early_stopping and "none" in methods and data.validation_fraction > 0,
    )
