"""Send a value that the page has set until the browser reports the widget.

Fault: Streamlit sends a value that was set through `st.session_state` with one run only
(``RegisterWidgetResult.value_changed``). A browser whose code for the widget is still on the way
draws it only after the next run, at its default, and reports the default as its value: all switches
would be off. With the patch, a visitor who moves a widget between its first picture and the next
message may find it moved back.

Mended when a page that runs twice before its browser has loaded the code of a toggle shows the
toggle as `st.session_state` has it: `test_controls_stand_as_the_link_says_however_late_their_code`
in `tests/browser/test_slow_line.py`.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

TOUCHES = {
    "streamlit.runtime.state.session_state:SessionState.set_widgets_from_proto": (
        "self",
        "widget_states",
    ),
    "streamlit.runtime.state.session_state:SessionState.register_widget": (
        "self",
        "metadata",
        "user_key",
    ),
    "streamlit.runtime.state.session_state:SessionState.__setitem__": ("self", "user_key", "value"),
    "streamlit.runtime.state.common:RegisterWidgetResult().value": None,
    "streamlit.runtime.state.common:RegisterWidgetResult().value_changed": None,
    "streamlit.runtime.state.common:WidgetMetadata().deserializer": None,
}
REPORTED = "reported_widgets"  # session's key of the ids of the widgets in the last message


def apply() -> None:
    """Replace `SessionState.set_widgets_from_proto` and `SessionState.register_widget`."""
    from streamlit.runtime.state.session_state import SessionState

    SessionState.set_widgets_from_proto = _noting(  # type: ignore[method-assign]
        SessionState.set_widgets_from_proto
    )
    SessionState.register_widget = _repeating(SessionState.register_widget)  # type: ignore[method-assign]


def _noting(read: Callable[[Any, Any], None]) -> Any:
    @functools.wraps(read)
    def note(state: Any, widget_states: Any) -> None:
        read(state, widget_states)
        state[REPORTED] = frozenset(widget.id for widget in widget_states.widgets)

    return note


def _repeating(register: Callable[[Any, Any, str | None], Any]) -> Any:
    @functools.wraps(register)
    def repeat(state: Any, metadata: Any, user_key: str | None) -> Any:
        found = register(state, metadata, user_key)
        reported = REPORTED in state and metadata.id in state[REPORTED]
        if reported or found.value == metadata.deserializer(None):
            return found
        return replace(found, value_changed=True)

    return repeat
