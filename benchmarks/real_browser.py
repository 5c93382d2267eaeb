"""A visitor with a real browser: headless Chromium, controlled from a thread of its own."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from benchmarks.screens import Showing
from devtools.board import TWO_FRAGMENTS_WARNING, find_board
from devtools.browsers import find_chromium

CARD = ".regviz-board .card canvas"
SHOWN = "(seed) => (window.board().recording?.link ?? '').split('&').includes(seed)"
WHOLE = "() => window.board().complete"
PATIENCE = 60  # seconds

Result = TypeVar("Result")


class RealBrowser:
    """A visitor with a browser. Its times include drawing, unlike those of synthetic visitors.

    Parameters
    ----------
    address : str
        Address of the server.

    Attributes
    ----------
    errors : list of str
        Errors on the browser's console, uncaught exceptions, and timeouts.
    files : list of str
        Paths of the files that the browser has requested with an empty cache, in order.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.errors: list[str] = []
        self.files: list[str] = []
        self._thread = ThreadPoolExecutor(1)  # Playwright's objects belong to their thread
        self._browser: Browser
        self._page: Page

    async def __aenter__(self) -> Self:
        await self._do(self._launch)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._do(self._quit)
        self._thread.shutdown()

    async def open(self, query: str) -> Showing:
        """Open the page by a link, and wait until all networks have been received."""
        return await self._do(self._open, query)

    async def change(self, seed: int) -> Showing:
        """Set another seed, and wait until all networks have been received."""
        return await self._do(self._change, seed)

    async def leave(self) -> None:
        """Leave the page."""
        await self._do(lambda: self._page.goto("about:blank"))

    async def _do(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _launch(self) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-background-networking", "--no-first-run"],
        )
        # Playwright's wait_for_function needs eval, which the page's CSP forbids
        self._page = self._browser.new_page(
            viewport={"width": 1400, "height": 900}, bypass_csp=True
        )
        self._page.set_default_timeout(1000 * PATIENCE)
        self._page.on("console", self._hear)
        self._page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._page.on("request", self._load)

    def _quit(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(TWO_FRAGMENTS_WARNING):
            self.errors.append(message.text)

    def _load(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if (
            request.url.startswith(self.address)
            and "_stcore" not in parts.path
            and parts.path != "/"
        ):
            self.files.append(parts.path)

    def _open(self, query: str) -> Showing:
        showing = Showing(time.perf_counter())
        try:
            self._page.goto(f"{self.address}/?{query}", wait_until="commit")
            self._page.wait_for_selector(CARD)
            showing.first = time.perf_counter() - showing.asked
            find_board(self._page)
            self._follow(showing)
        except Exception as error:
            self.errors.append(f"{error}".splitlines()[0])
        return showing

    def _change(self, seed: int) -> Showing:
        field = self._page.get_by_label("Seed", exact=True)
        field.fill(str(seed))
        showing = Showing(time.perf_counter())
        try:
            field.press("Enter")
            self._page.wait_for_function(SHOWN, arg=f"seed={seed}", polling="raf")
            showing.first = time.perf_counter() - showing.asked
            self._follow(showing)
        except Exception as error:
            self.errors.append(f"{error}".splitlines()[0])
        return showing

    def _follow(self, showing: Showing) -> None:
        self._page.wait_for_function(WHOLE, polling=100)
        showing.whole = time.perf_counter() - showing.asked
