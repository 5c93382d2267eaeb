"""Errors that end a run of a study, or follow it, with the results so far."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from regviz.studies.cell import Cell

if TYPE_CHECKING:
    from regviz.studies.result import StudyResult

MAX_LISTED = 10  # failures in the text of a StudyError


class RunError(Exception):
    """A run of a study did not compute all cells.

    Parameters
    ----------
    message : str

    Attributes
    ----------
    result : StudyResult or None
        The numbers of the finished cells, if `regviz.Study.run` or `regviz.Study.stream` raises the
        error.

    Examples
    --------
    >>> import regviz
    >>> from regviz.studies.errors import RunError
    >>> def result_of(study):
    ...     try:
    ...         return study.run(scheduler="tcp://10.0.0.5:8786")
    ...     except RunError as error:
    ...         return error.result
    """

    result: "StudyResult | None" = None

    def __init__(self, message: str) -> None:
        super().__init__(message)


class StudyError(RunError, RuntimeError):
    """Cells of a study failed; the others are computed.

    Parameters
    ----------
    failures : iterable of (Cell, str)
        The cells, each with its reason or traceback.

    Examples
    --------
    >>> import regviz
    >>> from regviz.studies.errors import StudyError
    >>> cell = regviz.Study(vary={"data.noise": [0.1]}).cells[0]
    >>> print(StudyError([(cell, "MemoryError: out of memory")]))
    1 cell of the study failed.
    data.noise=0.1: MemoryError: out of memory
    """

    def __init__(self, failures: Iterable[tuple[Cell, str]]) -> None:
        self.failures = tuple(failures)
        n = len(self.failures)
        listed = [f"{described(cell)}: {last_line(text)}" for cell, text in self.failures]
        if n > MAX_LISTED:
            listed[MAX_LISTED:] = [f"and {n - MAX_LISTED} more"]
        cells = "1 cell" if n == 1 else f"{n} cells"
        super().__init__("\n".join([f"{cells} of the study failed.", *listed]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the content to pickle: the failures instead of the message, and the result."""
        return type(self), (self.failures,), self.__dict__


class UnfitWorkersError(RunError, RuntimeError):
    """All workers differ from this process in versions, bits or registered datasets."""


class SchedulerLostError(RunError, ConnectionError):
    """The scheduler was lost, and did not come back in time."""


class StoreError(RunError, OSError):
    """The store cannot be read or written to any more; the cells in it are whole."""


def described(cell: Cell) -> str:
    """Return the axis values of a cell in words."""
    return ", ".join(f"{path}={value!r}" for path, value in cell.values) or "the only cell"


def last_line(traceback: str) -> str:
    """Return the type and message of the exception."""
    return traceback.strip().splitlines()[-1]
