"""Tests of the order of messages when a fragment runs right after the page."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from regviz.server.streamlit_patches import keep_queued_messages, wait_for_run_end
from regviz.server.streamlit_patches.wait_for_run_end import POLL_SECONDS

FINISHED = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
EARLY = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN


@pytest.fixture(autouse=True)
def patches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)
    monkeypatch.setattr(AppSession, "_create_scriptrunner", AppSession._create_scriptrunner)
    keep_queued_messages.apply()
    wait_for_run_end.apply()


def element_message(text: str, fragment: str = "", path: tuple[int, ...] = (0, 1)) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.new_element.text.body = text
    message.delta.fragment_id = fragment
    return message


def queue_of(*messages: ForwardMsg) -> ForwardMsgQueue:
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    return queue


def test_a_fragment_drops_nothing_of_a_run_that_has_ended():
    messages = [element_message("board", "a"), ForwardMsg(script_finished=FINISHED)]
    queue = queue_of(*messages)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a"])
    queue.enqueue(element_message("later", "a"))
    assert queue.flush() == [*messages, element_message("later", "a")]


def test_a_fragment_drops_nothing_before_what_a_fragment_within_it_has_drawn():
    inner = element_message("bar", "b", (0, 3, 1))
    queue = queue_of(element_message("heading", "a", (0, 3, 0)), inner)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a"])
    queue.enqueue(element_message("heading", "a", (0, 3, 0)))
    # a browser fails at an element without its predecessors
    assert [each.metadata.delta_path[-1] for each in queue.flush()] == [0, 1, 0]


@pytest.mark.parametrize("keep", [True, False])
def test_a_run_of_the_page_replaces_all(keep: bool):
    queue = queue_of(element_message("board", "a"), ForwardMsg(script_finished=FINISHED))
    queue.clear(retain_lifecycle_msgs=keep)
    assert queue.flush() == ([ForwardMsg(script_finished=EARLY)] if keep else [])


class Runner:
    """A stub of Streamlit's script runner whose events are sent by the test."""

    def __init__(self, initial_rerun_data: RerunData, **_: Any) -> None:
        self.requests = ScriptRequests()
        self.request_rerun, self.request_stop = (
            self.requests.request_rerun,
            self.requests.request_stop,
        )
        self.on_event = self
        self.request_rerun(initial_rerun_data)

    def connect(self, listener: Any) -> None:
        self.emit = listener

    def start(self) -> None:
        pass

    def next_request(self) -> RerunData:
        """Return the data of the next run."""
        request = self.requests.on_scriptrunner_ready()
        assert request.type.value == "RERUN"
        return request.rerun_data

    def end(self) -> None:
        """Send the events of a run's end; the session handles them in its event loop."""
        self.emit(self, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, element_message("the page's last"))
        self.emit(self, ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS)
        assert self.requests.on_scriptrunner_ready().type.value == "STOP"
        self.emit(self, ScriptRunnerEvent.SHUTDOWN)


class Session(AppSession):
    """A session whose page has fragments."""

    def __init__(self) -> None:
        script = ScriptData(str(Path(__file__)), is_hello=False)
        super().__init__(script, MemoryUploadedFileManager(""), ScriptCache(), None, {})
        for fragment in ("a", "b"):
            self._fragment_storage.register(fragment, lambda: None)

    @property
    def runner(self) -> Any:
        return self._scriptrunner

    def texts(self) -> list[str]:
        """Return the texts queued for the browser."""
        queue = self._browser_queue._queue
        return [each.delta.new_element.text.body for each in queue if each.HasField("delta")]


@pytest.fixture
def runners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_session, "ScriptRunner", Runner)


def ended_session() -> Session:
    """Return a session that has not yet handled the end of the page's run."""
    session = Session()
    session.request_rerun(ClientState())
    session.runner.next_request()
    session.runner.end()
    return session


def rerun(session: Session, fragment: str, query: str) -> None:
    session.request_rerun(ClientState(fragment_id=fragment, query_string=query))


@pytest.mark.usefixtures("runners")
def test_a_fragment_asked_for_as_the_page_ends_waits_for_what_it_has_drawn():
    async def run_session() -> None:
        session = ended_session()
        page = session.runner
        rerun(session, "a", "")
        assert session.runner is page
        await asyncio.sleep(4 * POLL_SECONDS)
        assert session.texts() == ["the page's last"]
        assert session.runner is not page
        assert session.runner.next_request().fragment_id_queue == ["a"]

    asyncio.run(run_session())


@pytest.mark.usefixtures("runners")
def test_a_run_of_the_page_replaces_waiting_fragments():
    async def run_session() -> None:
        session = ended_session()
        rerun(session, "a", "seed=4")
        rerun(session, "", "seed=5")
        page = session.runner
        assert page.next_request().query_string == "seed=5"
        await asyncio.sleep(4 * POLL_SECONDS)
        assert session.runner is page
        page.end()  # no earlier request is run

    asyncio.run(run_session())


@pytest.mark.usefixtures("runners")
@pytest.mark.parametrize("session_is_told", [False, True])
def test_fragments_that_wait_begin_in_the_order_they_came_in(session_is_told: bool):
    async def run_session() -> None:
        session = ended_session()
        page = session.runner
        rerun(session, "a", "seed=4")
        if session_is_told:
            while session.runner is page:
                await asyncio.sleep(0)
        rerun(session, "b", "seed=5")
        await asyncio.sleep(4 * POLL_SECONDS)
        taken = session.runner.next_request()
        assert (taken.query_string, taken.fragment_id_queue) == ("seed=5", ["a", "b"])

    asyncio.run(run_session())


@pytest.mark.usefixtures("runners")
@pytest.mark.parametrize("gone", ["fragment", "visitor"])
def test_waiting_requests_end_with_their_fragment_and_their_session(gone: str):
    async def run_session() -> None:
        session = ended_session()
        rerun(session, "a", "")
        if gone == "fragment":
            session._fragment_storage.clear()
        else:
            session._state = AppSessionState.SHUTDOWN_REQUESTED
        session._scriptrunner = None
        await asyncio.sleep(4 * POLL_SECONDS)
        assert session.runner is None

    asyncio.run(run_session())
