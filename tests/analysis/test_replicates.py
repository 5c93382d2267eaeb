"""Tests of joint training over seeds: equal to the bit to a separate run of each seed."""

import dataclasses
import itertools

import numpy as np
import pytest

import regviz
from regviz import DataSpec, Experiment, NetworkSpec, PointsSpec, Regularization, TrainingSpec
from regviz.analysis import replicates as module
from regviz.analysis.replicates import under_seeds, with_seed
from regviz.data.datasets import make_dataset
from regviz.engine.recorder import histories
from regviz.spec.points import SPLITS
from tests.support.networks import assert_same_history

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
SMALL = DataSpec("moons", n_samples=60, label_noise=0.1)
LINE_UP = (
    Regularization(drop_rate=0.3, l1=0.003),
    Regularization(),
    Regularization(max_norm=0.9),
    Regularization(l2=0.05),
    Regularization(drop_rate=0.2, input_drop_rate=0.1, max_norm=0.8),
    Regularization(l1=0.02, onset=2),
    Regularization(drop_rate=0.4, onset=3),
    Regularization.elastic_net(0.02, decoupled=True),
)
SEEDS = (3, 0, 2**32 - 1)


def assert_seeds_equal_their_own_runs(experiment, seeds=SEEDS):
    together = regviz.replicate(experiment, seeds)
    assert len(together) == len(seeds)
    for seed, history in zip(seeds, together, strict=True):
        alone = regviz.train(with_seed(experiment, seed))
        assert history.complete
        assert_same_history(history, alone)
    return together


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("batch_size", [None, 7, 1])
def test_each_seed_is_trained_as_if_alone(batch_size, activation, optimizer):
    training = TrainingSpec(optimizer, 0.05, batch_size, epochs=5)
    n = len(regviz.make_dataset(SMALL).y_train)
    assert n % 7  # the last batch is smaller
    network = NetworkSpec((5, 5, 3), activation)
    assert_seeds_equal_their_own_runs(Experiment(SMALL, network, training, LINE_UP))


