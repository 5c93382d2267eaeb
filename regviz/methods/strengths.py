"""The offered strengths: twelve for each method, from hardly any effect to collapse.

The strengths depend on data, network and training by rules that `benchmarks.strengths` measured on
ten datasets, five networks, tanh and ReLU, four optimizers, and 300 epochs on 60 points.

- **Penalties, strongest.** A network collapses to a constant if every fit costs more penalty than
  it reduces the loss. With hidden layers, the strength of collapse depends on the data, by a factor
  of ten between bumps and blobs; each further layer made it 0.8 times as high, and ReLU 1.6 times.
  For L2 it is 2.5 times that of L1. The strongest on offer is about three quarters of the median
  over networks and optimizers, so that in five of six cases one network at most has collapsed; with
  the median itself it was two of three. Elastic net lies between: penalties add up, so that its
  range is the harmonic mean of those of L1 and L2.
- **Group lasso** has the strengths of L1: in 70 random cases of ``benchmarks.strengths collapse``
  with hidden layers, its strengths of first effect and of collapse were those of L1 in the median,
  and 0.6 to 1 times those of L1 in the middle half of the cases. A unit's penalty is near that of
  L1, as ``|w|_1 <= sqrt(p) * |w|_2`` for p weights, with equality for equal sizes.
- **Linear models of tables.** With more than two columns, the strongest L1 is that at which all
  weights become 0: the largest absolute covariance of a column with the targets, from the training
  points (Friedman, Hastie & Tibshirani 2010, section 2.5). L2 shrinks the weights along an
  eigenvector of the loss's Hessian, with eigenvalue h, by h / (h + l2): the strongest is the
  largest eigenvalue, which halves them there and shrinks them more elsewhere. At four times it, the
  initial L2 tested worse than no regularization on all tables.
- **Penalties, weakest.** L1 moves a weight by ``l1 * T`` in a run, where ``T`` is the sum of the
  step sizes. The first zeros occurred at strengths of 0.1 / T to 0.3 / T, the first effect of L2 at
  about 0.5 / T. This is the weakest on offer, kept within 150 to 1000 times below the strongest.
- **Steps.** Zeros and test loss changed about equally over each of the last two decades below the
  collapse, and most at the collapse. So steps are even, and half as large at the strong end.
- **AdamW's weight decay** balances steps of about one learning rate, so weights end below 1 / l2
  for any data, and networks collapse at 2 to 5. ``learning_rate * l2`` is kept below 1; beyond, a
  step would overshoot 0.
- **Dropout** nearly collapsed networks at a rate of 0.8. If gradients (regression) or activations
  are unbounded, its noise can make training diverge: with W units in a layer and L hidden layers,
  divergence began at ``learning_rate * W / (1 - p)**L`` of 6 to 30 for regression, and mostly above
  60 for classes. L counts as 1 for bounded activations, and momentum as a learning rate
  ``1 / sqrt(1 - momentum)`` times as large. Offered rates keep the product below 5 for regression
  and 20 for classes. If this allows less than 0.1, the highest rate is 0.01: there, whether a ReLU
  network diverges varies with the seed.
- **Dropout without bounds** on the activations costs test loss at rates that suit tanh. Under the
  page's first training, of ReLU networks of (8, 8, 8), (4, 2), (16, 16) and (32, 32) units on
  circles, moons and xor, eight seeds each, the median test loss with a rate of 0.01 was 0.88 to
  0.99 times that of the unregularized network, and above 1.1 times in 20 of 96 cases; with 0.05 it
  was 0.90 to 1.15 times, and in 33. The initial rate is 0.01 there, and 0.2 with bounds.
- **Dropout beside max-norm** is at most 0.2, or 0.1 for unbounded activations, where the initial
  one is 0.02: at a radius of 1, it made the median test loss 0.5 to 0.74 times that of the
  unregularized network (``python -m benchmarks.strengths dropout``).
- **Max-norm's** radii are constant: a bound above 3 hardly ever acted, and one of 0.3 left networks
  nearly constant.

L1, L2 and max-norm cannot make training diverge, as their maps only shrink weights. If the
unregularized network learns, no offered strength diverged for regression or with tanh. With ReLU on
classes, a few diverged at effective step sizes of 1 and more, 11 of 110,000, as the unregularized
network does under other seeds (listed by ``python -m benchmarks.strengths divergence``).
"""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from regviz.data.datasets import Dataset, make_dataset, n_train_of
from regviz.spec.experiment import Data, NetworkSpec, Phase, TrainingSpec
from regviz.spec.toy import DATASETS

N_STRENGTHS = 12
# initial strength of methods that state no other: `regviz.methods.catalogue.Method.default_index`
DEFAULT_STRENGTH_INDEX = 7

