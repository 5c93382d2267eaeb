"""Encode the recording of a grid as binary messages for the browser.

This is the specification of the format; ``assets/board/state/codec.js`` is the decoder. A message
is

1. a little-endian uint32, the length of the header in bytes;
2. the header, JSON in UTF-8, padded with spaces to a multiple of four bytes;
3. the arrays that ``header["arrays"]`` lists with name, type and shape, in that order, compressed
   together with zlib (RFC 1950). Types are ``"<f4"`` and, for parameters only, ``"<f2"``.

Arrays are delta coded along the first axis (time), because parameters change little from frame to
frame, and their exponents hardly at all:

- Each number, read as a b-bit unsigned integer, is replaced by its difference from the one before
  along the first axis; the first by its difference from 0.
- A difference d from -2^(b-1) to 2^(b-1) - 1 is written as 2d if d >= 0 and else as -2d + 1, both
  modulo 2^b.
- The differences are transposed, so that those of one number are adjacent, and stored in byte
  planes: the lowest bytes of all numbers first, the highest bytes last.

A message has frames of one precision, from index ``header["frame"]`` on. A browser that has
received n frames requests those from n on.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regviz.data.datasets import Dataset, domain, domains
from regviz.engine.history import History
from regviz.methods import palette
from regviz.methods.catalogue import patience_of
from regviz.methods.labels import dataset_label, label
from regviz.scenes.cards import Card, grid_cards
from regviz.scenes.frames import HALF, SENT_METRICS, SINGLE, FrameSelector, rounded
from regviz.scenes.link import LINK_VERSION
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import (
    Data,
    Experiment,
    Phase,
    Regularization,
)
from regviz.spec.points import SPLITS

MESSAGE_VERSION = 8


@dataclass(frozen=True)
class Source:
    """A complete or partial run, to be encoded for the browser.

    Parameters
    ----------
    cards : sequence of Card
        The run's cards, as of `regviz.scenes.cards`.
    name : str
        Identifier of run and cards; the browser never combines frames of different names.
    history : History
    selector : FrameSelector
        Selector of the frames of ``history``.
    """

    cards: Sequence[Card]
    name: str
    history: History
    selector: FrameSelector

    @classmethod
    def of(
        cls,
        grid: StrengthGrid,
        name: str,
        rows: Sequence[int],
        history: History,
        selector: FrameSelector,
    ) -> "Source":
        """Return the source of a grid's run.

        Parameters
        ----------
        grid : StrengthGrid
        name, history, selector
            As for `Source`; the history is that of the grid's experiment.
        rows : sequence of int
            Index of the network to show at first for each method, in the order of
            ``grid.methods``.
        """
        return cls(grid_cards(grid, tuple(rows)), name, history, selector)


def encode(
    source: Source,
    frame: int = 0,
    reply: int = 0,
    requested_view: Mapping[str, Any] | None = None,
    link: str | None = "",
    ask_after: float = 0.0,
    most: int | None = None,
    claims: Mapping[str, Any] | None = None,
    part: Mapping[str, Any] | None = None,
) -> bytes:
    """Encode a run's frames from index ``frame`` on as one message.

    Parameters
    ----------
    source : Source
    frame : int
        Index of the first frame to send. A message with frame 0 also has the points and the header
        fields that do not change over a run.
    reply : int
        Number of the message in its session. It makes messages without frames different:
        Streamlit does not deliver the same bytes twice, and the browser would wait for the answer.
        If the number restarts, the browser knows that its session was lost.
    requested_view : mapping, optional
        View to show, once for each ``"id"``: ``"focus"``, a card's key or None;
        ``"strength_indices"`` and ``"variant_indices"``, by key of the method; ``"epoch"``, or None
        to leave it unchanged; ``"scroll"``, whether to scroll to the board; ``"play"``, whether to
        play on from the epoch, or without one from the start; and ``"local"``, the state of the
        board that links do not hold, or None to leave it unchanged.
    link : str
        Query string of the trained experiment, to which the browser adds the view; None if there
        is no link to it.
    ask_after : float
        Seconds after which the browser requests more frames.
    most : int, optional
        Largest number of frames to send; by default, no limit.
    claims : mapping, optional
        The claims of *Try this*: ``"offered"``, a list of their ``"key"``, ``"title"`` and
        ``"watch"``; ``"opened"``, the key of the one opened last, or None;
        ``"networks"``, its networks by method, or None if the run is not that of its
        scene; and ``"undo"``, whether there is a scene to return to. By default none are offered.
    part : mapping, optional
        The part of the board to show: ``"show"``, the panels below the cards, and ``"drag"``, a
        list of the controls that stay, as of `regviz.lessons.lesson.Board`. By default all of it.

    Returns
    -------
    bytes
        The message. It has fewer frames if the next one has another precision.
    """
    history, selector = source.history, source.selector
    n_times = len(history.epochs)  # the selector may already have frames of a later history
    frames = [(t, precision) for t, precision in selector.frames[frame:] if t < n_times][:most]
    times = [t for t, precision in frames if precision == frames[0][1]]

    def arrays() -> tuple[dict[str, Any], bytes]:
        metrics = np.stack([history.metrics[metric][times] for metric in SENT_METRICS], axis=2)
        content = {
            "parameters": selector.parameters(history, frame, frame + len(times)),
            "metrics": metrics,
        }
        if frame == 0:
            content |= {split: np.column_stack(history.dataset.points(split)) for split in SPLITS}
        # All networks are equal in frame 0. In later frames only runs of bytes repeat: to search
        # for longer matches takes six times as long and changes the size by 1 %.
        return _compressed(content, zlib.Z_DEFAULT_STRATEGY if frame == 0 else zlib.Z_RLE)

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
        "early_stopping": _early_stopping(history) if times else None,
        # per message, as scenes with different links may share a run: `Scene.grid` limits the
        # batch size to the number of training points
        "link": link,
    }
    if requested_view is not None:
        header["requested_view"] = dict(requested_view)
    if claims is not None:
        header["claims"] = dict(claims)
    if part is not None:
        header["part"] = dict(part)
    if frame == 0:
        header |= {"link_version": LINK_VERSION} | _opening(history, source.cards)
    return _message(header | {"arrays": listed}, body)


def encode_all(
    source: Source,
    frame: int = 0,
    requested_view: Mapping[str, Any] | None = None,
    lengths: Sequence[int] = (),
) -> list[bytes]:
    """Encode a run's frames from index ``frame`` on as few messages: one for each precision.

    Parameters
    ----------
    source, frame, requested_view
        As for `encode`, for a page without a link.
    lengths : sequence of int
        Largest numbers of frames of the first messages; by default, no limit.
    """
    messages, most = [], iter(lengths)
    n_times, frames = len(source.history.epochs), source.selector.frames
    kinds = [precision for t, precision in frames if t < n_times]
    while frame < len(kinds):
        limit = next(most, None)
        messages.append(encode(source, frame, requested_view=requested_view, most=limit))
        same = list(takewhile(kinds[frame].__eq__, kinds[frame:]))
        frame += len(same[:limit])
    return messages


def encode_still(
    grid: StrengthGrid, rows: Sequence[int], history: History, epoch: int, focus: str
) -> bytes:
    """Encode one network of each method at one epoch, as a message with all that a picture needs.

    Parameters
    ----------
    grid : StrengthGrid
    rows : sequence of int
        Index of the network of each method, in the order of ``grid.methods``.
    history : History
        Complete run of ``grid.experiment`` or of ``grid.only(rows)``.
    epoch : int
        The epoch to show. The last recorded one up to it is the last frame of the message; the
        frame before, if any, is the one that early stopping keeps.
    focus : str
        Key of the card to show large.
    """
    still = grid.with_rows(rows)
    whole = history.experiment == grid.experiment
    kept = list(rows) if whole else list(range(len(rows)))
    shown = int(np.searchsorted(history.epochs, epoch, side="right")) - 1
    times = [shown]
    stopping = _early_stopping(history)
    if stopping is not None:
        stopping = {name: [epochs[k] for k in kept] for name, epochs in stopping.items()}
    if grid.early_stopping:
        none = kept[grid.methods.index("none")]
        best = int(history.early_stopping(patience_of(history.experiment.training))[0][none])
        times = sorted({min(best, shown), shown})
    metrics = np.stack([history.metrics[metric][times][:, kept] for metric in SENT_METRICS], axis=2)
    content: dict[str, NDArray[Any]] = {
        "parameters": rounded(history.parameters[times][:, kept]),
        "metrics": metrics,
    }
    content |= {split: np.column_stack(history.dataset.points(split)) for split in SPLITS}
    header = {
        "run": "still",
        "frame": 0,
        "n_frames": len(times),
        "reply": 0,
        "ask_after": 0,
        "epochs": history.epochs[times].tolist(),
        "diverged": history.diverged[kept].tolist(),
        "early_stopping": stopping,
        "link": None,
        "link_version": LINK_VERSION,
        "focus": focus,
    }
    opening = _opening(history, grid_cards(still, tuple(range(len(rows)))))
    return pack(header | opening | {"n_networks": len(rows)}, content)


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Encode a header and arrays as one message.

    Parameters
    ----------
    header : mapping
        Values of JSON; ``"version"`` and ``"arrays"`` are added.
    arrays : mapping of str to ndarray
        Arrays are sent in half precision if they have it, and else in single precision.
    """
    listed, body = _compressed(arrays, zlib.Z_DEFAULT_STRATEGY)
    return _message({"version": MESSAGE_VERSION} | dict(header) | {"arrays": listed}, body)


