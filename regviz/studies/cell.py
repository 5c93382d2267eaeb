"""A cell of a study: one experiment with all its methods, strengths and seeds, and its numbers."""

import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regviz.analysis.replicates import at_once, under_seeds_in_slices, with_seed
from regviz.data.datasets import Dataset
from regviz.engine import compiled, measures
from regviz.engine.layout import Layout
from regviz.engine.recorder import Recorder, check_together
from regviz.engine.training import Recording, recordings
from regviz.extras import missing
from regviz.methods.catalogue import EARLY_STOPPING, patience_of
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Data, Experiment
from regviz.studies import registered

if TYPE_CHECKING:
    import pyarrow as pa

# Version of `compute`: it changes whenever equal cells get other numbers or columns.
FORMAT = 1

METRICS = (
    *(f"{split}_loss" for split in ("train", "validation", "test")),
    "gap",
    *(f"{split}_accuracy" for split in ("train", "validation", "test")),
)
MEASURES = {
    "sparsity": measures.sparsity,
    "hoyer": measures.hoyer,
    "effective_weights": measures.effective_weights,
    "norm": measures.l2_norm,
}
# Seeds of one tensor program. With 20 the training of (8,) units took 0.22 s of one core, 0.36 s
# seed by seed; with 200 it was not faster than with 20, and memory grows with the seeds.
SEEDS_AT_ONCE = 50


class Row(NamedTuple):
    """A network of a cell, one under each seed.

    Attributes
    ----------
    method : str
        Key of the method, or ``"early_stopping"``.
    strength_index : int
        Position among the method's strengths in the study, from weak to strong; for a combination
        of methods, in the order of the study's ``base``.
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

    Examples
    --------
    >>> import regviz
    >>> study = regviz.Study(
    ...     regviz.Experiment(training=regviz.TrainingSpec(epochs=5)),
    ...     vary={"data.noise": [0.1, 0.3]},
    ...     methods=("none", "l2"),
    ...     strengths=3,
    ... )
    >>> cell = study.cells[1]
    >>> cell.values, cell.n_networks
    ((('data.noise', 0.3),), 80)
    >>> [(row.method, row.strength) for row in cell.rows]
    [('none', nan), ('l2', 0.003), ('l2', 0.07), ('l2', 0.5)]
    >>> history = regviz.train(cell.experiment_under(seed=7))
    >>> history.labels[-1]
    'L2 λ₂ = 0.5'
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

    @property
    def unregularized(self) -> int:
        """Index of the network that early stopping acts on."""
        return next(row.network for row in self.rows if row.method == EARLY_STOPPING)

    @property
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
        if points := registered.digest(self.first_data):
            content.append(points)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def first_data(self) -> Data | ArraysSpec:
        """The experiment's data under the first seed."""
        return with_seed(self.experiment, self.seeds[0]).data

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
        `schema`. All values of a diverged network are NaN. The bits are those of `regviz.train`
        with the experiment and seed of each network.

    Raises
    ------
    ValueError
        If the cell's experiment cannot be trained, as for `regviz.replicate`.

    Examples
    --------
    >>> import regviz
    >>> from regviz.studies.cell import compute
    >>> short = regviz.Experiment(training=regviz.TrainingSpec(epochs=5))
    >>> table = compute(regviz.Study(short, methods=("none",)).cells[0])
    >>> table.num_rows, table.column_names[:4]
    (20, ['cell', 'method', 'strength', 'strength_index'])
    """
    return at_once(steps(cell))


def steps(cell: Cell, due: Callable[[], bool] = lambda: False) -> Generator[None, None, "pa.Table"]:
    """Train as `compute`, and yield between epochs and seeds when it is due.

    Parameters
    ----------
    cell : Cell
    due : callable
        Called without arguments after every epoch, and for each seed after its points are made and
        after its numbers are computed.

    Yields
    ------
    None
        If ``due()`` is true.

    Returns
    -------
    pyarrow.Table
        As of `compute`.
    """
    # without early stopping, neither epoch 0 nor any other but the last is needed
    frames = cell.experiment.training.frames if cell.stops_early else 1
    training = replace(cell.experiment.training, frames=frames)
    experiment = replace(cell.experiment, training=training)
    compiled.wait(training.dtype)
    parts: list[_Numbers] = []
    for start in range(0, len(cell.seeds), SEEDS_AT_ONCE):
        seeds = cell.seeds[start : start + SEEDS_AT_ONCE]
        experiments, datasets = yield from under_seeds_in_slices(experiment, seeds, due=due)
        check_together(experiments[0], datasets[0])
        recorded: list[list[Recording]] = []
        for states in recordings(experiments, datasets, due=due):
            if not states:
                yield
                continue
            if recorded and cell.stops_early:
                recorded[-1] = [_only(state, cell.unregularized) for state in recorded[-1]]
            elif recorded:
                recorded.clear()
            recorded.append(states)
        runs = zip(experiments, datasets, zip(*recorded, strict=True), strict=True)
        for run in runs:
            parts.append(_numbers(cell, *run))
            if due():
                yield
    data = experiment.data
    layout = Layout.of(experiment.network, data.n_columns, data.n_outputs)
    n_weights = int(layout.is_weight.sum())
    return _table(cell, parts, n_weights)


def _only(recording: Recording, k: int) -> Recording:
    """Return a recording of network ``k`` alone."""
    parameters = recording.parameters[k : k + 1].clone()
    return Recording(recording.epoch, parameters, recording.diverged[k : k + 1])


class _Numbers(NamedTuple):
    """The numbers of the R rows of a cell under one seed.

    Attributes
    ----------
    epochs, diverged : ndarray of shape (R,)
    values : ndarray of shape (R, number of METRICS and MEASURES)
    """

    epochs: NDArray[np.int64]
    diverged: NDArray[np.bool_]
    values: NDArray[np.float64]


def _numbers(
    cell: Cell, experiment: Experiment, dataset: Dataset, recorded: Sequence[Recording]
) -> _Numbers:
    """Return the numbers of a cell's rows under one seed.

    Parameters
    ----------
    cell : Cell
    experiment : Experiment
        The cell's experiment under the seed.
    dataset : Dataset
    recorded : sequence of Recording
        All networks after the last epoch, and before it, with early stopping, the unregularized one
        after each recorded epoch.
    """
    recorder = Recorder(experiment, dataset)
    last = recorder.measured(recorded[-1])
    networks = [row.network for row in cell.rows]
    weights = last.parameters[:, recorder.layout.is_weight]
    values = _values(last.metrics, weights)[networks]
    epochs = np.full(len(networks), recorded[-1].epoch)
    diverged = last.diverged[networks]
    for i in (i for i, row in enumerate(cell.rows) if row.method == EARLY_STOPPING):
        row = experiment.regularizations[networks[i]]
        alone = Recorder(replace(experiment, regularizations=(row,)), dataset)
        history = alone.record([*recorded[:-1], _only(recorded[-1], networks[i])])
        best = history.early_stopping(patience_of(experiment.training))[0]
        metrics = {name: values[best, 0] for name, values in history.metrics.items()}
        weights = history.parameters[best, 0][:, history.layout.is_weight]
        values[i], epochs[i] = _values(metrics, weights)[0], history.epochs[best[0]]
        diverged[i] = 0 <= history.diverged[0] <= epochs[i]
    values[diverged] = np.nan
    return _Numbers(epochs, diverged, values)


def _values(
    metrics: Mapping[str, NDArray[np.float64]], weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the values of `METRICS` and `MEASURES` of K networks, of shape (K, number of both).

    Parameters
    ----------
    metrics : mapping of str to ndarray of shape (K,)
    weights : ndarray of shape (K, N)
    """
    # row after row in memory, or the order of sums depends on the number of networks
    weights = np.ascontiguousarray(weights)
    with np.errstate(over="ignore", invalid="ignore"):  # of diverged networks
        of_weights = [measure(weights) for measure in MEASURES.values()]
    return np.stack([*(metrics[name] for name in METRICS), *of_weights], axis=1)


