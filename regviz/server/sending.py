"""What is on its way to a browser when a fragment begins to run."""

from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

FINISHED = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY


def send_whole_runs() -> None:
    """Let a fragment that runs right after the page drop nothing of what the page has drawn.

    Streamlit drops what is not sent yet of a fragment that runs anew, but not the news that the
    page's run has ended. A browser takes what a run that has ended did not draw for gone: the board
    would vanish, and appear again without what its visitor has done to it.
    """
    if hasattr(ForwardMsgQueue.clear, "keeps"):
        return
    ForwardMsgQueue.clear = _keeping(ForwardMsgQueue.clear)  # type: ignore[method-assign]


def _keeping(clear: Any) -> Any:
    def cleared(
        queue: ForwardMsgQueue,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        if fragment_ids_this_run and any(map(_ends_run, queue._queue)):
            queue._delta_index_map = {}  # what comes now comes after it, and replaces nothing
        else:
            clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)

    cleared.keeps = True  # type: ignore[attr-defined]
    return cleared


def _ends_run(message: ForwardMsg) -> bool:
    ended = message.WhichOneof("type") == "script_finished"
    return ended and message.script_finished == FINISHED
