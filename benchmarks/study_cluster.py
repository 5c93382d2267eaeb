"""Measure how many cells a second a study's client and a Dask scheduler carry.

    python -m benchmarks.study_cluster
    python -m benchmarks.study_cluster --workers 64 512 --cell-seconds 4 --repeats 3

Workers stand in for those of a cluster (`benchmarks.stand_ins`): their cells sleep, and return the
table of a real cell with 480 networks, under their own keys. All else is real: scheduler, TCP
connections, and the client with its store. Client, scheduler and stand-ins share this machine's
cores.

Cells per second and processor time per cell are measured for the most workers with cells so short
that the client is always busy: that rate is the client's limit. Then for each number of workers.
The scheduler's limit is worked out from its processor time per cell. The last table multiplies both
limits by the seconds of a cell. Beside other programs (load 5 on two cores) it took 3.5 minutes.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from pyarrow.parquet import read_metadata

from benchmarks.server import processor
from benchmarks.stand_ins import Standing, sleeping, standing
from benchmarks.study import study_of
from regviz.studies import cluster, payload
from regviz.studies.cell import Cell
from regviz.studies.cluster import CELLS_PER_THREAD, SPARE_CELLS
from regviz.studies.probe import fingerprint
from regviz.studies.progress import StudyProgress
from regviz.studies.result import StudyResult
from regviz.studies.store import MERGED_CELLS
from regviz.studies.study import Study

BUSY_SECONDS = 0.1  # of a cell, with which the client is always busy
BUSY_CELLS = 2 * MERGED_CELLS  # so that the store is merged twice
EPOCHS = 10  # of the cells whose tables stand-ins return
CELL_SECONDS = (0.25, 1, 4, 15, 60)  # of the last table
MILLION, MACHINES, CORES = 10**6, 100, 2


@dataclass(frozen=True)
class Passage:
    """Times and bytes of a number of cells, while all workers were there and cells were waiting.

    Attributes
    ----------
    n_cells : int
    seconds : float
        Wall-clock time.
    client, scheduler, workers : float
        Processor seconds of each, of all threads.
    n_bytes : float
        Received over TCP, on each of the connections that a cell and its table travel.
    """

    n_cells: int
    seconds: float
    client: float
    scheduler: float
    workers: float
    n_bytes: float

    @property
    def rate(self) -> float:
        """Cells per second."""
        return self.n_cells / self.seconds


class Watch:
    """Progress callback that takes the times when a number of cells is done.

    Parameters
    ----------
    standing : Standing
    ends : tuple of int
        Numbers of cells at which the passage begins and ends.
    """

    def __init__(self, standing: Standing, ends: tuple[int, int]) -> None:
        self._standing, self._ends = standing, ends
        self._times: dict[int, tuple[float, ...]] = {}

    def __call__(self, progress: StudyProgress) -> None:
        """Take the times, if the state is that of an end."""
        if progress.n_done in self._ends and progress.n_done not in self._times:
            self._times[progress.n_done] = (
                time.perf_counter(),
                time.process_time(),
                processor([self._standing.scheduler]),
                processor(self._standing.workers),
                received(),
            )

    def passage(self) -> Passage:
        """Return the differences between both ends."""
        first, last = (self._times[end] for end in self._ends)
        return Passage(
            self._ends[1] - self._ends[0], *(b - a for a, b in zip(first, last, strict=True))
        )


def received() -> int:
    """Return the bytes that programs of this machine have received from each other so far."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.split()[0] == "lo:")


def cells_of(n: int) -> Study:
    """Return a study with a number of cells."""
    return replace(study_of(EPOCHS), vary={"data.noise": np.linspace(0, 2, n).tolist()})


def tables() -> list[bytes]:
    """Train a few epochs of as many cells as a store merges, and return their Arrow streams."""

    def table(cell: Cell) -> bytes:
        return payload.compute(payload.pack(cell), lambda: False) or b""

    with ThreadPoolExecutor() as threads:
        return list(threads.map(table, cells_of(MERGED_CELLS).cells))


def passed(
    n_workers: int, cell_seconds: float, n_cells: int, content: Sequence[bytes], store: Path
) -> tuple[Passage, StudyResult]:
    """Run a study with stand-ins, and return what its cells took, and its result.

    Those at the beginning and at the end are not counted, when workers connect or none wait.
    """
    ahead = CELLS_PER_THREAD * n_workers + SPARE_CELLS
    study = cells_of(n_cells + 2 * ahead)
    runner = patch.object(cluster, "runner", sleeping(cell_seconds))
    with standing(n_workers, content) as parts, runner:
        watch = Watch(parts, (ahead, ahead + n_cells))
        result = study.run(store, parts.client, progress=watch)
    return watch.passage(), result


