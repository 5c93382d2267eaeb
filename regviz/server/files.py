"""Files of the page, kept in memory: a browser that comes for the first time asks for sixty."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

PARTS = (".css", ".js", ".svg")  # what a page is made of: files of a few kilobytes


class Kept(StaticFiles):
    """ASGI application that serves files as they were when they were first asked for.

    Starlette's own sends other threads to the disk, several times for each request, which takes
    three times as long.

    Parameters
    ----------
    files : mapping of str to Path
        By their paths below the address that this is mounted at; ``"."`` is that address itself.
    headers : mapping of str to str, optional
        Further headers of all answers.
    """

    def __init__(self, files: Mapping[str, Path], headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.files, self.headers = files, dict(headers or {})

    @classmethod
    def below(cls, folder: Path) -> Self:
        """What pages are made of in a folder, and in those that it holds."""
        paths = [path for path in folder.rglob("*") if path.suffix in PARTS]
        return cls({path.relative_to(folder).as_posix(): path for path in paths})

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The answer to a request: a file, or that the browser's copy of it still holds."""
        if path not in self.files:
            raise HTTPException(404)
        content, headers = _read(self.files[path])
        response = Response(content, headers=headers | self.headers)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


@functools.cache
def _read(path: Path) -> tuple[bytes, dict[str, str]]:
    """A file, and what Starlette says of it: type, length, age and mark."""
    headers = dict(FileResponse(path, stat_result=path.stat()).headers)
    del headers["accept-ranges"]
    return path.read_bytes(), headers
