"""What is on its way to a browser when a fragment begins to run."""

from collections.abc import Callable
from typing import Any

from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

SOON = 0.005  # seconds between two looks whether a run has told its end


def send_whole_runs() -> None:
    """Let a fragment's run drop nothing that is on its way to the browser.

    When a fragment begins to run, Streamlit drops what its last run has drawn and is not sent yet:

    - but not what fragments within it have drawn. Their positions count from its own elements, and
      a browser that gets one without the elements before it fails as a whole ("Bad delta path");
    - but not the news that the page's run has ended. A browser takes what a run that has ended did
      not draw for gone: the board would vanish, and appear again without what its visitor has done
      to it.

    Here all of it is sent, in the order it was drawn. A run of the page still drops what was drawn
    before it, as it draws everything anew.

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
        if fragment_ids_this_run:
            queue._delta_index_map = {}  # what comes now comes after it, and replaces nothing
        else:
            clear(queue, retain_lifecycle_msgs)

    cleared.keeps = True  # type: ignore[attr-defined]
    return cleared


def _waiting(begin: Callable[[AppSession, RerunData], None]) -> Any:
    """What comes while a run has ended and not told so begins after it, in the order it came in."""

    def begin_in_turn(session: AppSession, asked: RerunData) -> None:
        waiting: list[RerunData] = session.__dict__.setdefault("_regviz_waiting", [])
        if not asked.fragment_id:
            waiting.clear()  # the page draws all of its fragments anew
            begin(session, asked)
            return
        waiting.append(asked)
        begin_all(session, waiting)

    def begin_all(session: AppSession, waiting: list[RerunData]) -> None:
        if session._state == AppSessionState.SHUTDOWN_REQUESTED:
            waiting.clear()
        elif session._scriptrunner is not None and waiting:
            session._event_loop.call_later(SOON, begin_all, session, waiting)
        else:
            there = [each for each in waiting if session.has_fragment(str(each.fragment_id))]
            waiting.clear()
            for asked in there:
                if session._scriptrunner is None:
                    begin(session, asked)
                else:
                    session._scriptrunner.request_rerun(asked)

    return begin_in_turn
