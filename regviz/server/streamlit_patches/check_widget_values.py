"""Validate the values that browsers send for widgets, and replace wrong ones by the default.

Fault: Streamlit passes a value from a browser's message to the widget's deserializer without a
check of its type, and a component's JSON without a check of its structure. A forged value then
raises an error in Streamlit's code or in the page's.

Fixed when a message with a `bool_value` for a slider, or with a component's `json_value` of
``"1"``, leaves the widget at its default:
`test_a_value_that_a_widget_cannot_have_is_replaced_by_its_default` in
`tests/server/test_streamlit_patches.py` passes without `apply`.
"""

import functools
import json
import logging
from collections.abc import Callable
from typing import Any

TOUCHES = {
    "streamlit.runtime.state.session_state:WStates.__getitem__": ("self", "k"),
    "streamlit.runtime.state.session_state:WStates.set_from_value": ("self", "k", "v"),
    "streamlit.runtime.state.session_state:WStates().states": None,
    "streamlit.runtime.state.session_state:WStates().widget_metadata": None,
    "streamlit.runtime.state.session_state:Serialized().value": None,
    "streamlit.runtime.state.common:WidgetMetadata().value_type": None,
    "streamlit.runtime.state.common:WidgetMetadata().deserializer": None,
}
NUMBERS = ("double_value", "int_value")

_logger = logging.getLogger("regviz.widgets")


def apply() -> None:
    """Replace `WStates.__getitem__`."""
    from streamlit.runtime.state.session_state import WStates

    WStates.__getitem__ = _checked(WStates.__getitem__)  # type: ignore[method-assign]


def _checked(read: Callable[[Any, str], Any]) -> Any:
    from streamlit.runtime.state.session_state import Serialized

    @functools.wraps(read)
    def get(states: Any, key: str) -> Any:
        state, widget = states.states.get(key), states.widget_metadata.get(key)
        if not isinstance(state, Serialized) or widget is None:
            return read(states, key)
        try:
            _check(state.value, widget.value_type)
            return read(states, key)
        except Exception as error:
            _logger.debug("ignored a value that %s cannot have: %s", key, type(error).__name__)
            states.set_from_value(key, widget.deserializer(None))
            return read(states, key)

    return get


def _check(state: Any, expected: str) -> None:
    """Raise an error if a value has another type than its widget, or is malformed JSON.

    Parameters
    ----------
    state : WidgetState
        The browser's protobuf message.
    expected : str
        Name of the field of `WidgetState` that holds values of the widget's type.

    Raises
    ------
    ValueError, RecursionError
    """
    kind = state.WhichOneof("value")
    if kind not in (None, expected) and not (kind in NUMBERS and expected in NUMBERS):
        raise ValueError(f"the value must be {expected}, got {kind}")
    if kind in ("json_value", "json_trigger_value"):
        value = json.loads(getattr(state, kind))
        if not isinstance(value, dict | list | None):
            raise ValueError(f"the value must be an object, got {type(value).__name__}")
