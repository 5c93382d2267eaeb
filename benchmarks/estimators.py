"""Times of the estimators for scikit-learn beside scikit-learn's own, in one run.

    python -m benchmarks.estimators                 ratios of the best of three times each
    python -m benchmarks.estimators --repeats 10

Times are measured alternately, in one process and one thread. ``GridSearchCV`` trains one network
for each fold and strength, and `RegVizClassifierCV` those of all strengths as one program for each
fold. ``MLPClassifier`` trains the same network for the same epochs, in the same batches.
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import regviz

EPOCHS = 300
SETTINGS = {
    "hidden_layer_sizes": (8, 8),
    "activation": "tanh",
    "learning_rate_init": 0.01,
    "max_iter": EPOCHS,
    "random_state": 0,
}


def seconds(action: Callable[[], object]) -> float:
    """Return the wall-clock time of one call in seconds."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(name: str, ours: BaseEstimator, other: BaseEstimator, X, y, repeats: int) -> None:
    """Print the best times of fitting two estimators, and their ratio."""
    times = [
        [seconds(lambda model=model: model.fit(X, y)) for model in (ours, other)]
        for _ in range(repeats)
    ]
    mine, its = np.min(times, axis=0)
    names = f"{type(ours).__name__:18} {mine:7.3f} s   {type(other).__name__:13} {its:7.3f} s"
    print(f"{name:26} {names}   {its / mine:5.1f} times", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="times to fit each estimator")
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore", ConvergenceWarning)  # MLPClassifier's, at its last epoch
    X, y = load_breast_cancer(return_X_y=True)
    data = {
        "moons, 200 x 2": make_moons(200, noise=0.3, random_state=0),
        "breast cancer, 569 x 30": (StandardScaler().fit_transform(X), y),
    }
    for name, (points, classes) in data.items():
        search = regviz.RegVizClassifierCV(**SETTINGS, l1_ratio=1).fit(points, classes)
        grid = GridSearchCV(
            regviz.RegVizClassifier(**SETTINGS, l1_ratio=1),
            {"alpha": search.strengths_.tolist()},
            cv=5,
        )
        compare(name, search, grid, points, classes, repeats)
        if search.best_strength_ != grid.best_params_["alpha"]:
            raise RuntimeError(f"{search.best_strength_} is not {grid.best_params_}")
        single = regviz.RegVizClassifier(**SETTINGS)
        # without its own end of training
        perceptron = MLPClassifier(**SETTINGS, tol=0, n_iter_no_change=EPOCHS)
        compare(name, single, perceptron, points, classes, repeats)


if __name__ == "__main__":
    main()
