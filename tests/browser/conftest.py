"""A real server and a real Chromium."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, expect, sync_playwright

from tests.browser.install import find_chromium
from tests.serving import serve

expect.set_options(timeout=30_000)  # as long as everything else is waited for: machines may be busy

# Streamlit says so when a control moves in the instant in which the board asks for frames;
# `controls.moved` sees to it that the move counts.
TWO_AT_ONCE = "Unexpected state: Multiple different fragmentIds"


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that was started the way the README says."""
    with serve(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    path = find_chromium()
    assert path, "no Chromium: run tests/browser/install.py, as make test does"
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    sandbox = ["--no-sandbox"] if root else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=[*sandbox, "--disable-background-networking", "--no-first-run"],
        )
        yield chromium
        chromium.close()


def patient(page: Page | Frame) -> Any:
    """Let `wait_for_function` ask from outside: from within, the page's policy forbids it."""

    def wait_for_function(expression: str, *, arg: Any = None, timeout: float = 30_000) -> None:
        deadline = time.monotonic() + timeout / 1000
        rest = 20.0  # ms, and longer the longer it takes: who asks keeps a processor busy
        while not page.evaluate(expression, arg):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression} is still not true")
            page.wait_for_timeout(rest)
            rest = min(1.2 * rest, 250)

    page.wait_for_function = wait_for_function
    return page


@contextmanager
def visits(browser: Browser, url: str, script: str = "") -> Iterator[Callable[..., Page]]:
    """What opens the playground, after a script if there is one.

    At the end no page may have complained on its console.
    """
    complaints: list[str] = []
    contexts = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(TWO_AT_ONCE):
            complaints.append(message.text)

    def opened(
        width: int = 1400, height: int = 900, scheme: str = "light", query: str = "", **more: Any
    ) -> Page:
        # a run that plays by itself keeps a processor busy: who wants to see that says so
        more = {"reduced_motion": "reduce"} | more
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **more
        )
        contexts.append(context)
        context.add_init_script(script)
        page = patient(context.new_page())
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url + query)
        page.wait_for_selector(".regviz-board .card canvas", timeout=60_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Open the playground, for one test."""
    with visits(browser, url) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_pages(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Open the playground, for a module's tests to share."""
    with visits(browser, url) as opened:
        yield opened


@pytest.fixture(scope="module")
def blank(browser: Browser, url: str) -> Iterator[Page]:
    """A page of the server's origin, from which its modules can be imported."""
    page = browser.new_page()
    page.goto(f"{url}/assets/logo.svg")
    yield page
    page.close()


def find_board(page: Page) -> str:
    """JavaScript that finds the board's root element, inside its shadow root."""
    page.evaluate(
        """() => {
          const search = (root) => {
            const found = root.querySelector(".regviz-board");
            if (found) return found;
            for (const element of root.querySelectorAll("*"))
              if (element.shadowRoot) {
                const inner = search(element.shadowRoot);
                if (inner) return inner;
              }
            return null;
          };
          window.board = () => search(document).regviz;
        }"""
    )
    return "window.board()"
