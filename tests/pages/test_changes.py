"""Tests of control changes that arrive with a fragment's message."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import DoubleArray
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from devtools.serving import RawVisitor, Server, serve


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server")) as server:
        yield server


def widgets_of(messages: list[ForwardMsg]) -> dict[str, str]:
    """Return the ids of the page's widgets by label."""
    found = {}
    for message in messages:
        element, block = message.delta.new_element, message.delta.add_block
        for proto in (element.slider, element.checkbox, block.popover):
            found[proto.label] = proto.id
    return found


def board_of(messages: list[ForwardMsg]) -> tuple[str, str]:
    """Return the ids of the board's widget and of its fragment."""
    (found,) = (
        (message.delta.new_element.bidi_component.id, message.delta.fragment_id)
        for message in messages
        if message.delta.new_element.bidi_component.component_name == "regviz_board"
    )
    return found


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Noise", {"double_array_value": DoubleArray(data=[0.5])}),
        ("Dropout", {"bool_value": False}),
        ("Share", {"bool_value": True}),
    ],
)
def test_a_widget_that_moves_with_a_fragments_message_is_not_overlooked(
    server: Server, label: str, value: dict[str, Any]
):
    with RawVisitor(server) as visitor:
        drawn = visitor.rerun("v=2&epochs=20&hidden=2")
        board, fragment = board_of(drawn)
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        states = message.rerun_script.widget_states.widgets
        states.add(id=board, json_value="{}")
        states.add(id=widgets_of(drawn)[label], **value)
        visitor.send(message)
        # a run of the whole page follows
        visitor.receive_until(
            lambda each: (
                each.WhichOneof("type") == "new_session" and not each.metadata.run.fragment_ids
            )
        )


def test_a_fragments_message_alone_runs_the_fragment_alone(server: Server):
    with RawVisitor(server) as visitor:
        board, fragment = board_of(visitor.rerun("v=2&epochs=20&hidden=2"))
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.add(id=board, json_value="{}")
        received = visitor.send_and_receive(message)
        assert received[-1].script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
