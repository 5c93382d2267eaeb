"""The training of one experiment, or of one under several seeds, watched as it goes on."""

import logging
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from regviz.cost import company, memory
from regviz.datasets import Dataset, make_dataset
from regviz.experiment import Experiment
from regviz.history import History
from regviz.packing import Packing
from regviz.recorder import beginnings, histories
from regviz.replicates import under_seeds
from regviz.trainers import HERE, Trainer
from regviz.training import shape

_logger = logging.getLogger("regviz.runs")


@dataclass(frozen=True)
class Work:
    """What is to be trained: an experiment, under several seeds if there are any."""

    experiment: Experiment
    seeds: tuple[int, ...] | None = None

    @cached_property
    def shape(self) -> Hashable:
        """What it has in common with whatever may be trained with it; None if nothing may."""
        return None if self.seeds else shape(self.experiment, make_dataset(self.experiment.data))

    @property
    def company(self) -> int:
        """How many of its shape are worth training at once, itself included."""
        return company(self.experiment)

    def memory(self, n_others: int = 0) -> int:
        """Bytes that it holds from its first turn to its last, trained with others of its shape."""
        return memory(self.experiment, len(self.seeds or (0,)) + n_others)

    def beginnings(self) -> list[History]:
        """The histories with nothing but the initial networks.

        Raises
        ------
        ValueError
            If it cannot be trained.
        """
        return beginnings(*self._parts())

    def stream(
        self,
        pause: Callable[[], None] = lambda: None,
        after_epoch: Callable[[], None] = lambda: None,
        others: Sequence["Work"] = (),
    ) -> Iterator[list[History]]:
        """The histories as they grow, from `beginnings` on.

        Parameters
        ----------
        pause, after_epoch
            As for `training.recordings`.
        others : sequence of Work
            What is trained with it, all of its `shape`: their histories follow its own.
        """
        parts = [work._parts() for work in (self, *others)]
        experiments = [experiment for found, _ in parts for experiment in found]
        datasets = [dataset for _, found in parts for dataset in found]
        return histories(experiments, datasets, after_epoch=after_epoch, pause=pause)

    def _parts(self) -> tuple[list[Experiment], list[Dataset]]:
        if self.seeds is not None:
            return under_seeds(self.experiment, self.seeds)
        return [self.experiment], [make_dataset(self.experiment.data)]

    def describe(self) -> dict[str, Any]:
        """What of it belongs into a log: enough to tell it apart."""
        found: dict[str, Any] = {
            "experiment": self.experiment.id,
            "networks": len(self.experiment.regularizations),
            "epochs": self.experiment.training.epochs,
        }
        return found if self.seeds is None else found | {"seeds": len(self.seeds)}


