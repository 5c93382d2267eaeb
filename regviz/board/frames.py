"""Select the frames of a run that are sent to the browser, and their precision.

All frames are sent in single precision, where that stays within `MAX_BYTES`. Otherwise they are
sent in half precision, as long as that moves no drawn prediction visibly. From the first frame that
it does move, every other frame is sent, counted back from the last, in single precision. That takes
as many bytes, or one frame more where only the last frame is such a one.

Frames in single precision are rounded to `BITS` bits of the significand, a relative error of at
most 2^-18, which moves no drawn prediction visibly. The other bits are 0, and compress to nothing.
Low bits are random, and most of what a recording weighs: all networks of the showcase travel in
1.42 MB, without rounding in 1.87 MB.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regviz.data.datasets import domain
from regviz.engine import networks
from regviz.engine.history import History
from regviz.engine.layout import input_features
from regviz.engine.training import pinned, recorded_epochs

MAX_BYTES = 8_000_000  # bytes of all frames of all networks
SINGLE, HALF = "<f4", "<f2"
SENT_METRICS = (
    *("train_loss", "validation_loss", "test_loss"),
    *("test_accuracy", "penalty", "sparsity"),
)
# No drawn probability may move by more than 1e-3. It is tested on fewer points than are drawn.
TOLERANCE = 5e-4
GRID = 24
ALL_BITS, BITS = 23, 17  # of a significand in single precision, without the leading one
KEPT_MESSAGES = 4


def frame_bytes(n_rows: int, n_parameters: int, precision: str) -> int:
    """Bytes of a frame: parameters in ``precision``, metrics in single precision."""
    return n_rows * (n_parameters * np.dtype(precision).itemsize + 4 * len(SENT_METRICS))


def to_float16(parameters: NDArray[np.floating]) -> NDArray[np.float16]:
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


def rounded(parameters: NDArray[np.floating]) -> NDArray[np.float32]:
    """Parameters in single precision, rounded to `BITS` bits after the leading one.

    Zeros are where they were. A value that would become 0 or infinite is left as it is.
    """
    exact = np.ascontiguousarray(single(parameters))
    unit = np.uint32(1 << (ALL_BITS - BITS))
    near = ((exact.view(np.uint32) + (unit >> 1)) & ~(unit - 1)).view(np.float32)
    lost = ~np.isfinite(near) | ((near == 0) != (exact == 0))
    return np.where(lost, exact, near)


class FrameSelector:
    """The frames of a growing run that travel.

    Parameters
    ----------
    history : History
        The run as it begins, on data with two columns.
    limit : int, optional
        Bytes that all frames may take, by default `MAX_BYTES`.

    Attributes
    ----------
    frames : list of (int, str)
        Time index and precision, `SINGLE` or `HALF`, of each frame so far.
    n_bytes : int
        Memory that the kept messages take. It is read while one is being compressed, so it waits
        for nothing.
    """

    @pinned()
    def __init__(self, history: History, limit: int | None = None) -> None:
        _, n_rows, n_parameters = history.parameters.shape
        self.n_recorded = len(recorded_epochs(history.experiment.training))
        whole = self.n_recorded * frame_bytes(n_rows, n_parameters, SINGLE)
        self.precision = SINGLE if whole <= (MAX_BYTES if limit is None else limit) else HALF
        self.stride = 1
        self.n_seen = 0
        self.frames: list[tuple[int, str]] = []
        self._messages: dict[Hashable, Any] = {}
        self.n_bytes = 0
        self._lock = threading.Lock()
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
            if self.precision == HALF and not self.half_suffices(history, t):
                self.precision, self.stride = SINGLE, 2
            if self._travels(t, self.frames[-1][0] if self.frames else -1):
                self.frames.append((t, self.precision))
        self.n_seen = len(history.epochs)

    def parameters(
        self, history: History, first: int, last: int
    ) -> NDArray[np.float32] | NDArray[np.float16]:
        """The parameters that travel with frames ``first`` to ``last - 1``, all of one precision.

        Returns
        -------
        array of shape (last - first, K, P)
        """
        frames = self.frames[first:last]
        exact = history.parameters[[t for t, _ in frames]]
        return to_float16(exact) if frames and frames[0][1] == HALF else rounded(exact)

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return a message's arrays, made by ``make`` unless they were made under this key before.

        The last `KEPT_MESSAGES` are kept. Visitors who ask for the same at the same time wait for
        one of them: a class that opens one link has its recording compressed once.
        """
        with self._lock:
            if key not in self._messages:
                self._messages[key] = made = make()
                self.n_bytes += len(made[1])
                if len(self._messages) > KEPT_MESSAGES:
                    _, body = self._messages.pop(next(iter(self._messages)))
                    self.n_bytes -= len(body)
            return self._messages[key]

    def _travels(self, t: int, last: int) -> bool:
        """Whether the frame at ``t`` does, where the one at ``last`` was the last that did."""
        left = self.n_recorded - 1 - t
        due = t - last >= self.stride and left % self.stride == 0
        return t == 0 or left == 0 or due

    def half_suffices(self, history: History, t: int) -> bool:
        """Whether half precision moves no prediction of frame ``t`` by more than the tolerance."""
        rows = history.parameters[t].astype(np.float32)
        half = to_float16(rows)
        if not np.isfinite(half).all():
            return False
        exact, moved = (self._predict(history, p) for p in (rows, half))
        with np.errstate(invalid="ignore"):
            # written so that what is not a number is a move
            return bool((np.abs(exact - moved) <= self.tolerance).all())

    @pinned()
    @torch.inference_mode()
    def _predict(self, history: History, parameters: NDArray[Any]) -> NDArray[np.float32]:
        blocks = history.layout.split(torch.from_numpy(parameters.astype(np.float32)))
        activation = history.experiment.network.activation
        outputs = networks.hidden_and_output(blocks, self.inputs, activation)[-1]
        return networks.predict(outputs, history.dataset.task).numpy()
