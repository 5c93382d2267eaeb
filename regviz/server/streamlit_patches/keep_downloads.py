"""Keep a download that was made at a click for at least a minute.

Fault: Streamlit makes the file of a download button with a callable at the click, and counts it as
used by no session. The ends of the next two runs delete it, those of other visitors included, often
before the browser has asked for it: the download fails with status 404.

Fixed when a file made by `MediaFileManager.execute_deferred` outlives the runs that end before the
browser asks for it.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

SECONDS_KEPT = 60  # browsers ask for the file as soon as they have its address
MAX_KEPT = 64  # clicks, of which the latest count: the files are in memory

_MANAGER = "streamlit.runtime.media_file_manager:MediaFileManager"
TOUCHES = {
    f"{_MANAGER}.execute_deferred": ("self", "file_id"),
    f"{_MANAGER}.remove_orphaned_files": ("self",),
    f"{_MANAGER}()._file_metadata": None,
    f"{_MANAGER}()._files_by_session_and_coord": None,
    f"{_MANAGER}()._lock": None,
}
_CLICKS = "clicks on download buttons"  # where the manager has the ID of a session


def apply() -> None:
    """Replace `execute_deferred` and `remove_orphaned_files` of `MediaFileManager`."""
    from streamlit.runtime.media_file_manager import MediaFileManager as Manager

    Manager.execute_deferred = _keeping(Manager.execute_deferred)  # type: ignore[method-assign]
    Manager.remove_orphaned_files = _dropping(  # type: ignore[method-assign]
        Manager.remove_orphaned_files
    )


def _keeping(execute: Callable[[Any, str], str]) -> Any:
    @functools.wraps(execute)
    def execute_deferred(manager: Any, file_id: str) -> str:
        url = execute(manager, file_id)
        # the storage's address ends with the file's id and a suffix; another one is left as it is
        made = url.rpartition("/")[2].partition(".")[0]
        with manager._lock:
            if made in manager._file_metadata:
                # no session has this ID, so that no session's run or end drops the file
                clicks = manager._files_by_session_and_coord[_CLICKS]
                clicks[time.monotonic(), made] = made
                for click in [*clicks][:-MAX_KEPT]:
                    del clicks[click]
        return url

    return execute_deferred


def _dropping(remove: Callable[[Any], None]) -> Any:
    @functools.wraps(remove)
    def remove_orphaned_files(manager: Any) -> None:
        oldest = time.monotonic() - SECONDS_KEPT
        with manager._lock:
            clicks = manager._files_by_session_and_coord[_CLICKS]
            for click in [click for click in clicks if click[0] < oldest]:
                del clicks[click]
        remove(manager)

    return remove_orphaned_files
