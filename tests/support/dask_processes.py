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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

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

    def _write(self, command: dict[str, Any]) -> None:
        assert self.parent.stdin is not None
        self.parent.stdin.write(json.dumps(command) + "\n")
        self.parent.stdin.flush()

    def pid(self, name: str) -> int | None:
        """Return the number of a service's process; None if it is not running."""
        with suppress(OSError, ValueError):
            pid = int((self.folder / f"{name}.pid").read_text("utf-8"))
            return pid if psutil.pid_exists(pid) else None
        return None

    def worker_pid(self, name: str) -> int | None:
        """Return the number of the process that a ``dask worker``'s nanny watches."""
        pid = self.pid(name)
        with suppress(psutil.Error):
            children = psutil.Process(pid).children() if pid else []
            return next((c.pid for c in children if c.status() != psutil.STATUS_ZOMBIE), None)
        return None

    def ended(self, name: str) -> bool:
        """Return whether a service has exited with 0."""
        return (self.folder / f"{name}.ended").exists()

    def log(self, name: str) -> str:
        """Return what a service has printed."""
        return (self.folder / f"{name}.log").read_text("utf-8", errors="replace")

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


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def computations(folder: Path) -> list[tuple[float, str]]:
    """Return time and key of each cell that a worker has begun, in the order of time."""
    lines = [path.read_text("utf-8").splitlines() for path in folder.glob("*.begun")]
    return sorted((float(at), key) for line in sum(lines, []) for at, key in [line.split()])


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
    from distributed.cli.dask_worker import main

    from regviz.studies import payload

    steps, seconds = payload.steps, float(os.environ.get("CELL_SECONDS", "0"))

    def recorded(cell, due):
        with (folder / f"{name}.begun").open("a", encoding="utf-8") as file:
            file.write(f"{time.time()} {cell.key}\n")
        time.sleep(seconds)
        return (yield from steps(cell, due))

    payload.steps = recorded
    main(arguments)


def _study(folder: Path, name: str, arguments: list[str]) -> None:
    import regviz

    file, store, address = arguments
    study = regviz.Study.from_json(Path(file).read_text("utf-8"))
    study.run(store=store, scheduler=address, progress=print)
    (folder / f"{name}.ended").touch()


_SERVICES = {"scheduler": _scheduler, "worker": _worker, "study": _study}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
