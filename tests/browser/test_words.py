"""What the board writes of numbers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from regviz.offline import BOARD

SITE = "http://board.test"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path == "/":
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            route.fulfill(path=BOARD.parent / path.removeprefix("/"))

    with browser.new_context() as context:
        context.route("**/*", answer)
        page = context.new_page()
        page.goto(f"{SITE}/")
        yield page


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (0, "w = 0.000"),
        (1.1754943508222875e-38, "w: next to nothing, not 0"),
        (-1.1754943508222875e-38, "w: next to nothing, not 0"),
        (0.0004, "w: next to nothing, not 0"),
        (0.0006, "w = 0.001"),
        (-0.25, "w = −0.250"),
        (1e5, "w = 1.0e5"),
    ],
)
def test_only_a_weight_of_zero_is_written_as_zero(page: Page, weight: float, text: str):
    found = page.evaluate("async (w) => (await import('/board/words.js')).weight(w)", weight)
    assert found == text
