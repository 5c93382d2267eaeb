"""Tests of the page Study in Streamlit's `AppTest`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import regviz
from regviz.jobs.studies import StudyRun
from regviz.lessons.course import course
from regviz.pages import SCRIPT, learn
from regviz.pages.study import PATH, cost, opening, results
from regviz.pages.study.findings import seen
from regviz.pages.study.offers import offers
from regviz.scenes.link import from_query as scene_from_query
from regviz.scenes.study_link import from_query
from regviz.server import state
from regviz.studies import summary
from regviz.studies.cell import Cell
from regviz.studies.result import StudyResult
from tests.support.playground import open_page, set_view, widget
from tests.support.studies import result_of
from tests.support.waiting import wait_until

TINY = {
    "hidden": "2",
    "epochs": "20",
    "methods": "none,l2",
    "early_stopping": "0",
    "vary": "data.noise=0.1,0.3",
    "strengths": "2",
    "seeds": "3",
}


@pytest.fixture(autouse=True)
def own_limits() -> Iterator[None]:
    yield
    for shared in (state.limits, state.runs, state.studies):
        shared.cache_clear()


def open_study(**query: str) -> AppTest:
    page = AppTest.from_file(str(SCRIPT), default_timeout=30)
    page._page_hash = calc_hash(PATH)  # `switch_page` knows pages of files only
    for name, text in query.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def chosen(page: AppTest) -> regviz.Study:
    return page.session_state["study_state"].study


def finished(page: AppTest) -> AppTest:
    """Press Run, and run the page once its study is complete."""
    widget(page.button, "Run").click().run()
    run = state.studies().find(chosen(page))
    wait_until(lambda: run.state == "complete")
    page.run()
    assert not page.exception
    return page


def test_the_playground_links_to_a_study_of_its_scene():
    links = [each.proto for each in open_page(noise="0.1", epochs="50").sidebar.get("page_link")]
    (link,) = [link for link in links if link.page == PATH]
    query = {name: values[0] for name, values in parse_qs(link.query_string).items()}
    study = chosen(open_study(**query))
    assert (study.base.data.noise, study.base.training.epochs) == (0.1, 50)


def test_a_link_opens_its_study_and_the_address_gives_it_again():
    page = open_study(**TINY)
    study, problems = from_query(TINY)
    assert not problems
    assert chosen(page) == study
    address = dict(page.query_params)
    assert from_query(address) == (study, [])


def test_a_message_with_an_older_address_changes_nothing_but_its_controls(
    monkeypatch: pytest.MonkeyPatch,
):
    page = open_study(**TINY)
    addresses = [dict(page.query_params)]

    def seeds(n: int, address: dict[str, str]) -> int:
        """Move the slider in a browser with an address, and return the number of seeds."""
        page.query_params.clear()
        page.query_params.update(address)
        widget(page.slider, "Seeds").set_value(n).run()
        assert not page.exception
        addresses.append(dict(page.query_params))
        return len(chosen(page).seeds)

    key = widget(page.slider, "Seeds").key
    # the browser gets the addresses of the first two changes after it has sent the third
    assert [seeds(n, addresses[0]) for n in (4, 5, 6)] == [4, 5, 6]
    assert seeds(7, addresses[2]) == 7
    assert widget(page.slider, "Seeds").key == key
    # one step back in the browser's history
    monkeypatch.setattr(opening, "is_history_navigation", lambda: True)
    page.query_params.clear()
    page.query_params.update(addresses[3])
    page.run()
    assert len(chosen(page).seeds) == widget(page.slider, "Seeds").value == 6


def go_to(page: AppTest, path: str, query: dict[str, str]) -> None:
    """Open another page of the session by a link."""
    page._page_hash = calc_hash(path)
    page.query_params.clear()
    page.query_params.update(query)
    page.run()
    assert not page.exception


def test_a_link_to_a_study_gives_its_scene_to_the_playground():
    page = open_study(**TINY)
    (link,) = [each.proto for each in page.sidebar.get("page_link") if not each.proto.page]
    scene, problems = scene_from_query(dict(parse_qsl(link.query_string)))
    assert not problems
    assert (scene.network.hidden, scene.training.epochs) == ((2,), 20)
    own = open_page(noise="0.1", epochs="50")  # a playground that has a scene of its own
    go_to(own, PATH, TINY)
    (link,) = [each.proto for each in own.sidebar.get("page_link") if not each.proto.page]
    assert not link.query_string


OF_SCENE = {name: TINY[name] for name in ("hidden", "epochs", "methods", "early_stopping")}


@pytest.mark.parametrize("opened", [TINY, OF_SCENE | {"seed": "7"}])
def test_a_visitor_who_returns_with_the_same_scene_has_their_study_again(opened: dict[str, str]):
    page = open_study(**opened)
    widget(page.slider, "Seeds").set_value(4)
    widget(page.button_group, "Methods").set_value(["none", "l1"])
    page.run()
    study = chosen(page)
    assert (len(study.seeds), study.methods) == (4, ("none", "l1"))
    go_to(page, learn.PATH, {})
    go_to(page, PATH, OF_SCENE | {"seed": "8"})  # other points are the same scene
    assert chosen(page) == study
    assert from_query(dict(page.query_params)) == (study, [])
    for changed in ({"noise": "0.4"}, {"noise": "0.4", "methods": "none,max_norm"}):
        go_to(page, learn.PATH, {})
        go_to(page, PATH, OF_SCENE | changed)
        assert chosen(page) == chosen(open_study(**OF_SCENE | changed))


def test_strengths_that_are_changed_in_the_playground_are_those_of_a_study_as_on_the_cards():
    page = open_page(validation_fraction="0", methods="none,l2", epochs="20", hidden="2")
    (link,) = [each.proto for each in page.sidebar.get("page_link") if each.proto.page == PATH]
    query = dict(parse_qsl(link.query_string))
    go_to(page, PATH, query)
    before = dict(chosen(page).strengths)["l2"]
    go_to(page, "", query)
    set_view(page, strength_indices={"l2": 2})
    go_to(page, PATH, query)
    assert dict(chosen(page).strengths)["l2"] != before


def test_a_scene_of_a_study_reaches_the_playground_also_after_a_lesson():
    page = open_study(**TINY | {"strengths": "l2=0.5"})
    go_to(page, learn.PATH, {"lesson": course()[0].key})
    go_to(page, PATH, {})
    (link,) = [each.proto for each in page.sidebar.get("page_link") if not each.proto.page]
    scene, problems = scene_from_query(dict(parse_qsl(link.query_string)))
    assert not problems
    assert (scene.network.hidden, dict(scene.strengths)["l2"]) == ((2,), 0.5)


def test_a_step_back_to_the_bare_address_opens_the_first_study(monkeypatch: pytest.MonkeyPatch):
    page = open_study()
    first = chosen(page)
    widget(page.slider, "Seeds").set_value(21).run()
    assert page.query_params
    monkeypatch.setattr(opening, "is_history_navigation", lambda: True)
    page.query_params.clear()
    page.run()
    assert chosen(page) == first
    assert widget(page.slider, "Seeds").value == 20


def test_a_link_without_a_query_keeps_the_study_and_gives_its_address():
    page = open_study(**TINY)
    study = chosen(page)
    go_to(page, learn.PATH, {})
    go_to(page, PATH, {})
    assert chosen(page) == study
    assert from_query(dict(page.query_params)) == (study, [])


def test_the_address_of_a_scene_stays_until_its_study_is_changed():
    page = open_study(noise="0.1")
    assert dict(page.query_params) == {"noise": "0.1"}
    widget(page.slider, "Seeds").set_value(4).run()
    assert from_query(dict(page.query_params)) == (chosen(page), [])


def test_the_settings_of_a_result_can_be_shown_again():
    page = finished(open_study(**TINY))
    study = chosen(page)
    widget(page.slider, "Seeds").set_value(5).run()
    assert "other settings" in page.main.caption[0].value
    page = widget(page.button, "Show its settings").click().run()
    assert chosen(page) == study
    assert widget(page.slider, "Seeds").value == 3
    assert "Show its settings" not in [each.label for each in page.button]
    widget(page.multiselect, "Values of noise").set_value(["0.1", "lots"]).run()
    assert "other settings" in page.main.caption[0].value
    state.studies()._runs.clear()  # evicted
    page.run()
    assert "no longer kept" in page.main.caption[0].value
    page = widget(page.button, "Show its settings").click().run()
    assert chosen(page) == study
    assert "Press Run" in page.warning[0].value


def test_a_study_that_finds_no_room_says_so_until_it_is_changed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state.studies(), "max_studies", 0)
    page = open_study(**TINY)
    widget(page.button, "Run").click().run()
    assert "Many studies wait" in page.warning[0].value
    widget(page.slider, "Seeds").set_value(4).run()
    assert not page.warning


def test_values_of_a_link_that_are_wrong_are_named_and_the_others_are_kept():
    page = open_study(**TINY | {"vary": "data.noise=0.1,9,0.3", "seeds": "many"})
    assert "9" in page.warning[0].value
    assert "seeds" in page.warning[0].value
    assert chosen(page).vary == (("data.noise", (0.1, 0.3)),)


def test_parts_of_a_link_that_the_page_cannot_hold_are_named():
    three = "data.noise=0.1,0.3;data.label_noise=0,0.1;network.hidden=4,8-8"
    own = {"vary": three, "strengths": "1", "choose": "none", "seeds": "200"}
    page = open_study(**TINY | own)
    problems = page.warning[0].value.replace("\\", "")
    assert "2 axes, so network.hidden is left at 2." in problems
    assert "choose=none is ignored" in problems
    assert len(chosen(page).vary) == 2
    assert chosen(page).seeds == tuple(range(200))
    assert chosen(open_study(**TINY | {"seeds": "1"})).seeds == (0,)


def test_findings_state_what_can_be_compared_and_the_largest_of_the_clear_differences():
    study, _ = from_query(TINY | {"strengths": "1", "seeds": "4"})
    spread = np.array([0.01, -0.01, 0.02, -0.02])
    losses = np.full((4, 2, 2), 1.0)
    losses[:, 0, 1] = 0.5 + spread
    losses[:, 1, 1] = 0.8 + spread
    (both,) = seen(result_of(study, losses))
    # Student's interval: 0.5 ± 3.182 * sqrt(0.001 / 3 / 4)
    assert "noise 0.1, L2 tests 0.5 below None" in both
    assert "−0.53 to −0.47, 4 seeds" in both
    assert "The first difference is the largest clear one of 2" in both
    assert "Each interval is for a single cell" in both
    assert "2 of 2 differences are clear after Holm's correction for the study's 2." in both
    # 0.2 ± 0.029
    assert "At noise 0.3 the difference is −0.20 (−0.23 to −0.17), clear." in both
    tiny = losses.copy()
    tiny[:, 1, 1] = 1 + spread / 1e4
    (small,) = seen(result_of(study, tiny))
    assert "At noise 0.3 the difference is less than a hundredth of the first, not clear." in small
    losses[0, 1, 1] = np.nan
    (one,) = seen(result_of(study, losses))
    assert "1 of 1 differences are clear" in one
    assert "1 more cannot be taken, as a method diverged." in one
    assert "largest" not in one
    (none,) = seen(result_of(study, losses[:, :, [0, 0]] + spread[:, None, None], done=[0]))
    assert "No method differs clearly from None** in 1 cell with 4 seeds" in none
    losses[0, :, 1] = np.nan
    assert "No method can be compared with None" in seen(result_of(study, losses))[0]
    single = replace(study, seeds=(0,))
    assert "One seed shows no uncertainty" in seen(result_of(single, losses[1:2]))[0]


def test_a_result_has_figure_findings_differences_and_downloads():
    page = finished(open_study(**TINY))
    assert len(page.get("plotly_chart")) == 1
    assert len(page.dataframe[0].value) == 2
    labels = [each.proto.label for each in page.get("download_button")]
    assert labels == ["Table (CSV)", "Table (Parquet)", "Figure (HTML)", "Program"]


def test_a_finished_study_is_compared_and_drawn_once_for_a_view(monkeypatch: pytest.MonkeyPatch):
    calls: list[str] = []

    def count(where: Any, name: str) -> None:
        own = getattr(where, name)

        def counted(*args: Any, **named: Any) -> Any:
            calls.append(name)
            return own(*args, **named)

        monkeypatch.setattr(where, name, counted)

    page = finished(open_study(**TINY))
    for where, name in ((summary, "differences"), (results, "_drawn"), (StudyResult, "of")):
        count(where, name)
    for _ in range(3):
        page.run()
        assert not page.exception
    assert calls == []
    widget(page.selectbox, "Number").select("sparsity").run()
    assert calls == ["_drawn"]


def test_no_cell_is_hashed_to_show_a_finished_study_but_the_one_that_opens(
    monkeypatch: pytest.MonkeyPatch,
):
    page = finished(open_study(**TINY))
    hashed, own = [], Cell.key.fget

    def key(cell: Cell) -> str:
        hashed.append(cell.values)
        return own(cell)

    monkeypatch.setattr(Cell, "key", property(key))
    page = widget(page.selectbox, "Cell").select_index(1).run()
    assert set(hashed) == {(("data.noise", 0.3),)}


def test_a_result_that_is_kept_is_shown_to_who_opens_its_link_and_not_after_a_run_of_their_own():
    finished(open_study(**TINY))
    page = open_study(**TINY)
    assert widget(page.selectbox, "Cell")
    assert "Run" not in [each.label for each in page.button]
    other = finished(open_study(**TINY | {"seeds": "2"}))
    widget(other.slider, "Seeds").set_value(3).run()
    assert widget(other.button, "Run")
    assert widget(other.button, "Show its settings")


@pytest.mark.parametrize(
    "methods",
    [{"methods": "none", "early_stopping": "1"}, {"methods": "none,l2"}, {"methods": "l2"}],
)
@pytest.mark.parametrize("strengths", ["1", "3"])
def test_every_offered_view_can_be_drawn(methods: dict[str, str], strengths: str):
    page = finished(open_study(**TINY | methods | {"strengths": strengths}))
    for option in widget(page.button_group, "Figure").options:
        page = widget(page.button_group, "Figure").set_value(option).run()
        assert not page.exception
        assert page.get("plotly_chart")


def test_the_signs_of_the_chosen_cell_are_ringed(monkeypatch: pytest.MonkeyPatch):
    drawn: list[Any] = []
    monkeypatch.setattr(results, "draw", lambda figure, *args, **options: drawn.append(figure))
    page = finished(open_study(**TINY))
    for index in (1, 0):
        page = widget(page.selectbox, "Cell").select_index(index).run()
        key = chosen(page).cells[index].key
        signs = [trace for trace in drawn[-1].data if trace.customdata is not None]
        rings = [trace for trace in drawn[-1].data if trace.marker.symbol == "circle-open"]
        assert len(rings) == len(signs) == 2
        for sign, ring in zip(signs, rings, strict=True):
            at = [cell for cell, *_ in sign.customdata].index(key)
            assert [*ring.x, *ring.y] == [sign.x[at], sign.y[at]]


def test_the_winner_of_the_chosen_cell_is_ringed_on_the_map(monkeypatch: pytest.MonkeyPatch):
    drawn: list[Any] = []
    monkeypatch.setattr(results, "draw", lambda figure, *args, **options: drawn.append(figure))
    page = finished(open_study(**TINY | {"vary": "network.hidden=1,2;data.noise=0.1,0.3"}))
    for index in (3, 0):
        page = widget(page.selectbox, "Cell").select_index(index).run()
        key = chosen(page).cells[index].key
        (sign,) = [
            (trace.x[i], trace.y[i], trace.marker.color[i])
            for trace in drawn[-1].data
            for i, (cell, text) in enumerate(trace.customdata or ())
            if cell == key and f"<b>{trace.name}</b>" in text
        ]
        (ring,) = [trace for trace in drawn[-1].data if trace.marker.symbol == "circle-open"]
        assert (*ring.x, *ring.y, ring.marker.color) == sign


def test_a_study_that_waits_is_drawn_once_for_a_view(monkeypatch: pytest.MonkeyPatch):
    drawn, own = [], results._drawn

    def counted(*args: Any) -> Any:
        drawn.append(args)
        return own(*args)

    monkeypatch.setattr(results, "_drawn", counted)
    registry = state.studies()
    registry.max_active, registry.is_present = 0, lambda visitor: True
    page = open_study(**TINY)
    widget(page.button, "Run").click().run()
    page.run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == len(drawn) == 1
    widget(page.selectbox, "Number").select("sparsity").run()
    assert len(drawn) == 2


def waiting() -> tuple[AppTest, StudyRun]:
    """Press Run where no study is computed, and return the page and its study."""
    registry = state.studies()
    registry.max_active = 0
    page = open_study(**TINY)
    widget(page.button, "Run").click().run()
    run = registry.find(chosen(page))
    assert run is not None
    return page, run


def test_who_has_stopped_a_study_may_watch_it_again_when_another_visitor_resumes_it():
    page, run = waiting()
    registry = state.studies()
    page = widget(page.button, "Stop").click().run().run()
    assert run.state == "stopped"
    registry.start(chosen(page), "bob")
    page.run()
    assert "Stop" not in [each.label for each in page.button]
    page = widget(page.button, "Go on").click().run()
    assert widget(page.button, "Stop")
    registry.leave("bob")
    assert len(run.watchers()) == 1


def test_a_study_whose_cell_is_in_progress_is_said_to_be_stopping():
    page, run = waiting()
    registry = state.studies()
    run.begin()
    index, _ = run.take()
    page = widget(page.button, "Stop").click().run()
    assert page.get("progress")[0].proto.text == "0 of 2 cells, stopping"
    assert widget(page.button, "Go on")
    run.put_back(index)
    registry.evict()
    page.run()
    assert run.state == "stopped"
    assert "Stopped after 0 of 2 cells" in page.main.info[0].value


def test_a_cell_opens_in_the_playground_with_its_data_and_chosen_strengths():
    page = finished(open_study(**TINY))
    page = widget(page.selectbox, "Cell").select_index(1).run()
    page = widget(page.selectbox, "Seed").select(2).run()
    (button,) = page.get("link_button")
    query = {k: v[0] for k, v in parse_qs(urlsplit(button.proto.url).query).items()}
    scene, problems = scene_from_query(query)
    assert not problems
    assert (scene.data.noise, scene.data.seed, scene.training.seed) == (0.3, 2, 2)
    rows = state.studies().find(chosen(page)).result().chosen
    own = rows[(rows["data.noise"] == 0.3) & (rows["seed"] == 2) & (rows["method"] == "l2")]
    assert dict(scene.strengths)["l2"] == pytest.approx(own["strength"].item())


def test_a_click_on_a_point_chooses_its_cell_also_if_the_browser_does_not_learn_of_it(
    monkeypatch: pytest.MonkeyPatch,
):
    page = finished(open_study(**TINY))
    cell = chosen(page).cells[1]
    before = page._tree.get_widget_states()
    monkeypatch.setattr(results, "draw", lambda *_, **__: None)  # `AppTest` has no charts to click
    page.session_state["study_lines"] = {"selection": {"points": [{"customdata": [cell.key]}]}}
    page.run()
    assert widget(page.selectbox, "Cell").value == 1
    page._run(before)  # the browser still has the values of the run before
    assert not page.exception
    assert widget(page.selectbox, "Cell").value == 1
    page = widget(page.selectbox, "Cell").select_index(0).run()
    assert widget(page.selectbox, "Cell").value == 0


def test_a_link_sets_the_controls_also_if_the_browser_still_has_the_values_before():
    page = open_study(**TINY)
    before = page._tree.get_widget_states()
    page.query_params["seeds"] = "4"
    page.query_params["vary"] = "data.noise=0.2,0.4"
    page._run(before)
    assert not page.exception
    study = chosen(page)
    assert (study.seeds, study.vary) == ((0, 1, 2, 3), (("data.noise", (0.2, 0.4)),))
    page._run(before)
    assert chosen(page) == study


def test_a_study_beyond_the_limits_is_refused_before_it_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REGVIZ_STUDY_NETWORKS", "10")
    state.limits.cache_clear()
    page = open_study(**TINY)
    assert "18 networks, and this server allows 10" in page.error[0].value
    assert "Choose" in page.error[0].value
    assert "Run" not in [each.label for each in page.button]
    assert not page.info
    assert len(page.get("download_button")) == 1  # the program, for a larger machine


def test_the_memory_of_the_largest_cell_counts_wherever_it_is(monkeypatch: pytest.MonkeyPatch):
    sizes = ((2,), (32, 32), (4,))
    vary = {"network.hidden": sizes, "training.dtype": ("float32", "float64")}
    study = regviz.Study(vary=vary, methods=("none", "l2"), seeds=range(10))
    alone = [regviz.Study(vary={"network.hidden": [one]}, methods=("none",)) for one in sizes]
    assert cost.largest_cell_bytes(alone[1]) > cost.largest_cell_bytes(alone[2])
    monkeypatch.setattr(cost, "MAX_CELL_BYTES", cost._cell_bytes(study.cells[-1]))
    assert "A cell of this study needs" in cost.reason_against(study)
    outer = replace(study, vary={"network.hidden": sizes[::2]})
    assert cost.reason_against(outer) == ""
    n_parameters = 2 * 32 + 32 + 32 * 32 + 32 + 32 + 1
    # 13 networks take the place of 16; values, gradients and two moments of 8 bytes
    assert cost.largest_cell_bytes(study) == 10 * 16 * n_parameters * 4 * 8


def test_few_cells_are_looked_at_to_find_the_largest(monkeypatch: pytest.MonkeyPatch):
    vary = {
        "data.noise": [i / 100 for i in range(30)],
        "training.learning_rate": [i / 100 for i in range(1, 31)],
        "network.hidden": ((2,), (8, 8), (4,)),
        "network.features": (("x1",), ("x1", "x2", "x1*x2"), ("x1", "x2")),
        "training.epochs": (20, 50, 10),
    }
    methods = ("none", "l2", "early_stopping")
    study = regviz.Study(vary=vary, methods=methods, strengths=2, seeds=range(3))
    of_size = dict(vary) | {path: values[:2] for path, values in list(vary.items())[:2]}
    expected = max(map(cost._cell_bytes, replace(study, vary=of_size).cells))
    looked_at, own = [], cost._cell_bytes

    def counted(cell: Cell) -> int:
        looked_at.append(cell)
        return own(cell)

    monkeypatch.setattr(cost, "_cell_bytes", counted)
    cost.largest_cell_bytes.cache_clear()
    assert cost.largest_cell_bytes(study) == expected
    assert len(looked_at) == 3


def test_width_and_depth_are_said_to_be_one_setting():
    page = open_study(**TINY)
    second = widget(page.selectbox, "Second axis")
    assert "only one of them can be an axis" in second.help
    widget(page.selectbox, "Axis").select("width").run()
    assert {"depth", "layers"}.isdisjoint(widget(page.selectbox, "Second axis").options)
    layers = widget(page.selectbox, "Axis").select("layers").run()
    values = widget(layers.multiselect, "Values of hidden layers")
    values.set_value(["4", "16-16", "16", "4-4"]).run()
    assert chosen(page).vary == (("network.hidden", ((4,), (16,), (4, 4), (16, 16))),)


def test_a_value_that_is_typed_wrong_is_named_and_nothing_runs():
    page = open_study(**TINY)
    values = widget(page.multiselect, "Values of noise")
    values.set_value(["0.1", "lots"]).run()
    assert "lots" in page.error[0].value
    assert "Run" not in [each.label for each in page.button]
    assert not page.info
    assert not page.get("download_button")


@pytest.mark.parametrize("data", ["moons", "three_spirals", "bumps", "digits"])
def test_every_offered_axis_is_a_study(data: str):
    most = {"digits": "600"}.get(data, "400")
    scene, _ = scene_from_query({"data": data, "n_samples": most, "batch_size": "10"})
    base = scene.grid().experiment
    for offer in offers(base).values():
        study = regviz.Study(base, {offer.path: offer.values}, ("none",))
        assert study.axes[0].values == offer.values
        assert [offer.read(offer.text(value)) for value in offer.values] == list(offer.values)
