"""The views below the board: why, how much, and how to do it oneself."""

import importlib
from typing import NamedTuple

import streamlit as st

from regviz.pages.components import PICTURE_FORMATS
from regviz.pages.snapshot import BoardSnapshot
from regviz.spec.validation import invalid


class ViewModule(NamedTuple):
    """Where the code of a view is.

    Attributes
    ----------
    module : str
        The dotted name of a module with a function ``show(snapshot)``, which draws the view of a
        `BoardSnapshot`. It is imported when the view is opened.
    has_figures : bool
        Whether it draws figures with `regviz.pages.components.draw`, so that the page offers a
        choice of their format.
    """

    module: str
    has_figures: bool = True


VIEWS: dict[str, ViewModule] = {}  # by label


def register_view(label: str, module: str, has_figures: bool = True) -> None:
    """Offer a view below the board.

    Parameters
    ----------
    label : str
        Its name on the page.
    module, has_figures
        As of `ViewModule`.

    Raises
    ------
    ValueError
        If there is another one of this label.
    """
    view = ViewModule(module, has_figures)
    if VIEWS.get(label, view) != view:
        raise invalid("label", "one that no other view has", label)
    VIEWS[label] = view


register_view("Paths", f"{__name__}.paths")
register_view("Forces", f"{__name__}.forces")
register_view("Compare", f"{__name__}.compare")
register_view("Uncertainty", f"{__name__}.uncertainty")
register_view("Code", f"{__name__}.code", has_figures=False)
register_view("Which one?", f"{__name__}.which_one", has_figures=False)

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
        if is_open() and VIEWS[st.session_state[KEY]].has_figures:
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
    module = importlib.import_module(VIEWS[st.session_state[KEY]].module)
    module.show(snapshot)
