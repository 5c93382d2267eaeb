"""The first experiment of the page, before any setting is changed."""

from regviz.methods.catalogue import offered
from regviz.methods.strengths import DEFAULT_STRENGTH_INDEX
from regviz.spec.experiment import DataSpec, Experiment, NetworkSpec, TrainingSpec

# Also the default of links and files of version 1: a change needs new versions of both. The methods
# of the catalogue that are not in it are off initially.
LINE_UP = ("none", "l1", "l2", "elastic_net", "dropout", "max_norm")

_DATA = DataSpec(
    "circles", n_samples=400, noise=0.2, train_fraction=0.2, validation_fraction=0.25, seed=2
)
_NETWORK = NetworkSpec(hidden=(8, 8, 8), activation="tanh")
_TRAINING = TrainingSpec(
    optimizer="momentum", learning_rate=0.05, batch_size=10, epochs=400, seed=2
)

# Few, noisy points and a network with far too many weights: without regularization it overfits, L1
# sets most weights to exactly 0, and the best method has a clearly lower test loss. All this is
# tested over several seeds (tests/board/test_showcase.py). With this seed, the validation points
# also select a strength with a low test loss.
SHOWCASE = Experiment(
    _DATA,
    _NETWORK,
    _TRAINING,
    regularizations=tuple(
        column[min(DEFAULT_STRENGTH_INDEX, len(column) - 1)]
        for column in offered(LINE_UP, _DATA, _NETWORK, _TRAINING)
    ),
)
