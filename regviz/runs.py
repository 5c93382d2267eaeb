"""Runs in training, one thread each, and finished ones kept for whoever asks for them next."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

import torch

from regviz.experiment import Experiment
from regviz.history import History, stream

# Torch's small operations gain nothing from threads of their own, and runs that train at the same
# time would fight for the interpreter: each takes its turn, a recorded frame at a time.
_turn = threading.Semaphore(1)


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
        self._history: History | None = None
        self._grown = threading.Condition()
        self._watched = time.monotonic()
        self._over = False
        histories = stream(experiment)
        threading.Thread(target=self._train, args=(histories,), daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the run is complete or still getting there."""
        return not self._over or (self._history is not None and self._history.complete)

    @property
    def n_bytes(self) -> int:
        """Memory that the recording takes when it is complete, in bytes."""
        history = self._history
        return history.parameters.base.nbytes if history is not None else 0  # type: ignore[union-attr]

    def wait(self, n_frames: int, gather: float = 0.0, timeout: float = 5.0) -> History:
        """The history, as soon as it has more than ``n_frames`` frames, or is over.

        Parameters
        ----------
        n_frames : int
            Frames that the caller has.
        gather : float
            Seconds to wait on for more frames to come along, unless the run completes.
        timeout : float
            Seconds after which to return what there is; the first frame is waited for regardless.

        Raises
        ------
        RuntimeError
            If the training failed.
        """
        start = time.monotonic()
        with self._grown:
            self._watched = start
            while not self._over:
                elapsed = time.monotonic() - start
                grown = self._history is not None and len(self._history.epochs) > n_frames
                if (grown and elapsed >= gather) or (self._history and elapsed >= timeout):
                    break
                self._grown.wait(gather - elapsed if grown else 0.05)
            if self.error is not None:
                raise RuntimeError("the training failed") from self.error
            assert self._history is not None
            return self._history

    def _train(self, histories: Iterator[History]) -> None:
        torch.set_flush_denormal(True)  # decaying weights would end in slow, tiny numbers
        try:
            while time.monotonic() - self._watched < self.patience:
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


class Runs:
    """All runs of this process. The same experiment is trained once, whoever asks for it.

    Parameters
    ----------
    max_bytes : int
        Bound on the recordings that are kept; those asked for longest ago go first.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self.max_bytes = max_bytes
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
            if run is None or not run.alive or run.error is not None:
                run = self._runs[experiment] = Run(experiment)
            self._runs.move_to_end(experiment)
            while len(self._runs) > 1 and self._n_bytes() > self.max_bytes:
                self._runs.popitem(last=False)
            return run

    def _n_bytes(self) -> int:
        return sum(run.n_bytes for run in self._runs.values())
