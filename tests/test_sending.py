"""What a run of the page has drawn reaches the browser, also if a fragment runs right after it."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from regviz.server.sending import FINISHED, send_whole_runs

EARLY = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)
    send_whole_runs()


def drawn(text: str, fragment: str = "") -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend([0, 1])
    message.delta.new_element.text.body = text
    message.delta.fragment_id = fragment
    return message


def queued(*messages: ForwardMsg) -> ForwardMsgQueue:
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    return queue


def test_a_fragment_drops_nothing_of_a_run_that_has_ended():
    messages = [drawn("board", "a"), ForwardMsg(script_finished=FINISHED)]
    queue = queued(*messages)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a"])
    queue.enqueue(drawn("later", "a"))
    assert queue.flush() == [*messages, drawn("later", "a")]


def test_of_its_own_runs_it_replaces_what_is_not_sent_yet():
    queue = queued(drawn("board", "a"), ForwardMsg(script_finished=EARLY))
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a"])
    assert queue.flush() == [ForwardMsg(script_finished=EARLY)]


@pytest.mark.parametrize("keep", [True, False])
def test_a_run_of_the_page_replaces_all(keep: bool):
    queue = queued(drawn("board", "a"), ForwardMsg(script_finished=FINISHED))
    queue.clear(retain_lifecycle_msgs=keep)
    assert queue.flush() == ([ForwardMsg(script_finished=EARLY)] if keep else [])
