"""Tests of pinned runs on the page: pin, show, remove, links, files, and a busy server."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.jobs.run import Run
from regviz.methods.strengths import DEFAULT_STRENGTH_INDEX
from regviz.pages import pins
from regviz.scenes.encoding import encode_still
from regviz.scenes.link import MAX_LINK_CHARS, link
from regviz.scenes.offline import run_page
from regviz.scenes.scene import Scene
from regviz.server import state
from regviz.server.limits import Limits
from regviz.spec.points import PointsSpec
from tests.support.playground import (
    QUICK,
    grid_on,
    header,
    open_page,
    received_epochs,
    set_view,
    widget,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("runs")

SHORT = Scene(
    network=regviz.NetworkSpec((2,)), training=replace(Scene().training, epochs=50, seed=9)
)
OTHER = replace(SHORT, network=regviz.NetworkSpec((3,)), focus="l2", epoch=20)


def open_scene(scene: Scene) -> AppTest:
    return open_page(**dict(parse_qsl(urlsplit(link("", scene)).query)))


def press(page: AppTest, label: str) -> AppTest:
    widget(page.button, label).click().run()
    assert not page.exception
    return page


def pinned(page: AppTest) -> tuple[Scene, ...]:
    return page.session_state["page"].shown[2].pins


def pictures(page: AppTest) -> list[bytes]:
    """Return the messages of the pictures on the page, in order."""
    found: list[Any] = []

    def collect(block: Any) -> None:
        for child in getattr(block, "children", {}).values():
            if "regviz_pin" in getattr(getattr(child, "proto", None), "component_name", ""):
                found.append(child.proto.bytes)
            collect(child)

    collect(page.main)
    return found


def captions(page: AppTest) -> list[str]:
    """Return the text above each pin."""
    texts = [each.value.replace("\\", "") for each in page.markdown]
    return [text for text in texts if text.startswith("**") and " · " in text]


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def wait_for_pictures(page: AppTest, n: int) -> list[bytes]:
    """Rerun the page, as its fragment does, until it has ``n`` pictures."""
    received_epochs(page)
    wait_until(lambda: len(pictures(page.run())) == n)
    return pictures(page)


def expected_picture(scene: Scene) -> bytes:
    """Return the message of a pin, from the library."""
    grid = scene.grid()
    rows = grid.rows(scene.strength_indices(grid))
    epoch = scene.training.epochs if scene.epoch is None else scene.epoch
    history = regviz.train(grid.only(rows))
    return encode_still(grid, rows, history, epoch, scene.focus or "l1")


def test_a_pin_holds_what_the_board_shows_and_stays_beside_the_next_run():
    page = open_page(**QUICK)
    received_epochs(page)
    set_view(page, focus="l2", strength_indices={"l1": 9}, epoch=20)
    before = grid_on(page)
    press(page, "Pin this run")
    (pin,) = pinned(page)
    assert (pin.focus, pin.epoch) == ("l2", 20)
    assert dict(pin.strengths) == {"l1": before.strengths("l1")[9]}
    assert pin.grid() == before
    assert captions(page) == ["**1** · Same settings as now"]
    (picture,) = pictures(page)
    assert picture == expected_picture(pin)
    widget(page.slider, "Units in each layer").set_value(3).run()
    assert pictures(page) == [picture]
    assert captions(page) == ["**1** · 2 units instead of 3"]


def test_a_pin_of_a_run_on_the_board_starts_no_training(runs: list[Run]):
    page = open_page(**QUICK)
    received_epochs(page)
    n_runs = len(runs)
    press(page, "Pin this run")
    assert len(pictures(page)) == 1
    assert len(runs) == n_runs


def test_the_differences_follow_the_board():
    page = open_page(**QUICK)
    received_epochs(page)
    press(page, "Pin this run")
    set_view(page, strength_indices={"l1": 9}, epoch=20)
    strengths = grid_on(page).strengths("l1")
    assert captions(page) == [
        f"**1** · L1 λ₁ = {strengths[DEFAULT_STRENGTH_INDEX]:g} instead of {strengths[9]:g};"
        " epoch 50 instead of 20"
    ]


def test_the_same_run_is_pinned_once():
    page = open_page(**QUICK)
    press(page, "Pin this run")
    press(page, "Pin this run")
    assert len(pinned(page)) == 1


def test_four_runs_can_be_pinned_and_removed_one_by_one_or_together():
    page = open_page(**QUICK)
    for units in (2, 3, 4, 5):
        widget(page.slider, "Units in each layer").set_value(units).run()
        press(page, "Pin this run")
    assert [pin.network.hidden for pin in pinned(page)] == [(2,), (3,), (4,), (5,)]
    assert widget(page.button, "Pin this run").disabled
    press(page, "Remove pin 2")
    assert [pin.network.hidden for pin in pinned(page)] == [(2,), (4,), (5,)]
    assert not widget(page.button, "Pin this run").disabled
    assert "Remove pin 4" not in labels(page)
    press(page, "Clear pins")
    assert pinned(page) == ()
    assert "Clear pins" not in labels(page)
    assert pictures(page) == []
    assert page.session_state["page"].pin_pictures == {}


def test_a_pin_that_is_shown_sets_the_whole_page_and_the_pins_stay():
    page = open_scene(replace(SHORT, pins=(OTHER,), hide=("line_up",)))
    press(page, "Return to pin 1")
    assert grid_on(page) == OTHER.grid()
    assert widget(page.slider, "Units in each layer").value == 3
    requested = page.session_state["page"].requested_view
    assert (requested["focus"], requested["epoch"]) == ("l2", 20)
    assert page.session_state["page"].shown[2].hide == ("line_up",)
    assert pinned(page) == (OTHER,)


def test_pins_of_a_link_are_trained_after_the_board_with_the_networks_that_they_show(
    runs: list[Run],
):
    page = open_scene(replace(SHORT, pins=(OTHER, replace(OTHER, methods=("none", "l1", "l2")))))
    assert pinned(page)[0] == OTHER
    assert wait_for_pictures(page, 2) == [expected_picture(pin) for pin in pinned(page)]
    experiments = [run.experiment for run in runs]
    grid = OTHER.grid()
    assert experiments[0] == SHORT.grid().experiment
    assert experiments[1] == grid.only(grid.rows({}))
    assert len(experiments[2].regularizations) == 3


def test_pictures_are_kept_when_the_runs_are_evicted(runs: list[Run]):
    page = open_scene(replace(SHORT, pins=(OTHER,)))
    before = wait_for_pictures(page, 1)
    state.runs()._entries.clear()
    n_runs = len(runs)
    assert pictures(page.run()) == before
    assert [run.experiment for run in runs[n_runs:]] == [SHORT.grid().experiment]


def test_where_the_server_is_busy_a_pin_says_so_and_tries_again(monkeypatch: pytest.MonkeyPatch):
    page = open_scene(replace(SHORT, pins=(OTHER, replace(OTHER, epoch=3))))
    received_epochs(page)
    monkeypatch.setattr(state.runs(), "max_trainings", 0)
    page.session_state["page"].pin_pictures.clear()
    state.runs()._entries.pop((OTHER.grid().only(OTHER.grid().rows({})), None), None)
    page.run()
    found = [caption.value for caption in page.caption]
    assert "Many visitors are training networks. This begins by itself." in found
    assert "Trains after the pin before it." in found
    monkeypatch.setattr(state.runs(), "max_trainings", 10)
    wait_until(lambda: len(pictures(page.run())) == 2)


def test_a_pin_that_costs_too_much_says_so_and_the_next_is_trained(
    monkeypatch: pytest.MonkeyPatch,
):
    grid = OTHER.grid()
    limit = 1.5 * pins.seconds(grid.only(grid.rows({})))
    monkeypatch.setattr(pins, "limits", lambda: Limits(training_seconds=limit))
    long = replace(OTHER, training=replace(OTHER.training, epochs=100_000))
    page = open_scene(replace(SHORT, pins=(long, OTHER)))
    assert wait_for_pictures(page, 1) == [expected_picture(OTHER)]
    found = [caption.value.replace("\\", "") for caption in page.caption]
    assert "These networks would take this server too long to train." in found


def test_pins_are_in_the_link_and_in_the_file():
    page = open_page(**QUICK)
    press(page, "Pin this run")
    widget(page.slider, "Units in each layer").set_value(3).run()
    page.session_state["share"] = True
    page.run()
    query = dict(parse_qsl(urlsplit(page.code[0].value).query))
    assert query["pins"] == "v=2&hidden=2&epochs=50"
    assert dict(parse_qsl(header(page)["link"]))["pins"] == query["pins"]
    again = open_page(**query)
    assert pinned(again) == pinned(page)
    scene = page.session_state["page"].shown[2]
    assert Scene.from_json(scene.to_json()) == scene
    assert len(json.loads(scene.to_json())["pins"]) == 1


def test_pins_that_are_too_long_for_a_link_are_left_out_and_the_page_says_so():
    rng = np.random.default_rng(0)
    data = PointsSpec(np.column_stack([rng.normal(size=(700, 2)), np.arange(700) % 2]))
    page = open_page(**QUICK)
    page.session_state["page"].to_open = replace(SHORT, data=data, pins=(OTHER,))
    page.run()
    assert not page.warning
    press(page, "Pin this run")
    assert "pinned runs are too long for a link" in page.warning[0].value.replace("\\", "")
    assert "pins" not in header(page)["link"]
    assert "points=too_many" not in header(page)["link"]
    page.session_state["share"] = True
    page.run()
    assert "pins" not in urlsplit(page.code[0].value).query
    assert len(page.code[0].value) <= MAX_LINK_CHARS
    assert len(pinned(page)) == 2


def test_the_offline_page_has_no_pins_and_says_so():
    page = open_scene(replace(SHORT, pins=(OTHER,)))
    history = regviz.train(grid_on(page).experiment)
    scene = page.session_state["page"].shown[2]
    note = "The pinned runs are not in this file."
    assert note in run_page(scene, history)
    assert note not in run_page(replace(scene, pins=()), history)


def test_where_sharing_is_hidden_pins_are_shown_and_none_is_added():
    page = open_scene(replace(SHORT, pins=(OTHER,), hide=("share",)))
    assert "Pin this run" not in labels(page)
    assert len(wait_for_pictures(page, 1)) == 1


def test_a_refused_change_leaves_pins_that_can_be_removed(monkeypatch: pytest.MonkeyPatch):
    page = open_scene(replace(SHORT, pins=(OTHER,)))
    wait_for_pictures(page, 1)
    monkeypatch.setattr(state.runs(), "max_trainings", 0)
    widget(page.slider, "Noise").set_value(0.5).run()
    press(page, "Remove pin 1")
    assert pinned(page) == ()
