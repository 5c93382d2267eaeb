"""The experiment that a visitor meets before touching anything."""

from regviz.experiment import DataSpec, Experiment, NetworkSpec, TrainingSpec
from regviz.regularization import METHODS

# Few and noisy points, and a network with many more weights than it needs: without regularization
# it overfits, L1 drives most of its weights to exactly 0, and the best of the others tests clearly
# better. tests/test_showcase.py holds it to that, over several seeds.
SHOWCASE = Experiment(
    data=DataSpec(
        "circles", n_samples=400, noise=0.2, train_fraction=0.2, validation_fraction=0.25, seed=0
    ),
    network=NetworkSpec(hidden=(8, 8, 8), activation="tanh"),
    training=TrainingSpec(
        optimizer="momentum", learning_rate=0.05, batch_size=10, epochs=400, seed=0
    ),
    regularizations=tuple(method.at(method.default) for method in METHODS.values()),
)
