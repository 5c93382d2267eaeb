"""Proximal gradient steps of all networks, for gradient descent, momentum and Adam.

Velocity and moments accumulate the gradient of the data loss only. The step size of the proximal
map is the effective step size of the data gradient, so that a strength is the same penalty under
every optimizer, and a stationary point satisfies the optimality conditions of ``J``
(``docs/explanation/mathematics.md``).

`regviz.engine.kernel` has the compiled implementation of the same formulas.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from regviz.engine.regularization import shrink_


class Penalty(NamedTuple):
    """Strengths of L1, squared L2 and decoupled weight decay, of shape (K, P), 0 for biases."""

    l1: Tensor
    l2: Tensor
    decay: Tensor


class Hyperparameters(NamedTuple):
    """The hyperparameters of `TrainingSpec` that a step depends on."""

    optimizer: str
    learning_rate: float
    momentum: float
    beta1: float
    beta2: float
    epsilon: float


def step_(
    weights: Tensor,
    gradient: Tensor,
    moments: Sequence[Tensor],
    penalty: Penalty,
    hyper: Hyperparameters,
    t: int,
) -> Tensor:
    """Apply decoupled decay, the optimizer's step and the proximal map of L1 and L2, in place.

    Parameters
    ----------
    weights, gradient : Tensor of shape (K, P)
    moments : two Tensors of shape (K, P)
        State of the optimizer, updated in place: the velocity, or Adam's first and second moment.
    penalty : Penalty
    hyper : Hyperparameters
    t : int
        Number of this step, from 1.

    Returns
    -------
    Tensor of shape (K, P)
        Step sizes of the proximal map of further penalties, which are applied afterwards:
        ``size / (1 + size * l2)``, as L2 has been applied before.
    """
    weights.mul_(1 - hyper.learning_rate * penalty.decay)
    step = _adam_ if hyper.optimizer in ("adam", "adamw") else _gradient_descent_
    size = step(weights, gradient, moments, hyper, t)
    threshold, factor = size * penalty.l1, 1 / (1 + size * penalty.l2)
    shrink_(weights, (-threshold, threshold), factor)
    return factor * size


def _gradient_descent_(
    weights: Tensor, gradient: Tensor, moments: Sequence[Tensor], hyper: Hyperparameters, t: int
) -> float:
    """Step by gradient descent, with or without momentum; return the proximal map's step size.

    It is ``learning_rate / (1 - momentum)``, the limit of a step under a constant gradient of 1.
    """
    momentum = hyper.momentum if hyper.optimizer == "momentum" else 0.0
    velocity = moments[0]
    velocity.mul_(momentum).add_(gradient)
    weights.sub_(velocity, alpha=hyper.learning_rate)
    return hyper.learning_rate / (1 - momentum)


def _adam_(
    weights: Tensor, gradient: Tensor, moments: Sequence[Tensor], hyper: Hyperparameters, t: int
) -> Tensor:
    """Step by Adam (Kingma & Ba 2015), and return the step sizes of the proximal map.

    They are ``learning_rate / D`` with ``D = sqrt(v_hat) + epsilon`` for each weight, as in ProxGen
    (Yun et al. 2020): with an unscaled threshold, stationary points would not be those of ``J``.
    """
    first, second = moments
    first.lerp_(gradient, 1 - hyper.beta1)
    second.mul_(hyper.beta2).addcmul_(gradient, gradient, value=1 - hyper.beta2)
    D = second.sqrt().div_((1 - hyper.beta2**t) ** 0.5).add_(hyper.epsilon)
    size = hyper.learning_rate / D
    weights.sub_(first * size / (1 - hyper.beta1**t))
    return size
