"""The function that a Dask worker calls for each cell.

The module is sent to workers as code, because the scheduler and a worker without RegViz could not
import it; so it imports RegViz inside the function only.
"""

from typing import Literal, NamedTuple


class Outcome(NamedTuple):
    """Result of a cell on a worker. Sent as a plain tuple, which every process can unpickle.

    Attributes
    ----------
    kind : {"table", "failed", "unfit"}
    value : bytes or str
        Table as an Arrow stream; traceback of the exception; or the reason why the worker's
        results would differ from those of the client.
    worker : str
        Address of the worker.
    """

    kind: Literal["table", "failed", "unfit"]
    value: bytes | str
    worker: str


def run(payload: bytes, expected: dict[str, str]) -> tuple[str, bytes | str, str]:
    """Compute a cell, if this worker's results have the bits that the client expects.

    Parameters
    ----------
    payload : bytes
        Cell, and what it needs, of `regviz.studies.payload.pack`.
    expected : dict
        The client's `regviz.studies.probe.fingerprint`.

    Returns
    -------
    tuple
        The fields of `Outcome`.
    """
    import traceback

    from distributed import get_worker

    worker = get_worker().address
    try:
        from regviz.studies.payload import Unavailable, compute
        from regviz.studies.probe import differences

        if reason := differences(expected):
            return "unfit", reason, worker
        return "table", compute(payload), worker
    except ImportError as error:
        return "unfit", f"{type(error).__name__}: {error}", worker
    except Exception as error:
        if isinstance(error, Unavailable):
            return "unfit", str(error), worker
        return "failed", traceback.format_exc(), worker
