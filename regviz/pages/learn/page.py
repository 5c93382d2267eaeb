"""The page of a lesson: predict, see, why, try, sources."""

from functools import lru_cache
from urllib.parse import urlencode

import plotly.graph_objects as go
import streamlit as st

from regviz.figures import claim_figures, claim_seeds
from regviz.lessons.article import ONE_SEED
from regviz.lessons.claim import all_claims
from regviz.lessons.lesson import Anatomy, ClaimFigure, Lesson, StudyFigure, Why
from regviz.lessons.offline import lesson_page
from regviz.lessons.results import Record, table
from regviz.methods.labels import labels
from regviz.methods.palette import Theme
from regviz.pages.board import (
    n_received,
    run_name,
    send,
    start_training,
    take_snapshot,
)
from regviz.pages.capacity import nearest_allowed
from regviz.pages.changes import begin_page, changed, note_change
from regviz.pages.components import draw, plain
from regviz.pages.control_values import control_options, renew
from regviz.pages.learn import overview, task
from regviz.pages.learn.progress import progress
from regviz.pages.learn.study import show_study
from regviz.pages.snapshot import BoardSnapshot, request_scene, view
from regviz.pages.state import enter, page_state
from regviz.pages.understand.anatomy import show_steps
from regviz.scenes.link import from_query, link, to_query, view_parameters
from regviz.scenes.offline import recording
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server.state import runs

SCENE = "scene"  # parameter of a link: the scene on the board
SKIPPED = -1  # in place of the index of an answer


def show(lesson: Lesson, lessons: list[Lesson], own: st.Page) -> None:
    """Draw a lesson.

    Parameters
    ----------
    lesson : Lesson
    lessons : list of Lesson
        The whole course, in order.
    own : st.Page
        The page *Learn*, to link to.
    """
    begin_page()
    enter(lesson.key)
    _open(lesson)
    place = lessons.index(lesson) + 1
    with st.container(key="lesson"):
        with st.container(key="text"):
            st.caption(f"Lesson {place} of {len(lessons)} · {lesson.minutes} minutes")
            st.title(plain(lesson.title))
            st.markdown(lesson.introduction)
            _predict(lesson)
        is_trained = _start_run()
        if progress(lesson.key).answer is None and not page_state().lesson_revealed:
            # the rest would give the answer away
            st.button("Go on without an answer", on_click=_skip, args=(lesson.key,))
            return
        with st.container(key="see"):
            st.header("See")
            st.markdown(lesson.before)
            st.caption(ONE_SEED)
        with st.container(key="right"):
            _see(lesson, is_trained)
        with st.container(key="why"):
            if lesson.after:
                st.markdown(lesson.after)
            st.header("Why")
            for i, block in enumerate(lesson.why):
                _block(lesson, block, f"{lesson.key}-{i}")
        with st.container(key="try"):
            _try(lesson)
            _sources(lesson)
            if place < len(lessons):
                following = lessons[place]
                label = f"Next lesson: {plain(following.title)}"
                overview.link_to(own, label, "arrow_forward", lesson=following.key)


def _open(lesson: Lesson) -> None:
    """Open the scene and the view of the link in the first run of a lesson."""
    state = page_state()
    if state.lesson_scene is not None:
        return
    query = dict(st.query_params)
    # Streamlit leaves the address as it is where a link leads to the same page
    st.query_params["lesson"] = lesson.key
    name = query.get(SCENE, "")
    state.lesson_revealed = name in lesson.scenes
    first = name if name in lesson.scenes else lesson.board.scenes[0][1]
    shown = {k: v for k, v in query.items() if k in view_parameters()}
    scene, problems = from_query(to_query(lesson.scenes[first]) | shown)
    state.problems = [f"In the link: {problem}" for problem in problems]
    _put(first, scene, None if state.lesson_revealed or scene.epoch is None else scene.epoch)


def _put(name: str, scene: Scene, end: int | None) -> None:
    """Put a scene on the board.

    Parameters
    ----------
    name : str
        Its key in the lesson.
    scene : Scene
    end : int or None
        The epoch to show if the scene has none; None to let the board play the run.
    """
    state = page_state()
    scene, refused = nearest_allowed(scene)
    state.lesson_scene, state.opened = name, scene
    state.problems = [*state.problems, *refused]
    request_scene(scene, end)


