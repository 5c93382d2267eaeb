"""Fixtures of the browser tests: a running server and Chromium."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Frame,
    Page,
    WebSocket,
    WebSocketRoute,
    expect,
    sync_playwright,
)
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from devtools.board import TWO_FRAGMENTS_WARNING
from devtools.browsers import find_chromium
from devtools.engines import find_firefox, find_webkit
from devtools.serving import Server, serve
from regviz.server.assets import assets_path

expect.set_options(timeout=30_000)  # the timeout of all other waiting in these tests

SET_ASSETS = f"window.assets = '/{assets_path()}';"  # base URL for imports by tests
BROWSERS = {"Chromium": find_chromium, "Firefox": find_firefox, "WebKitGTK": find_webkit}
SERVER_URL = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start one server for all processes of xdist, as each start takes seconds."""
    config = node.config
    if SERVER_URL not in config.stash:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        folder = Path(stack.enter_context(TemporaryDirectory()))
        config.stash[SERVER_URL] = stack.enter_context(serve(folder)).url
    node.workerinput["url"] = config.stash[SERVER_URL]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which browsers the tests have, and which they lack."""
    for name, find in BROWSERS.items():
        path = find()
        if not path:
            terminalreporter.write_line(f"{name}: not installed, its tests are skipped")
            continue
        # WebKitGTK's MiniBrowser does not say its version without a display
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"[\d.]+\d", said.stdout)
        terminalreporter.write_line(f"{name}: {version[0] if version else 'installed'}")


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with default settings."""
    if shared := getattr(request.config, "workerinput", {}).get("url"):
        yield shared
        return
    with serve(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture(scope="session")
def embeddable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose page any other page may embed."""
    with serve(tmp_path_factory.mktemp("embeddable"), REGVIZ_EMBED="*") as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    path = find_chromium()
    assert path, "no Chromium: run devtools/browsers.py, as make test does"
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    sandbox = ["--no-sandbox"] if root else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=[*sandbox, "--disable-background-networking", "--no-first-run"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser context shared by all pages, so that the browser caches their code."""
    with browser.new_context() as context:
        context.add_init_script(SET_ASSETS)
        yield context


def poll_conditions(page: Page | Frame) -> Any:
    """Replace `wait_for_function`, which the page's policy forbids, by polling from Python."""

    def wait_for_function(expression: str, *, arg: Any = None, timeout: float = 30_000) -> None:
        deadline = time.monotonic() + timeout / 1000
        delay_ms = 20.0  # ms between polls; increases, as each poll takes processor time
        while not page.evaluate(expression, arg):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression} is still not true")
            page.wait_for_timeout(delay_ms)
            delay_ms = min(1.2 * delay_ms, 250)

    page.wait_for_function = wait_for_function
    if isinstance(page, Page):
        page.exchange = MessageMonitor(page)
    return page


class MessageMonitor:
    """A monitor of a page's WebSocket messages, which show whether the page's script runs.

    Attributes
    ----------
    n_sent : int
        Messages that the page has sent.
    idle : bool
        Whether the script has started after the page's last request, and has finished.
    """

    def __init__(self, page: Page) -> None:
        self.n_sent, self.idle = 0, False
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        requested, running = True, False

        def sent(payload: str | bytes) -> None:
            nonlocal requested
            self.n_sent += 1
            assert isinstance(payload, bytes)
            if BackMsg.FromString(payload).WhichOneof("type") == "rerun_script":
                requested, self.idle = True, False

        def received(payload: str | bytes) -> None:
            nonlocal requested, running
            assert isinstance(payload, bytes)
            message = ForwardMsg.FromString(payload)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                requested, running = False, True
            elif kind == "script_finished":
                running = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            self.idle = not requested and not running

        socket.on("framesent", sent)
        socket.on("framereceived", received)


class MessageHolder:
    """Holds messages between the pages of a browser context and the server back.

    Parameters
    ----------
    context : BrowserContext
        Context without pages.
    kind : type
        ``BackMsg`` for messages to the server, ``ForwardMsg`` for messages to the page.
    held_back : callable
        Takes a message, and returns whether it is one to hold back.

    Attributes
    ----------
    holding : bool
        Whether messages are held back now.
    messages : list
        The messages that are held back.
    """

    def __init__(
        self,
        context: BrowserContext,
        kind: type[BackMsg] | type[ForwardMsg],
        held_back: Callable[[Any], bool] = lambda message: True,
    ):
        self.holding = False
        self._held: list[tuple[Any, Callable[[], None]]] = []
        self._kind, self._held_back = kind, held_back
        context.route_web_socket(re.compile("/_stcore/stream"), self._follow)

    def _follow(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        source, target = (socket, server) if self._kind is BackMsg else (server, socket)

        def forward(data: str | bytes) -> None:
            assert isinstance(data, bytes)
            message = self._kind.FromString(data)
            if self.holding and self._held_back(message):
                self._held.append((message, lambda: target.send(data)))
            else:
                target.send(data)

        source.on_message(forward)

    @property
    def messages(self) -> list[Any]:
        return [message for message, _ in self._held]

    def release(self, first: int = 0) -> None:
        """Send the held messages from index `first` on, drop the others, and stop holding."""
        self.holding = False
        held, self._held = self._held, []
        for _, send in held[first:]:
            send()


def wait_until(page: Page, condition: Callable[[], Any], timeout: float = 30) -> Any:
    """Return a condition's value once it is true, while Playwright dispatches events."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition does not come true"
        page.wait_for_timeout(20)
    return value


@contextmanager
def page_opener(
    context: BrowserContext, url: str, script: str = ""
) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens the playground, with an optional script run before the page's.

    Fails at the end if a page has written warnings or errors to its console.
    """
    console_errors: list[str] = []
    pages: list[Page] = []

    def record_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(
            TWO_FRAGMENTS_WARNING
        ):
            console_errors.append(f"{message.text} ({message.location['url']})")

    # animations are off unless a test asks for them, as they take processor time
    def open_playground(
        width: int = 1400,
        height: int = 900,
        scheme: Any = "light",
        query: str = "",
        reduced_motion: Any = "reduce",
    ) -> Page:
        is_first = not context.pages
        page = poll_conditions(context.new_page())
        pages.append(page)
        if is_first:
            clear_site_data(page, url)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion=reduced_motion)
        page.add_init_script(script)
        page.on("console", record_message)
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        page.goto(url + query)
        page.wait_for_selector(".regviz-board .card canvas", timeout=60_000)
        return page

    yield open_playground
    for page in pages:
        page.close()
    assert console_errors == []


def clear_site_data(page: Page, url: str) -> None:
    """Clear the cookies and storage of earlier pages."""
    storage_types = "cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage"
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": storage_types})
    session.detach()
    page.context.clear_cookies()


@pytest.fixture
def open_page(context: BrowserContext, url: str) -> Iterator[Callable[..., Page]]:
    """A function that opens the playground, for one test."""
    with page_opener(context, url) as open_playground:
        yield open_playground


@pytest.fixture(scope="module")
def open_pages(context: BrowserContext, url: str) -> Iterator[Callable[..., Page]]:
    """A function that opens the playground, for pages shared by a module's tests."""
    with page_opener(context, url) as open_playground:
        yield open_playground


@pytest.fixture(scope="module")
def blank(browser: Browser, url: str) -> Iterator[Page]:
    """A page of the server's origin, from which its modules can be imported."""
    page = browser.new_page()
    page.add_init_script(SET_ASSETS)
    page.goto(f"{url}/{assets_path()}/logo.svg")
    yield page
    page.close()