@pytest.mark.parametrize("name", ["three_spirals", "bumps", "circles"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whatever_the_task_and_the_precision(dtype, name):
    training = TrainingSpec("momentum", 0.05, 16, epochs=4, dtype=dtype, frames=1)
    network = NetworkSpec((6,), features=("x1", "x2", "x1*x2"))
    assert_seeds_equal_their_own_runs(Experiment(DataSpec(name), network, training, LINE_UP))


@pytest.mark.parametrize("rows", [LINE_UP[:1], LINE_UP[1:2], LINE_UP[4:5]])
@pytest.mark.parametrize("hidden", [(), (4, 4)])
@pytest.mark.parametrize("seeds", [(5,), (5, 6)])
def test_a_single_network_and_a_single_point_at_a_time(seeds, hidden, rows):
    training = TrainingSpec(batch_size=1, epochs=3)
    experiment = Experiment(SMALL, NetworkSpec(hidden), training, rows)
    assert_seeds_equal_their_own_runs(experiment, seeds)


def test_a_network_that_diverges_under_one_seed_leaves_the_others_be():
    training = TrainingSpec(learning_rate=3.0, epochs=30, batch_size=5)
    network = NetworkSpec((16, 16), "linear")
    rows = (Regularization(), Regularization(max_norm=0.1), Regularization(l2=0.3))
    together = assert_seeds_equal_their_own_runs(
        Experiment(DataSpec("plane", n_samples=60), network, training, rows), range(4)
    )
    assert (np.array([history.diverged for history in together])[:, 0] >= 0).any()


def test_own_points_are_split_anew():
    points = np.random.default_rng(0).normal(size=(40, 3)).round(2)
    points[:, 2] = points[:, 0] > 0
    experiment = Experiment(
        PointsSpec(points), training=TrainingSpec(epochs=3), regularizations=LINE_UP
    )
    one, other, _ = assert_seeds_equal_their_own_runs(experiment)
    assert (one.dataset.X_test != other.dataset.X_test).any()


COUNTS = [(17, 5), (45, 5), (59, 5), (73, 5), (87, 5), (5, 17), (3, 97), (7, 7, 7, 7, 7), (9, 4, 3)]
COUNTS += [(n, 5) for n in range(5, 122, 4)]


@pytest.mark.parametrize("fractions", [(0.5, 0.2), (0.8, 0.2), (0.9, 0.05), (0.3, 0.5), (0.5, 0)])
def test_own_points_are_split_in_the_same_sizes_under_every_seed(fractions: tuple[float, float]):
    train, validation = fractions
    splits = [split for split in SPLITS if split != "validation" or validation]
    for counts in COUNTS:
        y = np.repeat(np.arange(len(counts)), counts)
        points = np.column_stack([np.arange(len(y)), np.arange(len(y)) % 7, y])
        task = "binary" if len(counts) == 2 else "multiclass"
        spec = PointsSpec(points, task, train_fraction=train, validation_fraction=validation)
        made = [make_dataset(dataclasses.replace(spec, seed=seed)) for seed in range(12)]
        sizes = {tuple(len(one.points(split)[1]) for split in SPLITS) for one in made}
        assert len(sizes) == 1, counts
        for one, split in itertools.product(made, splits):
            assert set(one.points(split)[1]) == {*y}, counts
        # the sizes nearest to the fractions that leave a point of each class in each split
        assert abs(sizes.pop()[2] - (1 - train) * len(y)) <= len(counts), counts


def test_a_seed_changes_points_weights_batches_and_draws_and_nothing_else():
    experiment = Experiment(SMALL, training=TrainingSpec(epochs=9), regularizations=LINE_UP)
    other = with_seed(experiment, 7)
    assert (other.data.seed, other.training.seed) == (7, 7)
    back = dataclasses.replace(
        other,
        data=dataclasses.replace(other.data, seed=experiment.data.seed),
        training=dataclasses.replace(other.training, seed=experiment.training.seed),
    )
    assert back == experiment
    runs = regviz.replicate(experiment, range(3))
    for one, two in itertools.combinations(runs, 2):
        assert (one.dataset.X_train != two.dataset.X_train).any()
        assert (one.parameters[0] != two.parameters[0]).any()
    for history in runs:  # all networks of a seed start from the same weights
        assert (history.parameters[0] == history.parameters[0, :1]).all()


def test_what_is_watched_grows_epoch_by_epoch_and_can_be_stopped():
    class StopTraining(Exception):
        pass

    calls = itertools.count(1)

    def count() -> None:
        if next(calls) == 4:
            raise StopTraining

    experiment = Experiment(SMALL, training=TrainingSpec(epochs=9))
    growing = histories(*under_seeds(experiment, [1, 2]), count)
    for n_frames in (1, 2, 3, 4):
        assert [len(history.epochs) for history in next(growing)] == [n_frames, n_frames]
    with pytest.raises(StopTraining):
        next(growing)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ((), "^seeds must be a sequence of at least one whole number"),
        ("12", "^seeds must be a sequence"),
        (3, "^seeds must be a sequence"),
        ((1, 2, 1), "^seeds must be without repetition"),
        ((1, -1), r"^seeds\[1\] must be a whole number from 0 to 4294967295, got -1"),
        ((1, 2.5), r"^seeds\[1\] must be a whole number"),
    ],
)
def test_impossible_seeds_are_refused_by_name(seeds, message):
    with pytest.raises(ValueError, match=message):
        regviz.replicate(Experiment(SMALL), seeds)


def test_what_cannot_be_trained_is_refused_before_anything_is():
    with pytest.raises(ValueError, match=r"^experiment must be an Experiment, got 'moons'"):
        regviz.replicate("moons", [1])
    experiment = Experiment(SMALL, training=TrainingSpec(batch_size=1000))
    with pytest.raises(ValueError, match=r"^batch_size must be at most 24"):
        regviz.replicate(experiment, [1], after_epoch=pytest.fail)


def test_seeds_whose_splits_differ_in_size_are_refused(monkeypatch):
    def uneven_split(data):
        dataset = regviz.make_dataset(data)
        if data.seed == 2:
            return dataclasses.replace(
                dataset, X_test=dataset.X_test[1:], y_test=dataset.y_test[1:]
            )
        return dataset

    monkeypatch.setattr(module, "make_dataset", uneven_split)
    allowed = r"24 \+ 6 \+ 30 \+ 1 points and outputs, as for 1, got '24 \+ 6 \+ 29 \+ 1 for 2'"
    with pytest.raises(ValueError, match=r"^seeds must be such that all splits have " + allowed):
        regviz.replicate(Experiment(SMALL), [1, 2])