class Training(ABC):
    """A training in the background, watched by any number of visitors.

    Parameters
    ----------
    work : Work
    patience : float
        Seconds after which a visitor who has not asked for more is taken to have gone. A training
        that nobody watches stops.
    visitor : str
        Who watches from the start.
    urgent : bool
        As for `Job`.
    trainer : Trainer
        Where it is trained.

    Raises
    ------
    ValueError
        If it cannot be trained; nothing is started then.
    """

    n_bytes: int

    def __init__(
        self, work: Work, patience: float, visitor: str, urgent: bool, trainer: Trainer
    ) -> None:
        self.work, self.patience = work, patience
        self.error: Exception | None = None
        # who waits for the end is not woken at every frame
        lock = threading.RLock()
        self._grown, self._ended = threading.Condition(lock), threading.Condition(lock)
        self._visitors = {visitor: time.monotonic()}
        self._waiting = self._n_epochs = 0
        self._over = self._complete = self._given_up = False
        self._listeners: list[Callable[[], None]] = []
        self._asked = time.monotonic()
        self.job = trainer.begin(work, self, urgent)

    @property
    def experiment(self) -> Experiment:
        """What is trained."""
        return self.work.experiment

    @property
    def alive(self) -> bool:
        """Whether the training is complete or still getting there."""
        going_on = not (self._over or self._given_up)
        return self.error is None and (going_on or self._complete)

    @property
    def in_progress(self) -> bool:
        """Whether it trains, or waits for its turn to."""
        return not self._over

    def watch(self, visitor: str) -> bool:
        """Count a visitor as watching, from now on, and forget those who have gone.

        Returns
        -------
        bool
            Whether it is `alive`, so that there is something to watch.
        """
        now = time.monotonic()
        with self._grown:
            seen = self._visitors.items()
            self._visitors = {who: at for who, at in seen if now - at <= self.patience}
            self._visitors[visitor] = now
            return self.alive

    def leave(self, visitor: str) -> None:
        """Take a visitor off the training."""
        with self._grown:
            self._visitors.pop(visitor, None)

    def when_over(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` without arguments once the training is over; at once if it is."""
        with self._grown:
            over = self._over
            if not over:
                self._listeners.append(listener)
        if over:
            listener()

    def wanted(self) -> bool:
        """Whether anybody waits for it or has watched it lately; once nobody does, that is final.

        Who wants it again gets another one: this one may be about to stop.
        """
        with self._grown:
            last = max(self._visitors.values(), default=-math.inf)
            watched = bool(self._waiting) or time.monotonic() - last <= self.patience
            self._given_up |= not watched
            return not self._given_up

    @abstractmethod
    def add(self, recorded: list[History]) -> None:
        """Take in the histories, grown by one recorded epoch; at first the initial networks."""

    def progress(self, n_epochs: int) -> None:
        """Take in how many epochs are done."""
        self._n_epochs = n_epochs

    def end(self, outcome: str, error: Exception | None, seconds: float) -> None:
        """Take in how it ended, let go of whoever waits, and log it."""
        fields = {
            "ms": round(1000 * seconds),
            "waited_ms": round(1000 * (time.monotonic() - self._asked - seconds)),
            "hit": False,
            "outcome": outcome,
        }
        with self._grown:
            self.error, self._complete, self._over = error, outcome == "complete", True
            self._grown.notify_all()
            self._ended.notify_all()
            listeners = self._listeners
        for listener in listeners:
            listener()
        _logger.info("run", extra={"fields": self.work.describe() | fields}, exc_info=error)

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
    patience, visitor, trainer
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
        trainer: Trainer = HERE,
    ) -> None:
        super().__init__(Work(experiment), patience, visitor, True, trainer)

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
            Who asks, and so watches the run.

        Raises
        ------
        RuntimeError
            If the training failed.
        """
        self.watch(visitor)
        with self._grown:
            self._wait(lambda: self._n_frames > n_frames, gather, timeout)
            return self._history

    def add(self, recorded: list[History]) -> None:
        """Take in the history, and pack its new frame."""
        (history,) = recorded
        if not hasattr(self, "packing"):
            self._n_history_bytes = history.n_bytes
            self.packing = Packing(history)
        self.packing.add(history)
        with self._grown:
            self._history, self._n_frames = history, len(self.packing.frames)
            self._grown.notify_all()


class Replication(Training):
    """The training of one experiment under several seeds, of which only the end is of interest.

    It is not urgent. While someone waits for it, it is watched.

    Parameters
    ----------
    experiment : Experiment
    seeds : sequence of int
        As for `regviz.replicate`.
    patience, visitor, trainer
        As for `Training`.

    Raises
    ------
    ValueError
        If the experiment cannot be run under these seeds; nothing is started then.
    """

    def __init__(
        self,
        experiment: Experiment,
        seeds: Sequence[int],
        patience: float = 10.0,
        visitor: str = "",
        trainer: Trainer = HERE,
    ) -> None:
        super().__init__(Work(experiment, tuple(seeds)), patience, visitor, False, trainer)

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

    def add(self, recorded: list[History]) -> None:
        """Take in the histories."""
        self._histories = recorded
        self.n_bytes = sum(history.n_bytes for history in recorded)
