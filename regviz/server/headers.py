"""The security headers of every response."""

import base64
import functools
import hashlib
import logging
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regviz.server.index import Parts, document
from regviz.server.internals import find_name

_logger = logging.getLogger("regviz.errors")

UPLOAD_COOKIE = "streamlit.web.server.starlette.starlette_server_config:XSRF_COOKIE_NAME"
MEDIA = "/media/"  # downloads made for visitors
MEDIA_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
UNUSED_FEATURES = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
    *("hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb"),
)


def content_policy(embed: Sequence[str] = (), page: str | None = None) -> str:
    """Return the page's content security policy, the strictest under which Streamlit works.

    Parameters
    ----------
    embed : sequence of str
        Origins whose pages may show ours in a frame; ``"*"`` stands for every page.
    page : str, optional
        HTML; by default the page that is served. Only its own inline scripts are allowed, each by
        its SHA-256 hash.
    """
    parts = Parts(document() if page is None else page)
    hashes = [f"'sha256-{_hash(script)}'" for script in parts.inline]
    directives = {
        "default-src": ["'none'"],
        # Streamlit loads each component's stub as a module from a blob: URL, and its module
        # long.js multiplies 64-bit integers in WebAssembly
        "script-src": ["'self'", *hashes, "blob:", "'wasm-unsafe-eval'"],
        # Streamlit and Plotly create style elements and attributes at run time
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'", *embed],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@functools.cache
def upload_cookie() -> str | None:
    """Return the name of the cookie that Streamlit requires for uploads, None if it is unknown.

    If it is unknown, a warning is logged. Then browsers that cannot upload are not told in advance.
    """
    name = find_name(UPLOAD_COOKIE)
    if name is None:
        _logger.warning(
            "browsers that keep no cookie are not told so: there is no %s", UPLOAD_COOKIE
        )
    return name


class SecurityHeaders:
    """ASGI middleware that adds security headers to every response, including errors.

    Parameters
    ----------
    app : ASGI application
    embed : sequence of str
        Origins whose pages may show ours in a frame; ``"*"`` stands for every page.
    """

    def __init__(self, app: ASGIApp, embed: Sequence[str] = ()) -> None:
        self.app, self.embed = app, bool(embed)
        self.headers = {
            "Content-Security-Policy": content_policy(embed),
            "X-Content-Type-Options": "nosniff",
            # a link can contain a visitor's own points
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if not embed:
            self.headers["X-Frame-Options"] = "SAMEORIGIN"
            self.headers["Cross-Origin-Resource-Policy"] = "same-origin"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
                if self.embed and _is_encrypted(scope):
                    headers.raw[:] = map(_for_frames, headers.raw)
                if scope["type"] == "http" and MEDIA in scope["path"]:
                    headers["Content-Security-Policy"] = MEDIA_POLICY
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _is_encrypted(scope: Scope) -> bool:
    """Return whether a request came by TLS, to the server or to a proxy that forwards it.

    A client can forge the proxy's header, but harms only itself: browsers do not keep a ``Secure``
    cookie without TLS.
    """
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    return "https" in (scope["scheme"], forwarded.split(",")[0].strip())


def _for_frames(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header, with the attributes of a cookie changed for frames on other sites.

    The only cookie is Streamlit's token for uploads. In a frame on another site, browsers require
    ``SameSite=None`` with ``Secure``, and ``Partitioned`` if they block third-party cookies.
    """
    name, value = header
    if name.lower() == b"set-cookie":
        pair, *attributes = value.split(b"; ")
        kept = [a for a in attributes if not a.startswith((b"SameSite", b"Secure"))]
        value = b"; ".join([pair, *kept, b"SameSite=None", b"Secure", b"Partitioned"])
    return name, value
