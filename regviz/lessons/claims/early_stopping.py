"""Lesson 10: stopping early is a kind of L2."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import regviz
from regviz.lessons.claim import Result, claim

BOUND = 1.2985  # of the ratio of shrinkage factors: Ali et al. 2019, lemma 7
_RATE, _STEPS = 1e-3, 2500  # a small rate follows the gradient flow
_DATA = regviz.DataSpec(
    "moons", n_samples=400, noise=0.3, train_fraction=0.2, validation_fraction=0
)
_TRAINING = regviz.TrainingSpec(
    "momentum", learning_rate=0.01, batch_size=10, epochs=600, frames=40
)
STRENGTHS = np.geomspace(1e-4, 1, 25)
FIRST_EPOCH = 3  # before, the network is still nearly its initial values


@claim(
    "In linear regression, gradient descent from 0 and L2 with λ₂ = 1/(ηt) shrink each direction of"
    " the inputs nearly alike: the ratio stays between 1 and 1.30 at every step t.",
    source="Ali et al. 2019",
)
def linear_regression_shrinks_alike(seed: int) -> Result:
    """Compare the path of gradient descent with trained L2 networks, by eigenvector of XᵀX/n."""
    points = _regression(seed)
    zero = regviz.Phase(1, regviz.Regularization(l1=1000), 0.01)  # a step to 0, of at most 10
    training = regviz.TrainingSpec(
        "sgd", _RATE, None, _STEPS, dtype="float64", frames=40, seed=seed
    )
    experiment = regviz.Experiment(points.spec, regviz.NetworkSpec(()), training, phases=(zero,))
    path = regviz.train(experiment, points)
    times = np.flatnonzero(path.epochs > 1)
    flow = _RATE * (path.epochs[times] - 1)  # ηt; the phase took one step
    stopped = np.array([path.weights(0, int(t))[0][:, 0] for t in times])
    rows = tuple(regviz.Regularization(l2=1 / t) for t in flow)
    training = replace(training, learning_rate=0.2, epochs=1000, frames=1)
    ridge = regviz.train(
        regviz.Experiment(points.spec, regviz.NetworkSpec(()), training, rows), points
    )
    shrunk = ridge.parameters[-1][:, ridge.layout.is_weight]
    X = points.X_train
    _, directions = np.linalg.eigh(X.T @ X / len(X))
    ratio = (stopped @ directions) / (shrunk @ directions)
    figures = {"lowest_ratio": ratio.min(), "highest_ratio": ratio.max(), "bound": BOUND}
    return Result(ratio.min() >= 1 and ratio.max() < 1.3, figures)


@claim(
    "For at least 8 of 10 epochs from the third on, of a network without regularization, there is"
    " an L2 network that predicts nearly the same: the root of the mean squared difference in"
    " probability is below 0.1. In at least 8 of 10 steps to a later epoch, its L2 is as strong or"
    " weaker.",
    source="Ali et al. 2019, for linear models",
)
def each_epoch_has_its_l2(seed: int) -> Result:
    """Find the nearest of 25 trained L2 networks for each recorded epoch."""
    none, l2, _ = _predictions(seed)
    distances = np.sqrt(((none[:, None] - l2) ** 2).mean(axis=2))  # of shape (T, K)
    smallest = distances.min(axis=1)
    nearest = STRENGTHS[distances.argmin(axis=1)]
    figures = {
        "largest_distance": smallest.max(),
        "typical_distance": np.median(smallest),
        "near": np.mean(smallest < 0.1),
        "in_order": np.mean(np.diff(nearest) <= 0),
    }
    return Result(min(figures["near"], figures["in_order"]) >= 0.8, figures)


@claim(
    "The test losses of the best epoch of the network without regularization and of the best L2"
    " network are closer to each other than to that of the last epoch.",
)
def the_best_are_close(seed: int) -> Result:
    """Compare the lowest test loss over the epochs with the lowest over the strengths."""
    _, _, history = _predictions(seed)
    loss = history.metrics["test_loss"]
    stopped, l2, end = loss[:, 0].min(), loss[-1, 1:].min(), loss[-1, 0]
    figures = {"stopped": stopped, "l2": l2, "end": end, "apart": abs(stopped - l2)}
    return Result(abs(stopped - l2) < end - max(stopped, l2), figures)


def _regression(seed: int) -> regviz.Dataset:
    """Return 60 points with four correlated columns, standardised."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = X @ rng.normal(size=4) + rng.normal(size=60)
    return regviz.Dataset(X, y, task="regression")


def _predictions(
    seed: int,
) -> tuple[NDArray[np.floating], NDArray[np.floating], regviz.History]:
    """Return predictions of None at epochs from `FIRST_EPOCH` on, and of L2 at the end."""
    rows = (regviz.Regularization(), *(regviz.Regularization(l2=float(s)) for s in STRENGTHS))
    data, training = replace(_DATA, seed=seed), replace(_TRAINING, seed=seed)
    history = regviz.train(regviz.Experiment(data, regviz.NetworkSpec((8, 8)), training, rows))
    X = history.dataset.points("test")[0]
    times = np.flatnonzero(history.epochs >= FIRST_EPOCH)
    none = np.array([history.predict(X, int(t))[0] for t in times])
    return none, history.predict(X)[1:], history
