"""Train an experiment, and measure and record it as it goes."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regviz import compiled, measures, networks
from regviz.datasets import SPLITS, Dataset, make_dataset, warn_unscaled
from regviz.epoch import outputs, outputs_by_reference
from regviz.experiment import Experiment
from regviz.history import METRICS, History
from regviz.layout import Layout, input_features
from regviz.regularization import penalty
from regviz.training import Recording, initial, pinned, recorded_epochs, recordings
from regviz.validation import refuse

OUTPUT_BYTES = 500_000  # of the outputs that are measured at a time: they stay in the cache


def train(experiment: Experiment, dataset: Dataset | None = None) -> History:
    """Train every regularization of an experiment and return the recording.

    Parameters
    ----------
    experiment : Experiment
    dataset : Dataset, optional
        The user's own points, in place of ``experiment.data``. The history's experiment then has
        their `ArraysSpec` as its data.

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

    Notes
    -----
    The same call gives the same bits on the same machine, whatever else is in the line-up, provided
    that regviz is imported before torch has computed anything.

    Examples
    --------
    >>> import regviz
    >>> rows = (regviz.Regularization(), regviz.Regularization(l1=0.01))
    >>> history = regviz.train(regviz.Experiment(regularizations=rows))
    >>> history.parameters.shape
    (101, 2, 105)
    """
    pair = _checked(experiment, dataset)
    *_, (history,) = histories(*pair, due=lambda: False)
    return history


def stream(
    experiment: Experiment,
    dataset: Dataset | None = None,
    *,
    after_epoch: Callable[[], None] = lambda: None,
) -> Iterator[History]:
    """Yield the history of a run as it grows, by one recorded epoch each time.

    The first one holds the initial networks. Whoever stops iterating stops the training.

    Parameters
    ----------
    experiment, dataset
        As for `train`.
    after_epoch : callable
        Called without arguments after every epoch, recorded or not. What it raises ends the
        training and reaches whoever iterates.

    Raises
    ------
    ValueError
        If experiment and data cannot go together; by the call itself, before anything is trained.
    """
    pair = _checked(experiment, dataset)
    return (history for (history,) in histories(*pair, after_epoch))


def _checked(
    experiment: Experiment, dataset: Dataset | None
) -> tuple[list[Experiment], list[Dataset]]:
    """Return the arguments of `histories`, once the compiled epoch is ready."""
    if not isinstance(experiment, Experiment):
        raise refuse("experiment", "an Experiment", experiment)
    if dataset is None:
        dataset = make_dataset(experiment.data)
    else:
        experiment = on_arrays(experiment, dataset)
    compiled.wait(experiment.training.dtype)
    return [experiment], [dataset]


def on_arrays(experiment: Experiment, dataset: Dataset) -> Experiment:
    """The experiment with these points as its data, after a warning if they are badly scaled.

    Raises
    ------
    ValueError
        If ``dataset`` is no `Dataset`.
    """
    if not isinstance(dataset, Dataset):
        raise refuse("dataset", "a Dataset", dataset)
    warn_unscaled(dataset)
    return replace(experiment, data=dataset.spec)


def histories(
    experiments: Sequence[Experiment],
    datasets: Sequence[Dataset],
    after_epoch: Callable[[], None] = lambda: None,
    due: Callable[[], bool] | None = None,
) -> Iterator[list[History]]:
    """Yield the histories of experiments that are trained together, as they grow.

    Parameters
    ----------
    experiments, datasets
        As for `training.Program`.
    after_epoch
        As for `stream`.
    due : callable, optional
        Called after every epoch. Where it returns True, the histories are yielded, grown by the
        epochs recorded since the last time; to measure many epochs at once takes less time than one
        by one. They are also yielded after a bounded number of recorded epochs, and at the end. By
        default they are yielded after each recorded epoch.

    Raises
    ------
    ValueError
        If experiment and data cannot go together; by the call itself.
    """
    _check_batch_size(experiments[0], datasets[0])
    recorders = [_Recorder(*pair) for pair in zip(experiments, datasets, strict=True)]

    def grown() -> Iterator[list[History]]:
        pending: list[list[Recording]] = []
        found: list[History] = []
        most = 1 if due is None else min(recorder.n_at_once for recorder in recorders)
        n_left = len(recorded_epochs(experiments[0].training))
        for states in recordings(experiments, datasets, after_epoch, due or (lambda: False)):
            if states:
                pending.append(states)
                n_left -= 1
            if pending and (not states or len(pending) == most or not n_left):
                pairs = zip(recorders, zip(*pending, strict=True), strict=True)
                found = [recorder.record(one) for recorder, one in pairs]
                pending = []
            if not pending:
                yield found

    return grown()


def beginnings(experiments: Sequence[Experiment], datasets: Sequence[Dataset]) -> list[History]:
    """The first of `histories`, made without the memory that training takes.

    Raises
    ------
    ValueError
        If experiment and data cannot go together.
    """
    _check_batch_size(experiments[0], datasets[0])
    return [
        _Recorder(*pair).record([initial(*pair)])
        for pair in zip(experiments, datasets, strict=True)
    ]


def _check_batch_size(experiment: Experiment, dataset: Dataset) -> None:
    batch_size, n = experiment.training.batch_size, len(dataset.y_train)
    if batch_size is not None and batch_size > n:
        allowed = f"at most {n}, the number of training points, or None for all of them"
        raise refuse("batch_size", allowed, batch_size)


class Growing:
    """A history that grows, in memory that is allocated once; those given out stay as they were.

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
        """Add T recorded epochs, and return the history up to them.

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


class _Recorder:
    """Measures the state of a training, and records it."""

    @pinned()
    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.experiment, self.dataset = experiment, dataset
        self.growing = Growing(experiment, dataset)
        self.layout = self.growing.layout
        self.is_weight = torch.from_numpy(np.flatnonzero(self.layout.is_weight))
        self.diverged = np.full(len(experiment.regularizations), -1)
        self.strengths: torch.Tensor | None = None
        self.next_onset = math.inf
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
        """How many epochs to measure at once, so that outputs take `OUTPUT_BYTES` at most."""
        rows = len(self.diverged) * self.layout.sizes[-1]
        return max(1, OUTPUT_BYTES // (len(self.inputs) * self.inputs.element_size() * rows))

    @pinned()
    @torch.inference_mode()
    def record(self, recordings: Sequence[Recording]) -> History:
        """Add recordings, and return the history up to them."""
        measured = self._measure(recordings)
        parameters = np.stack([recording.parameters.numpy() for recording in recordings])
        finite = np.isfinite(measured["objective"]) & np.isfinite(parameters).all(axis=2)
        metrics = np.full((len(METRICS), *finite.shape), np.nan)
        for i, name in enumerate(METRICS):
            if name in measured:
                metrics[i] = measured[name]
        self.diverged = self.diverged.copy()
        for t, recording in enumerate(recordings):
            fresh = ~finite[t] & (self.diverged < 0)
            known = recording.diverged[fresh]
            self.diverged[fresh] = np.where(known < 0, recording.epoch, known)
            gone = self.diverged >= 0
            metrics[:, t, gone] = np.nan
            if gone.any() and self.growing.n_times + t:
                before = (
                    parameters[t - 1] if t else self.growing.parameters[self.growing.n_times - 1]
                )
                parameters[t, gone] = before[gone]
        return self.growing.add(parameters, metrics, self.diverged)

    def _measure(self, recordings: Sequence[Recording]) -> dict[str, NDArray[np.float64]]:
        """Every metric for each of T recordings and each of K rows: ``(T, K)``."""
        shape = len(recordings), len(self.diverged)
        rows = torch.cat([recording.parameters for recording in recordings])
        activation = self.experiment.network.activation
        raw = self.outputs(rows, self.inputs, self.layout.sizes, activation)
        found = {}
        per_point = networks.losses_and_hits(raw, self.y, self.dataset.task)
        for name, values in zip(("loss", "accuracy"), per_point, strict=True):
            parts = torch.split_with_sizes(values, self.counts, 1)
            for split, part in zip(SPLITS, parts, strict=True):
                found[f"{split}_{name}"] = part.mean(1).numpy()
        weights = rows[:, self.is_weight].double()
        strengths = torch.cat([self._strengths(recording.epoch) for recording in recordings], 1)
        found["penalty"] = penalty(weights, *strengths).numpy()
        with np.errstate(invalid="ignore"):  # a network that diverges
            found["gap"] = found["test_loss"] - found["train_loss"]
            found["objective"] = found["train_loss"] + found["penalty"]
        for measure in (
            measures.sparsity,
            measures.near_zero,
            measures.l1_norm,
            measures.l2_norm,
        ):
            found[measure.__name__] = measure(weights.numpy())
        return {name: values.reshape(shape) for name, values in found.items()}

    def _strengths(self, epoch: int) -> torch.Tensor:
        """L1 and L2 of each row as they act at ``epoch``: ``(2, K)``; decoupled decay is none."""
        if self.strengths is None or epoch >= self.next_onset:
            acting = self.experiment.acting(epoch)
            pairs = [(r.l1, 0 if r.decoupled else r.l2) for r in acting]
            self.strengths = torch.tensor(pairs, dtype=torch.float64, device="cpu").T
            later = [r.onset for r in self.experiment.regularizations if r.onset > epoch]
            self.next_onset = min(later, default=math.inf)
        return self.strengths


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to: finished histories are shared."""
    view = array.view()
    view.setflags(write=False)
    return view
