"""Tests of the line above the board."""

import pytest

import regviz
from regviz.data.datasets import n_train_of
from regviz.pages.opening import HINT, question
from regviz.scenes.showcase import SHOWCASE
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS

POINTS = tuple((x / 10, -x / 10, x % 2) for x in range(24))


def test_the_first_page_asks_what_to_do_with_sixty_noisy_points():
    assert n_train_of(SHOWCASE.data) == 60
    assert question(SHOWCASE.data) == "What should a network do with sixty noisy points?"


@pytest.mark.parametrize("name", DATASETS)
def test_points_are_called_noisy_only_with_noise(name: str):
    quiet = regviz.DataSpec(name, 400, noise=0, train_fraction=0.2)
    noisy = regviz.DataSpec(name, 400, noise=0.1, train_fraction=0.2)
    assert "noisy" not in question(quiet)
    assert ("noisy" in question(noisy)) == DATASETS[name].noisy


def test_wrong_labels_are_noise():
    data = regviz.DataSpec("moons", 400, noise=0, label_noise=0.1, train_fraction=0.2)
    assert "noisy" in question(data)


def test_the_question_counts_the_training_points():
    for n_samples, words in ((100, "seventy"), (20, "fourteen"), (400, "280"), (30, "21")):
        data = regviz.DataSpec(
            "moons", n_samples, noise=0.0, train_fraction=0.7, validation_fraction=0
        )
        assert question(data) == f"What should a network do with {words} points?"


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_own_points_are_called_the_visitors(task: str):
    data = PointsSpec(POINTS, task, train_fraction=0.5, validation_fraction=0)
    assert question(data) == "What should a network do with twelve of your points?"


def test_the_line_fits_beside_the_buttons_in_a_window_of_1400_pixels():
    points = {name: min(2000, toy.most_samples) for name, toy in DATASETS.items()}
    longest = max(len(question(regviz.DataSpec(name, n, noise=0.2))) for name, n in points.items())
    assert longest + len(HINT) < 90
