"""All trainings of a process: the same is trained once, and kept for whoever asks for it next."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from regviz.experiment import Experiment
from regviz.run import Replication, Run, Training
from regviz.trainers import HERE, Trainer

Watched = TypeVar("Watched", bound=Training)
# an experiment, with its seeds if there are several
Key = tuple[Experiment, tuple[int, ...] | None]


class Busy(RuntimeError):
    """As much is in training as a server takes on at a time."""


@dataclass
class _Kept:
    """What is there for whoever asks next."""

    what: Any  # a Training
    asked: float

    @property
    def n_bytes(self) -> int:
        return int(self.what.n_bytes)

    @property
    def in_progress(self) -> bool:
        return bool(self.what.in_progress)


class Runs:
    """All trainings of this process. The same is trained once, whoever asks for it.

    Parameters
    ----------
    max_bytes : int
        Bound on the recordings that are kept; those asked for longest ago go first, but none that
        is still in training. It is applied when a training begins, when one ends and at each
        `tidy`. When those in training alone take as much, no more is taken on.
    max_trainings : int
        Bound on the trainings that are not finished; no more is taken on.
    max_age : float
        Seconds after which what nobody has asked for goes at the next `tidy`.
    patience : float
        Seconds without a sign after which a visitor is taken to have gone.
    trainer : Trainer
        Where is trained.

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
        patience: float = 10.0,
        trainer: Trainer = HERE,
    ) -> None:
        self.trainer = trainer
        self.max_bytes, self.max_trainings = max_bytes, max_trainings
        self.max_age, self.patience = max_age, patience
        self.n_started = self.n_refused = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._starting: dict[Key, Future[Any]] = {}
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
        """Trainings that are not finished, those that wait for their turn included."""
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
        """The run of ``experiment``, started if there is none; for the rest see `Run`.

        With ``always`` it is taken on however busy the server is.

        Raises
        ------
        ValueError
            If the experiment cannot be run.
        Busy
            If too much is in training.
        """
        return self._get(
            (experiment, None),
            visitor,
            lambda: Run(experiment, self.patience, visitor, self.trainer),
            always,
        )

    def replicate(
        self, experiment: Experiment, seeds: Sequence[int], visitor: str = ""
    ) -> Replication:
        """The training of ``experiment`` under several seeds, started if there is none.

        Whoever wants it asks again every few seconds, or waits: it stops if nobody does.

        Parameters
        ----------
        experiment : Experiment
            With ``training.frames = 1`` if only the end is looked at: that takes little memory.
        seeds : sequence of int
            As for `regviz.replicate`.
        visitor : str
            Who asks, and so watches it.

        Raises
        ------
        ValueError
            If the experiment cannot be run under these seeds.
        Busy
            If too much is in training.
        """
        return self._get(
            (experiment, tuple(seeds)),
            visitor,
            lambda: Replication(experiment, seeds, self.patience, visitor, self.trainer),
        )

    def holds(self, experiment: Experiment) -> bool:
        """Whether the run of ``experiment`` is there or on its way."""
        with self._lock:
            kept = self._kept.get((experiment, None))
        return kept is not None and kept.what.alive

    def _get(
        self,
        key: Key,
        visitor: str,
        start: Callable[[], Watched],
        always: bool = False,
    ) -> Watched:
        """What is kept under a key, started if there is none that goes on or is complete.

        To start takes a while: only those who want the same wait for it.
        """
        training: Watched
        while True:
            with self._lock:
                if key in self._kept and (training := self._ask(key).what).watch(visitor):
                    return training
                coming: Future[Watched] | None = self._starting.get(key)
                if coming is None:
                    if not always and self._full():
                        self.n_refused += 1
                        n = self._count_training()
                        raise Busy(f"{n} trainings wait or are under way already")
                    started = self._starting[key] = Future()
                    break
            if (training := coming.result()).watch(visitor):
                return training
        try:
            training = start()
        except BaseException as error:
            with self._lock:
                del self._starting[key]
            started.set_exception(error)
            raise
        with self._lock:
            del self._starting[key]
            self._keep(key, training)
            self.n_started += 1
        started.set_result(training)
        training.watch(visitor)
        training.when_over(self._shrink)
        return training

    def _ask(self, key: Key) -> _Kept:
        kept = self._kept[key]
        kept.asked = time.monotonic()
        self._kept.move_to_end(key)
        return kept

    def _count_training(self) -> int:
        return len(self._starting) + sum(kept.in_progress for kept in self._kept.values())

    def _full(self) -> bool:
        in_progress = sum(kept.n_bytes for kept in self._kept.values() if kept.in_progress)
        return self._count_training() >= self.max_trainings or in_progress >= self.max_bytes

    def _keep(self, key: Key, what: Training) -> None:
        """Keep it as what was asked for last, and let go of what is then too much."""
        self._kept[key] = _Kept(what, time.monotonic())
        self._kept.move_to_end(key)
        self._evict(lambda old, _: old != key)

    def _evict(self, may_go: Callable[[Key, _Kept], bool]) -> None:
        """Evict least recently used entries until at most `max_bytes` are kept."""
        n_bytes = sum(kept.n_bytes for kept in self._kept.values())
        for key, kept in list(self._kept.items()):
            if n_bytes <= self.max_bytes:
                break
            if may_go(key, kept) and not kept.in_progress:
                del self._kept[key]
                n_bytes -= kept.n_bytes

    def _shrink(self) -> None:
        """Evict what exceeds the bound; not what a visitor has just asked for, and still loads."""
        now = time.monotonic()
        with self._lock:
            self._evict(lambda _, kept: now - kept.asked > self.patience)

    def tidy(self) -> None:
        """Evict what nobody has asked for since `max_age`, and what exceeds the bound."""
        now = time.monotonic()
        with self._lock:
            for key, kept in list(self._kept.items()):
                if now - kept.asked > self.max_age and not kept.in_progress:
                    del self._kept[key]
        self._shrink()

    def leave(self, experiment: Experiment, visitor: str) -> None:
        """Take a visitor off the run of ``experiment``, which stops if nobody else watches."""
        with self._lock:
            kept = self._kept.get((experiment, None))
        if kept is not None:
            kept.what.leave(visitor)
