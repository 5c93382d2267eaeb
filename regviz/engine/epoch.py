"""An epoch of training, and the outputs of networks, as PyTorch operators.

The reference implementation of each is a short program of torch operations. The CPU's is the
function of `regviz.engine.kernel` that Numba compiles, and waits for it. The two agree up to
rounding.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regviz.engine import compiled
from regviz.engine.layout import Layout
from regviz.engine.networks import gradient, hidden_and_output
from regviz.engine.optimizers import Hyperparameters, Penalty, step_
from regviz.engine.regularization import dropout_mask, project_
from regviz.spec.experiment import ACTIVATIONS
from regviz.spec.validation import TASKS, Task

# The kernel computes this many networks side by side, at this many points; 8 numbers of float32 are
# 256 bits, a vector of AVX2.
NETWORKS, POINTS = 8, 4


def to_blocks(rows: Tensor) -> Tensor:
    """``(K, N)`` as ``(ceil(K / 8), N, 8)``; where networks are missing, the last is repeated."""
    missing = -len(rows) % NETWORKS
    rows = torch.cat([rows, rows[-1:].expand(missing, -1)])
    return rows.view(-1, NETWORKS, rows.shape[1]).transpose(1, 2).contiguous()


def to_rows(blocks: Tensor) -> Tensor:
    """``(blocks, N, 8)`` as ``(8 * blocks, N)``, one network after another."""
    return blocks.transpose(1, 2).reshape(-1, blocks.shape[1])


def train_by_reference(
    parameters: Tensor,
    state: Tensor,
    inputs: Tensor,
    targets: Tensor,
    order: Tensor,
    draws: Tensor,
    l1: Tensor,
    l2: Tensor,
    decay: Tensor,
    max_norm: Tensor,
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
) -> None:
    """Train all networks for an epoch, in place.

    Networks are trained in blocks of 8, and each block on the points of one run: with B blocks and
    R runs, the first B / R blocks on those of the first run, and so on.

    Parameters
    ----------
    parameters : Tensor of shape (B, P, 8)
        P as `regviz.engine.layout.Layout` orders them.
    state : Tensor of shape (2, B, P, 8)
        The optimizer's: the velocity, or Adam's first and second moment.
    inputs : Tensor of shape (R, n, fan_in)
    targets : Tensor of shape (R, n, n_outputs)
        Values, or classes as 0 and 1.
    order : int64 Tensor of shape (R, n)
        The points in the order in which batches take them.
    draws : float32 Tensor of shape (R, n * units), or (R, 0) without dropout
        Uniform draws from [0, 1), of all inputs and hidden units: batch after batch, each
        ``(units, points)``.
    l1, l2, decay : Tensor of shape (B, 8)
        Strengths of L1, squared L2 and decoupled weight decay.
    max_norm : Tensor of shape (B, 8)
        The bound, or infinity.
    keep : Tensor of shape (B, layers, 8)
        Probability that dropout keeps what feeds each layer.
    sizes : sequence of int
        Units of each layer, inputs and outputs included.
    activation, task, optimizer, learning_rate, momentum, beta1, beta2, epsilon
        As of `NetworkSpec`, `Dataset` and `TrainingSpec`.
    batch_size : int
        Points in each batch but the last, which may be smaller.
    n_steps : int
        Steps that came before.
    """
    layout = Layout(sizes)
    hyper = Hyperparameters(optimizer, learning_rate, momentum, beta1, beta2, epsilon)
    is_weight = torch.from_numpy(layout.is_weight)
    n_fed = sum(sizes[:-1])
    per_run = len(parameters) // len(order)
    for run in range(len(order)):
        blocks = slice(run * per_run, (run + 1) * per_run)
        rows, *moments = (to_rows(x) for x in (parameters[blocks], *state[:, blocks]))
        penalty = Penalty(*(is_weight * x[blocks].view(-1, 1) for x in (l1, l2, decay)))
        radius = max_norm[blocks].view(-1, 1, 1)
        rates = 1 - to_rows(keep[blocks])
        rates = rates.repeat_interleave(torch.tensor(sizes[:-1]), 1)[..., None]
        batches = order[run].split(batch_size)  # type: ignore[no-untyped-call]
        for i, batch in enumerate(batches):
            masks = None
            if draws.numel():
                at = i * batch_size * n_fed
                uniform = draws[run, at : at + n_fed * len(batch)].view(n_fed, -1)
                masks = dropout_mask(uniform.to(rates), rates).split_with_sizes(sizes[:-1], 1)
            points, y = inputs[run, batch], targets[run, batch]
            gradients = gradient(layout.split(rows), points, y, masks, activation, cast(Task, task))
            flat = torch.cat([block.flatten(1) for block in gradients], 1)
            step_(rows, flat, moments, penalty, hyper, n_steps + i + 1)
            for block in layout.split(rows)[:-1]:
                project_(block[..., :-1], radius)
            restore_(rows, (penalty.l1 == 0) & is_weight)
        parameters[blocks] = to_blocks(rows)
        for kept, moment in zip(state[:, blocks], moments, strict=True):
            kept.copy_(to_blocks(moment))


def restore_(weights: Tensor, never_zero: Tensor) -> None:
    """Give weights that only rounding has made 0 the smallest normal number, of that zero's sign.

    In exact arithmetic neither squared L2 nor max-norm ever makes a weight 0, and no gradient hits
    it but by chance. Without this, a weight that the data do not use would shrink below the
    smallest number there is, and be taken for one that L1 has set to 0.
    """
    smallest = weights.new_tensor(torch.finfo(weights.dtype).tiny)
    # a product that underflows has a sign
    restored = torch.copysign(smallest, weights)
    weights.copy_(torch.where((weights == 0) & never_zero, restored, weights))


def _train(*arguments: Any) -> None:
    """`train_by_reference`, compiled."""
    train = compiled.function("train", _precision(arguments[0]))
    if train is None:
        train_by_reference(*arguments)
        return
    tensors, sizes = arguments[:11], arguments[11]
    if not all(tensor.is_contiguous() for tensor in tensors):
        raise ValueError("tensors must be contiguous")
    activation, task, optimizer, learning_rate, momentum, *rest = arguments[12:]
    train(
        *[tensor.numpy() for tensor in tensors],
        *_shape(tuple(sizes)),
        *(ACTIVATIONS.index(activation), TASKS.index(task), optimizer in ("adam", "adamw")),
        *(learning_rate, momentum if optimizer == "momentum" else 0.0, *rest),
    )


@lru_cache(maxsize=64)
def _shape(sizes: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Sizes, and which parameters are weights, as the kernel takes them."""
    is_weight = Layout(sizes).is_weight
    is_weight.setflags(write=False)
    return np.array(sizes), is_weight


