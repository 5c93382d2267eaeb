"""Tests of the view "Code"."""

import re

import numpy as np
import pytest

import regviz
from regviz import NetworkSpec, Regularization, TrainingSpec
from regviz.methods.catalogue import METHODS
from regviz.pages.understand.code import ended
from regviz.programs import LIBRARIES, program
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.views import open_view, snapshot_of


@pytest.fixture(scope="module")
def grid() -> StrengthGrid:
    training = TrainingSpec("momentum", 0.05, epochs=5, frames=5)
    return StrengthGrid.of(list(METHODS), SHOWCASE.data, NetworkSpec((4,)), training)


@pytest.fixture(scope="module")
def history(grid):
    return regviz.train(grid.experiment)


@pytest.mark.parametrize("focus", METHODS)
def test_it_shows_the_program_of_the_network_in_focus(grid, history, focus):
    page = open_view("code", snapshot_of(grid, history, focus, {focus: 2}))
    k = grid.rows({focus: 2})[list(METHODS).index(focus)]
    assert page.code[0].value == program(grid.experiment, k, "pytorch").source.strip()
    page.segmented_control(key="code_library").select("keras").run()
    assert page.code[0].value == program(grid.experiment, k, "keras").source.strip()


def test_where_a_library_lacks_something_it_says_what_and_names_the_others(grid, history):
    page = open_view("code", snapshot_of(grid, history, "dropout"))
    page.segmented_control(key="code_library").select("scikit-learn").run()
    assert page.info[0].value == "scikit-learn has no dropout. Choose PyTorch or Keras."
    assert not page.code
    assert not page.exception


def test_the_program_and_its_points_can_be_downloaded(grid, history):
    page = open_view("code", snapshot_of(grid, history))
    assert [button.proto.label for button in page.get("download_button")] == [
        "Program",
        "points.csv",
    ]


def test_it_says_what_the_boards_network_came_to(grid, history):
    text = ended(history, 1)
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", text)]
    metrics = {name: values[-1, 1] for name, values in history.metrics.items()}
    expected = [
        *(metrics["train_loss"], 100 * metrics["train_accuracy"]),
        *(metrics["test_loss"], 100 * metrics["test_accuracy"]),
        100 * metrics["sparsity"],
    ]
    np.testing.assert_allclose(numbers, expected, atol=0.051)
    np.testing.assert_allclose(numbers[::2][:2], expected[::2][:2], atol=6e-5)


def test_regression_has_no_accuracy_and_a_diverged_network_no_numbers():
    data = regviz.DataSpec("plane", n_samples=40)
    steep = TrainingSpec(learning_rate=10, epochs=40, batch_size=None)
    for training, phrase in ((TrainingSpec(epochs=2), "test loss"), (steep, "diverged")):
        network = NetworkSpec((8, 8), "relu")
        rows = (Regularization(),)
        history = regviz.train(regviz.Experiment(data, network, training, rows))
        text = ended(history, 0)
        assert phrase in text
        assert "accuracy" not in text
        assert "nan" not in text


def test_every_library_can_be_chosen(grid, history):
    page = open_view("code", snapshot_of(grid, history))
    control = page.segmented_control(key="code_library")
    assert control.options == [library.NAME for library in LIBRARIES.values()]
    assert control.value == "pytorch"
