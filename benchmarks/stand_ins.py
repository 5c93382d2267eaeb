"""Dask workers that stand in for a cluster's: their cells sleep instead of training.

`benchmarks.study_cluster` starts processes of this module with ``SCHEDULER_FILE FOLDER N_WORKERS
FIRST END``. A stand-in is a real Dask worker of one thread, with TCP connections of its own. Many
of them share a process, as they compute nothing.
"""

import asyncio
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dask
import pyarrow as pa
from distributed import Client, Worker

from regviz.studies import payload

# Of each worker, Dask samples its threads 100 times a second, and looks at its event loop 50 times
# and at its machine twice. In one process, that is the work of hundreds of machines.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "5s",
    "distributed.admin.system-monitor.interval": "5s",
}
N_PROCESSES = 2  # of stand-ins
STARTED_SECONDS = 60  # timeout for the start of all workers


class Standing(NamedTuple):
    """A scheduler with stand-ins.

    Attributes
    ----------
    client : distributed.Client
    scheduler : int
        Id of its process.
    workers : list of int
        Ids of the stand-ins' processes.
    """

    client: Client
    scheduler: int
    workers: list[int]


@contextmanager
def standing(n_workers: int, tables: Sequence[bytes]) -> Iterator[Standing]:
    """Start a scheduler and stand-ins.

    Parameters
    ----------
    n_workers : int
    tables : sequence of bytes
        Tables as Arrow streams, which cells return in turn with their own keys.

    Yields
    ------
    Standing
    """
    scheduler = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scheduler.json")
        for i, table in enumerate(tables):
            Path(folder, f"{i}.arrow").write_bytes(table)
        commands = [
            [*scheduler, "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
        ]
        for i in range(N_PROCESSES):
            ends = [str(n_workers * end // N_PROCESSES) for end in (i, i + 1)]
            words = [str(file), folder, str(n_workers), *ends]
            commands.append([sys.executable, "-m", "benchmarks.stand_ins", *words])
        started = [subprocess.Popen(one, stderr=subprocess.DEVNULL) for one in commands]
        try:
            with Client(scheduler_file=str(file), set_as_default=False) as client:
                client.wait_for_workers(n_workers, timeout=STARTED_SECONDS)
                yield Standing(client, started[0].pid, [one.pid for one in started[1:]])
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait()


def sleeping(seconds: float) -> Callable[[], Callable[..., tuple[str, bytes, str, str]]]:
    """Return a stand-in for `regviz.studies.on_worker.runner`, whose cells sleep.

    Parameters
    ----------
    seconds : float
        Mean of the times, which are uniform from half to one and a half of it.
    """

    def runner() -> Callable[..., tuple[str, bytes, str, str]]:
        def run(*_: object) -> tuple[str, bytes, str, str]:
            import random
            import time

            from distributed import get_worker

            from benchmarks.stand_ins import stream

            time.sleep(seconds * random.uniform(0.5, 1.5))
            worker: Any = get_worker()
            key = worker.get_current_task().split("-")[2]  # regviz-TOKEN-KEY, perhaps with a number
            table = stream(next(worker.tables), key)
            return "table", table, worker.address, worker.local_directory

        return run

    return runner


def stream(table: pa.Table, key: str) -> bytes:
    """Return a table with another cell's key as an Arrow stream."""
    at = table.schema.get_field_index("cell")
    return payload.stream_of(table.set_column(at, "cell", pa.repeat(key, table.num_rows)))


async def serve(file: Path, folder: Path, n_workers: int, numbers: range) -> None:
    """Run some of the stand-ins until the process is terminated."""
    while not file.exists():
        await asyncio.sleep(0.1)
    files = sorted(folder.glob("*.arrow"))
    tables = [payload.unpack(one.read_bytes()) for one in files]
    workers = []
    for i in numbers:
        worker = Worker(
            scheduler_file=str(file),
            nthreads=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=str(folder),
            memory_limit=0,
        )
        # no table comes twice among as many cells as there are tables
        worker.tables = (tables[k % len(tables)] for k in itertools.count(i, n_workers))
        workers.append(worker)
    await asyncio.gather(*workers)
    await asyncio.gather(*(worker.finished() for worker in workers))


def main() -> None:
    """Run the stand-ins that the command line asks for."""
    file, folder, *numbers = sys.argv[1:]
    n_workers, first, end = map(int, numbers)
    dask.config.set(QUIET)
    asyncio.run(serve(Path(file), Path(folder), n_workers, range(first, end)))


if __name__ == "__main__":
    main()