def show(name: str, passage: Passage, used: str = "") -> None:
    """Print a row: cells per second, milliseconds of each process per cell, and kB per cell."""
    costs = (passage.client, passage.scheduler, passage.workers)
    each = "".join(f"{1000 * cost / passage.n_cells:11.2f}" for cost in costs)
    wire = passage.n_bytes / passage.n_cells / 1000
    print(f"{name:38}{passage.rate:8.0f}{each}{wire:11.0f}{used:>8}", flush=True)


def with_waiting_client(options: argparse.Namespace, content: Sequence[bytes]) -> None:
    """Print a row for each number of workers, of cells that take their time."""
    for n_workers in options.workers:
        n_cells = round(options.seconds * n_workers / options.cell_seconds)
        with tempfile.TemporaryDirectory() as folder:
            passage, _ = passed(n_workers, options.cell_seconds, n_cells, content, Path(folder))
        used = passage.rate * options.cell_seconds / n_workers
        show(f"{n_workers} workers, {options.cell_seconds:g} s a cell", passage, f"{used:.0%}")


def with_busy_client(n_workers: int, content: Sequence[bytes]) -> tuple[Passage, float, float]:
    """Print a row of short cells, and what they take in store and memory.

    Returns
    -------
    Passage, float, float
        Bytes of a network in the store's merged files and in the result.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        pool = pa.default_memory_pool()
        passage, result = passed(n_workers, BUSY_SECONDS, BUSY_CELLS, content, store)
        show(f"{n_workers} workers, {BUSY_SECONDS:g} s a cell: client busy", passage)
        alone, merged = (in_store(store, name) for name in ("[0-9a-f]*", "part-*"))
        n = result.table.num_rows
        in_memory, most = result.table.nbytes / n, pool.max_memory() / n
        computing = AssertionError("all cells are in the store")
        with patch("regviz.studies.run.cells_done", side_effect=computing):
            start = time.perf_counter()
            result.study.run(store, progress=lambda _: None)
            again = time.perf_counter() - start
    n_cells = len(result.study.cells)
    print(
        f"  bytes of a network: {alone:.0f} in a stored file of one cell, {merged:.0f} in a merged"
        f" one, {in_memory:.0f} in the result, {most:.0f} at most while it is made"
    )
    print(f"  again, all {n_cells:,} cells from the store: {1000 * again / n_cells:.2f} ms a cell")
    return passage, merged, in_memory


def in_store(store: Path, pattern: str) -> float:
    """Return the bytes of a network in the files of a store with such names."""
    files = list(store.rglob(f"{pattern}.parquet"))
    n_rows = sum(read_metadata(file).num_rows for file in files)
    return sum(file.stat().st_size for file in files) / n_rows


def on_paper(client: float, scheduler: float, merged: float, in_memory: float) -> None:
    """Print how many workers are kept busy, and what a million cells take.

    Parameters
    ----------
    client, scheduler : float
        Limits in cells per second.
    merged, in_memory : float
        Bytes of a network.
    """
    print("workers of one thread that are kept busy:")
    print(f"{'seconds of a cell':>20}{'by the client':>16}{'by the scheduler':>19}")
    for seconds in CELL_SECONDS:
        print(f"{seconds:20g}{client * seconds:16,.0f}{scheduler * seconds:19,.0f}")
    hours = MILLION / min(client, scheduler, MACHINES * CORES) / 3600
    n = MILLION * cells_of(2).cells[0].n_networks
    print(
        f"a million cells of 1 s on {MACHINES} machines of {CORES} cores: {hours:.1f} h,"
        f" {n * merged / 1e9:,.0f} GB in the store, {n * in_memory / 1e9:,.0f} GB as one result"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.study_cluster", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[32, 128])
    parser.add_argument(
        "--cell-seconds", type=float, default=1.0, help="that a cell sleeps on average"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each number of workers")
    parser.add_argument("--repeats", type=int, default=1, help="of the row with a busy client")
    options = parser.parse_args(arguments)
    content = tables()
    cell = cells_of(2).cells[0]
    fingerprint(cell.experiment.training.dtype)  # trains once
    there, back = len(payload.pack(cell)), statistics.fmean(map(len, content))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"bytes of a network: {there / cell.n_networks:.0f} packed for a worker,"
        f" {back / cell.n_networks:.0f} back"
    )
    columns = ("client ms", "scheduler", "workers", "TCP kB")
    print(f"{'':38}{'cells/s':>8}{''.join(f'{name:>11}' for name in columns)}{'used':>8}")
    # first, as its peak of memory is that of the process
    runs = [with_busy_client(max(options.workers), content) for _ in range(options.repeats)]
    with_waiting_client(options, content)
    client = statistics.median(passage.rate for passage, _, _ in runs)
    alone = statistics.median(passage.n_cells / passage.client for passage, _, _ in runs)
    scheduler = statistics.median(passage.n_cells / passage.scheduler for passage, _, _ in runs)
    print(
        f"limits in cells/s: client {client:.0f} as measured, {alone:.0f} by its processor time;"
        f" scheduler {scheduler:.0f} by its processor time"
    )
    on_paper(client, scheduler, *runs[-1][1:])


if __name__ == "__main__":
    main()
