"""What regularization does to weights: penalties, proximal maps, the max-norm projection, dropout.

All functions work on tensors of any shape, elementwise but for `project_`. `METHODS` is the
catalogue of what is compared.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from regviz.experiment import Regularization
from regviz.validation import refuse


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


@dataclass(frozen=True)
class Method:
    """A regularizer of the catalogue.

    Attributes
    ----------
    key : str
        ``"none"``, ``"l1"``, ``"l2"``, ``"elastic_net"``, ``"dropout"`` or ``"max_norm"``.
    label, symbol : str
        Its name, and the symbol of its strength.
    about : str
        What it does, in a sentence or two.

    See Also
    --------
    regviz.strengths : Which strengths are worth a look.
    """

    key: str
    label: str
    symbol: str
    about: str

    def at(self, strength: float) -> Regularization:
        """The regularization of this method at a strength.

        Elastic net is taken with an ``l1_ratio`` of 0.5, and max-norm together with dropout at a
        rate of 0.1, as where it was introduced (Srivastava et al. 2014).

        Raises
        ------
        ValueError
            If there is no method of this key, or the strength is out of range.
        """
        match self.key:
            case "l1":
                return Regularization(l1=strength)
            case "l2":
                return Regularization(l2=strength)
            case "elastic_net":
                return Regularization.elastic_net(strength, l1_ratio=0.5)
            case "dropout":
                return Regularization(drop_rate=strength)
            case "max_norm":
                return Regularization(max_norm=strength, drop_rate=0.1)
            case "none":
                return Regularization()
            case _:
                raise self._unknown()

    def strength(self, regularization: Regularization) -> float:
        """How strong a regularization of this method is: `at` the other way round.

        Where it does not act that is 0, and for max-norm an infinite radius.
        """
        r = regularization
        match self.key:
            case "l1":
                return r.l1
            case "l2":
                return r.l2
            case "elastic_net":
                return r.l1 + r.l2
            case "dropout":
                return r.drop_rate
            case "max_norm":
                return math.inf if r.max_norm is None else r.max_norm
            case "none":
                return 0.0
            case _:
                raise self._unknown()

    def _unknown(self) -> ValueError:
        return refuse("key", "one of " + ", ".join(map(repr, METHODS)), self.key)


METHODS: dict[str, Method] = {
    method.key: method
    for method in (
        Method(
            "none",
            "None",
            "",
            "No regularization: the baseline that the others are compared with.",
        ),
        Method(
            "l1",
            "L1",
            "λ₁",
            "Adds λ₁·Σ|w| to the loss. Its pull is the same for every weight, so it takes small"
            " weights all the way to exactly 0.",
        ),
        Method(
            "l2",
            "L2",
            "λ₂",
            "Adds (λ₂/2)·Σw² to the loss. Its pull is proportional to the weight, so it makes all"
            " weights smaller, and none exactly 0.",
        ),
        Method(
            "elastic_net",
            "Elastic net",
            "λ",
            "Half L1, half L2: adds (λ/2)·Σ|w| + (λ/4)·Σw² to the loss, for exact zeros and small"
            " weights at once.",
        ),
        Method(
            "dropout",
            "Dropout",
            "p",
            "In every training step each hidden activation h becomes h·m / (1 − p), where m is 0"
            " with probability p and else 1, so that the network cannot rely on any one unit. Off"
            " when the boundary is drawn.",
        ),
        Method(
            "max_norm",
            "Max-norm",
            "c",
            "After every step, each hidden unit's incoming weights w become w·min(1, c / ‖w‖₂), so"
            " that their length is at most c. Used together with a little dropout (p = 0.1).",
        ),
    )
}