# Digits of the strengths of penalties: each is at most 1.7 times the one before.
_SERIES = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
# bounds on the ratio of the strongest to the weakest, with and without hidden layers
_LEAST_SPAN, _LARGEST_SPAN, _LARGEST_LINEAR_SPAN = 150.0, 1000.0, 200.0
# L1 strength assumed to make networks with hidden layers constant on a visitor's own points; it is
# not measured, but in the middle of the range of the toy datasets
_COLLAPSE_ON_OWN_POINTS = 0.025
_COLLAPSE_BY_LAYER = 0.8  # factor for each hidden layer beyond the third
_COLLAPSE_UNBOUNDED = 1.6  # factor for unbounded activations
_L2_COLLAPSE = 2.5  # in units of L1's
_LINEAR_COLLAPSE = {"l1": 0.2, "l2": 4.0}
_DECAY_COLLAPSE = {"hidden": 3.0, "linear": 20.0}
_ADAM_STEP = 10.0  # Adam's step size in learning rates, 1 / sqrt(v)
# weakest strengths with a visible effect, in units of 1 / T, where T is the sum of the step sizes
_FIRST_EFFECT = {"l1": 0.2, "l2": 0.5, "decay": 1.0}

_RATES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_RATES_UNBOUNDED = (
    0.001,
    0.002,
    0.003,
    0.005,
    0.007,
    0.01,
    0.02,
    0.03,
    0.05,
    0.1,
)  # not the last 2
_RADII = (3.0, 2.5, 2.0, 1.7, 1.4, 1.2, 1.0, 0.85, 0.7, 0.5, 0.4, 0.3)
_RATES_BESIDE_MAX_NORM = {"bounded": (0.1, 0.2), "unbounded": (0.02, 0.1)}
_BOUNDED = ("tanh", "sigmoid")


def penalty_strengths(
    data: Data | Dataset, network: NetworkSpec, training: TrainingSpec, l1_ratio: float
) -> tuple[float, ...]:
    """Return `N_STRENGTHS` strengths of an elastic net, from weak to strong.

    They are neighbours in the series 1, 1.5, 2, 3, 5, 7, 10, …, except that every other one is left
    out at the weak end, as far as the range requires it.

    Parameters
    ----------
    data : DataSpec, PointsSpec or Dataset
    network : NetworkSpec
    training : TrainingSpec
    l1_ratio : float
        Share of L1 in the penalty; 1 is L1 and 0 is L2. The ends of the range are the harmonic
        means of those of L1 and L2, weighted by their shares: the penalties add up.
    """
    n_train = len(data.y_train) if isinstance(data, Dataset) else n_train_of(data)
    steps = training.epochs * math.ceil(n_train / (training.batch_size or n_train))
    momentum = training.momentum if training.optimizer == "momentum" else 0.0
    decay_time = steps * training.learning_rate / (1 - momentum)
    time = decay_time * (_ADAM_STEP if training.optimizer in ("adam", "adamw") else 1)
    toy = None if isinstance(data, Dataset) else DATASETS.get(data.name)
    collapse = toy.collapse if toy else _COLLAPSE_ON_OWN_POINTS
    collapse *= _COLLAPSE_BY_LAYER ** (len(network.hidden) - 3)
    collapse *= 1 if network.activation in _BOUNDED else _COLLAPSE_UNBOUNDED
    linear = _LINEAR_COLLAPSE
    if isinstance(data, Dataset):
        linear = _linear_collapse_of(data)
    elif data.n_columns > 2:
        linear = _linear_collapse(data)
    strongest_l1 = collapse if network.hidden else linear["l1"]
    strongest_l2 = _L2_COLLAPSE * collapse if network.hidden else linear["l2"]
    weakest_l1, weakest_l2 = _FIRST_EFFECT["l1"] / time, _FIRST_EFFECT["l2"] / time
    decoupled = training.optimizer == "adamw"
    if decoupled:
        strongest_l2 = _DECAY_COLLAPSE["hidden" if network.hidden else "linear"]
        weakest_l2 = _FIRST_EFFECT["decay"] / decay_time

    def mean(of_l1: float, of_l2: float) -> float:
        return 1 / (l1_ratio / of_l1 + (1 - l1_ratio) / of_l2)

    # in a training too short for a collapse, up to a strength that acts
    strongest = max(mean(strongest_l1, strongest_l2), mean(1 / time, 1 / time))
    if decoupled and l1_ratio < 1:
        # beyond, a step would overshoot 0; `_position` rounds up by less than 1 / 0.7
        strongest = min(strongest, 0.7 / ((1 - l1_ratio) * training.learning_rate))
    strongest = min(strongest, 1000.0)
    largest = _LARGEST_SPAN if network.hidden else _LARGEST_LINEAR_SPAN
    span = min(max(strongest / mean(weakest_l1, weakest_l2), _LEAST_SPAN), largest)
    last = _position(strongest)
    n_doubled = round(len(_SERIES) * math.log10(span)) - (N_STRENGTHS - 1)
    below = [i + max(0, i - (N_STRENGTHS - 1 - n_doubled)) for i in range(N_STRENGTHS)]
    return tuple(_at(last - steps) for steps in reversed(below))


