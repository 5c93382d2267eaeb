"""Admission control: a bound on connected visitors, and a page that retries for the others."""

import asyncio
import ipaddress
import logging
import random
import threading
import time
from collections import Counter
from contextlib import suppress

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from regviz.server.connection import KIND
from regviz.server.internals import find_difference

_logger = logging.getLogger("regviz.errors")

STREAM = "/_stcore/stream"
_PARSE = "streamlit.web.server.starlette.starlette_websocket:_parse_subprotocols"
SILENT_SECONDS = 10.0  # time limit for a connection's first request of a run
SILENT, TRY_AGAIN = 1008, 1013  # WebSocket close codes: RFC 6455, and IANA's registry of them
RETRY_SECONDS = (4, 9)  # bounds of the random delay before a refused visitor's next attempt
FULL_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{retry}">
<title>RegViz is full at the moment</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{
    display: grid; place-content: center; min-height: 90vh; max-width: 34rem; margin: auto;
    padding: 0 1.4rem; font: 1.1rem/1.55 system-ui, sans-serif;
  }}
  h1 {{ margin: 0; font-size: 1.7rem; line-height: 1.25; }}
</style>
<h1>RegViz is full at the moment</h1>
<p>{reason} This page tries again by itself every few seconds, and opens what your link shows as
soon as somebody leaves. There is nothing you need to do.</p>
<p>Whoever runs this server can make more room: <code>{variable}</code>.</p>
</html>
"""
ALL_TAKEN = "There is room for {visitors} here, and all of it is taken."
ALL_OF_ADDRESS_TAKEN = (
    "There is room for {visitors} from one address, such as that of a school, and all of it is"
    " taken from yours."
)


class SessionSlots:
    """Counting semaphore of a process's sessions, with a second bound for each client address.

    A visitor's open connection holds one slot.

    Parameters
    ----------
    n : int
        Number of slots.
    n_per_address : int, optional
        Number of slots that clients with one address can hold together; by default `n`.

    Attributes
    ----------
    n_taken : int
        Number of slots in use.
    n_refused : int
        Number of requests for a slot that were refused.
    """

    def __init__(self, n: int, n_per_address: int | None = None) -> None:
        self.n = n
        self.n_per_address = n_per_address
        self.n_taken = 0
        self.n_refused = 0
        self._taken_by_address: Counter[str] = Counter()
        self._lock = threading.Lock()

    def available(self, address: str = "") -> bool:
        """Return whether a client can acquire a slot; count a refusal if not.

        Parameters
        ----------
        address : str
            The client's address as `address_of` returns it; empty if unknown.
        """
        with self._lock:
            available = self._available(address)
            self.n_refused += not available
            return available

    def acquire(self, address: str = "") -> bool:
        """Acquire a slot for a client; return False and count a refusal if none is free."""
        with self._lock:
            if not self._available(address):
                self.n_refused += 1
                return False
            self.n_taken += 1
            self._taken_by_address[address] += 1
            return True

    def release(self, address: str = "") -> None:
        """Release a slot that a client has acquired."""
        with self._lock:
            self.n_taken -= 1
            self._taken_by_address[address] -= 1
            if not self._taken_by_address[address]:
                del self._taken_by_address[address]

    def _available(self, address: str) -> bool:
        bound = self.n if self.n_per_address is None else self.n_per_address
        full = bool(address) and self._taken_by_address[address] >= bound
        return self.n_taken < self.n and not full


def address_of(scope: Scope) -> str:
    """Return the address by which a client is counted, or an empty string if it is unknown.

    IPv6 addresses are cut to their first 64 bits, the network of one customer. For the proxies in
    ``FORWARDED_ALLOW_IPS``, uvicorn has put the forwarded address in place of the proxy's.
    """
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


class Admission:
    """ASGI middleware that bounds the number of connected visitors.

    A connection acquires a slot with its first request for a run of the page, which a browser sends
    as soon as it has connected, or when it resumes a session that had one. A GET of the page, or a
    connection without requests, holds no slot, so neither can exhaust them; such a connection is
    closed after `SILENT_SECONDS`. While no slot is free, the response is status 503, for a GET of
    the page with a document that reloads itself.

    The bound for each address keeps one client from holding all slots with open connections. It
    has room for a class, whose members share the address of their router.

    Parameters
    ----------
    app : ASGI application
    slots : SessionSlots
    """

    def __init__(self, app: ASGIApp, slots: SessionSlots) -> None:
        self.app, self.slots = app, slots
        # by session id: the `time.monotonic` until which it can be resumed
        self._sessions: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it with status 503."""
        if scope["type"] == "websocket" and scope["path"].endswith(STREAM):
            await self._connect(scope, receive, send)
        elif _is_page(scope) and not self.slots.available(address_of(scope)):
            retry, headers = _retry_headers()
            page = FULL_PAGE.format(retry=retry, **self._reason())
            await HTMLResponse(page, 503, headers)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _reason(self) -> dict[str, str]:
        """Return the reason for a refusal, and the environment variable that sets the bound."""
        n, reason, variable = self.slots.n, ALL_TAKEN, "REGVIZ_SESSIONS"
        if self.slots.n_taken < n and self.slots.n_per_address is not None:
            n, reason = self.slots.n_per_address, ALL_OF_ADDRESS_TAKEN
            variable += "_PER_ADDRESS"
        visitors = f"{n} visitor{'s' * (n != 1)}"
        return {"reason": reason.format(visitors=visitors), "variable": variable}

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        resumes = self._sessions.get(_session_of(scope), 0) > time.monotonic()
        if not (self.slots.acquire(address) if resumes else self.slots.available(address)):
            refusal = PlainTextResponse("RegViz is full at the moment.\n", 503, _retry_headers()[1])
            await refusal(scope, receive, send)
            return
        visit = _Visit(self.slots, address, receive, send, has_slot=resumes)
        try:
            await self.app(scope, visit.receive, visit.send)
        finally:
            if visit.has_slot:
                self.slots.release(address)
                self._remember(visit.session)

    def _remember(self, session: str) -> None:
        """Allow a session to be resumed for ``server.disconnectedSessionTTL`` seconds."""
        now = time.monotonic()
        self._sessions = {name: until for name, until in self._sessions.items() if until > now}
        if session:
            self._sessions[session] = now + st.get_option("server.disconnectedSessionTTL")


