"""The page: choose an experiment at the side, and watch all its networks learn."""

import hashlib
import logging
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from regviz.board.encoding import Source, encode
from regviz.board.link import (
    LEFT_OUT,
    LONGEST,
    from_query,
    to_query,
    to_short_query,
    view_parameters,
)
from regviz.board.scene import Scene
from regviz.board.strength_grid import StrengthGrid
from regviz.jobs.registry import Busy
from regviz.jobs.run import describe
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.pages import share, understand
from regviz.pages.capacity import nearest_allowed, tell_too_costly, too_costly, wait_for_room
from regviz.pages.changes import begin_page, changed
from regviz.pages.components import asset_component, plain
from regviz.pages.controls import choose
from regviz.pages.positions import put
from regviz.pages.snapshot import BoardSnapshot, request_view, usual_focus, view
from regviz.pages.state import page_state
from regviz.server.state import runs
from regviz.spec.points import PointsSpec

GATHER_SECONDS = 0.15  # seconds: a message carries the frames of so long
WAIT_SECONDS = 0.3  # seconds: for so long a fragment waits, and no control is answered meanwhile
# Seconds that a browser rests before it asks for more, for each training beyond so many: where much
# trains frames come slowly anyway, and all who ask for them take time from it.
REST_SECONDS = 0.04
TRAININGS_WITHOUT_REST = 8
# Frames of a session's first message: on a slow line a picture of them is there seconds before the
# others are.
N_FIRST_FRAMES = 3
STYLE = """<style>
  .stMainBlockContainer { padding: 1rem 1.4rem; }
  .stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-top: 3.2rem; }
  .stAppHeader { background: transparent; }
  .stAppHeader, .stAppHeader div { pointer-events: none; }
  .stAppHeader button, .stAppHeader a {
    pointer-events: auto; border-radius: 8px; backdrop-filter: blur(8px);
  }
  /* the board says how far it is, and Streamlit's sign would lie upon the buttons */
  [data-testid="stStatusWidget"]:has([data-testid*="Icon"]) { display: none; }
  /* what it shows holds while more is on the way, which Streamlit would draw pale; and it has its
     room before it comes, as the datasets' pictures do: nothing is to move from under a pointer */
  .st-key-board { opacity: 1 !important; min-height: 100vh; }
  .st-key-data { min-height: 92px; }
  .stSidebar .stVerticalBlock { gap: 0.6rem; }
  [data-testid="stSidebarHeader"] { height: 2.4rem; margin: 0; padding-top: 0.4rem; }
  /* at Streamlit's 0.6 captions have a contrast of 4.2, code in them 3.1; WCAG AA asks for 4.5 */
  [data-testid="stCaptionContainer"] { opacity: 0.8; }
  /* in programs, too: Streamlit's colours have contrasts of 2.2 to 3.7 on light */
  [data-testid="stCode"] pre .token[class] { color: light-dark(#5a6270, #c3c9d4); }
  [data-testid="stCode"] pre .token:is(.keyword, .function) { color: light-dark(#2747b8, #9db9ff); }
  [data-testid="stCode"] pre .token.string { color: light-dark(#0b6b52, #6fd3ae); }
  [data-testid="stCode"] pre .token:is(.number, .boolean) { color: light-dark(#8a4600, #ffb86b); }
  /* A contrast theme removes backgrounds: those of which Streamlit's sliders and switches consist,
     and the one by which a choice is told from the others; and it would write upon figures. */
  @media (forced-colors: active) {
    [data-testid="stSlider"] [role="group"] > div > div:first-child,
    [data-testid="stCheckbox"] label > div:not([data-testid]) {
      forced-color-adjust: none; outline: 1px solid CanvasText;
    }
    [data-testid="stSlider"] [role="group"] > div > div:has(input) { background: Highlight; }
    [data-testid="stButtonGroup"] button[data-selected="true"] {
      forced-color-adjust: none; background: Highlight !important; color: HighlightText !important;
    }
    .js-plotly-plot { forced-color-adjust: none; }
  }
  /* second-level headings as large as Streamlit's third level, which leaves more room */
  .stHeading h2 { padding: 0.5rem 0 1rem; }
  .stSidebar .stHeading h2 { font-size: 1.125rem; }
  .st-key-above { padding-right: 2.2rem; }  /* beside Streamlit's own menu */
  @media (min-width: 1100px) { .st-key-above { flex-wrap: nowrap; } }
  .regviz-preview {
    width: 100%; table-layout: fixed; border-collapse: collapse; font-size: 0.8rem;
  }
  .regviz-preview caption { padding-bottom: 0.2rem; text-align: left; }
  .regviz-preview :is(th, td) {
    padding: 0.1rem 0.3rem; overflow: hidden; text-align: left; text-overflow: ellipsis;
    white-space: nowrap;
  }
  .regviz-preview td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  .regviz-alt {
    position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap;
  }
</style>"""

