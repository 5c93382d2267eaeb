"""The forward and the backward pass of a tile of points, as functions for Numba.

`regviz.engine.kernel` describes the arrays.
"""

from numba import njit

from regviz.engine.networks import LEAKY_SLOPE
from regviz.engine.simd import (
    add_points,
    exp,
    networks,
    set_networks,
    set_tile,
    tanh,
    tile,
    where,
)
from regviz.spec.experiment import ACTIVATIONS
from regviz.spec.validation import TASKS

_TANH, _RELU, _LEAKY_RELU, _SIGMOID, _LINEAR = range(len(ACTIVATIONS))
_BINARY, _MULTICLASS, _REGRESSION = (TASKS.index(t) for t in ("binary", "multiclass", "regression"))


@njit
def activate(z, activation):
    """Return the activation function of ``z``; NaN for NaN."""
    if activation == _TANH:
        return tanh(z)
    if activation == _RELU:
        return where(z <= 0.0, 0.0, z)
    if activation == _LEAKY_RELU:
        return where(z <= 0.0, z * LEAKY_SLOPE, z)
    if activation == _SIGMOID:
        return tanh(z * 0.5) * 0.5 + 0.5
    return z


@njit
def differentiate(error, h, activation):
    """Return an error times the activation's derivative, as a function of its value ``h``."""
    if activation == _TANH:
        return error * (1.0 - h * h)
    if activation == _RELU:
        return where(h <= 0.0, 0.0, error)
    if activation == _LEAKY_RELU:
        return where(h <= 0.0, error * LEAKY_SLOPE, error)
    if activation == _SIGMOID:
        return error * (h * (1.0 - h))
    return error


@njit
def forward(W, sizes, activation, mask, value, fed):
    """Compute the values of all units, and the inputs of the next layers, from ``fed[:n_inputs]``.

    ``value`` is the activation before dropout, ``fed`` after dropout.
    """
    row, below = 0, 0
    for layer in range(len(sizes) - 1):
        hidden = layer < len(sizes) - 2
        forward_layer(W, sizes, layer, row, below, activation, hidden, mask, value, fed)
        row += sizes[layer + 1] * (sizes[layer] + 1)
        below += sizes[layer]


@njit(inline="always")
def forward_layer(W, sizes, layer, row, below, activation, activated, mask, value, fed):
    """Compute the values of a layer's units; before the activation, unless it is ``activated``.

    ``row`` is the layer's first row of parameters, and ``below`` the first unit of its inputs.
    """
    fan_in, fan_out = sizes[layer], sizes[layer + 1]
    above = below + fan_in
    for unit in range(above, above + fan_out):
        z = networks(W, row) * tile(fed, below) + networks(W, row + fan_in)
        for i in range(1, fan_in):
            z = z + networks(W, row + i) * tile(fed, below + i)
        row += fan_in + 1
        if activated:
            z = activate(z, activation)
            set_tile(fed, unit, z * tile(mask, unit))
        set_tile(value, unit, z)


@njit
def output_error(task, value, target, share, error, first, n_outputs):
    """Compute the errors ``(prediction - y) * share`` of the output units, from index ``first`` on.

    ``share`` is a point's weight divided by the number of points of the batch.
    """
    if task == _MULTICLASS:
        largest = tile(value, first)
        for c in range(1, n_outputs):
            z = tile(value, first + c)
            largest = where(z > largest, z, largest)
        total = largest * 0.0
        for c in range(n_outputs):
            e = exp(tile(value, first + c) - largest)
            set_tile(error, first + c, e)
            total = total + e
        for c in range(n_outputs):
            p = tile(error, first + c) / total
            set_tile(error, first + c, (p - tile(target, c)) * tile(share, 0))
    else:
        z = tile(value, first)
        if task == _BINARY:
            z = tanh(z * 0.5) * 0.5 + (0.5 - tile(target, 0))
        else:
            z = z - tile(target, 0)
        set_tile(error, first, z * tile(share, 0))


@njit
def backward(W, G, sizes, activation, mask, value, fed, error):
    """Add a tile's gradient to ``G``, by backpropagation of the output units' errors.

    ``W`` are weights and biases alone, without parameters of normalization.
    """
    row, above = len(W), len(error)
    for layer in range(len(sizes) - 2, -1, -1):
        row, above = row - sizes[layer + 1] * (sizes[layer] + 1), above - sizes[layer + 1]
        backward_layer(W, G, sizes, layer, row, above, activation, mask, value, fed, error)


@njit(inline="always")
def backward_layer(W, G, sizes, layer, row, above, activation, mask, value, fed, error):
    """Add a layer's gradient to ``G``, and compute the errors before the activation below it.

    ``row`` is the layer's first row of parameters, and ``above`` its first unit.
    """
    fan_in, fan_out = sizes[layer], sizes[layer + 1]
    below = above - fan_in
    for j in range(fan_out):
        e, r = tile(error, above + j), row + j * (fan_in + 1)
        for i in range(fan_in):
            product = e * tile(fed, below + i)
            set_networks(G, r + i, add_points(networks(G, r + i), product))
        set_networks(G, r + fan_in, add_points(networks(G, r + fan_in), e))
    if layer > 0:
        for i in range(fan_in):
            e = networks(W, row + i) * tile(error, above)
            for j in range(1, fan_out):
                e = e + networks(W, row + j * (fan_in + 1) + i) * tile(error, above + j)
            e = e * tile(mask, below + i)
            set_tile(error, below + i, differentiate(e, tile(value, below + i), activation))
