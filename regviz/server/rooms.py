"""Rooms of a class: a teacher's page shows others what it shows, and counts answers to a question.

A room is in the memory of one process. It holds no names: students are counted by the random names
of their sessions. It is deleted when the teacher closes it, or after `IDLE_SECONDS` without a call
of the teacher's page. Behind several servers, a proxy must send a class to the same one.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from regviz.scenes.link import MAX_LINK_CHARS
from regviz.spec.validation import integer, invalid

ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ2346789"  # no two characters that look alike
CODE_LENGTH = 4  # 810,000 codes
IDLE_SECONDS = 600.0  # a room is deleted this long after the last call of its teacher's page
MAX_ROOMS = 100
MAX_STUDENTS = 500  # of one room
STUDENT_SECONDS = 20.0  # a student is counted as present this long after the last call
MAX_QUESTION_CHARS, MAX_ANSWER_CHARS = 200, 80
N_ANSWERS = (2, 4)  # fewest and most answers to choose from


@dataclass(frozen=True)
class Question:
    """A question with answers to choose from.

    Parameters
    ----------
    text : str
        The question, at most `MAX_QUESTION_CHARS` characters.
    answers : sequence of str
        Two to four different answers of at most `MAX_ANSWER_CHARS` characters.

    Raises
    ------
    ValueError
        If a text is empty or too long, or the answers are too few, too many or not different.
    """

    text: str
    answers: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_text("the question", self.text, MAX_QUESTION_CHARS)
        fewest, most = N_ANSWERS
        if not fewest <= len(self.answers) <= most:
            raise invalid("answers", f"{fewest} to {most}", list(self.answers))
        for answer in self.answers:
            _check_text("an answer", answer, MAX_ANSWER_CHARS)
        if len(set(self.answers)) < len(self.answers):
            raise invalid("answers", "different from each other", list(self.answers))
        object.__setattr__(self, "answers", tuple(self.answers))


@dataclass(frozen=True)
class RoomState:
    """The state of a room for one page, at one moment.

    Attributes
    ----------
    link : str
        Query string of the teacher's scene and view; empty before the first.
    link_version : int
        Number of links that the teacher has shared; a student's page opens each once.
    question : Question or None
        The question that is open or revealed.
    question_version : int
        Number of questions that the teacher has asked.
    counts : tuple of int
        Number of students by their answer; of zeros for students before the teacher reveals them.
    revealed : bool
        Whether students see the counts. No answer is taken from then on.
    n_students : int
        Number of students whose pages have called in the last `STUDENT_SECONDS`.
    """

    link: str
    link_version: int
    question: Question | None
    question_version: int
    counts: tuple[int, ...]
    revealed: bool
    n_students: int


class Room:
    """A teacher's room.

    Parameters
    ----------
    code : str
        The code by which students join.
    teacher : str
        Name of the teacher's session.
    clock : callable
        Returns a monotonic time in seconds.
    """

    def __init__(self, code: str, teacher: str, clock: Callable[[], float]) -> None:
        self.code, self.teacher = code, teacher
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}  # by student: time of the last call
        self._answers: dict[str, int] = {}  # by student: index of the answer
        self._link, self._link_version = "", 0
        self._question: Question | None = None
        self._question_version = 0
        self._revealed = False
        self.last_call = clock()

    def share(self, link: str) -> None:
        """Share a link: each student's page opens it once. An unchanged link is not shared again.

        Raises
        ------
        ValueError
            If the link has more than `MAX_LINK_CHARS` characters.
        """
        if len(link) > MAX_LINK_CHARS:
            raise invalid("the link", f"of at most {MAX_LINK_CHARS:,} characters", link[:80])
        with self._lock:
            self.last_call = self._clock()
            if link != self._link:
                self._link, self._link_version = link, self._link_version + 1

    def ask(self, question: Question) -> None:
        """Ask a question in place of the current one, and delete all answers."""
        with self._lock:
            self.last_call = self._clock()
            self._question, self._revealed = question, False
            self._question_version += 1
            self._answers.clear()

    def reveal(self) -> None:
        """Show the counts to students, and take no further answer."""
        with self._lock:
            self.last_call = self._clock()
            self._revealed = self._question is not None

    def end_question(self) -> None:
        """Remove the question and its answers."""
        with self._lock:
            self.last_call = self._clock()
            self._question, self._revealed = None, False
            self._answers.clear()

    def answer(self, student: str, index: int, question_version: int) -> bool:
        """Count a student's answer, in place of an earlier one.

        Parameters
        ----------
        student : str
            Name of the student's session.
        index : int
            Index of the answer.
        question_version : int
            The question that the student has seen, as `RoomState.question_version`.

        Returns
        -------
        bool
            False if the question is another one by now or its answers are revealed, or the room is
            full and the student is not in it.

        Raises
        ------
        ValueError
            If there is no such answer.
        """
        with self._lock:
            question = self._question
            if question is None or self._revealed or question_version != self._question_version:
                return False
            index = integer("index", index, 0, len(question.answers) - 1)
            full = student not in self._answers and len(self._answers) >= MAX_STUDENTS
            if full or not self._enter(student):
                return False
            self._answers[student] = index
            return True

    def answer_of(self, student: str) -> int | None:
        """Return the index of a student's answer to the current question, or None."""
        with self._lock:
            return self._answers.get(student)

    def knows(self, student: str) -> bool:
        """Return whether a student's page has called."""
        with self._lock:
            return student in self._seen

    def join(self, student: str) -> RoomState | None:
        """Return the state for a student's page, or None if the room is full."""
        with self._lock:
            return self._state(shows_counts=self._revealed) if self._enter(student) else None

    def overview(self) -> RoomState:
        """Return the state for the teacher's page, with the counts."""
        with self._lock:
            self.last_call = self._clock()
            return self._state(shows_counts=True)

    def _enter(self, student: str) -> bool:
        """Note a student's call; return False if the room is full of others."""
        now = self._clock()
        if student not in self._seen and len(self._seen) >= MAX_STUDENTS:
            present = {s: t for s, t in self._seen.items() if now - t <= STUDENT_SECONDS}
            if len(present) >= MAX_STUDENTS:
                return False
            self._seen = present
        self._seen[student] = now
        return True

    def _state(self, shows_counts: bool) -> RoomState:
        n = len(self._question.answers) if self._question else 0
        counts = [0] * n
        if shows_counts:
            for index in self._answers.values():
                counts[index] += 1
        now = self._clock()
        return RoomState(
            self._link,
            self._link_version,
            self._question,
            self._question_version,
            tuple(counts),
            self._revealed,
            sum(now - seen <= STUDENT_SECONDS for seen in self._seen.values()),
        )


