"""Lesson 1: without regularization, a network learns the noise of its training points."""

from dataclasses import replace

import regviz
from regviz.lessons.claim import Result, claim

N_POINTS = 800  # of which few are for training, so that the test loss is exact to about 0.02
_DATA = regviz.DataSpec(
    "circles", n_samples=N_POINTS, noise=0.22, train_fraction=60 / N_POINTS, validation_fraction=0
)
_TRAINING = regviz.TrainingSpec("adam", learning_rate=0.01, batch_size=10, epochs=1000)
WIDTHS = (2, 4, 8, 16)  # units of each of two hidden layers
TRAINING_POINTS = (40, 160, 400)


@claim(
    "Without regularization, the gap between test and training loss grows with the width, from two"
    " units a layer to four to eight."
)
def gap_grows_with_width(seed: int) -> Result:
    """Train networks of four widths on the same 60 points."""
    gaps = {width: _train(seed, width, frames=1).metrics["gap"][-1, 0] for width in WIDTHS}
    figures = {f"gap_{width}": gap for width, gap in gaps.items()}
    return Result(gaps[2] < gaps[4] < gaps[8], figures)


@claim("Without regularization, the gap shrinks as the number of training points grows.")
def gap_shrinks_with_points(seed: int) -> Result:
    """Train the same network on three numbers of points of one distribution."""
    gaps = {
        n: _train(seed, 8, n_train=n, epochs=600, frames=1).metrics["gap"][-1, 0]
        for n in TRAINING_POINTS
    }
    figures = {f"gap_{n}": gap for n, gap in gaps.items()}
    return Result(gaps[40] > gaps[160] > gaps[400], figures)


@claim(
    "The test loss of an unregularized network is a U: it falls to a minimum in the first fifth"
    " of the training, and at the end is at least half as high again."
)
def test_loss_is_a_u(seed: int) -> Result:
    """Follow train and test loss of a network with eight units in each layer."""
    history = _train(seed, 8)
    test, train = (history.metrics[f"{split}_loss"][:, 0] for split in ("test", "train"))
    best = int(test.argmin())
    figures = {
        "start": test[0],
        "lowest": test[best],
        "end": test[-1],
        "train_end": train[-1],
        "epoch": history.epochs[best],
    }
    early = history.epochs[best] < history.experiment.training.epochs / 5
    u = test[best] < 0.8 * test[0] and test[-1] > 1.5 * test[best]
    return Result(early and u and train[-1] < train[best], figures)


def _train(
    seed: int, width: int, n_train: int = 60, epochs: int = 1000, frames: int = 100
) -> regviz.History:
    data = replace(_DATA, train_fraction=n_train / N_POINTS, seed=seed)
    network = regviz.NetworkSpec((width, width))
    training = replace(_TRAINING, epochs=epochs, frames=frames, seed=seed)
    return regviz.train(regviz.Experiment(data, network, training))
