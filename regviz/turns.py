"""Training in threads, a turn each: whose it is, how long it lasts, and when a training stops."""

import atexit
import itertools
import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from regviz.experiment import Experiment
from regviz.history import History

_logger = logging.getLogger("regviz.runs")

SLICE = (
    0.02  # seconds: for so long, and the step that it takes to notice, a training keeps its turn
)
# Work is told in seconds of a processor: how busy the machine is does not count.
HURRY = 5.0  # seconds of work after which an urgent training is urgent no longer
# Seconds of work after which a training steps back behind all that have done less. Until the last
# of them, those that began first are finished first: taking turns, all would be done late.
STAGES = (1.0, 3.0)
# Share of the room that those that are not urgent may take: a long one of them must not keep what
# somebody looks at from beginning.
SHARE = 0.75
# Seconds that one waits for room once it is missed, and smaller ones pass it by; then those behind
# it wait with it.
OVERDUE = 10.0


Rank = tuple[bool, int, int]  # the least comes first


@dataclass(eq=False)
class _Waiting:
    """One who waits for a turn."""

    rank: Callable[[], Rank]
    fits: Callable[[], bool]  # whether there is room for it to begin
    has_begun: bool
    called: threading.Event = field(default_factory=threading.Event)
    missed: float = math.inf  # when there was no room for it first


