"""Tests of the page under limits of cost and of concurrent trainings."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.jobs.run import Run
from regviz.pages import capacity
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server import state
from regviz.server.limits import Limits
from tests.support.playground import QUICK, grid_on, open_page, widget
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("runs")


@pytest.fixture
def fresh_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read the environment again before and after a test that changes it."""
    state.limits.cache_clear()
    yield
    state.limits.cache_clear()


@pytest.fixture
def limited_server(monkeypatch: pytest.MonkeyPatch, fresh_limits: None) -> Limits:
    """Limit a training's cost to slightly more than that of the quick page."""
    scene = Scene()
    quick = replace(
        scene,
        network=regviz.NetworkSpec((2,)),
        training=replace(scene.training, epochs=int(QUICK["epochs"])),
    )
    monkeypatch.setenv(
        "REGVIZ_TRAINING_SECONDS", f"{1.5 * capacity.seconds(quick.grid().experiment)}"
    )
    return state.limits()


def page_text(page: AppTest) -> str:
    assert not page.exception
    return " ".join(each.value for each in (*page.error, *page.warning, *page.info)).replace(
        "\\", ""
    )


def test_a_change_that_costs_too_much_is_refused_and_the_nearest_offered(
    limited_server: Limits, runs: list[Run]
):
    page = open_page(**QUICK)
    before, started = grid_on(page), len(runs)
    widget(page.select_slider, "Epochs").set_value(1000).run()
    assert "1,000 epochs of these 109 networks would take" in page_text(page)
    assert grid_on(page) == before
    assert len(runs) == started
    (offer,) = [button for button in page.button if button.label.startswith("Train ")]
    epochs = int(offer.label.split()[1])
    assert int(QUICK["epochs"]) < epochs < 100
    offer.click().run()
    assert page_text(page) == ""
    assert grid_on(page).experiment.training.epochs == epochs
    assert widget(page.select_slider, "Epochs").value == epochs


def test_of_a_link_that_costs_too_much_the_nearest_is_trained(limited_server: Limits):
    page = open_page(**QUICK | {"epochs": "1000000", "phases": "900000", "epoch": "1000000"})
    assert "1,000,000 epochs of these 109 networks would take" in page_text(page)
    epochs = grid_on(page).experiment.training.epochs
    assert 50 < epochs < 100
    assert f"So {epochs} epochs are trained." in page_text(page)


def test_when_much_is_in_training_a_change_waits_and_begins_by_itself(
    monkeypatch: pytest.MonkeyPatch, fresh_limits: None
):
    page = open_page(**QUICK)
    before: StrengthGrid = grid_on(page)
    wait_until(lambda: state.runs().n_training == 0)
    monkeypatch.setattr(state.runs(), "max_trainings", 0)
    widget(page.slider, "Noise").set_value(0.5).run()
    assert "Many visitors are training" in page_text(page)
    assert grid_on(page) == before
    monkeypatch.setattr(state.runs(), "max_trainings", 10)
    page.run()
    assert page_text(page) == ""
    assert grid_on(page) != before


def test_a_newcomer_is_asked_to_wait_while_too_much_is_in_training(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state.runs(), "max_trainings", 0)
    page = open_page(**QUICK)
    assert "Many visitors are training" in page_text(page)
    monkeypatch.setattr(state.runs(), "max_trainings", 10)
    page.run()
    assert page_text(page) == ""
    assert grid_on(page).experiment.training.epochs == int(QUICK["epochs"])


# ------------------------------------------------------------------------------ the nearest scene


def scene_of(epochs: int, **more: object) -> Scene:
    base = Scene()
    return replace(base, training=replace(base.training, epochs=epochs), **more)


def cost(scene: Scene) -> float:
    return capacity.seconds(scene.grid().experiment)


def test_what_is_allowed_stays_as_it_is():
    asked = scene_of(200, phases=(regviz.Phase(20),), epoch=100)
    assert capacity.affordable(asked, cost(asked)) is asked


@pytest.mark.parametrize("limit", [0.5, 3.0, 60.0])
def test_the_nearest_is_just_below_the_limit(limit: float):
    asked = scene_of(1_000_000, phases=(regviz.Phase(2), regviz.Phase(900_000)), epoch=950_000)
    assert cost(asked) > limit
    found = capacity.affordable(asked, limit)
    assert 0.85 * limit < cost(found) <= limit
    epochs = found.training.epochs
    assert found == asked.with_epochs(epochs)
    assert found.phases == (regviz.Phase(2),)
    assert found.epoch == epochs
    assert int(str(epochs)[2:] or 0) == 0  # a number that can be read


def test_one_epoch_is_always_allowed():
    assert capacity.affordable(scene_of(1_000_000), 1e-9).training.epochs == 1
