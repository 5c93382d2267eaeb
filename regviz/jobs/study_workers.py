"""The computers of studies' cells: the scheduler of this process, or a Dask cluster."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial

from regviz.jobs.run import SLICE_SECONDS
from regviz.jobs.scheduler import SHARED, Job, Scheduler
from regviz.jobs.studies import StudyRun
from regviz.studies.cell import Cell, steps
from regviz.studies.cluster import Event, cells_done
from regviz.studies.cost import cell_seconds
from regviz.studies.errors import RunError, StudyError

_logger = logging.getLogger("regviz.runs")


class LocalWorkers:
    """Compute each cell as a job of a scheduler, in slices between those of other trainings.

    No more cells are in progress than the scheduler has threads, or one of each study if these are
    more, as each cell in progress holds its networks in memory.

    Parameters
    ----------
    scheduler : Scheduler
    """

    def __init__(self, scheduler: Scheduler = SHARED) -> None:
        self.scheduler = scheduler

    def work(self, runs: list[StudyRun], changed: Callable[[], None]) -> None:
        """Submit cells; see `regviz.jobs.studies.Workers`."""
        n_cells = max(1, self.scheduler.n_threads // max(1, len(runs)))
        for run in runs:
            run.n_workers = n_cells
            while (taken := run.take(n_cells)) is not None:
                index, cell = taken
                ended = partial(_end, run, index, changed)
                slices = _compute(run, index, cell)
                self.scheduler.submit(
                    Job(slices, run.watchers, ended, cell_seconds(cell), urgent=False)
                )


def _compute(run: StudyRun, index: int, cell: Cell) -> Generator[None]:
    """Compute a cell, and yield after every slice of `SLICE_SECONDS`."""
    end = time.monotonic() + SLICE_SECONDS
    training = steps(cell, lambda: time.monotonic() >= end)
    while True:
        try:
            next(training)
        except StopIteration as over:
            run.add(index, cell, over.value)
            return
        yield
        end = time.monotonic() + SLICE_SECONDS


def _end(
    run: StudyRun,
    index: int,
    changed: Callable[[], None],
    outcome: str,
    error: BaseException | None,
    taken: float,
) -> None:
    if error is not None:
        _logger.error("a cell of a study failed", exc_info=error)
        run.fail(index, " ".join(f"{type(error).__name__}: {error}".split()))
    elif outcome != "complete":
        run.put_back(index)
    changed()


class ClusterWorkers:
    """Compute cells on a Dask cluster.

    Each study that is computed has a client, and a thread that waits for its cells.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as ``"tcp://10.0.0.5:8786"``.
    max_cells : int
        Bound on the cells of one study at the scheduler.
    """

    def __init__(self, address: str, max_cells: int = 16) -> None:
        self.address, self.max_cells = address, max_cells

    def work(self, runs: list[StudyRun], changed: Callable[[], None]) -> None:
        """Start a thread for each study; see `regviz.jobs.studies.Workers`."""
        for run in runs:
            if run.claim():
                thread = threading.Thread(
                    target=self._drive, args=(run, changed), daemon=True, name="study"
                )
                thread.start()

    def _drive(self, run: StudyRun, changed: Callable[[], None]) -> None:
        """Compute a study until it is complete, its visitors have left, or the cluster fails."""
        taken = set[int]()

        def cells() -> Iterator[Cell]:
            while (next_one := run.take()) is not None:
                index, cell = next_one
                taken.add(index)
                yield cell

        def tell(event: Event) -> None:
            run.note = event.message
            run.n_workers = min(event.n_workers, self.max_cells)
            if event.failure is not None:
                cell, text = event.failure
                index = run.study.cells.index_of(cell)
                taken.remove(index)
                run.fail(index, text)
                changed()

        def stop() -> bool:
            return not run.watchers()

        try:
            for cell, table in cells_done(cells(), self.address, tell, stop, self.max_cells):
                index = run.study.cells.index_of(cell)
                taken.remove(index)
                run.note = ""
                run.add(index, cell, table)
                changed()
        except StudyError:
            pass  # `run` knows the failed cells from `tell`, and may have been resumed since
        except (OSError, ValueError, RunError) as error:
            unanswered = isinstance(error, ValueError) and isinstance(error.__cause__, OSError)
            where = f"no scheduler answers at {self.address}"
            run.end("failed", where if unanswered else str(error))
        except Exception as error:  # the page must not wait for ever
            _logger.exception("a study failed")
            run.end("failed", f"{type(error).__name__}: {error}")
        finally:
            for index in taken:
                run.put_back(index)
            run.release()
            changed()
