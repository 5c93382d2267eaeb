"""The training of one experiment, or of one under several seeds, watched as it goes on."""

from collections.abc import Sequence
from typing import Any

from regviz.datasets import make_dataset
from regviz.experiment import Experiment
from regviz.history import History
from regviz.packing import Packing
from regviz.recorder import histories
from regviz.replicates import stream_replicates
from regviz.turns import Training


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

    def _details(self) -> dict[str, Any]:
        return {"seeds": len(self.seeds)}

    def _count(self) -> None:
        self._n_epochs += 1

    def _add(self, recorded: list[History]) -> None:
        self._histories = recorded
