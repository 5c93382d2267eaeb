"""Select the frames of a run that are sent to the browser, and their precision.

If all frames fit into `MAX_BYTES` in single precision, they are sent so. Otherwise they are sent in
half precision, up to the first frame in which this changes a drawn prediction by more than
`TOLERANCE`. From this frame on, every other frame is sent in single precision, counted back from
the last one. Both need the same number of bytes, up to one frame. Runs of a `StrengthGrid` record
so few frames that all fit in half precision; of other runs `fitting_stride` leaves out frames.

Frames in single precision are rounded to `BITS` bits of the significand, a relative error of at
most 2^-18, which changes no drawn prediction visibly. The low bits of trained parameters are random
and do not compress; the bits set to 0 do. All networks of the page's first experiment take 1.35 MB,
and 1.80 MB without rounding.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regviz.data.datasets import Dataset, domain
from regviz.engine import networks
from regviz.engine.history import History
from regviz.engine.layout import input_features
from regviz.engine.training import pinned, recorded_epochs
from regviz.spec.points import SPLITS

# Bound on all frames of all networks, before compression. The 109 networks of the page's first
# experiment take 8.1 MB, those of two layers of 16 units 67 frames in single precision.
MAX_BYTES = 10_000_000
SINGLE, HALF = "<f4", "<f2"
SENT_METRICS = (
    *("train_loss", "validation_loss", "test_loss"),
    *("test_accuracy", "penalty", "sparsity"),
)
# Largest change of a probability on a grid of GRID x GRID points, so that it is at most 1e-3 on the
# finer grid that is drawn.
TOLERANCE = 5e-4
GRID = 24
ALL_BITS, BITS = 23, 17  # of a significand in single precision, without the leading one
KEPT_MESSAGES = 4


def frame_bytes(n_rows: int, n_parameters: int, precision: str) -> int:
    """Return the bytes of a frame, with parameters in ``precision`` and metrics in `SINGLE`."""
    return n_rows * (n_parameters * np.dtype(precision).itemsize + 4 * len(SENT_METRICS))


def fitting_stride(n_recorded: int, n_rows: int, n_parameters: int) -> int:
    """Return the least stride with which frames in half precision fit into `MAX_BYTES`.

    The first and the last frame are sent in any case.
    """
    return -(-n_recorded * frame_bytes(n_rows, n_parameters, HALF) // MAX_BYTES)


def to_float16(parameters: NDArray[np.floating]) -> NDArray[np.float16]:
    """Convert parameters to half precision; nonzero numbers stay nonzero."""
    return _narrowed(parameters, np.dtype(np.float16))


def single(parameters: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert parameters to single precision; nonzero numbers stay nonzero."""
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
    """Round parameters to single precision with `BITS` bits after the leading one.

    Zeros stay zeros. A value that would become 0 or infinite is not rounded.
    """
    exact = np.ascontiguousarray(single(parameters))
    unit = np.uint32(1 << (ALL_BITS - BITS))
    near = ((exact.view(np.uint32) + (unit >> 1)) & ~(unit - 1)).view(np.float32)
    lost = ~np.isfinite(near) | ((near == 0) != (exact == 0))
    return np.where(lost, exact, near)


def _probes(dataset: Dataset) -> NDArray[np.float64]:
    """Return GRID x GRID points of the drawn plane, or as many of the data with more columns."""
    if dataset.n_columns == 2:
        side = np.linspace(*domain(dataset), GRID)
        return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return np.concatenate([dataset.points(split)[0] for split in SPLITS])[: GRID * GRID]


