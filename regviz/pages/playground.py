"""The page: a sidebar that chooses an experiment, the board, and the views below it."""

from dataclasses import replace

import streamlit as st

from regviz.methods.catalogue import METHODS
from regviz.pages import claims, classroom, own_points, pins, share, understand
from regviz.pages.board import (
    n_received,
    query_of,
    run_name,
    send,
    start_training,
    take_snapshot,
)
from regviz.pages.capacity import nearest_allowed
from regviz.pages.changes import begin_page, changed
from regviz.pages.components import plain
from regviz.pages.control_values import renew
from regviz.pages.controls import choose
from regviz.pages.opening import ABOUT, HINT, question
from regviz.pages.snapshot import request_scene, request_view, view
from regviz.pages.state import PLAYGROUND, Moment, enter, page_state
from regviz.pages.style import STYLE
from regviz.scenes.change import changed_scene
from regviz.scenes.claims import PARAMETER
from regviz.scenes.link import LEFT_OUT, fitting, from_query
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server.state import runs
from regviz.spec.points import PointsSpec


def _change_training(scene: Scene, grid: StrengthGrid, name: str) -> bool:
    """Prepare for the scene that the board requests; return False without a request.

    A request for another run than ``name`` is outdated, and has no effect.
    """
    request = (st.session_state.get("board") or {}).get("change")
    if not isinstance(request, dict) or request.get("run") != name:
        return False
    state = page_state()
    corrected = request.get("corrected")
    if isinstance(corrected, bool):
        base = state.base or state.opened
        state.base = replace(base, corrected=corrected)
        return base.corrected != corrected
    now = share.with_view(scene, grid)
    try:
        changed = changed_scene(now, grid, request, state.before_changes.get(now.phases))
    except ValueError as error:
        told = [f"The training cannot change: {error}."]
        if state.problems == told:
            return False
        state.problems, state.problems_of = told, None
        return True
    if not request.get("undo"):
        state.before_changes[changed.phases] = now
    state.to_open, state.play_opened = changed, not request.get("undo")
    return True


@st.fragment
def _show_board(
    grid: StrengthGrid, rows: list[int], name: str, link: str, hide: tuple[str, ...]
) -> None:
    """Send new frames to the board. The browser's request for more runs this fragment again."""
    # read first: if the page reruns below, the board's message is not in the next run's state
    received = n_received(name)
    if changed():
        st.rerun()
    state = page_state()
    if state.shown is not None and _change_training(state.shown[2], grid, name):
        st.rerun()
    # in a container, so that the board's position does not depend on it
    with st.container():
        if state.shown is not None:
            pins.draw(state.shown[2], grid, take_snapshot)
    if state.shown is not None:
        classroom.share(share.with_view(state.shown[2], grid), claims.link_parameters(grid))
    send(grid, rows, name, link, received, None if "claims" in hide else claims.offer(grid))
    # the page reruns to draw the views for the board's new state
    if understand.is_open() and (snapshot := take_snapshot()) != state.views_snapshot:
        # set before the rerun, which runs this fragment again before it draws the views
        state.views_snapshot = snapshot
        st.rerun()


@st.fragment
def _show_views() -> None:
    """Draw the views below the board. A change of their controls reruns this fragment alone."""
    understand.choose()
    if understand.is_open():
        snapshot = page_state().views_snapshot = take_snapshot()
        understand.show(snapshot)


def _open_scene() -> None:
    """Open the scene of the link in the first run, and of a file or a claim in later ones."""
    problems: list[str] = []
    state = page_state()
    opened, state.to_open = state.to_open, None
    if isinstance(opened, Moment):
        _open_moment(opened)
        return
    play, state.play_opened = state.play_opened, False
    first = state.base is None
    if opened is None:
        if not first:
            return
        unknown = classroom.join_from_link()
        query = {k: v for k, v in st.query_params.items() if k != classroom.PARAMETER}
        opened, problems = from_query(query)
        state.claim = query.get(PARAMETER)
        problems = [f"In the link: {problem}" for problem in unknown + problems]
    opened, refused = nearest_allowed(opened)
    _set_controls(opened)
    # the board plays the first run, and shows the end of a scene that is opened later
    request_scene(opened, None if first else opened.training.epochs, play)
    state.problems = problems + refused + (state.left_out or opened.approximations(opened.grid()))
    state.left_out = []


def _set_controls(scene: Scene) -> None:
    """Set every control to its value in a scene."""
    state = page_state()
    renew(*state.control_keys)
    state.outdated_choice = (st.session_state.get("data") or {}).get("chosen")
    state.base = state.opened = scene
    state.example = None
    own_points.set_points(scene.data if isinstance(scene.data, PointsSpec) else None)