_logger = logging.getLogger("regviz.runs")
_board = asset_component("regviz_board", "board")


def _name(grid: StrengthGrid, rows: list[int]) -> str:
    """Of a grid together with the networks that are shown first."""
    return hashlib.sha256(f"{grid}{rows}".encode()).hexdigest()[:16]


def _n_received(name: str) -> int:
    """Return how many frames of a run the browser has received."""
    asked = (st.session_state.get("board") or {}).get("more")
    if isinstance(asked, dict) and asked.get("run") == name:
        n_received = asked.get("n_received")
        if type(n_received) is int and n_received >= 0:
            page_state().received = (name, n_received)
    run, frames = page_state().received
    return frames if run == name else 0


@st.fragment
def _show(grid: StrengthGrid, rows: list[int], name: str, link: str) -> None:
    """Send the frames that the browser lacks. It asks for the next ones, which runs this again."""
    # first of all: to another run of the script the board's message would be lost
    n_received = _n_received(name)
    if changed():
        st.rerun()
    state = page_state()
    visitor = state.visitor
    # the same run as before, or, if it was given up meanwhile, the same frames once more
    run = runs().get(grid.experiment, visitor, always=True)
    history = run.wait(n_received, GATHER_SECONDS if n_received else 0, WAIT_SECONDS, visitor)
    state.n_replies += 1
    most = N_FIRST_FRAMES if state.n_replies == 1 else None
    ask_after = REST_SECONDS * max(0, runs().n_training - TRAININGS_WITHOUT_REST)
    source = Source(grid, name, rows, history, run.selector)
    requested = state.requested_view
    message = encode(source, n_received, state.n_replies, requested, link, ask_after, most)
    _board(key="board", data=message, on_more_change=lambda: None, on_view_change=lambda: None)
    # the views below show what the board shows, once all is there
    if understand.is_open() and (snapshot := _snapshot()) != state.seen_below:
        # known from now on: a run of the whole page comes by here before it draws the views
        state.seen_below = snapshot
        st.rerun()


def _snapshot() -> BoardSnapshot | None:
    """Return a snapshot of the board, if its training is complete."""
    state = page_state()
    if state.shown is None:
        return None
    grid, visitor = state.shown[0], state.visitor
    history = runs().get(grid.experiment, visitor, always=True).wait(0, 0, 0, visitor)
    if not history.complete:
        return None
    seen = view()
    return BoardSnapshot(
        grid,
        history,
        grid.rows(seen.strength_indices),
        _focus(grid, seen.focus),
        "dark" if st.context.theme.type == "dark" else "light",
        runs(),
        visitor,
    )


def _focus(grid: StrengthGrid, seen: str | None) -> str:
    """The method that is seen large; early stopping is a view of None."""
    networks_by_method = [key for key, _ in grid.networks_by_method]
    if seen == EARLY_STOPPING and "none" in networks_by_method:
        return "none"
    if seen in networks_by_method:
        return str(seen)
    return usual_focus(grid)


@st.fragment
def _show_below() -> None:
    """The views, drawn anew by themselves when one of their own controls moves."""
    understand.choose()
    if understand.is_open():
        snapshot = page_state().seen_below = _snapshot()
        understand.show(snapshot)


def _begin(scene: Scene, grid: StrengthGrid, visitor: str, messages: DeltaGenerator) -> bool:
    """Start what is to be trained; where that cannot be, say why and what can."""
    shown = page_state().shown
    fresh = shown is None or grid != shown[0]
    shared = fresh and runs().holds(grid.experiment)
    with messages:
        if fresh and too_costly(scene):
            tell_too_costly(scene)
            return False
        try:
            runs().get(grid.experiment, visitor)
        except Busy:
            wait_for_room()
            return False
        except ValueError as error:
            st.error(f"These settings do not go together: {error}")
            return False
    if shared:
        fields = describe(grid.experiment) | {"ms": 0, "hit": True, "outcome": "shared"}
        _logger.info("run", extra={"fields": fields})
    return True


