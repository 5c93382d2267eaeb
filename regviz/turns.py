"""Training in the background: whose turn it is, who watches it, and when it stops."""

import atexit
import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from regviz.experiment import Experiment

Recorded = TypeVar("Recorded")
_logger = logging.getLogger("regviz.runs")
SLICE = 0.02  # seconds: for so long, and the step that it takes to notice, a run keeps its turn
HURRY = 5.0  # seconds that an urgent run has trained for when it is urgent no longer


class _Turns:
    """Whose turn it is to train: one run at a time, the urgent first, else in the order of asking.

    Torch's small operations gain nothing from several threads, which would fight for the
    interpreter. A plain lock would mostly go back to whoever has just released it. What is urgent
    may change while it waits.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, Callable[[], bool]]] = []
        self._asked = itertools.count()
        self._taken = False

    def take(self, urgent: Callable[[], bool]) -> None:
        me = (next(self._asked), urgent)
        with self._changed:
            self._waiting.append(me)
            self._changed.wait_for(lambda: not self._taken and self._first() is me)
            self._waiting.remove(me)
            self._taken = True

    def _first(self) -> tuple[int, Callable[[], bool]]:
        return min(self._waiting, key=lambda one: (not one[1](), one[0]))

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


class Training(ABC, Generic[Recorded]):
    """A training in a thread of its own, watched by any number of visitors.

    Parameters
    ----------
    patience : float
        Seconds after which a visitor who has not asked for more is taken to have gone. A training
        that nobody watches stops.
    visitor : str
        Who watches from the start.
    urgent : bool
        Whether it takes its turns before those that are not, until it has trained for `HURRY`: one
        that is long must not keep the others waiting for as long.

    Attributes
    ----------
    trained : float
        Seconds of its turns so far.
    """

    experiment: Experiment
    n_bytes: int

    def __init__(self, patience: float, visitor: str, urgent: bool) -> None:
        self.patience = patience
        self.error: Exception | None = None
        self._grown = threading.Condition()
        self._visitors = {visitor: time.monotonic()}
        self._waiting = 0
        self._over = self._complete = False
        self._turn_began = 0.0
        self._urgent = urgent
        self._asked = time.monotonic()
        self.trained = 0.0

    def _start(self, recorded: Iterator[Recorded]) -> None:
        thread = threading.Thread(target=self._train, args=(recorded,), daemon=True)
        _threads.add(thread)
        thread.start()

    @property
    def alive(self) -> bool:
        """Whether the training is complete or still getting there."""
        return self.error is None and (not self._over or self._complete)

    @property
    def in_progress(self) -> bool:
        """Whether it trains, or waits for its turn to."""
        return not self._over

    @property
    def urgent(self) -> bool:
        """Whether it takes its turns first."""
        return self._urgent and self.trained < HURRY

    def hasten(self) -> None:
        """Make it urgent from its next turn on, if it never was."""
        self._urgent = True

    def watch(self, visitor: str) -> None:
        """Count a visitor as watching, from now on, and forget those who have gone."""
        now = time.monotonic()
        with self._grown:
            seen = self._visitors.items()
            self._visitors = {who: at for who, at in seen if now - at <= self.patience}
            self._visitors[visitor] = now

    def leave(self, visitor: str) -> None:
        """Take a visitor off the training."""
        with self._grown:
            self._visitors.pop(visitor, None)

    @abstractmethod
    def _add(self, recorded: Recorded) -> None:
        """Take in what the training has come to."""

    def _wait(self, grown: Callable[[], bool], gather: float, timeout: float) -> None:
        """Wait, with the lock held, until it has grown (and for more), or is over, or too long."""
        start = time.monotonic()
        self._waiting += 1
        try:
            while not self._over:
                left = start + (gather if grown() else timeout) - time.monotonic()
                if left <= 0:
                    break
                self._grown.wait(left)
        finally:
            self._waiting -= 1
        if self.error is not None:
            raise RuntimeError("the training failed") from self.error

    def _pause(self) -> None:
        """After each step, once in a slice: stop if nobody watches, and let others have a turn."""
        if time.monotonic() - self._turn_began <= SLICE:
            return
        with self._grown:
            last = max(self._visitors.values(), default=-self.patience)
            unwatched = not self._waiting and time.monotonic() - last > self.patience
        if unwatched or _closing.is_set():
            raise _Unwanted
        self._give_turn()
        self._take_turn()

    def _take_turn(self) -> None:
        _turns.take(lambda: self.urgent)
        self._turn_began = time.monotonic()

    def _give_turn(self) -> None:
        self.trained += time.monotonic() - self._turn_began
        _turns.give()

    def _train(self, recorded: Iterator[Recorded]) -> None:
        self._take_turn()
        try:
            for each in recorded:
                self._add(each)
            self._complete = True
        except _Unwanted:
            pass
        except Exception as error:
            self.error = error
        finally:
            self._give_turn()
            self._log()
            with self._grown:
                self._over = True
                self._grown.notify_all()
            _threads.discard(threading.current_thread())

    def _log(self) -> None:
        failed = "failed" if self.error is not None else "stopped"
        fields = (
            describe(self.experiment)
            | self._details()
            | {
                "ms": round(1000 * self.trained),
                "waited_ms": round(1000 * (time.monotonic() - self._asked - self.trained)),
                "hit": False,
                "outcome": "complete" if self._complete else failed,
            }
        )
        _logger.info("run", extra={"fields": fields}, exc_info=self.error)

    def _details(self) -> dict[str, Any]:
        """What else of it belongs into the log."""
        return {}


def describe(experiment: Experiment) -> dict[str, Any]:
    """What of an experiment belongs into a log: no more than who sees it needs to tell it apart."""
    return {
        "experiment": experiment.id,
        "networks": len(experiment.regularizations),
        "epochs": experiment.training.epochs,
    }
