"""Guard a session's state by one lock in all of its script runs.

Fault: `SafeSessionState` guards the session's state by a lock, but each run creates its own. When a
request interrupts a run, the old run continues until its next `st` call while the new one begins,
and both change the state concurrently ("dictionary changed size during iteration").

Fixed when `SafeSessionState.__init__` takes a lock, or two instances of one `SessionState` have
the same `_lock`.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

TOUCHES = {
    "streamlit.runtime.state.safe_session_state:SafeSessionState.__init__": (
        "self",
        "state",
        "yield_callback",
    ),
    "streamlit.runtime.state.safe_session_state:SafeSessionState()._lock": None,
}
# Lock striping: `SessionState` has `__slots__` and no hash, so it cannot hold or key a lock of its
# own. Sessions that share a lock block each other only during an access to their state.
_locks = tuple(threading.RLock() for _ in range(1024))


def apply() -> None:
    """Replace `SafeSessionState.__init__`."""
    from streamlit.runtime.state.safe_session_state import SafeSessionState

    SafeSessionState.__init__ = _sharing(SafeSessionState.__init__)  # type: ignore[method-assign]


def _sharing(begin: Callable[..., None]) -> Any:
    @functools.wraps(begin)
    def init(safe: Any, state: Any, yield_callback: Callable[[], None]) -> None:
        begin(safe, state, yield_callback)
        object.__setattr__(safe, "_lock", _locks[id(state) // 16 % len(_locks)])

    return init
