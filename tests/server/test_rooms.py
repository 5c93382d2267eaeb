"""Tests of a class's rooms: what is shared, counted and forgotten, by a clock of their own."""

import threading

import pytest

from regviz.scenes.link import MAX_LINK_CHARS
from regviz.server import rooms
from regviz.server.rooms import IDLE_SECONDS, STUDENT_SECONDS, Question, Room, Rooms

QUESTION = Question("Which will have the most zeros?", ("L1", "L2", "Dropout"))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Rooms:
    return Rooms(clock)


@pytest.fixture
def room(registry: Rooms) -> Room:
    room = registry.create("teacher")
    assert room is not None
    return room


def test_a_room_is_found_by_its_code_however_it_is_typed(registry: Rooms, room: Room):
    assert registry.find(f" {room.code.lower()} ") is room
    assert registry.find("") is None
    assert set(room.code) <= set(rooms.ALPHABET)


def test_a_teacher_has_one_room(registry: Rooms, room: Room):
    assert registry.create("teacher") is room
    assert registry.create("another") is not room
    assert len(registry) == 2


def test_answers_are_bounded_and_each_student_has_one(
    room: Room, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "MAX_STUDENTS", 3)
    room.ask(QUESTION)
    for i in range(10):  # short visits, one after another
        clock.now += 2 * STUDENT_SECONDS
        room.answer(f"student {i}", 0, 1)
    assert room.overview().counts == (3, 0, 0)
    assert room.answer("student 0", 1, 1)
    assert room.overview().counts == (2, 1, 0)
    assert (room.answer_of("student 0"), room.answer_of("student 9")) == (1, None)
    assert room.knows("student 0")
    assert not room.knows("nobody")


def test_an_idle_room_is_neither_found_nor_its_teachers(registry: Rooms, room: Room, clock: Clock):
    clock.now += IDLE_SECONDS + 1
    assert registry.find(room.code) is None
    assert registry.of("teacher") is None


def test_no_more_rooms_are_opened_than_allowed(
    registry: Rooms, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "MAX_ROOMS", 2)
    assert registry.create("a")
    assert registry.create("b")
    assert registry.create("c") is None
    clock.now += IDLE_SECONDS + 1
    assert registry.create("c")


def test_a_shared_link_reaches_students_once(room: Room):
    assert room.join("s").link_version == 0
    room.share("?v=1&focus=l1")
    room.share("?v=1&focus=l1")
    state = room.join("s")
    assert (state.link, state.link_version) == ("?v=1&focus=l1", 1)


def test_a_link_that_no_page_writes_is_refused(room: Room):
    with pytest.raises(ValueError, match=r"^the link must be of at most 7,000 characters"):
        room.share("x" * (MAX_LINK_CHARS + 1))


def test_each_student_has_one_answer_and_may_change_it(room: Room):
    room.ask(QUESTION)
    for student, index in (("a", 0), ("b", 1), ("a", 1)):
        assert room.answer(student, index, 1)
    assert room.overview().counts == (0, 2, 0)


def test_students_see_the_counts_once_they_are_revealed(room: Room):
    room.ask(QUESTION)
    room.answer("a", 2, 1)
    assert room.join("a").counts == (0, 0, 0)
    room.reveal()
    assert room.join("a").counts == (0, 0, 1)
    assert not room.answer("a", 0, 1)
    assert room.overview().counts == (0, 0, 1)


def test_an_answer_to_an_earlier_question_is_not_counted(room: Room):
    room.ask(QUESTION)
    room.ask(Question("And now?", ("yes", "no")))
    assert not room.answer("a", 2, 1)
    assert room.answer("a", 1, 2)
    room.end_question()
    assert not room.answer("a", 1, 2)
    assert room.overview().counts == ()


def test_an_answer_that_there_is_not_is_refused(room: Room):
    room.ask(QUESTION)
    for index in (-1, 3, 10**400, True, "0", None):
        with pytest.raises(ValueError, match=r"^index must be"):
            room.answer("a", index, 1)


def test_students_who_have_left_are_not_counted_as_present(room: Room, clock: Clock):
    room.join("a")
    clock.now += STUDENT_SECONDS
    room.join("b")
    assert room.overview().n_students == 2
    clock.now += 1
    assert room.overview().n_students == 1


def test_a_full_room_takes_nobody_until_somebody_leaves(
    room: Room, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "MAX_STUDENTS", 2)
    room.ask(QUESTION)
    assert room.join("a")
    assert room.join("b")
    assert room.join("c") is None
    assert not room.answer("c", 0, 1)
    assert room.join("a")
    clock.now += STUDENT_SECONDS + 1
    assert room.join("c")


def test_only_the_teacher_closes_a_room_and_nothing_is_kept(registry: Rooms, room: Room):
    registry.close(room.code, "student")
    assert registry.find(room.code) is room
    registry.close(room.code, "teacher")
    assert registry.find(room.code) is None
    assert registry.create("teacher") is not room


def test_a_room_lives_as_long_as_its_teachers_page_calls(registry: Rooms, room: Room, clock: Clock):
    for _ in range(3):
        clock.now += IDLE_SECONDS
        room.overview()
        registry.evict_idle()
        assert registry.find(room.code) is room
    clock.now += IDLE_SECONDS + 1
    room.join("student")  # students do not keep it
    registry.evict_idle()
    assert registry.find(room.code) is None


@pytest.mark.parametrize(
    ("text", "answers", "message"),
    [
        ("", ("a", "b"), "the question must be a text of 1 to 200 characters"),
        (" ", ("a", "b"), "the question must be a text"),
        ("q" * 201, ("a", "b"), "the question must be a text"),
        ("q", ("a",), "answers must be 2 to 4"),
        ("q", tuple("abcde"), "answers must be 2 to 4"),
        ("q", ("a", "a"), "answers must be different"),
        ("q", ("a", ""), "an answer must be a text of 1 to 80 characters"),
        ("q", ("a", "b" * 81), "an answer must be a text"),
    ],
)
def test_a_question_that_is_not_allowed_is_refused_by_name(text, answers, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Question(text, answers)


def test_no_answer_is_lost_when_a_class_answers_at_once(room: Room):
    room.ask(QUESTION)
    start = threading.Barrier(8)

    def answer(thread: int) -> None:
        start.wait()
        for i in range(25):
            room.answer(f"{thread}-{i}", i % 3, 1)

    threads = [threading.Thread(target=answer, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert room.overview().counts == (8 * 9, 8 * 8, 8 * 8)
