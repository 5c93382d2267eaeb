"""Dask schedulers, workers and clients in processes of their own, which start within 50 ms.

A parent process imports everything once, and forks a process for each service; a service that ends
is started again, as by a service manager, until it exits with 0. They end with the parent, which
ends with the test's end of a pipe, so that no test leaves a process behind.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from devtools.serving import ROOT

# ---------------------------------------------------------------------------------------- the test


class Processes:
    """The parent process, seen from the test.

    Parameters
    ----------
    folder : Path
        Folder of the log files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dask_processes", str(folder)],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            env=os.environ
            | {
                "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "fork",
                "DASK_TEMPORARY_DIRECTORY": str(folder),
            },
        )

    def start(self, name: str, kind: str, *arguments: str, **variables: str) -> None:
        """Start a service, and keep it running.

        Parameters
        ----------
        name : str
            Name of the service and of its log file.
        kind : {"scheduler", "worker", "study"}
        *arguments : str
            Of the command ``dask scheduler`` or ``dask worker``; of a study: file, store, address.
        **variables : str
            Environment variables.
        """
        self._write({"name": name, "kind": kind, "arguments": arguments, "variables": variables})

    def stop(self, name: str) -> None:
        """End a service's processes for good."""
        (self.folder / f"{name}.ended").touch()
        with suppress(ProcessLookupError):
            os.killpg(int((self.folder / f"{name}.pid").read_text("utf-8")), signal.SIGKILL)

    def _write(self, command: dict[str, Any]) -> None:
        assert self.parent.stdin is not None
        self.parent.stdin.write(json.dumps(command) + "\n")
        self.parent.stdin.flush()

    def pid_to_kill(self, name: str) -> int | None:
        """Return the number of a service's process; None if it is not running.

        Of a ``dask worker`` it is that of the worker, which another process, the nanny, watches.
        """
        with suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int((self.folder / f"{name}.pid").read_text("utf-8")))
            if not name.startswith("worker"):
                return process.pid
            children = process.children()
            return next((c.pid for c in children if c.status() != psutil.STATUS_ZOMBIE), None)
        return None

    def ended(self, name: str) -> bool:
        """Return whether a service has exited with 0."""
        return (self.folder / f"{name}.ended").exists()

    def kill(self, name: str, keys: Callable[[], Iterable[str]] = tuple) -> "Record":
        """Kill a service's process once it runs.

        Returns
        -------
        Record
            Of the killed process, with the time and the value of ``keys()`` just before.
        """
        while True:
            pid = self.wait(lambda: self.pid_to_kill(name))
            record = Record(time.time(), pid, frozenset(keys()))
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)
                return record

    def wait(self, condition: Callable[[], Any], seconds: float = 300.0) -> Any:
        """Return the condition's value once it is true; fail with the services' output if late.

        A service starts within a second on an idle machine; the limit ends a test that hangs.
        """
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                logs = sorted(self.folder.glob("*.log"))
                pytest.fail("\n".join(f"--- {log.name}\n{log.read_text('utf-8')}" for log in logs))
            time.sleep(0.01)
        return value

    def close(self) -> None:
        """End all processes."""
        assert self.parent.stdin is not None
        self.parent.stdin.close()
        self.parent.wait(timeout=20)


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """Yield `Processes` that end with the block."""
    running = Processes(folder)
    try:
        yield running
    finally:
        running.close()


def start_cluster(running: Processes, workers: Sequence[str], **variables: str) -> str:
    """Start a scheduler and workers of one thread each, and return the scheduler's address."""
    port = free_port()
    where = "--host", "127.0.0.1", "--port", str(port), "--dashboard-address", "127.0.0.1:0"
    running.start("scheduler", "scheduler", *where)
    log = running.folder / "scheduler.log"
    running.wait(lambda: log.exists() and "Scheduler at" in log.read_text("utf-8"))
    for name in workers:
        start_worker(running, name, f"tcp://127.0.0.1:{port}", **variables)
    return f"tcp://127.0.0.1:{port}"


def start_worker(
    running: Processes, name: str, address: str, port: int = 0, **variables: str
) -> None:
    """Start a ``dask worker`` of one thread."""
    options = "--nthreads", "1", "--dashboard-address", "127.0.0.1:0", "--host", "127.0.0.1"
    running.start(name, "worker", address, *options, "--worker-port", str(port), **variables)


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Record(NamedTuple):
    """Something that a process did.

    Attributes
    ----------
    at : float
        Time, in seconds.
    pid : int
        Number of the process.
    keys : frozenset of str
        The cells that it concerns.
    """

    at: float
    pid: int
    keys: frozenset[str]


def records(folder: Path, kind: str) -> list[Record]:
    """Return what the processes recorded, in order.

    Parameters
    ----------
    folder : Path
    kind : {"sent", "begun", "closing"}
        A cell was sent by a study to its scheduler, or begun by a worker; or a worker began to
        close, and these cells were stored.
    """
    found = []
    for path in folder.glob(f"*.{kind}"):
        for line in path.read_text("utf-8").splitlines():
            at, pid, *keys = line.split()
            found.append(Record(float(at), int(pid), frozenset(keys)))
    return sorted(found, key=lambda record: record.at)


