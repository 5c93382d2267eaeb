"""Tests of *Try this* on the page: opening claims, links to them, and undo."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from regviz.methods.catalogue import METHODS
from regviz.pages import changes, claims, playground
from regviz.pages.claims import MAX_UNDONE
from regviz.scenes.claims import CLAIMS, Claim, find_claim
from regviz.scenes.link import from_query, link, to_query
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.points import PointsSpec
from tests.support.playground import (
    QUICK,
    grid_on,
    header,
    method_switch,
    open_page,
    set_view,
    widget,
)

pytestmark = pytest.mark.usefixtures("runs")
LOCAL = {"linked": False, "threshold": 0.25, "edits": {"l1": [[3, -1.5]]}, "strengthIndices": {}}
Ask = Callable[..., AppTest]


@pytest.fixture
def page() -> AppTest:
    return open_page(**QUICK)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Run the page as if the board had asked for a claim, or for None to undo."""

    def asked(page: AppTest, key: Any, **message: Any) -> AppTest:
        board = dict(page.session_state["board"]) if "board" in page.session_state else {}
        board["claim"] = {"key": key, "view": board.get("view"), "local": {}} | message
        page.session_state["board"] = board
        begin_page, callbacks = changes.begin_page, [claims.obey]

        def begin() -> None:
            # Streamlit calls the trigger's callback before the script, and `AppTest` does not
            if callbacks:
                callbacks.pop()()
            begin_page()

        with monkeypatch.context() as patch:
            patch.setattr(playground, "begin_page", begin)
            page.run()
        assert not page.exception
        page.session_state["board"] = {}
        return page

    return asked


def shown(page: AppTest) -> str | None:
    """Return the key of the claim that the board shows, from its message."""
    offer = header(page)["claims"]
    requested = header(page)["requested_view"]
    own, grid = offer["networks"], grid_on(page)
    rows = grid.rows(requested["strength_indices"], requested["variant_indices"])
    if own is None or own != dict(zip(grid.methods, rows, strict=True)):
        return None
    return str(offer["opened"])


def situation(page: AppTest) -> tuple[StrengthGrid, dict[str, Any]]:
    requested = dict(header(page)["requested_view"])
    return grid_on(page), {key: requested[key] for key in ("focus", "strength_indices", "epoch")}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_a_claim_sets_experiment_line_up_focus_and_strengths(page: AppTest, ask: Ask, claim: Claim):
    ask(page, claim.key)
    grid = claim.scene.grid()
    assert grid_on(page) == grid
    requested = header(page)["requested_view"]
    assert requested["focus"] == claim.scene.focus
    indices = requested["strength_indices"], requested["variant_indices"]
    assert grid.rows(*indices) == claim.networks(grid)
    assert requested["play"]
    assert requested["epoch"] is None
    # the state that only the board knows has its defaults, and all cards are chosen
    assert requested["local"] == {"chosen": [*claim.scene.methods]}
    assert shown(page) == claim.key


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
@pytest.mark.parametrize("whole", [False, True])
def test_the_link_of_a_claim_opens_it(claim: Claim, whole: bool):
    settings = to_query(claim.scene) if whole else {}
    page = open_page(**settings, v="2", **{"try": claim.key})
    assert not page.exception
    assert page.session_state["page"].problems == []
    assert grid_on(page) == claim.scene.grid()
    assert header(page)["requested_view"]["focus"] == claim.scene.focus
    assert shown(page) == claim.key


def test_a_link_with_other_settings_opens_these_and_no_claim():
    page = open_page(**QUICK, **{"try": "l2"})
    assert grid_on(page).experiment.training.epochs == 50
    assert shown(page) is None


def test_a_link_to_a_claim_that_is_none_names_those_there_are():
    page = open_page(**QUICK, **{"try": "l3"})
    (problem,) = page.session_state["page"].problems
    assert "try must be one of early_stopping, l2, l1_inputs" in problem
    assert "got 'l3'" in problem
    assert header(page)["claims"]["opened"] is None


def test_the_shared_link_has_the_claim_until_a_setting_is_changed(page: AppTest, ask: Ask):
    ask(page, "l2")

    def query() -> dict[str, str]:
        page.session_state["share"] = True
        page.run()
        return dict(parse_qsl(urlsplit(page.code[0].value).query))

    claim = find_claim("l2")
    assert claim is not None
    address = link("https://example.org/", claim.scene, **{"try": "l2"})
    assert query() == dict(parse_qsl(urlsplit(address).query)) | {"methods": "none,l1,l2"}
    set_view(page, focus="l1", strength_indices={"l2": METHODS["l2"].default_index}, epoch=20)
    assert query()["try"] == "l2"  # another look at the same networks
    set_view(page, focus="l1", strength_indices={"l2": 6}, epoch=20)
    assert "try" not in query()
    set_view(page, focus="l1", strength_indices={"l2": METHODS["l2"].default_index}, epoch=20)
    widget(page.slider, "Noise").set_value(0.5).run()
    assert "try" not in query()
    assert header(page)["claims"]["networks"] is None


