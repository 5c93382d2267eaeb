"""A grid's recording as bytes for the browser.

The layout, written down here alone (``codec.js`` reads it): a little-endian uint32
with the length of the header; the header, JSON in UTF-8, padded with spaces so that what follows
starts at a multiple of four; then the arrays that ``header["arrays"]`` lists by name, type and
shape, in that order, compressed together with zlib (RFC 1950). Types are ``"<f4"`` and, for
parameters alone, ``"<f2"``. Parameters change little from one frame to the next, and their
exponents hardly at all. So each number, taken as an unsigned integer, is replaced by its difference
from the number at its place one earlier along the first axis, 0 before the first. With b bits, a
difference d of -2^(b-1) to 2^(b-1) - 1 is written as 2d, or -2d + 1 if it is negative, both modulo
2^b. All changes of one number follow one another. The lowest bytes of all of them come first, then
the next bytes, and so on to the highest ones.

A message carries frames of one precision, from ``header["frame"]`` on. A browser that has n
frames asks for those from n on; so nothing travels twice and nothing is lost.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regviz.board.frames import HALF, SENT_METRICS, SINGLE, FrameSelector
from regviz.board.link import LINK_VERSION
from regviz.board.strength_grid import StrengthGrid
from regviz.data.datasets import SPLITS, domain
from regviz.engine.history import History
from regviz.methods import catalogue, palette
from regviz.methods.catalogue import METHODS
from regviz.methods.labels import dataset_label, label

MESSAGE_VERSION = 4


@dataclass(frozen=True)
class Source:
    """A run of a grid, as far as it has come, to be encoded for the browser.

    Parameters
    ----------
    grid : StrengthGrid
    name : str
        Names grid and rows together; frames of different names are never mixed.
    rows : sequence of int
        The network that each of the grid's methods shows at first, in the order of
        ``grid.networks_by_method``.
    history : History
        Of the grid's experiment.
    selector : FrameSelector
        Of ``history``.
    """

    grid: StrengthGrid
    name: str
    rows: Sequence[int]
    history: History
    selector: FrameSelector


def encode(
    source: Source,
    frame: int = 0,
    reply: int = 0,
    requested_view: Mapping[str, Any] | None = None,
    link: str | None = "",
    ask_after: float = 0.0,
    most: int | None = None,
) -> bytes:
    """Encode a run's frames from ``frame`` on, as the module describes.

    Parameters
    ----------
    source : Source
    frame : int
        The first frame to send; frame 0 comes with the points and all else that does not change.
    reply : int
        Counts the messages of a session. It tells one without frames from the next: Streamlit does
        not deliver the same bytes twice, and the browser would wait for an answer forever. By a
        count that begins again the browser knows that its session was lost.
    requested_view : mapping, optional
        What the board is to show, once for each ``"id"``: ``"focus"``, a card's key or None;
        ``"strength_indices"``, of each method, by its key; ``"epoch"``, or None to leave it; and
        ``"scroll"``, whether to scroll to the board.
    link : str
        The query string of what is trained, which the browser adds the view to; None if there is
        no link to it.
    ask_after : float
        Seconds after which the browser asks for more.
    most : int, optional
        Frames to send at most; by default all that there are.
    """
    history, selector = source.history, source.selector
    n_times = len(history.epochs)  # the run may be ahead of it
    frames = [(t, precision) for t, precision in selector.frames[frame:] if t < n_times][:most]
    times = [t for t, precision in frames if precision == frames[0][1]]

    def arrays() -> tuple[dict[str, Any], bytes]:
        metrics = np.stack([history.metrics[metric][times] for metric in SENT_METRICS], axis=2)
        found = {
            "parameters": selector.parameters(history, frame, frame + len(times)),
            "metrics": metrics,
        }
        if frame == 0:
            found |= {split: np.column_stack(history.dataset.points(split)) for split in SPLITS}
        # At first all networks are alike; later nothing repeats but single bytes, and to look for
        # more would take six times as long and cost 1 %.
        return _compressed(found, zlib.Z_DEFAULT_STRATEGY if frame == 0 else zlib.Z_RLE)

    listed, body = selector.kept((frame, len(times)), arrays)
    header: dict[str, Any] = {
        "version": MESSAGE_VERSION,
        "run": source.name,
        "frame": frame,
        "n_frames": selector.n_frames,
        "reply": reply,
        "ask_after": ask_after,
        "epochs": history.epochs[times].tolist(),
        "diverged": history.diverged.tolist(),
        "early_stopping": _early_stopping(history, source.grid.patience) if times else None,
        # two scenes may have one grid: where a batch may be larger than there are points
        "link": link,
    }
    if requested_view is not None:
        header["requested_view"] = dict(requested_view)
    if frame == 0:
        header |= {"link_version": LINK_VERSION} | _opening(source.grid, source.rows, history)
    return _message(header | {"arrays": listed}, body)


def _early_stopping(history: History, patience: int) -> dict[str, list[int | None]] | None:
    """Epochs that early stopping keeps and ends at, as far as the run has come.

    Returns
    -------
    dict or None
        ``"best"``, for each network the epoch that is kept, and ``"stop"``, the epoch at which its
        training would end, None where it has not come to that. None without validation points.
    """
    if len(history.dataset.points("validation")[1]) == 0:
        return None
    best, stopped = (history.epochs[times] for times in history.early_stopping(patience))
    # at the last recorded epoch a network may be stopped, or still be trained
    ended = stopped - best >= patience
    stops = [int(epoch) if over else None for epoch, over in zip(stopped, ended, strict=True)]
    return {"best": best.tolist(), "stop": stops}


def _opening(grid: StrengthGrid, rows: Sequence[int], history: History) -> dict[str, Any]:
    """Header fields that do not change over a run."""
    experiment, dataset = grid.experiment, history.dataset
    n_rows = len(experiment.regularizations)
    return {
        "n_networks": n_rows,
        "last_epoch": experiment.training.epochs,
        "patience": grid.patience,
        "onset": max(row.onset for row in experiment.regularizations),
        "data": dataset_label(experiment.data),
        "task": dataset.task,
        "names": list(getattr(experiment.data, "names", ())),
        "layers": list(history.layout.sizes),
        "activation": experiment.network.activation,
        "features": list(experiment.network.features),
        "metrics": list(SENT_METRICS),
        "domain": domain(dataset),
        "cards": _cards(grid, tuple(rows)),
        "classes": palette.CLASSES,
        "blank": palette.BLANK,
    }


@lru_cache(maxsize=64)
def _cards(grid: StrengthGrid, rows: tuple[int, ...]) -> list[dict[str, Any]]:
    """Header of each card: networks and strengths from weak to strong, and the first one shown."""
    # the onset is one for all, and marked on the epoch slider
    regularizations = [replace(row, onset=0) for row in grid.experiment.regularizations]
    strengths = [label(row).strength for row in regularizations]
    names = {key: METHODS[key].label for key, _ in grid.networks_by_method}
    if grid.experiment.training.optimizer == "adamw":
        names["l2"] = "Weight decay"
    cards = [
        {
            "key": key,
            "label": names[key],
            "about": METHODS[key].about,
            "colour": METHODS[key].colour,
            "networks": networks,
            "strengths": [strengths[row] for row in networks],
            "values": grid.strengths(key),
            "standard": standard,
            "drop_rates": [regularizations[row].drop_rate for row in networks],
            "strength_index": networks.index(row),
            "early_stopped": False,
        }
        for (key, networks), row, standard in zip(
            grid.networks_by_method, rows, grid.strength_indices({}), strict=True
        )
    ]
    if grid.early_stopping:
        none = next(card for card in cards if card["key"] == "none")
        cards.append(
            none
            | {
                "key": catalogue.EARLY_STOPPING,
                "label": "Early stopping",
                "about": catalogue.ABOUT_EARLY_STOPPING,
                "colour": catalogue.colour(catalogue.EARLY_STOPPING),
                "early_stopped": True,
            }
        )
    return cards


def _compressed(arrays: Mapping[str, NDArray[Any]], strategy: int) -> tuple[dict[str, Any], bytes]:
    """Types and shapes of arrays, and these as the module describes, by a strategy of zlib."""
    bodies, listed = [], {}
    for name, array in arrays.items():
        kind = HALF if array.dtype == np.float16 else SINGLE
        with np.errstate(over="ignore"):  # the loss of a network that diverges
            numbers = np.ascontiguousarray(array, dtype=kind)
        words = numbers.view(kind.replace("f", "i")).reshape(len(numbers), prod(numbers.shape[1:]))
        changes = np.diff(words, axis=0, prepend=np.zeros_like(words[:1]))
        coded = np.abs(changes) << 1 | (changes < 0)
        bodies.append(coded.T.reshape(-1, 1).view(np.uint8).T.tobytes())
        listed[name] = [kind, *array.shape]
    stream = zlib.compressobj(strategy=strategy)
    return listed, stream.compress(b"".join(bodies)) + stream.flush()


def _message(header: Mapping[str, Any], body: bytes) -> bytes:
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, body])
