"""The page: choose an experiment at the side, and watch all its networks learn."""

import hashlib
from typing import Any

import streamlit as st

from regviz import figures
from regviz.board import Card, encode
from regviz.pages.components import asset_component
from regviz.pages.controls import choose
from regviz.runs import Run, Runs

GATHER = 0.08  # seconds: a message carries the frames of so long

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
    held: tuple[str, int] = st.session_state.get("held", ("", 0))
    return held[1] if held[0] == name else 0


@st.fragment
def _show(run: Run, cards: list[Card], name: str) -> None:
    """Send the frames that the browser lacks. It asks for the next ones, which runs this again."""
    frame = _held(name)
    history = run.wait(frame, gather=GATHER if frame else 0)
    frame = min(frame, len(history.epochs))
    _board(key="board", data=encode(history, cards, name, frame), on_more_change=lambda: None)
    with st.container(height=380, border=False):
        if history.complete and frame == len(history.epochs):
            left, right = st.columns(2)
            left.plotly_chart(figures.loss_curves(history), key="losses")
            right.plotly_chart(figures.sparsity_curves(history), key="sparsity")


def main() -> None:
    """Draw the page."""
    st.set_page_config("RegViz", page_icon="assets/logo.svg", layout="wide")
    st.html("<style>.stMainBlockContainer { padding: 2.6rem 1.4rem 1rem; }</style>")
    experiment, cards = choose()
    try:
        run = _runs().get(experiment)
    except ValueError as error:
        st.error(f"These settings do not go together: {error}")
        run = None
    if run is not None:
        described = f"{experiment!r} {cards!r}".encode()
        _show(run, cards, hashlib.sha256(described).hexdigest()[:16])


main()
