"""The experiment that a visitor meets before touching anything."""

from regviz.methods.catalogue import METHODS, offered
from regviz.methods.strengths import DEFAULT_STRENGTH_INDEX
from regviz.spec.experiment import DataSpec, Experiment, NetworkSpec, TrainingSpec

_DATA = DataSpec(
    "circles", n_samples=400, noise=0.2, train_fraction=0.2, validation_fraction=0.25, seed=2
)
_NETWORK = NetworkSpec(hidden=(8, 8, 8), activation="tanh")
_TRAINING = TrainingSpec(
    optimizer="momentum", learning_rate=0.05, batch_size=10, epochs=400, seed=2
)

# Few and noisy points, and a network with many more weights than it needs: without regularization
# it overfits, L1 drives most of its weights to exactly 0, and the best of the others tests clearly
# better. tests/board/test_showcase.py holds it to that, over several seeds. With this one its few
# validation points also choose well.
SHOWCASE = Experiment(
    _DATA,
    _NETWORK,
    _TRAINING,
    regularizations=tuple(
        column[min(DEFAULT_STRENGTH_INDEX, len(column) - 1)]
        for column in offered(list(METHODS), _DATA, _NETWORK, _TRAINING)
    ),
)
