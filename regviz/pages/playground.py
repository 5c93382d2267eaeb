"""The page: a sidebar that chooses an experiment, the board, and the views below it."""

import hashlib
import logging
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from regviz.board.change import changed_scene
from regviz.board.claims import PARAMETER
from regviz.board.encoding import Source, encode
from regviz.board.link import (
    LEFT_OUT,
    MAX_LINK_CHARS,
    fitting,
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
from regviz.pages import claims, classroom, pins, share, understand
from regviz.pages.capacity import nearest_allowed, show_too_costly, too_costly, wait_for_room
from regviz.pages.changes import begin_page, changed
from regviz.pages.components import asset_component, plain
from regviz.pages.control_values import set_controls
from regviz.pages.controls import choose
from regviz.pages.opening import ABOUT, HINT, question
from regviz.pages.snapshot import BoardSnapshot, default_focus, request_view, view
from regviz.pages.state import Moment, page_state
from regviz.server.state import runs
from regviz.spec.points import PointsSpec

GATHER_SECONDS = 0.15  # minimum wait for the frames of a message, after the first
WAIT_SECONDS = 0.3  # bound on a fragment's wait for frames, during which no control responds
# Pause of the browser before its next request for frames, for each training beyond the number: the
# requests of many visitors take processor time from the trainings that they wait for.
PAUSE_SECONDS = 0.04
N_TRAININGS_WITHOUT_PAUSE = 8
# Bound on the frames of a session's first message: on a slow line it arrives, and the board draws a
# picture, seconds before the other frames.
N_FIRST_FRAMES = 2
STYLE = """<style>
  .stMainBlockContainer { padding: 1rem 1.4rem; }
  .stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-top: 3.2rem; }
  /* On phones the header stays opaque, as its buttons would cover text that scrolls below it. */
  @media (min-width: 900px) { .stAppHeader { background: transparent; } }
  @media (max-width: 899px) { .stAppHeader { height: 2.8rem; min-height: 0; } }
  .stAppHeader, .stAppHeader div { pointer-events: none; }
  .stAppHeader button, .stAppHeader a {
    pointer-events: auto; border-radius: 8px; backdrop-filter: blur(8px);
  }
  /* the board shows its own progress, and Streamlit's status icon would cover the buttons */
  [data-testid="stStatusWidget"]:has([data-testid*="Icon"]) { display: none; }
  /* Streamlit fades stale elements, but the board stays valid while frames arrive. The minimum
     heights reserve space for board and thumbnails, so that no control moves when they appear. */
  .st-key-board { opacity: 1 !important; min-height: 100vh; }
  .st-key-data { min-height: 92px; }
  .stSidebar .stVerticalBlock { gap: 0.6rem; }
  [data-testid="stSidebarHeader"] { height: 2.4rem; margin: 0; padding-top: 0.4rem; }
  /* at Streamlit's opacity of 0.6, captions have a contrast of 4.2 and code in them 3.1; WCAG AA
     requires 4.5 */
  [data-testid="stCaptionContainer"] { opacity: 0.8; }
  /* likewise in programs: Streamlit's colours have contrasts of 2.2 to 3.7 in the light theme */
  [data-testid="stCode"] pre .token[class] { color: light-dark(#5a6270, #c3c9d4); }
  [data-testid="stCode"] pre .token:is(.keyword, .function) { color: light-dark(#2747b8, #9db9ff); }
  [data-testid="stCode"] pre .token.string { color: light-dark(#0b6b52, #6fd3ae); }
  [data-testid="stCode"] pre .token:is(.number, .boolean) { color: light-dark(#8a4600, #ffb86b); }
  /* Forced colours remove backgrounds, which Streamlit's sliders, switches and selected buttons are
     drawn by, and recolour the text of figures. */
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
  /* second-level headings in the size of Streamlit's third level, to save space */
  .stHeading h2 { padding: 0.5rem 0 1rem; }
  .stSidebar .stHeading h2 { font-size: 1.125rem; }
  .st-key-room_memory { position: absolute; }
  .st-key-above { padding-right: 2.2rem; }  /* space for Streamlit's menu */
  .st-key-above, .st-key-buttons { gap: 0.5rem; }
  .st-key-buttons button { padding-inline: 0.55rem; }
  @media (max-width: 640px) {
    .st-key-above { padding-right: 0; }  /* the menu is above */
    .st-key-above p { font-size: 0.875rem; line-height: 1.4; }
    .st-key-buttons { gap: 0.4rem; }
    .st-key-buttons button { padding-inline: 0.4rem; }
  }
  @media (min-width: 1100px) { .st-key-above { flex-wrap: nowrap; } }
  /* Pins beside one another, in a row that scrolls where they do not fit. Streamlit would fade them
     while a change trains. */
  .st-key-pins { flex-wrap: nowrap; align-items: stretch; gap: 0.6rem; overflow-x: auto; }
  [class*="st-key-pin_"] { opacity: 1 !important; }
  .st-key-pins > div { flex: 1 0 252px; max-width: 400px; }
  .st-key-pins > div > .stVerticalBlock { gap: 0.4rem; padding: 0.5rem 0.6rem; }
  .st-key-pins button { min-height: 1.75rem; padding: 0; }
  .st-key-pins [data-testid="stMarkdownContainer"] p { font-size: 0.8125rem; line-height: 1.35; }
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


def _run_name(grid: StrengthGrid, rows: list[int]) -> str:
    """Return a name for the run of a grid and the networks shown first: 16 hexadecimal digits."""
    return hashlib.sha256(f"{grid}{rows}".encode()).hexdigest()[:16]


def _n_received(name: str) -> int:
    """Return the number of frames of a run that the browser has received."""
    request = (st.session_state.get("board") or {}).get("more")
    if isinstance(request, dict) and request.get("run") == name:
        n_frames = request.get("n_received")
        if type(n_frames) is int and n_frames >= 0:
            page_state().received = (name, n_frames)
    run, frames = page_state().received
    return frames if run == name else 0


def _change_training(scene: Scene, grid: StrengthGrid, name: str) -> bool:
    """Prepare to open the scene that the board requests; return False without a request.

    A request for another run than ``name`` is outdated, and has no effect.
    """
    request = (st.session_state.get("board") or {}).get("change")
    if not isinstance(request, dict) or request.get("run") != name:
        return False
    state = page_state()
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
    n_received = _n_received(name)
    if changed():
        st.rerun()
    state = page_state()
    visitor = state.visitor
    if state.shown is not None and _change_training(state.shown[2], grid, name):
        st.rerun()
    # in a container, so that the board's position does not depend on it
    with st.container():
        if state.shown is not None:
            pins.draw(state.shown[2], grid, _snapshot)
    # the run of `main`, or if that has stopped meanwhile, a new run with the same frames
    run = runs().get(grid.experiment, visitor, always=True)
    history = run.wait(n_received, GATHER_SECONDS if n_received else 0, WAIT_SECONDS, visitor)
    # ends this run if a later one has begun; the message of an ended run is not sent, nor counted
    state = page_state()
    state.n_replies += 1
    max_frames = N_FIRST_FRAMES if state.n_replies == 1 else None
    pause = PAUSE_SECONDS * max(0, runs().n_training - N_TRAININGS_WITHOUT_PAUSE)
    source = Source(grid, name, rows, history, run.selector)
    message = encode(
        source,
        n_received,
        state.n_replies,
        state.requested_view,
        link,
        pause,
        max_frames,
        None if "claims" in hide else claims.offer(grid),
    )
    if state.shown is not None:
        classroom.share(share.with_view(state.shown[2], grid), claims.link_parameters(grid))
    _board(
        key="board",
        data=message,
        on_more_change=lambda: None,
        on_view_change=lambda: None,
        on_change_change=lambda: None,
        on_claim_change=claims.obey,
    )
    # the page reruns to draw the views for the board's new state
    if understand.is_open() and (snapshot := _snapshot()) != state.views_snapshot:
        # set before the rerun, which runs this fragment again before it draws the views
        state.views_snapshot = snapshot
        st.rerun()


def _snapshot() -> BoardSnapshot | None:
    """Return a snapshot of the board, or None if its training is not complete."""
    state = page_state()
    if state.shown is None:
        return None
    grid, visitor = state.shown[0], state.visitor
    history = runs().get(grid.experiment, visitor, always=True).wait(0, 0, 0, visitor)
    if not history.complete:
        return None
    current = view()
    return BoardSnapshot(
        grid,
        history,
        grid.rows(current.strength_indices, current.variant_indices),
        _focus(grid, current.focus),
        "dark" if st.context.theme.type == "dark" else "light",
        runs(),
        visitor,
        current.epoch if understand.follows_epoch() else None,
    )


def _focus(grid: StrengthGrid, card: str | None) -> str:
    """Return the method of the card in focus; early stopping's card shows the network of None."""
    if card == EARLY_STOPPING and "none" in grid.methods:
        return "none"
    if card in grid.methods:
        return str(card)
    return default_focus(grid)


@st.fragment
def _show_views() -> None:
    """Draw the views below the board. A change of their controls reruns this fragment alone."""
    understand.choose()
    if understand.is_open():
        snapshot = page_state().views_snapshot = _snapshot()
        understand.show(snapshot)


def _start_training(
    scene: Scene, grid: StrengthGrid, visitor: str, messages: DeltaGenerator
) -> bool:
    """Start the training of a grid; if it is refused, show the reason and return False."""
    shown = page_state().shown
    is_new = shown is None or grid != shown[0]
    shared = is_new and runs().holds(grid.experiment)
    with messages:
        if is_new and too_costly(scene):
            show_too_costly(scene)
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
    set_controls(opened)
    grid = opened.grid()
    strengths = dict(zip(grid.methods, grid.strength_indices({}), strict=True))
    # where a grid has one variant of a method, its index says nothing about other grids
    variants = {
        key: index
        for (key, by_variant), index in zip(
            grid.networks_by_variant,
            grid.variant_indices(opened.variant_indices(grid)),
            strict=True,
        )
        if len(by_variant) > 1
    }
    # the board plays the first run, and shows the end of a scene that is opened later
    end = None if first else opened.training.epochs
    request_view(
        opened.focus or default_focus(grid),
        strengths | opened.strength_indices(grid),
        end if opened.epoch is None else opened.epoch,
        play=play,
        variant_indices=variants,
        plane=opened.plane,
    )
    state.problems = problems + refused + (state.left_out or opened.approximations(grid))
    state.left_out = []


def _open_moment(moment: Moment) -> None:
    """Open a scene with its view. Own points of the visitor stay for when they return to them."""
    state = page_state()
    own_points = state.own_points
    scene, state.problems = nearest_allowed(moment.scene)
    set_controls(scene)
    state.own_points = state.own_points or own_points
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


def _query_of(scene: Scene) -> str:
    """Return the scene's query string, without pins or own points that exceed `MAX_LINK_CHARS`."""

    def text(query: dict[str, str]) -> str:
        return urlencode({k: v for k, v in query.items() if k not in view_parameters()}, safe=",")

    scene = fitting(scene)
    whole = text(to_query(scene))
    return whole if len(whole) <= MAX_LINK_CHARS else text(to_short_query(scene))


def _warn_of_long_address(scene: Scene) -> None:
    """Warn once if the address does not contain the pins of the scene, and once for its points."""
    state = page_state()
    if fitting(scene) != scene and state.warned_pins != scene.pins:
        state.warned_pins = scene.pins
        _add_problem(scene, f"{share.PINS_LEFT_OUT} A file keeps them: “Save · open”.")
    points = scene.data if isinstance(scene.data, PointsSpec) else None
    if points is None or f"points={LEFT_OUT}" not in _query_of(scene):
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
        st.session_state[f"use_{method}"] = True


def main() -> None:
    """Draw the page."""
    st.set_page_config(
        "RegViz",
        layout="wide",
        # course pages embed it in a narrow frame
        initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",
    )
    st.html(STYLE)
    begin_page()
    _open_scene()
    _enable_requested_method()
    scene = choose()
    with st.container(horizontal=True, vertical_alignment="center", key="above"):
        line = f"**{question(scene.data)}** {HINT}"
        st.markdown(line, width="stretch", help=ABOUT)
        above = st.container(horizontal=True, width="content", key="buttons")
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
    if not _start_training(scene, grid, visitor, messages):
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
            share.show(scene, grid, _snapshot)
    _show_board(grid, rows, _run_name(grid, rows), _query_of(scene), scene.hide)
    if "understand" not in scene.hide:
        _show_views()


main()
