"""Who is let in: so many visitors at a time, and a page for the next ones that waits with them."""

import random
import threading
import time
from collections import deque
from html import escape

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

STREAM = "/_stcore/stream"
HOLD = 15.0  # seconds that a place is held for a page that was sent and has not connected yet
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
<p>There is room for {places} here, and all of it is taken. This page tries again by itself every
few seconds, and opens what your link shows as soon as somebody leaves. There is nothing you need to
do.</p>
<p>Whoever runs this server can make more room: <code>REGVIZ_SESSIONS</code>.</p>
</html>
"""


class Seats:
    """The places of a process: taken by open connections, and held for pages about to connect.

    Parameters
    ----------
    n : int
        Places in all.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.n_taken = 0
        self.n_refused = 0
        self._held: deque[float] = deque()  # until when
        self._lock = threading.Lock()

    def hold(self) -> bool:
        """Hold a place for a visitor who is about to connect; False if there is none."""
        now = time.monotonic()
        with self._lock:
            while self._held and self._held[0] <= now:
                self._held.popleft()
            if self.n_taken + len(self._held) >= self.n:
                self.n_refused += 1
                return False
            self._held.append(now + HOLD)
            return True

    def take(self) -> bool:
        """Take a place, one that is held if there is one; False if there is none."""
        with self._lock:
            if self.n_taken >= self.n:
                self.n_refused += 1
                return False
            if self._held:
                self._held.popleft()
            self.n_taken += 1
            return True

    def leave(self) -> None:
        """Give a place back that was taken."""
        with self._lock:
            self.n_taken -= 1


class Admission:
    """ASGI middleware that lets in as many visitors as there are places.

    The page itself is refused with status 503 and a page that tries again by itself; so is a
    connection that was opened without the page. What belongs to an open page is always served.

    Parameters
    ----------
    app : ASGI application
    seats : Seats
    """

    def __init__(self, app: ASGIApp, seats: Seats) -> None:
        self.app, self.seats = app, seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "websocket" and scope["path"].endswith(STREAM):
            if not self.seats.take():
                refusal = PlainTextResponse("RegViz is full at the moment.\n", 503, _again()[1])
                await refusal(scope, receive, send)
                return
            try:
                await self.app(scope, receive, send)
            finally:
                self.seats.leave()
        elif _is_page(scope) and not self.seats.hold():
            retry, headers = _again()
            places = f"{self.seats.n} visitor{'s' * (self.seats.n != 1)}"
            page = FULL.format(retry=retry, places=escape(places))
            await HTMLResponse(page, 503, headers)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


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
