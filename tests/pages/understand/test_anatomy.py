"""Tests of the view "Anatomy"."""

import re
from dataclasses import replace

import pytest

import regviz
from regviz import NetworkSpec, TrainingSpec
from regviz.methods.catalogue import METHODS
from regviz.pages.understand.anatomy import N_STEPS
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.views import markdown, open_view, show, snapshot_of


@pytest.fixture(scope="module")
def snapshot():
    training = TrainingSpec("momentum", 0.05, epochs=6, frames=6)
    grid = StrengthGrid.of(list(METHODS), SHOWCASE.data, NetworkSpec((4,)), training)
    return snapshot_of(grid)


def sums(page) -> list[list[float]]:
    """Return the numbers of each sum in large digits, with their signs."""
    texts = [one.proto.body for one in page.get("html") if "regviz-sum" in one.proto.body]
    found = [re.findall(r"<b>(.*?)</b>", text) for text in texts]
    return [
        [float(re.sub(r"[+=\s]", "", term).replace("−", "-")) for term in terms]
        for terms in found
        if terms
    ]


def assert_adds_up(page) -> list[list[float]]:
    losses, weight = sums(page)
    for terms in (losses, weight):
        assert sum(terms[:-1]) == pytest.approx(terms[-1], abs=1e-9)
    return [losses, weight]


def test_next_and_back_go_through_the_steps_and_the_numbers_add_up(snapshot):
    page = open_view("anatomy", replace(snapshot, epoch=2))
    k = snapshot.network("l1")
    steps = regviz.anatomy(snapshot.grid.experiment, k, 2, N_STEPS).steps
    losses, first = assert_adds_up(page)
    assert losses == pytest.approx(
        [steps[0].data_loss, steps[0].penalty, steps[0].objective], abs=2e-4
    )
    assert "after epoch 2 · mini-batch 1 of 6" in markdown(page)
    assert page.button(key="anatomy_back").disabled
    page.button(key="anatomy_next").click().run()
    losses, second = assert_adds_up(page)
    assert losses[-1] == pytest.approx(steps[1].objective, abs=2e-4)
    assert second[0] == pytest.approx(first[-1], abs=2e-4)
    assert "mini-batch 2 of 6" in markdown(page)
    page.button(key="anatomy_back").click().run()
    assert assert_adds_up(page)[1] == first


def test_it_follows_the_boards_epoch_and_ends_with_its_last_one(snapshot):
    page = open_view("anatomy", snapshot)
    assert "after epoch 6" in markdown(page)
    page.button(key="anatomy_next").click().run()
    show(page, replace(snapshot, epoch=4))
    assert "after epoch 4 · mini-batch 1" in markdown(page)


def test_it_plays_to_the_last_step_and_rests(snapshot):
    page = open_view("anatomy", replace(snapshot, epoch=1))
    page.session_state["anatomy_at"] = N_STEPS - 3
    page.button(key="anatomy_play").click().run()
    assert page.button(key="anatomy_play").label == "Stop"
    for _ in range(3):
        page.run()
    assert page.button(key="anatomy_next").disabled
    assert page.button(key="anatomy_play").label == "Play slowly"


def test_a_diverged_network_has_no_steps(snapshot):
    diverged = snapshot.history.diverged.copy()
    diverged[snapshot.network("l1")] = 3
    history = replace(snapshot.history, diverged=diverged)
    page = open_view("anatomy", replace(snapshot, history=history))
    assert "diverged" in page.info[0].value
    assert not page.button
