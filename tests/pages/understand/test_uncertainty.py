"""Tests of the view "Uncertainty"."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.delta_generator import DeltaGenerator

import regviz
from regviz.analysis import mc_dropout
from regviz.analysis.mc_dropout import over_plane
from regviz.pages.understand import uncertainty as view
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.views import method_choice, open_view, snapshot_of

DATA = regviz.DataSpec("moons", n_samples=80)
TRAINING = regviz.TrainingSpec("momentum", 0.05, epochs=20, frames=1)
METHODS = ("none", "l1", "dropout", "max_norm")


def snapshot(methods=METHODS, focus="dropout", name="moons", hidden=(4,), strength_indices=None):
    network = regviz.NetworkSpec(hidden=hidden)
    grid = StrengthGrid.of(methods, replace(DATA, name=name), network, TRAINING)
    return snapshot_of(grid, focus=focus, strength_indices=strength_indices)


@pytest.fixture
def drawn(monkeypatch):
    log = SimpleNamespace(figures=[])
    monkeypatch.setattr(view, "draw", lambda figure, key: log.figures.append(figure))
    return log


@pytest.fixture(scope="module")
def board_snapshot():
    return snapshot()


def page_text(page):
    return " ".join(caption.value for caption in page.caption)


def test_the_view_draws_two_maps_with_the_real_components(board_snapshot):
    page = open_view("uncertainty", board_snapshot)
    assert [element.type for element in page.main].count("plotly_chart") == 2


def test_the_cards_network_is_drawn_without_and_with_dropout(drawn):
    for strength_index in (1, 6):
        drawn.figures.clear()
        board_snapshot = snapshot(strength_indices={"dropout": strength_index})
        open_view("uncertainty", board_snapshot)
        k = board_snapshot.network("dropout")
        assert board_snapshot.grid.experiment.regularizations[k].drop_rate > 0
        plane = over_plane(board_snapshot.history, k, passes=100)
        plain, passed = drawn.figures
        np.testing.assert_array_equal(plain.data[0].z, plane.plain_entropy)
        np.testing.assert_array_equal(passed.data[0].z, plane.uncertainty.predictive)


def test_max_norm_has_dropout_too_and_the_focus_is_followed(board_snapshot, drawn):
    open_view("uncertainty", replace(board_snapshot, focus="max_norm"))
    plane = over_plane(board_snapshot.history, board_snapshot.network("max_norm"), passes=100)
    np.testing.assert_array_equal(drawn.figures[-1].data[0].z, plane.uncertainty.predictive)


def test_in_focus_without_dropout_the_dropout_card_is_shown(board_snapshot, drawn):
    page = open_view("uncertainty", replace(board_snapshot, focus="l1"))
    assert method_choice(page).value == "dropout"


def test_passes_and_part_can_be_chosen_and_the_part_is_explained(board_snapshot, drawn):
    page = open_view("uncertainty", board_snapshot)
    assert "entropy of the mean prediction" in page_text(page)
    page.slider("uncertainty_passes").set_value(20)
    page.segmented_control("uncertainty_part").set_value("epistemic").run()
    assert "mutual information" in page_text(page)
    plane = over_plane(board_snapshot.history, board_snapshot.network("dropout"), passes=20)
    np.testing.assert_array_equal(drawn.figures[-1].data[0].z, plane.uncertainty.epistemic)


def test_the_passes_are_not_made_again_for_another_part(board_snapshot, drawn, monkeypatch):
    made = []

    def count_calls(*args, **options):
        made.append(options["passes"])
        return over_plane(*args, **options)

    monkeypatch.setattr(view, "over_plane", count_calls)
    page = open_view("uncertainty", board_snapshot)
    page.segmented_control("uncertainty_part").set_value("aleatoric").run()
    assert made == [100]
    page.slider("uncertainty_passes").set_value(30).run()
    assert made == [100, 30]


def test_while_many_passes_are_made_a_bar_says_how_many(board_snapshot, drawn, monkeypatch):
    told, progress = [], DeltaGenerator.progress

    def record_progress(bar, share, text):
        told.append((share, text))
        return progress(bar, share, text)

    monkeypatch.setattr(DeltaGenerator, "progress", record_progress)
    page = open_view("uncertainty", board_snapshot)
    assert told == []
    monkeypatch.setattr(mc_dropout, "MAX_LAYER_VALUES", 2**16)
    page.slider("uncertainty_passes").set_value(50).run()
    assert not page.exception
    shares = [share for share, _ in told]
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert {text for _, text in told} == {"Predicting 50 times"}


def test_regression_shows_prediction_and_standard_deviation_and_no_parts(drawn):
    board_snapshot = snapshot(name="bumps")
    page = open_view("uncertainty", board_snapshot)
    assert [c.label for c in page.segmented_control] == ["Method"]
    plane = over_plane(board_snapshot.history, board_snapshot.network("dropout"), passes=100)
    plain, passed = drawn.figures
    np.testing.assert_array_equal(plain.data[0].z, plane.plain)
    np.testing.assert_array_equal(passed.data[0].z, plane.uncertainty.predictive)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"methods": ("none", "l1"), "focus": "l1"}, "Switch on Dropout in the line-up."),
        ({"hidden": ()}, "Dropout acts on hidden units, and this network has none. Add a layer."),
    ],
)
def test_where_there_is_no_dropout_it_says_what_to_do(drawn, arguments, text):
    page = open_view("uncertainty", snapshot(**arguments))
    assert [info.value for info in page.info] == [text]
    assert not drawn.figures


def test_a_diverged_network_is_not_drawn_and_it_says_what_to_do(board_snapshot, drawn):
    diverged = np.full(len(board_snapshot.history.diverged), 5)
    page = open_view(
        "uncertainty",
        replace(board_snapshot, history=replace(board_snapshot.history, diverged=diverged)),
    )
    assert page.info[0].value.startswith("This network has diverged.")
    assert not drawn.figures
    # other methods can be chosen
    assert method_choice(page).options == ["Dropout", "Max-norm"]
