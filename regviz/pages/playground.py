"""The page: choose an experiment at the side, and watch all its networks learn."""

import hashlib
import secrets
from pathlib import Path
from typing import Any

import streamlit as st

from regviz.board import LINE_UP, OTHERS, encode
from regviz.cube import Cube
from regviz.experiment import Experiment
from regviz.pages.components import asset_component
from regviz.pages.controls import choose, moved
from regviz.runs import Run, Runs

GATHER = (0.12, 0.5)  # seconds: a message of line-up or others carries the frames of so long
PATIENCE = 0.3  # seconds: for so long a fragment waits, and no control is answered meanwhile
ICON = Path(__file__).parents[2] / "assets" / "logo.svg"
STYLE = """<style>
  .stMainBlockContainer { padding: 1rem 1.4rem; }
  .stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-top: 3.2rem; }
  .stAppHeader { background: transparent; }
  .stAppHeader, .stAppHeader div { pointer-events: none; }
  .stAppHeader button, .stAppHeader a { pointer-events: auto; }
  .stSidebar .stVerticalBlock { gap: 0.6rem; }
  [data-testid="stSidebarHeader"] { height: 2.4rem; margin: 0; padding-top: 0.4rem; }
</style>"""

_board = asset_component("regviz_board", "board")


@st.cache_resource
def _runs() -> Runs:
    return Runs()


def _said(name: str) -> Any:
    """What the board has said last under this name."""
    return (st.session_state.get("board") or {}).get(name)


def _levels() -> dict[str, int]:
    """At which of its strengths the visitor has left each method."""
    said = _said("levels")
    if not isinstance(said, dict):
        return {}
    return {key: level for key, level in said.items() if isinstance(level, int)}


def _held(name: str) -> tuple[int, int]:
    """How many frames of line-up and others the browser has said that it holds."""
    asked = _said("more")
    if isinstance(asked, dict) and asked.get("run") == name:
        held = asked.get("held")
        if isinstance(held, list) and [type(n) for n in held] == [int, int] and min(held) >= 0:
            st.session_state["held"] = (name, *held)
    run, *frames = st.session_state.get("held", ("", 0, 0))
    return (frames[0], frames[1]) if run == name else (0, 0)


@st.fragment
def _show(cube: Cube, rows: list[int], name: str) -> None:
    """Send the frames that the browser lacks. It asks for the next ones, which runs this again."""
    # first of all: to another run of the script the board's message would be lost
    held = _held(name)
    if moved():
        st.rerun()
    visitor = st.session_state["visitor"]
    # the same runs as before, or, if they were given up meanwhile, the same frames once more
    runs = _start(cube, rows, visitor)
    part, run = LINE_UP, runs[LINE_UP]
    history = run.wait(held[part], GATHER[part] if held[part] else 0, PATIENCE, visitor)
    if history.complete and held[part] >= len(run.packing.frames) and len(runs) > 1:
        part, run = OTHERS, runs[OTHERS]
        history = run.wait(held[part], GATHER[part], PATIENCE, visitor)
    networks = rows if part == LINE_UP else cube.others(rows)
    reply = st.session_state["reply"] = st.session_state.get("reply", 0) + 1
    message = encode(cube, name, part, networks, history, run.packing, held[part], reply)
    _board(key="board", data=message, on_more_change=lambda: None, on_levels_change=lambda: None)


def _experiments(cube: Cube, rows: list[int]) -> list[Experiment]:
    """The line-up and, if there are any, all others."""
    return [cube.only(networks) for networks in (rows, cube.others(rows)) if networks]


def _start(cube: Cube, rows: list[int], visitor: str) -> list[Run]:
    """The runs of the line-up and of all others: trained now, in training, or there already."""
    line_up, *others = _experiments(cube, rows)
    limit = cube.limit_of_others
    return [
        _runs().get(line_up, visitor),
        *(_runs().get(experiment, visitor, urgent=False, limit=limit) for experiment in others),
    ]


def main() -> None:
    """Draw the page."""
    st.set_page_config("RegViz", page_icon=ICON, layout="wide")
    st.html(STYLE)
    cube = choose()
    st.markdown(
        "**Same points, same initial weights, same batches:** these networks differ in nothing but"
        " their regularization."
    )
    visitor = st.session_state.setdefault("visitor", secrets.token_hex(8))
    before, rows_before = st.session_state.get("shown", (None, []))
    # where the strengths stand when a cube is chosen decides what is trained first, and no more
    rows = rows_before if cube == before else cube.rows(_levels())
    try:
        _start(cube, rows, visitor)
    except ValueError as error:
        st.error(f"These settings do not go together: {error}")
        if before is None:
            return
        cube, rows = before, rows_before  # what is on screen stays
    st.session_state["shown"] = (cube, rows)
    if before not in (None, cube):
        for experiment in set(_experiments(before, rows_before)) - set(_experiments(cube, rows)):
            _runs().leave(experiment, visitor)
    name = hashlib.sha256(f"{cube}{rows}".encode()).hexdigest()[:16]
    _show(cube, rows, name)


main()
