"""The choice of a method in a view: it follows the board's focus, until the visitor chooses."""

from collections.abc import Sequence

import streamlit as st

from regviz.methods.catalogue import METHODS
from regviz.pages.snapshot import BoardSnapshot


def choose_method(snapshot: BoardSnapshot, methods: Sequence[str], key: str) -> str:
    """Let the visitor choose one of ``methods``.

    Where the board's focus has moved to one of them, that one is chosen.

    Parameters
    ----------
    snapshot : BoardSnapshot
    methods : sequence of str
        Keys of `regviz.methods.catalogue.METHODS`, at least one.
    key : str
        Of the widget.
    """
    seen = f"{key}_focus"
    moved = st.session_state.get(seen) != snapshot.focus
    st.session_state[seen] = snapshot.focus
    if moved and snapshot.focus in methods:
        st.session_state[key] = snapshot.focus
    elif st.session_state.get(key) not in methods:
        st.session_state[key] = methods[0]
    chosen = st.segmented_control(
        "Method",
        methods,
        required=True,
        format_func=lambda method: METHODS[method].label,
        key=key,
        label_visibility="collapsed",
        wrap=True,
    )
    return chosen or methods[0]
