"""Studies in the background: their queue, the visitors who watch them, and their results so far."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from regviz.jobs.registry import Busy
from regviz.studies.cell import Cell
from regviz.studies.cost import cell_seconds, cost_of
from regviz.studies.errors import StudyError
from regviz.studies.progress import share_left
from regviz.studies.result import StudyResult
from regviz.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa

State = Literal["waiting", "running", "complete", "stopped", "failed"]

_logger = logging.getLogger("regviz.runs")


class StudyRun:
    """A study in the background, and the tables of its cells that are done.

    Parameters
    ----------
    study : Study
    visitor : str
        Name of the visitor who watches from the start.
    is_present : callable
        ``is_present(visitor)`` returns whether a visitor is still connected. A study that no
        visitor watches who is present stops.

    Attributes
    ----------
    state : {"waiting", "running", "complete", "stopped", "failed"}
    error : str
        The reason of a failed study; empty otherwise.
    note : str
        A message about a delay, such as a cluster that does not respond; empty without one.
    n_cells : int
        Number of the study's cells.
    n_workers : int
        Number of threads that compute cells, as far as is known.
    """

    def __init__(self, study: Study, visitor: str, is_present: Callable[[str], bool]) -> None:
        self.study, self.n_cells, self.n_workers = study, len(study.cells), 1
        self.state: State = "waiting"
        self.error = self.note = ""
        self._visitors = frozenset([visitor])
        self._is_present = is_present
        self._tables: dict[int, pa.Table | None] = {}  # None once `_result` has all of them
        self._result: StudyResult | None = None  # of the cells that were done at the last look
        self._failures: dict[int, str] = {}
        self._n_taken, self._returned = 0, list[int]()
        self._in_progress = set[int]()
        self._claimed = False
        self._cost, self._cost_done = study.cost().seconds, 0.0
        self._n_counted = 0  # cells in `_cost_done`
        self._began = 0.0
        # the innermost lock: nothing else is called while it is held
        self._lock = threading.Lock()

    @property
    def n_done(self) -> int:
        """Number of cells that are done."""
        return len(self._tables)

    @property
    def idle(self) -> bool:
        """Whether no cell is being computed."""
        return not (self._in_progress or self._claimed)

    @property
    def n_bytes(self) -> int:
        """Memory of the tables in bytes, that of `result` included."""
        with self._lock:
            tables = [table for table in self._tables.values() if table is not None]
            result = self._result
        n_bytes = sum(int(table.nbytes) for table in tables)
        return n_bytes if result is None else n_bytes + result.n_bytes

    @property
    def unfinished(self) -> bool:
        """Whether the study is computed, or waits for it."""
        return self.state in ("waiting", "running")

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time left, in seconds; None before the first cell is done."""
        with self._lock:
            if not self._n_counted or not self._began:
                return None
            n_left = self.n_cells - len(self._tables) - len(self._failures)
            passed = time.monotonic() - self._began
            return passed * share_left(
                self._cost, self._cost_done, self._n_counted, n_left, self.n_workers
            )

    def is_watched_by(self, visitor: str) -> bool:
        """Return whether a visitor has the study open and has not stopped it."""
        return visitor in self._visitors

    def watchers(self) -> list[str]:
        """Return the names of the visitors who watch an unfinished study and are present.

        No lock is taken: a scheduler calls this with its own lock held.
        """
        return [name for name in self._visitors if self._is_present(name)] * self.unfinished

    def watch(self, visitor: str) -> None:
        """Count a visitor as watching."""
        with self._lock:
            self._visitors |= {visitor}

    def leave(self, visitor: str) -> None:
        """Remove a visitor."""
        with self._lock:
            self._visitors -= {visitor}

    def result(self) -> StudyResult:
        """Return the cells that are done, as a result; the same object while they are the same."""
        with self._lock:
            if self._result is not None and self._result.n_done == len(self._tables):
                return self._result
            tables = {at: table for at, table in self._tables.items() if table is not None}
        result = StudyResult.of(self.study, tables)
        with self._lock:
            if self._result is None or self._result.n_done < result.n_done:
                self._result = result
            if result.complete:
                self._tables = dict.fromkeys(self._tables)
        return result

    def begin(self) -> None:
        """Note that the study is computed from now on."""
        if self.state == "waiting":
            self.state, self._began = "running", time.monotonic()

    def resume(self, visitor: str) -> None:
        """Wait in the queue again for a visitor, with the cells that are done."""
        with self._lock:
            done = set(self._tables)
        missing = [index for index in range(self.n_cells) if index not in done]
        cost = cost_of(self.study, missing).seconds
        with self._lock:
            # others who have not left since the study ended still have it open
            self._visitors |= {visitor}
            self.state, self.error, self.note = "waiting", "", ""
            self._returned += self._failures
            self._failures.clear()
            self._cost, self._began, self._cost_done = cost, 0.0, 0.0
            self._n_counted = 0

    def claim(self) -> bool:
        """Return whether nobody computes the study as a whole; the caller does from now on."""
        with self._lock:
            claimed, self._claimed = self._claimed, True
            return not claimed

    def release(self) -> None:
        """End what `claim` began."""
        self._claimed = False

    def take(self, most: int | None = None) -> tuple[int, Cell] | None:
        """Return a cell to compute and its index, and count it as in progress.

        None without one, and while ``most`` cells are in progress.
        """
        with self._lock:
            if most is not None and len(self._in_progress) >= most:
                return None
            while self._returned or self._n_taken < self.n_cells:
                if self._returned:
                    index = self._returned.pop()
                else:
                    index, self._n_taken = self._n_taken, self._n_taken + 1
                if index not in self._tables:
                    self._in_progress.add(index)
                    return index, self.study.cells[index]
        return None

    def put_back(self, index: int) -> None:
        """Return a cell that was taken and not computed."""
        with self._lock:
            self._in_progress.discard(index)
            self._returned.append(index)

    def add(self, index: int, cell: Cell, table: "pa.Table") -> None:
        """Store the table of a cell that was taken."""
        with self._lock:
            self._in_progress.discard(index)
            self._tables[index] = table
            self._count(cell)

    def fail(self, index: int, reason: str) -> None:
        """Note that a cell that was taken failed; `resume` returns it."""
        with self._lock:
            self._in_progress.discard(index)
            self._failures[index] = reason
            self._count(self.study.cells[index])

    def _count(self, cell: Cell) -> None:
        self._cost_done += cell_seconds(cell)
        self._n_counted += 1

    def finish(self) -> None:
        """End the study if it has no cell left, or no visitor watches it any more."""
        if self.n_done == self.n_cells:
            self.end("complete")
        elif self.n_done + len(self._failures) == self.n_cells:
            failures = sorted(self._failures.items())
            self.end("failed", str(StudyError((self.study.cells[i], why) for i, why in failures)))
        elif self.state == "running" and self.idle and not self.watchers():
            self.end("stopped")

    def end(self, state: State, error: str = "") -> None:
        """Note the end of an unfinished study, and log it."""
        with self._lock:
            if not self.unfinished:
                return
            self.state, self.error = state, error
        fields = {
            "study": self.study.id,
            "cells": self.n_cells,
            "done": self.n_done,
            "ms": round(1000 * (time.monotonic() - self._began)) if self._began else 0,
            "outcome": state,
        }
        _logger.info("study", extra={"fields": fields | ({"error": error} if error else {})})


