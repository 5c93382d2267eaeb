"""The training epoch and the forward pass of `regviz.engine.epoch`, as functions for Numba.

Parameters have shape (blocks, P, NETWORKS), where P is in the order of `regviz.engine.layout`;
blocks are trained one after another. Inputs and values of layers have shape
(units, POINTS, NETWORKS), a tile per unit; a batch is processed in tiles of `POINTS` points.

The formulas are those of `networks`, `optimizers` and `regularization`, which name their sources.
"""

import math
from typing import Any

import numpy as np
from numba import njit, types

from regviz.engine.layout import NETWORKS, POINTS
from regviz.engine.networks import LEAKY_SLOPE, NORMALIZATION_EPSILON, STATISTICS_MOMENTUM
from regviz.engine.normalized_passes import (
    batch_arrays,
    evaluate,
    gradient_of_batch,
    keep_tile,
)
from regviz.engine.passes import backward, forward, output_error
from regviz.engine.regularization import N_NEWTON
from regviz.engine.simd import (
    TILE,
    filled,
    networks,
    set_networks,
    set_tile,
    square_root,
    tile,
    where,
    with_sign_of,
)
from regviz.spec.experiment import ACTIVATIONS, NORMALIZATIONS
from regviz.spec.validation import TASKS

_NONE = NORMALIZATIONS.index("none")
# values of other modules that are compiled into the functions: part of the cache's key
CONSTANTS = (
    *(NETWORKS, POINTS, ACTIVATIONS, TASKS, LEAKY_SLOPE, N_NEWTON),
    *(NORMALIZATIONS, NORMALIZATION_EPSILON, STATISTICS_MOMENTUM),
)


@njit
def _step(W, G, first, second, is_weight, l1, l2, decay, adam, rate, momentum, betas, epsilon, t):
    """Take step number ``t`` of the optimizer, from decoupled decay to the map of L1 and L2."""
    beta1, beta2 = betas
    bias1, bias2 = 1 - beta1**t, math.sqrt(1 - beta2**t)
    for row in range(len(W)):
        w, g, m = networks(W, row), networks(G, row), networks(first, row)
        if is_weight[row]:
            w = w * (1.0 - decay * rate)
        if adam:
            m = m + (g - m) * (1 - beta1)
            v = networks(second, row) * beta2 + g * g * (1 - beta2)
            set_networks(second, row, v)
            size = rate / (square_root(v) / bias2 + epsilon)
            w = w - m * size / bias1
        else:
            m = m * momentum + g
            size = filled(g, rate / (1 - momentum))
            w = w - m * rate
        set_networks(first, row, m)
        if is_weight[row]:
            threshold = l1 * size
            above = where(w > threshold, threshold, w)
            w = w - where(above < 0.0 - threshold, 0.0 - threshold, above)
            w = w * (1.0 / (1.0 + l2 * size))
        set_networks(W, row, w)


@njit
def _set_step_sizes(G, second, l2, adam, rate, momentum, beta2, epsilon, t):
    """Replace the gradient by the step sizes that `optimizers.step_` returns.

    The group lasso alone needs them: in `_step`, the store slows all other networks.
    """
    bias2 = math.sqrt(1 - beta2**t)
    for row in range(len(G)):
        size = filled(l2, rate / (1 - momentum))
        if adam:
            size = rate / (square_root(networks(second, row)) / bias2 + epsilon)
        set_networks(G, row, 1.0 / (1.0 + l2 * size) * size)


@njit
def _shrink_groups(W, size, sizes, strength):
    """Apply the group lasso's proximal map, as `regularization.shrink_groups_` does."""
    row = 0
    for layer in range(len(sizes) - 2):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        scaled = strength * math.sqrt(fan_in)
        for _ in range(fan_out):
            total = strength * 0.0
            largest, within = total, total
            for i in range(row, row + fan_in):
                w = networks(W, i)
                t = where(strength == 0.0, 1.0, scaled * networks(size, i))
                total = total + w * w
                largest = where(t > largest, t, largest)
                within = within + (w / t) * (w / t)
            r = square_root(total) - largest
            r = where(r < 0.0, 0.0, r)
            for _ in range(N_NEWTON):
                h, slope = total * 0.0, total * 0.0
                for i in range(row, row + fan_in):
                    from_zero = r + where(strength == 0.0, 1.0, scaled * networks(size, i))
                    share = networks(W, i) / from_zero
                    share = share * share
                    h = h + share
                    slope = slope + share / from_zero
                r = r + h * (square_root(h) - 1.0) / slope
            for i in range(row, row + fan_in):
                w = networks(W, i)
                t = where(strength == 0.0, 1.0, scaled * networks(size, i))
                shrunk = where(within <= 1.0, 0.0, w * (r / (r + t)))
                set_networks(W, i, where(strength == 0.0, w, shrunk))
            row += fan_in + 1


