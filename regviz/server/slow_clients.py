"""Bounds on connections: how many there are, and how long clients may send or read nothing.

uvicorn has no time limit for a request's headers or body, none for a client that does not read what
it is sent, and no bound on connections. A few hundred clients that send half a header and then
nothing, or read none of a response, would use up the process's file descriptors. A WebSocket whose
client answers no ping is closed by uvicorn, but only once that client has read all that is left.

uvicorn offers no hook for this, and Streamlit creates its configuration
before ``app.py`` is imported, so `bound_connections` wraps three methods of its protocol class.
`tests/server/test_slow_clients.py` fails if a new version of uvicorn calls them differently.
"""

import asyncio
import logging
import socket
import struct
import sys
from contextlib import suppress
from itertools import chain
from typing import Any, Literal

import h11
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol

_logger = logging.getLogger("regviz.errors")

HEADER_SECONDS = 10.0  # until all headers of a request are there
BODY_SECONDS = 60.0  # until its body is: at most 1 MB
STALL_SECONDS = 30.0  # in which a client must read some of what is left to send
RESERVED_DESCRIPTORS = 128  # for files, pipes, and sockets that are no connections of clients
MOST_DESCRIPTORS = 65_536
WITHOUT_LIMIT = 4096  # connections, where the system has no limit on descriptors
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

Phase = Literal["header", "body"]


def raise_descriptor_limit() -> int:
    """Raise the soft limit on file descriptors to the hard one; the connections this allows."""
    try:
        import resource
    except ImportError:  # Windows
        return WITHOUT_LIMIT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    descriptors = wanted if soft == resource.RLIM_INFINITY else soft
    return max(descriptors - RESERVED_DESCRIPTORS, descriptors // 2)


class Arrivals:
    """The open connections, and timers of those on whose next request the server waits.

    Parameters
    ----------
    most : int
        Connections at a time, those with requests and WebSockets included. A further one takes the
        place of the oldest that has not sent a whole header, or else of the oldest whose client has
        not read all of a response; if there is none, it is closed.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.n_dropped = 0
        self._waiting: dict[H11Protocol, tuple[Phase, asyncio.TimerHandle]] = {}
        self._http: dict[H11Protocol, None] = {}  # those that are no WebSockets, the oldest first
        self._open: set[Any] = set()  # all of the server's, which keeps this set
        self._unread: dict[Any, tuple[int, int]] = {}
        self._next_check: asyncio.TimerHandle | None = None

    def admit(self, protocol: H11Protocol) -> None:
        """Make room for a connection that has just been made."""
        self._open = protocol.connections
        if len(self._open) > self.most:
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
        """End connections that have data left to send of which none was read since the last call.

        Clients on slow lines stay: some of the data being read is enough. Responses, WebSockets and
        connections that are being closed are alike here.
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
        """Start the timer of the part that is to arrive next, or cancel it if there is none."""
        if protocol.transport.get_protocol() is not protocol:  # it has become a WebSocket
            self.remove(protocol)
            return
        phase = _phase(protocol)
        known = self._waiting.get(protocol)
        if known and known[0] == phase:
            return
        self.cancel_timer(protocol)
        if phase and not protocol.transport.is_closing():
            seconds = HEADER_SECONDS if phase == "header" else BODY_SECONDS
            timer = protocol.loop.call_later(seconds, self._end, protocol)
            self._waiting[protocol] = (phase, timer)

    def cancel_timer(self, protocol: H11Protocol) -> None:
        """Cancel the timer of a connection."""
        known = self._waiting.pop(protocol, None)
        if known:
            known[1].cancel()

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
    """Return how many bytes the client's system has acknowledged; 0 where this is not known.

    The transport's own buffer shrinks in large steps: only once a third of the system's buffer of
    up to 4 MB is free, for which a line of 16 kB/s takes longer than `STALL_SECONDS`.
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
    """Close a connection at once, and drop the data that the system has not sent."""
    sock = transport.get_extra_info("socket")
    if sock is not None and transport.get_write_buffer_size():
        # else the system keeps its part, up to 4 MB, until the client reads it, or for minutes
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def bound_connections(arrivals: Arrivals) -> None:
    """Apply the bounds to every connection that is made from now on."""
    if AutoHTTPProtocol is not H11Protocol:
        _logger.warning("connections are not bounded: uvicorn uses another protocol than h11")
        return
    made, received = H11Protocol.connection_made, H11Protocol.data_received
    lost = H11Protocol.connection_lost

    def connection_made(self: H11Protocol, transport: Any) -> None:
        made(self, transport)
        arrivals.admit(self)

    def data_received(self: H11Protocol, data: bytes) -> None:
        received(self, data)
        arrivals.start_timer(self)

    def connection_lost(self: H11Protocol, exc: Exception | None) -> None:
        arrivals.remove(self)
        lost(self, exc)

    H11Protocol.connection_made = connection_made  # type: ignore[method-assign]
    H11Protocol.data_received = data_received  # type: ignore[method-assign]
    H11Protocol.connection_lost = connection_lost  # type: ignore[method-assign]
