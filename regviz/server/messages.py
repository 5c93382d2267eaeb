"""The fields of Streamlit's messages that the server reads, and a check that they exist.

`Connection` and `Admission` read the messages between a browser and Streamlit, whose format is not
documented. They keep visitors from sending developers' commands, so the server does not start if
the installed Streamlit has another format.
"""

from google.protobuf.descriptor import Descriptor  # type: ignore[import-untyped]
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.state import common, session_state

from regviz.server.connection import KIND, OPERATION, OPERATION_KIND, TOKENS, WIDGET_PREFIXES

FROM_BROWSERS = (
    "rerun_script.query_string",
    "rerun_script.context_info.url",
    "rerun_script.widget_states.widgets.id",
    "file_urls_request.file_names",
)
TO_BROWSERS = (
    "new_session.main_script_path",
    "new_session.initialize.session_id",
    "new_session.initialize.environment_info.python_version",
    "new_session.initialize.environment_info.server_os",
    "new_session.initialize.user_info",
)


def check_messages() -> None:
    """Raise an error unless Streamlit's messages have all fields that the server reads.

    Raises
    ------
    ValueError
        If a field or a kind of message is missing, or the ids of widgets have another prefix.
    """
    for message, paths in ((BackMsg, FROM_BROWSERS), (ForwardMsg, TO_BROWSERS)):
        for path in paths:
            if not _has(message.DESCRIPTOR, path):
                raise ValueError(f"Streamlit's {message.__name__} must have {path}")
    missing = TOKENS.keys() - _members(BackMsg.DESCRIPTOR, KIND) - _operations()
    if missing:
        raise ValueError(f"Streamlit's BackMsg must have {', '.join(sorted(missing))} in {KIND}")
    prefix = f"{getattr(common, 'GENERATED_ELEMENT_ID_PREFIX', None)}-"
    internal = getattr(session_state, "STREAMLIT_INTERNAL_KEY_PREFIX", None)
    if (found := (prefix, f"{internal}_{prefix}")) != WIDGET_PREFIXES:
        raise ValueError(f"Streamlit's widget ids must begin with {WIDGET_PREFIXES}, got {found}")


def _operations() -> set[str]:
    """Return the kinds of operations that a browser can request."""
    if OPERATION not in _members(BackMsg.DESCRIPTOR, KIND):
        return set()
    return _members(BackMsg.DESCRIPTOR.fields_by_name[OPERATION].message_type, OPERATION_KIND)


def _members(message: Descriptor, oneof: str) -> set[str]:
    """Return the names of the fields of a oneof; none if the message has no such oneof."""
    found = message.oneofs_by_name.get(oneof)
    return {field.name for field in found.fields} if found is not None else set()


def _has(message: Descriptor | None, path: str) -> bool:
    """Return whether a message has a field, given as a path of names separated by dots."""
    for name in path.split("."):
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return False
        message = field.message_type
    return True
