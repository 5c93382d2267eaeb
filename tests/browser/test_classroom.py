"""A class's room in real browsers: a teacher's page, and a student's phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import SET_ASSETS, page_opener
from tests.browser.visitor import move_slider, wait_until_complete

QUERY = "?v=1&epochs=50&hidden=2"


@pytest.fixture
def teacher(context: BrowserContext, url: str) -> Iterator[Page]:
    with page_opener(context, url) as open_page:
        page = open_page(query=QUERY)
        wait_until_complete(page)
        page.get_by_role("button", name="Share").click()
        page.get_by_role("button", name="Open a room").click()
        expect(page.get_by_text("Code:")).to_be_visible()
        page.keyboard.press("Escape")
        yield page
        page.get_by_role("button", name="Close room").click()
        expect(page.get_by_text("Students see what I see")).to_have_count(0)


@pytest.fixture
def student(browser: Browser, url: str, teacher: Page) -> Iterator[Page]:
    code = teacher.get_by_text("Room ").first.inner_text().split()[1]
    with browser.new_context(viewport={"width": 390, "height": 844}) as phone:
        phone.add_init_script(SET_ASSETS)
        with page_opener(phone, url) as open_page:
            page = open_page(query=f"?room={code}")
            expect(page.get_by_text(f"Room {code}")).to_be_visible()
            wait_until_complete(page)
            yield page


def test_a_class_answers_and_sees_what_the_teacher_sees(teacher: Page, student: Page):
    expect(teacher.get_by_text("1 student", exact=False)).to_be_visible()
    teacher.get_by_role("button", name="Ask a question").click()
    teacher.get_by_label("Question", exact=True).fill("Which will have the most zeros?")
    for i, answer in enumerate(("L1 alone", "L2 alone")):
        teacher.get_by_label(f"Answer {i + 1}").fill(answer)
    teacher.get_by_role("button", name="Ask", exact=True).click()
    expect(student.get_by_text("Which will have the most zeros?")).to_be_visible()
    student.get_by_role("button", name="L1 alone").click()
    expect(teacher.get_by_text("1 answer so far")).to_be_visible()
    teacher.get_by_role("button", name="Reveal").click()
    for page in (teacher, student):
        expect(page.get_by_text("L1 alone: 1")).to_be_visible()
    # the student's board follows, and is not mounted anew
    student.evaluate("() => { window.first = window.board().element; }")
    move_slider(teacher, "Noise", ["End"])
    student.wait_for_function("window.board().recording.link.includes('noise=1')")
    assert student.evaluate("window.board().element === window.first")
    # pages that are loaded again are still in the room
    teacher.reload()
    teacher.wait_for_selector(".regviz-board .card canvas")
    expect(teacher.get_by_role("button", name="Close room")).to_be_visible()
    student.wait_for_function("location.search.includes('noise=1')")
    student.reload()
    student.wait_for_selector(".regviz-board .card canvas")
    expect(student.get_by_text("This page follows each change of the teacher's.")).to_be_visible()
    wait_until_complete(student)
