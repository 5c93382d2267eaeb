"""The training of one experiment, or of one under several seeds, watched as it goes on."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any

from regviz.cost import seconds
from regviz.datasets import Dataset, make_dataset
from regviz.experiment import Experiment
from regviz.history import History
from regviz.packing import Packing
from regviz.recorder import beginnings, histories
from regviz.replicates import under_seeds
from regviz.scheduler import SHARED, Job, Scheduler

_logger = logging.getLogger("regviz.runs")

# A slice ends with the first epoch that is done after so many seconds, which bounds how long a job
# waits for a thread. The largest epoch of the page takes 0.2 s, without the interpreter's lock.
SLICE_SECONDS = 0.02


def describe(experiment: Experiment, n_seeds: int = 1) -> dict[str, Any]:
    """Return the fields by which a log tells a training from others."""
    found: dict[str, Any] = {
        "experiment": experiment.id,
        "networks": len(experiment.regularizations),
        "epochs": experiment.training.epochs,
    }
    return found if n_seeds == 1 else found | {"seeds": n_seeds}


class Training(ABC):
    """A training in the background, watched by any number of visitors.

    Parameters
    ----------
    experiments, datasets
        One experiment, or one under several seeds, each with its points.
    patience : float
        Seconds after which a visitor who has not asked for more is taken to have gone. A training
        that nobody watches stops.
    visitor : str
        The visitor who watches from the start.
    scheduler : Scheduler
        Runs the training.
    ended : callable
        Called without arguments once it is over, however it ends.
    """

    urgent = True  # whether visitors look at it as it grows
    n_bytes: int

    def __init__(
        self,
        experiments: list[Experiment],
        datasets: list[Dataset],
        patience: float,
        visitor: str,
        scheduler: Scheduler,
        ended: Callable[[], None],
    ) -> None:
        self.experiments, self.patience, self._tell_ended = experiments, patience, ended
        self.error: BaseException | None = None
        # waiting for the end does not wake up at every frame
        lock = threading.RLock()
        self._grown, self._ended = threading.Condition(lock), threading.Condition(lock)
        self._visitors = {visitor: time.monotonic()}
        self._waiting = self._n_epochs = 0
        self._over = self._complete = self._given_up = False
        self._asked = time.monotonic()
        self.add(beginnings(experiments, datasets))
        estimate = seconds(experiments[0]) * len(experiments)
        # kept by the scheduler only: a cycle would keep the recording until it is collected
        job = Job(self._train(datasets), self.watchers, self._end, estimate, self.urgent)
        scheduler.submit(job)

    @property
    def experiment(self) -> Experiment:
        """The experiment that is trained; the first of several seeds."""
        return self.experiments[0]

    @property
    def alive(self) -> bool:
        """Whether the training is complete or still getting there."""
        going_on = not (self._over or self._given_up)
        return self.error is None and (going_on or self._complete)

    @property
    def in_progress(self) -> bool:
        """Whether it trains, or waits to."""
        return not self._over

    def watch(self, visitor: str) -> bool:
        """Count a visitor as watching from now on, and return whether it is `alive`."""
        with self._grown:
            self._forget_gone()
            self._visitors[visitor] = time.monotonic()
            return self.alive

    def leave(self, visitor: str) -> None:
        """Remove a visitor from those who watch."""
        with self._grown:
            self._visitors.pop(visitor, None)

    def watchers(self) -> list[str]:
        """Return the visitors who watch it; ``""`` for a caller of `wait` that nobody else joins.

        Once there are none, the training stops, and `watch` returns False.
        """
        with self._grown:
            self._forget_gone()
            found = list(self._visitors) or [""] * bool(self._waiting)
            self._given_up |= not found
            return [] if self._given_up else found

    def _forget_gone(self) -> None:
        oldest = time.monotonic() - self.patience
        self._visitors = {who: at for who, at in self._visitors.items() if at >= oldest}

    @abstractmethod
    def add(self, grown: list[History]) -> None:
        """Take in the histories, grown by recorded epochs; at first the initial networks."""

    def _train(self, datasets: list[Dataset]) -> Generator[None]:
        """Train, and yield after every slice."""
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
        """Wake up all who wait, and log the end."""
        fields = {
            "ms": round(1000 * taken),
            "waited_ms": round(1000 * (time.monotonic() - self._asked - taken)),
            "hit": False,
            "outcome": outcome,
        }
        with self._grown:
            self.error, self._complete, self._over = error, outcome == "complete", True
            self._grown.notify_all()
            self._ended.notify_all()
        described = describe(self.experiment, len(self.experiments))
        _logger.info("run", extra={"fields": described | fields}, exc_info=error)
        self._tell_ended()

    def _wait(self, grown: Callable[[], bool], gather: float, timeout: float) -> None:
        """Wait, with the lock held, until it has grown (and for more), or is over, or too long."""
        start = time.monotonic()
        self._waiting += 1
        try:
            self._grown.wait_for(lambda: self._over or grown(), timeout)
            if grown():
                self._ended.wait_for(lambda: self._over, start + gather - time.monotonic())
        finally:
            self._waiting -= 1
        if self.error is not None:
            raise RuntimeError("the training failed") from self.error


class Run(Training):
    """The training of one experiment, whose recording is seen as it grows.

    Parameters
    ----------
    experiment : Experiment
    patience, visitor, scheduler
        As for `Training`.

    Attributes
    ----------
    packing : Packing
        Of the frames so far.

    Raises
    ------
    ValueError
        If the experiment cannot be run; nothing is started then.
    """

    packing: Packing

    @property
    def n_bytes(self) -> int:  # type: ignore[override]
        """Memory of the whole recording, and of its messages so far."""
        return self._n_history_bytes + self.packing.n_bytes

    def __init__(
        self,
        experiment: Experiment,
        patience: float = 10.0,
        visitor: str = "",
        scheduler: Scheduler = SHARED,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        dataset = make_dataset(experiment.data)
        super().__init__([experiment], [dataset], patience, visitor, scheduler, ended)

    def wait(
        self, n_frames: int, gather: float = 0.0, timeout: float = 5.0, visitor: str = ""
    ) -> History:
        """The history, as soon as more than ``n_frames`` frames are packed, or it is over.

        Parameters
        ----------
        n_frames : int
            Frames that the caller has.
        gather : float
            Seconds to wait on for more frames to come along, unless the run completes.
        timeout : float
            Seconds after which to return what there is.
        visitor : str
            The visitor who asks, and so watches the run.

        Raises
        ------
        RuntimeError
            If the training failed.
        """
        self.watch(visitor)
        with self._grown:
            self._wait(lambda: self._n_frames > n_frames, gather, timeout)
            return self._history

    def add(self, grown: list[History]) -> None:
        """Take in the history, and pack its new frames."""
        (history,) = grown
        if not hasattr(self, "packing"):
            self._n_history_bytes = history.n_bytes
            self.packing = Packing(history)
        self.packing.add(history)
        with self._grown:
            self._history, self._n_frames = history, len(self.packing.frames)
            self._grown.notify_all()


class Replication(Training):
    """The training of one experiment under several seeds, of which only the end is of interest.

    It is not urgent. While a caller waits for it, it is watched.

    Parameters
    ----------
    experiment : Experiment
    seeds : sequence of int
        As for `regviz.replicate`.
    patience, visitor, scheduler
        As for `Training`.

    Raises
    ------
    ValueError
        If the experiment cannot be run under these seeds; nothing is started then.
    """

    urgent = False

    def __init__(
        self,
        experiment: Experiment,
        seeds: Sequence[int],
        patience: float = 10.0,
        visitor: str = "",
        scheduler: Scheduler = SHARED,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        parts = under_seeds(experiment, seeds)
        super().__init__(*parts, patience, visitor, scheduler, ended)

    @property
    def share(self) -> float:
        """Share of the epochs that are trained, from 0 to 1."""
        return self._n_epochs / self.experiment.training.epochs

    def wait(self, timeout: float) -> list[History] | None:
        """Each seed's complete history, or None if they are not complete by then.

        Parameters
        ----------
        timeout : float
            Seconds to wait at most.

        Raises
        ------
        RuntimeError
            If the training failed, or stopped because nobody watched it.
        """
        with self._grown:
            self._wait(lambda: False, 0, timeout)
            if self._over and not self._complete:
                raise RuntimeError("the training was stopped, as nobody watched it")
            return self._histories if self._complete else None

    def add(self, grown: list[History]) -> None:
        """Take in the histories."""
        self._histories = grown
        self.n_bytes = sum(history.n_bytes for history in grown)
