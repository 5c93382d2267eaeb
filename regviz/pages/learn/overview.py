"""The list of lessons, in the sidebar and as a page."""

from collections.abc import Iterable

import streamlit as st

from regviz.lessons.lesson import Lesson
from regviz.pages.components import plain
from regviz.pages.learn.progress import Progress, all_progress, links_work

_ICONS = {
    "done": "check_circle",
    "begun": "timelapse",
    "": "radio_button_unchecked",
}


def stage(done: Progress) -> str:
    """Return ``"done"``, ``"begun"`` or an empty text."""
    return "done" if done.is_done else "begun" if done != Progress() else ""


def sidebar(
    lessons: Iterable[Lesson], current: str | None, playground: st.Page, own: st.Page
) -> None:
    """Draw the list in the sidebar, with links to the playground and to the page of the list."""
    with st.sidebar:
        st.title("RegViz")
        link_to(playground, "Playground", "tune")
        link_to(own, "All lessons", "school")
        st.header("Lessons")
        for i, lesson in enumerate(lessons, 1):
            label = f"{i}. {plain(lesson.title)}"
            _link(lesson, f"**{label}**" if lesson.key == current else label, own)


def show(lessons: Iterable[Lesson], own: st.Page) -> None:
    """Draw the page of the list."""
    lessons = list(lessons)
    with st.container(key="overview"):
        st.title("Learn regularization")
        done = sum(all_progress().get(lesson.key, Progress()).is_done for lesson in lessons)
        minutes = sum(lesson.minutes for lesson in lessons)
        st.markdown(
            f"{len(lessons)} lessons of a few minutes each, {minutes} minutes in all. In each you"
            " first say what you expect, then see it, then find out why, and then do it yourself."
            " Each fact was checked with twenty seeds: the number of seeds stands beside it."
        )
        if done:
            st.markdown(f"You have done {done} of {len(lessons)}. Your browser alone knows that.")
        with st.container(key="lessons"):
            for i, lesson in enumerate(lessons, 1):
                with st.container(border=True, key=f"lesson_{i}"):
                    with st.container(horizontal=True, vertical_alignment="center"):
                        _link(lesson, f"**{i}. {plain(lesson.title)}**", own)
                        words = stage(all_progress().get(lesson.key, Progress()))
                        st.caption(" · ".join(filter(None, (words, f"{lesson.minutes} minutes"))))
                    st.markdown(lesson.idea)


def link_to(page: st.Page, label: str, icon: str, **query: str) -> None:
    """Draw a link to a page.

    It is disabled until the browser has said what it has kept, as of `links_work`. If that message
    left between a click and the server's answer, it would have the address before the click, and
    undo it.
    """
    st.page_link(
        page,
        label=label,
        icon=f":material/{icon}:",
        query_params=query or None,
        disabled=not links_work(),
    )


def _link(lesson: Lesson, label: str, own: st.Page) -> None:
    icon = _ICONS[stage(all_progress().get(lesson.key, Progress()))]
    link_to(own, label, icon, lesson=lesson.key)
