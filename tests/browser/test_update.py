"""Tests of an open page whose server is replaced by a later version."""

from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from devtools.board import SEARCH_BOARD
from devtools.serving import ROOT, serve
from tests.browser.conftest import poll_conditions
from tests.browser.visitor import wait_until_complete

# an additional file changes the address of all files
LATER_VERSION = """
import sys

if "streamlit" in sys.orig_argv:
    from regviz.server import assets

    now = assets.contents()
    assets.contents = lambda: now | {"later.js": b""}
"""
PLACES = """() => [...new Set(
  performance.getEntriesByType("resource")
    .map(({ name }) => /assets\\/[0-9a-f]{16}/.exec(name)?.[0])
    .filter(Boolean)
)]"""


def module_urls(page: Page) -> list[str]:
    """Return the URLs of our loaded modules."""
    return page.evaluate(PLACES)


def n_boards(page: Page) -> int:
    """Return the number of boards on the page."""
    return page.evaluate(
        f"({SEARCH_BOARD})(document).parentNode.querySelectorAll('.regviz-board').length"
    )


def test_an_open_page_is_loaded_anew_from_a_later_version(browser: Browser, tmp_path: Path):
    with closing(browser.new_context(reduced_motion="reduce")) as context:
        page = poll_conditions(context.new_page())
        with serve(tmp_path) as server:
            page.goto(f"{server.url}/?v=2&epochs=50&hidden=2&methods=none,l2")
            page.wait_for_selector(".regviz-board .card canvas")
            wait_until_complete(page)
            (before,) = module_urls(page)
        (tmp_path / "sitecustomize.py").write_text(LATER_VERSION)
        paths = f"{tmp_path}:{ROOT}"
        with serve(tmp_path, port=urlsplit(server.url).port, PYTHONPATH=paths):
            page.wait_for_event("load", timeout=60_000)
            page.wait_for_selector(".regviz-board .card canvas")
            wait_until_complete(page)
            (after,) = module_urls(page)
            assert after != before
            assert n_boards(page) == 1
            link = page.evaluate("window.board().recording.link")
            assert link == "hidden=2&epochs=50&methods=none,l2"
