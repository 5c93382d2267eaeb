"""Keep only the last `MAX_FILES` uploads of a session.

Fault: Streamlit bounds the size of each upload but not their number. It keeps a file until the
session ends, or a run of the page has drawn the uploader without it.

Fixed when Streamlit has a setting for the number of a session's uploads or their total size.
"""

import functools
from collections.abc import Callable
from typing import Any

TOUCHES = {
    "streamlit.runtime.memory_uploaded_file_manager:MemoryUploadedFileManager.add_file": (
        "self",
        "session_id",
        "file",
    ),
    "streamlit.runtime.memory_uploaded_file_manager:MemoryUploadedFileManager.remove_file": (
        "self",
        "session_id",
        "file_id",
    ),
    "streamlit.runtime.memory_uploaded_file_manager:MemoryUploadedFileManager().file_storage": None,
}
MAX_FILES = 8  # uploads of a session; a further one replaces the oldest


def apply() -> None:
    """Replace `MemoryUploadedFileManager.add_file`."""
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    MemoryUploadedFileManager.add_file = _limiting(  # type: ignore[method-assign]
        MemoryUploadedFileManager.add_file
    )


def _limiting(add: Callable[[Any, str, Any], None]) -> Any:
    @functools.wraps(add)
    def add_file(manager: Any, session_id: str, file: Any) -> None:
        add(manager, session_id, file)
        for oldest in list(manager.file_storage.get(session_id, ()))[:-MAX_FILES]:
            manager.remove_file(session_id, oldest)

    return add_file