def _table(cell: Cell, parts: Sequence[_Numbers], n_weights: int) -> "pa.Table":
    """Return the table of a cell from the numbers under each seed."""
    n_rows, n_seeds = len(cell.rows), len(cell.seeds)
    epochs, diverged, values = (np.stack(arrays, axis=1) for arrays in zip(*parts, strict=True))
    names = (*METRICS, *MEASURES)
    columns: dict[str, Any] = dict(zip(names, values.reshape(-1, len(names)).T, strict=True))
    loss = columns["validation_loss"].reshape(n_rows, n_seeds)
    columns |= {
        "cell": [cell.key] * cell.n_networks,
        "method": [row.method for row in cell.rows for _ in cell.seeds],
        "strength": np.repeat([row.strength for row in cell.rows], n_seeds),
        "strength_index": np.repeat([row.strength_index for row in cell.rows], n_seeds),
        "seed": np.tile(np.array(cell.seeds, np.int64), n_rows),
        "chosen": _chosen(cell.rows, loss, diverged).ravel(),
        "diverged": diverged.ravel(),
        "epoch": epochs.ravel(),
        "n_weights": np.full(cell.n_networks, n_weights),
    }
    return arrow().table(columns, schema=schema())


def _chosen(
    rows: Sequence[Row], loss: NDArray[np.float64], diverged: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark, for each method and seed, the strength with the lowest validation loss.

    Parameters
    ----------
    rows : sequence of Row
        The R networks, those of each method by ``strength_index``.
    loss, diverged : ndarray of shape (R, S)
        Validation loss, and whether a network has diverged, under each seed.

    Returns
    -------
    ndarray of bool of shape (R, S)
        Of equal losses, that with the highest ``strength_index``. Diverged networks are never
        marked.
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
