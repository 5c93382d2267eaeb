"""The passes of a batch through normalized layers, as functions for Numba.

Batch normalization needs all points of the batch, so that the batch goes through one layer after
another, tile by tile. Means and variances count each point once, whatever its weight in the loss.
Arrays have the tiles as their first axis. `regviz.engine.networks` has the reference; the backward
pass is that of Ioffe & Szegedy 2015, section 3.
"""

import numpy as np
from numba import njit

from regviz.engine.layout import POINTS
from regviz.engine.networks import NORMALIZATION_EPSILON, STATISTICS_MOMENTUM
from regviz.engine.passes import (
    activate,
    backward_layer,
    forward_layer,
    output_error,
)
from regviz.engine.simd import (
    TILE,
    add_points,
    filled,
    networks,
    set_networks,
    set_tile,
    square_root,
    tile,
)
from regviz.spec.experiment import NORMALIZATIONS

_NONE, _BATCH, _LAYER = range(len(NORMALIZATIONS))


@njit
def _n_weights_and_biases(sizes):
    """Return the number of weights and biases."""
    n = 0
    for layer in range(len(sizes) - 1):
        n += sizes[layer + 1] * (sizes[layer] + 1)
    return n


@njit
def _first_statistic(at, fan_out, affine):
    """Return the row of a layer's first running mean; the variances follow the means."""
    return at + 2 * fan_out if affine else at


@njit
def _n_each(normalization, affine):
    """Return the number of a hidden unit's parameters of normalization."""
    return (2 if affine else 0) + (2 if normalization == _BATCH else 0)


@njit
def _standardize_over_units(first, fan_out, value, standard, factor):
    """Subtract the mean of the units' values and multiply by ``factor = 1 / sd``, for each point.

    The factor is written to the layer's first tile.
    """
    mean = tile(value, first)
    for unit in range(first + 1, first + fan_out):
        mean = mean + tile(value, unit)
    mean = mean * (1.0 / fan_out)
    variance = filled(mean, 0.0)
    for unit in range(first, first + fan_out):
        centred = tile(value, unit) - mean
        variance = variance + centred * centred
    scale = 1.0 / square_root(variance * (1.0 / fan_out) + NORMALIZATION_EPSILON)
    for unit in range(first, first + fan_out):
        set_tile(standard, unit, (tile(value, unit) - mean) * scale)
    set_tile(factor, first, scale)


@njit
def _standardize_over_points(W, at, first, fan_out, n, n_tiles, part, value, standard, factor):
    """Subtract each unit's mean over the batch and multiply by ``1 / sd``; update the statistics.

    ``at`` is the row of the layer's first running mean. Factors are written to the first tiles.
    """
    for j in range(fan_out):
        unit = first + j
        mean = filled(networks(W, at), 0.0)
        for p in range(n_tiles):
            mean = add_points(mean, tile(value[p], unit) * tile(part[p], 0))
        variance = filled(mean, 0.0)
        for p in range(n_tiles):
            centred = tile(value[p], unit) - mean
            variance = add_points(variance, centred * centred * tile(part[p], 0))
        scale = 1.0 / square_root(variance + NORMALIZATION_EPSILON)
        for p in range(n_tiles):
            set_tile(standard[p], unit, (tile(value[p], unit) - mean) * scale)
        set_tile(factor[0], unit, scale)
        running = networks(W, at + j)
        set_networks(W, at + j, running + (mean - running) * STATISTICS_MOMENTUM)
        running = networks(W, at + fan_out + j)
        unbiased = variance * (n / (n - 1.0))
        set_networks(W, at + fan_out + j, running + (unbiased - running) * STATISTICS_MOMENTUM)


@njit
def _activate_layer(W, at, affine, first, fan_out, activation, mask, standard, value, fed):
    """Compute a layer's values from its standardized ones, with their gain and shift."""
    for j in range(fan_out):
        z = tile(standard, first + j)
        if affine:
            z = z * networks(W, at + j) + networks(W, at + fan_out + j)
        z = activate(z, activation)
        set_tile(fed, first + j, z * tile(mask, first + j))
        set_tile(value, first + j, z)


@njit
def _before_normalization_of_units(W, G, at, affine, first, fan_out, standard, factor, error):
    """Replace a tile's errors after layer normalization by those before it."""
    mean = filled(tile(error, first), 0.0)
    along = mean
    for j in range(fan_out):
        e, s = tile(error, first + j), tile(standard, first + j)
        if affine:
            set_networks(G, at + j, add_points(networks(G, at + j), e * s))
            shift = at + fan_out + j
            set_networks(G, shift, add_points(networks(G, shift), e))
            e = e * networks(W, at + j)
            set_tile(error, first + j, e)
        mean = mean + e
        along = along + e * s
    mean, along = mean * (1.0 / fan_out), along * (1.0 / fan_out)
    for unit in range(first, first + fan_out):
        e = tile(error, unit) - mean - tile(standard, unit) * along
        set_tile(error, unit, e * tile(factor, first))


