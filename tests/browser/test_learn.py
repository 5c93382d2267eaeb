"""Tests of the course in a browser: a visitor goes through two lessons."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from regviz.lessons.course import course
from tests.browser.conftest import SET_ASSETS, poll_conditions
from tests.browser.test_axe import assert_accessible
from tests.browser.visitor import wait_until_complete, wait_until_settled
from tests.browser.widths import assert_fits

FIRST, SECOND = course()[:2]


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The list of lessons, opened from the playground."""
    with browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.add_init_script(SET_ASSETS)
        page = poll_conditions(context.new_page())
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{url}?hidden=2&epochs=50&noise=0.5")
        wait_for_board(page)
        page.get_by_role("link", name="Learn: a course").click()
        expect(page.get_by_role("heading", name="Learn regularization")).to_be_visible()
        yield page


def wait_for_board(page: Page) -> None:
    page.wait_for_selector(".regviz-board .card canvas")
    wait_until_complete(page)


def open_first(page: Page) -> None:
    """Open the first lesson by its card, as soon as this is a link that works."""
    link = page.get_by_role("main").get_by_role("link", name=FIRST.title)
    link.and_(page.locator(":not([disabled])")).wait_for()
    wait_until_settled(page)  # a click while the link is being replaced is lost
    link.click()
    expect(page.get_by_role("heading", name=FIRST.title)).to_be_visible()


def test_a_visitor_goes_through_a_lesson_and_to_the_next(page: Page):
    open_first(page)
    expect(page.locator(".regviz-board")).to_have_count(0)
    group = page.get_by_role("radiogroup", name="Your prediction")
    wait_until_settled(page)  # a choice while the radio buttons are drawn anew can be lost
    group.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(
        page.get_by_role("status")
        .filter(has_text=r"Yes.")
        .or_(page.get_by_role("status").filter(has_text="Not so:"))
    ).to_be_visible()
    wait_for_board(page)
    page.wait_for_function(f"location.search.includes('lesson={FIRST.key}')")
    wait_until_settled(page)
    page.get_by_role("button", name="Show a solution").scroll_into_view_if_needed()
    page.get_by_test_id("stMain").evaluate("(main) => main.scrollTo(0, main.scrollHeight)")
    before = page.locator(".st-key-right").bounding_box()
    page.get_by_role("button", name="Show a solution").click()
    expect(page.get_by_text("Solved.")).to_be_visible()
    # if the board moved, its tooltip would cover the slider in place of the pointer
    assert page.locator(".st-key-right").bounding_box()["y"] == before["y"]
    page.wait_for_function(f"location.search.includes('scene={FIRST.task.scene}')")
    wait_until_settled(page)
    page.get_by_role("link", name="Next lesson").click()
    expect(page.get_by_role("heading", name=SECOND.title)).to_be_visible()
    page.wait_for_function(f"location.search.includes('lesson={SECOND.key}')")


def test_lessons_can_be_opened_although_the_script_that_reads_the_progress_is_lost(
    browser: Browser, url: str
):
    with browser.new_context() as context:
        context.route(re.compile("/course/main.js"), lambda route: route.abort())
        page = poll_conditions(context.new_page())
        page.goto(f"{url}/learn")
        open_first(page)


def test_only_the_parts_and_controls_of_the_lesson_are_shown(page: Page):
    page.get_by_role("radio").first.check(force=True)
    wait_for_board(page)
    board = page.locator(".regviz-board")
    panels = "board().element.querySelectorAll('.panels > *')"
    shown = f"[...{panels}].filter((panel) => panel.checkVisibility()).length"
    page.wait_for_function(f"{shown} === {len(SECOND.board.show)}")
    for name in ("Change from here", "PNG", "Strength of all methods"):
        expect(board.get_by_role("button", name=name)).to_be_hidden()
    sliders = board.locator(".strength-index:visible")
    assert (sliders.count() > 0) == (SECOND.board.drag == "strength")


def test_a_lesson_fills_the_screen_while_projecting(page: Page):
    page.locator(".regviz-board").get_by_role("button", name="Project").click()
    expect(page.locator(".regviz-board.projected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".regviz-board.projected")).to_have_count(0)


def test_progress_is_kept_in_the_browser_alone(page: Page, url: str):
    again = poll_conditions(page.context.new_page())
    again.goto(f"{url}/learn")
    expect(again.get_by_text("Your browser alone knows that.")).to_be_visible()
    kept = again.evaluate("JSON.parse(localStorage.getItem('regviz-course'))")
    assert kept[FIRST.key]["solved"] is True
    assert kept[SECOND.key]["answer"] == 0
    again.close()


def test_the_playground_is_as_it_was_left(page: Page):
    page.get_by_test_id("stSidebar").get_by_role("link", name="Playground").click()
    page.wait_for_function("location.pathname === '/' && location.search.includes('noise=0.5')")
    assert page.locator(".regviz-board[data-drag]").count() == 0


def test_no_text_is_cut_off_and_axe_finds_nothing_in_either_theme(page: Page, url: str):
    page.goto(f"{url}/learn?lesson={SECOND.key}&scene={SECOND.task.scene}")
    wait_for_board(page)
    claim = page.get_by_test_id("stExpander").first
    claim.locator("summary").click()
    expect(claim.locator(".js-plotly-plot")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
