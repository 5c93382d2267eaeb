"""Shortened histories, selected frames, and a reference decoder of messages."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from regviz.engine.history import History
from regviz.scenes.encoding import Source
from regviz.scenes.frames import FrameSelector
from regviz.scenes.strength_grid import StrengthGrid

HalfUntil = Callable[[int], None]  # the fixture `half_until` of tests/conftest.py


def first_epochs(history: History, n_times: int) -> History:
    """Return the history's first ``n_times`` recorded epochs."""
    epochs, parameters = history.epochs[:n_times], history.parameters[:n_times]
    metrics = {name: values[:n_times] for name, values in history.metrics.items()}
    return replace(history, epochs=epochs, parameters=parameters, metrics=metrics)


def with_metric(history: History, name: str, values: np.ndarray) -> History:
    """Return the history with other values of one metric."""
    return replace(history, metrics=history.metrics | {name: values})


def select_frames(history: History, limit: int | None = None) -> FrameSelector:
    """Return a selector with all frames of a history; ``limit`` is in bytes."""
    selector = FrameSelector(history, limit)
    selector.add(history)
    return selector


def source_of(grid: StrengthGrid, history: History, limit: int | None = None) -> Source:
    """Return the `Source` of a history at the grid's default strengths."""
    return Source.of(grid, "run", grid.rows({}), history, select_frames(history, limit))


def decode(message: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """Read a message by the description in `regviz.scenes.encoding`, one number at a time."""
    (length,) = struct.unpack_from("<I", message)
    text = message[4 : 4 + length]
    header = json.loads(text)
    assert text.rstrip(b" ").endswith(b"}")
    assert length % 4 == 0
    planes, start, arrays = zlib.decompress(message[4 + length :]), 0, {}
    for name, (kind, *shape) in header["arrays"].items():
        count, size = int(np.prod(shape)), {"<f4": 4, "<f2": 2}[kind]
        end = start + size * count
        numbers = [planes[i:end:count] for i in range(start, start + count)]
        codes = [int.from_bytes(number, "little") for number in numbers]
        top = 2 ** (8 * size)
        changes = [-(c // 2 or top // 2) if c % 2 else c // 2 for c in codes]
        words, n_times = [0] * count, shape[0]
        for i, change in enumerate(changes):
            number, t = divmod(i, n_times)
            at = t * (count // n_times) + number
            words[at] = (change + (words[at - count // n_times] if t else 0)) % top
        bodies = b"".join(word.to_bytes(size, "little") for word in words)
        arrays[name] = np.frombuffer(bodies, kind).reshape(shape)
        start = end
    assert start == len(planes)
    return header, arrays
