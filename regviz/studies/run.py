"""Running a study: its cells one after another, in this process or on a cluster."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from regviz.studies.cell import compute
from regviz.studies.result import StudyResult, table_of

if TYPE_CHECKING:
    from regviz.studies.study import Study


def run(
    study: "Study", store: Any = None, scheduler: Any = None, *, progress: Any = None
) -> StudyResult:
    """Compute the cells of a study; see `regviz.Study.run`."""
    done = [(i, compute(cell)) for i, cell in enumerate(study.cells)]
    return StudyResult(study, table_of(study, done), len(done))


def stream(study: "Study", store: Any = None, scheduler: Any = None) -> Iterator[StudyResult]:
    """Compute the cells of a study, and yield the growing result; see `regviz.Study.stream`."""
    done = []
    for i, cell in enumerate(study.cells):
        done.append((i, compute(cell)))
        yield StudyResult(study, table_of(study, done), len(done))
