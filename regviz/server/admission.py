"""Who is let in: so many visitors at a time, and a page for the next ones that waits with them."""

import asyncio
import ipaddress
import random
import threading
import time
from collections import Counter

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

STREAM = "/_stcore/stream"
SILENT_SECONDS = 10.0  # until a connection that has requested nothing is closed
SILENT, TRY_AGAIN = 1008, 1013  # codes of RFC 6455 and of its registry
RETRY = (4, 9)  # seconds after which a visitor without a place tries again, at random
FULL = """<!doctype html>
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


class Places:
    """The places of a process, each taken by a visitor's open connection.

    Parameters
    ----------
    n : int
        Places in all.
    n_per_address : int, optional
        Places of clients with the same address, at most and by default `n`.

    Attributes
    ----------
    n_taken, n_refused : int
        Places that are taken, and how often there was none.
    """

    def __init__(self, n: int, n_per_address: int | None = None) -> None:
        self.n = n
        self.n_per_address = n_per_address
        self.n_taken = 0
        self.n_refused = 0
        self._taken_by: Counter[str] = Counter()
        self._lock = threading.Lock()

    def available(self, address: str = "") -> bool:
        """Return whether there is a place for a client; count a refusal if not.

        Parameters
        ----------
        address : str
            The client's, as `address_of` returns it; empty if it is not known.
        """
        with self._lock:
            available = self._available(address)
            self.n_refused += not available
            return available

    def take(self, address: str = "") -> bool:
        """Take a place for a client; return False and count a refusal if there is none."""
        with self._lock:
            if not self._available(address):
                self.n_refused += 1
                return False
            self.n_taken += 1
            self._taken_by[address] += 1
            return True

    def leave(self, address: str = "") -> None:
        """Give a place back that was taken for a client."""
        with self._lock:
            self.n_taken -= 1
            self._taken_by[address] -= 1
            if not self._taken_by[address]:
                del self._taken_by[address]

    def _available(self, address: str) -> bool:
        bound = self.n if self.n_per_address is None else self.n_per_address
        full = bool(address) and self._taken_by[address] >= bound
        return self.n_taken < self.n and not full


def address_of(scope: Scope) -> str:
    """Return the address that a client counts under: of IPv6 the first 64 bits; empty if unknown.

    It is that of the connection, or the one that a trusted proxy forwards: uvicorn puts it there
    for the proxies in ``FORWARDED_ALLOW_IPS``.
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
    """ASGI middleware that lets in as many visitors as there are places.

    A visitor takes a place with the first request for a run of the page, which a browser sends as
    soon as it has connected, or by connecting again to a session that had one. A page that is
    fetched and a connection that requests nothing take none, so they cannot keep anybody out; the
    latter is closed after `SILENT_SECONDS`. Without a free place, the page is answered with status
    503 and a document that tries again by itself, and so is a connection.

    Clients with the same address have a part of the places, so that nobody takes all of them with
    connections that stay open. A class shares the address of its router, and fits into that part.

    Parameters
    ----------
    app : ASGI application
    places : Places
    """

    def __init__(self, app: ASGIApp, places: Places) -> None:
        self.app, self.places = app, places
        # until when a session may be resumed, by its name
        self._sessions: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "websocket" and scope["path"].endswith(STREAM):
            await self._connect(scope, receive, send)
        elif _is_page(scope) and not self.places.available(address_of(scope)):
            retry, headers = _again()
            page = FULL.format(retry=retry, **self._reason())
            await HTMLResponse(page, 503, headers)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _reason(self) -> dict[str, str]:
        """Return why there is no place, and the variable that bounds their number."""
        n, reason, variable = self.places.n, ALL_TAKEN, "REGVIZ_SESSIONS"
        if self.places.n_taken < n and self.places.n_per_address is not None:
            n, reason = self.places.n_per_address, ALL_OF_ADDRESS_TAKEN
            variable += "_PER_ADDRESS"
        visitors = f"{n} visitor{'s' * (n != 1)}"
        return {"reason": reason.format(visitors=visitors), "variable": variable}

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        resumes = self._sessions.get(_session_of(scope), 0) > time.monotonic()
        if not (self.places.take(address) if resumes else self.places.available(address)):
            refusal = PlainTextResponse("RegViz is full at the moment.\n", 503, _again()[1])
            await refusal(scope, receive, send)
            return
        visit = _Visit(self.places, address, receive, send, has_place=resumes)
        try:
            await self.app(scope, visit.receive, visit.send)
        finally:
            if visit.has_place:
                self.places.leave(address)
                self._remember(visit.session)

    def _remember(self, session: str) -> None:
        """Let a session be resumed for as long as Streamlit keeps it."""
        now = time.monotonic()
        self._sessions = {name: until for name, until in self._sessions.items() if until > now}
        if session:
            self._sessions[session] = now + st.get_option("server.disconnectedSessionTTL")


class _Visit:
    """A connection that takes a place with its first request for a run.

    Parameters
    ----------
    places : Places
    address : str
        The client's.
    receive, send : callable
        The server's.
    has_place : bool
        Whether it has a place from the start.

    Attributes
    ----------
    session : str
        Name of its session, as Streamlit gives it; empty until then.
    """

    def __init__(
        self, places: Places, address: str, receive: Receive, send: Send, has_place: bool
    ) -> None:
        self.places, self.address = places, address
        self.has_place, self.session = has_place, ""
        self._receive, self._send = receive, send
        self._closed = False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """Wait for the next message; without a place no longer than to the deadline."""
        if self.has_place:
            return await self._receive()
        if self._deadline is None:  # the first message says that it connects
            self._deadline = time.monotonic() + SILENT_SECONDS
            return await self._receive()
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            return await self._close(SILENT)
        if message["type"] == "websocket.receive" and requests_run(message.get("bytes") or b""):
            if not self.places.take(self.address):
                return await self._close(TRY_AGAIN)
            self.has_place = True
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on, unless the connection was closed here."""
        if self._closed:
            return
        if message["type"] == "websocket.send" and self.has_place and not self.session:
            told = ForwardMsg.FromString(message.get("bytes") or b"")
            self.session = told.new_session.initialize.session_id
        await self._send(message)

    async def _close(self, code: int) -> Message:
        self._closed = True
        await self._send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}


def requests_run(data: bytes) -> bool:
    """Whether a message requests a run of the page."""
    kind: str | None = BackMsg.FromString(data).WhichOneof("type")
    return kind == "rerun_script"


def _session_of(scope: Scope) -> str:
    """The session that a connection wants to resume: the third of its subprotocols, or empty."""
    protocols = Headers(scope=scope).get("sec-websocket-protocol", "").split(",")
    return protocols[2].strip() if len(protocols) > 2 else ""


def _is_page(scope: Scope) -> bool:
    """Whether somebody opens the page, who is going to connect."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "/_stcore/" not in scope["path"]
        and "/media/" not in scope["path"]  # what an open page offers for download
        and "text/html" in Headers(scope=scope).get("accept", "")
    )


def _again() -> tuple[int, dict[str, str]]:
    """When to try again, also as headers."""
    retry = random.randint(*RETRY)
    return retry, {"Retry-After": str(retry), "Cache-Control": "no-store"}
