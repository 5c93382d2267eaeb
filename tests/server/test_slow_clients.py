"""Tests of clients that hold a connection and send or read little."""

import asyncio
import http.client
import importlib
import logging
import select
import socket
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h11
import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from devtools.serving import ROOT, RawVisitor, Server, serve
from regviz.server import logs, slow_clients
from regviz.server.assets import STREAMLIT
from regviz.server.slow_clients import (
    RESERVED_DESCRIPTORS,
    ConnectionLimiter,
    bound_connections,
    raise_descriptor_limit,
)
from tests.support.commands import python

DESCRIPTORS = 256
# a server with few descriptors and long time limits
FEW_DESCRIPTORS = f"""
import resource
import sys

resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
if "streamlit" in sys.orig_argv:
    from regviz.server import slow_clients

    slow_clients.HEADER_SECONDS = slow_clients.BODY_SECONDS = slow_clients.STALL_SECONDS = 3600
"""


@pytest.fixture(scope="module")
def lenient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with few descriptors, and time limits longer than the tests."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "sitecustomize.py").write_text(FEW_DESCRIPTORS)
    with serve(folder, PYTHONPATH=f"{folder}:{ROOT}") as server:
        yield server


def connect(server: Server, sent: bytes = b"") -> socket.socket:
    place = urlsplit(server.url)
    found = socket.create_connection((place.hostname, place.port), timeout=60)
    found.sendall(sent)
    return found


def is_healthy(server: Server) -> bool:
    with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=60) as answer:
        return answer.status == 200


def test_half_open_connections_keep_nobody_out_and_fill_no_log(lenient_server: Server):
    size = lenient_server.log.stat().st_size
    with ExitStack() as stack:
        for _ in range(4):
            for _ in range(DESCRIPTORS):
                half = connect(lenient_server, b"GET / HTTP/1.1\r\nX-")
                stack.callback(half.close)
            assert is_healthy(lenient_server)
        with RawVisitor(lenient_server) as visitor:
            assert visitor.rerun("v=2&epochs=20&hidden=2&methods=none")
    assert lenient_server.log.stat().st_size - size < 20_000


def test_a_connection_with_a_request_under_way_is_not_dropped_for_new_ones(lenient_server: Server):
    with RawVisitor(lenient_server) as visitor, ExitStack() as stack:
        assert visitor.rerun("v=2&epochs=20&hidden=2&methods=none")
        for _ in range(2 * DESCRIPTORS):
            stack.callback(connect(lenient_server, b"G").close)
        assert visitor.rerun("v=2&epochs=20&hidden=3&methods=none")


def test_clients_that_do_not_read_keep_nobody_out(lenient_server: Server):
    folder = STREAMLIT / "static" / "js"
    script = min((p for p in folder.iterdir() if p.stat().st_size > 200_000), key=size)
    request = f"GET /static/js/{script.name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    place = urlsplit(lenient_server.url)
    n_open, unanswered = 200, select.poll()
    with ExitStack() as stack:
        for _ in range(n_open):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.settimeout(60)
            one.connect((place.hostname, place.port))
            with suppress(OSError):  # already closed in favour of the next one
                one.sendall(200 * request)
            unanswered.register(one, select.POLLIN)
        deadline = time.monotonic() + 60
        while waiting := unanswered.poll(60_000):  # each connection has a response or is closed
            for number, _ in waiting:
                unanswered.unregister(number)
                n_open -= 1
            if not n_open:
                break
        # responses that fit into the system's buffers do not count as stalled
        while not is_healthy_now(lenient_server):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def size(path: Path) -> int:
    return path.stat().st_size


def is_healthy_now(server: Server) -> bool:
    try:
        return is_healthy(server)
    except (OSError, http.client.HTTPException):
        return False


# Timers, in a uvicorn server in this process with a clock that the tests set


HOUR = 3600  # seconds


class Clock(asyncio.SelectorEventLoop):
    """An event loop in which time can be skipped."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


@dataclass
class ClientAndServer:
    """A server that sends 20 MB to every client, and a client that has connected to it."""

    loop: Clock
    limiter: ConnectionLimiter
    connections: set[Any]
    client: socket.socket

    @property
    def connection(self) -> Any:
        (found,) = self.connections
        return found

    async def send(self, data: bytes) -> None:
        await self.loop.sock_sendall(self.client, data)

    async def read(self, n: int) -> bytes:
        """Receive `n` bytes."""
        received = bytearray()

        def is_enough() -> bool:
            with suppress(BlockingIOError):
                part = self.client.recv(n - len(received))
                assert part
                received.extend(part)
            return len(received) == n

        await wait_for(is_enough)
        return bytes(received)


async def large_response_app(scope: Any, receive: Any, send: Any) -> None:
    """Respond with 20 MB, or with the two bytes of the health check."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        body = b"ok" if scope["path"].endswith("health") else bytes(20_000_000)
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        for _ in range(20):
            await send({"type": "websocket.send", "bytes": bytes(1_000_000)})


