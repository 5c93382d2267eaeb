"""Cells and tables as bytes, for the way from the client to a Dask worker and back."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from regviz.data.datasets import replace_dataset
from regviz.spec.toy import DATASETS
from regviz.studies.cell import Cell, arrow, registered_dataset, steps

if TYPE_CHECKING:
    import pyarrow as pa

_received: dict[str, str] = {}  # by dataset: hash of the record that was registered by `compute`


def pack(cell: Cell) -> bytes:
    """Return a cell as bytes, with the record of its dataset if the user registered that.

    Functions of a script or a notebook travel as code, those of modules as the module's name.

    Parameters
    ----------
    cell : Cell
    """
    import cloudpickle

    name, record = "", b""
    if (dataset := registered_dataset(cell.experiment.data)) is not None:
        name, record = dataset.name, cloudpickle.dumps(dataset)
    return bytes(cloudpickle.dumps((cell, name, record)))


def compute(payload: bytes, cancelled: Callable[[], bool]) -> bytes | None:
    """Return the table of a packed cell as an Arrow stream, compressed with Zstandard.

    Parameters
    ----------
    payload : bytes
        Of `pack`.
    cancelled : callable
        Called without arguments after every epoch. Once it returns True, None is returned.

    Raises
    ------
    ImportError
        If the module that registers the cell's dataset is not installed here.
    """
    import cloudpickle

    cell, name, record = cloudpickle.loads(payload)
    if name:
        _register(name, record)
    pa = arrow()
    table = _table(cell, cancelled)
    if table is None:
        return None
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _table(cell: Cell, cancelled: Callable[[], bool]) -> "pa.Table | None":
    generator = steps(cell, due=cancelled)
    try:
        next(generator)
    except StopIteration as end:
        return end.value
    generator.close()
    return None


def unpack(stream: bytes) -> "pa.Table":
    """Return the table of an Arrow stream.

    Parameters
    ----------
    stream : bytes
        Of `compute`.
    """
    return arrow().ipc.open_stream(stream).read_all()


def _register(name: str, record: bytes) -> None:
    """Register a dataset that came with a cell, unless this process has registered one itself."""
    import cloudpickle

    digest = hashlib.sha256(record).hexdigest()
    if _received.get(name) == digest or (name in DATASETS and name not in _received):
        return
    try:
        dataset = cloudpickle.loads(record)
    except ImportError as error:
        raise ImportError(f"{error}, which registers the dataset {name!r}") from error
    replace_dataset(dataset)
    _received[name] = digest
