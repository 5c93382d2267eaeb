"""Values of controls that the page itself sets, in the session state by widget key."""

from typing import Any

import streamlit as st

from regviz.pages.changes import note_change
from regviz.pages.state import page_state


def control_key(name: str) -> str:
    """Return the widget key of a control, another one since the page itself has set its value.

    A browser sends the values of all its widgets with each message, and a value from the server may
    not reach it: Streamlit drops messages that it has not sent before the page's next run. The
    browser's next message would then set the previous value again. Under a new key the control is
    another widget, which has the page's value in the browser, too.

    Parameters
    ----------
    name : str
        Name of the control among those of the page.
    """
    state = page_state()
    return state.control_keys.setdefault(name, f"{name}_{state.n_controls_set}")


def renew(*names: str) -> None:
    """Make controls take the values of the page, from the next time they are drawn."""
    state = page_state()
    state.n_controls_set += 1
    for name in names:
        state.control_keys.pop(name, None)


def control_options(name: str, value: Any, **default: Any) -> dict[str, Any]:
    """Return the keyword arguments of a control, and set its session value unless it has one.

    The default passed to the control is its current value, because Streamlit sends a value of the
    session state in one run only. A browser that has not loaded the control's code by the next run
    draws the control at its default.

    Parameters
    ----------
    name : str
        Name of the control, as in `control_key`.
    value : any
        Value at the last run of the page, or in the opened scene.
    **default
        The control's parameter for its default, if its name is not ``value``.

    Returns
    -------
    dict
        ``key``, ``on_change`` and the default.
    """
    key = control_key(name)
    st.session_state.setdefault(key, value)
    return {"key": key, "on_change": note_change, **(default or {"value": value})}
