"""Tests of every view: with the accessibility checker axe-core, and for texts that are cut off."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from regviz.pages.understand import VIEWS
from tests.browser import test_offline
from tests.browser.test_access import LOW_CONTRAST_TEXTS
from tests.browser.test_own_points import TABLE
from tests.browser.test_views import view
from tests.browser.visitor import (
    OpenPage,
    resize_window,
    seek,
    select_radio,
    upload,
    wait_until_complete,
    wait_until_idle,
    wait_until_settled,
)
from tests.browser.widths import assert_fits

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


# the only rule whose outcome depends on the theme
CONTRAST = RULES | {"runOnly": ["color-contrast"], "rules": {}}


def found(page: Page, options: dict[str, Any] = RULES) -> list[tuple[str, str, str]]:
    """Return rule, element and advice of each violation."""
    violations = Axe().run(page, options=options).response["violations"]
    return [
        (violation["id"], node["html"], node["failureSummary"])
        for violation in violations
        for node in violation["nodes"]
    ]


def accepted_violations(rule: str, html: str) -> set[tuple[str, str]]:
    """Return the entries of `ACCEPTED` that match a violation."""
    start = html.partition(">")[0]
    return {(r, name) for r, name in ACCEPTED if r == rule and f'data-testid="{name}"' in start}


def rules_in_both_themes(page: Page) -> Iterator[dict[str, Any]]:
    """Yield the options for axe-core in the page's theme, and then in the other theme."""
    yield RULES
    scheme: Any = {"light": "dark", "dark": "light"}[page.evaluate("board().stage.theme.mode")]
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"window.board().stage.theme.mode === {scheme!r}")
    if hasattr(page, "exchange"):
        wait_until_settled(page)
    else:  # an offline page, which has no server to wait for
        wait_until_idle(page)
    yield CONTRAST


def assert_accessible(page: Page) -> None:
    # the board's bar covers buttons while it sticks, which axe-core then reports as too small
    page.evaluate(
        """() => {
          document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
          window.board().transport.element.style.position = "static";
        }"""
    )
    for options in rules_in_both_themes(page):
        violations = found(page, options)
        assert [each for each in violations if not accepted_violations(*each[:2])] == []
        # axe-core leaves out texts whose ancestors overlap or are translucent, such as captions
        assert page.evaluate(LOW_CONTRAST_TEXTS, "body")[1] == []


def open_popover(page: Page, name: str, text: str) -> None:
    """Open the popover of a button above the board."""
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text(text)).to_be_visible()


def open_keyboard_help(page: Page) -> None:
    page.evaluate("window.board().help.element.showModal()")


def open_editor(page: Page) -> None:
    page.locator(".network .units button").last.click()
    expect(page.get_by_role("dialog", name="Change the weights of output")).to_be_visible()


def press_all_methods(page: Page) -> None:
    for switch in page.get_by_role("button", name="all methods").all():
        switch.click()


def draw(page: Page) -> None:
    select_radio(page, "Draw")
    expect(page.locator(".regviz-draw .status")).to_contain_text("0 points")


def open_uploads(page: Page, table: str = "") -> None:
    select_radio(page, "Upload")
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
    if table:
        upload(page, "birds.csv", table)
        expect(page.get_by_text("40 points: 2 classes")).to_be_visible()


OPENERS: dict[str, Callable[[Page], None]] = {
    "help": open_keyboard_help,
    "editor": open_editor,
    "all methods": press_all_methods,
    "share": lambda page: open_popover(page, "Share", "A link to what you see"),
    "save": lambda page: open_popover(page, "Save · open", "Take it away"),
    **{name: lambda page, name=name: view(page, name) for name in VIEWS},
    "draw": draw,
    "upload": open_uploads,
    "uploaded": lambda page: open_uploads(page, TABLE),
}
# those that no other test looks at in several widths
FITTING = {"share", "save", *VIEWS}


@pytest.fixture(scope="module")
def opened(open_pages: OpenPage) -> Page:
    page = open_pages(query="?v=2&epochs=50")
    wait_until_complete(page)
    seek(page, -1)
    wait_until_settled(page)
    return page


@pytest.fixture
def page(opened: Page) -> Page:
    """The playground at the end of a short run, with all views and dialogs closed."""
    opened.evaluate("window.board().help.element.close()")
    opened.keyboard.press("Escape")
    views = opened.get_by_role("radiogroup", name="View").get_by_role("radio", checked=True)
    methods = opened.get_by_role("button", name="all methods", pressed=True)
    for still_open in (views, methods):
        while n := still_open.count():
            still_open.first.click()
            expect(still_open).to_have_count(n - 1)
    resize_window(opened, 1400, 900)
    select_radio(opened, "Examples")
    wait_until_settled(opened)
    return opened


def test_the_board_and_its_controls_are_accessible(page: Page):
    assert_accessible(page)


def test_a_phone_shows_an_accessible_page(open_page: OpenPage):
    page = open_page(390, 844, query="?v=2&epochs=50")
    wait_until_complete(page)
    wait_until_settled(page)
    assert_accessible(page)


def test_an_embedded_page_is_accessible(open_page: OpenPage):
    page = open_page(900, 700, query="?v=2&epochs=50&embed=true")
    wait_until_complete(page)
    wait_until_settled(page)
    assert_accessible(page)


@pytest.mark.parametrize("place", OPENERS)
def test_a_view_is_accessible_and_fits(page: Page, place: str):
    OPENERS[place](page)
    wait_until_settled(page)
    assert_accessible(page)
    if place in FITTING:
        assert_fits(page)


def test_what_streamlit_breaks_it_still_breaks(page: Page):
    open_uploads(page)
    wait_until_settled(page)
    assert set().union(*(accepted_violations(*each[:2]) for each in found(page))) == ACCEPTED


def test_the_offline_file_is_accessible(browser: Browser, tmp_path: Path):
    with test_offline.offline_opener(browser, tmp_path) as open_file:
        html = test_offline.run_of().page("A run", "About it.")
        assert_accessible(test_offline.at_rest(open_file(html)))
