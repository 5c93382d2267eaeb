"""Tests of every view with the accessibility checker axe-core."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from regviz.pages.understand import VIEWS
from tests.browser import test_offline
from tests.browser.test_access import LOW_CONTRAST_TEXTS
from tests.browser.test_own_points import TABLE
from tests.browser.test_views import close, view
from tests.browser.visitor import (
    OpenPage,
    seek,
    select_radio,
    upload,
    wait_until_complete,
    wait_until_settled,
)

RULES = {
    # WCAG 2.0 to 2.2 at levels A and AA, and axe-core's best practices, such as headings
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
    "resultTypes": ["violations"],
    "preload": False,  # it reloads style sheets relative to the page's address, not theirs
}
# Rules and the elements of Streamlit that violate them, by their test ids; not ours to fix.
ACCEPTED = {
    # the area onto which files are dragged has a role and a name that exclude each other; the
    # button in it is what keyboards and screen readers use
    ("presentation-role-conflict", "stFileUploaderDropzone"),
}


def found(page: Page) -> list[tuple[str, str, str]]:
    """Return rule, element and advice of each violation."""
    violations = Axe().run(page, options=RULES).response["violations"]
    return [
        (violation["id"], node["html"], node["failureSummary"])
        for violation in violations
        for node in violation["nodes"]
    ]


def accepted_violations(rule: str, html: str) -> set[tuple[str, str]]:
    """Return the entries of `ACCEPTED` that match a violation."""
    start = html.partition(">")[0]
    return {(r, name) for r, name in ACCEPTED if r == rule and f'data-testid="{name}"' in start}


def assert_accessible(page: Page) -> None:
    # the board's bar covers buttons while it sticks, which axe-core then reports as too small
    page.evaluate(
        """() => {
          document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
          window.board().transport.element.style.position = "static";
        }"""
    )
    assert [each for each in found(page) if not accepted_violations(*each[:2])] == []
    # axe-core leaves out texts whose ancestors overlap or are translucent, such as captions
    assert page.evaluate(LOW_CONTRAST_TEXTS, "body")[1] == []


@contextmanager
def popover(page: Page, name: str, text: str) -> Iterator[None]:
    """Open the popover of a button above the board until the context ends."""
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text(text)).to_be_visible()
    wait_until_settled(page)
    yield
    page.keyboard.press("Escape")
    expect(page.get_by_text(text)).to_have_count(0)


@contextmanager
def keyboard_help(page: Page) -> Iterator[None]:
    page.evaluate("window.board().help.element.showModal()")
    yield
    page.evaluate("window.board().help.element.close()")


@contextmanager
def understand(page: Page, name: str) -> Iterator[None]:
    view(page, name)
    wait_until_settled(page)
    yield
    close(page, name)


@contextmanager
def editor(page: Page) -> Iterator[None]:
    page.locator(".network .units button").last.click()
    expect(page.get_by_role("dialog", name="Change the weights of output")).to_be_visible()
    yield
    page.keyboard.press("Escape")


@contextmanager
def all_methods(page: Page) -> Iterator[None]:
    switches = page.get_by_role("button", name="all methods").all()
    for switch in switches:
        switch.click()
    wait_until_settled(page)
    yield
    for switch in switches:
        switch.click()


@contextmanager
def draw(page: Page) -> Iterator[None]:
    select_radio(page, "Draw")
    expect(page.locator(".regviz-draw .status")).to_contain_text("0 points")
    wait_until_settled(page)
    yield
    select_radio(page, "Examples")


@contextmanager
def uploads(page: Page, table: str = "") -> Iterator[None]:
    select_radio(page, "Upload")
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
    if table:
        upload(page, "birds.csv", table)
        expect(page.get_by_text("40 points: 2 classes")).to_be_visible()
    wait_until_settled(page)
    yield
    select_radio(page, "Examples")


PLACES: dict[str, Callable[[Page], Any]] = {
    "help": keyboard_help,
    "editor": editor,
    "all methods": all_methods,
    "share": lambda page: popover(page, "Share", "A link to what you see"),
    "save": lambda page: popover(page, "Save · open", "Take it away"),
    **{name: lambda page, name=name: understand(page, name) for name in VIEWS},
    "draw": draw,
    "upload": uploads,
    "uploaded": lambda page: uploads(page, TABLE),
}


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request: pytest.FixtureRequest, open_pages: OpenPage) -> Page:
    """The playground in one theme, at the end of a short run."""
    page = open_pages(scheme=request.param, query="?v=2&epochs=50")
    wait_until_complete(page)
    seek(page, -1)
    wait_until_settled(page)
    return page


def test_the_board_and_its_controls_are_accessible(page: Page):
    assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_an_accessible_page(open_page: OpenPage, scheme: str):
    page = open_page(390, 844, scheme, "?v=2&epochs=50")
    wait_until_complete(page)
    wait_until_settled(page)
    assert_accessible(page)


@pytest.mark.parametrize("place", PLACES)
def test_a_view_is_accessible(page: Page, place: str):
    with PLACES[place](page):
        assert_accessible(page)


def test_what_streamlit_breaks_it_still_breaks(page: Page):
    with uploads(page):
        assert set().union(*(accepted_violations(*each[:2]) for each in found(page))) == ACCEPTED


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_offline_file_is_accessible(browser: Browser, tmp_path: Path, scheme: str):
    with test_offline.offline_opener(browser, tmp_path) as open_file:
        html = test_offline.run_of().page("A run", "About it.")
        assert_accessible(test_offline.at_rest(open_file(html, color_scheme=scheme)))
