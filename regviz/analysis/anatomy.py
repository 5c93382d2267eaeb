"""The anatomy of training steps: forward pass, losses, gradients, and each part of the update.

A network is trained to an epoch of its run, and then further, one mini-batch at a time, with the
batches, dropout masks and state of the optimizer that its run has there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regviz.data.datasets import Dataset, make_dataset
from regviz.engine import compiled, networks
from regviz.engine.epoch import bound_units_, restore_, shrink_units_, to_rows, vanished
from regviz.engine.layout import Layout
from regviz.engine.optimizers import Hyperparameters, Penalty, step_
from regviz.engine.recorder import on_arrays
from regviz.engine.regularization import dropout_mask, group_penalty, penalty
from regviz.engine.training import Program, pinned
from regviz.spec.experiment import Experiment
from regviz.spec.validation import integer, invalid

Floats = NDArray[np.float64]

# parts of a step, in the order in which they act
PARTS = ("decay", "optimizer", "proximal", "group_lasso", "max_norm")
MAX_STEPS = 10_000


@dataclass(frozen=True, eq=False)
class Step:
    """One training step of one network, for n points of a mini-batch and P parameters.

    Parameters are in the order of `History.parameters`. All numbers are in double precision, also
    those of a training in single precision.

    Attributes
    ----------
    epoch : int
        Number of epochs trained before the epoch of this step.
    batch : int
        Number of the mini-batch in this epoch, from 0.
    points : ndarray of int of shape (n,)
        Indices of the batch's points among the training points.
    masks : tuple of ndarray of shape (units, n)
        Dropout masks of the inputs and of each hidden layer: 0, or 1 / keep probability. Empty
        if nothing is dropped.
    values : tuple of ndarray of shape (units, n)
        The values of each layer's units: inputs and hidden activations, multiplied by their mask,
        and predictions: probabilities, or values (regression).
    losses : ndarray of shape (n,)
        Data loss of each point.
    penalty : float
        The penalty in ``J``: of L1, L2 that is not decoupled, and group lasso.
    gradient : ndarray of shape (P,)
        Gradient of ``data_loss``, the mean of ``losses``.
    penalty_gradient : ndarray of shape (P,)
        Gradient of ``penalty``, 0 for norms of weights that are 0. The step does not use it: the
        proximal map stands for it.
    moments : ndarray of shape (2, P)
        State of the optimizer after the step: the velocity and zeros, or Adam's moments.
    step_sizes : ndarray of shape (P,)
        Step sizes of the proximal map: the learning rate of gradient descent, divided by
        ``1 - momentum``, or Adam's learning rate over its denominator.
    path : ndarray of shape (6, P)
        The parameters before the step, and after each of `PARTS`. The last row is the result.

    Examples
    --------
    >>> import regviz
    >>> rows = (regviz.Regularization(l1=0.01),)
    >>> step = regviz.anatomy(regviz.Experiment(regularizations=rows), epoch=2).steps[0]
    >>> [values.shape for values in step.values]
    [(2, 10), (8, 10), (8, 10), (1, 10)]
    >>> sorted(step.changes)
    ['decay', 'group_lasso', 'max_norm', 'optimizer', 'proximal']
    >>> step.objective == step.data_loss + step.penalty
    True
    """

    epoch: int
    batch: int
    points: NDArray[np.int64]
    masks: tuple[Floats, ...]
    values: tuple[Floats, ...]
    losses: Floats
    penalty: float
    gradient: Floats
    penalty_gradient: Floats
    moments: Floats
    step_sizes: Floats
    path: Floats

    @property
    def data_loss(self) -> float:
        """Mean data loss of the batch, with dropout."""
        return float(self.losses.mean())

    @property
    def objective(self) -> float:
        """The batch's ``J``: data loss plus penalty."""
        return self.data_loss + self.penalty

    @property
    def old(self) -> Floats:
        """Parameters before the step, of shape (P,)."""
        first: Floats = self.path[0]
        return first

    @property
    def new(self) -> Floats:
        """Parameters after the step, of shape (P,)."""
        last: Floats = self.path[-1]
        return last

    @property
    def changes(self) -> dict[str, Floats]:
        """The change by each of `PARTS`, of shape (P,); ``old`` plus their sum is ``new``.

        The sum is exact for a training in single precision, and else exact up to rounding.

        ``decay`` is decoupled weight decay, ``optimizer`` the step along the data gradient and the
        move of batch normalization's running statistics,
        ``proximal`` the map of L1 and L2, ``group_lasso`` its map, and ``max_norm`` the projection.
        """
        return dict(zip(PARTS, np.diff(self.path, axis=0), strict=True))


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Consecutive training steps of one network.

    Attributes
    ----------
    experiment : Experiment
        With the regularization of this network alone.
    dataset : Dataset
    epoch : int
        Number of epochs trained before the first step.
    steps : tuple of Step
    n_batches : int
        Number of steps in an epoch.

    Examples
    --------
    >>> import regviz
    >>> steps = regviz.anatomy(regviz.Experiment(), epoch=2, n_steps=3)
    >>> steps.n_batches, [step.batch for step in steps.steps]
    (16, [0, 1, 2])
    >>> steps.layout.n_parameters
    105
    """

    experiment: Experiment
    dataset: Dataset
    epoch: int
    steps: tuple[Step, ...]
    n_batches: int

    @property
    def layout(self) -> Layout:
        """Positions of a network's P parameters."""
        return Layout.of(self.experiment.network, self.dataset.n_columns, self.dataset.n_outputs)


