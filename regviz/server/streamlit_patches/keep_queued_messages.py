"""Send everything that is queued for a browser when a fragment's run begins.

Fault: when a fragment's run begins, `ForwardMsgQueue.clear` drops messages of its last run that are
not sent yet:

- but not those of fragments within it. Their positions count from the outer fragment's elements,
  and a browser that gets one without the elements before it fails ("Bad delta path");
- and not the message that the page's run has ended. A browser that gets it removes the elements
  that it has not received: the board would vanish, and appear again without its visitor's changes.

With the patch all messages are sent in their order. A run of the whole page still drops what was
queued before it, as it draws everything anew.

Mended when `ForwardMsgQueue.clear` with `fragment_ids_this_run` keeps the queue as it is: the first
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
            queue._delta_index_map = {}  # later messages are appended, and replace none of these
        else:
            clear(queue, retain_lifecycle_msgs)

    return cleared
