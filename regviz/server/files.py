"""Files of the page, kept in memory and compressed once: a new browser asks for over a hundred."""

import asyncio
import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

TEXTS = (".css", ".html", ".js", ".svg")  # what becomes smaller by being compressed
UNCHANGING = "public, immutable, max-age=31536000"  # for as long as caches may be told, a year

_starlette = StaticFiles()


class File:
    """What is served at an address, as it was when it was first asked for.

    Parameters
    ----------
    name : str
        Its ending tells the type.
    read : callable
        Returns the content; called once, in another thread.
    caching : str, optional
        What caches are told; by default that the address stands for this content for good.
    """

    def __init__(self, name: str, read: Callable[[], bytes], caching: str = UNCHANGING) -> None:
        self.kind, _ = mimetypes.guess_type(name)
        self.is_text = name.endswith(TEXTS)
        self.caching = caching
        self._read = read
        self._lock = asyncio.Lock()  # so that a class that comes at once has it read once
        self._plain: tuple[bytes, str] | None = None
        self._compressed: bytes | None = None

    async def answer(self, asked: Headers) -> Response:
        """The answer to a request: the content, or that the browser's copy of it still holds."""
        small = self.is_text and "gzip" in asked.get("accept-encoding", "")
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
        if _starlette.is_not_modified(response.headers, asked):
            return NotModifiedResponse(response.headers)
        return response

    def _load(self) -> tuple[bytes, str]:
        content = self._read()
        return content, hashlib.sha256(content).hexdigest()[:16]


class StaticCache:
    """ASGI middleware that serves files from memory.

    Starlette's own sends other threads to the disk, several times for each request, and its
    `GZipMiddleware` compresses anew what it has compressed before: a class that comes with empty
    caches waits twice as long.

    Parameters
    ----------
    app : ASGI application
        It answers whatever else is asked for. What is looked for in the folders that these files
        are in, and is none of them, is not there.
    files : mapping of str to File
        By their addresses.
    """

    def __init__(self, app: ASGIApp, files: Mapping[str, File]) -> None:
        self.app, self.files = app, files
        self.folders = tuple({f"/{address.split('/')[1]}/" for address in files})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file, answer 404 where there is none, or pass the request on."""
        answer: ASGIApp = self.app
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            if scope["path"] in self.files:
                answer = await self.files[scope["path"]].answer(Headers(scope=scope))
            elif scope["path"].startswith(self.folders):
                answer = PlainTextResponse("Not found.\n", 404)
        await answer(scope, receive, send)
