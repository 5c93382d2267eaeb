"""Fit the coefficients of `regviz.engine.cost`, which estimates the duration of a training.

Random settings are trained in one thread. Non-negative least squares fits the coefficients to the
relative errors of two thirds of the settings. Prints the coefficients in the form of
`regviz.engine.cost`, and quantiles of estimate / measured for the other settings.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from scipy.optimize import nnls

import regviz
from regviz.engine import compiled
from regviz.engine.cost import COEFFICIENTS, work
from regviz.methods.catalogue import METHODS
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import (
    ACTIVATIONS,
    DTYPES,
    NORMALIZATIONS,
    OPTIMIZERS,
    DataSpec,
    Experiment,
    NetworkSpec,
    TrainingSpec,
)

SECONDS = 0.6  # approximate duration of the training of a setting


def setting(rng: np.random.Generator) -> Experiment:
    """Draw a random experiment that the page allows: network, batch, optimizer and methods."""
    hidden = (int(rng.choice([2, 4, 8, 16, 32])),) * int(rng.integers(0, 7))
    data = DataSpec("moons", n_samples=int(rng.choice([100, 400, 2000])))
    n_train = int(data.n_samples * data.train_fraction * (1 - data.validation_fraction))
    batch = rng.choice([1, 5, 15, 30, n_train])
    training = TrainingSpec(
        epochs=1,
        batch_size=int(min(batch, n_train)),
        optimizer=str(rng.choice(OPTIMIZERS)),
        learning_rate=0.01,
        frames=int(rng.choice([2, 100])),
    )
    network = NetworkSpec(hidden, str(rng.choice(ACTIVATIONS)))
    normalization = str(rng.choice(NORMALIZATIONS if batch > 1 else ["none", "layer"]))
    network = replace(network, normalization=normalization)
    methods = tuple(METHODS) if rng.random() < 0.7 else ("none", str(rng.choice([*METHODS][1:])))
    return StrengthGrid.of(methods, data, network, training).experiment


def seconds(experiment: Experiment) -> tuple[Experiment, float]:
    """Train with enough epochs for a duration of at least half of `SECONDS`.

    Returns the experiment with this number of epochs, and the seconds.
    """
    epochs = 2
    while True:
        longer = replace(experiment, training=replace(experiment.training, epochs=epochs))
        start = time.perf_counter()
        regviz.train(longer)
        took = time.perf_counter() - start
        if took > SECONDS / 2 or epochs >= 2000:
            return longer, took
        epochs = min(2000, max(epochs * 2, int(epochs * SECONDS / max(took, 1e-3))))


def main() -> None:
    """Print the coefficients, and the errors of estimates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=int, default=120)
    settings = parser.parse_args().settings
    for dtype in DTYPES:
        compiled.wait(dtype)
    rng = np.random.default_rng(0)
    measured = [seconds(setting(rng)) for _ in range(settings)]
    A = np.array([work(experiment) for experiment, _ in measured])
    took = np.array([t for _, t in measured])
    fit = np.arange(settings) % 3 != 0
    fitted, _ = nnls(A[fit] / took[fit, None], np.ones(fit.sum()))
    print("fitted:", ", ".join(f"{c:.2g}" for c in fitted))
    for name, coefficients in (("fitted", fitted), ("regviz.engine.cost", np.array(COEFFICIENTS))):
        ratio = A[~fit] @ coefficients / took[~fit]
        low, middle, high = np.quantile(ratio, [0.05, 0.5, 0.95])
        print(f"estimate / measured by {name}: {middle:.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
