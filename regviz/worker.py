"""The process that trains beside a server: `regviz.trainers.Beside` starts it and talks to it."""

import os
import signal
import sys
import threading
import time
import traceback
from typing import IO, Any

import numpy as np
import torch

from regviz.experiment import Experiment
from regviz.history import METRICS, History
from regviz.run import Work
from regviz.turns import Job
from regviz.wire import read, write

TELL = 0.2  # seconds between two messages of progress


class Reporter:
    """Where a training goes to here: to the other process.

    Parameters
    ----------
    stream : binary file
    lock : Lock
        One message at a time.
    number : int
        Of the training.
    """

    def __init__(self, stream: IO[bytes], lock: threading.Lock, number: int) -> None:
        self.stream, self.lock, self.number = stream, lock, number
        self.stopped = False
        self.job: Job
        self._told = 0.0

    def begin(self, work: Work, urgent: bool) -> None:
        """Train; the initial networks are known there."""
        self.job = Job(self, urgent)
        recorded = work.stream(self.job.pause, self.job.count)
        next(recorded)
        self.job.start(recorded)

    def add(self, recorded: list[History]) -> None:
        """Tell the frame that is new."""
        parts = []
        for history in recorded:
            metrics = np.stack([history.metrics[name][-1] for name in METRICS])
            parts += [history.parameters[-1], metrics, history.diverged]
        self._say({"say": "frame"}, parts)

    def progress(self, n_epochs: int) -> None:
        """Tell how many epochs are done, from time to time."""
        now = time.monotonic()
        if now - self._told > TELL:
            self._told = now
            self._say({"say": "progress", "epochs": n_epochs})

    def end(self, outcome: str, error: Exception | None, seconds: float) -> None:
        """Tell how it ended."""
        text = "".join(traceback.format_exception(error)) if error else ""
        self._say({"say": "end", "outcome": outcome, "error": text, "seconds": seconds})

    def wanted(self) -> bool:
        """Whether it was not stopped."""
        return not self.stopped

    def _say(self, header: dict[str, Any], parts: list[Any] | tuple[()] = ()) -> None:
        with self.lock:
            write(self.stream, header | {"job": self.number}, parts)


def main() -> None:
    """Train what comes in, until nothing more can."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses Ctrl-C means the server
    torch.set_num_threads(1)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # whatever prints must not come between messages
    lock = threading.Lock()
    reporters: dict[int, Reporter] = {}
    for header, _ in read(sys.stdin.buffer):
        number = header["job"]
        if header["do"] == "begin":
            reporter = reporters[number] = Reporter(out, lock, number)
            seeds = header["seeds"]
            experiment = Experiment.from_json(header["experiment"])
            try:
                reporter.begin(
                    Work(experiment, None if seeds is None else tuple(seeds)), header["urgent"]
                )
            except Exception as error:
                reporter.end("failed", error, 0.0)
        elif number in reporters and header["do"] == "hasten":
            reporters[number].job.hasten()
        elif number in reporters and header["do"] == "stop":
            reporters.pop(number).stopped = True
    os._exit(0)  # without waiting for what nobody can see any more


if __name__ == "__main__":
    main()
