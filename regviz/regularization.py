"""What regularization does to weights: penalties, proximal maps, the max-norm projection, dropout.

All functions work on tensors of any shape, elementwise but for `project_`. `METHODS` is the
catalogue of what is compared, with the strengths that the page starts from.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from regviz.experiment import Regularization


def penalty(weights: Tensor, l1: float | Tensor, l2: float | Tensor) -> Tensor:
    """``l1 * |w|_1 + (l2 / 2) * |w|^2`` over the last axis."""
    return l1 * weights.abs().sum(-1) + 0.5 * l2 * weights.square().sum(-1)


def shrink_(
    weights: Tensor, threshold: Tensor | None, factor: Tensor | None, scratch: Tensor
) -> None:
    """Proximal map of the elastic net, in place: ``S(w, threshold) * factor``.

    With step size t, ``threshold = t * l1`` and ``factor = 1 / (1 + t * l2)``. ``S`` is the soft
    threshold ``sign(w) * max(|w| - threshold, 0)``, written as ``w`` minus ``w`` clamped to the
    threshold, which is exactly 0 within it. ``None`` leaves that half out.
    """
    if threshold is not None:
        torch.clamp(weights, -threshold, threshold, out=scratch)
        weights.sub_(scratch)
    if factor is not None:
        weights.mul_(factor)


def project_(weights: Tensor, radius: Tensor, scratch: Tensor) -> None:
    """Max-norm, in place: ``w * min(1, radius / |w|)`` for each vector of the last axis.

    ``radius`` and ``scratch`` have the shape of ``weights`` with a last axis of 1, or broadcast to
    it. A vector inside is multiplied by exactly 1.
    """
    torch.linalg.vector_norm(weights, dim=-1, keepdim=True, out=scratch)
    torch.div(radius, scratch, out=scratch)
    weights.mul_(scratch.clamp_(max=1))


def dropout_mask(uniform: Tensor, drop_rate: Tensor) -> Tensor:
    """Inverted dropout's mask: 0 with probability ``drop_rate``, else ``1 / (1 - drop_rate)``."""
    keep = 1 - drop_rate
    return (uniform < keep) / keep


@dataclass(frozen=True)
class Method:
    """A regularizer of the catalogue.

    Parameters
    ----------
    key : str
        ``"none"``, ``"l1"``, ``"l2"``, ``"elastic_net"``, ``"dropout"`` or ``"max_norm"``.
    label : str
        Its name on screen.
    symbol : str
        The symbol of its strength; empty for none.
    default : float
        The strength that the page starts from.
    low, high : float
        The strengths that the page offers.
    """

    key: str
    label: str
    symbol: str
    default: float
    low: float
    high: float

    def at(self, strength: float, *, onset: int = 0) -> Regularization:
        """The regularization of this method at a strength.

        Elastic net is taken with an ``l1_ratio`` of 0.5, and max-norm together with dropout at a
        rate of 0.1, the way it was introduced (Srivastava et al. 2014).
        """
        return replace(
            {
                "none": lambda _: Regularization(),
                "l1": lambda s: Regularization(l1=s),
                "l2": lambda s: Regularization(l2=s),
                "elastic_net": lambda s: Regularization.elastic_net(s, l1_ratio=0.5),
                "dropout": lambda s: Regularization(drop_rate=s),
                "max_norm": lambda s: Regularization(max_norm=s, drop_rate=0.1),
            }[self.key](strength),
            onset=onset,
        )


METHODS: dict[str, Method] = {
    method.key: method
    for method in (
        Method("none", "None", "", 0, 0, 0),
        Method("l1", "L1", "λ₁", 0.0025, 1e-5, 0.1),
        Method("l2", "L2", "λ₂", 0.012, 1e-5, 1.0),
        Method("elastic_net", "Elastic net", "λ", 0.006, 1e-5, 0.3),
        Method("dropout", "Dropout", "p", 0.2, 0.0, 0.8),
        Method("max_norm", "Max-norm", "c", 1.6, 0.25, 8.0),
    )
}
