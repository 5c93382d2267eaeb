"""A training in the background: of one experiment, or of one experiment under several seeds."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any

from regviz.analysis.replicates import under_seeds
from regviz.data.datasets import Dataset, make_dataset
from regviz.engine.cost import seconds
from regviz.engine.history import History
from regviz.engine.recorder import histories, initial_histories
from regviz.jobs.scheduler import SHARED, Job, Scheduler
from regviz.scenes.frames import FrameSelector
from regviz.spec.experiment import Experiment

_logger = logging.getLogger("regviz.runs")

# A slice ends with the first epoch after this time, which bounds how long other jobs wait for the
# thread. The longest epoch that the page allows takes 0.2 s, and releases the interpreter lock.
SLICE_SECONDS = 0.02


def describe(experiment: Experiment, n_seeds: int = 1) -> dict[str, Any]:
    """Return the fields that identify a training in the log."""
    fields: dict[str, Any] = {
        "experiment": experiment.id,
        "networks": len(experiment.regularizations),
        "epochs": experiment.training.epochs,
    }
    return fields if n_seeds == 1 else fields | {"seeds": n_seeds}


class Training(ABC):
    """A training in the background, watched by any number of visitors.

    Parameters
    ----------
    experiments : list of Experiment
        One experiment, or one for each seed.
    datasets : list of Dataset
        The points of each experiment.
    visitor_timeout : float
        Seconds after a visitor's last call until the visitor no longer counts as watching. A
        training without visitors stops.
    visitor : str
        Name of the visitor who watches from the start.
    scheduler : Scheduler
        Runs the training.
    ended : callable
        Called without arguments when the training is complete, has failed or was stopped.

    Attributes
    ----------
    error : BaseException or None
        The exception of a failed training.
    n_bytes : int
        Memory of the recording.
    """

    urgent = True  # whether visitors see frames before the training is complete
    n_bytes: int

    def __init__(
        self,
        experiments: list[Experiment],
        datasets: list[Dataset],
        visitor_timeout: float,
        visitor: str,
        scheduler: Scheduler,
        ended: Callable[[], None],
    ) -> None:
        self.experiments, self.visitor_timeout, self._on_end = (
            experiments,
            visitor_timeout,
            ended,
        )
        self.error: BaseException | None = None
        # two conditions, so that waiting for the end does not wake up at every frame
        lock = threading.RLock()
        self._grown, self._ended = threading.Condition(lock), threading.Condition(lock)
        self._visitors = {visitor: time.monotonic()}
        self._waiting = self._n_epochs = 0
        self._over = self._complete = self._abandoned = False
        self._submitted = time.monotonic()
        self.add(initial_histories(experiments, datasets))
        estimate = seconds(experiments[0]) * len(experiments)
        # not an attribute: a reference cycle would hold the recording until garbage collection
        job = Job(self._train(datasets), self.watchers, self._end, estimate, self.urgent)
        scheduler.submit(job)

    @property
    def experiment(self) -> Experiment:
        """The experiment that is trained; the first of several seeds."""
        return self.experiments[0]

    @property
    def alive(self) -> bool:
        """Whether the training is complete, or has neither stopped nor failed yet."""
        unfinished = not (self._over or self._abandoned)
        return self.error is None and (unfinished or self._complete)

    @property
    def in_progress(self) -> bool:
        """Whether the training has not ended: it runs, or waits to begin."""
        return not self._over

    def watch(self, visitor: str) -> bool:
        """Count a visitor as watching from now on, and return whether the training is `alive`."""
        with self._grown:
            self._remove_absent()
            self._visitors[visitor] = time.monotonic()
            return self.alive

    def leave(self, visitor: str) -> None:
        """Remove a visitor."""
        with self._grown:
            self._visitors.pop(visitor, None)

    def watchers(self) -> list[str]:
        """Return the names of the visitors who watch, or ``[""]`` if only a `wait` is in progress.

        Once this has returned an empty list, the training stops, and `watch` returns False.
        """
        with self._grown:
            self._remove_absent()
            watchers = list(self._visitors) or [""] * bool(self._waiting)
            self._abandoned |= not watchers
            return [] if self._abandoned else watchers

    def _remove_absent(self) -> None:
        oldest = time.monotonic() - self.visitor_timeout
        self._visitors = {name: at for name, at in self._visitors.items() if at >= oldest}

    @abstractmethod
    def add(self, histories: list[History]) -> None:
        """Store the histories so far; the first call has the initial networks only."""

    def _train(self, datasets: list[Dataset]) -> Generator[None]:
        """Train, and yield after every slice of `SLICE_SECONDS`."""
        end = time.monotonic() + SLICE_SECONDS

        def due() -> bool:
            return time.monotonic() >= end

        n_recorded = 1  # `__init__` has added the initial networks
        for grown in histories(self.experiments, datasets, after_epoch=self._count, due=due):
            if len(grown[0].epochs) > n_recorded:
                n_recorded = len(grown[0].epochs)
                self.add(grown)
            if due():
                yield
                end = time.monotonic() + SLICE_SECONDS

    def _count(self) -> None:
        self._n_epochs += 1

    def _end(self, outcome: str, error: BaseException | None, taken: float) -> None:
        """Wake up all waiting threads, log the training, and call `ended`."""
        fields = {
            "ms": round(1000 * taken),
            "waited_ms": round(1000 * (time.monotonic() - self._submitted - taken)),
            "hit": False,
            "outcome": outcome,
        }
        with self._grown:
            self.error, self._complete, self._over = error, outcome == "complete", True
            self._grown.notify_all()
            self._ended.notify_all()
        described = describe(self.experiment, len(self.experiments))
        _logger.info("run", extra={"fields": described | fields}, exc_info=error)
        self._on_end()

    def _wait(self, grown: Callable[[], bool], min_seconds: float, timeout: float) -> None:
        """Wait until ``grown()`` or the end, for at most ``timeout`` seconds.

        After ``grown()`` within ``min_seconds``, wait until these have passed or the end. The
        caller holds the lock.

        Raises
        ------
        RuntimeError
            If the training failed.
        """
        start = time.monotonic()
        self._waiting += 1
        try:
            self._grown.wait_for(lambda: self._over or grown(), timeout)
            if grown():
                self._ended.wait_for(lambda: self._over, start + min_seconds - time.monotonic())
        finally:
            self._waiting -= 1
        if self.error is not None:
            raise RuntimeError("the training failed") from self.error


class Run(Training):
    """The training of one experiment, whose frames are available while it runs.

    Parameters
    ----------
    experiment : Experiment
    visitor_timeout, visitor, scheduler
        As for `Training`.

    Attributes
    ----------
    selector : FrameSelector
        Selects the frames to send, from the history so far.

    Raises
    ------
    ValueError
        If the experiment cannot be run.
    """

    selector: FrameSelector

    @property
    def n_bytes(self) -> int:  # type: ignore[override]
        """Memory of the complete recording, and of the frames selected so far, in bytes."""
        return self._n_history_bytes + self.selector.n_bytes

    def __init__(
        self,
        experiment: Experiment,
        visitor_timeout: float = 10.0,
        visitor: str = "",
        scheduler: Scheduler = SHARED,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        dataset = make_dataset(experiment.data)
        super().__init__([experiment], [dataset], visitor_timeout, visitor, scheduler, ended)

    def wait(
        self, n_frames: int, min_seconds: float = 0.0, timeout: float = 5.0, visitor: str = ""
    ) -> History:
        """Return the history once more than ``n_frames`` frames are selected, or the run has ended.

        Parameters
        ----------
        n_frames : int
            Number of frames that the caller already has.
        min_seconds : float
            Minimum wait in seconds, to return several frames at once; a complete run ends it.
        timeout : float
            Maximum wait in seconds for a new frame; then the history so far is returned.
        visitor : str
            Name of the calling visitor, who counts as watching from now on.

        Raises
        ------
        RuntimeError
            If the training failed.
        """
        self.watch(visitor)
        with self._grown:
            self._wait(lambda: self._n_frames > n_frames, min_seconds, timeout)
            return self._history

    def add(self, histories: list[History]) -> None:
        """Store the history, and select its new frames."""
        (history,) = histories
        if not hasattr(self, "selector"):
            self._n_history_bytes = history.n_bytes
            self.selector = FrameSelector(history)
        self.selector.add(history)
        with self._grown:
            self._history, self._n_frames = history, len(self.selector.frames)
            self._grown.notify_all()


class Replication(Training):
    """The training of one experiment under several seeds, whose histories are read at the end.

    It is not urgent: it runs after trainings that visitors see growing.

    Parameters
    ----------
    experiment : Experiment
    seeds : sequence of int
        As for `regviz.replicate`.
    visitor_timeout, visitor, scheduler
        As for `Training`.

    Raises
    ------
    ValueError
        If the experiment cannot be run under these seeds.
    """

    urgent = False

    def __init__(
        self,
        experiment: Experiment,
        seeds: Sequence[int],
        visitor_timeout: float = 10.0,
        visitor: str = "",
        scheduler: Scheduler = SHARED,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        parts = under_seeds(experiment, seeds)
        super().__init__(*parts, visitor_timeout, visitor, scheduler, ended)

    @property
    def share(self) -> float:
        """Fraction of the epochs that are trained, from 0 to 1."""
        return self._n_epochs / self.experiment.training.epochs

    def wait(self, timeout: float) -> list[History] | None:
        """Return each seed's complete history, or None if the training takes longer.

        Parameters
        ----------
        timeout : float
            Maximum wait in seconds.

        Raises
        ------
        RuntimeError
            If the training failed, or stopped without visitors.
        """
        with self._grown:
            self._wait(lambda: False, 0, timeout)
            if self._over and not self._complete:
                raise RuntimeError("the training was stopped, as nobody watched it")
            return self._histories if self._complete else None

    def add(self, histories: list[History]) -> None:
        """Store the histories."""
        self._histories = histories
        self.n_bytes = sum(history.n_bytes for history in histories)
