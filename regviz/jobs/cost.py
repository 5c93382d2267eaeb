"""How long a training takes, estimated before it begins."""

import math

from regviz.board.scene import Scene
from regviz.data.datasets import n_train_of
from regviz.engine.epoch import NETWORKS, POINTS
from regviz.engine.layout import Layout
from regviz.engine.training import recorded_epochs
from regviz.spec.experiment import Experiment

# Seconds on one core for each of `work`, fitted and tested by `benchmarks/cost.py`.
COEFFICIENTS = (2.7e-05, 2e-07, 2e-09, 1.9e-09, 1.2e-08, 3.8e-05, 6.4e-09)


def work(experiment: Experiment) -> tuple[float, ...]:
    """Count the operations of each kind that a training consists of.

    Returns
    -------
    tuple of float
        Epochs; steps; parameters updated; products of an input and a weight; values of units; and
        when recording: frames, and values of units. All but epochs and frames are summed over
        blocks of networks, and products and values over tiles of points, as
        `regviz.engine.kernel` computes them.
    """
    data, training = experiment.data, experiment.training
    layout = Layout.of(experiment.network, 2, data.n_outputs)
    n_train = n_train_of(data)
    batch_size = min(training.batch_size or n_train, n_train)
    full, rest = divmod(n_train, batch_size)
    n_tiles = full * math.ceil(batch_size / POINTS) + math.ceil(rest / POINTS)
    blocks = math.ceil(len(experiment.regularizations) / NETWORKS)
    steps = training.epochs * blocks * math.ceil(n_train / batch_size)
    passes = training.epochs * blocks * n_tiles
    units = sum(layout.sizes[1:])
    frames = len(recorded_epochs(training))
    return (
        training.epochs,
        steps,
        steps * layout.n_parameters,
        passes * layout.n_parameters,
        passes * units,
        frames,
        frames * blocks * data.n_samples * units,
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
    while (cost := seconds(scene.grid().experiment)) > limit and scene.training.epochs > 1:
        fewer = int(scene.training.epochs * limit / cost)
        unit = 10 ** max(0, len(str(fewer)) - 2)
        scene = scene.with_epochs(max(1, min(scene.training.epochs - 1, fewer // unit * unit)))
    return scene
