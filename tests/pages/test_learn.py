"""Tests of the page Learn in Streamlit's `AppTest`."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from regviz.lessons.claim import all_studies
from regviz.lessons.course import course
from regviz.lessons.lesson import Lesson
from regviz.pages.learn import PATH, progress
from regviz.pages.learn.progress import MAX_CHARS, Progress, read
from regviz.scenes.study_link import from_query
from regviz.server import state
from tests.lessons.test_lessons import NAME, TEMPLATE
from tests.support.playground import boards, grid_on, header, open_lesson, open_page, send
from tests.support.waiting import wait_until

KEY = "smaller-weights"  # the template of docs/howto/lessons.md
# with short trainings, and a task that is solved at some epochs alone
QUICK = TEMPLATE.replace("epochs=300", "epochs=20").replace("epoch=16", "epoch=5")
QUICK = QUICK.replace("none.test_loss < 0.4 and none.gap < 0.12", "epoch <= 5 and l2_norm > 0")


@pytest.fixture(autouse=True)
def own_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lesson]:
    """The template as a lesson of a teacher's own, with short trainings."""
    (tmp_path / NAME).write_text(QUICK)
    monkeypatch.setenv("REGVIZ_LESSONS", str(tmp_path))
    state.limits.cache_clear()
    yield course((str(tmp_path),))[-1]
    state.limits.cache_clear()
    state.runs.cache_clear()


def headings(page: AppTest) -> list[str]:
    return [heading.value for heading in page.main.header]


def button(page: AppTest, label: str):
    (found,) = (each for each in page.button if each.label == label)
    return found


def answered(answer: int = 1, **query: str) -> AppTest:
    page = open_lesson(lesson=KEY, **query)
    return page.radio[0].set_value(answer).run()


def complete(page: AppTest) -> AppTest:
    """Wait for the training, and run the page as the board's request for frames does."""
    own = page.session_state["page"]
    run = state.runs().get(grid_on(page).experiment, own.visitor, always=True)
    wait_until(lambda: run.wait(0, 0, 0, own.visitor).complete)
    return page.run()


def test_the_list_has_all_lessons_and_a_teachers_own_last(own_lesson: Lesson):
    page = open_lesson()
    assert not page.exception
    links = [each.proto for each in page.main.get("page_link")]
    keys = [link.query_string.removeprefix("lesson=") for link in links]
    assert keys == [*(lesson.key for lesson in course()), own_lesson.key]
    assert own_lesson.idea in [text.value for text in page.main.markdown]


def test_the_playground_links_to_the_list_and_back():
    links = [each.proto.page for each in open_page(hidden="2", epochs="20").get("page_link")]
    # beside the board, and in the sidebar, of which one is seen
    assert links == ["learn", "learn", "study"]
    assert "" in [each.proto.page for each in open_lesson().sidebar.get("page_link")]


def test_an_unknown_lesson_leads_to_the_list():
    page = open_lesson(lesson="nope")
    assert "nope" in page.warning[0].value
    assert len(page.main.get("page_link")) == len(course()) + 1


def test_nothing_that_gives_the_answer_away_is_shown_before_it():
    page = open_lesson(lesson=KEY)
    assert headings(page) == ["Predict"]
    assert not boards(page)
    assert not page.success


@pytest.mark.parametrize(("answer", "begins"), [(1, "**Yes.**"), (0, "**Not so:** The wide one")])
def test_the_explanation_and_the_board_follow_the_answer(answer: int, begins: str):
    page = answered(answer)
    assert not page.exception
    assert headings(page) == ["Predict", "See", "Why", "Try", "Sources"]
    (told,) = [*page.success, *page.info]
    assert told.value.startswith(begins)
    assert "The explanation appears after the choice" in told.value
    sent = header(page)
    assert sent["part"] == {"show": ["losses"], "drag": ["scene"]}
    assert [card["key"] for card in sent["cards"]] == ["none", "l2", "early_stopping"]


def test_the_lesson_can_be_read_without_an_answer():
    page = button(open_lesson(lesson=KEY), "Go on without an answer").click().run()
    assert headings(page) == ["Predict", "See", "Why", "Try", "Sources"]
    assert len(boards(page)) == 1


def test_the_slider_changes_the_scene_and_the_link():
    page = answered()
    assert header(page)["link"] == f"lesson={KEY}&scene=narrow"
    page = page.select_slider[0].set_value("wide").run()
    assert header(page)["link"] == f"lesson={KEY}&scene=wide"
    assert grid_on(page).experiment.network.hidden == (8, 8)


def test_a_link_opens_its_scene_and_view_at_once():
    page = open_lesson(lesson=KEY, scene="wide", l2="0.03", focus="l2", epoch="10")
    assert len(boards(page)) == 1
    view = header(page)["requested_view"]
    assert grid_on(page).strengths("l2")[view["strength_indices"]["l2"]] == 0.03
    assert (view["focus"], view["epoch"]) == ("l2", 10)


