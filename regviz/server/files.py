"""Files of the page, kept in memory and compressed once: a new browser asks for over a hundred."""

import functools
import gzip
from collections.abc import Collection, Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

TEXTS = (".css", ".js", ".svg")  # what becomes smaller by being compressed
UNCHANGING = "public, immutable, max-age=31536000"  # for as long as caches may be told, a year

_starlette = StaticFiles()


def below(address: str, folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    """Files of some kinds in a folder, and in those that it holds.

    Parameters
    ----------
    address : str
        Where the folder is served, such as ``"/static"``.
    folder : Path
    suffixes : collection of str
        Such as ``".js"``.

    Returns
    -------
    dict of str to Path
        By their addresses.
    """
    paths = [path for path in folder.rglob("*") if path.suffix in suffixes]
    return {f"{address}/{path.relative_to(folder).as_posix()}": path for path in paths}


class Kept:
    """ASGI middleware that serves files as they were when they were first asked for.

    Starlette's own sends other threads to the disk, several times for each request, and its
    `GZipMiddleware` compresses anew what it has compressed before: a class that comes with empty
    caches waits twice as long.

    Parameters
    ----------
    app : ASGI application
        It answers whatever else is asked for, but nothing in the folders that these files are in.
    files : mapping of str to Path
        By their addresses, each of which stands for this content for good.
    """

    def __init__(self, app: ASGIApp, files: Mapping[str, Path]) -> None:
        self.app, self.files = app, files
        self.folders = tuple({f"/{address.split('/')[1]}/" for address in files})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file, refuse what is not there, or pass the request on."""
        answer: ASGIApp = self.app
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            if scope["path"] in self.files:
                answer = _answer(self.files[scope["path"]], Headers(scope=scope))
            elif scope["path"].startswith(self.folders):
                answer = PlainTextResponse("Not found.\n", 404)
        await answer(scope, receive, send)


def _answer(file: Path, asked: Headers) -> Response:
    """A file, or that the browser's copy of it still holds."""
    small = file.suffix in TEXTS and "gzip" in asked.get("accept-encoding", "")
    content, headers = _read_compressed(file) if small else _read(file)
    response = Response(content, headers=headers)
    if _starlette.is_not_modified(response.headers, asked):
        return NotModifiedResponse(response.headers)
    return response


@functools.cache
def _read(path: Path) -> tuple[bytes, dict[str, str]]:
    """A file, and what Starlette says of it: type, length, age and mark."""
    headers = dict(FileResponse(path, stat_result=path.stat()).headers)
    del headers["accept-ranges"]
    headers["cache-control"] = UNCHANGING
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