def _open() -> None:
    """Stand where the visitor's link says, or the file that was opened meanwhile."""
    problems: list[str] = []
    state = page_state()
    opened, state.to_open = state.to_open, None
    first = state.base is None
    if opened is None:
        if not first:
            return
        opened, problems = from_query(st.query_params.to_dict())
        problems = [f"In the link: {problem}" for problem in problems]
    opened, refused = nearest_allowed(opened)
    put(opened)
    grid = opened.grid()
    middle = {
        key: strength_index
        for (key, _), strength_index in zip(
            grid.networks_by_method, grid.strength_indices({}), strict=True
        )
    }
    # the visitor's first run is played; of another one that is opened its end is shown
    end = None if first else opened.training.epochs
    request_view(
        opened.focus or usual_focus(grid),
        middle | opened.strength_indices(grid),
        end if opened.epoch is None else opened.epoch,
    )
    state.problems = problems + refused + (state.left_out or opened.approximations(grid))
    state.left_out = []


def _tell_problems(grid: StrengthGrid) -> None:
    """Show problems of a link or file until something else is trained."""
    state = page_state()
    if state.problems and state.problems_of in (None, grid):
        state.problems_of = grid
        st.warning("  \n".join(map(plain, state.problems)))
    else:
        state.problems, state.problems_of = [], None


def _address_of(scene: Scene) -> str:
    """Return the scene's query string, without points that make it longer than servers allow."""

    def text(query: dict[str, str]) -> str:
        return urlencode({k: v for k, v in query.items() if k not in view_parameters()}, safe=",")

    whole = text(to_query(scene))
    return whole if len(whole) <= LONGEST else text(to_short_query(scene))


def _tell_left_out(scene: Scene) -> None:
    """Say once that the address does not hold the points of the scene."""
    points = scene.data if isinstance(scene.data, PointsSpec) else None
    if points is None or f"points={LEFT_OUT}" not in _address_of(scene):
        return
    state = page_state()
    if state.told_too_many != points.points:
        state.told_too_many = points.points
        # beside what of the file that they came with could not be followed
        others = state.problems if state.problems_of in (None, scene.grid()) else []
        state.problems = [
            *others,
            f"Your {points.n_samples} points are too many for the address: it holds everything"
            " else. To keep the points, save the experiment as a file with “Save · open”.",
        ]
        state.problems_of = None


def _switch_on() -> None:
    """A method that a view has called for takes part."""
    state = page_state()
    called, state.called = state.called, None
    base = state.base or state.opened
    if called in METHODS and called not in base.methods:
        state.base = replace(base, methods=(*base.methods, called))
        st.session_state[f"use_{called}"] = True


def main() -> None:
    """Draw the page."""
    st.set_page_config(
        "RegViz",
        layout="wide",
        # a course page is narrow
        initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
    )
    st.html(STYLE)
    begin_page()
    _open()
    _switch_on()
    scene = choose()
    with st.container(horizontal=True, vertical_alignment="center", key="above"):
        st.markdown(
            "**Same points, same initial weights, same batches:** these networks differ in nothing"
            " but their regularization.",
            width="stretch",
        )
        above = st.container(horizontal=True, width="content")
    # messages come and go in a place of their own: the board would lose its state if it moved
    messages = st.container()
    state = page_state()
    visitor = state.visitor
    grid = scene.grid()
    before = state.shown
    # the cards keep the strengths that they start with as long as the grid is the same
    rows = before[1] if before and grid == before[0] else grid.rows(view().strength_indices)
    _tell_left_out(scene)
    with messages:
        _tell_problems(grid)
    if not _begin(scene, grid, visitor, messages):
        if before is None:
            return
        grid, rows, scene = before  # what is on screen stays
    state.shown = (grid, rows, scene)
    if before is not None and before[0].experiment != grid.experiment:
        runs().leave(before[0].experiment, visitor)
    if "share" not in scene.hide:
        with above:
            share.show(scene, grid, _snapshot)
    _show(grid, rows, _name(grid, rows), _address_of(scene))
    if "understand" not in scene.hide:
        _show_below()


main()
