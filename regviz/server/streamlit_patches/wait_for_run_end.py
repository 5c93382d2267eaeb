"""Start a fragment's run only after the session has handled the end of the run before it.

Fault: a run's thread posts its messages and its end as events to the event loop. If a fragment is
requested after the run has ended and before the event loop has handled these events,
`AppSession.request_rerun` creates a new `ScriptRunner`, and the session discards the pending events
of the old one: elements that it has drawn, and ``script_finished``.

Fixed when `AppSession` handles the events of a runner that is no longer its current one, or queues
the request: `test_a_fragment_asked_for_as_the_page_ends_waits_for_what_it_has_drawn` in
`tests/server/test_message_order.py` passes without `apply`. A comment in
`AppSession.request_rerun` describes the fault, with Streamlit's issue 9921.
"""

import functools
from collections.abc import Callable
from typing import Any

TOUCHES = {
    "streamlit.runtime.app_session:AppSession._create_scriptrunner": ("self", "initial_rerun_data"),
    "streamlit.runtime.app_session:AppSession.has_fragment": ("self", "fragment_id"),
    "streamlit.runtime.app_session:AppSession()._scriptrunner": None,
    "streamlit.runtime.app_session:AppSession()._event_loop": None,
    "streamlit.runtime.app_session:AppSession()._state": None,
    "streamlit.runtime.app_session:AppSessionState.SHUTDOWN_REQUESTED": None,
    "streamlit.runtime.scriptrunner:ScriptRunner.request_rerun": ("self", "rerun_data"),
    "streamlit.runtime.scriptrunner_utils.script_requests:RerunData().fragment_id": None,
}
POLL_SECONDS = 0.005  # interval of the checks whether the event loop has handled a run's end


def apply() -> None:
    """Replace `AppSession._create_scriptrunner`."""
    from streamlit.runtime.app_session import AppSession

    AppSession._create_scriptrunner = _waiting(  # type: ignore[method-assign]
        AppSession._create_scriptrunner
    )


def _waiting(begin: Callable[[Any, Any], None]) -> Any:
    """Return `begin` with a queue, from which fragments' runs begin in order after the last run."""
    from streamlit.runtime.app_session import AppSessionState

    @functools.wraps(begin)
    def begin_or_queue(session: Any, initial_rerun_data: Any) -> None:
        waiting: list[Any] = session.__dict__.setdefault("_regviz_waiting", [])
        if not initial_rerun_data.fragment_id:
            waiting.clear()  # a run of the whole page includes its fragments
            begin(session, initial_rerun_data)
            return
        waiting.append(initial_rerun_data)
        begin_all(session, waiting)

    def begin_all(session: Any, waiting: list[Any]) -> None:
        if session._state == AppSessionState.SHUTDOWN_REQUESTED:
            waiting.clear()
        elif session._scriptrunner is not None and waiting:
            session._event_loop.call_later(POLL_SECONDS, begin_all, session, waiting)
        else:
            requests = [each for each in waiting if session.has_fragment(str(each.fragment_id))]
            waiting.clear()
            for request in requests:
                if session._scriptrunner is None:
                    begin(session, request)
                else:
                    session._scriptrunner.request_rerun(request)

    return begin_or_queue
