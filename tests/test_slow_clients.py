"""Clients that keep a connection and send little: they are bounded, and disturb nobody."""

import logging
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from regviz.server import logs, slow_clients
from regviz.server.slow_clients import RESERVED_DESCRIPTORS, raise_descriptor_limit
from tests.serving import ROOT, Server, Stranger, serve

DESCRIPTORS = 256
# a server with few descriptors, as hosts with 1,024 have compared with thousands of clients
FEW = f"""
import resource
import sys

resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
if "streamlit" in sys.orig_argv:
    from regviz.server import slow_clients

    slow_clients.HEADER_SECONDS, slow_clients.BODY_SECONDS = {{seconds}}
"""


def served(tmp_path_factory: pytest.TempPathFactory, seconds: str) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("few")
    (folder / "sitecustomize.py").write_text(FEW.format(seconds=seconds))
    with serve(folder, PYTHONPATH=f"{folder}:{ROOT}") as server:
        yield server


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that gives clients more time than the tests take."""
    yield from served(tmp_path_factory, "3600, 3600")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that gives a request's parts a quarter of a second each."""
    yield from served(tmp_path_factory, "0.25, 0.25")


def client(server: Server, sent: bytes = b"") -> socket.socket:
    place = urlsplit(server.url)
    found = socket.create_connection((place.hostname, place.port), timeout=60)
    found.sendall(sent)
    return found


def answers(server: Server) -> bool:
    with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=60) as answer:
        return answer.status == 200


def test_half_open_connections_keep_nobody_out_and_fill_no_log(patient: Server):
    size = patient.log.stat().st_size
    with ExitStack() as stack:
        for _ in range(4):
            for _ in range(DESCRIPTORS):
                half = client(patient, b"GET / HTTP/1.1\r\nX-")
                stack.callback(half.close)
            assert answers(patient)
        with Stranger(patient) as visitor:
            assert visitor.ask("v=1&epochs=20&hidden=2&methods=none")
    assert patient.log.stat().st_size - size < 20_000


def test_a_connection_with_a_request_under_way_is_not_dropped_for_new_ones(patient: Server):
    with Stranger(patient) as visitor, ExitStack() as stack:
        assert visitor.ask("v=1&epochs=20&hidden=2&methods=none")
        for _ in range(2 * DESCRIPTORS):
            stack.callback(client(patient, b"G").close)
        assert visitor.ask("v=1&epochs=20&hidden=3&methods=none")


HEAD = b"GET /_stcore/health HTTP/1.1\r\nHost: localhost\r\n"
UPLOAD = (
    b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"
)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD, HEAD + b"\r\n" + HEAD, UPLOAD])
def test_a_request_that_does_not_arrive_whole_ends_its_connection(hasty: Server, sent: bytes):
    with client(hasty, sent) as half:
        received = b""
        while part := half.recv(10_000):  # to the end
            received += part
    # after an answer it is uvicorn's own time limit between requests that ends it
    assert received.split()[1] in (b"408", b"403", b"200")
    assert answers(hasty)


def test_time_between_requests_and_websockets_are_not_limited(hasty: Server):
    with Stranger(hasty) as visitor:
        # a client whose request has not arrived is closed meanwhile, so the time has passed
        with client(hasty) as half:
            assert half.recv(10_000).startswith(b"HTTP/1.1 408")
        assert visitor.ask("v=1&epochs=20&hidden=2&methods=none")


def test_the_descriptor_limit_is_raised_and_leaves_some_for_files():
    program = """
import resource
from regviz.server.slow_clients import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 900))
print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == [str(900 - RESERVED_DESCRIPTORS), "900", "900"]
    assert raise_descriptor_limit() > 0


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", b"400"),
        (b"Content-Length: 0\r\n", b"200"),
    ],
)
def test_a_request_with_two_lengths_is_refused(patient: Server, header: bytes, status: bytes):
    with client(patient, HEAD + header + b"Connection: close\r\n\r\n0\r\n\r\n") as one:
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


def test_frameworks_records_are_limited_where_they_are_written(monkeypatch: pytest.MonkeyPatch):
    handler = logging.Handler()
    written: list[str] = []
    monkeypatch.setattr(handler, "emit", lambda record: written.append(record.getMessage()))
    framework = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(framework, "handlers", [handler])
    monkeypatch.setattr(logging, "lastResort", logging.Handler())
    own = logging.getLogger("regviz")
    monkeypatch.setattr(own, "handlers", own.handlers)
    monkeypatch.setattr(own, "propagate", own.propagate)
    logs.configure()
    for _ in range(1000):
        framework.warning("Invalid HTTP request received.")
    assert len(written) == logs.OTHER_RECORDS


def test_without_h11_the_operator_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(slow_clients, "AutoHTTPProtocol", object)
    monkeypatch.setattr(slow_clients._logger, "propagate", True)
    logging.getLogger("regviz").propagate = True
    before: Callable[..., None] = slow_clients.H11Protocol.connection_made
    slow_clients.bound_connections(slow_clients.Arrivals(10))
    assert slow_clients.H11Protocol.connection_made is before
    assert "connections are not bounded" in caplog.text
