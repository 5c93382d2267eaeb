"""An epoch of training, and the forward pass, as PyTorch operators with two implementations.

The reference implementation is a short program of torch operations, for any device. The CPU
implementation calls the compiled function of `regviz.engine.kernel`, after waiting for it. Their
results are equal up to rounding (`tests/engine/test_kernel.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regviz.engine import compiled
from regviz.engine.layout import NETWORKS, POINTS, Layout
from regviz.engine.networks import backward, feed_forward, hidden_and_output, update_statistics_
from regviz.engine.optimizers import Hyperparameters, Penalty, step_
from regviz.engine.regularization import dropout_mask, project_, shrink_groups_
from regviz.spec.experiment import ACTIVATIONS, NORMALIZATIONS
from regviz.spec.validation import TASKS, Task


def to_blocks(rows: Tensor) -> Tensor:
    """Rearrange ``(K, N)`` to ``(ceil(K / 8), N, 8)``, padded with copies of the last network."""
    missing = -len(rows) % NETWORKS
    rows = torch.cat([rows, rows[-1:].expand(missing, -1)])
    return rows.view(-1, NETWORKS, rows.shape[1]).transpose(1, 2).contiguous()


def to_rows(blocks: Tensor) -> Tensor:
    """Rearrange ``(B, N, 8)`` to ``(8 * B, N)``, the inverse of `to_blocks` including padding."""
    return blocks.transpose(1, 2).reshape(-1, blocks.shape[1])


def train_by_reference(
    parameters: Tensor,
    state: Tensor,
    inputs: Tensor,
    targets: Tensor,
    weights: Tensor,
    order: Tensor,
    draws: Tensor,
    l1: Tensor,
    l2: Tensor,
    decay: Tensor,
    max_norm: Tensor,
    group_lasso: Tensor,
    keep: Tensor,
    sizes: Sequence[int],
    activation: str,
    task: str,
    optimizer: str,
    learning_rate: float,
    momentum: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    batch_size: int,
    n_steps: int,
    normalization: str = "none",
    affine: bool = False,
) -> None:
    """Train all networks for an epoch, in place.

    Networks are grouped in B blocks of 8, and the blocks in R runs of B / R blocks each: the first
    B / R blocks are trained on the points of the first run, and so on.

    Parameters
    ----------
    parameters : Tensor of shape (B, P, 8)
        The P parameters are in the order of `regviz.engine.layout.Layout`.
    state : Tensor of shape (2, B, P, 8)
        State of the optimizer: the velocity and an unused tensor, or Adam's first and second
        moment.
    inputs : Tensor of shape (R, n, fan_in)
    targets : Tensor of shape (R, n, n_outputs)
        Values, or one-hot classes; for two classes one column of 0 and 1.
    weights : Tensor of shape (R, n)
        Weights of the points in the loss, of mean 1: a batch of b points has the loss
        ``sum(weight * loss) / b``.
    order : int64 Tensor of shape (R, m)
        Indices of the points to train on, batch after batch.
    draws : float32 Tensor of shape (R, n * units), or (R, 0) without dropout
        Uniform draws from [0, 1) for all inputs and hidden units: batch after batch, each of shape
        (units, points of the batch), flattened.
    l1, l2, decay : Tensor of shape (B, 8)
        Strengths of L1, squared L2 and decoupled weight decay.
    max_norm : Tensor of shape (B, 8)
        Upper bound on the norm of incoming weights, or infinity.
    group_lasso : Tensor of shape (B, 8)
        Strength of the group lasso.
    keep : Tensor of shape (B, layers, 8)
        Keep probability of dropout for the inputs of each layer.
    sizes : sequence of int
        Number of units of each layer, including inputs and outputs.
    activation, task, optimizer, learning_rate, momentum, beta1, beta2, epsilon
        Parameters of `NetworkSpec`, `Dataset` and `TrainingSpec`.
    batch_size : int
        Number of points in each batch; the last one may have fewer.
    n_steps : int
        Number of steps taken in earlier epochs.
    normalization, affine
        Parameters of `NetworkSpec`. With batch normalization no batch may have one point.
    """
    layout = Layout(sizes, normalization, affine)
    hyper = Hyperparameters(optimizer, learning_rate, momentum, beta1, beta2, epsilon)
    is_weight = torch.from_numpy(layout.is_weight)
    n_fed = sum(sizes[:-1])
    per_run = len(parameters) // len(order)
    for run in range(len(order)):
        blocks = slice(run * per_run, (run + 1) * per_run)
        rows, *moments = (to_rows(x) for x in (parameters[blocks], *state[:, blocks]))
        penalty = Penalty(*(is_weight * x[blocks].view(-1, 1) for x in (l1, l2, decay)))
        radius = max_norm[blocks].view(-1, 1)
        group = group_lasso[blocks].view(-1, 1)
        rates = 1 - to_rows(keep[blocks])
        rates = rates.repeat_interleave(torch.tensor(sizes[:-1]), 1)[..., None]
        batches = order[run].split(batch_size)  # type: ignore[no-untyped-call]
        for i, batch in enumerate(batches):
            masks = None
            if draws.numel():
                at = i * batch_size * n_fed
                uniform = draws[run, at : at + n_fed * len(batch)].view(n_fed, -1)
                masks = dropout_mask(uniform.to(rates), rates).split_with_sizes(sizes[:-1], 1)
            points, y, weight = inputs[run, batch], targets[run, batch], weights[run, batch]
            split, norms = layout.split(rows), layout.normalizations(rows)
            forward = feed_forward(split, points, masks, activation, norms)
            update_statistics_(norms, forward.before)
            gradients = backward(
                forward, split, y, masks, activation, cast(Task, task), norms, weight
            )
            flat = torch.cat([block.flatten(1) for block in gradients], 1)
            step_sizes = step_(rows, flat, moments, penalty, hyper, n_steps + i + 1)
            never_zero = (penalty.l1 == 0) & is_weight
            shrink_units_(layout, rows, step_sizes, group)
            bound_units_(layout, rows, radius)
            restore_(rows, never_zero & ~vanished(layout, rows, group))
        parameters[blocks] = to_blocks(rows)
        for stored, moment in zip(state[:, blocks], moments, strict=True):
            stored.copy_(to_blocks(moment))


def shrink_units_(layout: Layout, rows: Tensor, step_sizes: Tensor, group: Tensor) -> None:
    """Apply the group lasso's proximal map to the incoming weights of each hidden unit, in place.

    Parameters
    ----------
    layout : Layout
    rows : Tensor of shape (K, P)
    step_sizes : Tensor of shape (K, P)
        As `regviz.engine.optimizers.step_` returns them.
    group : Tensor of shape (K, 1)
        Strength of the group lasso.
    """
    for block, size in zip(layout.split(rows)[:-1], layout.split(step_sizes)[:-1], strict=True):
        incoming = block[..., :-1]
        scaled = group[..., None] * incoming.shape[-1] ** 0.5
        shrink_groups_(incoming, scaled * size[..., :-1])


def bound_units_(layout: Layout, rows: Tensor, radius: Tensor) -> None:
    """Project the incoming weights of each hidden unit, in place (max-norm).

    Parameters
    ----------
    layout : Layout
    rows : Tensor of shape (K, P)
    radius : Tensor of shape (K, 1)
        Upper bound on the norm, or infinity.
    """
    for block in layout.split(rows)[:-1]:
        project_(block[..., :-1], radius[..., None])


def vanished(layout: Layout, rows: Tensor, group: Tensor) -> Tensor:
    """Return, in shape (K, P), which parameters are of hidden units that the group lasso set to 0.

    Parameters
    ----------
    layout : Layout
    rows : Tensor of shape (K, P)
    group : Tensor of shape (K, 1)
        Strength of the group lasso.
    """
    found = torch.zeros_like(rows, dtype=torch.bool)
    for block, into in zip(layout.split(rows)[:-1], layout.split(found)[:-1], strict=True):
        into |= (block[..., :-1] == 0).all(-1, keepdim=True) & (group[..., None] > 0)
    return found


def restore_(weights: Tensor, never_zero: Tensor) -> None:
    """Replace zeros that are due to rounding by the smallest normal number, with the zero's sign.

    In exact arithmetic squared L2 and max-norm never make a weight 0, and the group lasso makes all
    or none of a unit's incoming weights 0. In floating point, the weight
    of an input that the data do not use underflows to 0, and would be counted as set to 0 by L1.

    Parameters
    ----------
    weights : Tensor
    never_zero : bool Tensor
        Whether the weight has no L1 penalty; False for biases, and in groups that are all 0.
    """
    smallest = weights.new_tensor(torch.finfo(weights.dtype).tiny)
    # a product that underflows is a signed zero
    restored = torch.copysign(smallest, weights)
    weights.copy_(torch.where((weights == 0) & never_zero, restored, weights))


def _train(*arguments: Any) -> None:
    """Train for an epoch as `train_by_reference`, by the compiled function if there is one."""
    train = compiled.function("train", _precision(arguments[0]))
    if train is None:
        train_by_reference(*arguments)
        return
    tensors, sizes = arguments[:13], arguments[13]
    if not all(tensor.is_contiguous() for tensor in tensors):
        raise ValueError("tensors must be contiguous")
    activation, task, optimizer, learning_rate, momentum, *rest = arguments[14:24]
    # torch leaves out trailing arguments that equal their defaults
    normalization, affine = (arguments[24:] + ("none", False)[len(arguments) - 24 :])[:2]
    train(
        *[tensor.numpy() for tensor in tensors],
        *_shape(tuple(sizes), normalization, affine),
        *(ACTIVATIONS.index(activation), TASKS.index(task), optimizer in ("adam", "adamw")),
        *(learning_rate, momentum if optimizer == "momentum" else 0.0, *rest),
        *(NORMALIZATIONS.index(normalization), affine),
    )


@lru_cache(maxsize=64)
def _shape(
    sizes: tuple[int, ...], normalization: str, affine: bool
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the kernel's arguments ``sizes`` and ``is_weight`` of a network."""
    is_weight = Layout(sizes, normalization, affine).is_weight
    is_weight.setflags(write=False)
    return np.array(sizes), is_weight


