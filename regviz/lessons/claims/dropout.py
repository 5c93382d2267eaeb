"""Lesson 8: under dropout, no unit is indispensable."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

import regviz
from regviz.engine import networks
from regviz.engine.layout import input_features
from regviz.lessons.claim import Result, claim

KEEP = 0.8  # probability that a hidden unit stays in a training step
_DATA = regviz.DataSpec(
    "circles", n_samples=400, noise=0.15, train_fraction=0.25, validation_fraction=0
)
_TRAINING = regviz.TrainingSpec("momentum", learning_rate=0.03, batch_size=10, epochs=400, frames=2)
_ROWS = (regviz.Regularization(), regviz.Regularization(drop_rate=1 - KEEP))


@claim(
    "Remove the one hidden unit that is missed most: with a drop rate of 20 % the test loss rises"
    " by less than half as much as without dropout.",
    source="Srivastava et al. 2014",
)
def no_unit_is_indispensable(seed: int) -> Result:
    """Remove each hidden unit of both networks in turn."""
    history = _train(seed, (8, 8))
    rises = [_rises(history, k) for k in range(2)]
    figures = {
        "worst_none": rises[0].max(),
        "worst_dropout": rises[1].max(),
        "mean_none": rises[0].mean(),
        "mean_dropout": rises[1].mean(),
    }
    return Result(rises[1].max() < 0.5 * rises[0].max(), figures)


@claim("Dropout fits the training points worse: its training loss is higher than without.")
def trains_worse(seed: int) -> Result:
    """Compare the training losses, measured without dropping units."""
    train = _train(seed, (8, 8)).metrics["train_loss"][-1]
    return Result(train[1] > train[0], {"train_none": train[0], "train_dropout": train[1]})


@claim(
    "In a network of 16 units a layer, with noisy points, dropout's test loss is lower than"
    " without, but its accuracy is higher by less than five percentage points, if at all."
)
def lower_loss_same_accuracy(seed: int) -> Result:
    """Compare test losses, and the accuracy on 300 test points."""
    history = _train(seed, (16, 16), noise=0.2)
    found = _tested(history)
    lower = found["loss_dropout"] < found["loss_none"]
    return Result(lower and found["accuracy_dropout"] < found["accuracy_none"] + 0.05, found)


@claim("A network of only three units a layer tests worse with dropout than without.")
def narrow_networks_suffer(seed: int) -> Result:
    """Train two narrow layers on 320 points, with and without dropout."""
    history = _train(seed, (3, 3), train_fraction=0.8)
    found = _tested(history)
    return Result(found["loss_dropout"] > found["loss_none"], found)


def _tested(history: regviz.History) -> dict[str, float]:
    """Return the final test losses and accuracies without and with dropout."""
    return {
        f"{measure}_{name}": history.metrics[f"test_{measure}"][-1, k]
        for measure in ("loss", "accuracy")
        for k, name in enumerate(("none", "dropout"))
    }


def _train(
    seed: int, hidden: tuple[int, ...], train_fraction: float = 0.25, noise: float = 0.15
) -> regviz.History:
    data = replace(_DATA, train_fraction=train_fraction, noise=noise, seed=seed)
    training = replace(_TRAINING, seed=seed)
    return regviz.train(regviz.Experiment(data, regviz.NetworkSpec(hidden), training, _ROWS))


def _rises(history: regviz.History, k: int) -> NDArray[np.float64]:
    """Return the rise of network k's test loss without each hidden unit, of shape (units,)."""
    layout = history.layout
    cut = []
    for layer, units in enumerate(layout.sizes[1:-1], 1):
        for unit in range(units):
            row = history.parameters[-1, k].copy()
            layout.split(row)[layer][:, unit] = 0  # its outgoing weights
            cut.append(row)
    rows = np.stack([history.parameters[-1, k], *cut])
    X, y = history.dataset.points("test")
    inputs = input_features(X, history.experiment.network.features).astype(rows.dtype)
    outputs = networks.hidden_and_output(
        layout.split(torch.from_numpy(rows)),
        torch.from_numpy(inputs),
        history.experiment.network.activation,
    )[-1]
    losses = networks.losses_and_hits(outputs, torch.tensor(y), "binary")[0].mean(1).numpy()
    return np.asarray(losses[1:] - losses[0])