@pinned()
@torch.inference_mode()
def anatomy(
    experiment: Experiment,
    k: int = 0,
    epoch: int = 0,
    n_steps: int = 1,
    dataset: Dataset | None = None,
) -> Anatomy:
    """Train a network to an epoch, and record each part of the steps that follow.

    Parameters
    ----------
    experiment : Experiment
    k : int
        Index of the network among ``experiment.regularizations``; negative ones count from the end.
    epoch : int
        Number of epochs to train before the first step, 0 to that of the training. After its last
        epoch, the training goes on as if it were longer.
    n_steps : int
        Number of steps to record, 1 to 10,000, of one epoch or of several.
    dataset : Dataset, optional
        Points to train on in place of ``experiment.data``, as for `regviz.train`.

    Returns
    -------
    Anatomy

    Raises
    ------
    ValueError
        If a parameter is out of range, the points of ``dataset`` have weights, or the network has
        diverged by this epoch.

    Notes
    -----
    The epochs before are trained as in `regviz.train`, with the same bits. The steps are those of
    the reference implementation, which arrives where the compiled epoch does up to rounding. A
    corrected elastic net is trained as the naive one; its correction is applied to recorded weights
    only, and not here.

    Examples
    --------
    >>> import regviz
    >>> rows = (regviz.Regularization(l1=0.01),)
    >>> step = regviz.anatomy(regviz.Experiment(regularizations=rows), epoch=5).steps[0]
    >>> bool((step.old + sum(step.changes.values()) == step.new).all())
    True
    """
    n_rows = len(experiment.regularizations)
    k = integer("k", k, -n_rows, n_rows - 1)
    epoch = integer("epoch", epoch, 0, experiment.training.epochs)
    n_steps = integer("n_steps", n_steps, 1, MAX_STEPS)
    if dataset is None:
        dataset = make_dataset(experiment.data)
    else:
        experiment = on_arrays(experiment, dataset)
        if dataset.weighted:
            raise invalid("dataset", "without weights of points", dataset)
    # a network's numbers do not depend on the others of its experiment
    experiment = replace(experiment, regularizations=(experiment.regularizations[k],))
    compiled.wait(experiment.training.dtype)
    program = Program([experiment], [dataset])
    for trained in range(epoch):
        program.train_epoch(trained)
    if program.diverged[0, 0] >= 0:
        allowed = f"below {program.diverged[0, 0]}, the epoch at which this network diverges"
        raise invalid("epoch", allowed, epoch)
    n_batches = program.n_batches
    steps = []
    for i in range(n_steps):
        trained, batch = epoch + i // n_batches, i % n_batches
        if batch == 0:
            program.begin_epoch(trained)
        steps.append(_record(program, dataset, trained, batch))
        program.train_batch(trained, batch)
    return Anatomy(experiment, dataset, epoch, tuple(steps), n_batches)


