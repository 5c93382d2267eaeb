"""In-memory cache of static files, compressed once: a new browser requests over a hundred."""

import asyncio
import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

TEXTS = (".css", ".html", ".js", ".svg")  # suffixes of the files that are compressed
UNCHANGING = "public, immutable, max-age=31536000"  # one year

_starlette = StaticFiles()


class File:
    """A file served from memory, read at its first request.

    Parameters
    ----------
    name : str
        File name, whose suffix gives the media type.
    read : callable
        Returns the content as bytes; called once, in another thread.
    caching : str, optional
        The ``Cache-Control`` header; by default `UNCHANGING`.
    """

    def __init__(self, name: str, read: Callable[[], bytes], caching: str = UNCHANGING) -> None:
        self.kind, _ = mimetypes.guess_type(name)
        self.is_text = name.endswith(TEXTS)
        self.caching = caching
        self._read = read
        self._lock = asyncio.Lock()  # simultaneous first requests read the file once
        self._plain: tuple[bytes, str] | None = None
        self._compressed: bytes | None = None

    async def answer(self, request: Headers) -> Response:
        """Return the response to a request's headers: the content, or status 304 if unchanged."""
        small = self.is_text and "gzip" in request.get("accept-encoding", "")
        async with self._lock:
            if self._plain is None:
                self._plain = await asyncio.to_thread(self._load)
            if small and self._compressed is None:
                self._compressed = await asyncio.to_thread(gzip.compress, self._plain[0], mtime=0)
        content, mark = self._plain
        headers = {"cache-control": self.caching, "etag": f'"{mark}"'}
        if self.is_text:
            headers["vary"] = "Accept-Encoding"
        if small and self._compressed is not None:
            content = self._compressed
            headers |= {"content-encoding": "gzip", "etag": f'"{mark}.gz"'}
        response = Response(content, headers=headers, media_type=self.kind)
        if _starlette.is_not_modified(response.headers, request):
            return NotModifiedResponse(response.headers)
        return response

    def _load(self) -> tuple[bytes, str]:
        content = self._read()
        return content, hashlib.sha256(content).hexdigest()[:16]


class StaticCache:
    """ASGI middleware that serves files from memory.

    Starlette's `StaticFiles` reads the disk in other threads several times for each request, and
    `GZipMiddleware` compresses each response anew: thirty browsers with empty caches waited twice
    as long.

    Parameters
    ----------
    app : ASGI application
        Serves all other requests, except those for unknown files in the folders of ``files``, which
        are answered by status 404.
    files : mapping of str to File
        Files by URL path.
    """

    def __init__(self, app: ASGIApp, files: Mapping[str, File]) -> None:
        self.app, self.files = app, files
        self.folders = tuple({f"/{address.split('/')[1]}/" for address in files})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file, respond with status 404 if it is unknown, or pass the request on."""
        answer: ASGIApp = self.app
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            if scope["path"] in self.files:
                answer = await self.files[scope["path"]].answer(Headers(scope=scope))
            elif scope["path"].startswith(self.folders):
                answer = PlainTextResponse("Not found.\n", 404)
        await answer(scope, receive, send)
