"""The strengths that are offered: eight a method, from next to no effect to collapse.

Chosen for the data, the network and the training by rules that `benchmarks.strengths` measured:
ten datasets, five networks, tanh and ReLU, four optimizers, 300 epochs on 60 points.

- **Penalties.** A network collapses to a constant where the penalty of any fit outweighs what the
  fit gains. For networks with hidden layers that strength depends on the data, tenfold between
  checkerboard and blobs, and little on width, depth, activation and optimizer (mostly less than
  twice): it is the strongest on offer. L2's is about 2.5 times L1's, elastic net's 1.5 times; a
  linear model's is set by its gradient at 0. A weak penalty needs time: L1 moves a weight by
  ``l1 * T`` in a run, where ``T`` is the sum of its step sizes, and the first zeros came at
  0.1 / T to 0.3 / T, L2's first effect at about 0.5 / T. That is the weakest on offer. It stays
  150 to 1000 times below the strongest.
- **AdamW's weight decay** balances steps of about one learning rate, so weights end below
  1 / l2 whatever the data: collapse at about 5. ``learning_rate * l2`` stays below 1, where a step
  would overshoot 0.
- **Dropout** all but collapsed at a rate of 0.8. Where gradients are unbounded (regression) or
  activations are, its noise can make steps too long: with W units a layer and L hidden layers,
  divergence began at ``learning_rate * W / (1 - p)**L`` of 6 to 30 for regression and mostly beyond
  60 for classes; L counts as 1 for bounded activations, and momentum as a learning rate
  ``1 / sqrt(1 - momentum)`` times as large. Rates keep it below 5 and 20. Where that leaves less
  than 0.1, rates end at 0.01: there ReLUs live on the edge, and a run's fate is chance.
- **Max-norm's** radii depend on none of this: a bound above 3 hardly ever acted, and at 0.2 little
  was left of the picture.

L1, L2 and max-norm cost no stability, as their maps only shrink. Where the unregularized network
learns, no offered strength diverged in regression or with tanh. With ReLUs on classes a few did at
effective step sizes of 1 and more, where a tiny change decides (`divergence` names them).
"""

import math
from dataclasses import dataclass

from regviz.data.datasets import n_train_of
from regviz.spec.experiment import Data, NetworkSpec, TrainingSpec
from regviz.spec.toy import DATASETS

N_STRENGTHS = 8
DEFAULT_STRENGTH_INDEX = 4  # where each method does well on the showcase

# L1 strength at which networks with hidden layers become constant on a visitor's own points: it is
# unknown, and in the middle of those of the toy datasets
_COLLAPSE_ON_OWN_POINTS = 0.06
_DECAY_COLLAPSE = 5.0
_ADAM_STEP = 10.0  # Adam's step sizes in learning rates: 1 / sqrt(v)

_RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8)
_RADII = (3.0, 2.0, 1.5, 1.2, 1.0, 0.7, 0.4, 0.2)
_BOUNDED = ("tanh", "sigmoid")


@dataclass(frozen=True)
class PenaltyRule:
    """The strengths of a penalty, as a function of data, network and training.

    Parameters
    ----------
    collapse : float
        Strength at which networks with hidden layers become constant, in units of L1's.
    linear_collapse : float
        The strength at which a linear model does.
    first_effect : float
        The weakest strength that shows, in units of 1 / T, the sum of the step sizes.
    l2_share : float
        Share of squared L2 in the penalty, 0 to 1: AdamW's weight decay takes its place.
    """

    collapse: float
    linear_collapse: float
    first_effect: float
    l2_share: float

    def __call__(
        self, data: Data, network: NetworkSpec, training: TrainingSpec
    ) -> tuple[float, ...]:
        """`N_STRENGTHS` strengths, from weak to strong."""
        adaptive = training.optimizer in ("adam", "adamw")
        decoupled = training.optimizer == "adamw"
        n_train = n_train_of(data)
        steps = training.epochs * math.ceil(n_train / (training.batch_size or n_train))
        momentum = training.momentum if training.optimizer == "momentum" else 0.0
        time = steps * training.learning_rate / (1 - momentum)
        if decoupled and self.l2_share == 1:
            strongest = _DECAY_COLLAPSE if network.hidden else 6 * _DECAY_COLLAPSE
            first_effect = 1 / time
        else:
            time *= _ADAM_STEP if adaptive else 1
            toy = DATASETS.get(data.name)
            collapse = self.collapse * (toy.collapse if toy else _COLLAPSE_ON_OWN_POINTS)
            strongest = max(collapse if network.hidden else self.linear_collapse, 1 / time)
            first_effect = self.first_effect / time
        if decoupled and self.l2_share:
            # 1 once rounded up
            strongest = min(strongest, 0.7 / (self.l2_share * training.learning_rate))
        strongest = min(strongest, 1000.0)
        span = min(max(strongest / first_effect, 150.0), 1000.0 if network.hidden else 200.0)
        return tuple(
            _round(strongest * span ** (i / (N_STRENGTHS - 1) - 1)) for i in range(N_STRENGTHS)
        )


def dropout_rates(data: Data, network: NetworkSpec, training: TrainingSpec) -> tuple[float, ...]:
    """`N_STRENGTHS` dropout rates, from weak to strong."""
    top = highest_dropout_rate(data, network, training)
    return tuple(float(f"{top / _RATES[-1] * rate:.2g}") for rate in _RATES)


def max_norm_radii(data: Data, network: NetworkSpec, training: TrainingSpec) -> tuple[float, ...]:
    """`N_STRENGTHS` radii of max-norm, from weak to strong, so descending; always the same."""
    return _RADII


def highest_dropout_rate(data: Data, network: NetworkSpec, training: TrainingSpec) -> float:
    """The highest dropout rate that training can take, or 0.8."""
    bounded = network.activation in _BOUNDED
    regression = data.task == "regression"
    if not network.hidden or (bounded and not regression):
        return _RATES[-1]
    momentum = training.momentum if training.optimizer == "momentum" else 0.0
    length = training.learning_rate / math.sqrt(1 - momentum) * max(network.hidden)
    depth = 1 if bounded else len(network.hidden)
    keep = math.pow(length / (5 if regression else 20), 1 / depth)
    return min(max(math.floor(10 * (1 - keep)) / 10, 0.01), _RATES[-1])


def _round(value: float) -> float:
    """The nearest of 1, 2, 3, 5 times a power of ten, by ratio."""
    decade = math.floor(math.log10(value))
    series = [float(f"{digit}e{decade + d}") for d in (0, 1) for digit in (1, 2, 3, 5)]
    return min(series, key=lambda candidate: abs(math.log(candidate / value)))
