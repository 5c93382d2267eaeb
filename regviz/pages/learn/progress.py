"""Progress in the course. The browser keeps it: the server does not know who did what."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from regviz.pages.components import asset_component

MAX_CHARS = 20_000  # of what the browser keeps, as JSON
MAX_LESSONS = 200
ANSWER_SECONDS = 10.0  # after which the links work without the browser's answer
CHECK_SECONDS = 1.0  # interval at which a page that waits for the answer looks at the time

_memory = asset_component("regviz_course", "course")


@dataclass
class Progress:
    """A visitor's progress in a lesson.

    Attributes
    ----------
    answer : int or None
        Index of the answer that was chosen in *Predict*; -1 if it was skipped.
    solved : bool
        Whether the task was solved.
    """

    answer: int | None = None
    solved: bool = False

    @property
    def is_done(self) -> bool:
        """Whether both were done."""
        return self.answer is not None and self.solved


def all_progress() -> dict[str, Progress]:
    """Return the progress by key of the lesson, in this session."""
    kept: dict[str, Progress] = st.session_state.setdefault("course_progress", {})
    return kept


def progress(lesson: str) -> Progress:
    """Return the progress in a lesson, to be changed in place."""
    return all_progress().setdefault(lesson, Progress())


def is_remembered() -> bool:
    """Return whether the browser has said in this session what it has kept."""
    return bool(st.session_state.get("course_asked"))


def links_work() -> bool:
    """Return whether the links of the course work, as of the start of this run of the page.

    They wait until the browser has said what it has kept, and at most `ANSWER_SECONDS`: the
    component's script may not have reached it.
    """
    return bool(st.session_state.get("course_links"))


def remember() -> None:
    """Let the browser keep the progress, and take on what it has kept."""
    asked = is_remembered()
    kept = (st.session_state.get("course_memory") or {}).get("kept")
    if isinstance(kept, str) and not asked:
        st.session_state["course_asked"] = asked = True
        for lesson, before in read(kept).items():
            now = progress(lesson)
            now.answer = before.answer if now.answer is None else now.answer
            now.solved |= before.solved
    done = {lesson: asdict(one) for lesson, one in all_progress().items() if one != Progress()}
    _memory(key="course_memory", data={"done": done, "ask": not asked}, on_kept_change=lambda: None)
    if asked or _waited_long():
        st.session_state["course_links"] = True
    if not links_work():
        _wait()


def _waited_long() -> bool:
    since: float = st.session_state.setdefault("course_since", time.monotonic())
    return time.monotonic() - since >= ANSWER_SECONDS


@st.fragment(run_every=CHECK_SECONDS)
def _wait() -> None:
    """Run the page again once it has waited for long enough."""
    if _waited_long():
        st.rerun()


def read(text: str) -> dict[str, Progress]:
    """Return the progress in JSON text of a browser, without malformed parts."""
    try:
        content = json.loads(text) if len(text) <= MAX_CHARS else {}
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        key: Progress(_answer(one.get("answer")), one.get("solved") is True)
        for key, one in list(content.items())[:MAX_LESSONS]
        if isinstance(one, dict)
    }


def _answer(value: Any) -> int | None:
    return value if type(value) is int and -1 <= value < 10 else None
