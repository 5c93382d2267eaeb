"""What a training would cost in time and memory, estimated before it begins."""

import math

import numpy as np

from regviz.datasets import n_train_of
from regviz.epoch import NETWORKS
from regviz.experiment import Experiment
from regviz.history import METRICS
from regviz.layout import Layout
from regviz.scene import Scene
from regviz.training import recorded_epochs

# Seconds on one core for each of `work`, fitted and tested by `benchmarks/cost.py`.
COEFFICIENTS = (1.8e-05, 1.7e-05, 5.1e-09, 1.7e-10, 5.1e-09, 1e-3, 1e-10, 1.7e-09)

MOST = 8  # experiments in one program

_COPIES = 3  # of the parameters: with the two moments of the optimizer


def work(experiment: Experiment) -> tuple[float, ...]:
    """How much there is to do of each kind that takes time of its own.

    Returns
    -------
    tuple of float
        Steps of the optimizer; layers passed through by them; parameters updated; products of an
        input and a weight; values of hidden units; and when recording: frames, products and values
        of hidden units. What is multiplied, updated or computed is summed over the networks.
    """
    data, training = experiment.data, experiment.training
    layout = Layout.of(experiment.network, 2, data.n_outputs)
    n_train, batch_size = _sizes(experiment)
    n_networks = len(experiment.regularizations)
    units = sum(layout.sizes[1:])
    steps = training.epochs * math.ceil(n_train / batch_size)
    frames = len(recorded_epochs(training))
    return (
        steps,
        steps * len(layout.shapes),
        steps * n_networks * layout.n_parameters,
        training.epochs * n_train * n_networks * layout.n_parameters,
        training.epochs * n_train * n_networks * units,
        frames,
        frames * data.n_samples * n_networks * layout.n_parameters,
        frames * data.n_samples * n_networks * units,
    )


def seconds(experiment: Experiment) -> float:
    """What training takes by itself, in seconds of one core such as those it was measured on.

    Within a factor of about two for what the page offers.
    """
    return sum(c * amount for c, amount in zip(COEFFICIENTS, work(experiment), strict=True))


def memory(experiment: Experiment, n_runs: int = 1) -> int:
    """What a training holds from its first turn to its last, in bytes, its recording included.

    Parameters
    ----------
    experiment : Experiment
    n_runs : int
        How many such experiments are trained as one program.

    Returns
    -------
    int
        From 0.8 to 1.4 times what is allocated. What is needed during a turn only, of which there
        is one at a time, is not in it.
    """
    training = experiment.training
    layout = Layout.of(experiment.network, 2, experiment.data.n_outputs)
    n_train, _ = _sizes(experiment)
    n_networks = len(experiment.regularizations)
    in_blocks = n_runs * -(-n_networks // NETWORKS) * NETWORKS
    numbers = in_blocks * (layout.n_parameters * _COPIES + 4 + len(layout.shapes))
    numbers += n_runs * n_train * (layout.sizes[0] + layout.sizes[-1])
    order = n_runs * n_train
    dropped = any(r.input_drop_rate or r.drop_rate for r in experiment.regularizations)
    draws = n_runs * n_train * sum(layout.sizes[:-1]) if dropped else 0
    n_recorded = n_runs * n_networks * len(recorded_epochs(training))
    numbers += n_recorded * layout.n_parameters
    size = np.dtype(training.dtype).itemsize
    return numbers * size + 8 * order + 4 * draws + 8 * n_recorded * len(METRICS)


def _sizes(experiment: Experiment) -> tuple[int, int]:
    """Training points, and those of them in a batch."""
    n_train = n_train_of(experiment.data)
    return n_train, min(experiment.training.batch_size or n_train, n_train)


def company(experiment: Experiment) -> int:
    """How many such experiments are worth training as one program.

    With once the seconds for what all share and each for what each adds, n of them take once + n
    each together, and on average (n + 1) / 2 (once + each) one after another: no less if each is no
    more than once.
    """
    steps, layers, *each = (
        c * amount for c, amount in zip(COEFFICIENTS, work(experiment), strict=True)
    )
    return MOST if sum(each) <= steps + layers else 1


def affordable(scene: Scene, limit: float) -> Scene:
    """The scene if its networks can be trained within a limit, else the nearest that can.

    Parameters
    ----------
    scene : Scene
    limit : float
        Seconds, as of `seconds`, for all of its networks at all strengths.

    Returns
    -------
    Scene
        Equal to ``scene``, or with fewer epochs: to two digits the most that stay within the limit,
        and at least one.
    """
    while (cost := seconds(scene.cube().experiment)) > limit and scene.training.epochs > 1:
        fewer = int(scene.training.epochs * limit / cost)
        unit = 10 ** max(0, len(str(fewer)) - 2)
        scene = scene.with_epochs(max(1, min(scene.training.epochs - 1, fewer // unit * unit)))
    return scene