@lru_cache(maxsize=64)
def _linear_collapse(data: Data) -> dict[str, float]:
    """Return the strongest L1 and L2 of a linear model of a table."""
    try:
        dataset = make_dataset(data)
    except ValueError:  # the page shows this error when a training is to start
        return _LINEAR_COLLAPSE
    return _linear_collapse_of(dataset)


def _linear_collapse_of(dataset: Dataset) -> dict[str, float]:
    X, y = dataset.points("train")
    weights = dataset.weights("train")
    # points of weight w count as if they were repeated
    root = np.ones((1, 1)) if weights is None else np.sqrt(weights)[:, None]
    centred = (X - np.average(X, axis=0, weights=weights)) * root
    classes = np.arange(dataset.n_outputs) if dataset.task == "multiclass" else [1]
    targets = y[:, None] if dataset.task == "regression" else y[:, None] == classes
    residuals = (targets - np.average(targets, axis=0, weights=weights)) * root
    l1 = float(np.abs(centred.T @ residuals).max()) / len(y)
    # of the cross-entropy at equal probabilities, a fourth of that of the squared error
    curvature = float(np.linalg.norm(centred, 2) ** 2) / len(y)
    l2 = curvature if dataset.task == "regression" else curvature / 4
    found = {"l1": l1, "l2": l2}
    # columns or targets without variation have no strength of collapse
    return found if l1 > 0 else _LINEAR_COLLAPSE


def dropout_rates(
    data: Data | Dataset, network: NetworkSpec, training: TrainingSpec
) -> tuple[float, ...]:
    """Return `N_STRENGTHS` dropout rates, from weak to strong."""
    top = highest_dropout_rate(data, network, training)
    rates: tuple[float, ...] = tuple(top / _RATES[-1] * rate for rate in _RATES)
    if network.hidden and network.activation not in _BOUNDED:
        # in whole percent where `top` allows it
        scale = min(top / 0.3, 1.0)
        rates = (*(scale * r for r in _RATES_UNBOUNDED), scale * (0.3 if top >= 0.5 else 0.2), top)
    return tuple(float(f"{rate:.2g}") for rate in rates)


def dropout_rates_beside_max_norm(
    data: Data | Dataset, network: NetworkSpec, training: TrainingSpec
) -> tuple[float, ...]:
    """Return the rates of the dropout that is combined with max-norm, the first of them 0."""
    top = highest_dropout_rate(data, network, training)
    rates = _RATES_BESIDE_MAX_NORM["bounded" if network.activation in _BOUNDED else "unbounded"]
    return tuple(sorted({0.0, *(min(rate, top) for rate in rates)}))


def max_norm_radii(
    data: Data | Dataset, network: NetworkSpec, training: TrainingSpec, drop_rate: float
) -> tuple[float, ...]:
    """Return the `N_STRENGTHS` radii of max-norm, from weak to strong, so in descending order."""
    return _RADII


def highest_dropout_rate(
    data: Data | Dataset, network: NetworkSpec, training: TrainingSpec
) -> float:
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


def first_training(training: TrainingSpec, phases: tuple[Phase, ...]) -> TrainingSpec:
    """Return the training at the learning rate of its first phase.

    Strengths are chosen for it, so that a change of the learning rate on the way does not change
    them. AdamW's must suit the last one: ``learning_rate * l2`` above 1 overshoots 0.
    """
    rate = phases[0].learning_rate if phases else None
    if rate is None or training.optimizer == "adamw":
        return training
    return replace(training, learning_rate=rate)


def _position(value: float) -> int:
    """Return the position in the series of the number with the ratio to ``value`` nearest 1."""
    below = len(_SERIES) * math.floor(math.log10(value))
    around = range(below, below + len(_SERIES) + 1)
    return min(around, key=lambda position: abs(math.log(_at(position) / value)))


def _at(position: int) -> float:
    """Return the number at a position in the series; 1 is at 0."""
    decade, i = divmod(position, len(_SERIES))
    return float(f"{_SERIES[i]}e{decade}")
