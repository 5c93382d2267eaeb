"""The progress of a training as a line on the terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

from regviz.engine import compiled, cost
from regviz.spec.experiment import Experiment
from regviz.studies.progress import LINE_SECONDS, Line, duration

ESTIMATE_SECONDS = 0.5  # after which the time left is shown


class Progress:
    """A line on stderr with the share of a training that is done, and the time left.

    It is cleared at the end. Where stderr is no terminal, `announce` alone writes.

    Parameters
    ----------
    text : str
        What is in progress.
    total : int
        Number of calls of `step`, one for each epoch.
    stream : TextIO, optional
        By default stderr.
    clock : callable
        Returns the time in seconds.
    """

    def __init__(
        self,
        text: str,
        total: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.text, self.total, self.clock = text, total, clock
        self._line = Line(stream)
        self.n_done = 0
        self.start = self.due = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.write("")

    def announce(self, seconds: float) -> None:
        """Write the size of the training as a line, unless its progress is shown.

        Parameters
        ----------
        seconds : float
            Estimate of the time on one core.
        """
        if not self._line.shown:
            epochs = f"{self.total:,} epoch{'s' * (self.total > 1)}"
            time_needed = duration(max(seconds, 1))
            line = f"note: {self.text} for {epochs}: about {time_needed} on one core."
            print(line, file=self._line.stream, flush=True)

    def wait_for_compiler(self, dtype: str) -> None:
        """Wait until the training code of a precision is loaded or compiled."""
        if not compiled.ready(dtype):
            self._line.write(compiled.COMPILING)
            compiled.wait(dtype)
        self.start = self.clock()

    def step(self) -> None:
        """Count an epoch, and write the line if the last one is `LINE_SECONDS` old."""
        self.n_done += 1
        now = self.clock()
        if now < self.due:
            return
        self.due = now + LINE_SECONDS
        line = f"{self.text}: {self.n_done / self.total:.0%}"
        if now - self.start >= ESTIMATE_SECONDS:
            left = (now - self.start) * (self.total - self.n_done) / self.n_done
            line += f", {duration(left)} left"
        self._line.write(line)


@contextmanager
def training(experiment: Experiment) -> Iterator[Progress]:
    """Show the progress of an experiment's training.

    The training code is compiled before. The caller calls `Progress.step` after each epoch.
    """
    n = len(experiment.regularizations)
    text = f"Training {n} network{'s' * (n > 1)}"
    with Progress(text, experiment.training.epochs) as progress:
        progress.announce(cost.seconds(experiment))
        progress.wait_for_compiler(experiment.training.dtype)
        yield progress