def _record(program: Program, dataset: Dataset, epoch: int, batch: int) -> Step:
    """Return the step that a program is about to take, from its state."""
    layout, training = program.layout, program.training
    # copies: of a single block, `to_rows` returns a view
    rows, *moments = (to_rows(x).clone() for x in (program.parameters, *program.state))
    points, masks = _batch(program, batch)
    inputs, targets = program.inputs[0, points], program.targets[0, points]
    activation = program.experiments[0].network.activation
    blocks = layout.split(rows)
    norms = layout.normalizations(rows)
    forward = networks.feed_forward(blocks, inputs, masks, activation, norms)
    fed, above, before, _ = forward
    y = torch.from_numpy(dataset.y_train[points.numpy()])
    losses, _ = networks.losses_and_hits(above[-1], y, dataset.task)
    predicted = networks.predict(above[-1], dataset.task)
    values = [*fed, predicted.mT if dataset.task == "multiclass" else predicted[:, None]]
    gradients = networks.backward(forward, blocks, targets, masks, activation, dataset.task, norms)
    flat = torch.cat([block.flatten(1) for block in gradients], 1)
    hyper = Hyperparameters(
        *(training.optimizer, program.experiments[0].learning_rate(epoch), training.momentum),
        *(training.beta1, training.beta2, training.epsilon),
    )
    is_weight = torch.from_numpy(layout.is_weight)
    *strengths, max_norm, group = (x[0].view(-1, 1) for x in program.strengths)
    acting = Penalty(*(is_weight * x for x in strengths))
    path, sizes = _path(
        *(layout, rows, flat, moments, acting, hyper, program.n_steps + 1, max_norm, group)
    )
    for parameters in path[PARTS.index("optimizer") + 1 :]:
        networks.update_statistics_(layout.normalizations(parameters), before)
    l1, l2, _ = strengths
    total, slope = _penalty(layout, rows[0].double(), float(l1[0]), float(l2[0]), float(group[0]))
    return Step(
        epoch,
        batch,
        points.numpy(),
        masks=tuple(_double(mask[0]) for mask in masks or ()),
        values=tuple(_double(value[0]) for value in values),
        losses=losses[0].numpy(),
        penalty=total,
        gradient=_double(flat[0]),
        penalty_gradient=slope,
        moments=np.stack([_double(moment[0]) for moment in moments]),
        step_sizes=_double(sizes[0]),
        path=np.stack([_double(parameters[0]) for parameters in path]),
    )


def _batch(program: Program, batch: int) -> tuple[Tensor, list[Tensor] | None]:
    """Return the indices of a batch's points, and its masks of shape (K, units, n), or None."""
    order, draws = program.batch(batch)
    keep = to_rows(program.keep)
    if not draws.numel() or bool((keep == 1).all()):
        return order[0], None
    fed = program.layout.sizes[:-1]
    rates = (1 - keep).repeat_interleave(torch.tensor(fed), 1)[..., None]
    uniform = draws.view(sum(fed), -1)
    masks = dropout_mask(uniform.to(rates), rates)
    return order[0], list(masks.split_with_sizes(fed, 1))


def _path(
    layout: Layout,
    rows: Tensor,
    gradient: Tensor,
    moments: Sequence[Tensor],
    acting: Penalty,
    hyper: Hyperparameters,
    t: int,
    max_norm: Tensor,
    group: Tensor,
) -> tuple[list[Tensor], Tensor]:
    """Return the parameters before a step and after each of its parts, and the step sizes.

    The parts are those of `regviz.engine.epoch.train_by_reference`, by the same functions, so that
    the last parameters have the same bits. ``moments`` are updated in place.
    """
    none = torch.zeros_like(acting.l1)
    decayed = rows * (1 - hyper.learning_rate * acting.decay)
    stepped, shrunk = decayed.clone(), rows.clone()
    unused = [moment.clone() for moment in moments]
    sizes = step_(stepped, gradient, unused, Penalty(none, none, none), hyper, t)
    scaled = step_(shrunk, gradient, moments, acting, hyper, t)
    never_zero = (acting.l1 == 0) & torch.from_numpy(layout.is_weight)
    grouped = shrunk.clone()
    shrink_units_(layout, grouped, scaled, group)
    new = grouped.clone()
    bound_units_(layout, new, max_norm)
    restore_(new, never_zero & ~vanished(layout, new, group))
    return [rows, decayed, stepped, shrunk, grouped, new], sizes


def _penalty(
    layout: Layout, row: Tensor, l1: float, l2: float, group: float
) -> tuple[float, Floats]:
    """Return the penalty in ``J`` of parameters of shape (P,), and its gradient."""
    is_weight = torch.from_numpy(layout.is_weight)
    weights = row * is_weight
    hidden = [block[:, :-1] for block in layout.split(weights)[:-1]]
    groups = group_penalty([incoming[None].numpy() for incoming in hidden], np.array([group]))
    total = float(penalty(weights, l1, l2)) + float(groups[0])
    slope = l1 * weights.sign() + l2 * weights
    for incoming, into in zip(hidden, layout.split(slope)[:-1], strict=True):
        norms = torch.linalg.vector_norm(incoming, dim=-1, keepdim=True)
        strength = group * incoming.shape[-1] ** 0.5
        into[:, :-1] += strength * torch.where(norms > 0, incoming / norms, 0)
    return total, slope.numpy()


def _double(tensor: Tensor) -> Floats:
    return tensor.double().numpy()
