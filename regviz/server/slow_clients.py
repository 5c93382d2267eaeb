"""Bounds on connections: how many there are, and how long a request may take to arrive.

uvicorn has no time limit for a request's headers or body, and no bound on connections that have not
sent a request. A few hundred clients that send half a header and then nothing would use up the
process's file descriptors. uvicorn offers no hook for this, and Streamlit creates its configuration
before ``app.py`` is imported, so `bound_connections` wraps three methods of its protocol class.
`tests/test_slow_clients.py` fails if a new version of uvicorn calls them differently.
"""

import asyncio
import logging
from typing import Any, Literal

import h11
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol

_logger = logging.getLogger("regviz.errors")

HEADER_SECONDS = 10.0  # until all headers of a request are there
BODY_SECONDS = 60.0  # until its body is: at most 1 MB
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
    """Connections on whose next request the server waits, the oldest first.

    Parameters
    ----------
    most : int
        Connections at a time, those with requests and WebSockets included. A further one takes the
        place of the oldest that has not sent a whole header; if there is none, it is closed.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.n_dropped = 0
        self._waiting: dict[H11Protocol, tuple[Phase, asyncio.TimerHandle]] = {}

    def admit(self, protocol: H11Protocol) -> None:
        """Make room for a connection that has just been made."""
        if len(protocol.connections) > self.most:
            self.n_dropped += 1
            headless = (one for one, (phase, _) in self._waiting.items() if phase == "header")
            dropped = next(headless, protocol)
            self.cancel_timer(dropped)
            dropped.transport.abort()
            if dropped is protocol:
                return
        self.start_timer(protocol)

    def start_timer(self, protocol: H11Protocol) -> None:
        """Start the timer of the part that is to arrive next, or cancel it if there is none."""
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
    if protocol.transport.get_protocol() is not protocol:  # it has become a WebSocket
        return None
    state = protocol.conn.their_state
    if state is h11.SEND_BODY:
        return "body"
    answering = protocol.cycle is not None and not protocol.cycle.response_complete
    return "header" if state is h11.IDLE and not answering else None


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
        arrivals.cancel_timer(self)
        lost(self, exc)

    H11Protocol.connection_made = connection_made  # type: ignore[method-assign]
    H11Protocol.data_received = data_received  # type: ignore[method-assign]
    H11Protocol.connection_lost = connection_lost  # type: ignore[method-assign]
