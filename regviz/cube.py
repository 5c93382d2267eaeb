"""Every method at every strength, as what is trained and looked at: the cube of a page.

A cube is trained as two runs on the same points. The line-up, one network of each method at the
strength that is looked at, comes first and is soon complete; then the grid, all methods at all
strengths. A network's numbers do not depend on who trains beside it, so the two agree to the bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regviz.experiment import (
    DATASETS,
    DataSpec,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
)
from regviz.layout import Layout
from regviz.packing import HALF, SINGLE, frame_bytes
from regviz.strengths import DEFAULT_LEVEL, grid

LIMIT = 8_000_000  # bytes of all frames of line-up and grid together
CLASSES = {"binary": 1, "multiclass": 3, "regression": 1}


@dataclass(frozen=True)
class Cube:
    """Methods at all of their strengths.

    Attributes
    ----------
    experiment : Experiment
        The grid: all networks, method after method, each from weak to strong.
    shelves : tuple of (str, tuple of int)
        For each method its key and its networks, indices into ``experiment.regularizations``.
    early_stopping : bool
        Whether the unregularized network, if it is one of them, is also shown as early stopping
        leaves it.
    """

    experiment: Experiment
    shelves: tuple[tuple[str, tuple[int, ...]], ...]
    early_stopping: bool = True

    @classmethod
    def of(
        cls,
        methods: Sequence[str],
        data: DataSpec,
        network: NetworkSpec,
        training: TrainingSpec,
        onset: int = 0,
        early_stopping: bool = True,
    ) -> "Cube":
        """The cube of some methods of the catalogue.

        So many frames are recorded that line-up and grid stay within `LIMIT`, the grid in half
        precision if need be.
        """
        shelves: list[tuple[str, tuple[int, ...]]] = []
        rows: list[Regularization] = []
        for key, levels in zip(methods, grid(methods, data, network, training, onset), strict=True):
            shelves.append((key, tuple(range(len(rows), len(rows) + len(levels)))))
            rows += levels
        n_parameters = Layout.of(network, 2, CLASSES[DATASETS[data.name]]).n_parameters
        least = frame_bytes(len(shelves), n_parameters, SINGLE)
        least += frame_bytes(len(rows), n_parameters, HALF)
        frames = max(1, min(training.frames, LIMIT // least - 1))
        experiment = Experiment(data, network, replace(training, frames=frames), tuple(rows))
        return cls(experiment, tuple(shelves), early_stopping and "none" in methods)

    @property
    def grid_limit(self) -> int:
        """Bytes that the frames of the grid may take."""
        network = self.experiment.network
        n_outputs = CLASSES[DATASETS[self.experiment.data.name]]
        n_parameters = Layout.of(network, 2, n_outputs).n_parameters
        n_frames = min(self.experiment.training.frames, self.experiment.training.epochs) + 1
        return LIMIT - n_frames * frame_bytes(len(self.shelves), n_parameters, SINGLE)

    def rows(self, levels: Mapping[str, int]) -> list[int]:
        """The network of each method at its level, `DEFAULT_LEVEL` where none is given."""
        return [
            networks[min(max(levels.get(key, DEFAULT_LEVEL), 0), len(networks) - 1)]
            for key, networks in self.shelves
        ]

    def line_up(self, rows: Sequence[int]) -> Experiment:
        """The experiment of the networks ``rows`` alone."""
        chosen = tuple(self.experiment.regularizations[row] for row in rows)
        return replace(self.experiment, regularizations=chosen)
