"""Tests of changes on the way: what goes on, from when, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

import regviz
from regviz import Phase, Regularization
from regviz.engine.training import recorded_epochs
from regviz.scenes.change import change_from, changed_scene, undo_change
from regviz.scenes.scene import Scene

L1 = Regularization(l1=0.02)
SCENE = Scene(
    regviz.DataSpec("moons", 80),
    regviz.NetworkSpec((3,)),
    regviz.TrainingSpec("adam", 0.01, epochs=40),
    ("none", "l1", "l2"),
)


def request(scene: Scene, method: str, epoch: object, rate: object = 0.01) -> dict[str, object]:
    """Return the board's request to go on from a method's network at its initial strength."""
    grid = scene.grid()
    k = grid.rows({})[scene.methods.index(method)]
    return {"network": k, "epoch": epoch, "learning_rate": rate}


def test_all_networks_go_on_from_the_network_as_it_is():
    before = regviz.train(SCENE.grid().experiment)
    k = request(SCENE, "l1", 20)["network"]
    after = changed_scene(SCENE, SCENE.grid(), request(SCENE, "l1", 20))
    history = regviz.train(after.grid().experiment)
    np.testing.assert_array_equal(history.epochs, before.epochs)
    at = list(history.epochs).index(20)
    for t in range(at + 1):
        for row in history.parameters[t]:
            np.testing.assert_array_equal(row, before.parameters[t, k])
    # the network itself goes on as without the change, with the optimizer's state
    np.testing.assert_array_equal(history.parameters[:, k], before.parameters[:, k])
    others = np.delete(history.parameters[-1], k, axis=0)
    assert all((row != before.parameters[-1, k]).any() for row in others)


def test_another_learning_rate_holds_from_then_on_only():
    after = change_from(SCENE, L1, 20, 0.1)
    assert after.phases == (Phase(20, L1, 0.01),)
    assert after.training == replace(SCENE.training, learning_rate=0.1)
    again = change_from(after, Regularization(), 30, 0.001)
    assert again.phases == (Phase(20, L1, 0.01), Phase(30, Regularization(), 0.1))
    assert again.training.learning_rate == 0.001


def test_a_change_before_an_earlier_one_replaces_it():
    scene = change_from(change_from(SCENE, L1, 20, 0.1), Regularization(l2=1.0), 30, 0.2)
    # all networks are still the L1 network of the first phase
    earlier = change_from(scene, Regularization(l2=1.0), 10, 0.3)
    assert earlier.phases == (Phase(10, L1, 0.01),)
    assert earlier.training.learning_rate == 0.3
    within = change_from(scene, Regularization(), 25, 0.3)
    assert within.phases == (Phase(20, L1, 0.01), Phase(25, Regularization(l2=1.0), 0.1))
    # where the first phase ends, only the learning rate can be another
    at = change_from(scene, Regularization(), 20, 0.3)
    assert at.phases == (Phase(20, L1, 0.01),)


def test_at_the_last_epoch_the_training_goes_on_as_long_again():
    after = change_from(SCENE, L1, 40, 0.01)
    assert (after.phases, after.training.epochs) == ((Phase(40, L1, 0.01),), 80)
    again = change_from(after, L1, 80, 0.01)
    assert again.training.epochs == 120
    # the epoch shown is recorded in the longer training, and not before the change
    long = replace(SCENE, training=replace(SCENE.training, epochs=999))
    shown = changed_scene(long, long.grid(), request(long, "l1", 999))
    assert shown.epoch in recorded_epochs(shown.grid().experiment.training)
    assert shown.epoch >= 999


def test_undo_takes_back_the_last_change_and_its_learning_rate():
    once = change_from(SCENE, L1, 20, 0.1)
    twice = change_from(once, Regularization(), 30, 0.001)
    assert undo_change(twice) == replace(once, epoch=30)
    assert undo_change(undo_change(twice)) == replace(SCENE, epoch=30)
    assert undo_change(SCENE) == SCENE
    assert changed_scene(once, once.grid(), {"undo": True}) == undo_change(once)
    # a change at the last epoch has made the training longer
    longer = change_from(once, L1, 40, 0.3)
    assert longer.training.epochs == 60
    assert undo_change(longer, once) == replace(once, epoch=40)
    assert changed_scene(longer, longer.grid(), {"undo": True}, once) == undo_change(longer, once)
    # a phase at the training's own learning rate
    assert undo_change(replace(SCENE, phases=(Phase(5),))) == SCENE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": -1}, "^network must be a whole number from 0 to 16, got -1"),
        ({"network": 10**6}, "^network must be a whole number"),
        ({"network": "1"}, "^network must be a whole number"),
        ({"network": None}, "^network must be a whole number"),
        ({"epoch": 0}, "^epoch must be a whole number from 1 to 40, got 0"),
        ({"epoch": 41}, "^epoch must be a whole number from 1 to 40, got 41"),
        ({"epoch": 2.5}, "^epoch must be a whole number"),
        ({"learning_rate": 0}, "^learning_rate must be a number from 1e-05 to 10, got 0"),
        ({"learning_rate": float("nan")}, "^learning_rate must be a number"),
        ({"learning_rate": "fast"}, "^learning_rate must be a number"),
    ],
)
def test_a_request_that_cannot_be_followed_is_refused(change: dict, message: str):
    n_last = len(SCENE.grid().experiment.regularizations) - 1
    with pytest.raises(ValueError, match=message.replace("16", str(n_last))):
        changed_scene(SCENE, SCENE.grid(), request(SCENE, "l1", 20) | change)
