"""A cell of a study: one experiment with all its methods, strengths and seeds, and its numbers."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regviz.analysis.replicates import under_seeds, with_seed
from regviz.engine import compiled, measures
from regviz.engine.history import History
from regviz.engine.recorder import histories
from regviz.extras import missing
from regviz.methods.catalogue import EARLY_STOPPING, patience_of
from regviz.spec.experiment import Experiment

if TYPE_CHECKING:
    import pyarrow as pa

# Version of `compute`: it changes whenever equal cells get other numbers or columns.
FORMAT = 1

METRICS = (
    *(f"{split}_loss" for split in ("train", "validation", "test")),
    "gap",
    *(f"{split}_accuracy" for split in ("train", "validation", "test")),
)
MEASURES = ("sparsity", "hoyer", "effective_weights", "norm")


class Row(NamedTuple):
    """A network of a cell, one under each seed.

    Attributes
    ----------
    method : str
        Key of the method, or ``"early_stopping"``.
    strength_index : int
        Position among the method's strengths in the study, from weak to strong.
    strength : float
        NaN without a strength, as for ``"none"`` and early stopping.
    network : int
        Index in the regularizations of the cell's experiment.
    """

    method: str
    strength_index: int
    strength: float
    network: int


@dataclass(frozen=True)
class Cell:
    """An experiment with all methods, strengths and seeds of a study.

    Attributes
    ----------
    experiment : Experiment
        With all different regularizations. Its seeds have no effect.
    rows : tuple of Row
        The networks in the order of the table.
    seeds : tuple of int
    values : tuple of (str, value)
        Path and value of each axis of the study. They are part of the experiment.
    """

    experiment: Experiment
    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def n_networks(self) -> int:
        """Number of rows of the cell's table."""
        return len(self.rows) * len(self.seeds)

    @property
    def stops_early(self) -> bool:
        """Whether early stopping is asked for, which needs more than the last epoch."""
        return any(row.method == EARLY_STOPPING for row in self.rows)

    @cached_property
    def key(self) -> str:
        """SHA-256 hash of all that determines the cell's table, the same everywhere, in hex."""
        experiment = with_seed(self.experiment, 0)
        if not self.stops_early:  # the number of recorded epochs then changes nothing
            experiment = replace(experiment, training=replace(experiment.training, frames=1))
        # repr gives every float its shortest exact text, and NaN one too
        rows = [
            (row.method, row.strength_index, repr(row.strength), row.network) for row in self.rows
        ]
        content = [FORMAT, asdict(experiment), rows, list(self.seeds)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def experiment_under(self, seed: int) -> Experiment:
        """Return the experiment under a seed of data and training, for `regviz.train`.

        Parameters
        ----------
        seed : int
            Any seed, also one that is not among ``seeds``.

        Returns
        -------
        Experiment
        """
        return with_seed(self.experiment, seed)


def compute(cell: Cell) -> "pa.Table":
    """Train the networks of a cell, and return their numbers.

    Parameters
    ----------
    cell : Cell

    Returns
    -------
    pyarrow.Table
        A row for each network and seed, sorted by network and then by seed, with the columns of
        `schema`. All values of a diverged network are NaN.
    """
    experiment = cell.experiment
    if not cell.stops_early:
        experiment = replace(experiment, training=replace(experiment.training, frames=1))
    compiled.wait(experiment.training.dtype)
    *_, finished = histories(*under_seeds(experiment, cell.seeds))
    return _table(cell, finished)


def _table(cell: Cell, finished: Sequence[History]) -> "pa.Table":
    pa = arrow()
    n_rows, n_seeds = len(cell.rows), len(cell.seeds)
    shape = n_rows, n_seeds
    values = {name: np.empty(shape) for name in (*METRICS, *MEASURES)}
    epochs, diverged = np.empty(shape, np.int64), np.empty(shape, bool)
    n_weights = int(finished[0].layout.is_weight.sum())
    networks = [row.network for row in cell.rows]
    for s, history in enumerate(finished):
        times = np.full(n_rows, len(history.epochs) - 1)
        diverged[:, s] = history.diverged[networks] >= 0
        if cell.stops_early:
            best, _ = history.early_stopping(patience_of(history.experiment.training))
            for i, row in enumerate(cell.rows):
                if row.method == EARLY_STOPPING:
                    times[i] = best[row.network]
                    diverged[i, s] = np.isnan(history.metrics["train_loss"][times[i], row.network])
        epochs[:, s] = history.epochs[times]
        for name in METRICS:
            values[name][:, s] = history.metrics[name][times, networks]
        weights = history.parameters[times, networks][:, history.layout.is_weight]
        values["sparsity"][:, s] = measures.sparsity(weights)
        values["hoyer"][:, s] = measures.hoyer(weights)
        values["effective_weights"][:, s] = measures.effective_weights(weights)
        values["norm"][:, s] = measures.l2_norm(weights)
    for array in values.values():
        array[diverged] = np.nan
    columns = {
        "cell": [cell.key] * cell.n_networks,
        "method": [row.method for row in cell.rows for _ in cell.seeds],
        "strength": np.repeat([row.strength for row in cell.rows], n_seeds),
        "strength_index": np.repeat([row.strength_index for row in cell.rows], n_seeds),
        "seed": np.tile(np.array(cell.seeds, np.int64), n_rows),
        "chosen": _chosen(cell.rows, values["validation_loss"], diverged).ravel(),
        "diverged": diverged.ravel(),
        "epoch": epochs.ravel(),
        **{name: array.ravel() for name, array in values.items()},
        "n_weights": np.full(cell.n_networks, n_weights),
    }
    return pa.table(columns, schema=schema())


def _chosen(
    rows: Sequence[Row], loss: NDArray[np.float64], diverged: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark, for each method and seed, the strength with the lowest validation loss.

    Parameters
    ----------
    rows : sequence of Row
        The R networks.
    loss, diverged : ndarray of shape (R, S)
        Validation loss, and whether a network has diverged, under each seed.

    Returns
    -------
    ndarray of bool of shape (R, S)
        Of equal losses, that of the strongest. Diverged networks are never marked.
    """
    chosen = np.zeros(loss.shape, bool)
    for method in dict.fromkeys(row.method for row in rows):
        own = np.array([i for i, row in enumerate(rows) if row.method == method])
        if len(own) == 1:
            chosen[own] = ~diverged[own]
            continue
        losses = np.where(np.isnan(loss[own]), np.inf, loss[own])[::-1]
        best = len(own) - 1 - losses.argmin(axis=0)
        seeds = np.flatnonzero(np.isfinite(losses).any(axis=0))
        chosen[own[best[seeds]], seeds] = True
    return chosen


def schema() -> "pa.Schema":
    """Return names and types of the columns of a cell's table."""
    pa = arrow()
    types = {
        "cell": pa.string(),
        "method": pa.string(),
        "strength": pa.float64(),
        "strength_index": pa.int64(),
        "seed": pa.int64(),
        "chosen": pa.bool_(),
        "diverged": pa.bool_(),
        "epoch": pa.int64(),
        **{name: pa.float64() for name in (*METRICS, *MEASURES)},
        "n_weights": pa.int64(),
    }
    return pa.schema(list(types.items()))


def arrow() -> Any:
    """Import pyarrow.

    Raises
    ------
    ImportError
        If it is not installed; the message has the command that installs it.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(missing("The results of a study", "pyarrow", "studies")) from error
    return pyarrow
