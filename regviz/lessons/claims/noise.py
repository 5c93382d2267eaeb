"""Lesson 1: without regularization, a network learns the noise of its training points."""

from dataclasses import replace

import regviz
from regviz.lessons.claim import Result, claim

_DATA = regviz.DataSpec("moons", n_samples=400, noise=0.35, train_fraction=0.15)
_TRAINING = regviz.TrainingSpec("momentum", learning_rate=0.05, batch_size=10, epochs=300, frames=2)
WIDTHS = (2, 8)  # units of each of two hidden layers


@claim("Without regularization, a wider network has a larger gap between test and training loss.")
def gap_grows_with_width(seed: int) -> Result:
    """Train networks of two widths on the same points."""
    data, training = replace(_DATA, seed=seed), replace(_TRAINING, seed=seed)
    gaps = []
    for width in WIDTHS:
        network = regviz.NetworkSpec((width, width))
        history = regviz.train(regviz.Experiment(data, network, training))
        gaps.append(float(history.metrics["gap"][-1, 0]))
    figures = {f"gap_{width}": gap for width, gap in zip(WIDTHS, gaps, strict=True)}
    return Result(gaps[0] < gaps[1], figures)
