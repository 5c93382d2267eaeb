"""The page: choose an experiment at the side, and watch all its networks learn."""

import hashlib
import secrets
from pathlib import Path
from typing import Any

import streamlit as st

from regviz import figures
from regviz.board import encode
from regviz.experiment import Experiment
from regviz.pages.components import asset_component
from regviz.pages.controls import choose, moved
from regviz.palette import Theme
from regviz.runs import Runs

GATHER = 0.08  # seconds: a message carries the frames of so long
PATIENCE = 0.3  # seconds: for so long a fragment waits, and no control is answered meanwhile
CHARTS = 400  # pixels
BELOW = dict(orientation="h", x=0, xanchor="left", y=-0.28, yanchor="top")
ICON = Path(__file__).parents[2] / "assets" / "logo.svg"
STYLE = """<style>
  .stMainBlockContainer { padding: 1rem 1.4rem; }
  .stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-top: 3.2rem; }
  .stAppHeader { background: transparent; pointer-events: none; }
  .stAppHeader button, .stAppHeader a { pointer-events: auto; }
  .stSidebar .stVerticalBlock { gap: 0.6rem; }
  [data-testid="stSidebarHeader"] { height: 2.4rem; margin: 0; padding-top: 0.4rem; }
</style>"""

_board = asset_component("regviz_board", "board")


@st.cache_resource
def _runs() -> Runs:
    return Runs()


def _held(name: str) -> int:
    """How many frames of the run ``name`` the browser has said that it holds."""
    asked: Any = (st.session_state.get("board") or {}).get("more")
    if isinstance(asked, dict) and asked.get("run") == name:
        frame = asked.get("frame")
        if isinstance(frame, int) and frame >= 0:
            st.session_state["held"] = (name, frame)
    run, frame = st.session_state.get("held", ("", 0))
    return int(frame) if run == name else 0


@st.fragment
def _show(experiment: Experiment, name: str) -> None:
    """Send the frames that the browser lacks. It asks for the next ones, which runs this again."""
    if moved():
        st.rerun()
    frame = _held(name)
    # the same run as before, or, if it was given up meanwhile, the same frames once more
    visitor = st.session_state["visitor"]
    run = _runs().get(experiment, visitor)
    history = run.wait(frame, gather=GATHER if frame else 0, timeout=PATIENCE, visitor=visitor)
    n_frames = len(history.epochs)
    _board(
        key="board", data=encode(history, name, min(frame, n_frames)), on_more_change=lambda: None
    )
    # once the browser has the whole run; charts stand outside, not to be drawn for every message
    charted = (name, _theme())
    if history.complete and frame >= n_frames and st.session_state.get("charted") != charted:
        st.session_state["charted"], st.session_state["history"] = charted, history
        st.rerun()


def _theme() -> Theme:
    return "dark" if st.context.theme.type == "dark" else "light"


def _draw_charts(name: str) -> None:
    """Curves of the run ``name``; while it trains, those of the one before."""
    if "charted" not in st.session_state:
        return
    history, theme = st.session_state["history"], _theme()
    epochs = history.experiment.training.epochs
    st.caption(
        f"Curves over all {epochs} epochs; the numbers beside the names are those at the end."
        if st.session_state["charted"][0] == name
        else "Curves of the run before: those of this one follow when it ends."
    )
    drawn = (
        figures.loss_curves(history, theme=theme),
        figures.sparsity_curves(history, theme=theme),
    )
    for column, figure, key in zip(st.columns(2), drawn, ("losses", "zeros"), strict=True):
        figure.update_layout(height=CHARTS, legend=BELOW, margin=dict(b=120, l=60, r=30))
        column.plotly_chart(figure, theme=None, key=key, config={"displayModeBar": False})


def main() -> None:
    """Draw the page."""
    st.set_page_config("RegViz", page_icon=ICON, layout="wide")
    st.html(STYLE)
    experiment = choose()
    st.markdown(
        "**Same points, same initial weights, same batches:** these networks differ in nothing but"
        " their regularization."
    )
    visitor = st.session_state.setdefault("visitor", secrets.token_hex(8))
    before = st.session_state.get("experiment")
    try:
        _runs().get(experiment, visitor)
    except ValueError as error:
        st.error(f"These settings do not go together: {error}")
    else:
        st.session_state["experiment"] = experiment
        if before not in (None, experiment):
            _runs().leave(before, visitor)
        name = hashlib.sha256(experiment.to_json().encode()).hexdigest()[:16]
        _show(experiment, name)
        _draw_charts(name)


main()
