"""The views below the board: why, how much, and how to do it oneself."""

import importlib

import streamlit as st

from regviz.pages.components import PICTURE_FORMATS
from regviz.pages.snapshot import BoardSnapshot

VIEWS = {
    "Paths": "paths",
    "Forces": "forces",
    "Compare": "compare",
    "Uncertainty": "uncertainty",
    "Code": "code",
    "Which one?": "which_one",
}
WITHOUT_FIGURES = ("Code", "Which one?")
KEY = "understand"


def is_open() -> bool:
    """Whether the visitor has opened one of the views."""
    return st.session_state.get(KEY) in VIEWS


def choose() -> None:
    """Draw the row in which a view is chosen; a second click closes it again."""
    # A container, so that the row below keeps its position when the caption goes. Streamlit draws a
    # container at a new position a second time and removes the old one when the run ends; until
    # then a click on the old one is lost, as is the keyboard's focus.
    with st.container():
        st.header("Understand", anchor=False)
        if not is_open():
            st.caption("Why it is so, how much it matters, and how to do it yourself.")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "View",
            list(VIEWS),
            key=KEY,
            label_visibility="collapsed",
            width="stretch",
            wrap=True,
        )
        if is_open() and st.session_state[KEY] not in WITHOUT_FIGURES:
            st.segmented_control(
                "Pictures are saved as",
                PICTURE_FORMATS,
                key="picture_format",
                default=PICTURE_FORMATS[0],
                required=True,
                format_func=lambda name: f":material/photo_camera: {name.upper()}",
                label_visibility="collapsed",
                help="What a figure's camera saves.",
                width="content",
            )


def show(snapshot: BoardSnapshot | None) -> None:
    """Draw the view that is open; without a snapshot the networks are still in training."""
    if snapshot is None:
        st.info("The networks are still in training. This view follows as soon as they are done.")
        return
    # each with its own libraries, which a visitor who does not look need not wait for
    module = importlib.import_module(f"{__name__}.{VIEWS[st.session_state[KEY]]}")
    module.show(snapshot)
