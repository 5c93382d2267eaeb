"""Optimizers over the flat parameters of all rows; a step ends with the proximal map.

The moments see the gradient of the data loss alone. A proximal map's step size is the step that the
data gradient effectively takes, so that a strength means the same penalty under every optimizer and
a stationary point satisfies the optimality conditions of ``J``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from regviz.experiment import TrainingSpec
from regviz.regularization import shrink_


@dataclass(frozen=True)
class Strengths:
    """L1, squared L2 and decoupled weight decay of each parameter; None where all are 0."""

    l1: Tensor | None
    l2: Tensor | None
    decay: Tensor | None


class Optimizer(ABC):
    """Updates ``weights`` from ``gradient``, both flat, after `penalize` has set the strengths."""

    def __init__(self, weights: Tensor, gradient: Tensor, spec: TrainingSpec) -> None:
        self.weights, self.gradient, self.spec = weights, gradient, spec
        self.scratch = torch.empty_like(weights)
        self.keep: Tensor | None = None

    def penalize(self, strengths: Strengths) -> None:
        """Set the strengths, from the next epoch on."""
        decay = strengths.decay
        self.keep = None
        if decay is not None:
            self.keep = 1 - self.spec.learning_rate * decay

    def step(self) -> None:
        """Decoupled decay, then the optimizer's own step."""
        if self.keep is not None:
            self.weights.mul_(self.keep)
        self._step()

    @abstractmethod
    def _step(self) -> None: ...

    @abstractmethod
    def state(self) -> list[Tensor]:
        """What is carried from step to step, besides the weights."""


class GradientDescent(Optimizer):
    """Gradient descent, with heavy-ball momentum if the specification says so.

    In the long run, a constant gradient moves a weight by ``learning_rate / (1 - momentum)`` times
    itself per step; that is the step size of the proximal map.
    """

    def __init__(self, weights: Tensor, gradient: Tensor, spec: TrainingSpec) -> None:
        super().__init__(weights, gradient, spec)
        self.momentum = spec.momentum if spec.optimizer == "momentum" else 0.0
        self.velocity = torch.zeros_like(weights) if self.momentum else gradient
        self.thresholds: tuple[Tensor, Tensor] | None = None
        self.factor: Tensor | None = None

    def penalize(self, strengths: Strengths) -> None:  # noqa: D102 (inherited)
        super().penalize(strengths)
        step_size = self.spec.learning_rate / (1 - self.momentum)
        l1, l2 = strengths.l1, strengths.l2
        self.thresholds = None if l1 is None else (-step_size * l1, step_size * l1)
        self.factor = None
        if l2 is not None:
            self.factor = 1 / (1 + step_size * l2)

    def _step(self) -> None:
        if self.momentum:
            self.velocity.mul_(self.momentum).add_(self.gradient)
        self.weights.sub_(self.velocity, alpha=self.spec.learning_rate)
        shrink_(self.weights, self.thresholds, self.factor, self.scratch)

    def state(self) -> list[Tensor]:  # noqa: D102 (inherited)
        return [self.velocity]


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with the proximal map in its own metric (ProxGen, Yun et al. 2020).

    With ``D = sqrt(v_hat) + epsilon`` a weight's step size is ``learning_rate / D``, and so is that
    of its proximal map; an unscaled threshold would solve another problem.
    """

    def __init__(self, weights: Tensor, gradient: Tensor, spec: TrainingSpec) -> None:
        super().__init__(weights, gradient, spec)
        self.first, self.second = torch.zeros_like(weights), torch.zeros_like(weights)
        self.step_size = torch.empty_like(weights)
        # on the device and in float64: a replayed graph counts on, and 1 - beta2 keeps its digits
        self.steps = torch.zeros((), dtype=torch.float64, device=weights.device)
        self.strengths = Strengths(None, None, None)

    def penalize(self, strengths: Strengths) -> None:  # noqa: D102 (inherited)
        super().penalize(strengths)
        self.strengths = strengths

    def _step(self) -> None:
        spec, step_size = self.spec, self.step_size
        self.steps.add_(1)
        self.first.lerp_(self.gradient, 1 - spec.beta1)
        self.second.mul_(spec.beta2).addcmul_(self.gradient, self.gradient, value=1 - spec.beta2)
        torch.sqrt(self.second, out=step_size)
        step_size.div_((1 - spec.beta2**self.steps).sqrt_()).add_(spec.epsilon)
        step_size.reciprocal_().mul_(spec.learning_rate)
        torch.mul(self.first, step_size, out=self.scratch)
        self.weights.sub_(self.scratch.div_(1 - spec.beta1**self.steps))
        l1, l2 = self.strengths.l1, self.strengths.l2
        thresholds = None if l1 is None else (-l1 * step_size, l1 * step_size)
        factor = None if l2 is None else 1 / (1 + l2 * step_size)
        shrink_(self.weights, thresholds, factor, self.scratch)

    def state(self) -> list[Tensor]:  # noqa: D102 (inherited)
        return [self.first, self.second, self.steps]


def make_optimizer(weights: Tensor, gradient: Tensor, spec: TrainingSpec) -> Optimizer:
    """The optimizer that ``spec`` names."""
    kind = Adam if spec.optimizer in ("adam", "adamw") else GradientDescent
    return kind(weights, gradient, spec)
