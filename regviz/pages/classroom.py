"""A class's room above the board: the teacher's panel, and the students' bar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from regviz.pages.changes import note_change
from regviz.pages.components import asset_component, plain, qr_image
from regviz.pages.state import page_state
from regviz.scenes import claims
from regviz.scenes.link import MAX_LINK_CHARS, fitting, from_query, to_query
from regviz.scenes.scene import Scene
from regviz.server.rooms import (
    ALPHABET,
    CODE_LENGTH,
    MAX_ANSWER_CHARS,
    MAX_QUESTION_CHARS,
    MAX_ROOMS,
    N_ANSWERS,
    Question,
    Room,
    RoomState,
)
from regviz.server.state import rooms

_memory = asset_component("regviz_room", "room")

PARAMETER = "room"  # of a link that joins a room
TEACHER_SECONDS = 0.5  # interval in which the teacher's page reads the counts
STUDENT_SECONDS = 2.0  # interval in which a student's page reads the room


def join_from_link() -> list[str]:
    """Join the room of the link in the first run of a page, and return messages about its code."""
    text = st.query_params.get(PARAMETER)
    if text is None:
        return []
    code = text.strip().upper()
    if len(code) != CODE_LENGTH or not set(code) <= set(ALPHABET):
        return [f"room must be a code of {CODE_LENGTH} letters and digits, got {text[:20]!r}"]
    page_state().room = code
    return []


def draw() -> None:
    """Draw the teacher's panel or the student's bar of the page's room, if there is one."""
    state = page_state()
    if state.room is None:
        return
    room = rooms().find(state.room)
    if room is None:
        st.info(
            f"There is no room {state.room} on this server: it is closed, or on another server. You"
            " can go on by yourself."
        )
    elif room.teacher == state.visitor:
        _draw_teacher(room)
    else:
        _draw_student(room)


def remember() -> None:
    """Let the browser's tab keep the session's name, and take it on in a page loaded again."""
    state = page_state()
    kept = (st.session_state.get("room_memory") or {}).get("kept")
    if isinstance(kept, str):
        state.room_asked = True
        if state.room is None and (room := rooms().of(kept)) is not None:
            state.visitor, state.room = kept, room.code
        elif state.room and (joined := rooms().find(state.room)) and joined.knows(kept):
            state.visitor = kept
    in_room = state.room is not None and rooms().find(state.room) is not None
    _memory(
        key="room_memory",
        data={"name": state.visitor if in_room else None, "ask": not state.room_asked},
        on_kept_change=lambda: None,
    )


def draw_opening(address: str) -> None:
    """Draw the button that opens a room, or the room's code and QR code.

    Parameters
    ----------
    address : str
        URL of the page without a query string.
    """
    state = page_state()
    st.markdown("**A room for your class**")
    room = rooms().find(state.room) if state.room else None
    if room is None or room.teacher != state.visitor:
        st.caption(
            "Students join by phone. Their pages show what yours shows, and you can ask them"
            " questions. Nothing is kept when you close it."
        )
        st.button("Open a room", key="room_open", on_click=_open)
        if state.no_room:
            st.warning(f"This server has {MAX_ROOMS} rooms open, and no more are possible now.")
        return
    url = f"{address}?{PARAMETER}={room.code}"
    st.markdown(f"Code: **{room.code}**")
    st.code(url, language=None, wrap_lines=True)
    st.html(qr_image(url))


def share(scene: Scene, others: Mapping[str, str]) -> None:
    """Share a scene with the students, if the page is a teacher's and they are to follow.

    A scene with more points than a link can have is not shared, and the teacher's panel says so.

    Parameters
    ----------
    scene : Scene
        The scene with the current view.
    others : mapping of str to str
        Further parameters of its link.
    """
    state = page_state()
    if state.room is None or not state.room_follows:
        return
    room = rooms().find(state.room)
    if room is None or room.teacher != state.visitor:
        return
    link = urlencode(to_query(fitting(scene)) | dict(others), safe=",")
    state.room_scene_fits = len(link) <= MAX_LINK_CHARS
    if state.room_scene_fits:
        room.share(link)


def _open() -> None:
    note_change()
    state = page_state()
    room = rooms().create(state.visitor)
    state.no_room = room is None
    if room is not None:
        state.room, state.room_follows = room.code, True


def _close(room: Room) -> None:
    note_change()
    state = page_state()
    rooms().close(room.code, state.visitor)
    state.room = None