def _precision(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def outputs_by_reference(
    rows: Tensor, inputs: Tensor, sizes: Sequence[int], activation: str
) -> Tensor:
    """Raw outputs ``(K, n_outputs, n)`` of networks ``(K, P)`` for ``inputs`` ``(n, fan_in)``."""
    return hidden_and_output(Layout(sizes).split(rows), inputs, activation)[-1].contiguous()


def _outputs(rows: Tensor, inputs: Tensor, sizes: Sequence[int], activation: str) -> Tensor:
    predict = compiled.function("predict", _precision(rows))
    if predict is None or not len(inputs):
        return outputs_by_reference(rows, inputs, sizes, activation)
    blocks, n = to_blocks(rows), len(inputs)
    found = rows.new_empty(len(blocks), sizes[-1], -(-n // POINTS), POINTS * NETWORKS)
    shape, _ = _shape(tuple(sizes))
    predict(
        blocks.numpy(),
        inputs.contiguous().numpy(),
        shape,
        ACTIVATIONS.index(activation),
        found.numpy(),
    )
    by_network = found.view(len(blocks), sizes[-1], -1, NETWORKS).permute(0, 3, 1, 2)
    return by_network.flatten(0, 1)[: len(rows), :, :n].contiguous()


# `torch.library.custom_op` would do the same, but load torch's compiler: 2 s, 150 MB and sympy
_library: Any = torch.library.Library("regviz", "FRAGMENT")  # type: ignore[no-untyped-call]
for _name, _reference, _kernel, _changed in (
    ("train_epoch", train_by_reference, _train, ("parameters", "state")),
    ("outputs", outputs_by_reference, _outputs, ()),
):
    _library.define(_name + torch.library.infer_schema(_reference, mutates_args=_changed))
    _library.impl(_name, _reference, "CompositeExplicitAutograd")
    _library.impl(_name, _kernel, "CPU")
train_epoch, outputs = torch.ops.regviz.train_epoch, torch.ops.regviz.outputs
