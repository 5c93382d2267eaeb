"""Runs in training, one thread each, and finished ones kept for whoever asks for them next."""

import atexit
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

from regviz.experiment import Experiment
from regviz.history import History
from regviz.packing import Packing
from regviz.recorder import stream

SLICE = 0.02  # seconds: for so long, and the epoch that it takes to notice, a run keeps its turn


class _Turns:
    """Whose turn it is to train: one run at a time, the urgent first, else in the order of asking.

    Torch's small operations gain nothing from several threads, which would fight for the
    interpreter. A plain lock would mostly go back to whoever has just released it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[bool, int]] = []
        self._asked = itertools.count()
        self._taken = False

    def take(self, urgent: bool) -> None:
        me = (not urgent, next(self._asked))
        with self._changed:
            self._waiting.append(me)
            self._changed.wait_for(lambda: not self._taken and min(self._waiting) == me)
            self._waiting.remove(me)
            self._taken = True

    def give(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()


_turns = _Turns()

# The interpreter cannot end while torch computes in a thread: at its end they are stopped first.
_closing = threading.Event()
_threads: set[threading.Thread] = set()


@atexit.register
def _close() -> None:
    _closing.set()
    for thread in list(_threads):
        thread.join(timeout=5)


class _Unwanted(Exception):
    """Nobody watches the run any more."""


class Run:
    """The training of one experiment in a thread of its own, watched by any number of visitors.

    Parameters
    ----------
    experiment : Experiment
    patience : float
        Seconds after which a visitor who has not asked for more is taken to have gone. A run that
        nobody watches stops.
    visitor : str
        Who watches from the start.
    urgent : bool
        Whether it takes its turns before those that are not.
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
        self.experiment = experiment
        self.patience = patience
        self.error: Exception | None = None
        self._grown = threading.Condition()
        self._visitors = {visitor: time.monotonic()}
        self._over = False
        self._turn_began = 0.0
        self._urgent = urgent
        histories = stream(experiment, after_epoch=self._pause)
        self._history = next(histories)
        self.n_bytes = self._history.n_bytes
        self.packing = Packing(self._history, limit)
        self.packing.add(self._history)
        self._n_frames = len(self.packing.frames)
        thread = threading.Thread(target=self._train, args=(histories,), daemon=True)
        _threads.add(thread)
        thread.start()

    @property
    def alive(self) -> bool:
        """Whether the run is complete or still getting there."""
        return self.error is None and (not self._over or self._history.complete)

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
        start = time.monotonic()
        with self._grown:
            self._visitors[visitor] = start
            while not self._over:
                grown = self._n_frames > n_frames
                left = start + (gather if grown else timeout) - time.monotonic()
                if left <= 0:
                    break
                self._grown.wait(left)
            if self.error is not None:
                raise RuntimeError("the training failed") from self.error
            return self._history

    def watch(self, visitor: str) -> None:
        """Count a visitor as watching, from now on."""
        with self._grown:
            self._visitors[visitor] = time.monotonic()

    def leave(self, visitor: str) -> None:
        """Take a visitor off the run."""
        with self._grown:
            self._visitors.pop(visitor, None)

    def _pause(self) -> None:
        """After each epoch: stop if nobody watches, and let others have their turn."""
        with self._grown:
            last = max(self._visitors.values(), default=-self.patience)
        if time.monotonic() - last > self.patience or _closing.is_set():
            raise _Unwanted
        if time.monotonic() - self._turn_began > SLICE:
            _turns.give()
            self._take_turn()

    def _take_turn(self) -> None:
        _turns.take(self._urgent)
        self._turn_began = time.monotonic()

    def _train(self, histories: Iterator[History]) -> None:
        self._take_turn()
        try:
            for history in histories:
                self.packing.add(history)
                with self._grown:
                    self._history, self._n_frames = history, len(self.packing.frames)
                    self._grown.notify_all()
        except _Unwanted:
            pass
        except Exception as error:
            self.error = error
        finally:
            _turns.give()
            with self._grown:
                self._over = True
                self._grown.notify_all()
            _threads.discard(threading.current_thread())


class Runs:
    """All runs of this process. The same experiment is trained once, whoever asks for it.

    Parameters
    ----------
    max_bytes : int
        Bound on the recordings that are kept; those asked for longest ago go first.
    patience : float
        Of each `Run`.
    """

    def __init__(self, max_bytes: int = 256 * 2**20, patience: float = 10.0) -> None:
        self.max_bytes, self.patience = max_bytes, patience
        self._runs: OrderedDict[Experiment, Run] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._runs)

    def get(
        self,
        experiment: Experiment,
        visitor: str = "",
        urgent: bool = True,
        limit: int | None = None,
    ) -> Run:
        """The run of ``experiment``, started if there is none; for the rest see `Run`.

        Raises
        ------
        ValueError
            If the experiment cannot be run.
        """
        with self._lock:
            run = self._runs.get(experiment)
            if run is None or not run.alive:
                run = self._runs[experiment] = Run(
                    experiment, self.patience, visitor, urgent, limit
                )
            run.watch(visitor)
            self._runs.move_to_end(experiment)
            n_bytes = sum(kept.n_bytes for kept in self._runs.values())
            while n_bytes > self.max_bytes and len(self._runs) > 1:
                _, dropped = self._runs.popitem(last=False)
                n_bytes -= dropped.n_bytes
            return run

    def leave(self, experiment: Experiment, visitor: str) -> None:
        """Take a visitor off the run of ``experiment``, which stops if nobody else watches."""
        with self._lock:
            run = self._runs.get(experiment)
        if run is not None:
            run.leave(visitor)