class Workers(Protocol):
    """The computers of the cells."""

    def work(self, runs: list[StudyRun], changed: Callable[[], None]) -> None:
        """Compute cells of some runs, which have begun.

        It returns at once, and is called again whenever a run begins or ``changed`` was called.

        Parameters
        ----------
        runs : list of StudyRun
        changed : callable
            To be called without arguments, and without a lock, after `StudyRun.add`,
            `StudyRun.put_back`, `StudyRun.fail` or `StudyRun.end`.
        """


class StudyRegistry:
    """The studies of all visitors: a queue, and results with least-recently-used eviction.

    Visitors share a study that is equal. Each visitor watches one study at a time. The first
    ``max_active`` of the queue are computed at the same time, and share the workers.

    Parameters
    ----------
    workers : Workers
    max_studies : int
        Bound on unfinished studies, waiting ones included; further ones are refused.
    max_active : int
        Bound on studies that are computed at the same time.
    max_bytes : int
        Bound on the memory of the tables and results of finished studies, in bytes. The most
        recently used one may be larger.
    max_age : float
        Seconds after its last use until `evict` evicts a finished study.
    is_present : callable
        As for `StudyRun`.

    Attributes
    ----------
    n_started, n_refused : int
        Number of studies that were started, and that were refused by `Busy`.
    """

    def __init__(
        self,
        workers: Workers,
        max_studies: int = 30,
        max_active: int = 4,
        max_bytes: int = 64 * 2**20,
        max_age: float = 1800.0,
        is_present: Callable[[str], bool] = lambda visitor: True,
    ) -> None:
        self.workers = workers
        self.max_studies, self.max_active = max_studies, max_active
        self.max_bytes, self.max_age = max_bytes, max_age
        self.is_present = is_present
        self.n_started = self.n_refused = 0
        # the least recently used first; unfinished ones in `_queue` too, the first submitted first
        self._runs: OrderedDict[Study, tuple[StudyRun, float]] = OrderedDict()
        self._queue: list[StudyRun] = []
        self._lock = threading.RLock()

    @property
    def n_unfinished(self) -> int:
        """Number of studies that are computed or wait."""
        with self._lock:
            self._clear_queue()
            return len(self._queue)

    @property
    def n_bytes(self) -> int:
        """Memory of the tables and results of all studies in bytes."""
        with self._lock:
            return sum(run.n_bytes for run, _ in self._runs.values())

    def start(self, study: Study, visitor: str) -> StudyRun:
        """Return the run of a study, and start or resume it unless it is complete.

        The visitor leaves every other study.

        Raises
        ------
        Busy
            If too many studies are unfinished without those that the visitor alone watches. The
            visitor goes on watching the earlier study.
        """
        with self._lock:
            run = self.find(study)
            self._clear_queue()
            if run is None or not (run.unfinished or run.state == "complete"):
                n_others = sum(other.watchers() != [visitor] for other in self._queue)
                if n_others >= self.max_studies:
                    self.n_refused += 1
                    raise Busy(f"{n_others} studies wait or are under way already")
                if run is None:
                    run = StudyRun(study, visitor, self.is_present)
                else:
                    run.resume(visitor)
                self._runs[study] = run, time.monotonic()
                self._queue.append(run)
                self.n_started += 1
            run.watch(visitor)
        self.leave(visitor, run)
        return run

    def find(self, study: Study) -> StudyRun | None:
        """Return the run of a study, also a finished one, or None if there is none."""
        with self._lock:
            if study not in self._runs:
                return None
            run, _ = self._runs[study]
            self._runs[study] = run, time.monotonic()
            self._runs.move_to_end(study)
            return run

    def leave(self, visitor: str, except_of: StudyRun | None = None) -> None:
        """Remove a visitor from all studies but one; those without visitors stop."""
        with self._lock:
            for run, _ in self._runs.values():  # also of finished ones, which may be resumed
                if run is not except_of:
                    run.leave(visitor)
        self._advance()

    def n_before(self, run: StudyRun) -> int:
        """Return the number of unfinished studies that are to end before a study begins."""
        with self._lock:
            self._clear_queue()
            place = self._queue.index(run) if run in self._queue else 0
            return max(0, place + 1 - self.max_active)

    def evict(self) -> None:
        """Stop studies without visitors, and evict finished ones unused for `max_age`.

        Then evict the least recently used finished ones beyond `max_bytes`. The most recently used
        finished one is kept in any size.
        """
        self._advance()
        with self._lock:
            oldest = time.monotonic() - self.max_age
            n_bytes = 0
            for study, (run, used) in reversed(list(self._runs.items())):
                if run.unfinished:
                    continue
                others, n_bytes = n_bytes, n_bytes + run.n_bytes
                if used < oldest or (others and n_bytes > self.max_bytes):
                    del self._runs[study]

    def _clear_queue(self) -> None:
        """Remove finished studies from the queue, and waiting ones that no visitor watches."""
        for run in self._queue:
            if run.state == "waiting" and not run.watchers():
                run.end("stopped")
        self._queue = [run for run in self._queue if run.unfinished]

    def _advance(self) -> None:
        """Begin studies for which there is room, and have the workers compute their cells."""
        with self._lock:
            for run in self._queue:
                run.finish()
            self._clear_queue()
            active = self._queue[: self.max_active]
            for run in active:
                run.begin()
        self.workers.work(active, self._advance)