def test_the_task_is_solved_by_what_the_board_shows():
    page = complete(button(answered(), "Put the task on the board").click().run())
    assert header(page)["part"]["drag"] == ["scene"]
    request = header(page)["requested_view"]["id"]

    def at_epoch(epoch: int | None) -> tuple[list[str], bool]:
        shown = send(page, view={"request_id": request, "focus": "l2", "epoch": epoch}).run()
        lines = [t.value for t in shown.main.markdown if "None's epoch" in t.value][-1].split("\n")
        return lines, "Solved." in [each.value for each in shown.success]

    lines, solved = at_epoch(None)
    assert lines[0] == "- ✗ None's epoch: **20**, wanted at most 5"
    assert lines[1].startswith("- ✓ None's length of w: **")
    assert not solved
    lines, solved = at_epoch(4)
    assert lines[0] == "- ✓ None's epoch: **4**, wanted at most 5"
    assert solved
    assert not at_epoch(20)[1]
    assert "You have solved this before." in [each.value for each in page.info]
    assert page.session_state["course_progress"][KEY].solved


def test_a_solution_is_shown_and_solves_the_task():
    page = complete(button(answered(), "Show a solution").click().run())
    assert "Solved." in [each.value for each in page.run().success]


def test_a_solution_stays_though_the_browser_sends_the_slider_that_it_has_replaced():
    page = answered()
    slider = page.select_slider[0]._widget_state
    page = complete(button(page, "Show a solution").click().run()).run()
    request = header(page)["requested_view"]
    sent = page._tree.get_widget_states()
    sent.widgets.append(slider)
    page._run(sent)
    assert header(page)["requested_view"] == request
    assert "Solved." in [each.value for each in page.success]


def test_the_slider_of_the_lesson_before_changes_nothing():
    page = answered()
    slider = page.select_slider[0]._widget_state
    page.query_params["lesson"] = course()[0].key
    page.run()
    scene = page.session_state["page"].lesson_scene
    sent = page._tree.get_widget_states()
    sent.widgets.append(slider)
    page._run(sent)
    assert page.session_state["page"].lesson_scene == scene


def test_the_next_lesson_follows_the_lesson():
    first, second, *_ = [*course(), None]
    if second is None:
        pytest.skip("the course has one lesson")
    page = open_lesson(lesson=first.key).radio[0].set_value(0).run()
    queries = [each.proto.query_string for each in page.main.get("page_link")]
    assert queries == [f"lesson={second.key}"]


def test_links_wait_for_the_browsers_answer_and_work_after_a_while_without_it(
    monkeypatch: pytest.MonkeyPatch,
):
    def enabled(page: AppTest) -> set[bool]:
        assert not page.exception
        return {not link.proto.disabled for link in page.get("page_link")}

    monkeypatch.setattr(progress, "ANSWER_SECONDS", math.inf)
    page = open_lesson()
    assert enabled(page) == {False}
    monkeypatch.setattr(progress, "ANSWER_SECONDS", 0)
    assert enabled(page.run()) == {True}
    page.session_state["course_memory"] = {"kept": "{}"}
    assert enabled(page.run()) == {True}


def test_progress_that_the_browser_has_kept_is_taken_on():
    page = open_lesson(lesson=KEY)
    kept = json.dumps({KEY: {"answer": 0, "solved": True}})
    page.session_state["course_memory"] = {"kept": kept}
    page.run()
    assert page.session_state["course_progress"][KEY] == Progress(0, True)
    assert page.radio[0].value == 0
    assert len(boards(page)) == 1


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", '{"a": 1}', "{" * 10_000, json.dumps({"a": {"answer": "x" * MAX_CHARS}})],
)
def test_malformed_progress_is_none(text: str):
    assert read(text) == {}


def test_parts_of_progress_that_are_malformed_are_left_out():
    text = json.dumps({"a": {"answer": True, "solved": 1}, "b": {"answer": 99}, "c": {"answer": 2}})
    assert read(text) == {"a": Progress(), "b": Progress(), "c": Progress(2)}


def test_the_playground_keeps_its_state_while_the_visitor_learns():
    page = open_page(hidden="2", epochs="20", noise="0.4")
    own = page.session_state["page"]
    page._page_hash = calc_hash(PATH)
    page.query_params["lesson"] = KEY
    page.run()
    assert page.session_state["page"].lesson_scene == "narrow"
    assert page.session_state["page"].visitor == own.visitor
    page._page_hash = calc_hash("")
    page.query_params.clear()
    page.run()
    assert grid_on(page).experiment.data.noise == 0.4


def test_a_study_of_a_lesson_has_its_numbers_and_a_link_that_opens_it(tmp_path: Path):
    block = """```study
study = "width.chosen"
title = "Chosen strengths"
x = "network.hidden"
label = "hidden units"
facet = "data.noise"
baseline = "none"
compare = ["l2", "dropout"]
```
"""
    (tmp_path / NAME).write_text(QUICK.replace("## Try", f"{block}\n## Try"))
    course.cache_clear()
    page = answered()
    assert not page.exception
    (opened,) = [one.proto.url for one in page.main.get("link_button") if "study" in one.proto.url]
    place, _, query = opened.partition("?")
    assert place == "./study"
    study, problems = from_query(dict(parse_qsl(query)))
    assert (study, problems) == (all_studies()["width.chosen"], [])
    tables = [text.value for text in page.main.markdown if "| clear |" in text.value]
    assert len(tables) == 3, "one for each noise"
