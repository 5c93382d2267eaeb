"""Keep a download that was made at a click until the next run of its page.

Fault: Streamlit makes the file of a download button with a callable at the click, and counts it as
used by no session. The ends of the next two runs delete it, those of other visitors included, often
before the browser has asked for it: the download fails with status 404.

Fixed when `MediaFileManager.execute_deferred` counts the file as used by the session.
"""

import functools
from collections.abc import Callable
from typing import Any

_MANAGER = "streamlit.runtime.media_file_manager:MediaFileManager"
TOUCHES = {
    f"{_MANAGER}.execute_deferred": ("self", "file_id"),
    f"{_MANAGER}()._deferred_callables": None,
    f"{_MANAGER}()._file_metadata": None,
    f"{_MANAGER}()._files_by_session_and_coord": None,
    f"{_MANAGER}()._lock": None,
}


def apply() -> None:
    """Replace `MediaFileManager.execute_deferred`."""
    from streamlit.runtime.media_file_manager import MediaFileManager

    MediaFileManager.execute_deferred = _keeping(  # type: ignore[method-assign]
        MediaFileManager.execute_deferred
    )


def _keeping(execute: Callable[[Any, str], str]) -> Any:
    @functools.wraps(execute)
    def execute_deferred(manager: Any, file_id: str) -> str:
        url = execute(manager, file_id)
        # the storage's address ends with the file's id and a suffix; another one is left as it is
        made = url.rpartition("/")[2].partition(".")[0]
        with manager._lock:
            button = manager._deferred_callables.get(file_id)
            if button is not None and made in manager._file_metadata:
                of_session = manager._files_by_session_and_coord[button["session_id"]]
                of_session[f"{button['coordinates']} download"] = made
        return url

    return execute_deferred