class _Visit:
    """ASGI channels of a connection that acquires a slot with its first request for a run.

    Parameters
    ----------
    slots : SessionSlots
    address : str
        The client's address, as `address_of` returns it.
    receive, send : callable
        The server's ASGI channels.
    has_slot : bool
        Whether a slot is already acquired.

    Attributes
    ----------
    session : str
        Streamlit's id of the session; empty until its first message.
    """

    def __init__(
        self, slots: SessionSlots, address: str, receive: Receive, send: Send, has_slot: bool
    ) -> None:
        self.slots, self.address = slots, address
        self.has_slot, self.session = has_slot, ""
        self._receive, self._send = receive, send
        self._closed = False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """Return the next message; close the connection if it acquires no slot in time."""
        if self.has_slot:
            return await self._receive()
        if self._deadline is None:  # the first message is `websocket.connect`
            self._deadline = time.monotonic() + SILENT_SECONDS
            return await self._receive()
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            return await self._close(SILENT)
        if message["type"] == "websocket.receive" and requests_run(message.get("bytes") or b""):
            if not self.slots.acquire(self.address):
                return await self._close(TRY_AGAIN)
            self.has_slot = True
        return message

    async def send(self, message: Message) -> None:
        """Send a message, unless this object has closed the connection."""
        if self._closed:
            return
        if message["type"] == "websocket.send" and self.has_slot and not self.session:
            sent = ForwardMsg.FromString(message.get("bytes") or b"")
            self.session = sent.new_session.initialize.session_id
        await self._send(message)

    async def _close(self, code: int) -> Message:
        self._closed = True
        await self._send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}


def requests_run(data: bytes) -> bool:
    """Return whether a serialized `BackMsg` requests a run of the page."""
    kind: str | None = BackMsg.FromString(data).WhichOneof(KIND)
    return kind == "rerun_script"


def _session_of(scope: Scope) -> str:
    """Return the id of the session to resume, the third subprotocol; empty if there is none."""
    protocols = Headers(scope=scope).get("sec-websocket-protocol", "").split(",")
    return protocols[2].strip() if len(protocols) > 2 else ""


def check_resumption() -> None:
    """Log a warning unless Streamlit resumes the session that the third subprotocol names.

    Otherwise a visitor who connects again gets a slot only with the next request for a run.
    """
    difference = find_difference({_PARSE: ("headers",)})
    if difference is None:
        from streamlit.web.server.starlette.starlette_websocket import _parse_subprotocols

        sent = ("streamlit", "token", "session")
        found: object = None
        with suppress(Exception):  # of whatever kind, as this is no public function
            found = _parse_subprotocols(Headers({"sec-websocket-protocol": ", ".join(sent)}))
        if found == sent:
            return
        difference = f"{_PARSE} returns {found!r} for {sent!r}"
    _logger.warning("resumed sessions are not recognized: in Streamlit, %s", difference)


def _is_page(scope: Scope) -> bool:
    """Return whether a request is a browser's GET of the page, which a connection will follow."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "/_stcore/" not in scope["path"]
        and "/media/" not in scope["path"]  # downloads of an open page
        and "text/html" in Headers(scope=scope).get("accept", "")
    )


def _retry_headers() -> tuple[int, dict[str, str]]:
    """Return a random number of seconds until the next attempt, and headers that state it."""
    retry = random.randint(*RETRY_SECONDS)
    return retry, {"Retry-After": str(retry), "Cache-Control": "no-store"}
