"""Training in threads, a turn each: whose it is, how long it lasts, and when a training stops."""

import atexit
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from regviz.history import History

SLICE = (
    0.02  # seconds: for so long, and the step that it takes to notice, a training keeps its turn
)
HURRY = 5.0  # seconds that an urgent training has taken when it is urgent no longer


class _Turns:
    """Whose turn it is to train: one at a time, the urgent first, else in the order of asking.

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


class Sink(Protocol):
    """Where a training goes to. All are called from a thread of their own."""

    def add(self, recorded: list[History]) -> None:
        """Take in the histories, grown by one recorded epoch."""

    def progress(self, n_epochs: int) -> None:
        """Take in how many epochs are done."""

    def end(self, outcome: str, error: Exception | None, seconds: float) -> None:
        """Take in that it is ``"complete"``, ``"stopped"`` or ``"failed"`` after so much work."""

    def wanted(self) -> bool:
        """Whether anybody still wants it."""


class _Unwanted(Exception):
    """Nobody wants the training any more."""


class Job:
    """A training in a thread of its own.

    Parameters
    ----------
    sink : Sink
    urgent : bool
        Whether it takes its turns before those that are not, until it has trained for `HURRY`: one
        that is long must not keep the others waiting for as long.
    """

    def __init__(self, sink: Sink, urgent: bool) -> None:
        self._sink = sink
        self._urgent = urgent
        self._turn_began = 0.0
        self._n_epochs = 0
        self.seconds = 0.0

    def start(self, recorded: Iterator[list[History]]) -> None:
        """Train: go through what calls `pause` after every step, and `count` after every epoch."""
        thread = threading.Thread(target=self._train, args=(recorded,), daemon=True)
        _threads.add(thread)
        thread.start()

    @property
    def urgent(self) -> bool:
        """Whether it takes its turns first."""
        return self._urgent and self.seconds < HURRY

    def hasten(self) -> None:
        """Make it urgent from its next turn on, if it never was."""
        self._urgent = True

    def count(self) -> None:
        """Count an epoch."""
        self._n_epochs += 1
        self._sink.progress(self._n_epochs)

    def pause(self) -> None:
        """Once in a slice: stop if nobody wants it, and let others have a turn."""
        if time.monotonic() - self._turn_began <= SLICE:
            return
        if _closing.is_set() or not self._sink.wanted():
            raise _Unwanted
        self._give_turn()
        self._take_turn()

    def _take_turn(self) -> None:
        _turns.take(lambda: self.urgent)
        self._turn_began = time.monotonic()

    def _give_turn(self) -> None:
        self.seconds += time.monotonic() - self._turn_began
        _turns.give()

    def _train(self, recorded: Iterator[list[History]]) -> None:
        outcome, failure = "complete", None
        self._take_turn()
        try:
            for each in recorded:
                self._sink.add(each)
        except _Unwanted:
            outcome = "stopped"
        except Exception as error:
            outcome, failure = "failed", error
        finally:
            self._give_turn()
            self._sink.end(outcome, failure, self.seconds)
            _threads.discard(threading.current_thread())
