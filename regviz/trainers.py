"""Where training takes place: in threads of this process, or in a process beside it.

Beside it is better for a server: the interpreter lets one thread at a time run, and a page that is
drawn would wait for the steps of the training, and these for the page.
"""

import atexit
import contextlib
import itertools
import logging
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from regviz.history import History
from regviz.recorder import Growing
from regviz.turns import SHARE, Job, Sink, Streaming, end
from regviz.wire import arrays, read, write

_logger = logging.getLogger("regviz.runs")

NICE = 5
LOOK = 0.5  # seconds between two looks at whether trainings are still wanted


class Handle(Protocol):
    """A training that has begun."""

    def hasten(self) -> None:
        """Make it urgent from its next turn on, if it never was."""


class Trainer(Protocol):
    """A place to train."""

    def prepare(self) -> object:
        """See to it that training can begin at once."""

    def begin(self, work: Streaming, sink: Sink, urgent: bool) -> Handle:
        """Give ``sink`` the initial networks, and begin to train.

        Raises
        ------
        ValueError
            If it cannot be trained; nothing is begun then.
        """


class Here:
    """Threads of this process."""

    def prepare(self) -> None:
        """As `Trainer.prepare`."""

    def begin(self, work: Streaming, sink: Sink, urgent: bool) -> Job:
        """As `Trainer.begin`."""
        sink.add(work.beginnings())
        job = Job(work, sink, urgent)
        job.start()
        return job


HERE = Here()


class _Remote:
    """A training in a process beside."""

    def __init__(
        self,
        process: "_Process",
        number: int,
        sink: Sink,
        urgent: bool,
        memory: int,
        begun: list[History],
    ) -> None:
        self.process, self.number, self.sink = process, number, sink
        self.urgent, self.memory = urgent, memory
        self.growing = [Growing.after(history) for history in begun]

    def hasten(self) -> None:
        if not self.urgent:
            self.urgent = True
            self.process.send({"job": self.number, "do": "hasten"})

    def hear(self, header: dict[str, Any], body: bytes) -> bool:
        """Take in what the process says of it, and tell whether that is the last."""
        if header["say"] == "grown":
            parts = arrays(header.get("arrays", ()), body)
            grown = None
            for _ in range(header["frames"]):
                grown = [each.add(next(parts), next(parts), next(parts)) for each in self.growing]
            if grown is not None:
                self.sink.add(grown)
            self.sink.progress(header["epochs"])
        else:
            error = RuntimeError(header["error"]) if header["error"] else None
            self.sink.end(header["outcome"], error, header["seconds"])
            return True
        return False


class _Process:
    """A process that trains, and those of its trainings that are not over."""

    def __init__(self, memory: float) -> None:
        self._memory = memory
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "regviz.worker", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # with an arena for each thread, memory that is free would stay spread over all of them
            env={"MALLOC_ARENA_MAX": "2"} | os.environ | {"PYTHONPATH": path},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if hasattr(os, "setpriority"):
            # the page comes first where both want the same core
            os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)
        self._in, self._out = self._process.stdin, self._process.stdout
        self._jobs: dict[int, _Remote] = {}
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self.over = False
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        threading.Thread(target=self._look, daemon=True).start()

    def load(self, urgent: bool, memory: int) -> tuple[bool, int, int]:
        """What stands in the way of a training: the less of it, the sooner it is its turn.

        Returns
        -------
        tuple
            Whether there is no room for it once all that are there have begun, how many trainings
            come before one of this urgency, and how many there are.
        """
        with self._lock:
            jobs = list(self._jobs.values())
        patient = sum(job.memory for job in jobs if not job.urgent)
        hurried = sum(job.memory for job in jobs if job.urgent)
        share = SHARE * self._memory
        full = memory + hurried + min(patient, share) > (self._memory if urgent else share)
        return full, sum(job.urgent >= urgent for job in jobs), len(jobs)

    def begin(
        self, message: dict[str, Any], sink: Sink, memory: int, begun: list[History]
    ) -> _Remote | None:
        """Begin a training; None if the process is over."""
        with self._lock:
            if self.over:
                return None
            job = _Remote(self, next(self._numbers), sink, message["urgent"], memory, begun)
            self._jobs[job.number] = job
            self.send(message | {"do": "begin", "job": job.number})
            return job

    def send(self, message: dict[str, Any]) -> None:
        # where it has ended, `_listen` tells whoever waits
        with self._lock, contextlib.suppress(OSError, ValueError):
            write(self._in, message)

    def close(self) -> None:
        """End the process, which ends when nothing more can come from here."""
        with self._lock, contextlib.suppress(OSError):
            self._in.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listening.join(timeout=2)  # the interpreter cannot end while arrays are copied

    def _listen(self) -> None:
        """Pass on what the process says, and when it ends, that it did."""
        try:
            for header, body in read(self._out):
                self._pass_on(header, body)
        except Exception:
            _logger.exception("what a process that trains says is not understood")
            self._process.kill()
        with self._lock:
            self.over = True
            left = list(self._jobs.values())
            self._jobs.clear()
        for job in left:
            end(job.sink, "failed", RuntimeError("the process that trained it has ended"), 0.0)

    def _pass_on(self, header: dict[str, Any], body: bytes) -> None:
        with self._lock:
            job = self._jobs.get(header["job"])
        if job is None:  # it has failed here, and the process does not know yet
            return
        error = None
        try:
            over = job.hear(header, body)
        except Exception as caught:
            over, error = True, caught
        if over:
            with self._lock:
                del self._jobs[job.number]
        if error is not None:
            self.send({"job": job.number, "do": "stop"})
            end(job.sink, "failed", error, 0.0)

    def _look(self) -> None:
        """Stop what nobody wants any more."""
        while not self.over:
            time.sleep(LOOK)
            with self._lock:
                jobs = list(self._jobs.values())
            for job in jobs:
                if not job.sink.wanted():
                    self.send({"job": job.number, "do": "stop"})


class Beside:
    """Processes beside this one, each started when it is first needed and again if it ends.

    They take turns and stop what is unwanted just as `Here`. The initial networks, and whether
    something can be trained at all, are found in this process.

    Parameters
    ----------
    n : int
        How many.
    memory : float
        Bytes that trainings under way may hold in each, as of `turns.bound_memory`.
    """

    def __init__(self, n: int = 1, memory: float = math.inf) -> None:
        self._memory = memory
        self._processes: list[_Process | None] = [None] * n
        self._lock = threading.Lock()
        atexit.register(self.close)

    def begin(self, work: Streaming, sink: Sink, urgent: bool) -> _Remote:
        """As `Trainer.begin`."""
        begun = work.beginnings()
        sink.add(begun)
        message = {
            "experiment": work.experiment.to_json(),
            "seeds": work.seeds,
            "urgent": urgent,
        }
        memory = work.memory()
        while True:
            process = min(self.prepare(), key=lambda process: process.load(urgent, memory))
            job = process.begin(message, sink, memory, begun)
            if job is not None:
                return job

    def prepare(self) -> list[_Process]:
        """The processes, started if they are not there: they take a few seconds to be ready."""
        with self._lock:
            found = [
                _Process(self._memory) if process is None or process.over else process
                for process in self._processes
            ]
            self._processes = [*found]
            return found

    def close(self) -> None:
        """End them."""
        with self._lock:
            processes, self._processes = self._processes, [None] * len(self._processes)
        for process in processes:
            if process is not None:
                process.close()
