"""The first experiment of the page, before any setting is changed."""

from regviz.methods.catalogue import initial
from regviz.spec.experiment import DataSpec, Experiment, NetworkSpec, TrainingSpec

# Also the default of links and files of version 2: a change needs new versions of both. The methods
# of the catalogue that are not in it are off initially.
LINE_UP = ("none", "l1", "l2", "elastic_net", "dropout", "max_norm")

# of those from 0 to 19 the one that `regviz.analysis.opening.most_typical_seed` selects
_SEED = 9

_DATA = DataSpec(
    "circles", n_samples=400, noise=0.2, train_fraction=0.2, validation_fraction=0.25, seed=_SEED
)
_NETWORK = NetworkSpec(hidden=(8, 8, 8), activation="tanh")
_TRAINING = TrainingSpec(
    optimizer="momentum", learning_rate=0.01, batch_size=10, epochs=1000, seed=_SEED
)

# Few, noisy points and a network with far too many weights. The claims of
# `regviz.analysis.opening.opening_claims` hold in at least 18 of 20 seeds, and in this one
# (tests/scenes/test_showcase.py).
SHOWCASE = Experiment(
    _DATA,
    _NETWORK,
    _TRAINING,
    regularizations=initial(LINE_UP, _DATA, _NETWORK, _TRAINING),
)
