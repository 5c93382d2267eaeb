"""A browser is told where a widget stands until it says so itself."""

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.state.common import RegisterWidgetResult, WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState, WStates

from regviz.server.widgets import distrust

ID = "$$ID-0-switch"
SWITCH = WidgetMetadata(ID, lambda value: bool(value), lambda value: value, "bool_value")


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> SessionState:
    """Of a session whose switch the page has set, once."""
    for kind, name in (
        (WStates, "__getitem__"),
        (SafeSessionState, "__init__"),
        (SessionState, "set_widgets_from_proto"),
        (SessionState, "register_widget"),
    ):
        monkeypatch.setattr(kind, name, getattr(kind, name))
    distrust()
    state = SessionState()
    state["switch"] = True
    assert drawn(state) == RegisterWidgetResult(True, True)
    return state


def drawn(state: SessionState) -> RegisterWidgetResult[bool]:
    return state.register_widget(SWITCH, "switch")


def said(**where: bool) -> WidgetStates:
    """What a browser says with its next message."""
    message = WidgetStates()
    for name, value in where.items():
        message.widgets.add(id=f"$$ID-0-{name}", bool_value=value)
    return message


def test_it_is_told_again_while_it_says_nothing_of_the_widget(state: SessionState):
    for _ in range(2):
        state.on_script_will_rerun(said(other=False))
        assert drawn(state) == RegisterWidgetResult(True, True)


@pytest.mark.parametrize("value", [True, False])
def test_it_is_told_nothing_once_it_says_where_the_widget_stands(state: SessionState, value: bool):
    state.on_script_will_rerun(said(switch=value))
    assert drawn(state) == RegisterWidgetResult(value, False)
    state.on_script_will_rerun(None)  # the page has itself run again
    assert drawn(state) == RegisterWidgetResult(value, False)


def test_it_is_told_nothing_of_what_stands_where_it_would_by_itself(state: SessionState):
    state["switch"] = False
    drawn(state)
    state.on_script_will_rerun(said())
    assert drawn(state) == RegisterWidgetResult(False, False)
