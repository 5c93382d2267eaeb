"""A Streamlit server in a process of its own, and what it takes of the machine, as Linux says."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent
UP = 90.0  # seconds that a server may take to answer
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """Serves a script for as long as the ``with`` block lasts.

    Parameters
    ----------
    script : str
        Path from the project's folder.
    port : int
    wait : bool
        Whether to go on only when it answers.

    Attributes
    ----------
    address : str
    """

    def __init__(self, script: str, port: int, wait: bool = True) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._log = tempfile.NamedTemporaryFile(prefix="regviz-", suffix=".log")  # noqa: SIM115
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
        self._process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1"],
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # all visitors come from this machine
            env=os.environ | {"PYTHONPATH": str(ROOT), "REGVIZ_SESSIONS_PER_ADDRESS": "1000"},
        )
        self._wait = wait

    def __enter__(self) -> Self:
        try:
            if self._wait:
                self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        RuntimeError
            If it ends instead, or takes longer than `UP`.
        """
        end = time.monotonic() + UP
        while self._process.poll() is None and time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server does not answer:\n{self.log()}")

    def log(self) -> str:
        """All that it has written so far."""
        return Path(self._log.name).read_text(errors="replace")

    def tracebacks(self) -> list[str]:
        """The last line of each exception that its log tells of."""
        found = []
        for line in self.log().splitlines():
            text = json.loads(line).get("traceback", "") if line.startswith("{") else ""
            found += [text.splitlines()[-1]] if text else []
        return found + _last_lines(self.log())

    def trainings(self) -> list[dict[str, Any]]:
        """Log entries of all trainings that were not shared, in the order of their ends."""
        found = []
        for line in self.log().splitlines():
            if line.startswith("{"):
                told = json.loads(line)
                if told.get("logger") == "regviz.runs" and not told["hit"]:
                    found.append(told)
        return found

    def memory(self) -> float:
        """What it has in memory, its share of what it has in common with others, in MiB."""
        return sum(_told(pid, "smaps_rollup", r"^Pss:\s+(\d+) kB") for pid in self.pids()) / 1024

    def threads(self) -> int:
        """How many threads it has."""
        return int(sum(_told(pid, "status", r"^Threads:\s+(\d+)") for pid in self.pids()))

    def pids(self) -> list[int]:
        """Its processes, as it may have several."""
        return descent(self._process.pid)


def descent(pid: int) -> list[int]:
    """A process, and those that it and these have started."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def processor(pids: Iterable[int]) -> float:
    """Seconds of processor time that these processes have used so far."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def _told(pid: int, file: str, pattern: str) -> float:
    """A number that the system tells of a process; 0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0.0
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _last_lines(log: str) -> list[str]:
    """The line that ends each traceback of a log: the first that is not indented."""
    found, inside = [], False
    for line in log.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and line and not line.startswith(" "):
            found.append(line)
            inside = False
    return found


def machine() -> float:
    """Seconds of processor time that all processes of this machine have used so far."""
    user, nice, system, _idle, _io, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / TICKS
