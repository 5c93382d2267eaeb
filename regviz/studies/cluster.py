"""Computation of the cells of a study on a Dask cluster, or on all cores of this machine."""

import math
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from regviz.studies.cell import Cell
from regviz.studies.connection import RECOVERY_SECONDS, Connection, connected
from regviz.studies.errors import StudyError, UnfitWorkersError, described, last_line
from regviz.studies.on_worker import Outcome, runner
from regviz.studies.payload import pack, unpack
from regviz.studies.probe import fingerprint
from regviz.studies.workers import Workers

if TYPE_CHECKING:
    import pyarrow as pa

# Cells at the scheduler for each thread of a worker: one that runs and one that waits, so that no
# thread is idle while a result travels; and some for workers that join.
CELLS_PER_THREAD, SPARE_CELLS = 2, 8
POLL_SECONDS = 1.0  # between looks at the workers
MAX_TAKEN_BACK = 4  # times until a cell is suspected to kill workers; Dask's limit is 4 workers
OTHER_KEY = "it gives a cell another key, as with other code of RegViz under the same version"


@dataclass(frozen=True)
class Event:
    """A change in the course of a run.

    Parameters
    ----------
    n_workers : int
        Number of threads of all workers that compute, each of which trains one cell at a time.
    message : str
        What happened, for the user; empty if only the number has changed.
    failure : (Cell, str), optional
        Cell that has failed, and its traceback or the reason.
    """

    n_workers: int
    message: str = ""
    failure: tuple[Cell, str] | None = None


def cells_done(
    cells: Iterable[Cell],
    scheduler: Any = None,
    tell: Callable[[Event], None] = lambda event: None,
    stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
) -> "Generator[tuple[Cell, pa.Table], None, None]":
    """Compute cells, and yield each with its table as it finishes.

    The iterator cancels what is at the scheduler when it is closed.

    Parameters
    ----------
    cells : iterable of Cell
        Different cells. They are pulled as results come.
    scheduler : str, distributed.Client or None
        Address of a scheduler, a client, or None for threads of this process.
    tell : callable
        Called with an `Event` at each change.
    stop : callable
        Called without arguments about once a second. If it returns True, the iterator ends.
    most : int, optional
        Bound on the cells at the scheduler, for several runs that share its workers.

    Yields
    ------
    Cell, pyarrow.Table
        The table's column ``cell`` has the cell's key in all rows.

    Raises
    ------
    ValueError
        If no scheduler answers, or the client is closed or asynchronous.
    SchedulerLostError
        If the scheduler was lost and did not come back within five minutes.
    UnfitWorkersError
        If all workers differ from this process in versions, bits, registered datasets or keys of
        cells from the start. If only such workers are left later, the iterator waits for others.
    StudyError
        After the last cell, if cells failed.
    """
    with connected(scheduler) as connection:
        run = _Run(connection, iter(cells), tell, stop, most)
        try:
            yield from run.done()
        finally:
            run.cancel()
    if run.failures:
        raise StudyError(run.failures)


class _Sent(NamedTuple):
    """A cell at the scheduler.

    Attributes
    ----------
    key : str
        Key of the cell, which takes 1 ms to hash.
    workers : frozenset of str
        Addresses of the only workers that may compute it; empty if all may.
    """

    cell: Cell
    key: str
    workers: frozenset[str]


