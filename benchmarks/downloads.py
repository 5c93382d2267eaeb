"""A minimal HTTP/1.1 client with persistent connections and cookies."""

import asyncio
import contextlib
from collections.abc import Iterable
from urllib.parse import urlsplit

CONNECTIONS = 6  # browsers' limit of connections to one server with HTTP/1.1
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Browser:
    """Downloads files from one server for one visitor, and discards them.

    Parameters
    ----------
    address : str
        Address of the server, such as ``http://127.0.0.1:8501``.

    Attributes
    ----------
    cookies : dict of str to str
        Cookies that the server has set.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme != "http" or parts.hostname is None or parts.port is None:
            raise ValueError(f"address must be like 'http://127.0.0.1:8501', got {address!r}")
        self._host, self._port = parts.hostname, parts.port
        self._free: list[Connection] = []
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, page: bool = False) -> None:
        """Download a file.

        Parameters
        ----------
        path : str
            Path with the query string.
        page : bool
            Whether to send the ``Accept`` header of a page instead of that of a file.

        Raises
        ------
        OSError
            If the server cannot be reached, or the status is not 200.
        """
        if self._free:
            reader, writer = self._free.pop()
        else:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Accept: {HTML if page else '*/*'}",
            "Accept-Encoding: gzip, deflate, br",
            *([f"Cookie: {cookie}"] if cookie else []),
        ]
        writer.write("\r\n".join([*lines, "\r\n"]).encode())
        try:
            status, headers = await self._head(reader)
            await self._skip(reader, headers)
        except asyncio.IncompleteReadError:
            raise OSError(f"the server broke off {path.split('?')[0]}") from None
        if headers.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._free.append((reader, writer))
        if status != 200:
            raise OSError(f"status {status} for {path.split('?')[0]}")

    async def get_all(self, paths: Iterable[str]) -> None:
        """Download files over at most `CONNECTIONS` connections at a time."""
        waiting = iter(paths)

        async def work() -> None:
            for path in waiting:
                await self.get(path)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    def close(self) -> None:
        """Close the connections."""
        for _, writer in self._free:
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()
        self._free.clear()

    async def _head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key.strip()] = rest.split(";")[0]
        return int(first.split(" ", 2)[1]), headers

    async def _skip(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
        if headers.get("transfer-encoding") == "chunked":
            size = -1
            while size != 0:
                size = int(await reader.readuntil(b"\r\n"), 16)
                await reader.readexactly(size + 2)
        else:
            await reader.readexactly(int(headers.get("content-length", 0)))
