"""Every method at every strength, as what is trained and looked at: the cube of a page.

A cube is trained as two runs on the same points. The line-up, one network of each method at the
strength that is looked at, comes first and is soon complete; then all others. A network's numbers
do not depend on which others train beside it, so it makes no difference which are in the line-up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from regviz.arrays import ArraysSpec
from regviz.experiment import (
    Data,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
)
from regviz.history import History
from regviz.layout import Layout
from regviz.packing import HALF, SINGLE, frame_bytes
from regviz.regularization import METHODS
from regviz.strengths import DEFAULT_LEVEL, grid
from regviz.training import recorded_epochs

LIMIT = 8_000_000  # bytes of all frames of all networks


@dataclass(frozen=True)
class Cube:
    """Methods at all of their strengths.

    Attributes
    ----------
    experiment : Experiment
        All networks, method after method, each from weak to strong.
    shelves : tuple of (str, tuple of int)
        For each method its key and its networks, indices into ``experiment.regularizations``.
    early_stopping : bool
        Whether the unregularized network is also shown as early stopping leaves it. That takes
        validation points, and the network among the others.
    """

    experiment: Experiment
    shelves: tuple[tuple[str, tuple[int, ...]], ...]
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
    ) -> "Cube":
        """The cube of some methods of the catalogue.

        So many frames are recorded that all stays within `LIMIT`, with the line-up in single
        precision and the others in half precision if need be.
        """
        return _built(tuple(methods), data, network, training, onset, early_stopping)

    @property
    def patience(self) -> int:
        """Epochs without improvement that early stopping waits for."""
        return max(1, self.experiment.training.epochs // 10)

    @property
    def limit_of_others(self) -> int:
        """Bytes that the frames of all networks but the line-up may take."""
        n_parameters = _n_parameters(self.experiment.data, self.experiment.network)
        n_frames = len(recorded_epochs(self.experiment.training))
        return LIMIT - n_frames * frame_bytes(len(self.shelves), n_parameters, SINGLE)

    def strengths(self, method: str) -> list[float]:
        """The strengths at which a method is there, from weak to strong."""
        rows = self.experiment.regularizations
        return [METHODS[method].strength(rows[row]) for row in dict(self.shelves)[method]]

    def rows(self, levels: Mapping[str, int]) -> list[int]:
        """The network of each method at its level, `DEFAULT_LEVEL` where none is given."""
        found = zip(self.shelves, self.levels(levels), strict=True)
        return [networks[level] for (_, networks), level in found]

    def levels(self, levels: Mapping[str, int]) -> list[int]:
        """The level of each method, `DEFAULT_LEVEL` or the nearest where none is given."""
        return [
            min(max(levels.get(key, DEFAULT_LEVEL), 0), len(networks) - 1)
            for key, networks in self.shelves
        ]

    def others(self, rows: Sequence[int]) -> list[int]:
        """All networks but those in ``rows``."""
        return [row for row in range(len(self.experiment.regularizations)) if row not in rows]

    def only(self, rows: Sequence[int]) -> Experiment:
        """The experiment of the networks ``rows`` alone."""
        chosen = tuple(self.experiment.regularizations[row] for row in rows)
        return replace(self.experiment, regularizations=chosen)

    def whole(self, rows: Sequence[int], histories: Sequence[History]) -> History:
        """The history of all networks.

        Parameters
        ----------
        rows : sequence of int
            The networks of the line-up.
        histories : sequence of History
            Of the line-up and, unless that is all, of `others`; complete.
        """
        places = np.argsort([*rows, *self.others(rows)])
        first = histories[0]
        return History(
            self.experiment,
            first.dataset,
            first.epochs,
            np.concatenate([h.parameters for h in histories], axis=1)[:, places],
            {
                name: np.concatenate([h.metrics[name] for h in histories], axis=1)[:, places]
                for name in first.metrics
            },
            np.concatenate([h.diverged for h in histories])[places],
        )


@lru_cache(maxsize=64)
def _built(
    methods: tuple[str, ...],
    data: Data,
    network: NetworkSpec,
    training: TrainingSpec,
    onset: int,
    early_stopping: bool,
) -> Cube:
    """`Cube.of`, worked out once: a page asks for it again and again."""
    shelves: list[tuple[str, tuple[int, ...]]] = []
    rows: list[Regularization] = []
    for key, levels in zip(methods, grid(methods, data, network, training, onset), strict=True):
        shelves.append((key, tuple(range(len(rows), len(rows) + len(levels)))))
        rows += levels
    n_parameters = _n_parameters(data, network)
    half = frame_bytes(len(rows) - len(shelves), n_parameters, HALF)
    least = frame_bytes(len(shelves), n_parameters, SINGLE) + half
    # a frame's room is left, for the last one may travel in single precision
    frames = max(1, min(training.frames, (LIMIT - half) // least - 1))
    experiment = Experiment(data, network, replace(training, frames=frames), tuple(rows))
    return Cube(
        experiment,
        tuple(shelves),
        early_stopping and "none" in methods and data.validation_fraction > 0,
    )


def _n_parameters(data: Data | ArraysSpec, network: NetworkSpec) -> int:
    """P, for points with two columns."""
    return Layout.of(network, 2, data.n_outputs).n_parameters
