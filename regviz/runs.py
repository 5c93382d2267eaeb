"""Runs in training, one thread each, and finished ones kept for whoever asks for them next."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from regviz.datasets import make_dataset
from regviz.experiment import Experiment
from regviz.history import History
from regviz.packing import Packing
from regviz.recorder import histories
from regviz.replicates import stream_replicates
from regviz.turns import Training

Watched = TypeVar("Watched", bound=Training[Any])
Key = tuple[Experiment, tuple[int, ...] | None]  # seeds of a replication


class Run(Training[History]):
    """The training of one experiment in a thread of its own, whose recording is seen as it grows.

    Parameters
    ----------
    experiment : Experiment
    patience, visitor, urgent
        As for `Training`.
    limit : int or None
        Bytes that its frames may take on their way to a browser, as of `Packing`.

    Attributes
    ----------
    packing : Packing
        Of the frames so far.

    Raises
    ------
    ValueError
        If the experiment cannot be run; nothing is started then.
    """

    def __init__(
        self,
        experiment: Experiment,
        patience: float = 10.0,
        visitor: str = "",
        urgent: bool = True,
        limit: int | None = None,
    ) -> None:
        super().__init__(patience, visitor, urgent)
        self.experiment = experiment
        recorded = histories([experiment], [make_dataset(experiment.data)], pause=self._pause)
        grown = (history for (history,) in recorded)
        self._history = next(grown)
        self.n_bytes = self._history.n_bytes
        self.packing = Packing(self._history, limit)
        self.packing.add(self._history)
        self._n_frames = len(self.packing.frames)
        self._start(grown)

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

    def _add(self, recorded: History) -> None:
        self.packing.add(recorded)
        with self._grown:
            self._history, self._n_frames = recorded, len(self.packing.frames)
            self._grown.notify_all()


class Replication(Training[list[History]]):
    """The training of one experiment under several seeds, of which only the end is of interest.

    It is not urgent. While someone waits for it, it is watched.

    Parameters
    ----------
    experiment : Experiment
    seeds : sequence of int
        As for `regviz.replicate`.
    patience, visitor
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
    ) -> None:
        super().__init__(patience, visitor, urgent=False)
        self.experiment, self.seeds = experiment, tuple(seeds)
        self._n_epochs = 0
        recorded = stream_replicates(experiment, seeds, after_epoch=self._count, pause=self._pause)
        self._histories = next(recorded)
        self.n_bytes = sum(history.n_bytes for history in self._histories)
        self._start(recorded)

    @property
    def progress(self) -> float:
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

    def _count(self) -> None:
        self._n_epochs += 1

    def _add(self, recorded: list[History]) -> None:
        self._histories = recorded


class Runs:
    """All trainings of this process. The same is trained once, whoever asks for it.

    Parameters
    ----------
    max_bytes : int
        Bound on the recordings that are kept; those asked for longest ago go first.
    patience : float
        Seconds without a sign after which a visitor is taken to have gone.
    """

    def __init__(self, max_bytes: int = 256 * 2**20, patience: float = 10.0) -> None:
        self.max_bytes, self.patience = max_bytes, patience
        self._kept: OrderedDict[Key, Any] = OrderedDict()
        self._starting: dict[Key, Future[Any]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(
        self,
        experiment: Experiment,
        visitor: str = "",
        urgent: bool = True,
        limit: int | None = None,
    ) -> Run:
        """The run of ``experiment``, started if there is none; for the rest see `Run`.

        One that is there becomes urgent if this asks for it urgently, and keeps its limit.

        Raises
        ------
        ValueError
            If the experiment cannot be run.
        """
        run = self._get(
            (experiment, None),
            visitor,
            lambda: Run(experiment, self.patience, visitor, urgent, limit),
        )
        if urgent:
            run.hasten()
        return run

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
        """
        return self._get(
            (experiment, tuple(seeds)),
            visitor,
            lambda: Replication(experiment, seeds, self.patience, visitor),
        )

    def _get(
        self,
        key: Key,
        visitor: str,
        start: Callable[[], Watched],
    ) -> Watched:
        """What is kept under a key, started if there is none that goes on or is complete.

        To start takes a while: only those who want the same wait for it.
        """
        with self._lock:
            training: Watched | None = self._kept.get(key)
            if training is not None and training.alive:
                self._kept.move_to_end(key)
                training.watch(visitor)
                return training
            coming: Future[Watched] | None = self._starting.get(key)
            if coming is None:
                started = self._starting[key] = Future()
        if coming is not None:
            training = coming.result()
            training.watch(visitor)
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
        started.set_result(training)
        training.watch(visitor)
        return training

    def _keep(self, key: Key, training: Training[Any]) -> None:
        """Keep it as the one asked for last, and let go of what is then too much."""
        self._kept[key] = training
        self._kept.move_to_end(key)
        n_bytes = sum(kept.n_bytes for kept in self._kept.values())
        while n_bytes > self.max_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            n_bytes -= dropped.n_bytes

    def leave(self, experiment: Experiment, visitor: str) -> None:
        """Take a visitor off the run of ``experiment``, which stops if nobody else watches."""
        with self._lock:
            run = self._kept.get((experiment, None))
        if run is not None:
            run.leave(visitor)