def _early_stopping(history: History) -> dict[str, list[int | None]] | None:
    """Return the results of early stopping on the recorded part of a run.

    Returns
    -------
    dict or None
        ``"best"``, the epoch of each network with the best validation loss before its stop, and
        ``"stop"``, the epoch at which its training would stop, or None before that. None without
        validation points.
    """
    if len(history.dataset.points("validation")[1]) == 0:
        return None
    patience = patience_of(history.experiment.training)
    best, stopped = (history.epochs[times] for times in history.early_stopping(patience))
    # `stopped` is the last recorded epoch also for a network whose training has not stopped
    ended = stopped - best >= patience
    stops = [int(epoch) if over else None for epoch, over in zip(stopped, ended, strict=True)]
    return {"best": best.tolist(), "stop": stops}


def _opening(history: History, cards: Sequence[Card]) -> dict[str, Any]:
    """Return the header fields that do not change over a run."""
    experiment, dataset = history.experiment, history.dataset
    return {
        "n_networks": len(experiment.regularizations),
        "last_epoch": experiment.training.epochs,
        "patience": patience_of(experiment.training),
        "learning_rate": experiment.training.learning_rate,
        "phases": [_phase(phase, experiment) for phase in experiment.phases],
        "data": dataset_label(experiment.data),
        "task": dataset.task,
        "names": list(getattr(experiment.data, "names", ())),
        "layers": list(history.layout.sizes),
        "activation": experiment.network.activation,
        "normalization": history.layout.normalization,
        "affine": history.layout.affine,
        "adaptive": experiment.training.optimizer in ("adam", "adamw"),
        "features": list(_inputs(experiment)),
        "columns": _columns(dataset, experiment.data),
        "metrics": list(SENT_METRICS),
        "domain": domain(dataset),
        "cards": list(cards),
        "classes": palette.CLASSES,
        "blank": palette.BLANK,
    }


