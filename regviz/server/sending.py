"""What is on its way to a browser when a fragment begins to run."""

from collections.abc import Callable
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

FINISHED = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
SOON = 0.005  # seconds: an ended run's last messages are taken in after less


def send_whole_runs() -> None:
    """Let a fragment that runs right after the page drop nothing of what the page has drawn.

    Streamlit drops what is not sent yet of a fragment that runs anew, but not the news that the
    page's run has ended. A browser takes what a run that has ended did not draw for gone: the board
    would vanish, and appear again without what its visitor has done to it. Here it is sent.

    Streamlit passes over all that a run has drawn and that is not taken in yet, if a fragment is
    asked for in the instant in which that run ends. Here the fragment waits for that.
    """
    if hasattr(ForwardMsgQueue.clear, "keeps"):
        return
    ForwardMsgQueue.clear = _keeping(ForwardMsgQueue.clear)  # type: ignore[method-assign]
    AppSession._create_scriptrunner = _waiting(AppSession._create_scriptrunner)  # type: ignore[method-assign]


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


def _waiting(begin: Callable[[AppSession, RerunData], None]) -> Any:
    def begin_after_the_last(session: AppSession, asked: RerunData) -> None:
        # one that takes no more requests, and has not told its end yet
        if session._scriptrunner is not None and asked.fragment_id:
            session._event_loop.call_later(SOON, ask_again, session, asked)
        else:
            begin(session, asked)

    def ask_again(session: AppSession, asked: RerunData) -> None:
        leaving = session._state == AppSessionState.SHUTDOWN_REQUESTED
        if leaving or not session.has_fragment(str(asked.fragment_id)):
            return
        runner = session._scriptrunner
        if runner is None or not runner.request_rerun(asked):
            begin_after_the_last(session, asked)

    return begin_after_the_last
