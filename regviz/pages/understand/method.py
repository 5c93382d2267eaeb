"""The choice of a method in a view."""

from collections.abc import Sequence

import streamlit as st

from regviz.methods.catalogue import METHODS
from regviz.pages.control_values import control_key, renew
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
        Name of the control, as in `regviz.pages.control_values.control_key`.

    Returns
    -------
    str
        One of ``methods``: the board's focus if it has moved to one of them since the last run.
    """
    choices = page_state().method_choices
    last_focus, before = choices.get(key, ("", ""))
    method = before
    if snapshot.focus != last_focus and snapshot.focus in methods:
        method = snapshot.focus
    elif before not in methods:
        method = methods[0]
    if method != before:
        renew(key)
    chosen = st.segmented_control(
        "Method",
        methods,
        default=method,
        required=True,
        format_func=lambda method: METHODS[method].label,
        key=control_key(key),
        label_visibility="collapsed",
        wrap=True,
    )
    choices[key] = snapshot.focus, chosen or method
    return choices[key][1]
