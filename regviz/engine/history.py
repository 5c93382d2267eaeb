"""The recording of a run: parameters and metrics of all networks at about a hundred epochs."""

import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regviz.data.datasets import WEIGHTED_SPLITS, Dataset, numbers
from regviz.engine import measures, networks
from regviz.engine.layout import Layout, input_features
from regviz.engine.training import pinned, recorded_epochs
from regviz.methods.labels import labels
from regviz.spec.experiment import Experiment
from regviz.spec.points import SPLITS
from regviz.spec.validation import choice, integer, invalid

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


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """The recording of a run, up to its last epoch or to an earlier one.

    Attributes
    ----------
    experiment : Experiment
    dataset : Dataset
        Points of all splits.
    epochs : ndarray of shape (T,)
        Recorded epochs in ascending order; 0 is the initialisation.
    parameters : ndarray of shape (T, K, P)
        Parameters of T recorded times, K networks and P parameters each: layer after layer, unit
        after unit, the unit's incoming weights and then its bias; with normalization, then gains,
        shifts and running statistics, as `layout` describes. The type is the ``dtype`` of the
        experiment. A diverged network keeps its last finite parameters.
    metrics : dict of str to ndarray of shape (T, K)
        ``train_loss``, ``validation_loss``, ``test_loss`` (mean data loss without penalty:
        cross-entropy in nats, or half the squared error), ``train_accuracy`` and so on (share of
        points, NaN for regression; weighted, like the losses, if the points have weights), ``gap``
        (test loss minus train loss), ``penalty``, ``objective`` (train loss plus penalty),
        ``sparsity`` (share of weights exactly 0), ``near_zero`` (share of weights below 1/1000 of
        the largest), ``l1_norm`` and ``l2_norm`` of the weights. NaN for a split without points,
        and once a network has diverged.
    diverged : ndarray of shape (K,)
        The epoch from which a network's loss or parameters are not finite; -1 if they always are.

    See Also
    --------
    regviz.train, regviz.stream

    Examples
    --------
    >>> import regviz
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> history
    History(2 networks, 101 epochs from 0 to 200, binary, 160 + 40 + 200 points)
    >>> history.labels
    ['None', 'L1 λ₁ = 0.01']
    >>> history.metrics["sparsity"][-1] > 0
    array([False,  True])

    Weights of a network and predictions of all networks, at the last epoch:

    >>> [weights.shape for weights in history.weights(k=1)]
    [(2, 8), (8, 8), (8, 1)]
    >>> [biases.shape for biases in history.biases(k=1)]
    [(8,), (8,), (1,)]
    >>> history.units_left(k=0)
    16
    >>> history.predict([[0.5, -0.2], [0.0, 1.0]]).shape
    (2, 2)
    >>> history.outputs([[0.5, -0.2]], rows=[1]).shape
    (1, 1, 1)

    The recorded times that early stopping selects:

    >>> t = history.best("validation_loss")
    >>> best, stopped = history.early_stopping(patience=20)
    >>> bool((best <= t).all() and (best <= stopped).all())
    True

    A file has all of it:

    >>> history.save("run.npz")
    >>> same = regviz.History.load("run.npz")
    >>> bool((same.parameters == history.parameters).all())
    True
    >>> history.to_json()[:28]
    '{"format":"regviz history","'
    """

    experiment: Experiment
    dataset: Dataset
    epochs: NDArray[np.int64]
    parameters: Floats
    metrics: dict[str, NDArray[np.float64]]
    diverged: NDArray[np.int64]

    def __repr__(self) -> str:
        points = " + ".join(str(len(self.dataset.points(split)[1])) for split in SPLITS)
        return (
            f"History({len(self.diverged)} networks, {len(self.epochs)} epochs from 0 to"
            f" {self.epochs[-1]}, {self.dataset.task}, {points} points)"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Return the board, a picture and a text, for notebooks; see `regviz.board`."""
        # by name: only notebooks need this package, which is above the engine
        return import_module("regviz.notebook").mime_bundle(self)

    @property
    def labels(self) -> list[str]:
        """Names of the K networks, such as ``"L1 λ₁ = 0.003"``."""
        return [each.text for each in labels(self.experiment)]

    @property
    def layout(self) -> Layout:
        """Positions of a network's P parameters.

        They are layer after layer, unit after unit: the unit's incoming weights and then its bias.
        With normalization, there follow for each hidden layer: with ``affine``, its units' gains
        and then their shifts; with batch normalization, their running means and variances.
        """
        return Layout.of(self.experiment.network, self.dataset.n_columns, self.dataset.n_outputs)

    @property
    def complete(self) -> bool:
        """Whether the run has reached its last epoch."""
        return bool(self.epochs[-1] == self.experiment.training.epochs)

    @property
    def n_bytes(self) -> int:
        """Size of the complete run's arrays in memory, in bytes."""
        n_frames = len(recorded_epochs(self.experiment.training))
        frame = self.parameters[0].nbytes + sum(m[0].nbytes for m in self.metrics.values())
        points = sum(a.nbytes for split in SPLITS for a in self.dataset.points(split))
        points += sum(a.nbytes for a in self._weights().values())
        return int(frame) * n_frames + points

    def weights(self, k: int, t: int = -1) -> list[Floats]:
        """Return the weights of each layer, of shape (fan_in, fan_out).

        Parameters
        ----------
        k : int
            Index of the network.
        t : int
            Index into `epochs`.

        Returns
        -------
        list of ndarray of shape (fan_in, fan_out)
        """
        return [block[:, :-1].T for block in self._blocks(k, t)]

    def biases(self, k: int, t: int = -1) -> list[Floats]:
        """Return the biases of each layer, of shape (fan_out,).

        Parameters
        ----------
        k : int
            Index of the network.
        t : int
            Index into `epochs`.

        Returns
        -------
        list of ndarray of shape (fan_out,)
        """
        return [block[:, -1] for block in self._blocks(k, t)]

    def effective_rates(self, t: int = -1) -> NDArray[np.float64]:
        """Return the effective learning rate of each normalized layer, of shape (K, layers).

        A layer's normalized values do not depend on the scale of its weights ``w``. Only the
        direction ``w / |w|`` matters, and a step turns it by a share of the rate ``eta``: by
        ``eta / |w|^2`` under gradient descent, as the gradient is inverse to ``|w|``; and by
        ``eta / |w|`` under Adam, whose steps do not depend on the gradient's scale.

        Parameters
        ----------
        t : int
            Index into `epochs`.

        Returns
        -------
        ndarray of shape (K, number of hidden layers)
            Infinite for a layer whose weights are all 0.

        Raises
        ------
        ValueError
            If the networks have no normalization, or there is no such time.

        References
        ----------
        van Laarhoven 2017, "L2 Regularization versus Batch and Weight Normalization".

        Examples
        --------
        >>> import regviz
        >>> network = regviz.NetworkSpec(hidden=(8, 8), normalization="batch")
        >>> training = regviz.TrainingSpec(epochs=20)
        >>> history = regviz.train(regviz.Experiment(network=network, training=training))
        >>> history.effective_rates().shape
        (1, 2)
        """
        training = self.experiment.training
        if self.layout.normalization == "none":
            raise invalid("normalization", "batch or layer, of hidden layers", "none")
        t = integer("t", t, -len(self.epochs), len(self.epochs) - 1)
        blocks = self.layout.split(self.parameters[t].astype(np.float64))[:-1]
        norms = [np.linalg.norm(block[..., :-1], axis=(1, 2)) for block in blocks]
        power = 1 if training.optimizer in ("adam", "adamw") else 2
        rate = self.experiment.learning_rate(int(self.epochs[t]))
        with np.errstate(divide="ignore"):
            return rate / np.stack(norms, axis=1) ** power

    def units_left(self, k: int, t: int = -1) -> int:
        """Return the number of hidden units that nonzero weights connect to inputs and outputs.

        Parameters
        ----------
        k : int
            Index of the network.
        t : int
            Index into `epochs`.

        Returns
        -------
        int
        """
        return measures.units_left(self.weights(k, t))

    def _blocks(self, k: int, t: int) -> list[Floats]:
        n_times, n_rows, _ = self.parameters.shape
        k, t = integer("k", k, -n_rows, n_rows - 1), integer("t", t, -n_times, n_times - 1)
        return self.layout.split(self.parameters[t, k])

    @pinned()
    def predict(self, X: ArrayLike, t: int = -1) -> Floats:
        """Return the predictions of every network at a recorded time, without dropout.

        Parameters
        ----------
        X : array-like of shape (n, n_columns)
        t : int
            Index into `epochs`.

        Returns
        -------
        ndarray of shape (K, n) or (K, n, C)
            Probabilities of class 1, or values (regression), of shape (K, n); or probabilities of
            each of C classes, of shape (K, n, C).

        Raises
        ------
        ValueError
            If ``X`` has another number of columns than the run's data, or holds NaN or infinity.
        """
        n_times, n_rows, _ = self.parameters.shape
        t = integer("t", t, -n_times, n_times - 1)
        outputs = torch.from_numpy(self.outputs(X, range(n_rows), t))
        with torch.inference_mode():
            return networks.predict(outputs, self.dataset.task).numpy()

    @pinned()
    def outputs(self, X: ArrayLike, rows: Sequence[int], t: int | Sequence[int] = -1) -> Floats:
        """Return the outputs of some networks before sigmoid or softmax (logits).

        Parameters
        ----------
        X : array-like of shape (n, n_columns)
        rows : sequence of int
            Indices of the networks.
        t : int or sequence of int
            Index into `epochs`, for all networks or for each of ``rows``.

        Returns
        -------
        ndarray of shape (len(rows), n_outputs, n)
            For two classes, the single output is positive if class 1 is the more probable.

        Raises
        ------
        ValueError
            If there is no such network or time, or as in `predict`.
        """
        n_times, n_rows, _ = self.parameters.shape
        each = list(t) if isinstance(t, Sequence) else [t] * len(rows)
        if len(each) != len(rows):
            raise invalid("t", f"one index, or {len(rows)}, one for each row", t)
        times = [integer("t", one, -n_times, n_times - 1) for one in each]
        chosen = [integer("rows", row, -n_rows, n_rows - 1) for row in rows]
        points = numbers("X", X)
        if points.ndim != 2 or points.shape[1] != self.dataset.n_columns:
            raise invalid("X", f"of shape (n, {self.dataset.n_columns})", points.shape)
        inputs = input_features(points, self.experiment.network.features)
        with torch.inference_mode():
            parameters = torch.from_numpy(self.parameters[times, chosen])
            return networks.hidden_and_output(
                self.layout.split(parameters),
                torch.from_numpy(inputs.astype(self.parameters.dtype)),
                self.experiment.network.activation,
                self.layout.normalizations(parameters),
            )[-1].numpy()

    def best(self, metric: str = "validation_loss") -> NDArray[np.int64]:
        """Return the first time index of each network at which a metric is best, of shape (K,).

        Losses are best at their minimum, accuracies at their maximum.

        Parameters
        ----------
        metric : {"train_loss", "validation_loss", "train_accuracy", "validation_accuracy"}

        Returns
        -------
        ndarray of int of shape (K,)

        Raises
        ------
        ValueError
            If the metric is another one, its split has no points, or the task has no accuracy.
        """
        return np.asarray(np.argmin(self._selectable(metric), axis=0))

    def early_stopping(
        self, patience: int, metric: str = "validation_loss"
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the result of early stopping for each network, computed from the recording.

        Training stops at the first recorded epoch that is ``patience`` or more epochs after the
        best one so far; the network of that best epoch is kept.

        Parameters
        ----------
        patience : int
            Number of epochs without improvement after which training stops, at least 1. Only
            recorded epochs are considered; late in a long run they are several epochs apart.
        metric : {"validation_loss", "validation_accuracy", "train_loss", "train_accuracy"}
            The metric that has to improve.

        Returns
        -------
        best, stopped : ndarrays of shape (K,)
            Time indices of the kept network and of the end of its training, which is the last
            recorded time if training does not stop.

        Raises
        ------
        ValueError
            If ``patience`` is out of range, or as in `best`.
        """
        patience = integer("patience", patience, 1, 10**9)
        values = self._selectable(metric)
        n_times, n_rows = values.shape
        lowest = np.minimum.accumulate(values, axis=0)
        better = np.zeros((n_times, n_rows), bool)
        better[1:] = values[1:] < lowest[:-1]
        times = np.arange(n_times)[:, None]
        best_so_far = np.maximum.accumulate(np.where(better, times, 0), axis=0)
        ends = self.epochs[:, None] - self.epochs[best_so_far] >= patience
        stopped = np.where(ends.any(axis=0), ends.argmax(axis=0), n_times - 1)
        return best_so_far[stopped, np.arange(n_rows)], stopped

    def _selectable(self, metric: str) -> NDArray[np.float64]:
        """Return a metric, negated if it is an accuracy, with infinity in place of NaN."""
        choice("metric", metric, [f"{s}_{m}" for s in SPLITS[:2] for m in ("loss", "accuracy")])
        values = self.metrics[metric]
        if metric.endswith("accuracy") and self.dataset.task == "regression":
            raise invalid("metric", "a loss, as regression has no accuracy", metric)
        if len(self.dataset.points(metric.split("_")[0])[1]) == 0:
            allowed = (
                "one of training points, or the data must have validation points"
                " (X_validation and y_validation of Dataset, validation_fraction of DataSpec)"
            )
            raise invalid("metric", allowed, metric)
        sign = -1 if metric.endswith("accuracy") else 1
        return np.where(np.isnan(values), np.inf, sign * values)

    def _weights(self) -> dict[str, NDArray[np.float64]]:
        """Return the weights of points by their names in `Dataset`; empty without."""
        names = [f"weight_{split}" for split in WEIGHTED_SPLITS]
        found = {name: getattr(self.dataset, name) for name in names}
        return {name: weights for name, weights in found.items() if weights is not None}

    def save(self, file: str | PathLike[str] | BinaryIO) -> None:
        """Write the history in numpy's ``.npz`` format, without pickle; `load` reads it back.

        Parameters
        ----------
        file : str, path or binary file
            A name without a suffix remains without one.
        """
        splits = {
            f"{letter}_{split}": array
            for split in SPLITS
            for letter, array in zip("Xy", self.dataset.points(split), strict=True)
        }
        # an open file, as np.savez appends ".npz" to a name without it
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
                **self._weights(),  # type: ignore[arg-type]
            )

    def to_json(self) -> str:
        """Return the history as JSON text, for programs without NumPy.

        ``docs/reference/files.md`` describes the layout. Numbers have enough digits to be parsed to
        the same float in their own precision; NaN and infinity are null.

        Returns
        -------
        str
        """
        networks = [
            _members(
                label=_json(label.text),
                diverged=str(self.diverged[k]),
                metrics=_members(
                    **{name: _array(values[:, k]) for name, values in self.metrics.items()}
                ),
                parameters=_array(self.parameters[:, k]),
            )
            for k, label in enumerate(labels(self.experiment))
        ]
        points = {
            split: dict(zip("Xy", map(np.ndarray.tolist, self.dataset.points(split)), strict=True))
            for split in SPLITS
        }
        for name, weights in self._weights().items():
            points[name.removeprefix("weight_")]["weight"] = weights.tolist()
        return _members(
            format=_json("regviz history"),
            version="1",
            experiment=_json(json.loads(self.experiment.to_json())),
            task=_json(self.dataset.task),
            layers=_json(self.layout.sizes),
            epochs=_array(self.epochs),
            networks=f"[{','.join(networks)}]",
            points=_json(points),
        )

    @classmethod
    def load(cls, file: str | PathLike[str] | BinaryIO) -> Self:
        """Read a history from a file written by `save`.

        Parameters
        ----------
        file : str, path or binary file

        Returns
        -------
        History

        Raises
        ------
        ValueError
            If the file is not a history, or its arrays are inconsistent.
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
        """Build a history from the arrays of a file; raise ValueError if they are inconsistent."""
        experiment = Experiment.from_json(str(arrays["experiment"]))
        points = {f"{c}_{split}": arrays[f"{c}_{split}"] for split in SPLITS for c in "Xy"}
        names = [f"weight_{split}" for split in WEIGHTED_SPLITS]
        points |= {name: arrays[name] for name in names if name in arrays}
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
        if n_times == 0 or epochs.tolist() != recorded_epochs(experiment.training)[:n_times]:
            raise invalid("epochs", "those that the experiment records", epochs)
        for name, shape, kind in (
            ("epochs", (n_times,), "i"),
            ("parameters", (n_times, n_rows, n_parameters), "f"),
            ("metrics", (len(METRICS), n_times, n_rows), "f"),
            ("diverged", (n_rows,), "i"),
        ):
            if arrays[name].shape != shape or arrays[name].dtype.kind != kind:
                got = f"{arrays[name].dtype} of shape {arrays[name].shape}"
                raise invalid(name, f"numbers of shape {shape}", got)
        if history.parameters.dtype != experiment.training.dtype:
            raise invalid("parameters", experiment.training.dtype, str(history.parameters.dtype))
        if not np.isfinite(history.parameters).all():
            raise invalid("parameters", "finite", "NaN or infinity")
        return history


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _members(**texts: str) -> str:
    """Return a JSON object from its members' JSON texts."""
    return f"{{{','.join(f'{_json(name)}:{text}' for name, text in texts.items())}}}"


def _array(values: NDArray[Any]) -> str:
    """Return a JSON array of numbers, with null in place of NaN and infinity."""
    if values.ndim > 1:
        return f"[{','.join(map(_array, values))}]"
    if values.dtype == np.float32 and np.isfinite(values).all():
        # nine digits identify every float32; the shortest representation takes three times as long
        texts = "%.9g," * len(values) % tuple(values.tolist())
        return f"[{texts.replace('-0,', '-0.0,')[:-1]}]"  # parsers read "-0" as the integer 0
    return _json([value if math.isfinite(value) else None for value in values.tolist()])


# exceptions that reading a damaged or foreign file can raise
_DAMAGED = (
    *(ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError),
    *(NotImplementedError, zipfile.BadZipFile, zlib.error),
)
