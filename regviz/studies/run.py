"""Running a study: its cells one by one as they finish, the store and the progress."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from regviz.engine import compiled
from regviz.spec.experiment import DTYPES
from regviz.studies.cluster import Event, cells_done
from regviz.studies.cost import cell_seconds, cost_of
from regviz.studies.errors import RunError
from regviz.studies.progress import Meter, StudyProgress, shown
from regviz.studies.result import StudyResult, growing
from regviz.studies.store import Store, opened

if TYPE_CHECKING:
    import pyarrow as pa

    from regviz.studies.study import Study

Show = Callable[[StudyProgress], object]


def run(
    study: "Study", store: Any = None, scheduler: Any = None, *, progress: Show | None = None
) -> StudyResult:
    """Compute the cells of a study; see `regviz.Study.run`."""
    result = StudyResult.of(study, {})
    try:
        with closing(stream(study, store, scheduler, progress=progress)) as results:
            for result in results:  # noqa: B007
                pass
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_go_on(study, result.n_done, store)) from None
    return result


def stream(
    study: "Study", store: Any = None, scheduler: Any = None, *, progress: Show | None = None
) -> Generator[StudyResult, None, None]:
    """Compute the cells of a study, and yield the growing result; see `regviz.Study.stream`."""
    done: list[tuple[int, pa.Table]] = []  # grows; each result is of its beginning
    with shown(progress) as show, closing(finished(study, store, scheduler, show)) as cells:
        try:
            for one in cells:
                done.append(one)
                yield growing(study, done)
        except RunError as error:
            error.result = growing(study, done)
            raise


def finished(
    study: "Study", store: Any, scheduler: Any, show: Show
) -> "Generator[tuple[int, pa.Table], None, None]":
    """Yield position and table of each cell: of those in the store, then of others as they finish.

    Parameters
    ----------
    study : Study
    store, scheduler
        As for `regviz.Study.run`.
    show : callable
        Called with a `StudyProgress` at each change.

    Raises
    ------
    ValueError
        If store or scheduler cannot be used; before anything is computed.
    """
    # a store compares the bits of both precisions
    own = dict(study.vary).get("training.dtype", (study.base.training.dtype,))
    if not all(compiled.begin(dtype).done() for dtype in (own if store is None else DTYPES)):
        show(StudyProgress(len(study.cells), 0, message=f"{compiled.COMPILING}."))
    folder = opened(store)
    there = set[int]()
    for index, table in _stored(study, folder):
        there.add(index)
        yield index, table
    missing = [i for i in range(len(study.cells)) if i not in there]
    cost = cost_of(study, missing)
    if folder is not None and missing:
        folder.check_space(cost.n_bytes)
    meter = Meter(show, len(study.cells), len(there), cost.seconds)
    for note in [] if folder is None else folder.notes:
        meter.changed(meter.state.n_workers, note)
    if not missing:
        return

    def tell(event: Event) -> None:
        if event.failure is None:
            meter.changed(event.n_workers, event.message)
        else:
            meter.failed(cell_seconds(event.failure[0]), event.n_workers, event.message)

    cells = (study.cells[i] for i in missing)
    with closing(cells_done(cells, scheduler, tell)) as done:
        for cell, table in done:
            if folder is not None:
                key = table["cell"][0].as_py()  # `cells_done` has compared it with the cell's
                folder.add(key, table)
            meter.done(table.num_rows, cell_seconds(cell))
            yield study.cells.index_of(cell), table


def _stored(study: "Study", folder: Store | None) -> "Iterator[tuple[int, pa.Table]]":
    """Yield position and table of each cell of a study that is in the store."""
    keys = set() if folder is None else folder.keys()
    if folder is None or not keys:
        return
    wanted = {}
    for index, cell in enumerate(study.cells):
        if (key := cell.key) in keys:
            wanted[key] = index
    for key, table in folder.read(wanted):
        yield wanted[key], table


def _how_to_go_on(study: "Study", n_done: int, store: Any) -> str:
    counts = f"{n_done:,} of {len(study.cells):,} cells are finished"
    if store is None:
        return f"{counts}, and lost without a store: study.run(store=FOLDER) keeps them"
    return f"{counts} and in {store}: the same call goes on from there"
