"""The function that a Dask worker calls for each cell."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple


class Outcome(NamedTuple):
    """Result of a cell on a worker, which sends it as a plain tuple.

    Attributes
    ----------
    kind : {"table", "cancelled", "failed", "unfit"}
    value : bytes, None or str
        Table as an Arrow stream; None; traceback of the cell's exception; or the reason why the
        worker's results could differ from those of the client.
    worker : str
        Address of the worker.
    process : str
        Local directory of the worker, which another process at its address does not have.
    """

    kind: Literal["table", "cancelled", "failed", "unfit"]
    value: Any
    worker: str
    process: str


Answer = tuple[str, bytes | str | None, str, str]  # the fields of an Outcome


def runner() -> Callable[[bytes, dict[str, str]], Answer]:
    """Return the function, which takes a cell and the client's fingerprint.

    It is nested, so that Dask sends its code instead of its name: the scheduler needs no RegViz,
    and a worker without it can say so.
    """

    def run(payload: bytes, expected: dict[str, str]) -> tuple[str, bytes | str | None, str, str]:
        import traceback

        from distributed import get_worker

        worker = get_worker()
        where = worker.address, worker.local_directory
        tasks, key = worker.state.tasks, worker.get_current_task()

        def cancelled() -> bool:
            return key not in tasks or tasks[key].state == "cancelled"

        try:
            from regviz.studies.probe import differences

            if reason := differences(expected):
                return "unfit", reason, *where
            from regviz.studies.payload import compute
            from regviz.studies.registered import OtherDatasetError

            try:
                table = compute(payload, cancelled)
            except OtherDatasetError as error:
                return "unfit", str(error), *where
            return "cancelled" if table is None else "table", table, *where
        except ImportError as error:
            return "unfit", str(error), *where
        except Exception:
            return "failed", traceback.format_exc(), *where

    return run