@st.fragment(run_every=TEACHER_SECONDS)
def _draw_teacher(room: Room) -> None:
    state = page_state()
    if state.room != room.code:  # closed by the callback before this run of the fragment alone
        st.rerun()
    seen = room.overview()
    with st.container(border=True, key="classroom"):
        with st.container(horizontal=True, vertical_alignment="center"):
            n = seen.n_students
            st.markdown(f"**Room {room.code}** · {n} student{'s' * (n != 1)}", width="stretch")
            follows = st.toggle(
                "Students see what I see", value=state.room_follows, key="room_follows"
            )
            if follows != state.room_follows:
                state.room_follows = follows
                st.rerun()  # the whole page, which shares its scene
            if seen.question is None:
                with st.popover("Ask a question", icon=":material/quiz:"):
                    _draw_form(room)
            elif not seen.revealed:
                st.button("Reveal", key="room_reveal", on_click=room.reveal, type="primary")
            if seen.question is not None:
                st.button("End question", key="room_end", on_click=room.end_question)
            st.button("Close room", key="room_close", on_click=_close, args=(room,))
        if state.room_follows and not state.room_scene_fits:
            st.caption("Your points are too many for a link: the students' pages do not show them.")
        if seen.question is not None:
            st.markdown(f"**{plain(seen.question.text)}**")
            if seen.revealed:
                _draw_counts(seen)
            else:
                # in words, as the class sees the teacher's screen, and would follow the majority
                n_answers = sum(seen.counts)
                st.caption(f"{n_answers} answer{'s' * (n_answers != 1)} so far")


def _draw_form(room: Room) -> None:
    state = page_state()
    with st.form("room_question", border=False):
        text = st.text_input("Question", max_chars=MAX_QUESTION_CHARS)
        answers = [
            st.text_input(f"Answer {i + 1}", max_chars=MAX_ANSWER_CHARS)
            for i in range(N_ANSWERS[1])
        ]
        if st.form_submit_button("Ask"):
            try:
                room.ask(Question(text, tuple(filter(None, map(str.strip, answers)))))
            except ValueError as error:
                # kept, as the panel is drawn again twice a second
                message = str(error)
                state.room_error = f"{message[:1].upper()}{message[1:]}"
            else:
                state.room_error = None
                st.rerun()
        if state.room_error is not None:
            st.error(state.room_error)


@st.fragment(run_every=STUDENT_SECONDS)
def _draw_student(room: Room) -> None:
    state = page_state()
    seen = room.join(state.visitor) if rooms().find(room.code) is room else None
    if seen is None:
        st.info(f"Room {room.code} is closed or full. You can go on by yourself.")
        return
    if seen.link_version != state.room_link:
        state.room_link = seen.link_version
        query = dict(parse_qsl(seen.link))
        scene, _ = from_query(query)
        own = state.base or state.opened
        state.to_open = replace(scene, pins=own.pins, hide=own.hide)
        state.claim = query.get(claims.PARAMETER)
        st.rerun()
    with st.container(border=True, key="classroom"):
        st.markdown(f"**Room {room.code}** · This page follows each change of the teacher's.")
        if seen.question is None:
            return
        st.markdown(f"**{plain(seen.question.text)}**")
        if seen.revealed:
            _draw_counts(seen, room.answer_of(state.visitor))
            return
        chosen = room.answer_of(state.visitor)
        with st.container(horizontal=True):
            for i, answer in enumerate(seen.question.answers):
                st.button(
                    plain(answer),
                    key=f"room_answer_{seen.question_version}_{i}",
                    type="primary" if i == chosen else "secondary",
                    on_click=_answer,
                    args=(room, i, seen.question_version),
                )
        if chosen is not None:
            st.caption("You can change your answer until the teacher reveals all.")


def _answer(room: Room, index: int, question_version: int) -> None:
    room.answer(page_state().visitor, index, question_version)


def _draw_counts(seen: RoomState, own: int | None = None) -> None:
    """Draw a bar for each answer, and mark the one with index ``own``."""
    assert seen.question is not None
    total = max(1, sum(seen.counts))
    answers: Sequence[str] = seen.question.answers
    for i, (answer, count) in enumerate(zip(answers, seen.counts, strict=True)):
        mine = " · your answer" if i == own else ""
        st.progress(count / total, f"{plain(answer)}: **{count}**{mine}")
