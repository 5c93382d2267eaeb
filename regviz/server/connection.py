"""What visitors and Streamlit say to each other, with what neither needs to hear held back.

Streamlit answers messages that this page never sends: they ask for the operator's repository, clear
everybody's caches, or install files. Only those that are named here are passed on.
"""

import asyncio
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from regviz.board.link import LONGEST_READ, STREAMLITS_OWN, TOO_LONG
from regviz.server.messages import WIDGET_PREFIXES

MALFORMED, UNSUPPORTED, REFUSED, TOO_BIG = 1002, 1003, 1008, 1009  # as in RFC 6455

# what a message of each kind takes of a connection's share, before its length; others are passed
# over
COST = {
    "rerun_script": 1,
    "stop_script": 1,
    "app_heartbeat": 1,
    "file_urls_request": 1,
    "deferred_file": 10,  # makes a file
}
SIZE = 10_000  # bytes that cost as much again
RATE, BURST = 20.0, 60.0  # what a connection may take a second, and at first
MAX_WIDGETS = 1000
MAX_SHORTENED = 5_000_000  # bytes: browsers' addresses have 2 MB, and are sent twice
MAX_PARSED = 2_000  # characters at each end of a longer link, to find `embed` in
MAX_NAMES = 16  # of files that are about to be uploaded
OPENING = 10_000  # bytes: at most so long is the message that begins a run


class Connection:
    """A visitor's WebSocket between the server and Streamlit.

    Parameters
    ----------
    receive, send : callable
        The server's.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._closed = False
        self._share, self._last = BURST, time.monotonic()

    async def send(self, message: Message) -> None:
        """Pass on what Streamlit says, for as long as anybody listens.

        That nobody does is told by `receive` alone: Streamlit takes it for a failure here.
        """
        if message["type"] == "websocket.send":
            message = {**message, "bytes": _discreet(message.get("bytes") or b"")}
        if not self._closed:
            try:
                await self._send(message)
            except OSError:
                self._closed = True

    async def receive(self) -> Message:
        """Wait for the next message that may pass."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            received = message.get("bytes")
            data = _shortened(received)
            code, cost = _weigh(data)
            if received is not None and data is not received:
                message, cost = {**message, "bytes": data}, cost + len(received) / SIZE
            if code:
                self._closed = True
                await self._send({"type": "websocket.close", "code": code})
                return {"type": "websocket.disconnect", "code": code}
            await self._wait(cost or 1)
            if cost:
                return message

    async def _wait(self, cost: float) -> None:
        """Let a connection that takes more than its share wait, and its visitor with it."""
        now = time.monotonic()
        self._share = min(BURST, self._share + (now - self._last) * RATE) - cost
        self._last = now
        if self._share < 0:
            await asyncio.sleep(-self._share / RATE)


def _shortened(data: bytes | None) -> bytes | None:
    """Return a message with a link that is longer than is read, with the link's length instead.

    The page says so then. As it is, the message would end the connection, again and again. The link
    is not parsed as a whole: 5 MB of it would take the event loop 2.85 s.
    """
    if data is None or not LONGEST_READ < len(data) <= MAX_SHORTENED:
        return data
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return data
    rerun = message.rerun_script
    query = rerun.query_string
    if len(query) <= LONGEST_READ:
        return data
    # without the parameters that are cut in two
    ends = query[:MAX_PARSED].rpartition("&")[0], query[-MAX_PARSED:].partition("&")[2]
    own = [pair for end in ends for pair in parse_qsl(end) if pair[0] in STREAMLITS_OWN]
    rerun.query_string = urlencode([(TOO_LONG, str(len(query))), *own[:4]])
    rerun.context_info.url = rerun.context_info.url.partition("?")[0]
    shortened: bytes = message.SerializeToString()
    return shortened


def _weigh(data: bytes | None) -> tuple[int, float]:
    """The code to close a connection with, or 0; and what a message costs, 0 to pass it over."""
    if data is None:
        return UNSUPPORTED, 0  # text, which Streamlit does not speak
    if len(data) > st.get_option("server.maxWidgetStateSize") * 1_000_000:
        return TOO_BIG, 0
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return MALFORMED, 0
    kind: str | None = message.WhichOneof("type")
    if kind == "backend_operation_request":
        kind = message.backend_operation_request.WhichOneof("payload")
    widgets = message.rerun_script.widget_states.widgets
    if (
        len(widgets) > MAX_WIDGETS
        or not all(widget.id.startswith(WIDGET_PREFIXES) for widget in widgets)
        or len(message.file_urls_request.file_names) > MAX_NAMES
    ):
        return REFUSED, 0
    return 0, COST[kind] + len(data) / SIZE if kind in COST else 0


def _discreet(data: bytes) -> bytes:
    """What Streamlit says, without where it runs: the script's path, system and installation."""
    if len(data) > OPENING:
        return data
    message = ForwardMsg.FromString(data)
    if not message.HasField("new_session"):
        return data
    session = message.new_session
    session.main_script_path = Path(session.main_script_path).name
    session.initialize.environment_info.python_version = ""
    session.initialize.environment_info.server_os = ""
    session.initialize.user_info.Clear()
    discreet: bytes = message.SerializeToString()
    return discreet
