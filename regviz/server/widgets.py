"""Check the widget values that browsers send, and read each message in one run of the page."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import RegisterWidgetResult, WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import Serialized, SessionState, WStates

_logger = logging.getLogger("regviz.widgets")
NUMBERS = ("double_value", "int_value")
SHOWN = "shown_widgets"  # kept in a session: those of which its browser said last where they stand
# kept in a session: the value with which each widget outside of the fragments was drawn, by its id
DRAWN = "drawn_widgets"
TRIGGERS = ("trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value")
_locks = tuple(threading.RLock() for _ in range(1024))


def validate_widget_values() -> None:
    """Change how Streamlit reads widgets, in four ways.

    Streamlit takes any value of any kind, and fails wherever that is used, in its code or in ours.
    Here a widget that is said to stand where it cannot stands where it did when it appeared.

    Streamlit gives each run of a session's page a lock of its own, so that one that is being given
    up and the next may change the session at once. Here they share one.

    Streamlit tells a browser once that a widget stands elsewhere than where it would by itself. A
    browser that draws it only after the page has run again, as its code was on the way, never hears
    of it, and says later that it stands there: all switches would be off. Here it is told again
    until it says where the widget stands. Who moves a widget in the moment between, from its first
    picture to the next message, may find it moved back.

    Streamlit does not say whether a message that runs a fragment also moves a widget elsewhere.
    Here it is noted with which values the page has drawn its widgets, for `moved`.
    """
    if hasattr(WStates.__getitem__, "distrusts"):
        return
    WStates.__getitem__ = _distrusting(WStates.__getitem__)  # type: ignore[method-assign]
    SafeSessionState.__init__ = _sharing(SafeSessionState.__init__)  # type: ignore[method-assign]
    SessionState.set_widgets_from_proto = _noting(SessionState.set_widgets_from_proto)  # type: ignore[method-assign]
    SessionState.register_widget = _telling(SessionState.register_widget)  # type: ignore[method-assign]


def begin_page() -> None:
    """Forget what the page has drawn, as it draws everything anew."""
    st.session_state[DRAWN] = {}


def moved() -> bool:
    """Return whether a widget outside of the fragments has moved since the page drew it.

    A browser may send a widget's change together with a fragment's own message, and Streamlit then
    runs the fragment alone. A widget that is no longer there has not moved.
    """
    context = get_script_run_ctx()
    if context is None or DRAWN not in context.session_state:
        return False
    state = context.session_state
    drawn: dict[str, Any] = state[DRAWN]
    return any(name in state and state[name] != value for name, value in drawn.items())


def _distrusting(read: Callable[[WStates, str], Any]) -> Any:
    def get(states: WStates, key: str) -> Any:
        said, widget = states.states.get(key), states.widget_metadata.get(key)
        if not isinstance(said, Serialized) or widget is None:
            return read(states, key)
        try:
            _check(said.value, widget)
            return read(states, key)
        except Exception as error:
            _logger.debug("passed over what %s cannot be set to: %s", key, type(error).__name__)
            states.set_from_value(key, widget.deserializer(None))
            return read(states, key)

    get.distrusts = True  # type: ignore[attr-defined]
    return get


def _check(said: WidgetState, widget: WidgetMetadata[Any]) -> None:
    """Raise ValueError or RecursionError if a widget cannot have such a value."""
    kind, known = said.WhichOneof("value"), widget.value_type
    if kind not in (None, known) and not (kind in NUMBERS and known in NUMBERS):
        raise ValueError(f"the value must be {known}, got {kind}")
    if kind in ("json_value", "json_trigger_value"):
        value = json.loads(getattr(said, kind))
        if not isinstance(value, dict | list | None):
            raise ValueError(f"the value must be an object, got {type(value).__name__}")


def _sharing(begin: Callable[..., None]) -> Any:
    def init(
        safe: SafeSessionState, state: SessionState, yield_callback: Callable[[], None]
    ) -> None:
        begin(safe, state, yield_callback)
        # a few sessions may share a lock, which is held for moments
        object.__setattr__(safe, "_lock", _locks[id(state) // 16 % len(_locks)])

    return init


def _noting(read: Callable[[SessionState, WidgetStates], None]) -> Any:
    def note(state: SessionState, said: WidgetStates) -> None:
        read(state, said)
        state[SHOWN] = frozenset(widget.id for widget in said.widgets)

    return note


def _telling(
    register: Callable[[SessionState, WidgetMetadata[Any], str | None], RegisterWidgetResult[Any]],
) -> Any:
    def tell(
        state: SessionState, widget: WidgetMetadata[Any], key: str | None
    ) -> RegisterWidgetResult[Any]:
        found = register(state, widget, key)
        if widget.fragment_id is None and DRAWN in state:
            # a trigger, such as a button, returns to its default by itself
            resets = widget.value_type in TRIGGERS
            state[DRAWN][widget.id] = widget.deserializer(None) if resets else state[widget.id]
        shown = SHOWN in state and widget.id in state[SHOWN]
        if shown or found.value == widget.deserializer(None):
            return found
        return replace(found, value_changed=True)

    return tell