def _precision(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def outputs_by_reference(
    rows: Tensor,
    inputs: Tensor,
    sizes: Sequence[int],
    activation: str,
    normalization: str = "none",
    affine: bool = False,
) -> Tensor:
    """Return outputs before sigmoid or softmax, of shape (K, n_outputs, n).

    Parameters
    ----------
    rows : Tensor of shape (K, P)
        Parameters in the order of `regviz.engine.layout.Layout`.
    inputs : Tensor of shape (n, fan_in)
    sizes : sequence of int
        Number of units of each layer, including inputs and outputs.
    activation, normalization, affine
        Parameters of `NetworkSpec`.
    """
    layout = Layout(sizes, normalization, affine)
    norms = layout.normalizations(rows)
    return hidden_and_output(layout.split(rows), inputs, activation, norms)[-1].contiguous()


def _outputs(
    rows: Tensor,
    inputs: Tensor,
    sizes: Sequence[int],
    activation: str,
    normalization: str = "none",
    affine: bool = False,
) -> Tensor:
    predict = compiled.function("predict", _precision(rows))
    if predict is None or not len(inputs):
        return outputs_by_reference(rows, inputs, sizes, activation, normalization, affine)
    blocks, n = to_blocks(rows), len(inputs)
    tiles = rows.new_empty(len(blocks), sizes[-1], -(-n // POINTS), POINTS * NETWORKS)
    shape, _ = _shape(tuple(sizes), normalization, affine)
    predict(
        blocks.numpy(),
        inputs.contiguous().numpy(),
        shape,
        ACTIVATIONS.index(activation),
        NORMALIZATIONS.index(normalization),
        affine,
        tiles.numpy(),
    )
    by_network = tiles.view(len(blocks), sizes[-1], -1, NETWORKS).permute(0, 3, 1, 2)
    return by_network.flatten(0, 1)[: len(rows), :, :n].contiguous()


# not `torch.library.custom_op`, which imports torch's compiler and sympy: 2 s and 150 MB
_library: Any = torch.library.Library("regviz", "FRAGMENT")  # type: ignore[no-untyped-call]
for _name, _reference, _kernel, _changed in (
    ("train_epoch", train_by_reference, _train, ("parameters", "state")),
    ("outputs", outputs_by_reference, _outputs, ()),
):
    _library.define(_name + torch.library.infer_schema(_reference, mutates_args=_changed))
    _library.impl(_name, _reference, "CompositeExplicitAutograd")
    _library.impl(_name, _kernel, "CPU")
train_epoch, outputs = torch.ops.regviz.train_epoch, torch.ops.regviz.outputs
