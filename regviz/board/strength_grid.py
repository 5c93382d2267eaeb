"""Every method at every strength, as what is trained and looked at: the grid of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from regviz.board.frames import HALF, MAX_BYTES, frame_bytes
from regviz.engine.layout import Layout
from regviz.methods.catalogue import METHODS, offered
from regviz.methods.strengths import DEFAULT_STRENGTH_INDEX
from regviz.spec.experiment import (
    Data,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
)


@dataclass(frozen=True)
class StrengthGrid:
    """Methods at all of their strengths.

    Attributes
    ----------
    experiment : Experiment
        All networks, method after method, each from weak to strong.
    networks_by_method : tuple of (str, tuple of int)
        For each method its key and its networks, indices into ``experiment.regularizations``.
    early_stopping : bool
        Whether the unregularized network is also shown as early stopping leaves it. That takes
        validation points, and the network among the others.
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
        onset: int = 0,
        early_stopping: bool = True,
    ) -> "StrengthGrid":
        """The grid of some methods of the catalogue.

        So many frames are recorded that all stays within `MAX_BYTES`, in half precision if need be.
        """
        return _built(tuple(methods), data, network, training, onset, early_stopping)

    @property
    def patience(self) -> int:
        """Epochs without improvement that early stopping waits for."""
        return max(1, self.experiment.training.epochs // 10)

    def strengths(self, method: str) -> list[float]:
        """The strengths at which a method is there, from weak to strong."""
        rows = self.experiment.regularizations
        return [
            METHODS[method].strength(rows[row]) for row in dict(self.networks_by_method)[method]
        ]

    def rows(self, strength_indices: Mapping[str, int]) -> list[int]:
        """Return the network of each method, at the default strength index where none is given."""
        found = zip(self.networks_by_method, self.strength_indices(strength_indices), strict=True)
        return [networks[index] for (_, networks), index in found]

    def strength_indices(self, strength_indices: Mapping[str, int]) -> list[int]:
        """Return the strength index of each method, limited to those that there are."""
        return [
            min(max(strength_indices.get(key, DEFAULT_STRENGTH_INDEX), 0), len(networks) - 1)
            for key, networks in self.networks_by_method
        ]

    def only(self, rows: Sequence[int]) -> Experiment:
        """The experiment of the networks ``rows`` alone."""
        chosen = tuple(self.experiment.regularizations[row] for row in rows)
        return replace(self.experiment, regularizations=chosen)


@lru_cache(maxsize=64)
def _built(
    methods: tuple[str, ...],
    data: Data,
    network: NetworkSpec,
    training: TrainingSpec,
    onset: int,
    early_stopping: bool,
) -> StrengthGrid:
    """`StrengthGrid.of`, worked out once: a page asks for it again and again."""
    networks_by_method: list[tuple[str, tuple[int, ...]]] = []
    rows: list[Regularization] = []
    for key, column in zip(methods, offered(methods, data, network, training, onset), strict=True):
        networks_by_method.append((key, tuple(range(len(rows), len(rows) + len(column)))))
        rows += column
    n_parameters = Layout.of(network, 2, data.n_outputs).n_parameters
    half = frame_bytes(len(rows), n_parameters, HALF)
    # room for the initial networks, and for the last frame, which may travel in single precision
    frames = max(1, min(training.frames, MAX_BYTES // half - 2))
    experiment = Experiment(data, network, replace(training, frames=frames), tuple(rows))
    return StrengthGrid(
        experiment,
        tuple(networks_by_method),
        early_stopping and "none" in methods and data.validation_fraction > 0,
    )
