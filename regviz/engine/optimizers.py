"""A step of the optimizer on the parameters of all rows; it ends with the proximal map.

The moments see the gradient of the data loss alone. A proximal map's step size is the step that the
data gradient effectively takes, so that a strength means the same penalty under every optimizer and
a stationary point satisfies the optimality conditions of ``J``.

`regviz.engine.kernel` computes the same, compiled.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from regviz.engine.regularization import shrink_


class Penalty(NamedTuple):
    """L1, squared L2 and decoupled weight decay of each parameter, 0 at biases: ``(K, P)`` each."""

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
) -> None:
    """Decoupled decay, the optimizer's own step and the proximal map, in place.

    Parameters
    ----------
    weights, gradient : Tensor of shape (K, P)
    moments : two Tensors of shape (K, P)
        The optimizer's state: the velocity, or Adam's first and second moment.
    penalty : Penalty
    hyper : Hyperparameters
    t : int
        Steps so far, this one included.
    """
    weights.mul_(1 - hyper.learning_rate * penalty.decay)
    step = _adam_ if hyper.optimizer in ("adam", "adamw") else _gradient_descent_
    size = step(weights, gradient, moments, hyper, t)
    threshold = size * penalty.l1
    shrink_(weights, (-threshold, threshold), 1 / (1 + size * penalty.l2))


def _gradient_descent_(
    weights: Tensor, gradient: Tensor, moments: Sequence[Tensor], hyper: Hyperparameters, t: int
) -> float:
    """Gradient descent, with heavy-ball momentum if the specification says so.

    In the long run, a constant gradient moves a weight by ``learning_rate / (1 - momentum)`` times
    itself per step; that is the step size of the proximal map.
    """
    momentum = hyper.momentum if hyper.optimizer == "momentum" else 0.0
    velocity = moments[0]
    velocity.mul_(momentum).add_(gradient)
    weights.sub_(velocity, alpha=hyper.learning_rate)
    return hyper.learning_rate / (1 - momentum)


def _adam_(
    weights: Tensor, gradient: Tensor, moments: Sequence[Tensor], hyper: Hyperparameters, t: int
) -> Tensor:
    """Adam (Kingma & Ba 2015), with the proximal map in its own metric (ProxGen, Yun et al. 2020).

    With ``D = sqrt(v_hat) + epsilon`` a weight's step size is ``learning_rate / D``, and so is that
    of its proximal map; an unscaled threshold would solve another problem.
    """
    first, second = moments
    first.lerp_(gradient, 1 - hyper.beta1)
    second.mul_(hyper.beta2).addcmul_(gradient, gradient, value=1 - hyper.beta2)
    D = second.sqrt().div_((1 - hyper.beta2**t) ** 0.5).add_(hyper.epsilon)
    size = hyper.learning_rate / D
    weights.sub_(first * size / (1 - hyper.beta1**t))
    return size
