"""Runs in training, one thread each, and finished ones kept for whoever asks for them next."""

import atexit
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

import torch

from regviz.experiment import Experiment
from regviz.history import History
from regviz.recorder import stream

# Torch's small operations gain nothing from threads of their own, and runs that train at the same
# time would fight for the interpreter: each takes its turn, a recorded frame at a time.
_turn = threading.Semaphore(1)

# The interpreter cannot end while torch computes in a thread: at its end they are stopped first.
_closing = threading.Event()
_threads: set[threading.Thread] = set()


@atexit.register
def _close() -> None:
    _closing.set()
    for thread in list(_threads):
        thread.join(timeout=5)


class Run:
    """The training of one experiment in a thread of its own, watched by any number of visitors.

    Parameters
    ----------
    experiment : Experiment
    patience : float
        Seconds after which a run that nobody watches any more stops training.

    Raises
    ------
    ValueError
        If the experiment cannot be run; nothing is started then.
    """

    def __init__(self, experiment: Experiment, patience: float = 10.0) -> None:
        self.experiment = experiment
        self.patience = patience
        self.error: Exception | None = None
        self._grown = threading.Condition()
        self._watched = time.monotonic()
        self._over = False
        histories = stream(experiment)
        self._history = next(histories)
        thread = threading.Thread(target=self._train, args=(histories,), daemon=True)
        _threads.add(thread)
        thread.start()

    @property
    def alive(self) -> bool:
        """Whether the run is complete or still getting there."""
        return self.error is None and (not self._over or self._history.complete)

    @property
    def n_bytes(self) -> int:
        """Memory that the recording takes, allocated from the start, in bytes."""
        return self._history.n_bytes

    def wait(self, n_frames: int, gather: float = 0.0, timeout: float = 5.0) -> History:
        """The history, as soon as it has more than ``n_frames`` frames, or is over.

        Parameters
        ----------
        n_frames : int
            Frames that the caller has.
        gather : float
            Seconds to wait on for more frames to come along, unless the run completes.
        timeout : float
            Seconds after which to return what there is.

        Raises
        ------
        RuntimeError
            If the training failed.
        """
        start = time.monotonic()
        with self._grown:
            self._watched = start
            while not self._over:
                grown = len(self._history.epochs) > n_frames
                left = start + (gather if grown else timeout) - time.monotonic()
                if left <= 0:
                    break
                self._grown.wait(left)
            if self.error is not None:
                raise RuntimeError("the training failed") from self.error
            return self._history

    def _train(self, histories: Iterator[History]) -> None:
        torch.set_flush_denormal(True)  # decaying weights would end in slow, tiny numbers
        try:
            while time.monotonic() - self._watched < self.patience and not _closing.is_set():
                with _turn:
                    history = next(histories, None)
                if history is None:
                    break
                with self._grown:
                    self._history = history
                    self._grown.notify_all()
        except Exception as error:
            self.error = error
        finally:
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

    def get(self, experiment: Experiment) -> Run:
        """The run of ``experiment``, started if there is none.

        Raises
        ------
        ValueError
            If the experiment cannot be run.
        """
        with self._lock:
            run = self._runs.get(experiment)
            if run is None or not run.alive:
                run = self._runs[experiment] = Run(experiment, self.patience)
            self._runs.move_to_end(experiment)
            while len(self._runs) > 1 and self._n_bytes() > self.max_bytes:
                self._runs.popitem(last=False)
            return run

    def _n_bytes(self) -> int:
        return sum(run.n_bytes for run in self._runs.values())
