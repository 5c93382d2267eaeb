"""Cost of a study: cells, networks, seconds on one core, bytes in a store."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from regviz.engine.cost import seconds
from regviz.spec.experiment import Experiment
from regviz.studies.cell import Cell
from regviz.studies.progress import duration

if TYPE_CHECKING:
    from regviz.studies.study import Study

SAMPLED_CELLS = 1000  # of a study with more cells, those whose cost is estimated
# Seconds of one core per seed besides the training: points, measures and table.
SECONDS_PER_SEED = 0.0025
# Size in a store, of a network and of a file with one cell, measured with 1 to 6100 networks.
BYTES_PER_NETWORK, BYTES_PER_CELL = 65, 7000


@dataclass(frozen=True)
class StudyCost:
    """Cost of a study.

    Attributes
    ----------
    n_cells, n_networks : int
        Numbers of cells and of rows of the table.
    seconds : float
        Estimate of the seconds on one core, within a factor of about two.
    n_bytes : int
        Estimate of the size of its tables in a store.

    Examples
    --------
    >>> import regviz
    >>> study = regviz.Study(vary={"data.noise": [0.1, 0.2, 0.3]}, methods=("none", "l1"))
    >>> cost = study.cost()
    >>> cost.n_cells, cost.n_networks
    (3, 780)
    >>> from regviz.studies.cost import StudyCost
    >>> print(StudyCost(90, 14_400, 75.0, 2_600_000))
    90 cells, 14,400 networks, about 75 s on one core, 2.6 MB
    """

    n_cells: int
    n_networks: int
    seconds: float
    n_bytes: int

    def __str__(self) -> str:
        cells = f"{self.n_cells:,} cell{'s' * (self.n_cells > 1)}"
        networks = f"{self.n_networks:,} network{'s' * (self.n_networks > 1)}"
        time = "under 1 s" if self.seconds < 1 else f"about {duration(self.seconds)}"
        large = self.n_bytes >= 1e6
        size = f"{self.n_bytes / 1e6:,.1f} MB" if large else f"{self.n_bytes / 1e3:,.0f} kB"
        return f"{cells}, {networks}, {time} on one core, {size}"


def cost_of(study: "Study", positions: Sequence[int]) -> StudyCost:
    """Return the cost of some cells of a study; see `regviz.Study.cost`.

    Parameters
    ----------
    study : Study
    positions : sequence of int
        Positions of the cells in ``study.cells``; it may be empty.

    Returns
    -------
    StudyCost
        Of more than `SAMPLED_CELLS` cells, from that many of them.
    """
    n = len(positions)
    # at random, as the axes repeat at regular distances
    chosen = random.Random(0).sample(positions, min(n, SAMPLED_CELLS))
    cells = [study.cells[i] for i in chosen]
    scale = n / max(len(cells), 1)
    n_networks = round(scale * sum(cell.n_networks for cell in cells))
    n_bytes = n_networks * BYTES_PER_NETWORK + n * BYTES_PER_CELL
    return StudyCost(n, n_networks, scale * sum(map(cell_seconds, cells)), n_bytes)


def cell_seconds(cell: Cell) -> float:
    """Estimate the seconds that a cell takes on one core."""
    experiment = cell.experiment
    once = seconds(_with_frames(experiment, 1))
    if cell.stops_early:  # of the unregularized network, further epochs are recorded
        alone = replace(experiment, regularizations=experiment.regularizations[:1])
        once += seconds(alone) - seconds(_with_frames(alone, 1))
    return len(cell.seeds) * (once + SECONDS_PER_SEED)


def _with_frames(experiment: Experiment, frames: int) -> Experiment:
    return replace(experiment, training=replace(experiment.training, frames=frames))
