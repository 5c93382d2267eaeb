"""Training with recording: parameters and metrics are stored at each recorded epoch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from regviz.data.datasets import Dataset, make_dataset, warn_unscaled
from regviz.engine import compiled, measures, networks
from regviz.engine.epoch import outputs, outputs_by_reference
from regviz.engine.history import METRICS, History
from regviz.engine.layout import Layout, input_features
from regviz.engine.regularization import group_penalty, penalty
from regviz.engine.training import Recording, initial, pinned, recorded_epochs, recordings
from regviz.spec.experiment import Experiment
from regviz.spec.points import SPLITS
from regviz.spec.validation import invalid

OUTPUT_BYTES = 500_000  # bound on outputs measured at once, to fit the processor's cache


def train(
    experiment: Experiment,
    dataset: Dataset | None = None,
    *,
    after_epoch: Callable[[], None] = lambda: None,
) -> History:
    """Train one network for each regularization of an experiment, and return the recording.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset, optional
        Points to train on in place of ``experiment.data``. The data of the history's experiment is
        then their `ArraysSpec`.
    after_epoch : callable
        Called without arguments after every epoch, recorded or not. An exception that it raises
        ends the training and is passed on.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If ``batch_size`` exceeds the number of training points, the data cannot be split, a row is
        ``corrected`` and the task is not regression, or ``dataset`` is no `Dataset`.

    Warns
    -----
    UserWarning
        If the columns of ``dataset`` need standardising.

    See Also
    --------
    stream : Yield the history after every recorded epoch.
    replicate : Train with several seeds.

    Notes
    -----
    The same call gives the same bits on the same machine, and a network's results do not depend on
    the other regularizations. Both hold if regviz is imported before torch has computed anything.

    Examples
    --------
    >>> import regviz
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> history.parameters.shape
    (101, 2, 105)
    """
    pair = _checked(experiment, dataset)
    *_, (history,) = histories(*pair, after_epoch, lambda: False)
    return history


def stream(
    experiment: Experiment,
    dataset: Dataset | None = None,
    *,
    after_epoch: Callable[[], None] = lambda: None,
) -> Iterator[History]:
    """Train as `train`, and yield the history after every recorded epoch.

    The first history has the initial networks only. Training takes place during iteration, and
    ends with it.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset, optional
        Points to train on in place of ``experiment.data``, as for `train`.
    after_epoch : callable
        Called without arguments after every epoch, recorded or not. An exception that it raises
        ends the training and is passed on by the iterator.

    Yields
    ------
    History
        With one recorded epoch more than the one before, which stays unchanged.

    Raises
    ------
    ValueError
        As for `train`; raised by the call, before the iteration.

    Examples
    --------
    >>> import regviz
    >>> training = regviz.TrainingSpec(epochs=50)
    >>> for history in regviz.stream(regviz.Experiment(training=training)):
    ...     if history.metrics["train_loss"][-1, 0] < 0.4:
    ...         break
    >>> history.complete
    False
    """
    pair = _checked(experiment, dataset)
    return (history for (history,) in histories(*pair, after_epoch))


def _checked(
    experiment: Experiment, dataset: Dataset | None
) -> tuple[list[Experiment], list[Dataset]]:
    """Check the arguments of `train`, wait for the compiled epoch, and return those of `histories`.

    The experiment and its dataset are returned as lists of one element.
    """
    if not isinstance(experiment, Experiment):
        raise invalid("experiment", "an Experiment", experiment)
    if dataset is None:
        dataset = make_dataset(experiment.data)
    else:
        experiment = on_arrays(experiment, dataset)
    compiled.wait(experiment.training.dtype)
    return [experiment], [dataset]


def on_arrays(experiment: Experiment, dataset: Dataset) -> Experiment:
    """Return the experiment with the `ArraysSpec` of a dataset as its data.

    Warns
    -----
    UserWarning
        If columns of the dataset need standardising.

    Raises
    ------
    ValueError
        If ``dataset`` is no `Dataset`.
    """
    if not isinstance(dataset, Dataset):
        raise invalid("dataset", "a Dataset", dataset)
    warn_unscaled(dataset)
    return replace(experiment, data=dataset.spec)


def histories(
    experiments: Sequence[Experiment],
    datasets: Sequence[Dataset],
    after_epoch: Callable[[], None] = lambda: None,
    due: Callable[[], bool] | None = None,
) -> Iterator[list[History]]:
    """Train experiments together, and yield their growing histories.

    Parameters
    ----------
    experiments, datasets
        As for `training.Program`.
    after_epoch
        As for `stream`.
    due : callable, optional
        Called without arguments after every epoch. If it returns True, the epochs recorded since
        the last time are measured at once, which is faster than one by one, and the histories are
        yielded. They are also yielded when the outputs to measure reach `OUTPUT_BYTES`, and at the
        end. By default they are yielded after each recorded epoch.

    Yields
    ------
    list of History
        One for each experiment.

    Raises
    ------
    ValueError
        If ``batch_size`` exceeds the number of training points, or a row is ``corrected`` and the
        task is not regression; raised by the call, before the iteration.
    """
    check_together(experiments[0], datasets[0])
    recorders = [Recorder(*pair) for pair in zip(experiments, datasets, strict=True)]

    def grown() -> Iterator[list[History]]:
        pending: list[list[Recording]] = []
        latest: list[History] = []
        most = 1 if due is None else min(recorder.n_at_once for recorder in recorders)
        n_left = len(recorded_epochs(experiments[0].training))
        for states in recordings(experiments, datasets, after_epoch, due or (lambda: False)):
            if states:
                pending.append(states)
                n_left -= 1
            if pending and (not states or len(pending) == most or not n_left):
                pairs = zip(recorders, zip(*pending, strict=True), strict=True)
                latest = [recorder.record(one) for recorder, one in pairs]
                pending = []
            if not pending:
                yield latest

    return grown()


def initial_histories(
    experiments: Sequence[Experiment], datasets: Sequence[Dataset]
) -> list[History]:
    """Return the histories of the untrained networks, without allocating what training needs.

    Parameters
    ----------
    experiments, datasets
        As for `training.Program`.

    Raises
    ------
    ValueError
        As for `histories`.
    """
    check_together(experiments[0], datasets[0])
    return [
        Recorder(*pair).record([initial(*pair)]) for pair in zip(experiments, datasets, strict=True)
    ]


def check_together(experiment: Experiment, dataset: Dataset) -> None:
    """Raise ValueError if an experiment cannot be trained on the points of a dataset."""
    for name, row in experiment.named_rows():
        if row.corrected and dataset.task != "regression":
            allowed = "False, except where the task is 'regression'"
            raise invalid(f"{name}.corrected", allowed, True)
    batch_size, n = experiment.training.batch_size, len(dataset.y_train)
    if batch_size is not None and batch_size > n:
        allowed = f"at most {n}, the number of training points, or None for all of them"
        raise invalid("batch_size", allowed, batch_size)
    if n == 1 and experiment.network.batch_normalized:
        allowed = "at least 2 with batch normalization, and so must the number of training points"
        raise invalid("batch_size", allowed, 1)


class HistoryBuilder:
    """Builds a growing history in arrays that are allocated once, for all recorded epochs.

    Histories returned by `add` are read-only views of these arrays; later calls do not change them.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset
    """

    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.experiment, self.dataset = experiment, dataset
        self.layout = Layout.of(experiment.network, dataset.n_columns, dataset.n_outputs)
        epochs = recorded_epochs(experiment.training)
        self.epochs = np.array(epochs)
        shape = (len(epochs), len(experiment.regularizations), self.layout.n_parameters)
        self.parameters = np.empty(shape, dtype=experiment.training.dtype)
        self.metrics = {name: np.full(shape[:2], np.nan) for name in METRICS}
        self.n_times = 0

    def add(
        self,
        parameters: NDArray[np.floating],
        metrics: NDArray[np.float64],
        diverged: NDArray[np.int64],
    ) -> History:
        """Append T recorded epochs, and return the history of all epochs so far.

        Parameters
        ----------
        parameters : ndarray of shape (T, K, P)
        metrics : ndarray of shape (number of METRICS, T, K)
        diverged : ndarray of shape (K,)
        """
        start, end = self.n_times, self.n_times + len(parameters)
        self.parameters[start:end] = parameters
        for values, new in zip(self.metrics.values(), metrics, strict=True):
            values[start:end] = new
        self.n_times = end
        return History(
            self.experiment,
            self.dataset,
            _frozen(self.epochs[:end]),
            _frozen(self.parameters[:end]),
            {name: _frozen(values[:end]) for name, values in self.metrics.items()},
            _frozen(diverged),
        )


class Measured(NamedTuple):
    """The numbers of K networks after an epoch.

    Attributes
    ----------
    parameters : ndarray of shape (K, P)
    metrics : dict of str to ndarray of shape (K,)
        As of a `History`; NaN for a diverged network.
    diverged : ndarray of bool of shape (K,)
        Whether the loss or parameters of a network are not finite.
    """

    parameters: NDArray[np.floating]
    metrics: dict[str, NDArray[np.float64]]
    diverged: NDArray[np.bool_]


class Recorder:
    """Computes the metrics of recordings and appends both to a history."""

    @pinned()
    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.experiment, self.dataset = experiment, dataset
        self.builder = HistoryBuilder(experiment, dataset)
        self.layout = self.builder.layout
        self.is_weight = torch.from_numpy(np.flatnonzero(self.layout.is_weight))
        self.diverged = np.full(len(experiment.regularizations), -1)
        self.acting: dict[int, tuple[torch.Tensor, NDArray[np.float64]]] = {}
        columns = input_features(dataset.X_train, experiment.network.features)
        with np.errstate(over="ignore"):  # of inputs near the largest number
            self.mean_inputs = columns.mean(axis=0, dtype=np.float64)
            if (weights := dataset.weights("train")) is not None:
                self.mean_inputs = np.average(columns, axis=0, weights=weights)
        points = np.concatenate([dataset.points(split)[0] for split in SPLITS])
        inputs = input_features(points, experiment.network.features)
        ready = compiled.ready(experiment.training.dtype)
        self.outputs = outputs if ready else outputs_by_reference
        dtype = getattr(torch, experiment.training.dtype)
        self.inputs = torch.from_numpy(inputs).to(dtype).contiguous()
        y = [dataset.points(split)[1] for split in SPLITS]
        self.y, self.counts = torch.from_numpy(np.concatenate(y)), [len(part) for part in y]

    @property
    def n_at_once(self) -> int:
        """Largest number of epochs whose outputs take at most `OUTPUT_BYTES`, at least 1."""
        rows = len(self.diverged) * self.layout.sizes[-1]
        return max(1, OUTPUT_BYTES // (len(self.inputs) * self.inputs.element_size() * rows))

    @pinned()
    @torch.inference_mode()
    def record(self, recordings: Sequence[Recording]) -> History:
        """Append recordings with their metrics, and return the history of all epochs so far."""
        parameters, metrics, finite = self._numbers(recordings)
        self.diverged = self.diverged.copy()
        for t, recording in enumerate(recordings):
            newly = ~finite[t] & (self.diverged < 0)
            epochs = recording.diverged[newly]
            self.diverged[newly] = np.where(epochs < 0, recording.epoch, epochs)
            diverged = self.diverged >= 0
            metrics[:, t, diverged] = np.nan
            if diverged.any() and self.builder.n_times + t:
                before = (
                    parameters[t - 1] if t else self.builder.parameters[self.builder.n_times - 1]
                )
                parameters[t, diverged] = before[diverged]
        return self.builder.add(parameters, metrics, self.diverged)

    @pinned()
    @torch.inference_mode()
    def measured(self, recording: Recording) -> Measured:
        """Return the numbers of a single recording, without a history."""
        (parameters,), metrics, (finite,) = self._numbers([recording])
        diverged = ~finite | (recording.diverged >= 0)
        metrics[:, 0, diverged] = np.nan
        return Measured(parameters, dict(zip(METRICS, metrics[:, 0], strict=True)), diverged)

    def _numbers(
        self, recordings: Sequence[Recording]
    ) -> tuple[NDArray[np.floating], NDArray[np.float64], NDArray[np.bool_]]:
        """Return the numbers of T recordings of K networks.

        Returns
        -------
        parameters : ndarray of shape (T, K, P)
        metrics : ndarray of shape (number of METRICS, T, K)
        finite : ndarray of bool of shape (T, K)
            Whether objective and parameters are finite.
        """
        recordings = [self._corrected(recording) for recording in recordings]
        measured = self._measure(recordings)
        parameters = np.stack([recording.parameters.numpy() for recording in recordings])
        finite = np.isfinite(measured["objective"]) & np.isfinite(parameters).all(axis=2)
        metrics = np.full((len(METRICS), *finite.shape), np.nan)
        for i, name in enumerate(METRICS):
            if name in measured:
                metrics[i] = measured[name]
        return parameters, metrics, finite

    def _corrected(self, recording: Recording) -> Recording:
        """Return a recording with the parameters of the corrected elastic net in its rows.

        Training goes on from the naive parameters. Weights are multiplied by ``1 + l2``, and the
        bias changes by ``-l2 * mean(x) @ w``, so that the mean prediction on the training points
        remains the same: ``b = mean(y) - mean(x) @ w`` then holds for both. The bias of centred
        inputs remains the same.

        References
        ----------
        Zou & Hastie 2005, section 3.2.
        """
        _, factors = self._acting(recording.epoch)
        chosen = np.flatnonzero(factors != 1)
        if not len(chosen):
            return recording
        rows, factors = recording.parameters.clone(), factors[chosen, None]
        naive = rows[chosen].double().numpy()
        with np.errstate(over="ignore", invalid="ignore"):  # of a diverged network
            moved = (naive[:, :-1] * self.mean_inputs).sum(axis=1, keepdims=True)
            weights, biases = factors * naive[:, :-1], naive[:, -1:] - (factors - 1) * moved
        rows[chosen] = torch.from_numpy(np.hstack([weights, biases])).to(rows)
        return recording._replace(parameters=rows)

    def _measure(self, recordings: Sequence[Recording]) -> dict[str, NDArray[np.float64]]:
        """Return all metrics of T recordings of K networks, as arrays of shape (T, K)."""
        shape = len(recordings), len(self.diverged)
        rows = torch.cat([recording.parameters for recording in recordings])
        layout, activation = self.layout, self.experiment.network.activation
        kind = layout.sizes, activation, layout.normalization, layout.affine
        raw = self.outputs(rows, self.inputs, *kind)
        metrics = {}
        per_point = networks.losses_and_hits(raw, self.y, self.dataset.task)
        for name, values in zip(("loss", "accuracy"), per_point, strict=True):
            parts = torch.split_with_sizes(values, self.counts, 1)
            for split, part in zip(SPLITS, parts, strict=True):
                weights = self.dataset.weights(split)
                mean = part.mean(1) if weights is None else _weighted_mean(part, weights)
                metrics[f"{split}_{name}"] = mean.numpy()
        vectors = rows[:, self.is_weight].double()
        strengths = torch.cat([self._acting(recording.epoch)[0] for recording in recordings], 1)
        blocks = self.layout.split(rows)[:-1]
        groups = group_penalty([b[..., :-1].numpy() for b in blocks], strengths[2].numpy())
        metrics["penalty"] = penalty(vectors, *strengths[:2]).numpy() + groups
        with np.errstate(invalid="ignore"):  # infinite losses of a diverged network
            metrics["gap"] = metrics["test_loss"] - metrics["train_loss"]
            metrics["objective"] = metrics["train_loss"] + metrics["penalty"]
        for measure in (
            measures.sparsity,
            measures.near_zero,
            measures.l1_norm,
            measures.l2_norm,
        ):
            metrics[measure.__name__] = measure(vectors.numpy())
        return {name: values.reshape(shape) for name, values in metrics.items()}

    def _acting(self, epoch: int) -> tuple[torch.Tensor, NDArray[np.float64]]:
        """Return the strengths in ``J`` at an epoch, and the factors of corrected weights.

        Returns
        -------
        strengths : Tensor of shape (3, K)
            Of L1, L2 and group lasso. Decoupled decay is not part of ``J``, so its strength is 0.
        factors : ndarray of shape (K,)
        """
        switch = max(switch for switch in self.experiment.switches if switch <= epoch)
        if switch not in self.acting:
            acting = self.experiment.acting(switch)
            rows = [(r.l1, 0 if r.decoupled else r.l2, r.group_lasso) for r in acting]
            strengths = torch.tensor(rows, dtype=torch.float64, device="cpu").T
            factors = np.array([1 + r.l2 if r.corrected else 1.0 for r in acting])
            self.acting[switch] = strengths, factors
        return self.acting[switch]


def _weighted_mean(values: torch.Tensor, weights: NDArray[np.float64]) -> torch.Tensor:
    """Return the mean over points of values (K, n); values of points of weight 0 may be NaN."""
    factors = torch.from_numpy(weights)
    return (torch.where(factors > 0, values, 0) * factors).mean(1)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view: histories are cached and shared by several visitors."""
    view = array.view()
    view.setflags(write=False)
    return view
