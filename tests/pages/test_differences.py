"""Tests of the phrases for the differences between two scenes."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from regviz import DataSpec, NetworkSpec, Phase, PointsSpec, Regularization, TrainingSpec
from regviz.pages.differences import differences
from regviz.scenes.scene import Scene
from tests.support.scenes import scenes

NOW = Scene()
LINE = PointsSpec([(i, i % 7, i % 2) for i in range(40)], seed=9)


def data(**changes) -> Scene:
    return replace(NOW, data=replace(NOW.data, **changes))


def network(**changes) -> Scene:
    return replace(NOW, network=replace(NOW.network, **changes))


def training(**changes) -> Scene:
    return replace(NOW, training=replace(NOW.training, **changes))


@pytest.mark.parametrize(
    ("pin", "phrases"),
    [
        (NOW, []),
        (data(name="moons"), ["Moons instead of Circles"]),
        (data(noise=0.3), ["noise 0.3 instead of 0.2"]),
        (data(label_noise=0.1), ["10 % wrong labels instead of 0 %"]),
        (data(train_fraction=0.3), ["90 training points instead of 60"]),
        (data(n_samples=200), ["30 training points instead of 60"]),
        (data(standardize=False), ["raw instead of standardized"]),
        (replace(NOW, data=LINE), ["Your points instead of Circles", "16 training points"]),
        (network(hidden=(4, 4, 4)), ["4 units instead of 8"]),
        (network(hidden=(8,)), ["1 hidden layer instead of 3"]),
        (network(hidden=()), ["no hidden layers instead of 3"]),
        (network(hidden=(4, 2)), ["2 hidden layers instead of 3", "4, 2 units instead of 8"]),
        (network(activation="leaky_relu"), ["leaky ReLU instead of tanh"]),
        (network(features=("x1", "x1^2")), ["inputs x₁, x₁² instead of x₁, x₂"]),
        (training(optimizer="adam"), ["Adam instead of SGD with momentum"]),
        (training(learning_rate=0.03), ["learning rate 0.03 instead of 0.01"]),
        (training(batch_size=None), ["batch size all instead of 10"]),
        (training(epochs=400), ["400 epochs instead of 1,000"]),
        (training(seed=3), ["training seed 3 instead of 9"]),
        (
            replace(data(seed=3), training=replace(NOW.training, seed=3)),
            ["seed 3 instead of 9"],
        ),
        (
            replace(NOW, methods=("none", "l1", "l2"), early_stopping=False),
            ["without Elastic net, Dropout, Max-norm", "without early stopping"],
        ),
        (
            replace(NOW, phases=(Phase(200, Regularization(l1=0.01), 0.03),)),
            ["with L1 λ₁ = 0.01 and learning rate 0.03 until epoch 200"],
        ),
        (replace(NOW, strengths={"l1": 0.015}), ["L1 λ₁ = 0.015 instead of 0.003"]),
        (replace(NOW, strengths={"dropout": 0.5}), ["Dropout drop 50 % instead of 20 %"]),
        (replace(NOW, epoch=200), ["epoch 200 instead of 1,000"]),
        (replace(NOW, focus="l2"), []),
    ],
)
def test_each_difference_is_named_as_on_the_page(pin: Scene, phrases: list[str]):
    found = differences(pin, NOW)
    assert len(found) == len(phrases)
    for phrase, expected in zip(found, phrases, strict=True):
        assert phrase.startswith(expected)


def test_phrases_come_in_the_order_of_the_page():
    pin = Scene(
        DataSpec("circles", 400, 0.3, train_fraction=0.2, validation_fraction=0.25, seed=9),
        NetworkSpec((4, 4, 4)),
        TrainingSpec("momentum", 0.03, 10, 1000, seed=9),
        ("none", "l1"),
        strengths={"l1": 0.1},
        epoch=0,
    )
    first_words = [phrase.split()[0] for phrase in differences(pin, NOW)]
    assert first_words == ["noise", "4", "learning", "without", "L1", "epoch"]


def test_a_strength_that_the_page_chose_for_other_settings_is_no_difference():
    pin = network(activation="relu")
    assert pin.grid().strengths("dropout") != NOW.grid().strengths("dropout")
    assert differences(pin, NOW) == ["ReLU instead of tanh"]


def test_phases_of_both_or_of_the_present_run_are_named():
    pin = replace(NOW, phases=(Phase(200),))
    assert differences(NOW, pin) == ["without None until epoch 200"]
    now = replace(NOW, phases=(Phase(100, Regularization(l2=0.1)),))
    assert differences(pin, now) == ["None until epoch 200 instead of L2 λ₂ = 0.1 until epoch 100"]


def test_strengths_of_methods_that_only_one_shows_are_not_compared():
    pin = replace(NOW, methods=("none", "l1"), strengths={"l2": 1})
    assert differences(pin, NOW) == ["without L2, Elastic net, Dropout, Max-norm"]


def test_other_points_of_ones_own_are_named():
    other = PointsSpec([(i, i % 5, i % 2) for i in range(40)], seed=9)
    own, now = (replace(NOW, data=points) for points in (LINE, other))
    assert differences(own, now) == ["other points of your own"]
    assert differences(own, own) == []


def test_the_end_of_a_shorter_run_is_named_once():
    assert differences(replace(training(epochs=400), epoch=400), NOW) == [
        "400 epochs instead of 1,000",
        "epoch 400 instead of 1,000",
    ]
    assert differences(training(epochs=400), replace(NOW, epoch=400)) == [
        "400 epochs instead of 1,000"
    ]


# strengths are compared as the page shows them, and the others are no settings of a run
NOT_COMPARED = {"focus", "strengths", "variants", "hide", "pins"}


@hypothesis_settings(deadline=None, max_examples=30)
@given(scenes(0), scenes(0))
def test_scenes_with_a_different_setting_have_a_difference(pin: Scene, now: Scene):
    compared = {field.name for field in fields(Scene)} - NOT_COMPARED
    changed = {name for name in compared if getattr(pin, name) != getattr(now, name)}
    changed -= {"data"} if isinstance(pin.data, PointsSpec) else set()  # names, task
    assert bool(differences(pin, now)) >= bool(changed)
    assert differences(pin, pin) == []