@njit
def _project(W, sizes, radius):
    """Scale each hidden unit's incoming weights to a norm of at most ``radius`` (max-norm)."""
    row = 0
    for layer in range(len(sizes) - 2):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        for _ in range(fan_out):
            total = networks(W, row) * networks(W, row)
            for i in range(1, fan_in):
                total = total + networks(W, row + i) * networks(W, row + i)
            norm = square_root(total)
            # a norm that overflows becomes NaN: radius / inf = 0 would hide the divergence
            norm = where(norm == math.inf, math.nan, norm)
            factor = where(norm <= radius, 1.0, radius / norm)
            factor = where(radius == math.inf, 1.0, factor)
            for i in range(fan_in):
                set_networks(W, row + i, networks(W, row + i) * factor)
            row += fan_in + 1


@njit
def _restore(W, sizes, l1, group_lasso, has_groups):
    """Replace zeros that are due to rounding, as `regviz.engine.epoch.restore_` does."""
    smallest = np.finfo(W.dtype).tiny
    row = 0
    for layer in range(len(sizes) - 1):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        for _ in range(fan_out):
            # above 0 for networks that keep their zeros
            keeps = l1 * 1.0
            if has_groups and layer < len(sizes) - 2:
                # 0 where any weight is not 0
                vanished = group_lasso * 1.0
                for i in range(row, row + fan_in):
                    vanished = where(networks(W, i) == 0.0, vanished, 0.0)
                keeps = keeps + vanished
            for i in range(row, row + fan_in):
                w = networks(W, i)
                restored = where(w == 0.0, with_sign_of(smallest, w), w)
                set_networks(W, i, where(keeps == 0.0, restored, w))
            row += fan_in + 1


@njit
def _set_dropout_masks(draws, keep, sizes, t, mask):
    """Set the dropout masks of point ``t`` of a tile to 0 or 1 / keep probability."""
    unit = 0
    for layer in range(len(sizes) - 1):
        k = networks(keep, layer)
        for _ in range(sizes[layer]):
            set_networks(mask, unit * POINTS + t, where(k > draws[unit], 1.0 / k, 0.0))
            unit += 1


