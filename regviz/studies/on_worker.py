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
    """

    kind: Literal["table", "cancelled", "failed", "unfit"]
    value: Any
    worker: str


def runner() -> Callable[[bytes, dict[str, str]], tuple[str, bytes | str | None, str]]:
    """Return the function, which takes a cell and the client's fingerprint.

    It is nested, so that Dask sends its code instead of its name: the scheduler needs no RegViz,
    and a worker without it can say so.
    """

    def run(payload: bytes, expected: dict[str, str]) -> tuple[str, bytes | str | None, str]:
        import traceback

        from distributed import get_worker

        worker = get_worker()
        tasks, key = worker.state.tasks, worker.get_current_task()

        def cancelled() -> bool:
            return key not in tasks or tasks[key].state == "cancelled"

        try:
            from regviz.studies.payload import compute
            from regviz.studies.probe import differences

            if reason := differences(expected):
                return "unfit", reason, worker.address
            table = compute(payload, cancelled)
            return "cancelled" if table is None else "table", table, worker.address
        except ImportError as error:
            return "unfit", str(error), worker.address
        except Exception:
            return "failed", traceback.format_exc(), worker.address

    return run
