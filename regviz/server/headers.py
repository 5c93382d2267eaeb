"""The security headers of every response."""

import base64
import hashlib
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regviz.server.index import Parts, document

MEDIA = "/media/"  # files made for visitors
SEALED = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
NEVER = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
    *("hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb"),
)


def content_policy(embed: Sequence[str] = (), page: str | None = None) -> str:
    """The content security policy of the page, as tight as Streamlit lets it be.

    Parameters
    ----------
    embed : sequence of str
        Origins whose pages may show ours in a frame; ``"*"`` stands for every page.
    page : str, optional
        HTML; by default the page that is served. Its inline scripts are allowed by their hashes,
        and no others.
    """
    parts = Parts(document() if page is None else page)
    hashes = [f"'sha256-{_hash(script)}'" for script in parts.inline]
    directives = {
        "default-src": ["'none'"],
        # Streamlit makes each component's stub a module with the address blob:, and the module
        # long.js among its scripts multiplies 64-bit integers in WebAssembly
        "script-src": ["'self'", *hashes, "blob:", "'wasm-unsafe-eval'"],
        # Streamlit and Plotly write style elements and attributes as they go
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


class SecurityHeaders:
    """ASGI middleware that adds the headers to every response, errors and refusals too.

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
            # a link may hold a visitor's own points
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in NEVER),
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
                    headers["Content-Security-Policy"] = SEALED
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _is_encrypted(scope: Scope) -> bool:
    """Whether a browser made a request by TLS, as the server knows or a proxy says.

    Any client may say so too: it is told then to keep its cookie to itself where there is no TLS.
    """
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    return "https" in (scope["scheme"], forwarded.split(",")[0].strip())


def _for_frames(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header; one that sets a cookie as browsers keep it in frames of other sites.

    The only cookie is Streamlit's token for uploads. A cookie of another site's frame must have
    ``SameSite=None``, which browsers take with ``Secure`` alone, and be partitioned by the page
    around where they block cookies of third parties.
    """
    name, value = header
    if name.lower() == b"set-cookie":
        pair, *attributes = value.split(b"; ")
        kept = [a for a in attributes if not a.startswith((b"SameSite", b"Secure"))]
        value = b"; ".join([pair, *kept, b"SameSite=None", b"Secure", b"Partitioned"])
    return name, value