def _inputs(experiment: Experiment) -> Sequence[str]:
    """Return the names of the network's inputs: of features, or of the columns of a table."""
    data = experiment.data
    return experiment.network.features if data.n_columns == 2 else data.columns


def _columns(dataset: Dataset, data: Data | ArraysSpec) -> list[dict[str, Any]]:
    """Return the header entry of each column of a table: name, mean, range, and relevance.

    The list is empty for two columns, whose range is that of the plane.
    """
    if dataset.n_columns == 2:
        return []
    return [
        {
            "name": name,
            "mean": mean,
            "range": ends,
            "relevant": None if data.relevant is None else i in data.relevant,
        }
        for i, (name, mean, ends) in enumerate(
            zip(data.columns, dataset.X_train.mean(axis=0).tolist(), domains(dataset), strict=True)
        )
    ]


def _phase(phase: Phase, experiment: Experiment) -> dict[str, Any]:
    """Return the header entry of a phase."""
    row, rate = phase.regularization, phase.learning_rate
    return {
        "until": phase.until,
        "text": label(row).text,
        "regularized": row != Regularization(),
        "drop_rate": row.drop_rate,
        "learning_rate": experiment.training.learning_rate if rate is None else rate,
    }


def _compressed(arrays: Mapping[str, NDArray[Any]], strategy: int) -> tuple[dict[str, Any], bytes]:
    """Encode and compress arrays as the module describes; return their types and shapes first.

    ``strategy`` is that of `zlib.compressobj`.
    """
    bodies, listed = [], {}
    for name, array in arrays.items():
        kind = HALF if array.dtype == np.float16 else SINGLE
        with np.errstate(over="ignore"):  # losses beyond float32, before a network diverges
            numbers = np.ascontiguousarray(array, dtype=kind)
        words = numbers.view(kind.replace("f", "i")).reshape(len(numbers), prod(numbers.shape[1:]))
        changes = np.diff(words, axis=0, prepend=np.zeros_like(words[:1]))
        coded = np.abs(changes) << 1 | (changes < 0)
        bodies.append(coded.T.reshape(-1, 1).view(np.uint8).T.tobytes())
        listed[name] = [kind, *array.shape]
    stream = zlib.compressobj(strategy=strategy)
    return listed, stream.compress(b"".join(bodies)) + stream.flush()


def _message(header: Mapping[str, Any], body: bytes) -> bytes:
    text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, body])
