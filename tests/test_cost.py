"""What would cost too much has a nearest that does not."""

import gc
from dataclasses import replace

import pytest
import torch

from regviz.cost import COEFFICIENTS, MOST, affordable, company, memory, seconds, work
from regviz.cube import Cube
from regviz.datasets import make_dataset
from regviz.experiment import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec
from regviz.recorder import Growing
from regviz.regularization import METHODS
from regviz.scene import Scene
from regviz.training import Program
from regviz.turns import _threads
from tests.test_runs import until


def scene(epochs: int, **more: object) -> Scene:
    base = Scene()
    return replace(base, training=replace(base.training, epochs=epochs), **more)


def cost(of: Scene) -> float:
    return seconds(of.cube().experiment)


def test_cost_grows_with_all_there_is_to_do():
    small = scene(100)
    wide = replace(small, network=NetworkSpec((32,) * 6))
    more = replace(small, data=replace(small.data, n_samples=2000))
    single = replace(small, training=replace(small.training, batch_size=1))
    fewer = replace(small, methods=("none",))
    assert cost(fewer) < cost(small) < min(cost(wide), cost(more), cost(single), cost(scene(200)))


def test_work_is_counted_for_all_networks():
    data = DataSpec(n_samples=100, train_fraction=0.5, validation_fraction=0.2)
    training = TrainingSpec(epochs=10, batch_size=15)
    experiment = Experiment(data, NetworkSpec((8,)), training, (Regularization(),) * 3)
    steps, parameters, units = 10 * 3, 2 * 8 + 8 + 8 + 1, 8 + 1
    assert work(experiment) == (
        steps,
        steps * 2,
        steps * 3 * parameters,
        10 * 40 * 3 * parameters,
        10 * 40 * 3 * units,
        11,
        11 * 100 * 3 * parameters,
        11 * 100 * 3 * units,
    )


def test_what_is_allowed_stays_as_it_is():
    asked = scene(200, onset=20, epoch=100)
    assert affordable(asked, cost(asked)) is asked


@pytest.mark.parametrize("limit", [0.5, 3.0, 60.0])
def test_the_nearest_is_just_below_the_limit(limit: float):
    asked = scene(1_000_000, onset=900_000, epoch=950_000)
    assert cost(asked) > limit
    found = affordable(asked, limit)
    assert 0.85 * limit < cost(found) <= limit
    epochs = found.training.epochs
    assert found == asked.with_epochs(epochs)
    assert found.onset == epochs - 1
    assert found.epoch == epochs
    assert int(str(epochs)[2:] or 0) == 0  # a number that can be read


def test_one_epoch_is_always_allowed():
    assert affordable(scene(1_000_000), 1e-9).training.epochs == 1


def test_small_networks_are_worth_training_in_company_and_large_ones_are_not():
    small = Experiment(network=NetworkSpec((4,)), regularizations=(Regularization(),) * 6)
    wide = replace(small, network=NetworkSpec((32,) * 4))
    assert company(small) == MOST
    assert company(wide) == 1
    several = [
        company(replace(small, regularizations=(Regularization(),) * n)) for n in range(1, 60)
    ]
    assert several == sorted(several, reverse=True)
    assert several[-1] == 1
    # nor are those that are measured after every epoch, as each has to be by itself
    assert company(replace(small, training=TrainingSpec(epochs=20_000))) == MOST
    assert company(replace(small, training=TrainingSpec(epochs=20))) == 1


def test_in_company_the_mean_wait_is_no_longer_than_one_after_another():
    for hidden in ((), (4,), (8, 8), (16, 16), (32,) * 3):
        for n_networks in (1, 6, 35):
            one = Experiment(
                network=NetworkSpec(hidden), regularizations=(Regularization(),) * n_networks
            )
            n = company(one)
            alone, more = (
                seconds(replace(one, regularizations=one.regularizations * m)) for m in (1, n)
            )
            recording = COEFFICIENTS[5] * work(one)[5]  # each has its own
            assert more + (n - 1) * recording <= (n + 1) / 2 * alone * 1.0001


def held() -> dict[int, int]:
    """The size of every tensor's memory that there is, by its address."""
    gc.collect()
    storages = [t.untyped_storage() for t in gc.get_objects() if isinstance(t, torch.Tensor)]
    return {storage.data_ptr(): storage.nbytes() for storage in storages}


@pytest.mark.parametrize("methods", [tuple(METHODS), ("none",), ("none", "dropout")])
@pytest.mark.parametrize("n_runs", [1, 3])
@pytest.mark.parametrize(
    ("hidden", "n_samples", "training"),
    [
        ((32,) * 6, 2000, TrainingSpec(epochs=9, batch_size=15, optimizer="adam")),
        ((32,) * 3, 2000, TrainingSpec(epochs=9, batch_size=None, optimizer="sgd")),
        ((8, 8), 400, TrainingSpec(epochs=200, batch_size=30, dtype="float64")),
        ((8, 8), 400, TrainingSpec(epochs=200, batch_size=100, optimizer="momentum")),
        ((), 2000, TrainingSpec(epochs=9, batch_size=1)),
    ],
)
def test_memory_is_what_training_holds(
    methods: tuple[str, ...],
    n_runs: int,
    hidden: tuple[int, ...],
    n_samples: int,
    training: TrainingSpec,
):
    data = DataSpec("moons", n_samples=n_samples)
    experiment = Cube.of(methods, data, NetworkSpec(hidden), training).experiment
    dataset = make_dataset(data)
    until(lambda: not _threads)  # what an earlier test has begun allocates too
    before = held()
    program = Program([experiment] * n_runs, [dataset] * n_runs)
    program.train_epoch(0)
    allocated = sum(size for at, size in held().items() if at not in before)
    growing = Growing(experiment, dataset)
    recorded = growing.parameters.nbytes + sum(m.nbytes for m in growing.metrics.values())
    recorded *= n_runs
    assert 0.8 < memory(experiment, n_runs) / (allocated + recorded) < 1.4
    assert len(program.experiments) == n_runs  # it was there until then
