"""What of the framework visitors reach, and how much at a time.

Streamlit serves more than this page needs: metrics, an interface for programs, the sources of
components, messages that ask for the operator's repository or install files. Whatever is not named
here is refused before it gets there, so what a later version adds is closed too.
"""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, net_util, runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.runtime_util import get_max_widget_state_size_bytes

from regviz.server.admission import STREAM

PLACES = ("/", "/favicon.png", "/_stcore/health", "/_stcore/host-config")
FOLDERS = ("/static/", "/assets/", "/media/")
UPLOADS = "/_stcore/upload_file/"
KEPT = 8  # uploads of a session; the oldest is let go for the next

OPENING = 10_000  # bytes: at most so long is the message that begins a run
# what a message of each kind takes of a connection's share; others are passed over
COST = {
    "rerun_script": 1,
    "stop_script": 1,
    "app_heartbeat": 1,
    "file_urls_request": 1,
    "deferred_file": 10,  # makes a file
}
RATE, BURST = 20.0, 60.0  # of these shares a second, and at first
WIDGETS = ("$$ID-", "$$STREAMLIT_INTERNAL_KEY_$$ID-")  # what their names begin with
MAX_NAMES = 16  # of files that are about to be uploaded


def ask_nobody() -> None:
    """Keep Streamlit from asking a server on the internet for this machine's address.

    It would whenever a page elsewhere tries to connect, and let all visitors wait meanwhile.
    """
    net_util.get_external_ip = lambda: None


class Gate:
    """ASGI middleware that lets through what the page needs.

    Parameters
    ----------
    app : ASGI application
        Streamlit's. Its ``server.baseUrlPath``, ``corsAllowedOrigins`` and ``enableCORS`` are
        heeded here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        base = config.get_option("server.baseUrlPath").strip("/")
        self.base = f"/{base}" if base else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _path(self, scope: Scope) -> str:
        """Of a request, below the address that the page is served at; empty if elsewhere."""
        path: str = scope["path"]
        if not path.startswith(self.base):
            return ""
        return path[len(self.base) :] or "/"

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._path(scope)
        upload = path.startswith(UPLOADS)
        if not upload and path not in PLACES and not path.startswith(FOLDERS):
            await PlainTextResponse("Not found.\n", 404)(scope, receive, send)
            return
        methods = ("PUT", "DELETE") if upload else ("GET", "HEAD")
        if scope["method"] not in methods:
            allowed = {"Allow": ", ".join(methods)}
            await PlainTextResponse("Not allowed.\n", 405, allowed)(scope, receive, send)
            return
        if path.startswith("/assets/"):
            scope = {**scope, "path": path}  # which Streamlit does not serve below its base
        await self.app(scope, receive, send)
        if upload:
            _let_go(path.removeprefix(UPLOADS).partition("/")[0])

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._path(scope) != STREAM or not _is_ours(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
            return
        connection = _Connection(receive, send)
        await self.app(scope, connection.receive, connection.send)


def _is_ours(headers: Headers) -> bool:
    """Whether a connection is opened by our own page, or by no page at all."""
    origin = headers.get("origin")
    if origin is None or not config.get_option("server.enableCORS"):
        return True
    try:
        place = urlsplit(origin).netloc
    except ValueError:
        return False
    others = {other.strip() for other in config.get_option("server.corsAllowedOrigins")}
    return (bool(place) and place == headers.get("host")) or origin in others


def _let_go(session: str) -> None:
    """Let a session's oldest uploads go."""
    manager = runtime.get_instance().uploaded_file_mgr
    if isinstance(manager, MemoryUploadedFileManager):
        for file in list(manager.file_storage.get(session, ()))[:-KEPT]:
            manager.remove_file(session, file)


class _Connection:
    """A visitor's WebSocket, with what comes from there weighed before Streamlit sees it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._closed = False
        self._share, self._last = BURST, time.monotonic()

    async def send(self, message: Message) -> None:
        """Pass on what Streamlit says, until the connection is closed."""
        if self._closed:
            raise OSError("the connection is closed")
        if message["type"] == "websocket.send":
            message = {**message, "bytes": _discreet(message.get("bytes") or b"")}
        await self._send(message)

    async def receive(self) -> Message:
        """Wait for the next message that may pass."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            code, cost = _weigh(message.get("bytes"))
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


def _weigh(data: bytes | None) -> tuple[int, float]:
    """The code to close a connection with, or 0; and what a message costs, 0 to pass it over."""
    if data is None:
        return 1003, 0  # text, which Streamlit does not speak
    if len(data) > get_max_widget_state_size_bytes():
        return 1009, 0
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return 1002, 0
    kind: str | None = message.WhichOneof("type")
    if kind == "backend_operation_request":
        kind = message.backend_operation_request.WhichOneof("payload")
    widgets = message.rerun_script.widget_states.widgets
    if not all(widget.id.startswith(WIDGETS) for widget in widgets):
        return 1008, 0
    if kind == "file_urls_request" and len(message.file_urls_request.file_names) > MAX_NAMES:
        return 1008, 0
    return 0, COST.get(kind or "", 0)


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