def _open_moment(moment: Moment) -> None:
    """Open a scene with its view. Own points of the visitor stay for when they return to them."""
    state = page_state()
    points = state.own_points
    scene, state.problems = nearest_allowed(moment.scene)
    _set_controls(scene)
    state.own_points = state.own_points or points
    state.example, state.claim = moment.example, moment.claim
    # without a request, no earlier message of the board is read into the view
    state.view, state.requested_view = moment.view, None
    epoch = moment.view.epoch
    plays = moment.plays and epoch is None
    request_view(
        moment.view.focus,
        moment.view.strength_indices,
        scene.training.epochs if epoch is None and not plays else epoch,
        local=moment.local,
        variant_indices=moment.view.variant_indices,
        play=plays,
        plane=moment.view.plane,
    )


def _show_problems(grid: StrengthGrid) -> None:
    """Show the problems of a link or file until the grid changes."""
    state = page_state()
    if state.problems and state.problems_of in (None, grid):
        state.problems_of = grid
        st.warning("  \n".join(map(plain, state.problems)))
    else:
        state.problems, state.problems_of = [], None


def _warn_of_long_address(scene: Scene) -> None:
    """Warn once if the address does not contain the pins of the scene, and once for its points."""
    state = page_state()
    if fitting(scene) != scene and state.warned_pins != scene.pins:
        state.warned_pins = scene.pins
        _add_problem(scene, f"{share.PINS_LEFT_OUT} A file keeps them: “Save · open”.")
    points = scene.data if isinstance(scene.data, PointsSpec) else None
    if points is None or f"points={LEFT_OUT}" not in query_of(scene):
        return
    if state.warned_points != points.points:
        state.warned_points = points.points
        _add_problem(
            scene,
            f"Your {points.n_samples} points are too many for the address: it holds everything"
            " else. To keep the points, save the experiment as a file with “Save · open”.",
        )


def _add_problem(scene: Scene, problem: str) -> None:
    """Show a problem beside those of the file that the scene came with."""
    state = page_state()
    others = state.problems if state.problems_of in (None, scene.grid()) else []
    state.problems = [*others, problem]
    state.problems_of = None


def _enable_requested_method() -> None:
    """Add the method that a view has requested to the line-up."""
    state = page_state()
    method, state.method_to_enable = state.method_to_enable, None
    base = state.base or state.opened
    if method in METHODS and method not in base.methods:
        state.base = replace(base, methods=(*base.methods, method))
        renew(f"use_{method}")


def main(learn: st.Page, study: st.Page) -> None:
    """Draw the page.

    Parameters
    ----------
    learn, study : st.Page
        The pages *Learn* and *Study*, to link to.
    """
    st.set_page_config(
        "RegViz",
        layout="wide",
        # course pages embed it in a narrow frame
        initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
    )
    st.html(STYLE)
    begin_page()
    enter(PLAYGROUND)
    _open_scene()
    _enable_requested_method()
    scene = choose(learn, study)
    with st.container(horizontal=True, vertical_alignment="center", key="above"):
        line = f"**{question(scene.data)}** {HINT}"
        st.markdown(line, width="stretch", help=ABOUT)
        above = st.container(
            horizontal=True, vertical_alignment="center", width="content", key="buttons"
        )
        if not st.context.is_embedded:
            with above:  # shown where the sidebar is closed
                st.page_link(learn, label="Learn", icon=":material/school:")
        classroom.remember()
    with st.container():
        classroom.draw()
    # a container of their own: without it a message would shift the board's position, and Streamlit
    # would mount the board anew
    messages = st.container()
    state = page_state()
    visitor = state.visitor
    grid = scene.grid()
    before = state.shown
    # the initial strengths of the cards stay the same as long as the grid does
    current = view()
    rows = (
        before[1]
        if before and grid == before[0]
        else grid.rows(current.strength_indices, current.variant_indices)
    )
    _warn_of_long_address(scene)
    with messages:
        _show_problems(grid)
    if not start_training(scene, grid, visitor, messages):
        if before is None:
            return
        # the last result stays
        grid, rows, scene = before[0], before[1], replace(before[2], pins=scene.pins)
    state.shown = (grid, rows, scene)
    if before is not None and before[0].experiment != grid.experiment:
        runs().leave(before[0].experiment, visitor)
    if "share" not in scene.hide:
        with above:
            pins.draw_button(scene, grid)
            share.show(scene, grid, take_snapshot)
    _show_board(grid, rows, run_name(grid, rows), query_of(scene), scene.hide)
    if "understand" not in scene.hide:
        _show_views()
