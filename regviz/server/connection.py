"""Filter and rate limit of the messages between a browser and Streamlit.

Streamlit also answers messages that this page never sends: requests for the operator's repository,
commands that clear all caches or install files. Only the kinds in `TOKENS` are passed on.
"""

import asyncio
import time
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from regviz.scenes.link import MAX_READ_CHARS, STREAMLITS_OWN, TOO_LONG

MALFORMED, UNSUPPORTED, REFUSED, TOO_BIG = 1002, 1003, 1008, 1009  # as in RFC 6455

# Price of a message by its kind, in tokens of the connection's token bucket; its length is charged
# besides. Messages of other kinds are dropped.
TOKENS = {
    "rerun_script": 1,
    "stop_script": 1,
    "app_heartbeat": 1,
    "file_urls_request": 1,
    "deferred_file": 10,  # the page creates a file for download
}
KIND: Final = "type"  # oneof of the kinds of `BackMsg`
OPERATION = "backend_operation_request"  # the kind that requests an operation
OPERATION_KIND: Final = "payload"  # oneof of the kinds of operations
# prefixes of the ids of widgets, and of the events of components
WIDGET_PREFIXES = ("$$ID-", "$$STREAMLIT_INTERNAL_KEY_$$ID-")
BYTES_PER_TOKEN = 10_000
TOKENS_PER_SECOND, MAX_TOKENS = 20.0, 60.0  # refill rate and capacity of the token bucket
MAX_WIDGETS = 1000  # in a rerun message
MAX_LINK_BYTES = 5_000_000  # of a message with a link: browsers allow 2 MB, and send it twice
MAX_PARSED = 2_000  # characters parsed at each end of a longer link, for Streamlit's own `embed`
MAX_NAMES = 16  # file names in a request of upload URLs


class Connection:
    """ASGI channels of a WebSocket, with messages filtered and rate limited.

    Parameters
    ----------
    receive, send : callable
        The server's ASGI channels.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._closed = False
        self._tokens, self._last = MAX_TOKENS, time.monotonic()

    async def send(self, message: Message) -> None:
        """Send a message of Streamlit's, redacted; drop it once the connection is closed.

        Streamlit logs an OSError of `send` as a failure, and learns of the end by `receive`.
        """
        if message["type"] == "websocket.send":
            message = {**message, "bytes": _redacted(message.get("bytes") or b"")}
        if not self._closed:
            try:
                await self._send(message)
            except OSError:
                self._closed = True

    async def receive(self) -> Message:
        """Return the next message that is allowed."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            received = message.get("bytes")
            data = _without_long_link(received)
            code, cost = _check(data)
            if received is not None and data is not received:
                message, cost = {**message, "bytes": data}, cost + len(received) / BYTES_PER_TOKEN
            if code:
                self._closed = True
                await self._send({"type": "websocket.close", "code": code})
                return {"type": "websocket.disconnect", "code": code}
            await self._wait(cost or 1)
            if cost:
                return message

    async def _wait(self, cost: float) -> None:
        """Take `cost` tokens, and sleep until the bucket has been refilled if they exceed it."""
        now = time.monotonic()
        self._tokens = min(MAX_TOKENS, self._tokens + (now - self._last) * TOKENS_PER_SECOND) - cost
        self._last = now
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / TOKENS_PER_SECOND)


def _without_long_link(data: bytes | None) -> bytes | None:
    """Return a message whose link exceeds `MAX_READ_CHARS` with the link's length in its place.

    The page then shows that the link is too long. Without this, a message of over 1 MB would end
    the connection (`TOO_BIG`), and the browser would connect and send it again. Only the ends of
    the link are parsed: parsing 5 MB took the event loop 2.85 s.
    """
    if data is None or not MAX_READ_CHARS < len(data) <= MAX_LINK_BYTES:
        return data
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return data
    rerun = message.rerun_script
    query = rerun.query_string
    if len(query) <= MAX_READ_CHARS:
        return data
    # the parameter at each cut is incomplete
    ends = query[:MAX_PARSED].rpartition("&")[0], query[-MAX_PARSED:].partition("&")[2]
    own = [pair for end in ends for pair in parse_qsl(end) if pair[0] in STREAMLITS_OWN]
    rerun.query_string = urlencode([(TOO_LONG, str(len(query))), *own[:4]])
    rerun.context_info.url = rerun.context_info.url.partition("?")[0]
    shortened: bytes = message.SerializeToString()
    return shortened


def _check(data: bytes | None) -> tuple[int, float]:
    """Return a message's WebSocket close code and its price in tokens.

    The code is 0 if the connection may stay open, and the price 0 if the message is to be dropped.
    """
    if data is None:
        return UNSUPPORTED, 0  # a text message: Streamlit's are binary
    if len(data) > st.get_option("server.maxWidgetStateSize") * 1_000_000:
        return TOO_BIG, 0
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return MALFORMED, 0
    kind: str | None = message.WhichOneof(KIND)
    if kind == OPERATION:
        kind = message.backend_operation_request.WhichOneof(OPERATION_KIND)
    widgets = message.rerun_script.widget_states.widgets
    if (
        len(widgets) > MAX_WIDGETS
        or not all(widget.id.startswith(WIDGET_PREFIXES) for widget in widgets)
        or len(message.file_urls_request.file_names) > MAX_NAMES
    ):
        return REFUSED, 0
    return 0, TOKENS[kind] + len(data) / BYTES_PER_TOKEN if kind in TOKENS else 0


def _redacted(data: bytes) -> bytes:
    """Remove the script's folder, the operating system and the user from Streamlit's message.

    Messages of all sizes are parsed: 1 MB takes 0.02 ms if it is bytes, and 0.4 ms if it is text.
    """
    message = ForwardMsg.FromString(data)
    if not message.HasField("new_session"):
        return data
    session = message.new_session
    session.main_script_path = Path(session.main_script_path).name
    session.initialize.environment_info.python_version = ""
    session.initialize.environment_info.server_os = ""
    session.initialize.user_info.Clear()
    redacted: bytes = message.SerializeToString()
    return redacted
