"""The choice of a method in a view."""

from collections.abc import Sequence

import streamlit as st

from regviz.methods.catalogue import METHODS
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.state import page_state


def choose_method(snapshot: BoardSnapshot, methods: Sequence[str], key: str) -> str:
    """Draw a choice of a method, which follows the board's focus, and return its key.

    Parameters
    ----------
    snapshot : BoardSnapshot
    methods : sequence of str
        Keys of `regviz.methods.catalogue.METHODS`, at least one.
    key : str
        Key of the widget.

    Returns
    -------
    str
        One of ``methods``: the board's focus if it has moved to one of them since the last run.
    """
    last_focus = page_state().last_focus
    moved = last_focus.get(key) != snapshot.focus
    last_focus[key] = snapshot.focus
    if moved and snapshot.focus in methods:
        st.session_state[key] = snapshot.focus
    elif st.session_state.get(key) not in methods:
        st.session_state[key] = methods[0]
    chosen = st.segmented_control(
        "Method",
        methods,
        default=st.session_state[key],  # see `control_options`
        required=True,
        format_func=lambda method: METHODS[method].label,
        key=key,
        label_visibility="collapsed",
        wrap=True,
    )
    return chosen or methods[0]