def _predict(lesson: Lesson) -> None:
    question, done = lesson.question, progress(lesson.key)
    st.header("Predict")
    st.markdown(question.text)
    key, answers = f"answer_{lesson.key}", range(len(question.answers))
    if st.session_state.get(key) is None and done.answer in answers:
        st.session_state[key] = done.answer  # as the browser has kept it
    chosen = st.radio(
        "Your prediction",
        answers,
        index=None,
        format_func=question.answers.__getitem__,
        key=key,
        on_change=note_change,
        label_visibility="collapsed",
    )
    if chosen is not None and chosen != done.answer:
        done.answer = chosen
        st.rerun()  # the sidebar, which is drawn before, shows it
    # in a container that is there before the choice, so that screen readers announce its content
    with st.container(key="explanation"):
        if chosen == question.right:
            st.success(f"**Yes.** {question.explanation}")
        elif chosen is not None:
            right = question.answers[question.right]
            st.info(f"**Not so:** {right}. {question.explanation}")
        elif done.answer == SKIPPED or page_state().lesson_revealed:
            st.caption("Choose an answer to read the explanation.")
        else:
            return
        st.markdown(f"**{lesson.idea}**")  # it would give the answer away


def _skip(lesson: str) -> None:
    note_change()
    progress(lesson).answer = SKIPPED


def _start_run() -> bool:
    """Start the training of the scene, and return whether the board can show it.

    It starts before the question is answered, so that no visitor waits for it then.
    """
    state = page_state()
    scene, before = state.opened, state.shown
    grid = scene.grid()
    rows = before[1] if before is not None and before[0] == grid else scene.rows(grid)
    messages = st.container(key="messages")
    with messages:
        if state.problems:
            st.warning("  \n".join(map(plain, state.problems)))
    if not start_training(scene, grid, state.visitor, messages):
        return False
    if before is not None and before[0].experiment != grid.experiment:
        runs().leave(before[0].experiment, state.visitor)
    state.shown = (grid, rows, scene)
    return True


def _see(lesson: Lesson, is_trained: bool) -> None:
    """Draw the slider of the scenes, and the board."""
    state, board = page_state(), lesson.board
    if len(board.scenes) > 1:
        labels = {name: label for label, name in board.scenes}
        now = state.lesson_scene if state.lesson_scene in labels else next(iter(labels))
        options = control_options(_slider(lesson), now) | {"on_change": _choose_scene}
        st.select_slider(
            board.choose,
            list(labels),
            format_func=labels.__getitem__,
            args=(lesson, options["key"]),
            **options,
        )
    if not is_trained or state.shown is None:
        return
    grid, rows, scene = state.shown
    query = urlencode({"lesson": lesson.key, SCENE: str(state.lesson_scene)})
    _show_board(lesson, grid, rows, run_name(grid, rows), query)
    address = link("./", scene).removesuffix("?")
    with st.container(horizontal=True):
        st.link_button("Open in the playground", address, icon=":material/open_in_new:")
        snapshot = take_snapshot()
        if snapshot is not None:
            st.download_button(
                "Save the lesson (HTML)",
                lambda: _file(lesson, str(state.lesson_scene), snapshot),
                f"regviz-{lesson.key}.html",
                "text/html",
                key=f"save_{lesson.key}",
                on_click="ignore",
                icon=":material/download:",
                help="Its text with this board in one file, which needs no server and no network.",
            )


def _file(lesson: Lesson, scene: str, snapshot: BoardSnapshot) -> str:
    """Return the lesson as one HTML file, with the run of a scene."""
    run = recording(snapshot.grid, snapshot.rows, snapshot.history, "offline")
    return lesson_page(lesson, scene, snapshot.grid, run)


def _slider(lesson: Lesson) -> str:
    """Return the name of the slider that chooses the scene, as in `control_options`."""
    return f"scene_{lesson.key}"


def _choose_scene(lesson: Lesson, key: str) -> None:
    if page_state().control_keys.get(_slider(lesson)) != key:
        return  # a browser still sends the value of a slider that is gone, as if it were a change
    note_change()
    name = st.session_state[key]
    scene = lesson.scenes[name]
    page_state().problems, page_state().task_shown = [], False
    _put(name, scene, scene.training.epochs)


@st.fragment
def _show_board(lesson: Lesson, grid: StrengthGrid, rows: list[int], name: str, query: str) -> None:
    """Send new frames to the board, and rerun the page when what it says about the task changes."""
    received = n_received(name)  # first, as in the playground
    if changed():
        st.rerun()
    state = page_state()
    controls = list(dict.fromkeys([lesson.board.drag, *[lesson.task.drag] * state.task_shown]))
    part = {"show": list(lesson.board.show), "drag": controls}
    send(grid, rows, name, query, received, part=part)
    state = page_state()
    snapshot = take_snapshot()
    said = task.status(lesson, state.lesson_scene, snapshot, view().epoch)
    if (said, snapshot is not None) != (state.task_status, state.lesson_complete):
        state.task_status, state.lesson_complete = said, snapshot is not None
        st.rerun()


