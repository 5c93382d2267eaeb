"""Messages between this process and the one that trains beside it: a JSON header, then arrays."""

import json
import struct
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_LENGTHS = struct.Struct("<II")


def write(stream: IO[bytes], header: dict[str, Any], parts: Sequence[NDArray[Any]] = ()) -> None:
    """Write a message, with arrays whose types and shapes the header then tells.

    Raises
    ------
    OSError
        If nobody reads any more.
    """
    if parts:
        header = header | {"arrays": [(part.dtype.str, part.shape) for part in parts]}
    text = json.dumps(header).encode()
    body = b"".join(part.tobytes() for part in parts)
    stream.write(_LENGTHS.pack(len(text), len(body)) + text + body)
    stream.flush()


def read(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Header and body of every message, until there can be no more."""
    while len(lengths := stream.read(_LENGTHS.size)) == _LENGTHS.size:
        n_text, n_body = _LENGTHS.unpack(lengths)
        text, body = stream.read(n_text), stream.read(n_body)
        if len(text) < n_text or len(body) < n_body:
            return
        yield json.loads(text), body


def arrays(layout: Sequence[Sequence[Any]], body: bytes) -> Iterator[NDArray[Any]]:
    """The arrays of a message."""
    start = 0
    for dtype, shape in layout:
        n_items = int(np.prod(shape, dtype=int))
        yield np.frombuffer(body, dtype, n_items, start).reshape(shape)
        start += n_items * np.dtype(dtype).itemsize
