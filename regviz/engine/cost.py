"""Estimate of a training's duration from its experiment."""

import math

from regviz.data.datasets import n_train_of
from regviz.engine.layout import NETWORKS, POINTS, Layout
from regviz.engine.training import recorded_epochs
from regviz.spec.experiment import Experiment

# Seconds on one core for one operation of each kind in `work`, fitted by `benchmarks/cost.py`.
COEFFICIENTS = (2.7e-05, 2e-07, 2e-09, 1.9e-09, 1.2e-08, 3.8e-05, 6.4e-09, 3e-08)


def work(experiment: Experiment) -> tuple[float, ...]:
    """Count the operations of a training by kind.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    tuple of float
        Number of epochs, steps, parameter updates, multiplications of an input by a weight, and
        unit activations; then, for the recording, of frames and unit activations; then, of
        normalizations of a hidden unit in training. All but epochs
        and frames are counted for each block of `NETWORKS` networks, and multiplications and
        activations for each tile of `POINTS` points, as in `regviz.engine.kernel`.
    """
    data, training = experiment.data, experiment.training
    layout = Layout.of(experiment.network, data.n_columns, data.n_outputs)
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
        passes * layout.ends[-1],
        passes * units,
        frames,
        frames * blocks * data.n_samples * units,
        passes * sum(layout.sizes[1:-1]) * (layout.normalization != "none"),
    )


def seconds(experiment: Experiment) -> float:
    """Estimate the seconds of training on one core, within a factor of about two."""
    return sum(c * amount for c, amount in zip(COEFFICIENTS, work(experiment), strict=True))