@njit
def _before_normalization_of_points(
    W, G, at, affine, first, fan_out, n_tiles, part, standard, factor, error
):
    """Replace errors after batch normalization by those before it."""
    for j in range(fan_out):
        unit = first + j
        total = filled(networks(W, 0), 0.0)
        along = total
        for p in range(n_tiles):
            e = tile(error[p], unit)
            total = add_points(total, e)
            along = add_points(along, e * tile(standard[p], unit))
        scale = tile(factor[0], unit)
        if affine:
            set_networks(G, at + j, along)
            set_networks(G, at + fan_out + j, total)
            scale = scale * networks(W, at + j)
        for p in range(n_tiles):
            e, one = tile(error[p], unit), tile(part[p], 0)
            e = e - one * total - one * tile(standard[p], unit) * along
            set_tile(error[p], unit, e * scale)


@njit
def batch_arrays(n_tiles, n_units, n_outputs, dtype):
    """Allocate the arrays of `gradient_of_batch`, for batches of up to ``n_tiles`` tiles.

    They are dropout masks, inputs of the next layers, targets, each point's share of the mean loss
    and its part of the batch, values, errors, standardized values and their factors.
    """
    of_units = np.zeros((n_tiles, n_units, TILE), dtype)
    target = np.zeros((n_tiles, n_outputs, TILE), dtype)
    share = np.zeros((n_tiles, 1, TILE), dtype)
    mask, fed, value, error = of_units, of_units.copy(), of_units.copy(), of_units.copy()
    of_points = mask, fed, target, share, share.copy()
    return (*of_points, value, error, of_units.copy(), of_units.copy())


@njit
def keep_tile(batch, p, mask, fed, target, share, part):
    """Copy the arrays of a tile's points to those of a batch's tile ``p``."""
    masks, inputs, targets, shares, parts, _, _, _, _ = batch
    masks[p], inputs[p], targets[p], shares[p], parts[p] = mask, fed, target, share, part


@njit
def gradient_of_batch(
    W,
    G,
    sizes,
    activation,
    task,
    normalization,
    affine,
    n,
    batch,
):
    """Add the gradient of a batch of ``n`` points to ``G``, and update running statistics in ``W``.

    ``batch`` are the arrays of `batch_arrays`, with the tiles of the batch from `keep_tile`. A bias
    that batch normalization cancels gets a gradient of exactly 0.
    """
    mask, fed, target, share, part, value, error, standard, factor = batch
    n_tiles, n_each, last = -(-n // POINTS), _n_each(normalization, affine), len(sizes) - 2
    row, below, at = 0, 0, _n_weights_and_biases(sizes)
    for layer in range(last + 1):
        fan_out, above = sizes[layer + 1], below + sizes[layer]
        for p in range(n_tiles):
            forward_layer(W, sizes, layer, row, below, activation, False, mask[p], value[p], fed[p])
        if layer < last:
            if normalization == _BATCH:
                first = _first_statistic(at, fan_out, affine)
                _standardize_over_points(
                    W, first, above, fan_out, n, n_tiles, part, value, standard, factor
                )
            for p in range(n_tiles):
                if normalization == _LAYER:
                    _standardize_over_units(above, fan_out, value[p], standard[p], factor[p])
                _activate_layer(
                    *(W, at, affine, above, fan_out, activation),
                    *(mask[p], standard[p], value[p], fed[p]),
                )
            at += n_each * fan_out
        row, below = row + fan_out * (sizes[layer] + 1), above
    for p in range(n_tiles):
        output_error(task, value[p], target[p], share[p], error[p], below, sizes[-1])
    above = below
    for layer in range(last, -1, -1):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        row -= fan_out * (fan_in + 1)
        if layer < last:
            at -= n_each * fan_out
            if normalization == _BATCH:
                _before_normalization_of_points(
                    W, G, at, affine, above, fan_out, n_tiles, part, standard, factor, error
                )
            else:
                for p in range(n_tiles):
                    _before_normalization_of_units(
                        W, G, at, affine, above, fan_out, standard[p], factor[p], error[p]
                    )
        for p in range(n_tiles):
            m, v, f, e = mask[p], value[p], fed[p], error[p]
            backward_layer(W, G, sizes, layer, row, above, activation, m, v, f, e)
        if layer < last and normalization == _BATCH:
            for j in range(fan_out):
                bias = row + j * (fan_in + 1) + fan_in
                set_networks(G, bias, filled(networks(G, bias), 0.0))
        above -= fan_in


@njit
def evaluate(W, sizes, activation, normalization, affine, mask, value, fed, standard, factor):
    """Compute the values of all units of a tile, with running statistics of batch normalization."""
    row, below, at = 0, 0, _n_weights_and_biases(sizes)
    for layer in range(len(sizes) - 1):
        fan_out, above = sizes[layer + 1], below + sizes[layer]
        forward_layer(W, sizes, layer, row, below, activation, False, mask, value, fed)
        if layer < len(sizes) - 2:
            if normalization == _LAYER:
                _standardize_over_units(above, fan_out, value, standard, factor)
            else:
                first = _first_statistic(at, fan_out, affine)
                for j in range(fan_out):
                    variance = networks(W, first + fan_out + j) + NORMALIZATION_EPSILON
                    centred = tile(value, above + j) - networks(W, first + j)
                    set_tile(standard, above + j, centred * (1.0 / square_root(variance)))
            _activate_layer(W, at, affine, above, fan_out, activation, mask, standard, value, fed)
            at += _n_each(normalization, affine) * fan_out
        row, below = row + fan_out * (sizes[layer] + 1), above
