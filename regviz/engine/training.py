"""The training loop: all networks of one experiment, or of several, as one tensor program."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regviz.data.datasets import Dataset
from regviz.engine import compiled
from regviz.engine.epoch import to_blocks, to_rows, train_by_reference, train_epoch
from regviz.engine.layout import Layout, initial_row, input_features
from regviz.spec.experiment import Experiment, Regularization, TrainingSpec


def recorded_epochs(training: TrainingSpec) -> list[int]:
    """Return the epochs to record: 0 and at most ``frames`` others, with growing distances.

    They are all epochs if these are at most ``frames``; else ``i + (epochs - frames)·(i/frames)³``,
    rounded, for i from 0 to ``frames``.
    """
    epochs, frames = training.epochs, training.frames
    if epochs <= frames:
        return list(range(epochs + 1))
    rest = epochs - frames
    return [i + round(rest * (i / frames) ** 3) for i in range(frames + 1)]


class _Depth(threading.local):
    """Whether the calling thread is inside a `pinned` block: 1 or 0."""

    value = 0


_depth = _Depth()
_lock = threading.Lock()
_saved: tuple[str, int] = ("", 0)  # the process's precision and number of threads, to restore
_n_inside = 0  # number of threads inside a `pinned` block


@contextmanager
def pinned() -> Iterator[None]:
    """Set torch's global settings to those that define a run's results, and restore them at exit.

    - float32 products in full precision, instead of TF32 or bfloat16;
    - subnormal numbers flushed to 0, as arithmetic with them is slow;
    - one thread: torch's worker threads would not flush, and products are too small to share.

    Blocks may be nested, and entered by several threads at once.
    """
    global _saved, _n_inside
    if _depth.value:
        yield
        return
    with _lock:
        threads = torch.get_num_threads()
        if _n_inside == 0:
            _saved = torch.get_float32_matmul_precision(), threads
        elif threads == 1:
            # a new thread inherits torch's number of threads, here that of another thread's block
            threads = _saved[1]
        _n_inside += 1
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")
    flushing = not (torch.full((), 1e-40, dtype=torch.float32, device="cpu") * 1).item()
    torch.set_flush_denormal(True)
    _depth.value = 1
    try:
        yield
    finally:
        _depth.value = 0
        torch.set_flush_denormal(flushing)
        with _lock:
            torch.set_num_threads(threads)
            _n_inside -= 1
            if _n_inside == 0:
                torch.set_float32_matmul_precision(_saved[0])


class Recording(NamedTuple):
    """The state of a run after an epoch.

    Attributes
    ----------
    epoch : int
        Number of epochs trained.
    parameters : Tensor of shape (K, P)
        P parameters of each of K networks.
    diverged : ndarray of shape (K,)
        The epoch after which a network's parameters were not finite for the first time; -1 if they
        are finite.
    """

    epoch: int
    parameters: Tensor
    diverged: NDArray[np.int64]


def recordings(
    experiments: Sequence[Experiment],
    datasets: Sequence[Dataset],
    after_epoch: Callable[[], None] = lambda: None,
    due: Callable[[], bool] = lambda: False,
) -> Iterator[list[Recording]]:
    """Train, and yield one `Recording` per experiment at each of `recorded_epochs`.

    Parameters
    ----------
    experiments, datasets
        As for `Program`.
    after_epoch : callable
        Called without arguments after every epoch.
    due : callable
        Called without arguments after every epoch. If it returns True, an empty list is yielded
        before the next epoch, so that the caller regains control (cooperative scheduling).
    """
    program = Program(experiments, datasets)
    yield program.record(0)
    epochs = recorded_epochs(experiments[0].training)
    epoch = 0
    for end in epochs[1:]:
        over = False
        while epoch < end:
            if over:
                yield []
            # one block for many epochs; it must not contain a yield, or the caller's code would
            # run with these settings
            with pinned():
                while epoch < end:
                    program.train_epoch(epoch)
                    after_epoch()
                    epoch += 1
                    if over := due():
                        break
        yield program.record(end)
        if over and epoch < epochs[-1]:
            yield []


@pinned()
def initial(experiment: Experiment, dataset: Dataset) -> Recording:
    """Return the initial networks of an experiment, without allocating a `Program`."""
    layout = Layout.of(experiment.network, dataset.n_columns, dataset.n_outputs)
    n_rows = len(experiment.regularizations)
    return Recording(0, _initial_row(experiment, layout).expand(n_rows, -1), np.full(n_rows, -1))


def _initial_row(experiment: Experiment, layout: Layout) -> Tensor:
    """Return the initial parameters, of shape (P,), which all networks share."""
    weights, *_ = _seeds(experiment)
    row = initial_row(layout, experiment.network.activation, weights)
    return row.to(getattr(torch, experiment.training.dtype))


def _seeds(experiment: Experiment) -> list[int]:
    """Return independent seeds of the initial weights, of the batches and of dropout."""
    seeds: list[int] = np.random.SeedSequence(experiment.training.seed).generate_state(3).tolist()
    return seeds


class Program:
    """State and step of the training of one experiment's networks, or of several experiments'.

    The compiled epoch trains them if it is ready at the start, and otherwise its reference in torch
    operations; never both in turn.

    Parameters
    ----------
    experiments : sequence of Experiment
        Experiments with the same network, training parameters but seeds, task, number of
        regularizations, phases and sizes of splits. The networks of an experiment share its points,
        initial weights, batches and dropout's draws; experiments do not.
    datasets : sequence of Dataset
        The points of each experiment.
    """

    @pinned()
    @torch.inference_mode()
    def __init__(
        self,
        experiments: Sequence[Experiment],
        datasets: Sequence[Dataset],
    ) -> None:
        self.experiments, self.n_runs, dataset = experiments, len(experiments), datasets[0]
        self.task = dataset.task
        self.training, network = experiments[0].training, experiments[0].network
        self.n_networks = len(experiments[0].regularizations)
        self.layout = Layout.of(network, dataset.n_columns, dataset.n_outputs)
        dtype = getattr(torch, self.training.dtype)
        seeds = [_seeds(experiment) for experiment in experiments]
        self._batch_orders = [torch.Generator().manual_seed(order) for _, order, _ in seeds]
        self._dropout = [torch.Generator().manual_seed(draws) for *_, draws in seeds]

        initial = [_initial_row(experiment, self.layout) for experiment in experiments]
        self.parameters = self._blocks([row.expand(self.n_networks, -1) for row in initial])
        self.state = self.parameters.new_zeros(2, *self.parameters.shape)
        inputs = [input_features(d.X_train, network.features) for d in datasets]
        self.inputs = torch.from_numpy(np.stack(inputs)).to(dtype).contiguous()
        y = torch.from_numpy(np.stack([d.y_train for d in datasets]))
        if dataset.task == "multiclass":
            y = torch.nn.functional.one_hot(y.long(), dataset.n_outputs)
        self.targets = y.view(self.n_runs, -1, dataset.n_outputs).to(dtype)
        given = [d.weights("train") for d in datasets]
        weights = [np.ones(y.shape[1]) if w is None else w for w in given]
        self.weights = torch.from_numpy(np.stack(weights)).to(dtype)

        n = self.inputs.shape[1]
        self.batch_size = min(self.training.batch_size or n, n)
        self.order = torch.arange(n, device="cpu").repeat(self.n_runs, 1)
        # batch normalization has no variance of a last batch of one point
        lone = self.layout.normalization == "batch" and n % self.batch_size == 1
        self.n_trained = n - 1 if lone else n
        phases = [phase.regularization for phase in experiments[0].phases]
        rows = [*experiments[0].regularizations, *phases]
        drops = any(r.drop_rate or r.input_drop_rate for r in rows)
        shape = self.n_runs, n * sum(self.layout.sizes[:-1]) if drops else 0
        self.draws = torch.empty(shape, dtype=torch.float32, device="cpu")
        # a smaller last batch is drawn by a call of its own
        full = shape[1] // n * (n - n % self.batch_size)
        parts = [[row[:full], row[full:]] for row in self.draws]
        self._parts = [[part for part in row if len(part)] for row in parts]
        self.n_steps = 0  # taken so far
        ready = compiled.ready(self.training.dtype)
        self._train: Callable[..., None] = train_epoch if ready else train_by_reference
        self.diverged = np.full((self.n_runs, self.n_networks), -1)
        self._switches = {epoch for experiment in experiments for epoch in experiment.switches}

    def _blocks(self, runs: Sequence[Tensor]) -> Tensor:
        """Return arrays of shape (K, N), one for each run, in the layout of `to_blocks`."""
        return torch.cat([to_blocks(rows) for rows in runs])

    @pinned()
    @torch.inference_mode()
    def train_epoch(self, epoch: int) -> None:
        """Train one epoch, the one after ``epoch`` epochs."""
        self.begin_epoch(epoch)
        order = self.order[:, : self.n_trained].contiguous()
        self._advance(self._train, epoch, order, self.draws)
        if not math.isfinite(self.parameters.sum().item()):
            finite = np.stack([rows.isfinite().all(1).numpy() for rows in self._rows()])
            self.diverged[~finite & (self.diverged < 0)] = epoch + 1

    @torch.inference_mode()
    def begin_epoch(self, epoch: int) -> None:
        """Set the strengths and draw the batches and dropout of the epoch after ``epoch`` epochs.

        `train_epoch` does so by itself; call it before `train_batch` only.
        """
        if epoch in self._switches:
            self._regularize(epoch)
        self._draw()

    @property
    def n_batches(self) -> int:
        """Number of mini-batches of an epoch, which are its steps."""
        return math.ceil(self.n_trained / self.batch_size)

    @pinned()
    @torch.inference_mode()
    def train_batch(self, epoch: int, i: int) -> None:
        """Train one mini-batch of an epoch that has begun, by the reference implementation.

        After all its batches in order, the state is that after `train_epoch`, up to rounding.

        Parameters
        ----------
        epoch : int
            The argument of the last call of `begin_epoch`.
        i : int
            Number of the batch in the epoch, from 0.
        """
        order, draws = self.batch(i)
        self._advance(train_by_reference, epoch, order, draws)

    def batch(self, i: int) -> tuple[Tensor, Tensor]:
        """Return the parts of ``order`` and ``draws`` of a mini-batch of the epoch that has begun.

        They have the shapes ``(R, points)`` and ``(R, points * units)`` that
        `regviz.engine.epoch.train_by_reference` expects of an epoch with this batch alone.
        """
        start = i * self.batch_size
        order = self.order[:, start : min(start + self.batch_size, self.n_trained)]
        n_fed = sum(self.layout.sizes[:-1])
        draws = self.draws[:, start * n_fed : (start + order.shape[1]) * n_fed]
        return order.contiguous(), draws.contiguous()

    def _advance(
        self, train: Callable[..., None], epoch: int, order: Tensor, draws: Tensor
    ) -> None:
        """Train on the points in ``order``, batch after batch, with an implementation of epochs."""
        training = self.training
        train(
            *(self.parameters, self.state, self.inputs, self.targets, self.weights),
            *(order, draws),
            *(*self.strengths, self.keep, self.layout.sizes),
            *(self.experiments[0].network.activation, self.task, training.optimizer),
            *(self.experiments[0].learning_rate(epoch), training.momentum),
            *(training.beta1, training.beta2, training.epsilon, self.batch_size, self.n_steps),
            *(self.layout.normalization, self.layout.affine),
        )
        self.n_steps += math.ceil(order.shape[1] / self.batch_size)

    def _rows(self) -> list[Tensor]:
        """Return the parameters of each run's networks, of shape (K, P)."""
        return [to_rows(part)[: self.n_networks] for part in self.parameters.chunk(self.n_runs)]

    @pinned()
    @torch.inference_mode()
    def record(self, epoch: int) -> list[Recording]:
        """Return the current state of each experiment, as that after ``epoch`` epochs."""
        return [
            Recording(epoch, rows.clone(), diverged)
            for rows, diverged in zip(self._rows(), self.diverged.copy(), strict=True)
        ]

    def _regularize(self, epoch: int) -> None:
        """Set the strengths of the regularizations that act in the epoch after ``epoch`` epochs."""
        runs = [experiment.acting(epoch) for experiment in self.experiments]

        def strength(of: Callable[[Regularization], Sequence[float]]) -> Tensor:
            rows = [[of(r) for r in acting] for acting in runs]
            return self._blocks([self.parameters.new_tensor(values) for values in rows])

        n_hidden = len(self.layout.shapes) - 1
        self.strengths = [
            strength(of)[:, 0]
            for of in (
                lambda r: [r.l1],
                lambda r: [0 if r.decoupled else r.l2],
                lambda r: [r.l2 if r.decoupled else 0],
                lambda r: [math.inf if r.max_norm is None else r.max_norm],
                lambda r: [r.group_lasso],
            )
        ]
        self.keep = 1 - strength(lambda r: [r.input_drop_rate, *[r.drop_rate] * n_hidden])

    def _draw(self) -> None:
        """Draw the order of points and the uniform numbers of dropout for the next epoch."""
        n = self.order.shape[1]
        if self.batch_size < n:
            for order, generator in zip(self.order, self._batch_orders, strict=True):
                torch.randperm(n, generator=generator, device="cpu", out=order)
        for parts, generator in zip(self._parts, self._dropout, strict=True):
            for part in parts:
                part.uniform_(generator=generator)
