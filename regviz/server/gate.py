"""Allow list of the URL paths, methods and origins of requests.

Streamlit serves more than this page needs: metrics, an interface for programs, the sources of
components. Requests for paths that are not listed here are refused, including paths that a later
version of Streamlit adds.
"""

import logging
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from regviz.server.admission import STREAM
from regviz.server.connection import Connection
from regviz.server.headers import MEDIA
from regviz.server.internals import find_other_value

_logger = logging.getLogger("regviz.errors")

HEALTH, HOST_CONFIG = "/_stcore/health", "/_stcore/host-config"
PAGES = ("/", "/learn", "/study")
PATHS = (*PAGES, HEALTH, HOST_CONFIG)
STREAMLITS_STATIC = "/static/"
STATIC = (STREAMLITS_STATIC, "/assets/")  # served by `StaticCache`
FOLDERS = (*STATIC, MEDIA)
UPLOADS = "/_stcore/upload_file/"

_STARLETTE = "streamlit.web.server.starlette"
ROUTES = {  # Streamlit's constants for the above, which have no slashes at the ends
    f"{_STARLETTE}.starlette_routes:ROUTE_HEALTH": HEALTH.strip("/"),
    f"{_STARLETTE}.starlette_routes:ROUTE_HOST_CONFIG": HOST_CONFIG.strip("/"),
    f"{_STARLETTE}.starlette_routes:BASE_ROUTE_STATIC": STREAMLITS_STATIC.strip("/"),
    f"{_STARLETTE}.starlette_routes:BASE_ROUTE_MEDIA": MEDIA.strip("/"),
    f"{_STARLETTE}.starlette_routes:BASE_ROUTE_UPLOAD_FILE": UPLOADS.strip("/"),
    f"{_STARLETTE}.starlette_websocket:_ROUTE_WEBSOCKET_STREAM": STREAM.strip("/"),
}


def check_routes() -> None:
    """Log a warning if Streamlit serves what the page needs at other paths, which are refused."""
    if difference := find_other_value(ROUTES):
        _logger.warning("requests of the page may be refused: in Streamlit, %s", difference)


class Gate:
    """ASGI middleware that passes on the requests that the page needs, and refuses all others.

    Parameters
    ----------
    app : ASGI application
        Streamlit's application. Its settings ``server.baseUrlPath``, ``server.enableCORS`` and
        ``server.corsAllowedOrigins`` apply here too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        base = st.get_option("server.baseUrlPath").strip("/")
        self.base = f"/{base}" if base else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _path(self, scope: Scope) -> str:
        """Return a request's path below ``server.baseUrlPath``; empty if it is not below that."""
        path: str = scope["path"]
        if not path.startswith(self.base):
            return ""
        return path[len(self.base) :] or "/"

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_ambiguous(Headers(scope=scope)):
            closing = {"Connection": "close"}
            text = "A request must not have both Content-Length and Transfer-Encoding.\n"
            await PlainTextResponse(text, 400, closing)(scope, receive, send)
            return
        path = self._path(scope)
        upload = path.startswith(UPLOADS)
        if not upload and path not in PATHS and not path.startswith(FOLDERS):
            await PlainTextResponse("Not found.\n", 404)(scope, receive, send)
            return
        methods = ("PUT", "DELETE") if upload else ("GET", "HEAD")
        if scope["method"] not in methods:
            allowed = {"Allow": ", ".join(methods)}
            await PlainTextResponse("Not allowed.\n", 405, allowed)(scope, receive, send)
            return
        if scope["path"][len(self.base) :] in PAGES or path.startswith(STATIC):
            scope = {**scope, "path": path}  # routes and cached files have no base path
        await self.app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._path(scope) != STREAM or not _is_ours(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
            return
        # Given an origin of another host, Streamlit 1.67 looks up this machine's addresses, one of
        # them at a server on the internet, before it reads `corsAllowedOrigins`, and blocks the
        # event loop meanwhile. It accepts connections without an origin.
        headers = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        connection = Connection(receive, send)
        await self.app({**scope, "headers": headers}, connection.receive, connection.send)


def _is_ambiguous(headers: Headers) -> bool:
    """Return whether a proxy may disagree on where the request ends (RFC 9112, section 6.1)."""
    return "content-length" in headers and "transfer-encoding" in headers


def _is_ours(headers: Headers) -> bool:
    """Return whether a connection has an allowed origin, or none as from other programs."""
    origin = headers.get("origin")
    if origin is None or not st.get_option("server.enableCORS"):
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    others = {other.strip() for other in st.get_option("server.corsAllowedOrigins")}
    return (bool(host) and host == headers.get("host")) or origin in others
