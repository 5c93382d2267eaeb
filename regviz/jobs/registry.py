"""All trainings of a process: each experiment is trained once, and kept for the next visitor."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from regviz.jobs.run import Replication, Run, Training
from regviz.jobs.scheduler import SHARED, Scheduler
from regviz.spec.experiment import Experiment

Watched = TypeVar("Watched", bound=Training)
# an experiment, with its seeds if there are several
Key = tuple[Experiment, tuple[int, ...] | None]


class Busy(RuntimeError):
    """As much is in training as a server takes on at a time."""


@dataclass(eq=False)
class _Kept:
    """An entry of the cache: a training, or a future one that a thread creates."""

    asked: float
    training: "Future[Any]" = field(default_factory=Future)

    @property
    def n_bytes(self) -> int:
        return int(self.training.result().n_bytes) if self.training.done() else 0

    @property
    def in_progress(self) -> bool:
        return not self.training.done() or bool(self.training.result().in_progress)


class JobRegistry:
    """All trainings of this process. Each experiment is trained once for all who ask for it.

    Parameters
    ----------
    max_bytes : int
        Bound on the recordings that are kept. The least recently used are evicted first, but none
        that is still in training. It is applied when a training begins or ends, and at each
        `tidy`. When those in training alone take as much, no more is taken on.
    max_trainings : int
        Bound on the trainings that are not finished; no more is taken on.
    max_age : float
        Seconds after which an entry that nobody has asked for is evicted at the next `tidy`.
    visitor_timeout : float
        Seconds without a sign after which a visitor is taken to have gone.
    scheduler : Scheduler
        Runs the trainings.

    Attributes
    ----------
    n_started, n_refused : int
        How often a training was started, and how often it was put off.
    """

    def __init__(
        self,
        max_bytes: int = 256 * 2**20,
        max_trainings: int = 120,
        max_age: float = 180.0,
        visitor_timeout: float = 10.0,
        scheduler: Scheduler = SHARED,
    ) -> None:
        self.max_bytes, self.max_trainings = max_bytes, max_trainings
        self.max_age, self.visitor_timeout = max_age, visitor_timeout
        self.scheduler = scheduler
        self.n_started = self.n_refused = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def n_bytes(self) -> int:
        """Memory of all recordings, those in training as they will be."""
        with self._lock:
            return sum(kept.n_bytes for kept in self._kept.values())

    @property
    def n_training(self) -> int:
        """Trainings that are not finished, those that wait to begin included."""
        with self._lock:
            return self._count_training()

    @property
    def full(self) -> bool:
        """Whether no more is taken on at the moment."""
        with self._lock:
            return self._full()

    def get(
        self,
        experiment: Experiment,
        visitor: str = "",
        always: bool = False,
    ) -> Run:
        """Return the run of ``experiment``, started if there is none.

        Parameters
        ----------
        experiment : Experiment
        visitor : str
            The visitor who asks, and so watches it.
        always : bool
            Whether to take it on however busy the server is.

        Raises
        ------
        ValueError
            If the experiment cannot be run.
        Busy
            If too much is in training.
        """
        start = partial(Run, experiment)
        return self._get((experiment, None), visitor, start, always)

    def replicate(
        self, experiment: Experiment, seeds: Sequence[int], visitor: str = ""
    ) -> Replication:
        """Return the training of ``experiment`` under several seeds, started if there is none.

        It stops unless a caller asks for it again every few seconds, or waits for it.

        Parameters
        ----------
        experiment : Experiment
            With ``training.frames = 1`` if only the end is looked at: that takes little memory.
        seeds : sequence of int
            As for `regviz.replicate`.
        visitor : str
            The visitor who asks, and so watches it.

        Raises
        ------
        ValueError
            If the experiment cannot be run under these seeds.
        Busy
            If too much is in training.
        """
        start = partial(Replication, experiment, seeds)
        return self._get((experiment, tuple(seeds)), visitor, start)

    def holds(self, experiment: Experiment) -> bool:
        """Whether the run of ``experiment`` is there and has not stopped."""
        run = self._find(experiment)
        return run is not None and run.alive

    def leave(self, experiment: Experiment, visitor: str) -> None:
        """Take a visitor off the run of ``experiment``, which stops if nobody else watches."""
        if (run := self._find(experiment)) is not None:
            run.leave(visitor)

    def _find(self, experiment: Experiment) -> Run | None:
        """The run of ``experiment``, if there is one that has been created."""
        with self._lock:
            kept = self._kept.get((experiment, None))
        return (
            cast(Run, kept.training.result()) if kept is not None and kept.training.done() else None
        )

    def _get(
        self, key: Key, visitor: str, start: Callable[..., Watched], always: bool = False
    ) -> Watched:
        """The training of a key, started if there is none that goes on or is complete.

        To create one takes some 20 ms, without the lock: only callers with the same key wait.
        """
        training: Watched
        while True:
            with self._lock:
                if key not in self._kept:
                    if not always and self._full():
                        self.n_refused += 1
                        n = self._count_training()
                        raise Busy(f"{n} trainings wait or are under way already")
                    kept = self._kept[key] = _Kept(time.monotonic())
                    break
                kept = self._ask(key)
            if (training := kept.training.result()).watch(visitor):
                return training
            with self._lock:
                if self._kept.get(key) is kept:
                    del self._kept[key]
        try:
            training = start(self.visitor_timeout, visitor, self.scheduler, self._shrink)
        except BaseException as error:
            with self._lock:
                del self._kept[key]
            kept.training.set_exception(error)
            raise
        with self._lock:
            kept.training.set_result(training)
            self.n_started += 1
            self._evict(lambda old: old is not kept)
        return training

    def _ask(self, key: Key) -> _Kept:
        """An entry, which becomes the most recently used."""
        kept = self._kept[key]
        kept.asked = time.monotonic()
        self._kept.move_to_end(key)
        return kept

    def _count_training(self) -> int:
        return sum(kept.in_progress for kept in self._kept.values())

    def _full(self) -> bool:
        in_progress = sum(kept.n_bytes for kept in self._kept.values() if kept.in_progress)
        return self._count_training() >= self.max_trainings or in_progress >= self.max_bytes

    def _evict(self, may_go: Callable[[_Kept], bool]) -> None:
        """Evict least recently used entries until at most `max_bytes` are kept."""
        n_bytes = sum(kept.n_bytes for kept in self._kept.values())
        for key, kept in list(self._kept.items()):
            if n_bytes <= self.max_bytes:
                break
            if may_go(kept) and not kept.in_progress:
                del self._kept[key]
                n_bytes -= kept.n_bytes

    def _shrink(self) -> None:
        """Evict what exceeds the bound; not what a visitor has just asked for, and still loads."""
        now = time.monotonic()
        with self._lock:
            self._evict(lambda kept: now - kept.asked > self.visitor_timeout)

    def tidy(self) -> None:
        """Evict what nobody has asked for since `max_age`, and what exceeds the bound."""
        now = time.monotonic()
        with self._lock:
            for key, kept in list(self._kept.items()):
                if now - kept.asked > self.max_age and not kept.in_progress:
                    del self._kept[key]
        self._shrink()