class FrameSelector:
    """Selects the frames of a growing run to send, and caches their encoded messages.

    Parameters
    ----------
    history : History
        The run with its initial networks.
    limit : int, optional
        Bound on the bytes of all frames, by default `MAX_BYTES`.
    n_recorded : int, optional
        Number of epochs that the history will have, by default that of the complete run.
    stride : int
        Of how many epochs one is selected in half precision, counted back from the last one.

    Attributes
    ----------
    frames : list of (int, str)
        Time index and precision, `SINGLE` or `HALF`, of each frame selected so far.
    n_bytes : int
        Bytes of the cached messages. Reading it takes no lock, which is held during compression.
    """

    @pinned()
    def __init__(
        self,
        history: History,
        limit: int | None = None,
        n_recorded: int | None = None,
        stride: int = 1,
    ) -> None:
        _, n_rows, n_parameters = history.parameters.shape
        self.n_recorded = n_recorded or len(recorded_epochs(history.experiment.training))
        whole = self.n_recorded * frame_bytes(n_rows, n_parameters, SINGLE)
        self.precision = SINGLE if whole <= (MAX_BYTES if limit is None else limit) else HALF
        self.stride = stride
        self.n_seen = 0
        self.frames: list[tuple[int, str]] = []
        self._messages: dict[Hashable, Any] = {}
        self.n_bytes = 0
        self._lock = threading.Lock()
        points = _probes(history.dataset)
        inputs = input_features(points, history.experiment.network.features)
        self.inputs = torch.from_numpy(inputs.astype(np.float32))
        values = history.dataset.y_train
        regression = history.dataset.task == "regression"
        self.tolerance = TOLERANCE * (float(np.ptp(values)) or 1 if regression else 1)

    @property
    def n_frames(self) -> int:
        """Expected number of frames of the complete run, if the precision does not change."""
        selected = [t for t, _ in self.frames]
        last = selected[-1] if selected else -1
        n_left = sum(self._is_selected(t, last) for t in range(last + 1, self.n_recorded))
        return len(selected) + n_left

    def add(self, history: History) -> None:
        """Select among the frames of ``history`` that were not in the one added before."""
        for t in range(self.n_seen, len(history.epochs)):
            last = self.frames[-1][0] if self.frames else -1
            if not self._is_selected(t, last):
                continue
            if self.precision == HALF and not self.half_suffices(history, t):
                self.precision, self.stride = SINGLE, 2 * self.stride
            if self._is_selected(t, last):
                self.frames.append((t, self.precision))
        self.n_seen = len(history.epochs)

    def parameters(
        self, history: History, first: int, last: int
    ) -> NDArray[np.float32] | NDArray[np.float16]:
        """Return the parameters to send for frames ``first`` to ``last - 1``, of one precision.

        Returns
        -------
        ndarray of shape (last - first, K, P)
        """
        frames = self.frames[first:last]
        exact = history.parameters[[t for t, _ in frames]]
        return to_float16(exact) if frames and frames[0][1] == HALF else rounded(exact)

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return a message's encoded arrays from the cache, or make them and cache them.

        The cache has the last `KEPT_MESSAGES` made. ``make`` is called under a lock, so that
        concurrent requests for one message, as of a class that opens one link, compress it once.
        """
        with self._lock:
            if key not in self._messages:
                self._messages[key] = made = make()
                self.n_bytes += len(made[1])
                if len(self._messages) > KEPT_MESSAGES:
                    _, body = self._messages.pop(next(iter(self._messages)))
                    self.n_bytes -= len(body)
            return self._messages[key]

    def _is_selected(self, t: int, last: int) -> bool:
        """Return whether to send the frame at time index ``t`` after the one at ``last``."""
        left = self.n_recorded - 1 - t
        due = t - last >= self.stride and left % self.stride == 0
        return t == 0 or left == 0 or due

    def half_suffices(self, history: History, t: int) -> bool:
        """Return whether half precision changes all predictions by at most the tolerance."""
        rows = history.parameters[t].astype(np.float32)
        half = to_float16(rows)
        if not np.isfinite(half).all():
            return False
        exact, narrow = (self._predict(history, p) for p in (rows, half))
        with np.errstate(invalid="ignore"):
            # comparing with NaN is False, so that NaN counts as a change
            return bool((np.abs(exact - narrow) <= self.tolerance).all())

    @pinned()
    @torch.inference_mode()
    def _predict(self, history: History, parameters: NDArray[Any]) -> NDArray[np.float32]:
        layout, rows = history.layout, torch.from_numpy(parameters.astype(np.float32))
        activation, norms = history.experiment.network.activation, layout.normalizations(rows)
        outputs = networks.hidden_and_output(layout.split(rows), self.inputs, activation, norms)[-1]
        return networks.predict(outputs, history.dataset.task).numpy()
