"""Tests of the estimate of a training's duration."""

from dataclasses import replace

from regviz.engine.cost import seconds, work
from regviz.scenes.scene import Scene
from regviz.spec.experiment import DataSpec, Experiment, NetworkSpec, Regularization, TrainingSpec


def scene_of(epochs: int, **more: object) -> Scene:
    base = Scene()
    return replace(base, training=replace(base.training, epochs=epochs), **more)


def cost(scene: Scene) -> float:
    return seconds(scene.grid().experiment)


def test_cost_grows_with_all_there_is_to_do():
    small = scene_of(100)
    wide = replace(small, network=NetworkSpec((32,) * 6))
    more = replace(small, data=replace(small.data, n_samples=2000))
    single = replace(small, training=replace(small.training, batch_size=1))
    fewer = replace(small, methods=("none",))
    assert (
        cost(fewer) < cost(small) < min(cost(wide), cost(more), cost(single), cost(scene_of(200)))
    )


def test_work_is_counted_in_blocks_of_networks_and_tiles_of_points():
    data = DataSpec(n_samples=100, train_fraction=0.5, validation_fraction=0.2)
    training = TrainingSpec(epochs=10, batch_size=15)
    experiment = Experiment(data, NetworkSpec((8,)), training, (Regularization(),) * 9)
    parameters, units, blocks = 2 * 8 + 8 + 8 + 1, 8 + 1, 2
    steps, tiles = 10 * blocks * 3, 10 * blocks * (4 + 4 + 3)  # of 15, 15 and 10 points
    assert work(experiment) == (
        10,
        steps,
        steps * parameters,
        tiles * parameters,
        tiles * units,
        11,
        11 * blocks * 100 * units,
        0,
    )
    normalized = replace(experiment, network=NetworkSpec((8,), normalization="layer"))
    assert work(normalized) == (*work(experiment)[:-1], tiles * 8)
