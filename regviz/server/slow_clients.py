"""A bound on the number of connections, and time limits for clients that stall.

uvicorn 0.54 has no time limit for a request's headers or body, none for a client that does not read
its response, and no bound on connections. A few hundred clients that send half a header or read no
response would use up the process's file descriptors. uvicorn closes a WebSocket whose client
answers no ping, but only once the client has read all pending data.

uvicorn has no hook for this, and Streamlit creates uvicorn's configuration before it imports
``app.py``. So `bound_connections` wraps three methods of uvicorn's protocol class, if they and the
attributes in `TOUCHES` are as expected. Otherwise it logs a warning, and connections are unbounded.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import h11

from regviz.server.internals import find_difference

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

_logger = logging.getLogger("regviz.errors")

HEADER_SECONDS = 10.0  # time limit for all headers of a request
BODY_SECONDS = 60.0  # time limit for its body, of at most 1 MB
STALL_SECONDS = 30.0  # interval in which a client must read some of the pending data
RESERVED_DESCRIPTORS = 128  # for files, pipes, and sockets other than clients' connections
MAX_DESCRIPTORS = 65_536
DEFAULT_CONNECTIONS = 4096  # bound on connections on systems without a limit on descriptors
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_PROTOCOL = "uvicorn.protocols.http.h11_impl:H11Protocol"
TOUCHES = {
    f"{_PROTOCOL}.connection_made": ("self", "transport"),
    f"{_PROTOCOL}.data_received": ("self", "data"),
    f"{_PROTOCOL}.connection_lost": ("self", "exc"),
    **dict.fromkeys(
        f"{_PROTOCOL}().{name}" for name in ("conn", "connections", "cycle", "loop", "transport")
    ),
    "uvicorn.protocols.http.h11_impl:RequestResponseCycle().response_complete": None,
    "uvicorn.protocols.http.auto:AutoHTTPProtocol": None,
}

Phase = Literal["header", "body"]


def raise_descriptor_limit() -> int:
    """Raise the soft limit on file descriptors to the hard limit, at most `MAX_DESCRIPTORS`.

    Returns
    -------
    int
        Number of connections that the limit allows.
    """
    try:
        import resource
    except ImportError:  # Windows
        return DEFAULT_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    descriptors = wanted if soft == resource.RLIM_INFINITY else soft
    return max(descriptors - RESERVED_DESCRIPTORS, descriptors // 2)


class ConnectionLimiter:
    """The open connections, with a timer for each that the server awaits a request on.

    Parameters
    ----------
    max_connections : int
        Bound on open connections, WebSockets included. Beyond it, the oldest connection without a
        complete header is closed, or else the oldest with an unread response, or else the new one.

    Attributes
    ----------
    n_dropped : int
        Number of connections closed by a bound or a time limit.
    """

    def __init__(self, max_connections: int) -> None:
        self.max_connections = max_connections
        self.n_dropped = 0
        self._waiting: dict[H11Protocol, tuple[Phase, asyncio.TimerHandle]] = {}
        self._http: dict[H11Protocol, None] = {}  # connections without WebSockets, oldest first
        self._open: set[Any] = set()  # all connections: uvicorn's own set
        self._unread: dict[Any, tuple[int, int]] = {}
        self._next_check: asyncio.TimerHandle | None = None

    def admit(self, protocol: H11Protocol) -> None:
        """Register a new connection, and close one if there are too many."""
        self._open = protocol.connections
        if len(self._open) > self.max_connections:
            self.n_dropped += 1
            headless = (one for one, (phase, _) in self._waiting.items() if phase == "header")
            unread = (one for one in self._http if one.transport.get_write_buffer_size())
            dropped = next(chain(headless, unread), protocol)
            self.remove(dropped)
            _abort(dropped.transport)
            if dropped is protocol:
                return
        self._http[protocol] = None
        self.start_timer(protocol)
        if self._next_check is None:
            self._next_check = protocol.loop.call_later(STALL_SECONDS, self._check, protocol.loop)

    def remove(self, protocol: H11Protocol) -> None:
        """Remove a connection that is closed, or has become a WebSocket."""
        self.cancel_timer(protocol)
        self._http.pop(protocol, None)

    def end_stalled(self) -> None:
        """Close connections of which no pending data was read since the last call.

        Clients on slow lines stay connected, as reading any of the data is enough. Connections that
        are being closed are included, as they hold a file descriptor while data is pending.
        """
        before, self._unread = self._unread, {}
        for protocol in list(self._open):
            unsent = protocol.transport.get_write_buffer_size()
            if not unsent:
                continue
            read = _bytes_read(protocol.transport)
            read_before, unsent_before = before.get(protocol, (-1, 0))
            if read == read_before and unsent >= unsent_before:
                self.n_dropped += 1
                _abort(protocol.transport)
            else:
                self._unread[protocol] = read, unsent

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        self.end_stalled()
        again = loop.call_later(STALL_SECONDS, self._check, loop) if self._open else None
        self._next_check = again

    def start_timer(self, protocol: H11Protocol) -> None:
        """Start the timer of the next part of a request, or cancel it if none is awaited."""
        if protocol.transport.get_protocol() is not protocol:  # it has become a WebSocket
            self.remove(protocol)
            return
        phase = _phase(protocol)
        waiting = self._waiting.get(protocol)
        if waiting and waiting[0] == phase:
            return
        self.cancel_timer(protocol)
        if phase and not protocol.transport.is_closing():
            seconds = HEADER_SECONDS if phase == "header" else BODY_SECONDS
            timer = protocol.loop.call_later(seconds, self._end, protocol)
            self._waiting[protocol] = (phase, timer)

    def cancel_timer(self, protocol: H11Protocol) -> None:
        """Cancel the timer of a connection."""
        waiting = self._waiting.pop(protocol, None)
        if waiting:
            waiting[1].cancel()

    def _end(self, protocol: H11Protocol) -> None:
        self.cancel_timer(protocol)
        self.n_dropped += 1
        if not protocol.transport.is_closing():
            protocol.transport.write(TIMEOUT)
            protocol.transport.close()


def _phase(protocol: H11Protocol) -> Phase | None:
    """Return the part of a request that has not arrived; None if no request is awaited."""
    state = protocol.conn.their_state
    if state is h11.SEND_BODY:
        return "body"
    answering = protocol.cycle is not None and not protocol.cycle.response_complete
    return "header" if state is h11.IDLE and not answering else None


def _bytes_read(transport: asyncio.Transport) -> int:
    """Return the number of bytes that the client has acknowledged; 0 if it is unknown.

    The size of asyncio's buffer is too coarse a measure: it shrinks only once a third of the
    system's buffer of up to 4 MB is free, which takes a line of 16 kB/s more than `STALL_SECONDS`.
    """
    sock = transport.get_extra_info("socket")
    if sys.platform == "linux" and sock is not None:
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 128)
        except OSError:  # no TCP, or closed
            return 0
        return int.from_bytes(info[120:128], sys.byteorder)  # tcpi_bytes_acked of linux/tcp.h
    return 0


def _abort(transport: asyncio.Transport) -> None:
    """Close a connection at once, and discard the data that the system has not sent."""
    sock = transport.get_extra_info("socket")
    if sock is not None and transport.get_write_buffer_size():
        # else the system keeps up to 4 MB until the client reads it, or for minutes
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def bound_connections(limiter: ConnectionLimiter) -> None:
    """Apply the bounds to all later connections, or log why they cannot be applied."""
    if difference := find_difference(TOUCHES):
        _logger.warning("connections are not bounded: in uvicorn, %s", difference)
        return
    from uvicorn.protocols.http.auto import AutoHTTPProtocol
    from uvicorn.protocols.http.h11_impl import H11Protocol

    if AutoHTTPProtocol is not H11Protocol:
        _logger.warning("connections are not bounded: uvicorn uses another protocol than h11")
        return
    made, received = H11Protocol.connection_made, H11Protocol.data_received
    lost = H11Protocol.connection_lost

    def connection_made(self: H11Protocol, transport: Any) -> None:
        made(self, transport)
        limiter.admit(self)

    def data_received(self: H11Protocol, data: bytes) -> None:
        received(self, data)
        limiter.start_timer(self)

    def connection_lost(self: H11Protocol, exc: Exception | None) -> None:
        limiter.remove(self)
        lost(self, exc)

    H11Protocol.connection_made = connection_made  # type: ignore[method-assign]
    H11Protocol.data_received = data_received  # type: ignore[method-assign]
    H11Protocol.connection_lost = connection_lost  # type: ignore[method-assign]
