"""What a server does not take on is said, offered in part or begun later; what is there stays."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.board.scene import Scene
from regviz.board.strength_grid import StrengthGrid
from regviz.jobs.registry import Busy, JobRegistry
from regviz.jobs.run import Run
from regviz.pages import capacity
from regviz.server import state
from regviz.server.limits import Limits
from tests.jobs.test_runs import LONG, SHORT, finish, until
from tests.pages.test_playground import QUICK, grid_on, open_page, runs, widget

__all__ = ["runs"]  # the fixture that ends all runs

OTHER = replace(SHORT, data=regviz.DataSpec(seed=1))


@pytest.fixture
def granting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read the environment again, before and after a test that changes it."""
    state.limits.cache_clear()
    yield
    state.limits.cache_clear()


# ------------------------------------------------------------------------------ trainings


def test_no_more_trainings_are_taken_on_than_allowed():
    pool = JobRegistry(max_trainings=1)
    run = pool.get(LONG, "a")
    assert pool.full
    with pytest.raises(Busy, match="1 trainings"):
        pool.get(SHORT, "b")
    with pytest.raises(Busy):
        pool.replicate(SHORT, (1, 2), "b")
    assert pool.get(LONG, "b") is run  # which is there already
    assert pool.n_training == 1
    assert (pool.n_started, pool.n_refused) == (1, 2)
    run.leave("a")
    run.leave("b")
    until(lambda: not pool.full)
    assert finish(pool.get(SHORT, "b")).complete


def test_no_more_is_taken_on_than_there_is_memory_for():
    pool = JobRegistry(max_bytes=1)
    run = pool.get(LONG)
    with pytest.raises(Busy):
        pool.get(SHORT)
    run.leave("")


def test_what_is_on_screen_is_trained_again_however_busy_it_is():
    pool = JobRegistry(max_trainings=1)
    run = pool.get(LONG)
    assert finish(pool.get(SHORT, always=True)).complete
    run.leave("")


def test_what_is_still_in_training_is_not_let_go():
    pool = JobRegistry(max_bytes=1)
    run = pool.get(LONG)
    short = pool.get(SHORT, always=True)
    until(lambda: not short.in_progress)
    finish(pool.get(OTHER, always=True))
    assert pool.get(LONG) is run
    assert len(pool) == 2  # and what was asked for last
    run.leave("")


def test_what_nobody_asks_for_is_let_go_after_a_while(monkeypatch: pytest.MonkeyPatch):
    pool = JobRegistry(max_age=60)
    run = pool.get(SHORT)
    finish(run)
    finish(pool.get(OTHER))
    until(lambda: pool.n_training == 0)
    now = [1e6]
    monkeypatch.setattr("regviz.jobs.registry.time.monotonic", lambda: now[0])
    assert pool.get(SHORT) is run
    pool.evict_expired()
    assert len(pool) == 1  # the other was asked for long ago
    now[0] += 59
    pool.evict_expired()
    assert pool.get(SHORT) is run
    now[0] += 61
    pool.evict_expired()
    assert len(pool) == pool.n_bytes == 0


def test_trainings_are_counted():
    pool = JobRegistry()
    for experiment in (SHORT, OTHER, SHORT, SHORT):
        finish(pool.get(experiment))
    assert (pool.n_started, pool.n_refused) == (2, 0)


# ------------------------------------------------------------------------------ the page


@pytest.fixture
def modest(monkeypatch: pytest.MonkeyPatch, granting: None) -> Limits:
    """A server that grants a training just what the quick page takes, and a little more."""
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


def said(page: AppTest) -> str:
    assert not page.exception
    return " ".join(each.value for each in (*page.error, *page.warning, *page.info)).replace(
        "\\", ""
    )


def test_a_change_that_costs_too_much_is_refused_and_the_nearest_offered(
    modest: Limits, runs: list[Run]
):
    page = open_page(**QUICK)
    before, started = grid_on(page), len(runs)
    page.select_slider(key="epochs").set_value(1000).run()
    assert "1,000 epochs of these 41 networks would take" in said(page)
    assert grid_on(page) == before
    assert len(runs) == started
    (offer,) = [button for button in page.button if button.label.startswith("Train ")]
    epochs = int(offer.label.split()[1])
    assert int(QUICK["epochs"]) < epochs < 100
    offer.click().run()
    assert said(page) == ""
    assert grid_on(page).experiment.training.epochs == epochs
    assert page.select_slider(key="epochs").value == epochs


def test_of_a_link_that_costs_too_much_the_nearest_is_trained(modest: Limits):
    page = open_page(**QUICK | {"epochs": "1000000", "onset": "900000", "epoch": "1000000"})
    assert "1,000,000 epochs of these 41 networks would take" in said(page)
    epochs = grid_on(page).experiment.training.epochs
    assert 50 < epochs < 100
    assert f"So {epochs} epochs are trained." in said(page)


def test_when_much_is_in_training_a_change_waits_and_begins_by_itself(
    monkeypatch: pytest.MonkeyPatch, granting: None
):
    page = open_page(**QUICK)
    before: StrengthGrid = grid_on(page)
    until(lambda: state.runs().n_training == 0)
    monkeypatch.setattr(state.runs(), "max_trainings", 0)
    widget(page.slider, "Noise").set_value(0.5).run()
    assert "Many visitors are training" in said(page)
    assert grid_on(page) == before
    monkeypatch.setattr(state.runs(), "max_trainings", 10)
    page.run()
    assert said(page) == ""
    assert grid_on(page) != before


def test_who_comes_when_much_is_in_training_is_told_to_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state.runs(), "max_trainings", 0)
    page = open_page(**QUICK)
    assert "Many visitors are training" in said(page)
    monkeypatch.setattr(state.runs(), "max_trainings", 10)
    page.run()
    assert said(page) == ""
    assert grid_on(page).experiment.training.epochs == int(QUICK["epochs"])
