"""Keep the queued messages of a session when a fragment's run begins.

Fault: when a fragment's run begins, `ForwardMsgQueue.clear` drops the unsent messages of the
fragment's last run, but keeps two kinds that depend on them:

- Messages of nested fragments. Their positions are relative to the outer fragment's elements, and
  the browser raises "Bad delta path" without these.
- The message ``script_finished``. The browser then removes all elements that it has not received
  in this run: the board disappears, and starts again without the visitor's changes.

With the patch all messages are sent in order. A run of the whole page still clears the queue, as it
draws every element again.

Fixed when `ForwardMsgQueue.clear` with `fragment_ids_this_run` keeps the queue as it is: the first
two tests of `tests/server/test_message_order.py` pass without `apply`.
"""

import functools
from typing import Any

TOUCHES = {
    "streamlit.runtime.forward_msg_queue:ForwardMsgQueue.clear": (
        "self",
        "retain_lifecycle_msgs",
        "fragment_ids_this_run",
    ),
    "streamlit.runtime.forward_msg_queue:ForwardMsgQueue()._delta_index_map": None,
}


def apply() -> None:
    """Replace `ForwardMsgQueue.clear`."""
    from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

    ForwardMsgQueue.clear = _keeping(ForwardMsgQueue.clear)  # type: ignore[method-assign]


def _keeping(clear: Any) -> Any:
    @functools.wraps(clear)
    def cleared(
        queue: Any,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        if fragment_ids_this_run:
            queue._delta_index_map = {}  # later messages do not replace queued ones
        else:
            clear(queue, retain_lifecycle_msgs)

    return cleared