class _Run:
    """Cells on their way: waiting, at the scheduler, suspected to kill workers, failed."""

    def __init__(
        self,
        connection: Connection,
        cells: Iterator[Cell],
        tell: Callable[[Event], None],
        stop: Callable[[], bool],
        most: int | None,
    ) -> None:
        self.connection, self.cells, self.tell = connection, cells, tell
        self.stop, self.most = stop, most
        self.failures: list[tuple[Cell, str]] = []
        self._again = deque[Cell]()  # sent before further cells
        self._suspects = deque[Cell]()  # sent after all others, one at a time
        self._run = runner()
        self._token = uuid.uuid4().hex  # in Dask's keys
        self._alone = ""  # key of the last cell that was sent so
        self._sent: dict[Any, _Sent] = {}  # by future
        self._done = SimpleQueue[Any]()  # futures
        self._repeats = Counter[str]()  # by key of a cell
        self._taken_back = Counter[str]()  # by key of a cell: times that all its workers had left
        self._workers = Workers()
        self._waiting = ""  # the reason to wait that was told last
        self._looked = -math.inf
        self._exhausted = False  # whether all cells have been pulled
        self._proven = False  # whether a worker has computed a cell

    def done(self) -> "Iterator[tuple[Cell, pa.Table]]":
        """Yield each cell with its table until none is left."""
        while not self.stop():
            if not self.connection.running:
                self._restore()
                continue
            self._look()
            self._send()
            if self._exhausted and not (self._sent or self._again or self._suspects):
                return
            for sent, outcome in self._outcomes():
                if outcome.kind == "table":
                    table = unpack(outcome.value)
                    if table["cell"].unique().to_pylist() == [sent.key]:
                        self._proven = True
                        yield sent.cell, table
                        continue
                    outcome = outcome._replace(kind="unfit", value=OTHER_KEY)
                if outcome.kind == "unfit":
                    self._leave_out(outcome)
                    self._repeat(sent.cell)
                elif outcome.kind == "cancelled":  # at the worker, and then wanted again
                    self._repeat(sent.cell)
                else:
                    self._fail(sent.cell, str(outcome.value))

    def cancel(self) -> None:
        """Cancel all cells of this run at the scheduler."""
        if self._sent and self.connection.running:
            with suppress(OSError, CancelledError):
                self.connection.client.cancel(list(self._sent))
        self._sent.clear()

    def _look(self) -> None:
        """Look at the workers once in `POLL_SECONDS`."""
        if time.monotonic() - self._looked < POLL_SECONDS:
            return
        try:
            changed = self._workers.look(self.connection)
            self._take_back()
        except (OSError, CancelledError):  # the next look finds the scheduler lost
            return
        self._looked = time.monotonic()
        if self._workers.hopeless and not self._proven:
            raise UnfitWorkersError(f"No worker can be used. {self._workers.reasons()}")
        if changed or self._waiting != self._workers.waiting():
            self._tell()

    def _take_back(self) -> None:
        """Cancel the cells whose workers have left, so that others get them."""
        fit = self._workers.fit.keys()
        stuck = {
            future: sent
            for future, sent in self._sent.items()
            if sent.workers and not sent.workers & fit and future.status == "pending"
        }
        if stuck:
            self.connection.client.cancel(list(stuck))
        for future, (cell, key, _) in stuck.items():
            del self._sent[future]
            self._taken_back[key] += 1
            if self._taken_back[key] < MAX_TAKEN_BACK:
                self._repeat(cell)
            else:  # Dask counts the workers that a cell kills, from 0 for one that is sent again
                del self._taken_back[key]
                self._suspect(cell)

    def _restore(self) -> None:
        """Wait for a lost scheduler; what was there is to be sent again."""
        limit = f"up to {RECOVERY_SECONDS / 60:g} minutes"
        owned = self.connection.address  # a caller's client has a limit of its own
        self._tell(f"The scheduler is lost: waiting {limit if owned else 'for its client'}.")
        for sent in self._sent.values():
            self._repeat(sent.cell)
        self._sent.clear()
        self.connection.restore(self.stop)
        self._looked = -math.inf
        if self.connection.running:
            self._tell("The scheduler is back.")

    def _send(self) -> None:
        """Send cells until enough are at the scheduler; none while all its workers are unfit."""
        if self._workers.all_unfit:
            return
        fit = self._workers.fit
        room = CELLS_PER_THREAD * sum(fit.values()) + SPARE_CELLS
        room = max(0, (room if self.most is None else min(room, self.most)) - len(self._sent))
        cells = [self._again.popleft() for _ in range(min(room, len(self._again)))]
        room -= len(cells)
        further = list(islice(self.cells, room))
        self._exhausted = len(further) < room
        cells += further
        if not (cells or self._sent) and self._suspects:
            cells = [self._suspects.popleft()]
            self._alone = cells[0].key
        if not cells:
            return
        keys = [cell.key for cell in cells]
        # Without restrictions, Dask keeps waiting cells at the scheduler until a worker is free.
        # With them, idle workers that are left out cannot steal any.
        only = frozenset(fit if self._workers.some_unfit else ())
        limits = dict(workers=list(only), allow_other_workers=False) if only else {}
        try:
            futures = self.connection.client.map(
                self._run,
                [pack(cell) for cell in cells],
                [fingerprint(cell.experiment.training.dtype) for cell in cells],
                key=[self._key(key) for key in keys],
                fifo_timeout="0 ms",  # after all cells that were sent earlier
                **limits,
            )
        except Exception:
            if self.connection.running:
                raise
            self._again.extendleft(reversed(cells))
            return
        for future, cell, key in zip(futures, cells, keys, strict=True):
            self._sent[future] = _Sent(cell, key, only)
            future.add_done_callback(self._done.put)

    def _key(self, key: str) -> str:
        """Return Dask's key of a cell: another one in each run, and when the cell is sent again.

        Dask merges tasks of equal keys, and keeps arguments and restrictions of the first: a run
        would get the answers to another client's fingerprint, and wait for workers that only the
        other client's cells are bound to. So runs that go on at the same time share no results.
        Within a run, Dask's client would return the earlier outcome for an equal key.
        """
        repeats = self._repeats[key]
        return f"regviz-{self._token}-{key}" + f"-{repeats}" * bool(repeats)

    def _repeat(self, cell: Cell) -> None:
        self._repeats[cell.key] += 1
        self._again.append(cell)

    def _outcomes(self) -> list[tuple[_Sent, Outcome]]:
        """Wait up to `POLL_SECONDS` for results, and take those that are there."""
        finished = []
        for future in self._ended():
            if future not in self._sent:
                continue
            if future.status == "finished":
                finished.append(future)
                continue
            cell = self._sent.pop(future).cell
            if future.status == "error":
                self._take_error(cell, future.exception())
            else:  # cancelled with the scheduler, or by somebody at its dashboard
                self._repeat(cell)
        outcomes = []
        for future, result in zip(finished, self._gathered(finished), strict=False):
            if future in self._sent:
                outcomes.append((self._sent.pop(future), Outcome(*result)))
                future.release()
        return outcomes

    def _gathered(self, finished: list[Any]) -> list[Any]:
        """Return the results of futures; none if one is lost, and they are to be tried again.

        Dask computes a result again that was lost with its worker, and waits for that, which is for
        ever if the cell was for this worker only. So the workers are looked at meanwhile.
        """
        if not finished:
            return []
        gathering = self.connection.gather(finished)
        while not wait([gathering], POLL_SECONDS).done and self.connection.running:
            if self.stop():
                return []
            self._look()
        try:
            return list(gathering.result(timeout=0))
        except Exception as error:
            # A cell was taken back, the scheduler was lost, or a result was lost with its worker
            # and could not be computed again: this future then has the exception.
            foreseen = isinstance(error, (OSError, CancelledError))
            if not (foreseen or any(future.status == "error" for future in finished)):
                raise
            for future in finished:
                self._done.put(future)
            return []

    def _ended(self) -> Iterator[Any]:
        """Yield the futures that have ended, the first within `POLL_SECONDS`."""
        with suppress(Empty):
            yield self._done.get(timeout=POLL_SECONDS)
            while True:
                yield self._done.get_nowait()

    def _take_error(self, cell: Cell, error: BaseException) -> None:
        """Take in an exception of Dask's; those of a cell are outcomes."""
        if type(error).__name__ != "KilledWorker":
            self._fail(cell, f"{type(error).__name__}: {' '.join(str(error).split())}")
        else:
            self._suspect(cell)

    def _suspect(self, cell: Cell) -> None:
        """Try a cell that may kill workers alone, after all others; it failed if it was alone.

        Suspected are all cells that a killed worker had, also those that had not begun.
        """
        if cell.key == self._alone:
            self._fail(cell, "each worker that began it was killed, perhaps as memory ran out")
        else:
            self._repeats[cell.key] += 1
            self._suspects.append(cell)

    def _fail(self, cell: Cell, text: str) -> None:
        self.failures.append((cell, text))
        self._tell(f"A cell failed: {described(cell)}: {last_line(text)}", (cell, text))

    def _leave_out(self, outcome: Outcome) -> None:
        """Send no further cells to the process of a worker."""
        if self._workers.leave_out(outcome):
            self._looked = -math.inf
            self._tell(f"A worker is left out. {outcome.worker}: {outcome.value}")

    def _tell(self, message: str = "", failure: tuple[Cell, str] | None = None) -> None:
        """Tell the state of the run, with a message or the reason why it waits."""
        waiting = self._workers.waiting()
        self._waiting = "" if message else waiting
        n_threads = sum(self._workers.fit.values())
        self.tell(Event(n_threads, message or waiting, failure))
