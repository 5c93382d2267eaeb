"""Cache of the trainings of a process, in which each experiment is trained once."""

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

AnyTraining = TypeVar("AnyTraining", bound=Training)
# an experiment, and the seeds of a `Replication`
Key = tuple[Experiment, tuple[int, ...] | None]


class Busy(RuntimeError):
    """The limit on unfinished trainings is reached."""


@dataclass(eq=False)
class _Entry:
    """An entry of the cache: the future of a training, and the `time.monotonic` of its last use."""

    last_used: float
    training: "Future[Any]" = field(default_factory=Future)

    @property
    def n_bytes(self) -> int:
        return int(self.training.result().n_bytes) if self.training.done() else 0

    @property
    def in_progress(self) -> bool:
        return not self.training.done() or bool(self.training.result().in_progress)


class JobRegistry:
    """Cache of trainings with least-recently-used eviction. Visitors share the same experiment's.

    Parameters
    ----------
    max_bytes : int
        Bound on the memory of all recordings, in bytes. When a training begins or ends, and at each
        `evict_expired`, the least recently used finished trainings beyond it are evicted. New
        trainings are refused while unfinished ones alone reach it.
    max_trainings : int
        Bound on unfinished trainings; further ones are refused.
    max_age : float
        Seconds after its last use until `evict_expired` evicts a finished training.
    visitor_timeout : float
        Seconds after a visitor's last call until the visitor no longer counts as watching.
    scheduler : Scheduler
        Runs the trainings.

    Attributes
    ----------
    n_started : int
        Number of trainings that were started.
    n_refused : int
        Number of trainings that were refused by `Busy`.
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
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def n_bytes(self) -> int:
        """Memory of all recordings in bytes; of unfinished ones, their final size."""
        with self._lock:
            return sum(entry.n_bytes for entry in self._entries.values())

    @property
    def n_training(self) -> int:
        """Number of unfinished trainings, waiting ones included."""
        with self._lock:
            return self._count_training()

    @property
    def full(self) -> bool:
        """Whether a new training would be refused."""
        with self._lock:
            return self._full()

    def get(
        self,
        experiment: Experiment,
        visitor: str = "",
        always: bool = False,
    ) -> Run:
        """Return the run of an experiment, and start it if there is none.

        Parameters
        ----------
        experiment : Experiment
        visitor : str
            Name of the calling visitor, who counts as watching from now on.
        always : bool
            Whether to start a run even beyond the limits.

        Raises
        ------
        ValueError
            If the experiment cannot be run.
        Busy
            If a limit is reached and ``always`` is False.
        """
        start = partial(Run, experiment)
        return self._get((experiment, None), visitor, start, always)

    def replicate(
        self, experiment: Experiment, seeds: Sequence[int], visitor: str = ""
    ) -> Replication:
        """Return the training of an experiment under several seeds, and start it if there is none.

        It stops if it is neither requested again within `visitor_timeout` nor waited for.

        Parameters
        ----------
        experiment : Experiment
            With ``training.frames = 1`` only the end is recorded, which takes less memory.
        seeds : sequence of int
            As for `regviz.replicate`.
        visitor : str
            Name of the calling visitor, who counts as watching from now on.

        Raises
        ------
        ValueError
            If the experiment cannot be run under these seeds.
        Busy
            If a limit is reached.
        """
        start = partial(Replication, experiment, seeds)
        return self._get((experiment, tuple(seeds)), visitor, start)

    def holds(self, experiment: Experiment) -> bool:
        """Return whether there is a run of ``experiment`` that has neither stopped nor failed."""
        run = self._find(experiment)
        return run is not None and run.alive

    def leave(self, experiment: Experiment, visitor: str) -> None:
        """Remove a visitor from the run of ``experiment``, which stops if it has no other."""
        if (run := self._find(experiment)) is not None:
            run.leave(visitor)

    def _find(self, experiment: Experiment) -> Run | None:
        """Return the run of ``experiment``, or None if there is none or it is being created."""
        with self._lock:
            entry = self._entries.get((experiment, None))
        return (
            cast(Run, entry.training.result())
            if entry is not None and entry.training.done()
            else None
        )

    def _get(
        self, key: Key, visitor: str, start: Callable[..., AnyTraining], always: bool = False
    ) -> AnyTraining:
        """Return the training of a key, and start it if there is none that runs or is complete.

        Creating a training takes 20 ms. It happens outside the lock, so that only callers with the
        same key wait.
        """
        training: AnyTraining
        while True:
            with self._lock:
                if key not in self._entries:
                    if not always and self._full():
                        self.n_refused += 1
                        n = self._count_training()
                        raise Busy(f"{n} trainings wait or are under way already")
                    entry = self._entries[key] = _Entry(time.monotonic())
                    break
                entry = self._use(key)
            if (training := entry.training.result()).watch(visitor):
                return training
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
        try:
            training = start(self.visitor_timeout, visitor, self.scheduler, self._shrink)
        except BaseException as error:
            with self._lock:
                del self._entries[key]
            entry.training.set_exception(error)
            raise
        with self._lock:
            entry.training.set_result(training)
            self.n_started += 1
            self._evict(lambda old: old is not entry)
        return training

    def _use(self, key: Key) -> _Entry:
        """Return the entry of a key, and mark it as the most recently used."""
        entry = self._entries[key]
        entry.last_used = time.monotonic()
        self._entries.move_to_end(key)
        return entry

    def _count_training(self) -> int:
        return sum(entry.in_progress for entry in self._entries.values())

    def _full(self) -> bool:
        in_progress = sum(entry.n_bytes for entry in self._entries.values() if entry.in_progress)
        return self._count_training() >= self.max_trainings or in_progress >= self.max_bytes

    def _evict(self, may_evict: Callable[[_Entry], bool]) -> None:
        """Evict least recently used finished entries until at most `max_bytes` are kept."""
        n_bytes = sum(entry.n_bytes for entry in self._entries.values())
        for key, entry in list(self._entries.items()):
            if n_bytes <= self.max_bytes:
                break
            if may_evict(entry) and not entry.in_progress:
                del self._entries[key]
                n_bytes -= entry.n_bytes

    def _shrink(self) -> None:
        """Evict entries beyond `max_bytes`, except those that a browser may still be loading."""
        now = time.monotonic()
        with self._lock:
            self._evict(lambda entry: now - entry.last_used > self.visitor_timeout)

    def evict_expired(self) -> None:
        """Evict finished entries unused for `max_age`, then others beyond `max_bytes`."""
        now = time.monotonic()
        with self._lock:
            for key, entry in list(self._entries.items()):
                if now - entry.last_used > self.max_age and not entry.in_progress:
                    del self._entries[key]
        self._shrink()
