"""The loop that trains all rows of an experiment, or of several, as one tensor program."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regviz.batches import Batches
from regviz.datasets import Dataset
from regviz.experiment import Experiment, Regularization, TrainingSpec
from regviz.layout import Layout, Rows, initial_row, input_features
from regviz.networks import Backpropagation, Target
from regviz.optimizers import Strengths, make_optimizer
from regviz.regularization import project_


def recorded_epochs(training: TrainingSpec) -> list[int]:
    """The epochs that a history holds, ``frames`` and the initial one at most, dense at first."""
    epochs, frames = training.epochs, training.frames
    if epochs <= frames:
        return list(range(epochs + 1))
    rest = epochs - frames
    return [i + round(rest * (i / frames) ** 3) for i in range(frames + 1)]


class _Depth(threading.local):
    """How many `pinned` blocks the calling thread is inside of."""

    value = 0


_depth = _Depth()
_lock = threading.Lock()
_found: tuple[str, int] = ("", 0)  # precision and threads of the process, outside of all blocks
_n_inside = 0  # threads inside a block


@contextmanager
def pinned() -> Iterator[None]:
    """Compute as if the process's settings of torch were those that a run is defined by.

    Full precision in products; numbers too small for full precision flushed to 0, as computing with
    them is slow; and one thread, as a thread of torch's own would not flush, and would spin while
    it waits for products that are too small to share. The settings are put back at the end.
    """
    global _found, _n_inside
    if _depth.value:
        yield
        return
    with _lock:
        threads = torch.get_num_threads()
        if _n_inside == 0:
            _found = torch.get_float32_matmul_precision(), threads
        elif threads == 1:
            # a thread that is new to torch takes over what another one's block has set
            threads = _found[1]
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
                torch.set_float32_matmul_precision(_found[0])


class Recording(NamedTuple):
    """What a run has come to after an epoch.

    Attributes
    ----------
    epoch : int
    parameters : Tensor of shape (K, P)
        On the device that trains.
    diverged : ndarray of shape (K,)
        The epoch after which a row's parameters were no longer finite; -1 where they are.
    """

    epoch: int
    parameters: Tensor
    diverged: NDArray[np.int64]


def recordings(
    experiments: Sequence[Experiment],
    datasets: Sequence[Dataset],
    device: str = "cpu",
    after_epoch: Callable[[], None] = lambda: None,
    due: Callable[[], bool] = lambda: False,
) -> Iterator[list[Recording]]:
    """Train, and yield at each of `recorded_epochs` a `Recording` of each experiment.

    Parameters
    ----------
    experiments, datasets, device
        As for `Program`.
    after_epoch : callable
        Called without arguments after every epoch.
    due : callable
        Called after every epoch. Where it returns True, an empty list is yielded before the next
        epoch that is not recorded begins, so that the caller can do something else meanwhile.
    """
    program = Program(experiments, datasets, device)
    yield program.record(0)
    epochs = recorded_epochs(experiments[0].training)
    epoch = 0
    for end in epochs[1:]:
        while epoch < end:
            with pinned():  # for many epochs at once; a generator must not yield within
                while epoch < end:
                    program.train_epoch(epoch)
                    after_epoch()
                    epoch += 1
                    if due():
                        break
            if epoch < end:
                yield []
        yield program.record(end)


@pinned()
def initial(experiment: Experiment, dataset: Dataset) -> Recording:
    """The state before the first epoch, without what it takes to train."""
    layout = Layout.of(experiment.network, dataset.n_columns, dataset.n_outputs)
    n_rows = len(experiment.regularizations)
    return Recording(0, _initial_row(experiment, layout).expand(n_rows, -1), np.full(n_rows, -1))


def _initial_row(experiment: Experiment, layout: Layout) -> Tensor:
    """The initial parameters ``(P,)`` that all rows share."""
    weights, *_ = _seeds(experiment)
    row = initial_row(layout, experiment.network.activation, weights)
    return row.to(getattr(torch, experiment.training.dtype))


def _seeds(experiment: Experiment) -> list[int]:
    """Of the initial weights, of the batches and of dropout, which each draw from their own."""
    found: list[int] = np.random.SeedSequence(experiment.training.seed).generate_state(3).tolist()
    return found


def _kind(r: Regularization) -> tuple[bool, bool]:
    """Whether it draws masks, and whether it bounds norms."""
    return bool(r.drop_rate or r.input_drop_rate), r.max_norm is not None


class Program:
    """All rows of one experiment, or of several that are alike, in training.

    Rows are computed in an order of their own: those with dropout last and those with max-norm
    together, so that the others need not pay for them; and the networks of all experiments that
    have the same place in them, side by side. `record` puts them back.

    Parameters
    ----------
    experiments : sequence of Experiment
        Alike in network, training and task, in the sizes of their splits, and in which rows draw
        masks and bound norms. Points, initial weights, batches and dropout's draws are each one's
        own; its rows share them.
    datasets : sequence of Dataset
        The points of each.
    device : str
    """

    @pinned()
    @torch.inference_mode()
    def __init__(
        self,
        experiments: Sequence[Experiment],
        datasets: Sequence[Dataset],
        device: str = "cpu",
    ) -> None:
        self.experiments, self.n_runs, dataset = experiments, len(experiments), datasets[0]
        spec, network = experiments[0].training, experiments[0].network
        self.layout = Layout.of(network, dataset.n_columns, dataset.n_outputs)
        seeds = [_seeds(experiment) for experiment in experiments]
        self.batch_orders = [torch.Generator().manual_seed(order) for _, order, _ in seeds]
        self.draws = [torch.Generator().manual_seed(draws) for *_, draws in seeds]
        self._arrange()

        initial = [_initial_row(experiment, self.layout) for experiment in experiments]
        start = torch.stack(initial).to(device)
        start = start.repeat(len(self.order) // self.n_runs, 1)
        self.weights, self.gradients = Rows(self.layout, start), Rows(self.layout, 0 * start)
        self.optimizer = make_optimizer(self.weights.flat, self.gradients.flat, spec)
        self.incoming = [block[:, self.bounded, :, :-1] for block in self.weights.alike()]
        self.norms = [weights.new_empty(*weights.shape[:3], 1) for weights in self.incoming]

        fed = self.layout.sizes[:-1]
        thinned = [
            any(units) for units in zip(*map(self._drop_rates, self.regularizations), strict=True)
        ]
        inputs = np.vstack([input_features(d.X_train, network.features) for d in datasets])
        X = torch.from_numpy(np.vstack([inputs.T, np.ones(len(inputs))])).to(start)
        y = torch.from_numpy(np.concatenate([d.y_train for d in datasets]))
        target = Target(dataset.task, dataset.n_outputs)
        offset = target.offset(y).to(start)
        self.n_points = len(dataset.y_train)
        # what an epoch visits, in this order: columns of X
        self.points = torch.arange(len(inputs), device="cpu").view(self.n_runs, -1)
        self.orders = list(self.points)
        size = min(spec.batch_size or self.n_points, self.n_points)
        self.parts = [
            (
                Batches(
                    *(X, offset, count, batch_size, self.n_runs, len(self.order)),
                    *(fed, self.dropped, thinned),
                ),
                Backpropagation(
                    self.weights, self.gradients, network.activation, target, batch_size
                ),
            )
            for count, batch_size in ((self.n_points // size, size), (1, self.n_points % size))
            if batch_size
        ]
        self.diverged = np.full(len(self.order), -1)
        self.onsets = {0, *(r.onset for r in self.regularizations)}
        self._replay: Callable[[], None] | None = None  # the steps of an epoch, on a GPU

    def _arrange(self) -> None:
        """Put the rows in the order in which they are computed."""
        given, runs = self.experiments[0].regularizations, range(self.n_runs)
        # a product of a single network and a single point would be rounded in another way
        rows = given * (2 if len(given) * self.n_runs == 1 else 1)
        places = [2 * dropped + (dropped != bounded) for dropped, bounded in map(_kind, rows)]
        order = sorted(range(len(rows)), key=places.__getitem__)
        self.order = [(run, i % len(given)) for i in order for run in runs]
        self.regularizations = [self.experiments[run].regularizations[i] for run, i in self.order]
        first = self.n_runs * np.argsort(order)[: len(given)]
        self.put_back = np.concatenate([first + run for run in runs])
        self.dropped = self._from_to(places, 2, 3)
        self.bounded = self._from_to(places, 1, 2)

    def _from_to(self, places: list[int], first: int, last: int) -> slice:
        """Where in the order those are whose place is one of these."""
        ends = sum(place < first for place in places), sum(place <= last for place in places)
        return slice(*(self.n_runs * end for end in ends))

    @pinned()
    @torch.inference_mode()
    def train_epoch(self, epoch: int) -> None:
        """Train for the epoch that begins after ``epoch`` epochs."""
        if epoch in self.onsets:
            self._regularize(epoch)
        self._fill()
        (self._replay or self._take_steps)()
        self._restore_lost()
        if not math.isfinite(self.weights.flat.sum().item()):
            finite = torch.isfinite(self.weights.matrix()).all(1).cpu().numpy()
            self.diverged[~finite & (self.diverged < 0)] = epoch + 1

    def _restore_lost(self) -> None:
        """Give weights that only rounding has made 0 the smallest normal number, of their sign.

        In exact arithmetic neither squared L2 nor max-norm ever makes a weight 0, and no gradient
        hits it but by chance. Without this, a weight that the data do not use would shrink below
        the smallest number there is, and be taken for one that L1 has set to 0.
        """
        if self.never_zero is None:
            return
        flat = self.weights.flat
        lost = (flat == 0).logical_and_(self.never_zero)
        if lost.any():
            smallest = flat.new_tensor(torch.finfo(flat.dtype).tiny)
            flat[lost] = torch.copysign(
                smallest, flat[lost]
            )  # a product that underflows has a sign

    @pinned()
    @torch.inference_mode()
    def record(self, epoch: int) -> list[Recording]:
        """The state of each experiment after ``epoch`` epochs, rows in its own order."""
        matrix = self.weights.matrix()
        parameters = matrix[torch.from_numpy(self.put_back).to(matrix.device)]
        diverged = np.split(self.diverged[self.put_back], self.n_runs)
        return [
            Recording(epoch, *state)
            for state in zip(parameters.chunk(self.n_runs), diverged, strict=True)
        ]

    def _drop_rates(self, r: Regularization) -> list[float]:
        """The rate at which what feeds each layer is dropped."""
        return [r.input_drop_rate, *[r.drop_rate] * (len(self.layout.shapes) - 1)]

    def _regularize(self, epoch: int) -> None:
        """Let those regularizations act whose onset has come."""
        rows = [experiment.acting(epoch) for experiment in self.experiments]
        acting = [rows[run][i] for run, i in self.order]
        self.optimizer.penalize(
            Strengths(
                l1=self._per_weight([r.l1 for r in acting]),
                l2=self._per_weight([0 if r.decoupled else r.l2 for r in acting]),
                decay=self._per_weight([r.l2 if r.decoupled else 0 for r in acting]),
            )
        )
        without = self._per_weight([float(not r.l1) for r in acting])
        self.never_zero = None if without is None else without.bool()
        flat = self.weights.flat
        radii = [math.inf if r.max_norm is None else r.max_norm for r in acting[self.bounded]]
        self.radii = flat.new_tensor(radii)[:, None, None]
        rates = flat.new_tensor([self._drop_rates(r) for r in acting[self.dropped]])
        units = torch.tensor(self.layout.sizes[:-1], device=flat.device)
        self.rates = rates.view(-1, len(units)).repeat_interleave(units, 1)[..., None]
        if flat.is_cuda:
            self._replay = self._captured()

    def _per_weight(self, values: list[float]) -> Tensor | None:
        """A value per row as one per parameter, 0 at biases; None if all are 0."""
        if not any(values):
            return None
        column = self.weights.flat.new_tensor(values)[:, None]
        return Rows(self.layout, column * torch.from_numpy(self.layout.is_weight).to(column)).flat

    def _fill(self) -> None:
        """Draw the next epoch's batches and masks."""
        if len(self.parts) > 1 or len(self.parts[0][0].steps) > 1:
            for i, (order, generator) in enumerate(
                zip(self.orders, self.batch_orders, strict=True)
            ):
                torch.randperm(self.n_points, generator=generator, device="cpu", out=order)
                order += i * self.n_points
        points = self.points.to(self.weights.flat.device)
        start = 0
        for batches, _ in self.parts:
            batches.fill(points[:, start : start + batches.n_points], self.draws, self.rates)
            start += batches.n_points

    def _take_steps(self) -> None:
        """An epoch of optimizer steps, each with its proximal map and its projection."""
        for batches, backpropagate in self.parts:
            for X, offset, masks in batches.steps:
                backpropagate(X, offset, masks)
                self.optimizer.step()
                if self.bounded.stop > self.bounded.start:
                    for weights, norms in zip(self.incoming, self.norms, strict=True):
                        project_(weights, self.radii, norms)

    def _captured(self) -> Callable[[], None]:
        """The steps of an epoch as one CUDA graph, which launches in one go."""
        state = [self.weights.flat, *self.optimizer.state()]
        before = [tensor.clone() for tensor in state]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            # on whatever the memory holds: libraries allocate what they need before the capture
            self._take_steps()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._take_steps()
        for tensor, value in zip(state, before, strict=True):
            tensor.copy_(value)
        return graph.replay
