"""How long a training takes, estimated before it begins."""

import math

from regviz.datasets import n_train_of
from regviz.experiment import Experiment
from regviz.layout import Layout
from regviz.scene import Scene
from regviz.training import recorded_epochs

# Seconds on one core for each of `work`, fitted and tested by `benchmarks/cost.py`.
COEFFICIENTS = (1.8e-05, 1.7e-05, 5.1e-09, 1.7e-10, 5.1e-09, 1e-3, 1e-10, 1.7e-09)


def work(experiment: Experiment) -> tuple[float, ...]:
    """Count the operations of each kind that a training consists of.

    Returns
    -------
    tuple of float
        Steps of the optimizer; layers passed through by them; parameters updated; products of an
        input and a weight; values of hidden units; and when recording: frames, products and values
        of hidden units. What is multiplied, updated or computed is summed over the networks.
    """
    data, training = experiment.data, experiment.training
    layout = Layout.of(experiment.network, 2, data.n_outputs)
    n_train = n_train_of(data)
    batch_size = min(training.batch_size or n_train, n_train)
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
    """Estimate the seconds that training takes on one core, to a factor of about two."""
    return sum(c * amount for c, amount in zip(COEFFICIENTS, work(experiment), strict=True))


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