def by_cell(found: Iterable[Record]) -> dict[str, list[Record]]:
    """Return records by the cell's key."""
    cells: dict[str, list[Record]] = {}
    for record in found:
        for key in record.keys:
            cells.setdefault(key, []).append(record)
    return cells


# -------------------------------------------------------------------------------------- the parent


def main(folder: Path) -> None:
    """Start the services that the pipe names, and start them again when they end."""
    import distributed  # noqa: F401

    from regviz.studies import payload, probe  # noqa: F401

    probe.fingerprint("float32")
    commands: dict[int, dict[str, Any]] = {}  # by process
    text = b""
    while True:
        if select.select([0], [], [], 0.02)[0]:
            if not (received := os.read(0, 4096)):
                break
            *lines, text = (text + received).split(b"\n")
            for line in lines:
                _fork(folder, json.loads(line), commands)
        for pid in list(commands):
            if os.waitpid(pid, os.WNOHANG)[0]:
                _end(pid)  # workers whose nanny was killed
                command = commands.pop(pid)
                if not (folder / f"{command['name']}.ended").exists():
                    _fork(folder, command, commands)
    for pid in commands:
        _end(pid)


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _fork(folder: Path, command: dict[str, Any], commands: dict[int, dict[str, Any]]) -> None:
    pid = os.fork()
    if pid:
        commands[pid] = command
        return
    code = 1
    try:
        os.setsid()
        name = command["name"]
        log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        (folder / f"{name}.pid").write_text(str(os.getpid()), "utf-8")
        os.environ.update(command["variables"])
        _SERVICES[command["kind"]](folder, name, command["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _scheduler(folder: Path, name: str, arguments: list[str]) -> None:
    from distributed.cli.dask_scheduler import main

    main(arguments)


def _worker(folder: Path, name: str, arguments: list[str]) -> None:
    """Run ``dask worker``, and record the cells that it begins, and when it closes by itself.

    ``CELL_SECONDS`` is added to each cell's time. ``DEADLY_NOISE`` is the noise of cells that kill
    the worker. ``NUMPY_VERSION``, until the file ``<name>.mended`` is there, and ``BITS`` replace
    those of the worker's probe. ``OWN_DATASET`` is the name of a dataset that the worker registers
    itself. ``STORE`` is the folder of the study's store. With ``HELD_CELLS``, cells wait while it
    has so many files, until the file ``go`` is there.
    """
    from distributed import Worker
    from distributed.cli.dask_worker import main

    from regviz.studies import payload, probe

    steps, seconds = payload.steps, float(os.environ.get("CELL_SECONDS", "0"))
    deadly = os.environ.get("DEADLY_NOISE")
    held, store = int(os.environ.get("HELD_CELLS", "0")), Path(os.environ.get("STORE", folder))
    if dataset := os.environ.get("OWN_DATASET"):
        import regviz

        regviz.register_dataset(regviz.ToyDataset(dataset, dataset, "binary", below_the_diagonal))

    def waits():
        return held and len(stored_keys(store)) >= held and not (folder / "go").exists()

    def recorded(cell, due):
        _record(folder / f"{name}.begun", cell.key)
        if str(cell.experiment.data.noise) == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(seconds)
        while waits():
            time.sleep(0.01)
        return (yield from steps(cell, due))

    close = Worker.close

    def closed(self, *args, **kwargs):
        _record(folder / f"{name}.closing", *stored_keys(store))
        return close(self, *args, **kwargs)

    payload.steps, Worker.close = recorded, closed
    if numpy := os.environ.get("NUMPY_VERSION"):
        versions = probe.versions
        mended = folder / f"{name}.mended"
        probe.versions = lambda: versions() | ({} if mended.exists() else {"numpy": numpy})
    if bits := os.environ.get("BITS"):
        probe.bits = lambda dtype: bits
    main(arguments)


def stored_keys(store: Path) -> set[str]:
    """Return the keys of the cells in a store's folder."""
    return {path.stem for path in store.glob("*.parquet")}


def below_the_diagonal(n, noise, rng):
    """Make points of two classes; see `regviz.ToyDataset`."""
    X = rng.uniform(-1, 1, (n, 2))
    return X + noise * rng.normal(size=X.shape), (X[:, 0] > X[:, 1]).astype(float)


def _record(path: Path, *keys: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        print(time.time(), os.getpid(), *keys, file=file)


def _study(folder: Path, name: str, arguments: list[str]) -> None:
    """Run a study, and record the cells that are sent to the scheduler."""
    import regviz
    from regviz.studies import cluster

    pack = cluster.pack

    def recorded(cell):
        _record(folder / f"{name}.sent", cell.key)
        return pack(cell)

    cluster.pack = recorded
    file, store, address = arguments
    study = regviz.Study.from_json(Path(file).read_text("utf-8"))
    study.run(store=store, scheduler=address, progress=print)
    (folder / f"{name}.ended").touch()


_SERVICES = {"scheduler": _scheduler, "worker": _worker, "study": _study}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # the exit functions of all that was imported take seconds
