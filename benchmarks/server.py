"""A Streamlit server in a separate process, with its memory and processor time from ``/proc``."""

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
UP = 90.0  # timeout for the start of a server, in seconds
TICKS = os.sysconf("SC_CLK_TCK")  # per second


class Server:
    """Context manager of a Streamlit server.

    Parameters
    ----------
    script : str
        Path of the script, relative to the project's folder.
    port : int
    wait : bool
        Whether entering waits until the server answers.

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
        """Wait until the server answers.

        Raises
        ------
        RuntimeError
            If it exits, or does not answer within `UP`.
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
        """Return the server's output so far."""
        return Path(self._log.name).read_text(errors="replace")

    def tracebacks(self) -> list[str]:
        """Return the last line of each traceback in the log."""
        lines = []
        for line in self.log().splitlines():
            text = json.loads(line).get("traceback", "") if line.startswith("{") else ""
            lines += [text.splitlines()[-1]] if text else []
        return lines + _last_lines(self.log())

    def trainings(self) -> list[dict[str, Any]]:
        """Return the log entries of trainings, without those served from the cache."""
        entries = []
        for line in self.log().splitlines():
            if line.startswith("{"):
                entry = json.loads(line)
                if entry.get("logger") == "regviz.runs" and not entry["hit"]:
                    entries.append(entry)
        return entries

    def memory(self) -> float:
        """Return the proportional set size (PSS) of all processes, in MiB."""
        sizes = (_proc_number(pid, "smaps_rollup", r"^Pss:\s+(\d+) kB") for pid in self.pids())
        return sum(sizes) / 1024

    def threads(self) -> int:
        """Return the number of threads of all processes."""
        return int(sum(_proc_number(pid, "status", r"^Threads:\s+(\d+)") for pid in self.pids()))

    def pids(self) -> list[int]:
        """Return the ids of the server's process and its descendants."""
        return descent(self._process.pid)


def descent(pid: int) -> list[int]:
    """Return the ids of a process and of all its descendants."""
    pids = [pid]
    for each in pids:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                pids += map(int, children.read_text().split())
    return pids


def processor(pids: Iterable[int]) -> float:
    """Return the processor time used by processes so far, in seconds."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def _proc_number(pid: int, file: str, pattern: str) -> float:
    """Return the number that a pattern matches in a file of ``/proc/<pid>``; 0 without a match."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:  # the process has ended
        return 0.0
    match = re.search(pattern, text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def _last_lines(log: str) -> list[str]:
    """Return the last line of each traceback in a log: the first one that is not indented."""
    lines, inside = [], False
    for line in log.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and line and not line.startswith(" "):
            lines.append(line)
            inside = False
    return lines


def machine() -> float:
    """Return the processor time used by all processes of this machine so far, in seconds."""
    user, nice, system, _idle, _io, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / TICKS
