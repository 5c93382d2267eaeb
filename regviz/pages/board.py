"""The board of a page: the training that it shows, the frames that it gets, and its link."""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from regviz.jobs.registry import Busy
from regviz.jobs.run import describe
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.pages import understand
from regviz.pages.capacity import show_too_costly, too_costly, wait_for_room
from regviz.pages.claims import obey
from regviz.pages.components import asset_component
from regviz.pages.snapshot import BoardSnapshot, view
from regviz.pages.state import page_state
from regviz.scenes.encoding import Source, encode
from regviz.scenes.link import (
    MAX_LINK_CHARS,
    fitting,
    to_query,
    to_short_query,
    view_parameters,
)
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server.state import runs

GATHER_SECONDS = 0.15  # minimum wait for the frames of a message, after the first
WAIT_SECONDS = 0.3  # bound on a fragment's wait for frames, during which no control responds
# Pause of the browser before its next request for frames, for each training beyond the number: the
# requests of many visitors take processor time from the trainings that they wait for.
PAUSE_SECONDS = 0.04
N_TRAININGS_WITHOUT_PAUSE = 8
# Bound on the frames of a session's first message: on a slow line it arrives, and the board draws a
# picture, seconds before the other frames.
N_FIRST_FRAMES = 2

_logger = logging.getLogger("regviz.runs")
_board = asset_component("regviz_board", "board")


def run_name(grid: StrengthGrid, rows: list[int]) -> str:
    """Return a name for the run of a grid and the networks shown first: 16 hexadecimal digits."""
    return hashlib.sha256(f"{grid}{rows}".encode()).hexdigest()[:16]


def n_received(name: str) -> int:
    """Return the number of frames of a run that the browser has received."""
    request = (st.session_state.get("board") or {}).get("more")
    if isinstance(request, dict) and request.get("run") == name:
        n_frames = request.get("n_received")
        if type(n_frames) is int and n_frames >= 0:
            page_state().received = (name, n_frames)
    run, frames = page_state().received
    return frames if run == name else 0


def send(
    grid: StrengthGrid,
    rows: list[int],
    name: str,
    link: str,
    n_received: int,
    claims: Mapping[str, Any] | None = None,
    part: Mapping[str, Any] | None = None,
) -> None:
    """Wait for frames that the board lacks, and send them; to be called in a fragment.

    The browser's request for more runs the fragment again.

    Parameters
    ----------
    grid : StrengthGrid
    rows : list of int
        Index of the network that each method shows first.
    name : str
        Name of the run, as of `run_name`.
    link : str
        Query string of the scene.
    n_received : int
        As of `n_received`.
    claims, part : mapping, optional
        As of `regviz.scenes.encoding.encode`.
    """
    visitor = page_state().visitor
    # the run of the page, or if that has stopped meanwhile, a new run with the same frames
    run = runs().get(grid.experiment, visitor, always=True)
    history = run.wait(n_received, GATHER_SECONDS if n_received else 0, WAIT_SECONDS, visitor)
    # ends this run if a later one has begun; the message of an ended run is not sent, nor counted
    state = page_state()
    state.n_replies += 1
    _board(
        key="board",
        data=encode(
            Source.of(grid, name, rows, history, run.selector),
            n_received,
            state.n_replies,
            state.requested_view,
            link,
            PAUSE_SECONDS * max(0, runs().n_training - N_TRAININGS_WITHOUT_PAUSE),
            N_FIRST_FRAMES if state.n_replies == 1 else None,
            claims,
            part,
        ),
        on_more_change=lambda: None,
        on_view_change=lambda: None,
        on_change_change=lambda: None,
        on_claim_change=obey,
    )


def take_snapshot() -> BoardSnapshot | None:
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
    return grid.default_focus


def start_training(
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


def query_of(scene: Scene) -> str:
    """Return the scene's query string, without pins or own points that exceed `MAX_LINK_CHARS`."""

    def text(query: dict[str, str]) -> str:
        return urlencode({k: v for k, v in query.items() if k not in view_parameters()}, safe=",")

    scene = fitting(scene)
    whole = text(to_query(scene))
    return whole if len(whole) <= MAX_LINK_CHARS else text(to_short_query(scene))