class Rooms:
    """The rooms of a process.

    Parameters
    ----------
    clock : callable
        Returns a monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of open rooms."""
        return len(self._rooms)

    def create(self, teacher: str) -> Room | None:
        """Return the teacher's room, a new one if there is none; None if there are `MAX_ROOMS`."""
        if (own := self.of(teacher)) is not None:
            return own
        with self._lock:
            if len(self._rooms) >= MAX_ROOMS:
                return None
            code = _code()
            while code in self._rooms:
                code = _code()
            room = self._rooms[code] = Room(code, teacher, self._clock)
            return room

    def of(self, teacher: str) -> Room | None:
        """Return the room of a teacher's session; None if there is none."""
        self.evict_idle()
        with self._lock:
            rooms = list(self._rooms.values())
        name = teacher.encode(errors="replace")
        return next(
            (room for room in rooms if hmac.compare_digest(room.teacher.encode(), name)), None
        )

    def find(self, code: str) -> Room | None:
        """Return the room with a code, in capitals or not; None if there is none."""
        self.evict_idle()
        return self._rooms.get(code.strip().upper())

    def close(self, code: str, teacher: str) -> None:
        """Delete a room and all that it holds, if it is the teacher's."""
        with self._lock:
            if (room := self._rooms.get(code)) and room.teacher == teacher:
                del self._rooms[code]

    def evict_idle(self) -> None:
        """Delete rooms whose teacher's page has not called for `IDLE_SECONDS`."""
        with self._lock:
            now = self._clock()
            idle = [c for c, room in self._rooms.items() if now - room.last_call > IDLE_SECONDS]
            for code in idle:
                del self._rooms[code]


def _code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def _check_text(name: str, text: str, most: int) -> None:
    if not text.strip() or len(text) > most:
        raise invalid(name, f"a text of 1 to {most} characters", text[:80])
