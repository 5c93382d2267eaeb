"""A run as a recording: every network at about a hundred epochs, from which all views derive."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regviz import measures, networks
from regviz.datasets import SPLITS, Dataset, make_dataset, numbers
from regviz.experiment import Experiment
from regviz.regularization import penalty
from regviz.training import Recording, pinned, recorded_epochs, recordings
from regviz.validation import choice, integer, refuse

Floats = NDArray[np.floating]

METRICS = (
    *(f"{split}_{measure}" for measure in ("loss", "accuracy") for split in SPLITS),
    "gap",
    "penalty",
    "objective",
    "sparsity",
    "near_zero",
    "l1_norm",
    "l2_norm",
)


@dataclass(frozen=True, eq=False)
class History:
    """The recording of a run, complete or still growing.

    Attributes
    ----------
    experiment : Experiment
    dataset : Dataset
        The points that the run saw.
    epochs : ndarray of shape (T,)
        Recorded epochs, ascending; 0 is the initialisation.
    parameters : ndarray of shape (T, K, P)
        Row k at time t: layer after layer, unit after unit, the unit's incoming weights and then
        its bias. float32, or float64 if the experiment says so. A diverged network keeps its last
        finite parameters.
    metrics : dict of str to ndarray of shape (T, K)
        ``train_loss``, ``validation_loss``, ``test_loss`` (mean data loss, never with the penalty:
        cross-entropy in nats, or half the squared error), ``train_accuracy`` and so on (share of
        points, NaN for regression), ``gap`` (test loss minus train loss), ``penalty``,
        ``objective`` (train loss plus penalty), ``sparsity`` (share of weights exactly 0),
        ``near_zero`` (share of weights below 1/1000 of the largest), ``l1_norm`` and ``l2_norm`` of
        the weights. NaN where a split has no points or a network has diverged.
    diverged : ndarray of shape (K,)
        The epoch from which a network's loss or parameters are no longer finite; -1 if they are.

    See Also
    --------
    regviz.train, regviz.stream
    """

    experiment: Experiment
    dataset: Dataset
    epochs: NDArray[np.int64]
    parameters: Floats
    metrics: dict[str, NDArray[np.float64]]
    diverged: NDArray[np.int64]

    @property
    def layout(self) -> networks.Layout:
        """Where each weight stands in a row of parameters."""
        return networks.Layout.of(
            self.experiment.network, self.dataset.n_columns, self.dataset.n_outputs
        )

    @property
    def complete(self) -> bool:
        """Whether the run has reached its last epoch."""
        return bool(self.epochs[-1] == self.experiment.training.epochs)

    @property
    def n_bytes(self) -> int:
        """Memory of the parameters that the complete run takes, in bytes."""
        n_frames = len(recorded_epochs(self.experiment.training.epochs))
        return int(self.parameters[0].nbytes) * n_frames

    def weights(self, k: int, t: int = -1) -> list[Floats]:
        """Each layer's weights ``(fan_in, fan_out)`` of network ``k`` at recorded time ``t``."""
        return [block[:, :-1].T for block in self._blocks(k, t)]

    def biases(self, k: int, t: int = -1) -> list[Floats]:
        """Each layer's biases ``(fan_out,)`` of network ``k`` at recorded time ``t``."""
        return [block[:, -1] for block in self._blocks(k, t)]

    def _blocks(self, k: int, t: int) -> list[Floats]:
        n_times, n_rows, _ = self.parameters.shape
        k, t = integer("k", k, -n_rows, n_rows - 1), integer("t", t, -n_times, n_times - 1)
        return self.layout.split(self.parameters[t, k])

    def predict(self, X: ArrayLike, t: int = -1) -> Floats:
        """What every network predicts at recorded time ``t``, dropout off.

        Parameters
        ----------
        X : array-like of shape (n, columns)
        t : int
            Index into `epochs`.

        Returns
        -------
        ndarray of shape (K, n) or (K, n, C)
            The probability of class 1, or the value (regression); or of each of C classes.

        Raises
        ------
        ValueError
            If ``X`` has another number of columns than the run's data, or holds NaN or infinity.
        """
        t = integer("t", t, -len(self.epochs), len(self.epochs) - 1)
        points = numbers("X", X)
        if points.ndim != 2 or points.shape[1] != self.dataset.n_columns:
            raise refuse("X", f"of shape (n, {self.dataset.n_columns})", points.shape)
        inputs = networks.input_features(points, self.experiment.network.features)
        rows = torch.from_numpy(self.parameters[t].copy())
        with pinned(), torch.inference_mode():
            outputs = networks.hidden_and_output(
                self.layout.split(rows),
                torch.from_numpy(inputs.astype(self.parameters.dtype)),
                self.experiment.network.activation,
            )[-1]
            return networks.predict(outputs, self.dataset.task).numpy()

    def best(self, metric: str = "validation_loss") -> NDArray[np.int64]:
        """For each network, the time index at which ``metric`` is best: ``(K,)``.

        Losses are best at their minimum, accuracies at their maximum.
        """
        return np.asarray(np.argmin(self._selectable(metric), axis=0))

    def early_stopping(
        self, patience: int, metric: str = "validation_loss"
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where early stopping would have ended each network's training.

        A view of the recording: nothing is trained again. Training stops at the first recorded
        epoch that lies ``patience`` or more epochs after the best one so far, and the network is
        the one of that best epoch.

        Parameters
        ----------
        patience : int
            Epochs without improvement that are waited for, at least 1.
        metric : str
            What has to improve, on validation points by default.

        Returns
        -------
        best, stopped : ndarrays of shape (K,)
            Time indices of the network that is kept, and of the end of its training. Without a
            stop the latter is the last one.
        """
        patience = integer("patience", patience, 1, 10**9)
        values = self._selectable(metric)
        n_times, n_rows = values.shape
        best, stopped = np.zeros(n_rows, np.int64), np.full(n_rows, n_times - 1)
        for k in range(n_rows):
            for t in range(1, n_times):
                if values[t, k] < values[best[k], k]:
                    best[k] = t
                elif self.epochs[t] - self.epochs[best[k]] >= patience:
                    stopped[k] = t
                    break
        return best, stopped

    def _selectable(self, metric: str) -> NDArray[np.float64]:
        """``metric`` turned so that less is better, with infinity where it is undefined."""
        allowed = [f"{split}_{what}" for split in SPLITS[:2] for what in ("loss", "accuracy")]
        choice("metric", metric, allowed)
        values = self.metrics[metric]
        if np.isnan(values).all():
            raise refuse("metric", "one that this run has points for", metric)
        sign = -1 if metric.endswith("accuracy") else 1
        return np.where(np.isnan(values), np.inf, sign * values)

    def save(self, file: str | PathLike[str] | BinaryIO) -> None:
        """Write the history in numpy's ``.npz`` format, without pickle; `load` reads it back."""
        splits = {
            f"{letter}_{split}": array
            for split in SPLITS
            for letter, array in zip("Xy", self.dataset.points(split), strict=True)
        }
        # numpy would put a suffix to a name of its own accord
        with (
            Path(file).open("wb") if isinstance(file, str | PathLike) else nullcontext(file) as out
        ):
            np.savez_compressed(
                out,
                experiment=np.array(self.experiment.to_json()),
                task=np.array(self.dataset.task),
                epochs=self.epochs,
                parameters=self.parameters,
                diverged=self.diverged,
                metrics=np.stack([self.metrics[name] for name in METRICS]),
                **splits,  # type: ignore[arg-type]
            )

    @classmethod
    def load(cls, file: str | PathLike[str] | BinaryIO) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is not a history, or its arrays do not go together.
        OSError
            If the file cannot be read.
        """
        try:
            with np.load(file, allow_pickle=False) as content:
                arrays = {name: content[name] for name in content.files}
            return cls._of(arrays)
        except _DAMAGED as error:
            raise ValueError(
                f"file must be a history written by History.save ({error}), got {file}"
            ) from error

    @classmethod
    def _of(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """The history that consists of these arrays, if they go together."""
        experiment = Experiment.from_json(str(arrays["experiment"]))
        points = {f"{c}_{split}": arrays[f"{c}_{split}"] for split in SPLITS for c in "Xy"}
        dataset = Dataset(**points, task=str(arrays["task"]))  # type: ignore[arg-type]
        epochs, metrics = arrays["epochs"], arrays["metrics"]
        history = cls(
            experiment,
            dataset,
            epochs,
            arrays["parameters"],
            dict(zip(METRICS, metrics, strict=True)),
            arrays["diverged"],
        )
        n_rows, n_parameters = len(experiment.regularizations), history.layout.n_parameters
        n_times = len(epochs)
        if n_times == 0 or epochs.tolist() != recorded_epochs(experiment.training.epochs)[:n_times]:
            raise refuse("epochs", "those that the experiment records", epochs)
        for name, shape, kind in (
            ("epochs", (n_times,), "i"),
            ("parameters", (n_times, n_rows, n_parameters), "f"),
            ("metrics", (len(METRICS), n_times, n_rows), "f"),
            ("diverged", (n_rows,), "i"),
        ):
            if arrays[name].shape != shape or arrays[name].dtype.kind != kind:
                got = f"{arrays[name].dtype} of shape {arrays[name].shape}"
                raise refuse(name, f"numbers of shape {shape}", got)
        if history.parameters.dtype != experiment.training.dtype:
            raise refuse("parameters", experiment.training.dtype, str(history.parameters.dtype))
        if not np.isfinite(history.parameters).all():
            raise refuse("parameters", "finite", "NaN or infinity")
        return history


# what reading a file that is damaged or no history can raise
_DAMAGED = (
    *(ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError),
    *(NotImplementedError, zipfile.BadZipFile, zlib.error),
)


def train(
    experiment: Experiment, dataset: Dataset | None = None, *, device: str = "cpu"
) -> History:
    """Train every regularization of an experiment and return the recording.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset, optional
        The user's own points, in place of ``experiment.data``.
    device : str
        Where to compute, as ``torch.device`` names it.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If experiment and data cannot go together.

    See Also
    --------
    stream : the same, as it grows.

    Examples
    --------
    >>> import regviz
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> history.parameters.shape
    (101, 2, 105)
    """
    *_, history = stream(experiment, dataset, device=device)
    return history


def stream(
    experiment: Experiment, dataset: Dataset | None = None, *, device: str = "cpu"
) -> Iterator[History]:
    """Yield the history of a run as it grows, by one recorded epoch each time.

    The first one holds the initial networks. Parameters and errors are those of `train`; errors are
    raised by the call itself. Whoever stops iterating stops the training.
    """
    if not isinstance(experiment, Experiment):
        raise refuse("experiment", "an Experiment", experiment)
    if dataset is None:
        dataset = make_dataset(experiment.data)
    elif not isinstance(dataset, Dataset):
        raise refuse("dataset", "a Dataset", dataset)
    _check_device(device)
    batch_size, n = experiment.training.batch_size, len(dataset.y_train)
    if batch_size is not None and batch_size > n:
        allowed = f"at most {n}, the number of training points, or None for all of them"
        raise refuse("batch_size", allowed, batch_size)
    recorder = _Recorder(experiment, dataset)
    return map(recorder.record, recordings(experiment, dataset, device))


def _check_device(device: str) -> None:
    try:
        usable = isinstance(device, str) and torch.zeros(1, device=device).tolist() == [0]
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise refuse("device", "one that torch can use here", device) from error
    if not usable:
        raise refuse("device", "the name of a device of torch's", device)


class _Recorder:
    """Grows a history in memory that is allocated once; those given out stay as they were."""

    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.experiment, self.dataset = experiment, dataset
        self.layout = networks.Layout.of(experiment.network, dataset.n_columns, dataset.n_outputs)
        epochs, n_rows = (
            recorded_epochs(experiment.training.epochs),
            len(experiment.regularizations),
        )
        self.epochs = np.array(epochs)
        shape = (len(epochs), n_rows, self.layout.n_parameters)
        self.parameters = np.empty(shape, dtype=experiment.training.dtype)
        self.metrics = {name: np.full(shape[:2], np.nan) for name in METRICS}
        self.diverged = np.full(n_rows, -1)
        self.n_times = 0
        points = np.concatenate([dataset.points(split)[0] for split in SPLITS])
        inputs = networks.input_features(points, experiment.network.features)
        self.inputs = torch.from_numpy(inputs)
        self.y = [torch.from_numpy(dataset.points(split)[1].copy()) for split in SPLITS]

    @pinned()
    @torch.inference_mode()
    def record(self, recording: Recording) -> History:
        """Add a recording and return the history up to it."""
        t = self.n_times
        measured = self._measure(recording)
        rows = recording.parameters.cpu().numpy()
        finite = np.isfinite(measured["objective"]) & np.isfinite(rows).all(axis=1)
        fresh = ~finite & (self.diverged < 0)
        known = recording.diverged[fresh]
        self.diverged = self.diverged.copy()
        self.diverged[fresh] = np.where(known < 0, recording.epoch, known)
        going = self.diverged < 0
        self.parameters[t] = rows if t == 0 else self.parameters[t - 1]
        self.parameters[t, going] = rows[going]
        for name, values in measured.items():
            self.metrics[name][t, going] = values[going]
        self.n_times += 1
        return History(
            self.experiment,
            self.dataset,
            _frozen(self.epochs[: t + 1]),
            _frozen(self.parameters[: t + 1]),
            {name: _frozen(values[: t + 1]) for name, values in self.metrics.items()},
            _frozen(self.diverged),
        )

    def _measure(self, recording: Recording) -> dict[str, NDArray[np.float64]]:
        """Every metric for each row: ``(K,)``."""
        rows = recording.parameters
        self.inputs, self.y = self.inputs.to(rows), [y.to(rows.device) for y in self.y]
        blocks, activation = self.layout.split(rows), self.experiment.network.activation
        outputs = networks.hidden_and_output(blocks, self.inputs, activation)[-1]
        parts = torch.split_with_sizes(outputs, [len(y) for y in self.y], 2)
        found = {}
        for split, part, y in zip(SPLITS, parts, self.y, strict=True):
            loss, accuracy = networks.data_loss_and_accuracy(part, y, self.dataset.task)
            found[f"{split}_loss"] = loss.cpu().numpy()
            found[f"{split}_accuracy"] = accuracy.cpu().numpy()
        found["gap"] = found["test_loss"] - found["train_loss"]
        weights = rows.cpu()[:, torch.from_numpy(self.layout.is_weight)].double()
        found["penalty"] = penalty(weights, *self._strengths(recording.epoch)).numpy()
        found["objective"] = found["train_loss"] + found["penalty"]
        for measure in (
            measures.sparsity,
            measures.near_zero,
            measures.l1_norm,
            measures.l2_norm,
        ):
            found[measure.__name__] = measure(weights.numpy())
        return found

    def _strengths(self, epoch: int) -> torch.Tensor:
        """L1 and L2 of each row as they act at ``epoch``: ``(2, K)``; decoupled decay is none."""
        adamw = self.experiment.training.optimizer == "adamw"
        return torch.tensor(
            [
                (r.l1, 0 if r.decoupled or adamw else r.l2) if epoch >= r.onset else (0, 0)
                for r in self.experiment.regularizations
            ],
            dtype=torch.float64,
            device="cpu",
        ).T


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to: finished histories are shared."""
    view = array.view()
    view.setflags(write=False)
    return view
