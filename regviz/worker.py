"""The process that trains beside a server: `regviz.trainers.Beside` starts it and talks to it."""

import gc

gc.disable()  # until all is imported, which takes a fifth less time so

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray

from regviz import compiled
from regviz.experiment import Experiment
from regviz.history import METRICS, History
from regviz.run import Work
from regviz.server.housekeeping import give_back_memory
from regviz.turns import Job, bound_memory
from regviz.wire import read, write

TELL = 0.05  # seconds between two messages of a training: to take each in takes the page's time
REST = 2.0  # seconds without a training after which memory is given back


class Reporter:
    """Where a training goes to here: to the other process.

    Parameters
    ----------
    stream : binary file
    lock : Lock
        One message at a time.
    number : int
        Of the training.
    ended : callable
        Called with this number at its end.
    """

    def __init__(
        self, stream: IO[bytes], lock: threading.Lock, number: int, ended: Callable[[int], None]
    ) -> None:
        self.stream, self.lock, self.number, self._ended = stream, lock, number, ended
        self.stopped = False
        self.job: Job
        self._frames: list[NDArray[Any]] = []  # three arrays of each history at each of them
        self._n_frames = self._n_epochs = self._n_told = 0

    def begin(self, work: Work, urgent: bool) -> None:
        """Train."""
        self.job = Job(work, self, urgent)
        self.job.start()

    def add(self, recorded: list[History]) -> None:
        """Take in the frame that is new, to tell it soon."""
        parts = []
        for history in recorded:
            metrics = np.stack([history.metrics[name][-1] for name in METRICS])
            parts += [history.parameters[-1], metrics, history.diverged]
        with self.lock:
            self._frames += parts
            self._n_frames += 1

    def progress(self, n_epochs: int) -> None:
        """Take in how many epochs are done, to tell it soon."""
        self._n_epochs = n_epochs

    def tell(self) -> None:
        """Tell what is new."""
        with self.lock:
            self._tell()

    def end(self, outcome: str, error: Exception | None, seconds: float) -> None:
        """Tell what is new and how it ended, and keep nothing of it."""
        self._ended(self.number)
        text = "".join(traceback.format_exception(error)) if error else ""
        with self.lock:
            self._tell()
            self._say({"say": "end", "outcome": outcome, "error": text, "seconds": seconds})

    def wanted(self) -> bool:
        """Whether it was not stopped."""
        return not self.stopped

    def _tell(self) -> None:
        if self._frames or self._n_epochs > self._n_told:
            grown = {"say": "grown", "epochs": self._n_epochs, "frames": self._n_frames}
            parts, self._frames, self._n_frames = self._frames, [], 0
            self._n_told = self._n_epochs
            self._say(grown, parts)

    def _say(self, header: dict[str, Any], parts: Sequence[Any] = ()) -> None:
        write(self.stream, header | {"job": self.number}, parts)


def main() -> None:
    """Train what comes in, until nothing more can."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses Ctrl-C means the server
    torch.set_num_threads(1)
    compiled.begin("float32")
    bound_memory(float(sys.argv[1]))
    gc.freeze()
    gc.enable()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # whatever prints must not come between messages
    sys.stdout = sys.stderr
    os.dup2(sys.stderr.fileno(), 1)
    lock = threading.Lock()
    reporters: dict[int, Reporter] = {}
    freed = threading.Event()

    def ended(number: int) -> None:
        reporters.pop(number, None)
        freed.set()

    threading.Thread(target=_tell, args=(reporters,), daemon=True).start()
    threading.Thread(target=_tidy, args=(freed, reporters), daemon=True).start()
    for header, _ in read(sys.stdin.buffer):
        number = header["job"]
        if header["do"] == "begin":
            reporter = reporters[number] = Reporter(out, lock, number, ended)
            seeds = header["seeds"]
            experiment = Experiment.from_json(header["experiment"])
            work = Work(experiment, None if seeds is None else tuple(seeds))
            try:
                reporter.begin(work, header["urgent"])
            except RuntimeError as error:  # no thread can be had
                reporter.end("failed", error, 0.0)
        elif (known := reporters.get(number)) is not None:
            if header["do"] == "hasten":
                known.job.hasten()
            else:
                known.stopped = True
    os._exit(0)  # without waiting for what nobody can see any more


def _tell(reporters: Mapping[int, Reporter]) -> None:
    """Let all tell what is new, again and again."""
    while True:
        time.sleep(TELL)
        for reporter in list(reporters.values()):
            reporter.tell()


def _tidy(freed: threading.Event, reporters: Sized) -> None:
    """Give memory back once nothing trains any more."""
    while freed.wait():
        time.sleep(REST)
        if not len(reporters):
            freed.clear()
            gc.collect()
            give_back_memory()


if __name__ == "__main__":
    main()
