"""Penalties, proximal maps, max-norm projection and dropout masks, as functions of tensors.

All functions work on tensors of any shape, elementwise but for `project_`.
"""

import math

import torch
from torch import Tensor


def penalty(weights: Tensor, l1: float | Tensor, l2: float | Tensor) -> Tensor:
    """``l1 * |w|_1 + (l2 / 2) * |w|^2`` over the last axis."""
    half = 0.5 * l2 * weights.square().sum(-1)
    # without L2 its share is 0, also of a sum of squares that has overflown
    return l1 * weights.abs().sum(-1) + torch.nan_to_num(half, nan=0.0, posinf=math.inf)


def shrink_(
    weights: Tensor,
    thresholds: tuple[Tensor, Tensor],
    factor: Tensor | float,
) -> None:
    """Proximal map of the elastic net, in place: ``S(w, threshold) * factor``.

    With step size t, ``threshold = t * l1`` and ``factor = 1 / (1 + t * l2)``. ``S`` is the soft
    threshold ``sign(w) * max(|w| - threshold, 0)``, written as ``w`` minus ``w`` clamped to
    ``thresholds = (-threshold, threshold)``, which is exactly 0 within.
    """
    weights.sub_(torch.clamp(weights, *thresholds)).mul_(factor)


def project_(weights: Tensor, radius: Tensor) -> None:
    """Max-norm, in place: ``w * min(1, radius / |w|)`` for each vector of the last axis.

    ``radius``, which may be infinite, broadcasts to the shape of ``weights`` with a last axis of 1.
    A vector inside is multiplied by exactly 1.
    """
    norm = torch.linalg.vector_norm(weights, dim=-1, keepdim=True)
    # where the norm is beyond all numbers the network has diverged: no 0 shall hide it
    factor = (radius / norm.nan_to_num_(posinf=math.nan, nan=math.nan)).clamp_(max=1)
    weights.mul_(factor.masked_fill(radius.isinf(), 1))


def dropout_mask(uniform: Tensor, drop_rate: Tensor) -> Tensor:
    """Inverted dropout's mask: 0 with probability ``drop_rate``, else ``1 / (1 - drop_rate)``.

    ``uniform`` holds draws from [0, 1); it and ``drop_rate`` broadcast to the mask's shape.
    """
    keep = 1 - drop_rate
    return (uniform < keep) / keep