@njit(nogil=True)
def train(
    parameters,
    state,
    inputs,
    targets,
    weights,
    order,
    draws,
    l1,
    l2,
    decay,
    max_norm,
    group_lasso,
    keep,
    sizes,
    is_weight,
    activation,
    task,
    adam,
    learning_rate,
    momentum,
    beta1,
    beta2,
    epsilon,
    batch_size,
    n_steps,
    normalization,
    affine,
):
    """Train for an epoch, in place. `regviz.engine.epoch.train_by_reference` has the parameters."""
    n_blocks, n_rows, _ = parameters.shape
    n_points = order.shape[1]
    n_inputs, n_outputs, n_units = sizes[0], sizes[-1], sizes.sum()
    n_fed = n_units - n_outputs
    dtype = parameters.dtype
    value = np.zeros((n_units, TILE), dtype)
    fed, error = value.copy(), value.copy()
    target, share = np.zeros((n_outputs, TILE), dtype), np.zeros((1, TILE), dtype)
    part = share.copy()
    G = np.zeros((n_rows, NETWORKS), dtype)
    n_tiles = 0 if normalization == _NONE else (min(batch_size, n_points) + POINTS - 1) // POINTS
    batch = batch_arrays(n_tiles, n_units, n_outputs, dtype)
    for block in range(n_blocks):
        run = block * len(order) // n_blocks
        W = parameters[block]
        has_dropout, has_max_norm = (keep[block] < 1).any(), (max_norm[block] < math.inf).any()
        has_groups = (group_lasso[block] > 0).any()
        mask = np.ones((n_units, TILE), dtype)
        t = n_steps
        for start in range(0, n_points, batch_size):
            n = min(batch_size, n_points - start)
            of_batch = draws[run, start * n_fed : (start + n) * n_fed]
            G[:] = 0
            for first in range(0, n, POINTS):
                for i in range(POINTS):
                    # if the batch ends within a tile, its last point is repeated with weight 0
                    at = min(first + i, n - 1)
                    point = order[run, start + at]
                    counted = first + i < n
                    set_networks(share, i, weights[run, point] / n if counted else 0.0)
                    if normalization != _NONE:
                        set_networks(part, i, 1 / n if counted else 0.0)
                    for c in range(n_outputs):
                        set_networks(target, c * POINTS + i, targets[run, point, c])
                    for c in range(n_inputs):
                        set_networks(fed, c * POINTS + i, inputs[run, point, c])
                    if has_dropout:
                        _set_dropout_masks(of_batch[at::n], keep[block], sizes, i, mask)
                for c in range(n_inputs):
                    set_tile(fed, c, tile(fed, c) * tile(mask, c))
                if normalization == _NONE:
                    forward(W, sizes, activation, mask, value, fed)
                    output_error(task, value, target, share, error, n_fed, n_outputs)
                    backward(W, G, sizes, activation, mask, value, fed, error)
                else:
                    keep_tile(batch, first // POINTS, mask, fed, target, share, part)
            if normalization != _NONE:
                gradient_of_batch(W, G, sizes, activation, task, normalization, affine, n, batch)
            t += 1
            _step(
                *(W, G, state[0, block], state[1, block], is_weight),
                *(networks(l1, block), networks(l2, block), networks(decay, block)),
                *(adam, learning_rate, momentum, (beta1, beta2), epsilon, t),
            )
            if has_groups:
                _set_step_sizes(
                    *(G, state[1, block], networks(l2, block)),
                    *(adam, learning_rate, momentum, beta2, epsilon, t),
                )
                _shrink_groups(W, G, sizes, networks(group_lasso, block))
            if has_max_norm:
                _project(W, sizes, networks(max_norm, block))
            _restore(W, sizes, networks(l1, block), networks(group_lasso, block), has_groups)


@njit(nogil=True)
def predict(parameters, inputs, sizes, activation, normalization, affine, outputs):
    """Compute outputs before sigmoid or softmax, (B, n_outputs, tiles, TILE), from (n, fan_in)."""
    n_points, n_outputs = len(inputs), sizes[-1]
    n_units = sizes.sum()
    value = np.zeros((n_units, TILE), parameters.dtype)
    fed, mask = value.copy(), np.ones_like(value)
    standard, factor = value.copy(), value.copy()
    for block in range(len(parameters)):
        for p in range(outputs.shape[2]):
            for t in range(POINTS):
                at = min(p * POINTS + t, n_points - 1)
                for i in range(len(inputs[0])):
                    set_networks(fed, i * POINTS + t, inputs[at, i])
            W = parameters[block]
            if normalization == _NONE:
                forward(W, sizes, activation, mask, value, fed)
            else:
                evaluate(
                    *(W, sizes, activation, normalization, affine),
                    *(mask, value, fed, standard, factor),
                )
            for c in range(n_outputs):
                set_tile(outputs[block, c], p, tile(value, n_units - n_outputs + c))


DISPATCHERS = (train, predict)


def signatures(dtype: str) -> list[tuple[Any, tuple[types.Type, ...]]]:
    """Return each function to compile, with the types of its arguments for a precision."""

    def array(kind: str, n_axes: int) -> types.Type:
        return types.Array(getattr(types, kind), n_axes, "C")

    int64, float64 = types.int64, types.float64
    normal = int64, types.boolean
    tensors = (*(array(dtype, n) for n in (3, 4, 3, 3, 2)), array("int64", 2), array("float32", 2))
    strengths = (*(array(dtype, 2) for _ in range(5)), array(dtype, 3))
    shape = (array("int64", 1), types.Array(types.boolean, 1, "C", readonly=True))
    hyper = (int64, int64, types.boolean, *[float64] * 5, int64, int64, *normal)
    passed = array(dtype, 3), array(dtype, 2), shape[0], int64, *normal, array(dtype, 4)
    return [(train, (*tensors, *strengths, *shape, *hyper)), (predict, passed)]
