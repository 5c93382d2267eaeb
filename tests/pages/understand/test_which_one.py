"""Tests of the view "Which one?"."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.jobs.run import Run
from regviz.methods.catalogue import METHODS
from regviz.methods.strengths import DEFAULT_STRENGTH_INDEX
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.understand.which_one import best
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.chooser import all_answers
from tests.support.jobs import finish
from tests.support.playground import QUICK, open_page
from tests.support.views import open_view, snapshot_of

# index of the best strength in `with_losses`; the board shows another
STRENGTH_INDEX = dict.fromkeys(METHODS, DEFAULT_STRENGTH_INDEX + 2) | {
    "none": 0,
    "l1": DEFAULT_STRENGTH_INDEX - 1,
}
MEASURED = {"data": "unsure", "validate": "yes", "compute": "plenty"}


@pytest.fixture(scope="module")
def snapshot() -> BoardSnapshot:
    return make_snapshot(0.25)


def make_snapshot(validation_fraction: float, methods=tuple(METHODS)) -> BoardSnapshot:
    data = regviz.DataSpec("moons", n_samples=60, validation_fraction=validation_fraction)
    network = regviz.NetworkSpec(hidden=(3,))
    grid = StrengthGrid.of(methods, data, network, regviz.TrainingSpec(epochs=5))
    return snapshot_of(grid, focus=methods[0])


def with_losses(snapshot: BoardSnapshot, losses: dict[str, float]) -> BoardSnapshot:
    """Return the snapshot with other final validation losses at `STRENGTH_INDEX`.

    The board shows another strength. At the other strengths a loss is higher by 1, or NaN like it.
    """
    metrics = {name: values.copy() for name, values in snapshot.history.metrics.items()}
    for method, loss in losses.items():
        networks = list(dict(snapshot.grid.networks_by_method())[method])
        metrics["validation_loss"][-1, networks] = loss + 1
        metrics["validation_loss"][-1, networks[STRENGTH_INDEX[method]]] = loss
    return replace(snapshot, history=replace(snapshot.history, metrics=metrics))


def answer_questions(snapshot: BoardSnapshot, answers: dict[str, str] | None = None) -> AppTest:
    """Open the view and answer questions one after the other."""
    page = open_view("which_one", snapshot)
    for question, answer in (answers or {}).items():
        page.radio(f"which_one_{question}").set_value(answer).run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    return "\n".join(element.value for element in (*page.markdown, *page.caption))


def test_one_question_after_another_with_how_many_are_left(snapshot):
    page = answer_questions(snapshot)
    assert [radio.key for radio in page.radio] == ["which_one_data"]
    assert page.radio[0].value is None
    # Streamlit reads the label of a radio's help to screen readers as it is, so without Markdown
    assert page.radio[0].label.startswith("Question 1. ")
    assert "*" not in page.radio[0].label
    assert "At most 4 questions" in texts(page)
    assert "rules of thumb" in texts(page)
    assert not page.button
    page.radio("which_one_data").set_value("few").run()
    assert [radio.key for radio in page.radio] == ["which_one_data", "which_one_validate"]
    assert page.radio[1].label.startswith("Question 2. ")


def test_every_way_shows_its_advice_reason_and_source(snapshot):
    for answers, advice in all_answers({key: one.loss for key, one in best(snapshot).items()}):
        page = answer_questions(snapshot, answers)
        shown = texts(page)
        assert [radio.value for radio in page.radio] == list(answers.values())
        for text in (advice.reason, advice.then, advice.source):
            assert text in shown


def test_each_methods_lowest_loss_decides_and_is_shown_with_its_strength(snapshot):
    staged = with_losses(
        snapshot, {"none": 0.7123, "elastic_net": 0.4234, "l1": 0.3345, "l2": 0.9456}
    )
    page = answer_questions(staged, MEASURED)
    shown = texts(page)
    assert "#### Try L1" in shown
    for number in ("0.712", "0.423", "**0.335**"):
        assert number in shown
    assert "0.946" not in shown  # L2's loss was not needed
    assert f"λ₁ = {snapshot.grid.strengths('l1')[STRENGTH_INDEX['l1']]:g}" in shown
    n = round(60 * snapshot.grid.experiment.data.train_fraction * 0.25)
    assert f"{n} validation points" in shown


def test_all_strengths_count_wherever_the_board_stands(snapshot):
    last = snapshot.history.metrics["validation_loss"][-1]
    for strength_indices in ({}, {"l2": 0, "l1": 7}):
        found = best(replace(snapshot, rows=snapshot.grid.rows(strength_indices)))
        for key, networks in snapshot.grid.networks_by_method():
            losses = [last[network] for network in networks]
            assert found[key].loss == min(losses)
            assert found[key].network == networks[found[key].strength_index]
            assert losses[found[key].strength_index] == min(losses)


def test_the_strengths_that_count_are_those_of_the_variant_on_the_card(snapshot):
    rows = snapshot.grid.rows({}, {"elastic_net": 4})
    found = best(replace(snapshot, rows=rows))
    # without L2 it is L1
    assert found["elastic_net"] == found["l1"] != best(snapshot)["elastic_net"]


def test_a_strength_that_diverged_is_not_the_best_and_a_method_that_did_is_infinite(snapshot):
    losses = snapshot.history.metrics["validation_loss"].copy()
    networks_by_method = dict(snapshot.grid.networks_by_method())
    before = best(snapshot)["l1"]
    losses[-1, before.network] = np.nan
    losses[-1, list(networks_by_method["l2"])] = np.nan
    metrics = snapshot.history.metrics | {"validation_loss": losses}
    found = best(replace(snapshot, history=replace(snapshot.history, metrics=metrics)))
    assert found["l1"].strength_index != before.strength_index
    assert np.isfinite(found["l1"].loss)
    assert found["l2"].loss == np.inf


def test_a_diverged_network_is_said_to_be(snapshot):
    staged = with_losses(snapshot, {"none": 0.5, "elastic_net": np.nan, "l2": 0.4})
    shown = texts(answer_questions(staged, MEASURED))
    assert "#### Try L2" in shown
    assert "diverged" in shown


@pytest.mark.parametrize("outcome", ["net", "baseline"])
def test_without_validation_points_the_outcome_is_asked(outcome):
    blind = make_snapshot(0.0)
    assert best(blind) == {}
    page = answer_questions(blind, MEASURED | {"outcome": outcome})
    assert len(page.radio) == 4
    assert "#### Try" in texts(page)
    assert "Validation loss |" not in texts(page)


def test_methods_that_are_switched_off_are_done_without():
    page = answer_questions(make_snapshot(0.25, ("none", "dropout")), MEASURED)
    assert page.radio[-1].key == "which_one_outcome"


def test_start_over_asks_the_first_question_again(snapshot):
    page = answer_questions(snapshot, {"data": "few", "validate": "no"})
    page.button("which_one_over").click().run()
    assert [radio.key for radio in page.radio] == ["which_one_data"]
    assert page.radio[0].value is None


def test_the_advice_opens_on_the_board(snapshot):
    page = answer_questions(snapshot, {"data": "few", "validate": "no"})
    page.button("which_one_open").click().run()
    assert page.session_state["page"].requested_view["focus"] == "l1"
    assert [radio.value for radio in page.radio] == ["few", "no"]  # the answers are kept


def test_a_measured_advice_opens_on_the_board_at_the_strengths_that_were_compared(snapshot):
    losses = {"none": 0.7, "elastic_net": 0.4, "l1": 0.3, "l2": 0.9}
    page = answer_questions(with_losses(snapshot, losses), MEASURED)
    page.button("which_one_open").click().run()
    requested_view = page.session_state["page"].requested_view
    assert (requested_view["focus"], requested_view["scroll"]) == ("l1", True)
    assert requested_view["strength_indices"] == {
        key: STRENGTH_INDEX[key] for key in ("none", "elastic_net", "l1")
    }


def test_on_the_page_the_advice_comes_into_focus_and_the_page_to_rest(runs: list[Run]):
    page = open_page(**QUICK)
    page.session_state["understand"] = "Which one?"
    page.run()
    for run in runs:
        finish(run)
    page.run()
    page.radio("which_one_data").set_value("clean").run()
    page.radio("which_one_validate").set_value("no").run()
    page.button("which_one_open").click().run()  # an endless rerun would time out
    assert not page.exception
    assert page.session_state["page"].views_snapshot.focus == "none"
