"""Servers for tests and benchmarks, and a WebSocket client that sends arbitrary messages."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parents[1]
START_SECONDS = 90
TRACEBACK = "Traceback (most recent call last)"


class Server(NamedTuple):
    """URL and log file of a running server, and the path that responds once it is up."""

    url: str
    log: Path
    health: str = "/_stcore/health"

    def logged(self) -> str:
        """Return the content of the log."""
        return self.log.read_text(errors="replace")


def free_port() -> int:
    """Return a port of the loopback interface that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(
    folder: Path,
    *options: str,
    port: int | None = None,
    root: Path = ROOT,
    **environment: str,
) -> Iterator[Server]:
    """Start a server by ``streamlit run app.py``, and stop it when the context ends.

    Parameters
    ----------
    folder : Path
        Folder for the server's log.
    *options : str
        Further options of ``streamlit run``.
    port : int, optional
        By default a free port.
    root : Path
        The folder of the project.
    **environment : str
        Environment variables in addition to this process's.
    """
    port = port or free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / "log")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with start([*command, *options], root, server, **environment):
        yield server


@contextmanager
def start(command: list[str], cwd: Path, server: Server, **environment: str) -> Iterator[None]:
    """Start a server by a command, wait until it responds, and stop it when the context ends."""
    with server.log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=os.environ | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(server, process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_up(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{server.url}{server.health}", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{server.logged()}")


class Site:
    """An HTTP server of one HTML page, whose origin is another site than RegViz's."""

    def __init__(self) -> None:
        site, self.content = self, ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(site.content.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # `localhost` is another site than 127.0.0.1, and is local too: browsers block requests from
        # public sites to local ones
        self.origin = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class RawVisitor:
    """A WebSocket client that sends arbitrary messages, and records all that it receives.

    Parameters
    ----------
    server : Server
    **options
        Options of `websockets.sync.client.connect`.

    Attributes
    ----------
    heard : list of bytes
        All received messages, serialized.
    """

    def __init__(self, server: Server, **options: object) -> None:
        self.received: list[bytes] = []
        self._connection = connect(
            server.url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit", "PLACEHOLDER_AUTH_TOKEN"],
            max_size=None,
            max_queue=None,  # with unread messages in a full queue, closing takes its timeout, 10 s
            **options,
        )

    def __enter__(self) -> Self:
        self.socket: ClientConnection = self._connection.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._connection.__exit__(*error)

    def send(self, message: BackMsg | bytes | str) -> None:
        """Send a message, arbitrary bytes or text."""
        data = message.SerializeToString() if isinstance(message, BackMsg) else message
        self.socket.send(data)

    def rerun(self, query: str = "", **more: object) -> list[ForwardMsg]:
        """Request a run of the page, and return the messages up to its end."""
        message = BackMsg()
        message.rerun_script.query_string = query
        for name, value in more.items():
            setattr(message.rerun_script, name, value)
        return self.send_and_receive(message)

    def send_and_receive(self, message: BackMsg | bytes) -> list[ForwardMsg]:
        """Send a message that runs the page, and return the messages up to the end of the run."""
        self.send(message)
        return self.receive_until(lambda each: each.WhichOneof("type") == "script_finished")

    def receive_until(
        self, enough: Callable[[ForwardMsg], bool], timeout: float = 30
    ) -> list[ForwardMsg]:
        """Receive messages up to the first for which ``enough`` is true, and return them."""
        found: list[ForwardMsg] = []
        while not (found and enough(found[-1])):
            data = self.socket.recv(timeout)
            assert isinstance(data, bytes)
            self.received.append(data)
            found.append(ForwardMsg.FromString(data))
        return found

    def wait_for_close(self, timeout: float = 30) -> int:
        """Wait until the connection is closed, and return its close code."""
        try:
            while True:
                self.socket.recv(timeout)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006