class _Turns:
    """Whose turn it is to train: one at a time, and of those who wait the least in rank.

    Torch's small operations gain nothing from several threads, which would fight for the
    interpreter. A plain lock would mostly go back to whoever has just released it. Ranks may change
    while one waits; only who is called wakes up.

    Whoever has begun holds memory until it ends, and takes its turns whatever the others hold. Who
    has not is passed over until there is room for it.

    Attributes
    ----------
    room : float
        Bytes that may be held.
    held : int
        Bytes that are. Only who has the turn changes it.
    """

    def __init__(self) -> None:
        self.room, self.held = math.inf, 0
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._taken = False

    def take(self, rank: Callable[[], Rank], fits: Callable[[], bool] = lambda: True) -> None:
        """Wait for a first turn."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            me = _Waiting(rank, fits, has_begun=False)
            self._waiting.append(me)
        me.called.wait()

    def give(self) -> None:
        """End a turn, and call the next one."""
        with self._lock:
            first = self._first()
            self._taken = first is not None
            if first is not None:
                self._call(first)

    def pass_on(self, rank: Callable[[], Rank]) -> None:
        """End a turn, and wait for the next one, if there is one who comes first."""
        with self._lock:
            first = self._first()
            if first is None or rank() <= first.rank():
                return
            me = _Waiting(rank, lambda: True, has_begun=True)
            self._waiting.append(me)
            self._call(first)
        me.called.wait()

    def _first(self) -> _Waiting | None:
        fitting, overdue, now = [], [], time.monotonic()
        for one in self._waiting:
            if one.has_begun or one.fits():
                fitting.append(one)
                continue
            one.missed = min(one.missed, now)
            if now - one.missed > OVERDUE:
                overdue.append(one.rank())
        if overdue:
            fitting = [one for one in fitting if one.has_begun or one.rank() < min(overdue)]
        return min(fitting, key=lambda one: one.rank(), default=None)

    def _call(self, first: _Waiting) -> None:
        self._waiting.remove(first)
        first.called.set()


_turns = _Turns()


def bound_memory(n_bytes: float) -> None:
    """Let trainings that have begun hold no more, together, than so many bytes, as estimated.

    One that needs more by itself begins when no other is under way; if it is not urgent, some room
    is left beside it for those that are.
    """
    _turns.room = n_bytes


_places = itertools.count()

# Those that have not had a turn yet, in the order in which they were started.
_not_begun: list["Job"] = []
_not_begun_lock = threading.Lock()

# The interpreter cannot end while torch computes in a thread: at its end they are stopped first.
_closing = threading.Event()
_threads: set[threading.Thread] = set()


@atexit.register
def _close() -> None:
    _closing.set()
    for thread in list(_threads):
        thread.join(timeout=5)


class Streaming(Protocol):
    """What can be trained: see `regviz.run.Work`."""

    @property
    def experiment(self) -> Experiment: ...  # noqa: D102

    @property
    def seeds(self) -> tuple[int, ...] | None: ...  # noqa: D102

    @property
    def shape(self) -> Hashable: ...  # noqa: D102

    @property
    def company(self) -> int: ...  # noqa: D102

    def memory(self, n_others: int = ...) -> int: ...  # noqa: D102

    def beginnings(self) -> list[History]: ...  # noqa: D102

    def stream(  # noqa: D102
        self,
        pause: Callable[[], None] = ...,
        after_epoch: Callable[[], None] = ...,
        others: Sequence[Any] = ...,
    ) -> Iterator[list[History]]: ...


class Sink(Protocol):
    """Where a training goes to. All are called from a thread of their own."""

    def add(self, recorded: list[History]) -> None:
        """Take in the histories, grown by one recorded epoch."""

    def progress(self, n_epochs: int) -> None:
        """Take in how many epochs are done."""

    def end(self, outcome: str, error: Exception | None, seconds: float) -> None:
        """Take in that it is ``"complete"``, ``"stopped"`` or ``"failed"``, and its work so far."""

    def wanted(self) -> bool:
        """Whether anybody still wants it."""


def end(sink: Sink, outcome: str, error: Exception | None, seconds: float) -> None:
    """Tell the end; if that fails, others are to hear of theirs all the same."""
    try:
        sink.end(outcome, error, seconds)
    except Exception:
        _logger.exception("the end of a training was not taken in")


class _Unwanted(Exception):
    """Nobody wants the training any more."""


class Job:
    """A training in a thread of its own, which takes along those like it that have not begun.

    A program of several takes little longer than one of one: where much waits, it waits for less.
    It keeps its size to the end, also when some of them are not wanted any more.

    Parameters
    ----------
    work : Streaming
    sink : Sink
    urgent : bool
        Whether it takes its turns before those that are not, until it has trained for `HURRY`: one
        that is long must not keep the others waiting for as long. Among equals, what has trained
        least comes first, by `STAGES`.
    """

    def __init__(self, work: Streaming, sink: Sink, urgent: bool) -> None:
        self._work, self._sink = work, sink
        self._urgent = urgent
        self._turn_began = self._worked = 0.0
        self._n_epochs = 0
        self._stage, self._place = 0, next(_places)
        self._n_together, self._work_done = 1, 0.0
        self._aboard = {0: self}  # those that are wanted, by the place of their histories
        self._leader = self  # who trains it
        self._taken_along = False
        self._memory, self._held = work.memory(), 0
        self.seconds = 0.0

    def start(self) -> None:
        """Begin to train once it is its turn.

        Raises
        ------
        RuntimeError
            If the system has no thread for it; nothing is begun then.
        """
        thread = threading.Thread(target=self._train, daemon=True)
        with _not_begun_lock:
            thread.start()
            _threads.add(thread)
            _not_begun.append(self)

    @property
    def urgent(self) -> bool:
        """Whether it takes its turns first."""
        leader = self._leader
        return leader.seconds < HURRY and any(job._urgent for job in leader._aboard.values())

    def hasten(self) -> None:
        """Make it urgent from its next turn on, if it never was."""
        self._urgent = True

    def count(self) -> None:
        """Count an epoch."""
        self._n_epochs += 1
        for job in self._aboard.values():
            job._sink.progress(self._n_epochs)

    def pause(self) -> None:
        """Once in a slice: stop if nobody wants it, and let others have a turn."""
        if time.monotonic() - self._turn_began <= SLICE:
            return
        self._let_go()
        self._count_turn()
        _turns.pass_on(self._rank)
        self._begin_turn()
        self._let_go()

    def _let_go(self) -> None:
        """End what nobody wants, and stop if that is all of it."""
        wanted = {
            place: job
            for place, job in self._aboard.items()
            if job._sink.wanted() and not _closing.is_set()
        }
        if not wanted:
            raise _Unwanted
        gone = [job for place, job in self._aboard.items() if place not in wanted]
        self._aboard = wanted
        for job in gone:
            self._end(job, "stopped")

    def _rank(self) -> Rank:
        if self._taken_along or not any(job._sink.wanted() for job in self._aboard.values()):
            return False, -1, self._place  # which takes no time, and lets go of what it holds
        return not self.urgent, self._stage, self._place

    def _most(self) -> float:
        """Bytes that may be held where it begins."""
        return _turns.room * (1 if self.urgent else SHARE)

    def _need(self, memory: int) -> int:
        """Bytes that count as held; what is larger than all room counts as if it filled it."""
        return int(min(memory, self._most()))

    def _fits(self) -> bool:
        """Whether there is room for it to begin."""
        fits = _turns.held + self._need(self._memory) <= self._most()
        return fits or self._rank()[1] < 0  # what ends at once needs none

    def _begin_turn(self) -> None:
        self._turn_began, self._worked = time.monotonic(), time.thread_time()

    def _count_turn(self) -> None:
        """Add what the turn took, shared among those who want it.

        Stages go by the share of all who began: who is left in a company is not to be late for it.
        """
        taken = time.thread_time() - self._worked
        self.seconds += taken / len(self._aboard)
        self._work_done += taken / self._n_together
        stage = sum(self._work_done >= end for end in STAGES)
        if stage > self._stage or stage == len(STAGES):
            self._stage, self._place = stage, next(_places)

    def _gather(self) -> list["Job"]:
        """Those to be taken along, which then do not begin by themselves."""
        alike: list[Job] = []
        if self._work.company > 1 and self._work.shape is not None:
            with _not_begun_lock:
                waiting = [job for job in _not_begun if job.urgent == self.urgent]
            for job in waiting:
                n = len(alike) + 1
                if n == self._work.company:
                    break
                if job._work.shape == self._work.shape and job._sink.wanted():
                    if _turns.held + self._work.memory(n) > self._most():
                        break
                    alike.append(job)
            with _not_begun_lock:
                for job in alike:
                    _not_begun.remove(job)
                    job._leader, job._taken_along = self, True
        return alike

    def _train(self) -> None:
        _turns.take(self._rank, self._fits)
        self._begin_turn()
        if self._taken_along:
            _turns.give()
        else:
            with _not_begun_lock:
                _not_begun.remove(self)
            self._train_all()
        _threads.discard(threading.current_thread())

    def _train_all(self) -> None:
        """Train it and what it takes along, and tell how that ended."""
        outcome, failure = "complete", None
        try:
            self._let_go()
            self._stream()
        except _Unwanted:
            outcome = "stopped"
        except Exception as error:
            outcome, failure = "failed", error
            traceback.clear_frames(error.__traceback__)  # which hold what was trained
        finally:
            self._count_turn()
            _turns.held -= self._held
            _turns.give()
            ended, self._aboard = self._aboard, {}  # and keep nothing of what the others hold
            for job in ended.values():
                self._end(job, outcome, failure)

    def _stream(self) -> None:
        others = self._gather()
        self._held = self._need(self._work.memory(len(others)))
        _turns.held += self._held
        if others:
            self._n_together = 1 + len(others)
            self._aboard = dict(enumerate([self, *others]))
        recorded = self._work.stream(self.pause, self.count, [job._work for job in others])
        next(recorded)  # whoever began it knows the initial networks
        for histories in recorded:
            self._add(histories)

    def _add(self, recorded: list[History]) -> None:
        if self._n_together == 1:
            self._sink.add(recorded)
            return
        failed: dict[int, Exception] = {}
        for place, job in self._aboard.items():
            try:
                job._sink.add([recorded[place]])
            except Exception as error:
                failed[place] = error
        for place, failure in failed.items():
            if len(self._aboard) == 1:
                raise failure
            job = self._aboard[place]
            self._aboard = {n: other for n, other in self._aboard.items() if n != place}
            self._end(job, "failed", failure)

    def _end(self, job: "Job", outcome: str, failure: Exception | None = None) -> None:
        job._leader, job.seconds = job, self.seconds
        end(job._sink, outcome, failure, self.seconds)
