"""Files of the page, kept in memory and compressed once: a new browser asks for over a hundred."""

import functools
import gzip
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

TEXTS = (".css", ".js", ".svg")  # what becomes smaller by being compressed


class Kept(StaticFiles):
    """ASGI application that serves files as they were when they were first asked for.

    Starlette's own sends other threads to the disk, several times for each request, which takes
    three times as long, and its `GZipMiddleware` compresses anew what it has compressed before.

    Parameters
    ----------
    files : mapping of str to Path
        By their paths below the address that this is mounted at.
    headers : mapping of str to str, optional
        Further headers of all answers.
    """

    def __init__(self, files: Mapping[str, Path], headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.files, self.headers = files, dict(headers or {})

    @classmethod
    def below(
        cls,
        folder: Path,
        suffixes: Collection[str],
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Files of some kinds in a folder, and in those that it holds."""
        paths = [path for path in folder.rglob("*") if path.suffix in suffixes]
        return cls({path.relative_to(folder).as_posix(): path for path in paths}, headers)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The answer to a request: a file, or that the browser's copy of it still holds."""
        if path not in self.files:
            raise HTTPException(404)
        asked, file = Headers(scope=scope), self.files[path]
        small = file.suffix in TEXTS and "gzip" in asked.get("accept-encoding", "")
        content, headers = _read_compressed(file) if small else _read(file)
        response = Response(content, headers=headers | self.headers)
        if self.is_not_modified(response.headers, asked):
            return NotModifiedResponse(response.headers)
        return response


class KeptBefore:
    """ASGI middleware that serves files at addresses where the application has others of its own.

    Parameters
    ----------
    app : ASGI application
        It answers whatever else is asked for.
    kept : Kept
        By their paths from the root.
    """

    def __init__(self, app: ASGIApp, kept: Kept) -> None:
        self.app, self.kept = app, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file, or pass the request on."""
        asked = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        known = asked and scope["path"].removeprefix("/") in self.kept.files
        await (self.kept if known else self.app)(scope, receive, send)


@functools.cache
def _read(path: Path) -> tuple[bytes, dict[str, str]]:
    """A file, and what Starlette says of it: type, length, age and mark."""
    headers = dict(FileResponse(path, stat_result=path.stat()).headers)
    del headers["accept-ranges"]
    if path.suffix in TEXTS:
        headers["vary"] = "Accept-Encoding"
    return path.read_bytes(), headers


@functools.cache
def _read_compressed(path: Path) -> tuple[bytes, dict[str, str]]:
    """The same, with a mark of its own."""
    content, headers = _read(path)
    content = gzip.compress(content, mtime=0)
    mark = headers["etag"].removesuffix('"') + '-gzip"'
    length = str(len(content))
    return content, headers | {"content-encoding": "gzip", "content-length": length, "etag": mark}
