"""Cells and tables as bytes, for the way from the client to a Dask worker and back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from regviz.studies import registered
from regviz.studies.cell import Cell, arrow, steps

if TYPE_CHECKING:
    import pyarrow as pa


def pack(cell: Cell) -> bytes:
    """Return a cell as bytes, with the record and digest of its dataset if the user registered it.

    Parameters
    ----------
    cell : Cell
    """
    import cloudpickle

    data = cell.first_data
    return bytes(cloudpickle.dumps((cell, data, *registered.packed(data))))


def compute(payload: bytes, cancelled: Callable[[], bool]) -> bytes | None:
    """Return the table of a packed cell as an Arrow stream, compressed with Zstandard.

    Parameters
    ----------
    payload : bytes
        Of `pack`.
    cancelled : callable
        Called without arguments after every epoch, and while the cell waits for its dataset. Once
        it returns True, None is returned.

    Raises
    ------
    ImportError
        If the module that registers the cell's dataset is not installed here.
    regviz.studies.registered.OtherDatasetError
        If a dataset of this process has the name of the cell's and makes other points, or the
        cell's dataset cannot be made.
    """
    import cloudpickle

    cell, data, record, digest = cloudpickle.loads(payload)
    with registered.received(data, record, digest, cancelled) as there:
        table = _table(cell, cancelled) if there else None
    return None if table is None else stream_of(table)


def _table(cell: Cell, cancelled: Callable[[], bool]) -> "pa.Table | None":
    generator = steps(cell, due=cancelled)
    try:
        next(generator)
    except StopIteration as end:
        return end.value
    generator.close()
    return None


def stream_of(table: "pa.Table") -> bytes:
    """Return a table as a compressed Arrow stream, for `unpack`.

    Parameters
    ----------
    table : pyarrow.Table
    """
    pa = arrow()
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def unpack(stream: bytes) -> "pa.Table":
    """Return the table of an Arrow stream.

    Parameters
    ----------
    stream : bytes
        Of `compute` or `stream_of`.
    """
    return arrow().ipc.open_stream(stream).read_all()