def _block(lesson: Lesson, block: Why, key: str) -> None:
    """Draw a part of *Why*."""
    theme = _theme()
    if isinstance(block, str):
        st.markdown(block)
    elif isinstance(block, StudyFigure):
        show_study(block, key, theme)
    elif isinstance(block, Anatomy):
        scene = lesson.scenes[block.scene]
        grid = scene.grid()
        rows = scene.rows(grid)
        shown = grid.only([rows[grid.methods.index(block.method)]])
        show_steps(shown, 0, block.epoch, labels(shown, [block.method])[0].text, theme)
    else:
        draw(_claim_figure(block, theme), key)


def _theme() -> Theme:
    return "dark" if st.context.theme.type == "dark" else "light"


@lru_cache(maxsize=256)  # 20 to 30 ms each
def _claim_figure(block: ClaimFigure, theme: Theme) -> go.Figure:
    record = table()[block.claim]
    lines = {
        name: [record.figures[figure] for figure in figures]
        for name, figures in block.lines.items()
    }
    return claim_figures(
        *(block.title, block.x, block.y, block.at, lines), errors=block.errors, theme=theme
    )


def _varying(record: Record) -> dict[str, tuple[float, ...]]:
    """Return the figures that are not the same for all seeds."""
    return {name: values for name, values in record.figures.items() if len(set(values)) > 1}


@lru_cache(maxsize=256)
def _seed_figure(claim: str, theme: Theme) -> go.Figure:
    record = table()[claim]
    return claim_seeds(_varying(record), record.holds, theme=theme)


def _try(lesson: Lesson) -> None:
    state = page_state()
    done = progress(lesson.key)
    st.header("Try")
    st.markdown(lesson.text)
    status = state.task_status
    if status is not None and status.is_solved and not done.solved:
        done.solved = True
        st.rerun()  # the sidebar, which is drawn before, shows it
    needs_control = lesson.task.drag != lesson.board.drag and not state.task_shown
    if state.lesson_scene != lesson.task.scene or needs_control:
        st.button("Put the task on the board", on_click=_put_task, args=(lesson,), type="primary")
    # in a container that is there before, so that screen readers announce its content
    with st.container(key="status"):
        if status is not None:
            st.markdown(status.text)
            if status.is_solved:
                st.success("Solved.", icon=":material/check_circle:")
            elif done.solved:
                st.info("You have solved this before.", icon=":material/history:")
            else:
                st.info("Not solved yet.", icon=":material/radio_button_unchecked:")
        elif done.solved:
            st.success("Solved.", icon=":material/check_circle:")
    st.button("Show a solution", on_click=_solve, args=(lesson,), icon=":material/lightbulb:")


def _put_task(lesson: Lesson) -> None:
    note_change()
    _switch(lesson, lesson.scenes[lesson.task.scene])


def _solve(lesson: Lesson) -> None:
    note_change()
    _switch(lesson, lesson.task.solved)


def _switch(lesson: Lesson, scene: Scene) -> None:
    """Put a scene of the task on the board, also if the question is not answered."""
    name = lesson.task.scene
    done, state = progress(lesson.key), page_state()
    if done.answer is None:
        done.answer = SKIPPED
    if name in [key for _, key in lesson.board.scenes]:
        renew(_slider(lesson))
    state.problems, state.task_shown = [], True
    _put(name, scene, scene.training.epochs)
    request = dict(state.requested_view or {})
    state.requested_view = request | {"scroll": True}


def _sources(lesson: Lesson) -> None:
    """Draw the claims with their counts, each with the figures of all seeds."""
    st.header("Sources")
    claims, records = all_claims(), table()
    for name in lesson.claims:
        claim, record = claims[name], records[name]
        opened = st.expander(
            f"{plain(claim.sentence)} **{record.count}**",
            key=f"claim_{name}",
            on_change=note_change,
        )
        if not opened.open:
            continue
        with opened:
            if claim.source:
                st.markdown(plain(claim.source))
            varying = _varying(record)
            if varying:
                draw(_seed_figure(name, _theme()), f"seeds-{name}")
            for figure in [each for each in record.figures if each not in varying]:
                label = plain(figure.replace("_", " "))
                st.markdown(f"- {label}: {record.median(figure):.3g} for each seed")
            failed = [str(seed) for seed, held in enumerate(record.holds) if not held]
            st.markdown(
                f"It does not hold for the seeds {', '.join(failed)}."
                if failed
                else "It holds for each of the seeds."
            )
    if lesson.sources:
        st.markdown(lesson.sources)
