"""The function that a Dask worker calls for each cell."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple


class Outcome(NamedTuple):
    """Result of a cell on a worker, which sends it as a plain tuple.

    Attributes
    ----------
    kind : {"table", "failed", "unfit"}
    value : bytes or str
        Table as an Arrow stream; traceback of the cell's exception; or the reason why the worker's
        results could differ from those of the client.
    worker : str
        Address of the worker.
    """

    kind: Literal["table", "failed", "unfit"]
    value: Any
    worker: str


def runner() -> Callable[[bytes, dict[str, str]], tuple[str, bytes | str, str]]:
    """Return the function, which takes a cell and the client's fingerprint.

    It is nested, so that Dask sends its code instead of its name: the scheduler needs no RegViz,
    and a worker without it can say so.
    """

    def run(payload: bytes, expected: dict[str, str]) -> tuple[str, bytes | str, str]:
        import traceback

        from distributed import get_worker

        worker = get_worker().address
        try:
            from regviz.studies.payload import compute
            from regviz.studies.probe import differences

            if reason := differences(expected):
                return "unfit", reason, worker
            return "table", compute(payload), worker
        except ImportError as error:
            return "unfit", str(error), worker
        except Exception:
            return "failed", traceback.format_exc(), worker

    return run