def test_undo_returns_to_the_scene_and_the_view_before(page: AppTest, ask: Ask):
    widget(page.slider, "Noise").set_value(0.5).run()
    method_switch(page, "dropout").set_value(False).run()
    set_view(page, focus="max_norm", strength_indices={"l1": 7, "max_norm": 2}, epoch=20)
    before = grid_on(page)
    assert not header(page)["claims"]["undo"]
    ask(page, "max_norm", local=LOCAL)
    assert grid_on(page) != before
    assert header(page)["claims"]["undo"]
    ask(page, None)
    grid, view = situation(page)
    assert grid == before
    assert (view["focus"], view["epoch"]) == ("max_norm", 20)
    indices = view["strength_indices"]
    assert (indices["l1"], indices["max_norm"]) == (7, 2)
    assert header(page)["requested_view"]["local"] == LOCAL
    assert header(page)["claims"] | {"offered": []} == {
        "offered": [],
        "opened": None,
        "networks": None,
        "undo": False,
    }
    assert widget(page.slider, "Noise").value == 0.5


def test_undo_returns_to_the_end_of_a_run(page: AppTest, ask: Ask):
    set_view(page, focus="l1", strength_indices={}, epoch=None)
    ask(ask(page, "l2"), None)
    assert situation(page)[1]["epoch"] == 50


def test_several_claims_in_a_row_are_undone_at_once(page: AppTest, ask: Ask):
    before = situation(page)
    for key in ("l2", "dropout", "l1_inputs"):
        ask(page, key)
    ask(page, None)
    assert situation(page)[0] == before[0]
    assert not header(page)["claims"]["undo"]


def test_a_claim_that_the_visitor_has_changed_is_returned_to_first(page: AppTest, ask: Ask):
    before = grid_on(page)
    ask(page, "l2")
    widget(page.slider, "Noise").set_value(0.5).run()
    changed = grid_on(page)
    ask(page, "dropout")
    assert grid_on(ask(page, None)) == changed
    assert header(page)["claims"]["opened"] == "l2"
    assert shown(page) is None
    assert grid_on(ask(page, None)) == before


@pytest.mark.parametrize(
    "change",
    [
        {"view": {"focus": "l2", "strength_indices": {"l2": 9}, "epoch": None}},
        {"local": {"threshold": 0.1}},
        {"local": {"edits": {"l2": [[0, 1.0]]}}},
    ],
)
def test_other_strengths_and_edited_networks_are_returned_to_as_well(
    page: AppTest, ask: Ask, change: dict[str, Any]
):
    ask(page, "l2")
    ask(page, "dropout", **change)
    ask(page, None)
    requested = header(page)["requested_view"]
    assert requested["focus"] == "l2"
    if "view" in change:
        assert requested["strength_indices"]["l2"] == 9
    else:
        assert requested["local"] == change["local"]


def test_own_points_are_there_after_a_claim_and_its_undo(ask: Ask):
    points = PointsSpec([(i, i % 7, i % 2) for i in range(20)])
    page = open_page(**QUICK, points=points.to_text())
    before = grid_on(page)
    ask(page, "l2")
    assert page.session_state["page"].own_points is not None
    assert grid_on(ask(page, None)) == before


def test_the_page_remembers_a_bounded_number_of_scenes(page: AppTest, ask: Ask):
    for _ in range(2):
        for key in ("l1_inputs", "elastic_net"):
            ask(page, key, local={"threshold": 0.1})
    state = page.session_state["page"]
    assert len(state.moments) == 4
    state.moments = state.moments[:1] * MAX_UNDONE
    ask(page, "l2", local={"threshold": 0.1})
    assert len(page.session_state["page"].moments) == MAX_UNDONE


def test_hidden_groups_stay_hidden_in_a_claim_and_after_it(ask: Ask):
    page = open_page(**QUICK, hide="data,share")
    for key in ("l2", None):
        assert page.session_state["page"].base.hide == ("data", "share")
        ask(page, key)
    assert page.session_state["page"].base.hide == ("data", "share")


@pytest.mark.parametrize("key", ["", "nonsense", 3, [], {"key": "l2"}])
def test_a_key_that_is_none_changes_nothing(page: AppTest, ask: Ask, key: Any):
    before = grid_on(page)
    ask(page, key)
    assert grid_on(page) == before
    assert page.session_state["page"].moments == []


@pytest.mark.parametrize(
    "local", [None, "x", [1], {"threshold": float("nan")}, {"edits": "x" * 300_000}]
)
def test_a_forged_state_of_the_board_is_not_kept(page: AppTest, ask: Ask, local: Any):
    ask(ask(page, "l2", local=local, view="x"), None)
    assert header(page)["requested_view"]["local"] == {}


def test_the_query_of_a_claim_needs_no_other_parameter():
    for claim in CLAIMS:
        assert from_query({"try": claim.key}) == (claim.scene, [])
