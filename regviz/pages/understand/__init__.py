"""The views below the board, and their registry."""

import importlib
from typing import NamedTuple

import streamlit as st

from regviz.pages.components import choose_picture_format
from regviz.pages.snapshot import BoardSnapshot
from regviz.spec.validation import invalid


class ViewModule(NamedTuple):
    """The module of a view.

    Attributes
    ----------
    module : str
        Dotted name of a module with a function ``show(snapshot)``, which draws the view of a
        `BoardSnapshot`. It is imported when the view is first opened.
    has_figures : bool
        Whether the view draws figures with `regviz.pages.components.draw`; the page then offers a
        choice of the format in which they are saved.
    follows_epoch : bool
        Whether the view depends on the board's epoch, and is drawn again when that changes.
    """

    module: str
    has_figures: bool = True
    follows_epoch: bool = False


VIEWS: dict[str, ViewModule] = {}  # by label


def register_view(
    label: str, module: str, has_figures: bool = True, follows_epoch: bool = False
) -> None:
    """Register a view, to be offered below the board.

    Parameters
    ----------
    label : str
        Name of the view on the page.
    module : str
        Dotted name of a module with a function ``show(snapshot)``.
    has_figures : bool
        Whether the view draws figures with `regviz.pages.components.draw`.
    follows_epoch : bool
        Whether the view depends on the board's epoch.

    Raises
    ------
    ValueError
        If another view has this label.

    Examples
    --------
    >>> from regviz.pages.understand import register_view
    >>> register_view("Norms", "norms")  # norms.py has a function show(snapshot)
    """
    view = ViewModule(module, has_figures, follows_epoch)
    if VIEWS.get(label, view) != view:
        raise invalid("label", "one that no other view has", label)
    VIEWS[label] = view


register_view("Paths", f"{__name__}.paths")
register_view("Forces", f"{__name__}.forces")
register_view("Anatomy", f"{__name__}.anatomy", follows_epoch=True)
register_view("Compare", f"{__name__}.compare")
register_view("Uncertainty", f"{__name__}.uncertainty")
register_view("Code", f"{__name__}.code", has_figures=False)
register_view("Which one?", f"{__name__}.which_one", has_figures=False)

KEY = "understand"


def is_open() -> bool:
    """Return whether a view is open."""
    return st.session_state.get(KEY) in VIEWS


def follows_epoch() -> bool:
    """Return whether the open view depends on the board's epoch."""
    return is_open() and VIEWS[st.session_state[KEY]].follows_epoch


def choose() -> None:
    """Draw the control that opens a view; a second click on a view closes it."""
    # The container keeps the position of the row below when the caption disappears. Otherwise
    # Streamlit draws the row a second time and removes the old one when the run ends; clicks on the
    # old one are lost, and the keyboard focus too.
    with st.container():
        st.header("Understand", anchor=False)
        if not is_open():
            st.caption("Why it is so, how much it matters, and how to do it yourself.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.segmented_control(
            "View",
            list(VIEWS),
            key=KEY,
            label_visibility="collapsed",
            width="stretch",
            wrap=True,
        )
        if is_open() and VIEWS[st.session_state[KEY]].has_figures:
            choose_picture_format()


def show(snapshot: BoardSnapshot | None) -> None:
    """Draw the open view, or a message if there is no snapshot yet."""
    if snapshot is None:
        st.info("The networks are still in training. This view follows as soon as they are done.")
        return
    # a late import: each view has large dependencies that the page itself does not need
    module = importlib.import_module(VIEWS[st.session_state[KEY]].module)
    module.show(snapshot)
