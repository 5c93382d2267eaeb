"""A server and its visitors, and what both use of this machine."""

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
WAIT = 60.0  # seconds after which what has not come does not come
WARM = 3.0  # seconds that the first visitor stays


def there(showing: Showing) -> bool:
    """Whether all has come."""
    return showing.whole is not None


class Crowd:
    """Visitors of a server that serves them for as long as the ``async with`` block lasts.

    One visitor has been there before: for the first of a process modules are imported.

    Parameters
    ----------
    script : str
        What is served: `APP` or `NAIVE`.
    port : int
    with_browser : bool
        Whether a real browser is among the visitors.

    Attributes
    ----------
    server : Server
    visitors : list of Visitor
        The synthetic ones that are there.
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
        """Count processor time and trainings from now on."""
        self._began = self._used()
        self._n_trained = len(self.server.trainings())

    def _used(self) -> dict[str, float]:
        """Seconds of processor time by who used them, and the time."""
        server, own = set(self.server.pids()), os.getpid()
        used = {
            "the server": processor(server),
            "the synthetic visitors": processor([own]),
            "the real browser": processor(set(descent(own)) - server - {own}),
        }
        others = machine() - sum(used.values())
        return used | {"what has nothing to do with this": others, "": time.perf_counter()}

    def come(self, n: int) -> list[Visitor]:
        """So many visitors more, who have not opened the page yet."""
        new = [Visitor(self.server.address, self.screen) for _ in range(n)]
        self.visitors += new
        return new

    async def open(self, query: str, files: tuple[str, ...] = ()) -> list[Showing]:
        """All synthetic visitors open a link at once."""
        synthetic = [visitor.open(query, files) for visitor in self.visitors]
        return list(await asyncio.gather(*synthetic))

    async def wait(self, showings: list[Showing], until: Callable[[Showing], bool] = there) -> None:
        """Wait until all has come, or `WAIT`."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and not all(map(until, showings)):
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """All synthetic visitors leave."""
        for visitor in self.visitors:
            self._errors += visitor.errors
        await asyncio.gather(*(visitor.close() for visitor in self.visitors))
        self.visitors.clear()

    def trained(self) -> int:
        """How many trainings have ended since the load began; a grid is two."""
        return len(self.server.trainings()) - self._n_trained

    def told(self) -> int:
        """How often the page has told a visitor something in a box, such as that he has to wait."""
        return sum(len(visitor.alerts) for visitor in self.visitors)

    def processors(self) -> list[Row]:
        """Rows of the processors' use since the load began, by process."""
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
        """All that has gone wrong, on the pages and in the server's log."""
        pages = [error for visitor in self.visitors for error in visitor.errors]
        browser = self.browser.errors if self.browser is not None else []
        return self._errors + pages + browser + self.server.tracebacks()
