"""Which frames of a run travel to the browser, and in which precision.

All frames in single precision, where that stays within a limit. Else in half precision, as long as
no drawn prediction moves visibly by it; from the first frame on that does not bear it, every other
frame, counted back from the last, in single precision. That takes as many bytes, or, where only the
last frame does not bear it, those of one more frame.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regviz import networks
from regviz.datasets import domain
from regviz.history import History
from regviz.layout import input_features
from regviz.training import pinned, recorded_epochs

SINGLE, HALF = "<f4", "<f2"
METRICS = (
    *("train_loss", "validation_loss", "test_loss"),
    *("test_accuracy", "penalty", "sparsity"),
)
# No drawn probability may move by more than 1e-3. It is tested on fewer points than are drawn.
TOLERANCE = 5e-4
GRID = 24


def frame_bytes(n_rows: int, n_parameters: int, precision: str) -> int:
    """Bytes of a frame: parameters in ``precision``, metrics in single precision."""
    return n_rows * (n_parameters * np.dtype(precision).itemsize + 4 * len(METRICS))


def halved(parameters: NDArray[np.floating]) -> NDArray[np.float16]:
    """Parameters in half precision; a number that is not 0 does not become 0."""
    return _narrowed(parameters, np.dtype(np.float16))


def single(parameters: NDArray[np.floating]) -> NDArray[np.float32]:
    """Parameters in single precision; a number that is not 0 does not become 0."""
    return _narrowed(parameters, np.dtype(np.float32))


def _narrowed(parameters: NDArray[np.floating], dtype: np.dtype[Any]) -> NDArray[Any]:
    if parameters.dtype == dtype:
        return parameters
    with np.errstate(over="ignore", under="ignore"):
        narrow = parameters.astype(dtype)
    lost = (narrow == 0) & (parameters != 0)
    narrow[lost] = np.copysign(np.finfo(dtype).smallest_subnormal, parameters[lost])
    return narrow


class Packing:
    """The frames of a growing run that travel.

    Parameters
    ----------
    history : History
        The run as it begins, on data with two columns.
    limit : int or None
        Bytes that all frames may take; None is no limit.

    Attributes
    ----------
    frames : list of (int, str)
        Time index and precision, `SINGLE` or `HALF`, of each frame so far.
    """

    @pinned()
    def __init__(self, history: History, limit: int | None = None) -> None:
        _, n_rows, n_parameters = history.parameters.shape
        self.n_recorded = len(recorded_epochs(history.experiment.training))
        whole = self.n_recorded * frame_bytes(n_rows, n_parameters, SINGLE)
        self.precision = SINGLE if limit is None or whole <= limit else HALF
        self.stride = 1
        self.n_seen = 0
        self.frames: list[tuple[int, str]] = []
        low, high = domain(history.dataset)
        side = np.linspace(low, high, GRID)
        points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        inputs = input_features(points, history.experiment.network.features)
        self.inputs = torch.from_numpy(inputs.astype(np.float32))
        values = history.dataset.y_train
        regression = history.dataset.task == "regression"
        self.tolerance = TOLERANCE * (float(np.ptp(values)) or 1 if regression else 1)

    @property
    def n_frames(self) -> int:
        """How many frames there will be, if nothing changes the precision."""
        taken = [t for t, _ in self.frames]
        last = taken[-1] if taken else -1
        return len(taken) + sum(self._travels(t, last) for t in range(last + 1, self.n_recorded))

    def add(self, history: History) -> None:
        """Take in the frames that ``history`` has beyond those seen."""
        for t in range(self.n_seen, len(history.epochs)):
            if self.precision == HALF and not self._bears_half(history, t):
                self.precision, self.stride = SINGLE, 2
            if self._travels(t, self.frames[-1][0] if self.frames else -1):
                self.frames.append((t, self.precision))
        self.n_seen = len(history.epochs)

    def _travels(self, t: int, last: int) -> bool:
        """Whether the frame at ``t`` does, where the one at ``last`` was the last that did."""
        left = self.n_recorded - 1 - t
        due = t - last >= self.stride and left % self.stride == 0
        return t == 0 or left == 0 or due

    def _bears_half(self, history: History, t: int) -> bool:
        rows = history.parameters[t].astype(np.float32)
        half = halved(rows)
        if not np.isfinite(half).all():
            return False
        exact, rounded = (self._predict(history, p) for p in (rows, half))
        with np.errstate(invalid="ignore"):
            # written so that what is not a number is a move
            return bool((np.abs(exact - rounded) <= self.tolerance).all())

    @pinned()
    @torch.inference_mode()
    def _predict(self, history: History, parameters: NDArray[Any]) -> NDArray[np.float32]:
        blocks = history.layout.split(torch.from_numpy(parameters.astype(np.float32)))
        activation = history.experiment.network.activation
        outputs = networks.hidden_and_output(blocks, self.inputs, activation)[-1]
        return networks.predict(outputs, history.dataset.task).numpy()
