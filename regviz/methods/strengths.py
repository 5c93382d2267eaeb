"""The offered strengths: eight for each method, from hardly any effect to collapse.

The strengths depend on data, network and training by rules that `benchmarks.strengths` measured on
ten datasets, five networks, tanh and ReLU, four optimizers, and 300 epochs on 60 points.

- **Penalties, strongest.** A network collapses to a constant if every fit costs more penalty than
  it reduces the loss. With hidden layers, this strength depends on the data, by a factor of ten
  between checkerboard and blobs, and by mostly less than two on width, depth, activation and
  optimizer. It is the strongest on offer. For L2 it is about 2.5 times that of L1, for elastic net
  1.5 times. For a linear model, the gradient at 0 determines it.
- **Penalties, weakest.** L1 moves a weight by ``l1 * T`` in a run, where ``T`` is the sum of the
  step sizes. The first zeros occurred at strengths of 0.1 / T to 0.3 / T, the first effect of L2 at
  about 0.5 / T. This is the weakest on offer, kept within 150 to 1000 times below the strongest.
- **AdamW's weight decay** balances steps of about one learning rate, so weights end below 1 / l2
  for any data, and networks collapse at about 5. ``learning_rate * l2`` is kept below 1; beyond, a
  step would overshoot 0.
- **Dropout** nearly collapsed networks at a rate of 0.8. If gradients (regression) or activations
  are unbounded, its noise can make training diverge: with W units in a layer and L hidden layers,
  divergence began at ``learning_rate * W / (1 - p)**L`` of 6 to 30 for regression, and mostly above
  60 for classes. L counts as 1 for bounded activations, and momentum as a learning rate
  ``1 / sqrt(1 - momentum)`` times as large. Offered rates keep the product below 5 for regression
  and 20 for classes. If this allows less than 0.1, the highest rate is 0.01: there, whether a ReLU
  network diverges varies with the seed.
- **Dropout without bounds** on the activations costs accuracy at rates that suit tanh. Of three
  layers of 8 ReLU units on circles, moons, xor and three blobs, three seeds each, the median test
  loss with a rate of 0.05 was 0.70 times that of the unregularized network, and 1.1 times or more
  in 1 of 12 cases; with 0.2 it was 0.83 times and in 2, with 0.3 1.33 times and in 7. Offered rates
  are smaller there, up to the last two (``python -m benchmarks.strengths dropout``).
- **Dropout beside max-norm** is 0.1, and 0.02 for unbounded activations: at a radius of 1, a rate
  of 0.1 made accuracy in the same cases 7 percentage points lower and one network in twelve
  constant; with 0.02 it was 1 point higher and none was constant.
- **Max-norm's** radii are constant: a bound above 3 hardly ever acted, and one of 0.2 left networks
  nearly constant.

L1, L2 and max-norm cannot make training diverge, as their maps only shrink weights. If the
unregularized network learns, no offered strength diverged for regression or with tanh. With ReLU on
classes, a few diverged at effective step sizes of 1 and more (listed by
``python -m benchmarks.strengths divergence``).
"""

import math
from dataclasses import dataclass

from regviz.data.datasets import n_train_of
from regviz.spec.experiment import Data, NetworkSpec, TrainingSpec
from regviz.spec.toy import DATASETS

N_STRENGTHS = 8
# initial strength of methods that state no other: `regviz.methods.catalogue.Method.default_index`
DEFAULT_STRENGTH_INDEX = 4

# L1 strength assumed to make networks with hidden layers constant on a visitor's own points; it is
# not measured, but in the middle of the range of the toy datasets
_COLLAPSE_ON_OWN_POINTS = 0.06
_DECAY_COLLAPSE = 5.0
_ADAM_STEP = 10.0  # Adam's step size in learning rates, 1 / sqrt(v)

MAX_NORM_DROP_RATE = 0.1

_RATES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8)
_RATES_UNBOUNDED = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)  # all but the two highest
_MAX_NORM_DROP_RATE_UNBOUNDED = 0.02
_RADII = (3.0, 2.0, 1.5, 1.2, 1.0, 0.7, 0.4, 0.2)
_BOUNDED = ("tanh", "sigmoid")


@dataclass(frozen=True)
class PenaltyRule:
    """The strengths of a penalty, as a function of data, network and training.

    Parameters
    ----------
    collapse : float
        Strength at which networks with hidden layers become constant, as a multiple of the L1
        strength that does it (`ToyDataset.collapse`).
    linear_collapse : float
        Strength at which a linear model becomes constant.
    first_effect : float
        The weakest strength with a visible effect, in units of 1 / T, where T is the sum of the
        step sizes.
    l2_share : float
        Share of squared L2 in the penalty, 0 to 1. Under AdamW this share is weight decay.
    """

    collapse: float
    linear_collapse: float
    first_effect: float
    l2_share: float

    def __call__(
        self, data: Data, network: NetworkSpec, training: TrainingSpec
    ) -> tuple[float, ...]:
        """Return `N_STRENGTHS` strengths in geometric progression, from weak to strong."""
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
            # `_round` rounds up by less than 1 / 0.7, so that the product stays at most 1
            strongest = min(strongest, 0.7 / (self.l2_share * training.learning_rate))
        strongest = min(strongest, 1000.0)
        span = min(max(strongest / first_effect, 150.0), 1000.0 if network.hidden else 200.0)
        return tuple(
            _round(strongest * span ** (i / (N_STRENGTHS - 1) - 1)) for i in range(N_STRENGTHS)
        )


def dropout_rates(data: Data, network: NetworkSpec, training: TrainingSpec) -> tuple[float, ...]:
    """Return `N_STRENGTHS` dropout rates, from weak to strong."""
    top = highest_dropout_rate(data, network, training)
    rates: tuple[float, ...] = tuple(top / _RATES[-1] * rate for rate in _RATES)
    if network.hidden and network.activation not in _BOUNDED:
        # in whole percent where `top` allows it
        scale = min(top / 0.3, 1.0)
        rates = (*(scale * r for r in _RATES_UNBOUNDED), scale * (0.3 if top >= 0.5 else 0.2), top)
    return tuple(float(f"{rate:.2g}") for rate in rates)


def dropout_rate_beside_max_norm(data: Data, network: NetworkSpec, training: TrainingSpec) -> float:
    """Return the rate of the dropout that is combined with max-norm."""
    bounded = network.activation in _BOUNDED
    most = MAX_NORM_DROP_RATE if bounded else _MAX_NORM_DROP_RATE_UNBOUNDED
    return min(most, highest_dropout_rate(data, network, training))


def max_norm_radii(data: Data, network: NetworkSpec, training: TrainingSpec) -> tuple[float, ...]:
    """Return the `N_STRENGTHS` radii of max-norm, from weak to strong, so in descending order."""
    return _RADII


def highest_dropout_rate(data: Data, network: NetworkSpec, training: TrainingSpec) -> float:
    """Return the highest dropout rate, up to 0.8, at which training does not diverge."""
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
    """Round to the nearest of 1, 2, 3 and 5 times a power of ten, by ratio."""
    decade = math.floor(math.log10(value))
    series = [float(f"{digit}e{decade + d}") for d in (0, 1) for digit in (1, 2, 3, 5)]
    return min(series, key=lambda candidate: abs(math.log(candidate / value)))
