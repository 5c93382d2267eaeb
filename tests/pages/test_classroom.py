"""Tests of a class's room on the page: students follow the teacher, and answers are counted."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.pages import classroom
from regviz.scenes.claims import find_claim
from regviz.scenes.scene import Scene
from regviz.server.rooms import Question, Room, Rooms
from tests.support.playground import QUICK, grid_on, header, open_page, set_view, widget

pytestmark = pytest.mark.usefixtures("runs")
QUESTION = Question("Which will have the most zeros?", ("L1", "L2"))


@pytest.fixture(autouse=True)
def rooms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rooms]:
    registry = Rooms()
    monkeypatch.setattr(classroom, "rooms", lambda: registry)
    return registry


@pytest.fixture
def teacher(rooms: Rooms) -> AppTest:
    """A page with an open room."""
    page = open_page(**QUICK)
    room = rooms.create(page.session_state["page"].visitor)
    assert room is not None
    page.session_state["page"].room = room.code
    return page.run()


@pytest.fixture
def room(rooms: Rooms, teacher: AppTest) -> Room:
    room = rooms.find(teacher.session_state["page"].room)
    assert room is not None
    return room


@pytest.fixture
def student(room: Room) -> AppTest:
    return open_page(room=room.code.lower(), **QUICK).run()


def texts(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(e.value for e in (*page.markdown, *page.caption, *page.info, *page.warning))


def test_a_student_joins_by_the_links_code_and_sees_the_teachers_scene(
    teacher: AppTest, student: AppTest, room: Room
):
    assert f"**Room {room.code}**" in texts(student)
    assert "1 student" in texts(teacher.run())
    widget(teacher.slider, "Noise").set_value(0.7).run()
    assert grid_on(student.run()) == grid_on(teacher)


def test_a_teachers_page_that_is_loaded_again_has_its_room(
    rooms: Rooms, room: Room, teacher: AppTest
):
    again = open_page(**QUICK)
    again.session_state["room_memory"] = {"kept": teacher.session_state["page"].visitor}
    assert "0 students" in texts(again.run())
    assert again.session_state["page"].room == room.code
    rooms.close(room.code, room.teacher)
    other = open_page(**QUICK)
    other.session_state["room_memory"] = {"kept": room.teacher}
    assert other.run().session_state["page"].room is None
    assert other.session_state["page"].visitor != room.teacher


def test_a_students_page_that_is_loaded_again_is_the_same_student(room: Room, student: AppTest):
    room.ask(QUESTION)
    name = student.session_state["page"].visitor
    assert room.answer(name, 1, 1)
    again = open_page(room=room.code, **QUICK)
    again.session_state["room_memory"] = {"kept": name}
    again.run()
    assert again.session_state["page"].visitor == name
    kinds = [again.button(key=f"room_answer_1_{i}").proto.type for i in (0, 1)]
    assert kinds == ["secondary", "primary"]
    # a name that the room does not know is none
    stranger = open_page(room=room.code, **QUICK)
    stranger.session_state["room_memory"] = {"kept": "0123456789abcdef"}
    assert stranger.run().session_state["page"].visitor != "0123456789abcdef"


def test_students_follow_to_the_opening_page_and_keep_their_pins(room: Room, student: AppTest):
    pin = Scene(regviz.DataSpec("moons"))
    student.session_state["page"].base = replace(student.session_state["page"].base, pins=(pin,))
    room.share("data=xor")
    student.run()
    assert grid_on(student).experiment.data.name == "xor"
    assert student.session_state["page"].base.pins == (pin,)
    room.share("")
    student.run()
    assert grid_on(student) == Scene().grid()


def test_a_scene_with_too_many_points_for_a_link_is_not_shared_and_the_teacher_knows(
    teacher: AppTest, room: Room
):
    X = np.random.default_rng(0).normal(size=(2000, 2))
    own = regviz.PointsSpec(np.column_stack([X, X[:, 0] > 0]))
    before = room.overview().link
    teacher.session_state["page"].to_open = replace(
        teacher.session_state["page"].base, data=own, training=regviz.TrainingSpec(epochs=5)
    )
    # the panel is drawn before the scene is shared, and drawn again twice a second
    assert "too many for a link: the students" in texts(teacher.run().run())
    assert room.overview().link == before


def test_a_student_sees_the_strength_and_the_epoch_that_the_teacher_looks_at(
    teacher: AppTest, student: AppTest
):
    set_view(teacher, focus="l2", strength_indices={"l2": 6}, epoch=20)
    requested = student.run().session_state["page"].requested_view
    assert (requested["focus"], requested["epoch"]) == ("l2", 20)
    assert requested["strength_indices"]["l2"] == 6


def test_students_see_the_claim_that_the_teacher_tries(teacher: AppTest, student: AppTest):
    state, claim = teacher.session_state["page"], find_claim("l2")
    assert claim is not None
    state.to_open, state.claim = claim.scene, claim.key
    teacher.run()
    assert grid_on(student.run()) == claim.scene.grid()
    assert header(student)["claims"]["opened"] == "l2"
    grid = claim.scene.grid()
    networks = dict(zip(grid.methods, claim.networks(grid), strict=True))
    assert header(student)["claims"]["networks"] == networks


def test_students_who_need_not_follow_keep_their_scene(teacher: AppTest, student: AppTest):
    before = grid_on(student.run())
    widget(teacher.toggle, "Students see what I see").set_value(False).run()
    widget(teacher.slider, "Noise").set_value(0.7).run()
    assert grid_on(student.run()) == before


def test_a_shared_scene_is_opened_once(teacher: AppTest, student: AppTest):
    student.run()
    widget(student.slider, "Noise").set_value(0.9).run()
    changed = grid_on(student)
    assert grid_on(student.run()) == changed != grid_on(teacher)


def test_an_answer_is_counted_and_shown_once_it_is_revealed(
    teacher: AppTest, student: AppTest, room: Room
):
    room.ask(QUESTION)
    assert "Which will have the most zeros" in texts(student.run())
    student.button(key="room_answer_1_0").click().run()
    assert "You can change your answer" in texts(student)
    assert "1 answer so far" in texts(teacher.run())
    teacher.button(key="room_reveal").click().run()
    assert room.join("another").counts == (1, 0)
    assert not any(button.key == "room_answer_1_0" for button in student.run().button)


def test_a_question_that_is_not_allowed_is_named_and_not_asked(teacher: AppTest, room: Room):
    teacher.text_input[0].set_value("Which?")
    teacher.button(key="FormSubmitter:room_question-Ask").click().run()
    (error,) = teacher.error
    assert error.value.startswith("Answers must be 2 to 4")
    # the message and the text stay when the panel is drawn again
    teacher.run()
    assert teacher.error[0].value == error.value
    assert teacher.text_input[0].value == "Which?"
    assert room.overview().question is None


def test_a_closed_room_leaves_students_where_they_are(
    teacher: AppTest, student: AppTest, room: Room
):
    before = grid_on(student.run())
    teacher.button(key="room_close").click().run()
    assert "Room" not in texts(teacher)
    assert f"There is no room {room.code} on this server" in texts(student.run())
    assert grid_on(student) == before


@pytest.mark.parametrize("code", ["", "nope!", "0O1I", "x" * 5000])
def test_a_code_that_is_none_is_named_and_the_link_opens(code: str):
    page = open_page(room=code, **QUICK)
    assert page.session_state["page"].room is None
    (problem,) = page.session_state["page"].problems
    assert problem.startswith("In the link: room must be a code of 4 letters and digits, got ")
    assert grid_on(page).experiment.training.epochs == 50


def test_an_open_room_has_a_code_and_a_link(rooms: Rooms):
    page = open_page(**QUICK)
    page.session_state["share"] = True
    page.run().button(key="room_open").click().run()
    assert len(rooms) == 1
    code = page.session_state["page"].room
    assert f"Code: **{code}**" in texts(page)
    assert any(each.value.endswith(f"?room={code}") for each in page.code)