@pytest.fixture
def run_with_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Callable[[ClientAndServer], Awaitable[None]]], None]:
    """Run a test with a server and a client; time limits are reached only by skipped time."""
    monkeypatch.setattr(slow_clients, "HEADER_SECONDS", HOUR)
    monkeypatch.setattr(slow_clients, "BODY_SECONDS", 2 * HOUR)
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", 3 * HOUR)
    for name in ("connection_made", "data_received", "connection_lost"):
        monkeypatch.setattr(H11Protocol, name, getattr(H11Protocol, name))
    limiter = ConnectionLimiter(100)
    bound_connections(limiter)

    async def serve_for(work: Callable[[ClientAndServer], Awaitable[None]], loop: Clock) -> None:
        config = uvicorn.Config(
            large_response_app,
            ws="websockets-sansio",
            ws_ping_interval=None,
            timeout_keep_alive=100 * HOUR,
            log_config=None,
        )
        config.load()
        state = ServerState()
        server = await loop.create_server(lambda: H11Protocol(config, state, {}), "127.0.0.1", 0)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.setblocking(False)
            await loop.sock_connect(client, server.sockets[0].getsockname())
            await wait_for(lambda: state.connections)
            await work(ClientAndServer(loop, limiter, state.connections, client))
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await wait_for(lambda: not state.connections and not state.tasks)

    def in_clock(work: Callable[[ClientAndServer], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=Clock) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, Clock)
            runner.run(serve_for(work, loop))

    return in_clock


async def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


HEAD = b"GET /_stcore/health HTTP/1.1\r\nHost: localhost\r\n"
UPLOAD = (
    b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"
)
DOWNLOAD = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MESSAGE = b"\x82\x81\0\0\0\0x"  # a WebSocket frame of one byte, with a mask of zeros


@pytest.mark.parametrize(
    ("sent", "answered"),
    [(b"", False), (b"GET / HT", False), (HEAD, False), (HEAD, True), (UPLOAD, False)],
    ids=["nothing", "line", "header", "second header", "body"],
)
def test_a_request_that_does_not_arrive_whole_ends_its_connection(
    run_with_clock: Callable, sent: bytes, answered: bool
):
    async def stall(pair: ClientAndServer) -> None:
        connection = pair.connection
        if answered:
            await pair.send(HEAD + b"\r\n")
            while not (await pair.read(1)).endswith(b"k"):
                pass
        await pair.send(sent)
        if sent:
            conn = connection.conn
            await wait_for(lambda: conn.trailing_data[0] or conn.their_state is h11.SEND_BODY)
        pair.loop.skipped += 2 * HOUR if sent is UPLOAD else HOUR
        assert (await pair.read(12)) == b"HTTP/1.1 408"
        await wait_for(lambda: connection not in pair.connections)

    run_with_clock(stall)


def test_a_websocket_that_sends_nothing_is_not_ended(run_with_clock: Callable):
    async def stay_silent(pair: ClientAndServer) -> None:
        await pair.send(UPGRADE)
        await wait_for(lambda: not isinstance(pair.connection, H11Protocol))
        connection = pair.connection
        pair.loop.skipped += 10 * HOUR
        await pair.send(MESSAGE)
        await pair.read(20_000_000)
        assert pair.connection is connection

    run_with_clock(stay_silent)


async def stall_after(pair: ClientAndServer, request: bytes) -> Any:
    """Send a request and read nothing; return the connection once its buffer is not empty."""
    await pair.send(request)
    if request is UPGRADE:
        await wait_for(lambda: not isinstance(pair.connection, H11Protocol))
        await pair.send(MESSAGE)
    await wait_for(lambda: pair.connection.transport.get_write_buffer_size())
    return pair.connection


@pytest.mark.parametrize("request_", [DOWNLOAD, UPGRADE], ids=["response", "websocket"])
def test_a_client_that_reads_nothing_is_ended(run_with_clock: Callable, request_: bytes):
    async def stall(pair: ClientAndServer) -> None:
        connection = await stall_after(pair, request_)
        assert pair.limiter.n_dropped == 0

        def ended() -> bool:
            pair.loop.skipped += 3 * HOUR
            return connection not in pair.connections

        await wait_for(ended)
        assert pair.limiter.n_dropped == 1

    run_with_clock(stall)


