"""Streamlit's session of a visitor, and whether a browser is connected to it."""

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def session_id() -> str:
    """Return the id of the session whose script runs in this thread; empty if there is none."""
    context = get_script_run_ctx()
    return "" if context is None else context.session_id


def is_history_navigation() -> bool:
    """Return whether this run is for a step back or forward in the browser's history."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def is_connected(session: str) -> bool:
    """Return whether a browser is connected to a session; True in `AppTest`."""
    return not runtime.exists() or runtime.get_instance().is_active_session(session)
