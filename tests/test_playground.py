"""The page's script: what a visitor chooses is what is trained, and nothing shows a traceback."""

import json
import struct
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from regviz.experiment import DATASETS
from regviz.pages import controls
from regviz.regularization import METHODS
from regviz.showcase import SHOWCASE

PAGE = Path(__file__).parent.parent / "regviz" / "pages" / "playground.py"


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


def header(page: AppTest) -> dict:
    """The header of the message that the board was sent."""
    (board,) = (
        e.proto for e in page.main if "regviz_board" in getattr(e.proto, "component_name", "")
    )
    message = board.bytes
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length])


def widget(kind: list, label: str):
    (found,) = (w for w in kind if w.label == label)
    return found


def test_the_untouched_page_shows_the_showcase(page: AppTest):
    sent = header(page)
    assert not page.exception
    assert sent["layers"] == [2, 8, 8, 8, 1]
    assert sent["last_epoch"] == 400
    assert sent["task"] == "binary"
    assert [card["label"] for card in sent["cards"]] == [m.label for m in METHODS.values()]


def test_the_controls_start_from_the_showcase(monkeypatch: pytest.MonkeyPatch):
    chosen = []
    monkeypatch.setattr(controls, "Experiment", lambda *parts: chosen.append(parts))
    AppTest.from_function(_only_controls, default_timeout=30).run()
    data, network, training, rows = chosen[0]
    assert data == SHOWCASE.data
    assert network == SHOWCASE.network
    assert training == SHOWCASE.training
    assert rows == SHOWCASE.regularizations


def _only_controls() -> None:
    from regviz.pages.controls import choose

    choose()


def test_every_control_reaches_the_experiment(page: AppTest):
    first = header(page)["run"]
    changes = [
        (page.slider, "Noise", 0.5),
        (page.slider, "Training points", 90),
        (page.slider, "Wrong labels", 10),
        (page.number_input, "Seed", 7),
        (page.slider, "Hidden layers", 1),
        (page.slider, "Units in each layer", 5),
        (page.selectbox, "Activation", "relu"),
        (page.selectbox, "Optimizer", "adam"),
        (page.select_slider, "Learning rate", 0.01),
        (page.select_slider, "Batch size", 30),
        (page.select_slider, "Epochs", 50),
        (page.select_slider, "Strength of L1", 0.01),
    ]
    runs = {first}
    for kind, label, value in changes:
        widget(kind, label).set_value(value).run()
        assert not page.exception
        assert not page.error
        runs.add(header(page)["run"])
    assert len(runs) == len(changes) + 1
    sent = header(page)
    assert sent["layers"] == [2, 5, 1]
    assert sent["activation"] == "relu"
    assert sent["last_epoch"] == 50
    assert sent["cards"][1]["strength"] == "λ₁ = 0.01"


def test_a_method_that_is_switched_off_leaves_and_the_rest_stay(page: AppTest):
    page.toggle(key="use_l2").set_value(False).run()
    assert [c["key"] for c in header(page)["cards"]] == [k for k in METHODS if k != "l2"]


def test_with_nothing_switched_on_the_page_says_so_and_shows_the_baseline(page: AppTest):
    for key in METHODS:
        page.toggle(key=f"use_{key}").set_value(False)
    page.run()
    assert [card["key"] for card in header(page)["cards"]] == ["none"]
    assert "switched on" in page.warning[0].value


def test_without_inputs_the_page_says_what_it_uses(page: AppTest):
    widget(page.button_group, "Inputs").set_value([]).run()
    assert "x₁ and x₂" in page.warning[0].value
    assert header(page)["features"] == ["x1", "x2"]


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_can_be_chosen(name: str):
    page = AppTest.from_file(str(PAGE), default_timeout=30)
    page.session_state["data"] = {"chosen": name}
    page.run()
    assert not page.exception
    assert header(page)["task"] == DATASETS[name]


def test_a_forged_choice_falls_back_to_the_default():
    page = AppTest.from_file(str(PAGE), default_timeout=30)
    page.session_state["data"] = {"chosen": "../etc"}
    page.run()
    assert not page.exception
    assert header(page)["task"] == "binary"


def test_a_control_that_moved_unseen_is_noticed(page: AppTest):
    assert page.session_state["drawn"]["noise"] == SHOWCASE.data.noise
    widget(page.slider, "Noise").set_value(0.6).run()
    assert page.session_state["drawn"]["noise"] == 0.6
    assert set(page.session_state["drawn"]) <= set(controls.KEYS)
    keys = {
        w.key
        for kind in (
            page.slider,
            page.select_slider,
            page.selectbox,
            page.toggle,
            page.number_input,
            page.button_group,
        )
        for w in kind
    }
    assert keys <= set(controls.KEYS)
