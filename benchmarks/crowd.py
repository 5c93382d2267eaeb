"""A server with its visitors, and their use of processors."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

from benchmarks.real_browser import RealBrowser
from benchmarks.screens import Board, Charts, Screen, Showing
from benchmarks.server import Server, descent, machine, processor
from benchmarks.tables import Row
from benchmarks.visitors import Visitor

APP, NAIVE = "app.py", "benchmarks/naive_page.py"
WAIT = 60.0  # timeout for a recording to arrive, in seconds
WARM = 3.0  # stay of the first visitor, in seconds


def there(showing: Showing) -> bool:
    """Return whether the whole recording has arrived."""
    return showing.whole is not None


class Crowd:
    """Context manager of a server and its visitors.

    On entering, one visitor opens the page and leaves, so that modules are imported.

    Parameters
    ----------
    script : str
        The script to serve: `APP` or `NAIVE`.
    port : int
    with_browser : bool
        Whether a real browser is one of the visitors.

    Attributes
    ----------
    server : Server
    visitors : list of Visitor
        The synthetic visitors at present.
    browser : RealBrowser or None
    """

    def __init__(self, script: str, port: int, with_browser: bool) -> None:
        self.screen: Callable[[], Screen] = Board if script == APP else Charts
        self.server = Server(script, port)
        self.visitors: list[Visitor] = []
        self.browser = RealBrowser(self.server.address) if with_browser else None
        self._errors: list[str] = []
        self._stack = AsyncExitStack()
        self._began: dict[str, float] = {}
        self._n_trained = 0

    async def __aenter__(self) -> Self:
        try:
            self._stack.enter_context(self.server)
            if self.browser is not None:
                await self._stack.enter_async_context(self.browser)
            self.come(1)
            showings = await self.open("")
            await self.wait(showings)
            await asyncio.sleep(WARM)
            await self.leave()
        except BaseException:
            await self._stack.aclose()
            raise
        self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()
        await self._stack.aclose()

    def begin(self) -> None:
        """Start the measurement of processor time and trainings."""
        self._began = self._used()
        self._n_trained = len(self.server.trainings())

    def _used(self) -> dict[str, float]:
        """Return seconds of processor time by user, and the current time under the key ""."""
        server, own = set(self.server.pids()), os.getpid()
        used = {
            "the server": processor(server),
            "the synthetic visitors": processor([own]),
            "the real browser": processor(set(descent(own)) - server - {own}),
        }
        others = machine() - sum(used.values())
        return used | {"other processes": others, "": time.perf_counter()}

    def come(self, n: int) -> list[Visitor]:
        """Add ``n`` synthetic visitors, who have not opened the page yet."""
        new = [Visitor(self.server.address, self.screen) for _ in range(n)]
        self.visitors += new
        return new

    async def open(self, query: str, files: tuple[str, ...] = ()) -> list[Showing]:
        """Open a link by all synthetic visitors at once."""
        synthetic = [visitor.open(query, files) for visitor in self.visitors]
        return list(await asyncio.gather(*synthetic))

    async def wait(self, showings: list[Showing], until: Callable[[Showing], bool] = there) -> None:
        """Wait until the condition holds for all of ``showings``, for at most `WAIT` seconds."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and not all(map(until, showings)):
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """Close the connections of all synthetic visitors."""
        for visitor in self.visitors:
            self._errors += visitor.errors
        await asyncio.gather(*(visitor.close() for visitor in self.visitors))
        self.visitors.clear()

    def trained(self) -> int:
        """Return the number of trainings that have ended since `begin`; a grid counts as two."""
        return len(self.server.trainings()) - self._n_trained

    def n_alerts(self) -> int:
        """Return the number of alert boxes that visitors have received, such as to wait."""
        return sum(len(visitor.alerts) for visitor in self.visitors)

    def processors(self) -> list[Row]:
        """Return rows of the mean use of processors since `begin`, by user."""
        now = self._used()
        taken = now.pop("") - self._began[""]
        return [
            Row(
                f"processors: {who}",
                max(0.0, used - self._began[who]) / taken,
                f"of {os.cpu_count()}",
            )
            for who, used in now.items()
        ]

    def errors(self) -> list[str]:
        """Return all errors on the pages and in the server's log."""
        pages = [error for visitor in self.visitors for error in visitor.errors]
        browser = self.browser.errors if self.browser is not None else []
        return self._errors + pages + browser + self.server.tracebacks()
