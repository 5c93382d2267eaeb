"""Over several seeds, in a real browser: while they train the page answers."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Open, choose, complete

EPOCHS = 3000  # so that the seeds are long in training


@pytest.fixture
def page(open_page: Open) -> Page:
    opened = open_page(query=f"?v=1&epochs={EPOCHS}")
    complete(opened)
    return opened


def share(page: Page) -> int:
    """How much of the seeds' training is done, in percent."""
    return int(page.get_by_role("progressbar").get_attribute("aria-valuenow") or "")


def test_while_seeds_train_other_views_and_the_board_answer_and_stop_stops(page: Page):
    run = page.evaluate("board().recording.run")
    choose(page, "Compare")
    page.get_by_role("button", name="Over 5 seeds").click()
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=15_000)
    before = share(page)
    choose(page, "Code")
    expect(page.get_by_text("for the network in focus: L1")).to_be_visible()
    # what the board shows is followed
    page.evaluate("board().look({ ...board().view, focus: 'l2' })")
    expect(page.get_by_text("for the network in focus: L2")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    choose(page, "Compare")
    progress = page.get_by_role("progressbar")
    expect(progress).to_be_visible()
    # it went on, and goes on by itself; all of that was before its end
    assert before <= share(page) < 100
    expect(progress).not_to_have_attribute("aria-valuenow", str(share(page)))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(progress).to_have_count(0)
    expect(page.get_by_role("button", name="Over 5 seeds")).to_be_enabled()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("board().recording.run") == run
    assert page.evaluate("board().view.focus") == "l2"
    expect(page.get_by_text(re.compile("Mean ± standard error"))).to_have_count(0)
