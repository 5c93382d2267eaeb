"""Penalties, proximal maps, max-norm projection and dropout masks, as functions of tensors.

Tensors have any shape. `penalty`, `group_penalty`, `shrink_groups_` and `project_` act on vectors
along the last axis, the other functions elementwise. ``docs/explanation/mathematics.md`` states the
formulas and their tests.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def penalty(weights: Tensor, l1: float | Tensor, l2: float | Tensor) -> Tensor:
    """Return ``l1 * |w|_1 + (l2 / 2) * |w|^2``, with norms over the last axis."""
    half = 0.5 * l2 * weights.square().sum(-1)
    # 0 * inf, for l2 = 0 and a sum of squares that overflows, is NaN: here it is 0
    return l1 * weights.abs().sum(-1) + torch.nan_to_num(half, nan=0.0, posinf=math.inf)


def group_penalty(
    incoming: Sequence[NDArray[np.floating]], strength: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the penalty of the group lasso, ``strength * sum(sqrt(p) * |v|)``, of shape (K,).

    Parameters
    ----------
    incoming : sequence of ndarray of shape (K, units, p)
        The p incoming weights ``v`` of each unit of each hidden layer.
    strength : ndarray of shape (K,)

    References
    ----------
    Yuan & Lin 2006, equation 2.1, with their suggested scale ``sqrt(p)`` of a group's norm.
    """
    total = np.zeros(len(strength))
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that have diverged
        for weights in incoming:
            # by NumPy, as the last bit of torch's sum depends on the number of networks
            squares = np.square(weights, dtype=np.float64, order="C")
            total += math.sqrt(weights.shape[-1]) * np.sqrt(squares.sum(axis=-1)).sum(axis=-1)
        # without a penalty, an infinite norm is 0 * inf = NaN
        return np.where(strength > 0, strength * total, 0.0)


def shrink_(
    weights: Tensor,
    thresholds: tuple[Tensor, Tensor],
    factor: Tensor | float,
) -> None:
    """Apply the proximal map of the elastic net, ``S(w, threshold) * factor``, in place.

    ``S(w, threshold) = sign(w) * max(|w| - threshold, 0)`` is the soft threshold. It is computed as
    ``w - clamp(w, -threshold, threshold)``, which is exactly 0 for ``|w| <= threshold``.

    Parameters
    ----------
    weights : Tensor
    thresholds : tuple of Tensor
        ``(-threshold, threshold)``, where ``threshold = t * l1`` for a step size t.
    factor : Tensor or float
        ``1 / (1 + t * l2)``.

    References
    ----------
    Parikh & Boyd 2014, Proximal algorithms, chapter 6.
    """
    weights.sub_(torch.clamp(weights, *thresholds)).mul_(factor)


# steps of `shrink_groups_`: 4 leave an error above 1e-12 where thresholds differ by 10^4, 6 by 10^8
N_NEWTON = 8


def shrink_groups_(weights: Tensor, thresholds: Tensor) -> None:
    """Apply the proximal map of the group lasso to vectors, in place.

    It is the ``v`` that minimises ``sum((v - w)^2 / (2 * t)) + |v|`` for thresholds ``t``. If all
    thresholds of a vector are equal, ``v = w * max(0, 1 - t / |w|)``. Else ``v = w * r / (r + t)``,
    where ``r = |v|`` is the root of ``h(r) = sum(w^2 / (r + t)^2) = 1``, and 0 if ``h(0) <= 1``.

    Newton's method finds the root of ``1 / sqrt(h(r)) - 1``, which is concave and nearly linear, so
    that it increases towards it from ``|w| - max(t)``.

    Parameters
    ----------
    weights : Tensor of shape (…, N)
        Vectors along the last axis.
    thresholds : Tensor of shape (…, N)
        Step size times strength for each weight. Vectors with thresholds of 0 stay as they are.

    References
    ----------
    Yuan & Lin 2006 (group lasso); Moré & Sorensen 1983 (the equation and its solution).
    """
    t = torch.where(thresholds == 0, 1, thresholds)
    vanishes = (weights / t).square().sum(-1, keepdim=True) <= 1
    norm = torch.linalg.vector_norm(weights, dim=-1, keepdim=True)
    r = (norm - t.amax(-1, keepdim=True)).clamp_(min=0)
    for _ in range(N_NEWTON):
        share = (weights / (r + t)).square()
        h = share.sum(-1, keepdim=True)
        r = r + h * (h.sqrt() - 1) / (share / (r + t)).sum(-1, keepdim=True)
    shrunk = torch.where(vanishes, 0, weights * (r / (r + t)))
    weights.copy_(torch.where(thresholds == 0, weights, shrunk))


def project_(weights: Tensor, radius: Tensor) -> None:
    """Project vectors onto the ball of a radius, ``w * min(1, radius / |w|)``, in place.

    Parameters
    ----------
    weights : Tensor of shape (…, N)
        Vectors along the last axis. Those inside the ball are multiplied by exactly 1.
    radius : Tensor
        Broadcasts to shape (…, 1); may be infinite.
    """
    norm = torch.linalg.vector_norm(weights, dim=-1, keepdim=True)
    # a norm that overflows becomes NaN: radius / inf = 0 would hide that the network has diverged
    factor = (radius / norm.nan_to_num_(posinf=math.nan, nan=math.nan)).clamp_(max=1)
    weights.mul_(factor.masked_fill(radius.isinf(), 1))


def dropout_mask(uniform: Tensor, drop_rate: Tensor) -> Tensor:
    """Return a mask of inverted dropout: 0 with probability ``drop_rate``, else 1/(1 - drop_rate).

    Parameters
    ----------
    uniform : Tensor
        Draws from the uniform distribution on [0, 1).
    drop_rate : Tensor
        Broadcasts with ``uniform`` to the shape of the mask.
    """
    keep = 1 - drop_rate
    return (uniform < keep) / keep