def test_a_websocket_that_answers_no_ping_is_ended_though_it_reads_nothing(
    run_with_clock: Callable,
):
    async def stall(pair: ClientAndServer) -> None:
        connection = await stall_after(pair, UPGRADE)
        connection.keepalive_timeout()
        for _ in range(100):
            await asyncio.sleep(0)
        # uvicorn waits until the client has read the buffered data
        assert connection.transport.is_closing()
        assert connection in pair.connections

        def ended() -> bool:
            pair.limiter.end_stalled()
            return connection not in pair.connections

        await wait_for(ended)

    run_with_clock(stall)


@pytest.mark.parametrize("request_", [DOWNLOAD, UPGRADE], ids=["response", "websocket"])
def test_a_client_that_reads_slowly_stays(run_with_clock: Callable, request_: bytes):
    async def read_slowly(pair: ClientAndServer) -> None:
        connection = await stall_after(pair, request_)
        for _ in range(20):
            pair.limiter.end_stalled()
            # less than the steps of about 1 MB in which the system accepts more data
            await pair.read(300_000)
        assert connection.transport.get_write_buffer_size()
        pair.limiter.end_stalled()
        assert pair.connection is connection
        assert pair.limiter.n_dropped == 0

    run_with_clock(read_slowly)


def test_the_descriptor_limit_is_raised_and_leaves_some_for_files():
    program = """
import resource
from regviz.server.slow_clients import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 900))
print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert python("-c", program).stdout.split() == [str(900 - RESERVED_DESCRIPTORS), "900", "900"]
    assert raise_descriptor_limit() > 0


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", b"400"),
        (b"Content-Length: 0\r\n", b"200"),
    ],
)
def test_a_request_with_two_lengths_is_refused(
    lenient_server: Server, header: bytes, status: bytes
):
    with connect(lenient_server, HEAD + header + b"Connection: close\r\n\r\n0\r\n\r\n") as one:
        assert one.recv(100).split()[1] == status


# Logs


def test_records_of_one_kind_are_bounded_and_counted():
    limit = logs.RateLimit(3)

    def told(second: float, text: str = "socket.accept() fails: %s") -> str | None:
        record = logging.LogRecord("asyncio", logging.ERROR, "", 0, text, ("why",), None)
        record.created = second
        return record.getMessage() if limit.filter(record) else None

    passed = [told(second / 10) for second in range(100)]
    assert passed == ["socket.accept() fails: why"] * 3 + [None] * 97
    assert told(10, "another of %s") == "another of why"
    assert told(logs.MINUTE) == "socket.accept() fails: why (97 more of this kind were left out)"
    assert told(logs.MINUTE + 1) == "socket.accept() fails: why"


def test_frameworks_records_are_limited_those_of_later_loggers_too():
    program = """
import logging
from streamlit.logger import get_logger, init_uvicorn_logs
init_uvicorn_logs()
loggers = [get_logger("streamlit.runtime.app_session"), *map(logging.getLogger, OTHERS)]
from regviz.server import logs
logs.configure()
logs.configure()
for logger in (*loggers, get_logger("streamlit.made.later")):
    for _ in range(100):
        logger.error("%s fails" % logger.name)
"""
    others = ["uvicorn.error", "websockets", "asyncio"]
    done = python("-c", f"OTHERS = {others}\n{program}")
    for name in ("streamlit.runtime.app_session", *others, "streamlit.made.later"):
        assert done.stderr.count(f"{name} fails") == logs.OTHER_RECORDS, name


def test_a_record_that_two_handlers_write_is_counted_once():
    limit, written = logs.RateLimit(3), 0
    for _ in range(10):
        record = logging.LogRecord("uvicorn", logging.ERROR, "", 0, "it fails", (), None)
        written += limit.filter(record) and limit.filter(record)
    assert written == 3


@pytest.mark.parametrize(
    ("module", "name", "other"),
    [
        ("auto", "AutoHTTPProtocol", object),
        ("h11_impl", "H11Protocol", type("H11Protocol", (), {})),
        ("h11_impl", "RequestResponseCycle", type("RequestResponseCycle", (), {})),
    ],
)
def test_a_uvicorn_with_other_internals_is_left_alone(
    module: str, name: str, other: type, monkeypatch: pytest.MonkeyPatch, log: Any
):
    monkeypatch.setattr(importlib.import_module(f"uvicorn.protocols.http.{module}"), name, other)
    before = H11Protocol.connection_made
    bound_connections(ConnectionLimiter(10))
    assert H11Protocol.connection_made is before
    (message,) = log.messages
    assert message.startswith("connections are not bounded")
