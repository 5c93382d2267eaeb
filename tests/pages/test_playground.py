"""Tests of the page's script: controls, errors, frames, requested views."""

import math
import time
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.jobs.registry import JobRegistry
from regviz.jobs.run import Run
from regviz.methods.catalogue import METHODS
from regviz.methods.strengths import N_STRENGTHS
from regviz.scenes.scene import Scene
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import NetworkSpec
from regviz.spec.points import PointsSpec
from regviz.spec.toy import DATASETS
from tests.support.playground import (
    QUICK,
    boards,
    grid_on,
    header,
    method_switch,
    open_page,
    received_epochs,
    send,
    set_view,
    widget,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("runs")

NAMES = list(LINE_UP)
INITIAL = {"none": 0} | {key: METHODS[key].default_index for key in NAMES[1:]}
LONG = dict(hidden="32,32,32", epochs="1000")


@pytest.fixture
def page() -> AppTest:
    return open_page(**QUICK)


def choose_data(page: AppTest, name: str) -> AppTest:
    """Run the page as if the picker had sent this dataset."""
    page.session_state["data"] = {"chosen": {"name": name, "at": time.time_ns()}}
    return page.run()


def strength_indices_on(page: AppTest) -> dict[str, int]:
    """Return the displayed strength index of each method."""
    grid, rows, _ = page.session_state["page"].shown
    return {
        key: networks.index(row)
        for (key, networks), row in zip(grid.networks_by_method(), rows, strict=True)
    }


# ------------------------------------------------------------------------------ controls


def test_the_untouched_page_shows_the_grid_of_the_showcase():
    page = open_page()
    assert not page.exception
    assert not page.error
    assert not page.warning
    grid, rows, _ = page.session_state["page"].shown
    assert grid == StrengthGrid.of(NAMES, SHOWCASE.data, SHOWCASE.network, SHOWCASE.training)
    assert grid.only(rows) == SHOWCASE
    sent = header(page)
    assert (sent["frame"], sent["epochs"][0]) == (0, 0)
    shown = [
        card["variants"][card["variant_index"]]["networks"][card["strength_index"]]
        for card in sent["cards"][:-1]
    ]
    assert shown == rows
    assert sent["layers"] == [2, 8, 8, 8, 1]
    assert sent["last_epoch"] == 1000
    assert sent["n_frames"] == 101
    labels = [METHODS[key].label for key in NAMES]
    assert [card["label"] for card in sent["cards"]] == [*labels, "Early stopping"]


def test_a_third_layer_lowers_the_largest_number_of_units():
    page = open_page(hidden="64,48", epochs="1", methods="none")
    assert grid_on(page).experiment.network.hidden == (64, 48)
    widget(page.slider, "Hidden layers").set_value(3).run()
    assert not page.exception
    assert grid_on(page).experiment.network.hidden == (32, 32, 32)
    widget(page.slider, "Hidden layers").set_value(1).run()
    assert widget(page.slider, "Units in each layer").max == 64
    widget(page.slider, "Units in each layer").set_value(64).run()
    assert grid_on(page).experiment.network.hidden == (64,)


def test_a_run_sends_no_value_back_to_a_control():
    # the control of a visitor who is moving it would go back
    page = open_page()
    for label, value in (("Hidden layers", 2), ("Units in each layer", 5), ("Noise", 0.3)):
        widget(page.slider, label).set_value(value).run()
        assert not page.exception
        kinds = ("slider", "select_slider", "selectbox", "toggle", "button_group")
        controls = [control for kind in kinds for control in page.get(kind)]
        assert len(controls) > 15
        assert [control.label for control in controls if control.proto.set_value] == []


def test_every_control_reaches_the_grid(page: AppTest):
    settings = dict(
        methods=NAMES,
        data=SHOWCASE.data,
        network=NetworkSpec((2,), "tanh"),
        training=replace(SHOWCASE.training, epochs=50),
    )
    assert grid_on(page) == StrengthGrid.of(**settings)
    changes = [
        ("slider", "Noise", 0.5, "data", dict(noise=0.5)),
        ("slider", "Training points", 90, "data", dict(train_fraction=0.3)),
        ("slider", "Wrong labels", 10, "data", dict(label_noise=0.1)),
        ("slider", "Hidden layers", 2, "network", dict(hidden=(2, 2))),
        ("slider", "Units in each layer", 3, "network", dict(hidden=(3, 3))),
        ("selectbox", "Activation", "relu", "network", dict(activation="relu")),
        ("button_group", "Inputs", ["sin(x2)", "x1"], "network", dict(features=("x1", "sin(x2)"))),
        ("selectbox", "Normalization", "batch", "network", dict(normalization="batch")),
        ("toggle", "Gain and shift", True, "network", dict(affine=True)),
        ("selectbox", "Optimizer", "adam", "training", dict(optimizer="adam")),
        ("select_slider", "Learning rate", 0.03, "training", dict(learning_rate=0.03)),
        ("select_slider", "Batch size", 30, "training", dict(batch_size=30)),
        ("select_slider", "Epochs", 100, "training", dict(epochs=100)),
        ("toggle", "Early stopping", False, "early_stopping", False),
        ("toggle", "Elastic net", False, "methods", [k for k in NAMES if k != "elastic_net"]),
    ]
    names = {header(page)["run"]}
    for kind, label, value, name, chosen in changes:
        widget(getattr(page, kind), label).set_value(value).run()
        assert not page.exception
        assert not page.error
        settings[name] = replace(settings[name], **chosen) if isinstance(chosen, dict) else chosen
        assert grid_on(page) == StrengthGrid.of(**settings), label
        names.add(header(page)["run"])
    assert len(names) == len(changes) + 1
    sent = header(page)
    assert sent["layers"] == [2, 3, 3, 1]
    assert sent["features"] == ["x1", "sin(x2)"]
    assert sent["activation"] == "relu"
    assert sent["last_epoch"] == 100
    assert "early_stopping" not in [card["key"] for card in sent["cards"]]


def test_batch_normalization_takes_batches_of_two_points_in_place_of_one():
    page = open_page(**QUICK, batch_size="1")
    widget(page.selectbox, "Normalization").set_value("batch").run()
    assert not page.exception
    assert grid_on(page).experiment.training.batch_size == 2
    assert grid_on(page).experiment.network.normalization == "batch"


def test_networks_on_tables_can_be_normalized():
    link = QUICK | {"data": "diabetes", "hidden": "3", "normalization": "layer"}
    page = open_page(**link)
    assert grid_on(page).experiment.network.normalization == "layer"
    widget(page.selectbox, "Normalization").set_value("none").run()
    assert grid_on(page).experiment.network.normalization == "none"


def test_adamw_can_follow_a_phase_of_the_corrected_elastic_net():
    link = QUICK | {"data": "plane", "hidden": "none", "methods": "l2", "corrected": "1"}
    page = open_page(**link, phases="1~l2~0.2~corrected~1")
    assert grid_on(page).experiment.phases[0].regularization.corrected
    widget(page.selectbox, "Optimizer").set_value("adamw").run()
    assert not page.exception
    assert not grid_on(page).experiment.phases[0].regularization.corrected


@pytest.mark.parametrize(("n_training", "rest"), [(2, 0), (8, 0), (58, 2.0)])
def test_where_much_trains_the_browser_rests_before_it_asks_for_more(
    monkeypatch: pytest.MonkeyPatch, n_training: int, rest: float
):
    monkeypatch.setattr(JobRegistry, "n_training", n_training)
    assert header(open_page(**QUICK))["ask_after"] == pytest.approx(rest)


def test_the_seed_is_of_points_and_training_alike(page: AppTest):
    widget(page.number_input, "Seed").set_value(7).run()
    experiment = grid_on(page).experiment
    assert (experiment.data.seed, experiment.training.seed) == (7, 7)


def test_all_points_can_be_one_batch():
    page = open_page(**QUICK, batch_size="all")
    assert not page.exception
    assert grid_on(page).experiment.training.batch_size is None


@pytest.mark.parametrize("key", NAMES)
def test_a_method_that_is_switched_off_leaves_and_the_rest_stay(page: AppTest, key: str):
    method_switch(page, key).set_value(False).run()
    rest = [k for k in NAMES if k != key]
    assert list(grid_on(page).methods) == rest
    cards = [card["key"] for card in header(page)["cards"]]
    assert cards == (rest if key == "none" else [*rest, "early_stopping"])


def test_without_the_baseline_early_stopping_cannot_be_chosen(page: AppTest):
    assert not method_switch(page, "early_stopping").disabled
    method_switch(page, "none").set_value(False).run()
    assert method_switch(page, "early_stopping").disabled
    assert not grid_on(page).early_stopping


def test_with_nothing_switched_on_the_page_says_so_and_shows_the_baseline(page: AppTest):
    for key in METHODS:
        method_switch(page, key).set_value(False)
    page.run()
    assert not page.exception
    assert [card["key"] for card in header(page)["cards"]] == ["none"]
    assert "switched on" in page.warning[0].value
    assert header(page)["n_networks"] == 1


def test_without_inputs_the_page_says_what_it_uses(page: AppTest):
    widget(page.button_group, "Inputs").set_value([]).run()
    assert "x₁ and x₂" in page.warning[0].value
    assert header(page)["features"] == ["x1", "x2"]


def test_a_batch_is_never_larger_than_the_training_points(page: AppTest):
    widget(page.select_slider, "Batch size").set_value(30)
    widget(page.slider, "Training points").set_value(15).run()
    assert not page.error
    assert grid_on(page).experiment.training.batch_size == 15


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_can_be_chosen(page: AppTest, name: str):
    choose_data(page, name)
    assert not page.exception
    assert header(page)["task"] == DATASETS[name].task
    assert grid_on(page).experiment.data.name == name


@pytest.mark.parametrize("chosen", ["../etc", 3, None, ["moons"], {"name": ["moons"]}])
def test_a_forged_choice_of_data_falls_back_to_the_default(page: AppTest, chosen: object):
    page.session_state["data"] = {"chosen": chosen}
    page.run()
    assert not page.exception
    assert grid_on(page).experiment.data.name == SHOWCASE.data.name


def test_every_control_stands_where_a_scene_that_is_opened_has_it(page: AppTest):
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
    assert keys - {"understand"} <= set(page.session_state["page"].control_keys.values())


# ------------------------------------------------------------------------------ impossible settings


@pytest.fixture
def impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `Run` refuse settings with noise above 0.5 as inconsistent."""
    of = StrengthGrid.of

    def forged(methods, data, network, training, *rest):
        batch_size = 1000 if data.noise > 0.5 else training.batch_size
        return of(methods, data, network, replace(training, batch_size=batch_size), *rest)

    monkeypatch.setattr(StrengthGrid, "of", staticmethod(forged))


@pytest.mark.usefixtures("impossible")
def test_settings_that_do_not_go_together_are_told_and_what_is_shown_stays(page: AppTest):
    before, sent = page.session_state["page"].shown, header(page)
    widget(page.slider, "Noise").set_value(0.6).run()
    assert not page.exception
    assert "do not go together" in page.error[0].value
    assert "batch_size must be at most 60" in page.error[0].value
    assert page.session_state["page"].shown == before
    assert header(page)["run"] == sent["run"]
    assert header(page)["cards"] == sent["cards"]
    widget(page.slider, "Noise").set_value(0.5).run()
    assert not page.error
    assert grid_on(page).experiment.data.noise == 0.5


@pytest.mark.usefixtures("impossible")
def test_what_stays_is_still_trained_and_sent(page: AppTest, runs: list[Run]):
    widget(page.slider, "Noise").set_value(0.6).run()
    assert received_epochs(page) == list(range(51))
    assert len(runs) == 1


@pytest.mark.usefixtures("impossible")
def test_a_page_that_opens_with_such_settings_says_so_and_shows_nothing():
    page = open_page(**QUICK, noise="0.6")
    assert not page.exception
    assert "do not go together" in page.error[0].value
    assert not boards(page)


# ------------------------------------------------------------------------------ frames


def test_requests_for_more_bring_every_frame_once(page: AppTest, runs: list[Run]):
    assert received_epochs(page) == list(range(51))
    assert len(runs) == 1


def test_a_request_for_another_run_is_answered_with_this_one_from_its_beginning(page: AppTest):
    send(page, more={"run": "0" * 16, "n_received": 7})
    sent = header(page)
    assert sent["frame"] == 0
    assert sent["cards"]


def test_a_second_visitor_shares_the_run_of_the_first(page: AppTest, runs: list[Run]):
    assert header(open_page(**QUICK))["run"] == header(page)["run"]
    assert len(runs) == 1


def test_a_grid_that_is_left_is_trained_no_further(runs: list[Run]):
    page = open_page(**LONG)
    widget(page.number_input, "Seed").set_value(1).run()
    wait_until(lambda: not runs[0].alive)
    assert runs[1].alive


def test_early_stopping_comes_and_goes_without_any_training(
    page: AppTest, runs: list[Run], monkeypatch: pytest.MonkeyPatch
):
    left = []
    monkeypatch.setattr(
        JobRegistry, "leave", lambda self, experiment, visitor: left.append(experiment)
    )
    for chosen in (False, True):
        method_switch(page, "early_stopping").set_value(chosen).run()
        assert grid_on(page).early_stopping == chosen
    assert left == []
    assert len(runs) == 1


# ------------------------------------------------------------------------------ the board's view


def test_a_new_grid_starts_at_the_strengths_that_are_looked_at(page: AppTest):
    assert strength_indices_on(page) == INITIAL
    widget(page.slider, "Noise").set_value(0.5)
    set_view(page, strength_indices={"l1": 0, "dropout": 7, "early_stopping": 3})
    expected = INITIAL | {"l1": 0, "dropout": 7}
    assert strength_indices_on(page) == expected
    assert {card["key"]: card["strength_index"] for card in header(page)["cards"][:-1]} == expected


def test_another_strength_of_the_same_grid_trains_nothing_anew(page: AppTest, runs: list[Run]):
    name = header(page)["run"]
    set_view(page, strength_indices={"l1": 0})
    assert header(page)["run"] == name
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        *((dict(l1=nonsense, l2=2), dict(l2=2)) for nonsense in ("7", "", 0.5, math.nan, math.inf)),
        *((dict(l1=nonsense, l2=2), dict(l2=2)) for nonsense in (None, [3], [[1]], {"l1": 1})),
        *((dict(dropout=first), dict(dropout=0)) for first in (-1, -(10**400))),
        *((dict(dropout=last), dict(dropout=N_STRENGTHS - 1)) for last in (N_STRENGTHS, 10**400)),
        *((nonsense, {}) for nonsense in ("7", 3, math.nan, None, [3], [[1], [2]])),
        ({"": 3, "__class__": 2, "none": 5}, {}),
    ],
)
def test_strength_indices_that_are_not_offered_are_ignored_or_the_nearest(
    page: AppTest, sent: object, expected: dict[str, int]
):
    widget(page.slider, "Noise").set_value(0.5)
    set_view(page, strength_indices=sent)
    assert strength_indices_on(page) == INITIAL | expected


def test_a_count_of_held_frames_that_is_no_count_is_taken_for_0(page: AppTest):
    for n_received in (
        *(None, "", "34", 3.0, math.nan, math.inf, -1, True, {}, {"0": 3}, [], [3], [3, 4], [None]),
    ):
        sent = header(send(page, more={"run": header(page)["run"], "n_received": n_received}))
        assert sent["frame"] == 0, n_received
        assert sent["epochs"][0] == 0


def test_a_count_of_held_frames_beyond_the_last_brings_no_frame(page: AppTest):
    received_epochs(page)
    for n_received in (51, 52, 10**9, 10**400):
        sent = header(send(page, more={"run": header(page)["run"], "n_received": n_received}))
        assert sent["frame"] == n_received
        assert sent["epochs"] == []


def test_a_forged_request_is_taken_for_none(page: AppTest):
    for more in ("run", 3, math.nan, [], [[1]], {}, {"run": None}, {"run": [1]}):
        sent = header(send(page, more=more))
        assert sent["frame"] == 0, more


def test_settings_stay_in_the_address_without_points_that_are_too_many_for_it():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    page = open_page(**QUICK, methods="none,l2")
    own = PointsSpec(np.column_stack([X, X[:, 0] > 0]), seed=SHOWCASE.data.seed)
    page.session_state["page"].to_open = replace(page.session_state["page"].base, data=own)
    page.run()
    assert not page.exception
    (warning,) = page.warning
    assert warning.value.startswith("Your 2000 points are too many")
    query = dict(parse_qsl(header(page)["link"]))
    assert query == {"points": "too_many", "hidden": "2", "epochs": "50", "methods": "none,l2"}
    widget(page.slider, "Hidden layers").set_value(2).run()
    assert not page.warning

    again = open_page(**query)
    assert not again.exception
    (warning,) = again.warning
    assert "The points are not in the address" in warning.value.replace("\\", "")
    shown = again.session_state["page"].shown[2]
    assert (shown.network.hidden, shown.methods) == ((2,), ("none", "l2"))
    assert shown.data == Scene().data
    widget(again.slider, "Hidden layers").set_value(2).run()
    assert not again.warning


# ------------------------------------------------------------------------------ changes on the way


def test_the_training_goes_on_from_the_network_that_the_board_names(page: AppTest):
    set_view(page, focus="l2", strength_indices={"l1": 1})
    grid = grid_on(page)
    k = grid.rows({})[NAMES.index("l2")]
    request = {"run": header(page)["run"], "network": k, "epoch": 20, "learning_rate": 0.1}
    send(page, change=request)
    assert not page.exception
    assert not page.warning
    rate = grid.experiment.training.learning_rate
    phase = regviz.Phase(20, grid.experiment.regularizations[k], rate)
    changed = grid_on(page)
    assert changed.experiment.phases == (phase,)
    assert changed.experiment.training == replace(grid.experiment.training, learning_rate=0.1)
    assert widget(page.select_slider, "Learning rate").value == 0.1
    requested = page.session_state["page"].requested_view
    assert (requested["epoch"], requested["focus"], requested["play"]) == (20, "l2", True)
    assert strength_indices_on(page)["l1"] == 1
    assert any("until epoch 20: L2 λ₂ = " in caption.value for caption in page.caption)
    # the answer to the request for the earlier run comes twice
    send(page, change=request)
    assert grid_on(page) == changed

    send(page, change={"run": header(page)["run"], "undo": True})
    assert not page.exception
    assert grid_on(page) == grid
    assert page.session_state["page"].requested_view["play"] is False


def test_a_change_beyond_a_smaller_number_of_epochs_is_gone(page: AppTest):
    change = {"network": 0, "epoch": 40, "learning_rate": 0.01}
    send(page, change={"run": header(page)["run"]} | change)
    assert grid_on(page).experiment.phases
    # the slider offers no number of epochs that ends before the change
    assert min(map(int, widget(page.select_slider, "Epochs").options)) > 40
    scene = page.session_state["page"].base
    page.session_state["page"].to_open = scene.with_epochs(30)
    page.run()
    assert not page.exception
    assert grid_on(page).experiment.phases == ()


@pytest.mark.parametrize(
    "change", [{"network": 10**6}, {"epoch": 0}, {"epoch": "20"}, {"learning_rate": math.nan}]
)
def test_a_change_that_is_not_possible_is_told_and_the_run_stays(page: AppTest, change: dict):
    before = header(page)["run"]
    possible = {"run": before, "network": 0, "epoch": 20, "learning_rate": 0.1}
    send(page, change=possible | change)
    assert not page.exception
    (warning,) = page.warning
    assert warning.value.startswith("The training cannot change")
    assert next(iter(change)) in warning.value.replace("\\", "")
    assert header(page)["run"] == before


@pytest.mark.parametrize("change", ["run", 3, [], {}, {"run": None}, {"undo": True}, {"run": "x"}])
def test_a_change_of_another_run_does_nothing(page: AppTest, change: object):
    before = header(page)["run"]
    send(page, change=change)
    assert not page.exception
    assert not page.warning
    assert header(page)["run"] == before
