"""A history as bytes for the browser.

The layout, written down here alone (``assets/board/codec.js`` reads it): a little-endian uint32
with the length of the header; the header, JSON in UTF-8, padded with spaces so that what follows
starts at a multiple of four; then the arrays that ``header["arrays"]`` lists by name and shape, in
that order, little-endian float32 in C order.

A message carries the frames from ``header["frame"]`` on, as many as there are by now. Who has n
frames of a run asks for those from n on; so nothing travels twice and nothing is lost.
"""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regviz import palette
from regviz.datasets import SPLITS, domain
from regviz.history import METRICS, History
from regviz.labels import labels
from regviz.regularization import METHODS
from regviz.training import recorded_epochs

VERSION = 1


def encode(history: History, run: str, frame: int = 0) -> bytes:
    """The frames of ``history`` from ``frame`` on, as the module describes.

    Parameters
    ----------
    history : History
        A run on data with two columns.
    run : str
        Names the run; frames of two runs are never mixed.
    frame : int
        The first frame to send; 0 sends the points and all else that does not change, too.
    """
    dataset = history.dataset
    n_frames = len(recorded_epochs(history.experiment.training))
    arrays = {
        "parameters": history.parameters[frame:],
        "metrics": np.stack([history.metrics[name][frame:] for name in METRICS], axis=2),
    }
    header: dict[str, Any] = {
        "version": VERSION,
        "run": run,
        "frame": frame,
        "n_frames": n_frames,
        "epochs": history.epochs[frame:].tolist(),
        "diverged": history.diverged.tolist(),
    }
    if frame == 0:
        network = history.experiment.network
        header |= {
            "last_epoch": history.experiment.training.epochs,
            "task": dataset.task,
            "layers": list(history.layout.sizes),
            "activation": network.activation,
            "features": list(network.features),
            "metrics": list(METRICS),
            "domain": domain(dataset),
            "cards": [
                {
                    "key": label.method,
                    "label": label.name,
                    "strength": label.strength,
                    "about": METHODS[label.method].about,
                    "colour": palette.METHODS[label.method],
                }
                for label in labels(history.experiment)
            ],
            "classes": palette.CLASSES,
            "blank": palette.BLANK,
        }
        arrays |= {split: np.column_stack(dataset.points(split)) for split in SPLITS}
    return _message(header, arrays)


def _message(header: dict[str, Any], arrays: dict[str, NDArray[np.floating]]) -> bytes:
    header["arrays"] = {name: array.shape for name, array in arrays.items()}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    body = [np.ascontiguousarray(array, dtype="<f4").tobytes() for array in arrays.values()]
    return b"".join([struct.pack("<I", len(text)), text, *body])
