"""Tests of own points, drawn or uploaded, in a browser."""

import re
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from regviz.scenes.link import from_query
from regviz.spec.points import MIN_POINTS
from tests.browser.test_draw import Pad
from tests.browser.test_workbench import assert_shows_the_same, open_complete
from tests.browser.visitor import (
    OpenPage,
    query_of,
    select_radio,
    upload,
    wait_for_new_run,
    wait_until_complete,
    wait_until_settled,
)

TABLE = "length,width,kind\n" + "\n".join(
    f"{i % 7 + 3 * (i % 2)},{i * i % 5 - 2 * (i % 2)},{('robin', 'wren')[i % 2]}" for i in range(40)
)

# the places of the pad's canvas in the window
RECORD_PLACES = """() => {
  window.places = new Set();
  const look = () => {
    const { left, top } = pad.canvas.getBoundingClientRect();
    places.add(`${left} ${top}`);
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture(scope="module")
def short_page(open_pages: OpenPage) -> Page:
    """A page with few epochs, so that own points are trained quickly."""
    return open_complete(open_pages, "v=2&epochs=50")


def test_points_drawn_with_the_mouse_are_trained_on_and_in_the_link(
    short_page: Page, open_pages: OpenPage
):
    before = wait_until_complete(short_page)
    select_radio(short_page, "Draw")
    short_page.wait_for_selector(".regviz-draw canvas")
    short_page.evaluate(
        """() => {
          const search = (root) => root.querySelector(".regviz-draw")
            ?? [...root.querySelectorAll("*")].map((e) => e.shadowRoot && search(e.shadowRoot))
              .find(Boolean);
          window.pad = search(document).regviz;
        }"""
    )
    wait_until_settled(short_page)
    short_page.wait_for_function("pad.element.style.visibility === ''")  # styles are loaded
    short_page.evaluate(RECORD_PLACES)
    pad = Pad(short_page)
    ring = [(2 * np.cos(a), 2 * np.sin(a)) for a in np.arange(8)]
    for point in ring:
        pad.click(*point)
    wait_until_settled(short_page)
    # too few points, of one class: the run on screen stays
    assert wait_until_complete(short_page) == before
    short_page.locator(".regviz-draw").get_by_role("button", name=re.compile("^class 1 ")).click()
    middle = [(0.3 * i - 0.9, 0.2 * (-1) ** i) for i in range(7)]
    for point in middle:
        pad.click(*point)
    expect(short_page.get_by_role("heading", name="Data: Your points")).to_be_visible()
    wait_for_new_run(short_page, before)
    wait_until_settled(short_page)
    assert short_page.evaluate("places.size") == 1  # nothing above has moved the canvas meanwhile
    drawn = [*((*point, 0) for point in ring), *((*point, 1) for point in middle)]
    assert len(drawn) > MIN_POINTS
    short_page.wait_for_function(
        f"Object.values(board().recording.points).flatMap((p) => [...p]).length / 3 >= {len(drawn)}"
    )
    wait_until_complete(short_page)
    query = query_of(short_page)
    scene, problems = from_query(dict(parse_qsl(query)))
    assert problems == []
    assert np.allclose(scene.data.points, drawn, atol=0.05)  # to a pixel
    other = open_complete(open_pages, query)
    assert_shows_the_same(short_page, other)
    assert query_of(other) == query


def test_a_file_of_points_brings_the_names_of_its_classes(short_page: Page):
    before = wait_until_complete(short_page)
    select_radio(short_page, "Upload")
    upload(short_page, "birds.csv", TABLE)
    use = short_page.get_by_role("button", name="Use these points")
    expect(use).to_be_enabled()
    preview = short_page.locator(".regviz-preview")
    expect(preview.locator("tbody tr").first).to_have_text(re.compile("robin"))
    assert wait_until_complete(short_page) == before
    use.click()
    wait_for_new_run(short_page, before)
    expect(short_page.get_by_role("button", name="In use")).to_be_disabled()
    legend = short_page.locator(".regviz-board .legend")
    expect(legend).to_contain_text("robin")
    expect(legend).to_contain_text("wren")
    assert dict(parse_qsl(query_of(short_page)))["names"] == "robin,wren"


def test_back_at_the_examples_is_the_one_of_before(short_page: Page):
    before = wait_until_complete(short_page)
    select_radio(short_page, "Examples")
    wait_for_new_run(short_page, before)
    assert query_of(short_page) == urlencode({"v": 2, "epochs": 50})


def test_ten_classes_differ_in_colour_and_shape_on_board_and_canvas(short_page: Page):
    before = wait_until_complete(short_page)
    select_radio(short_page, "Upload")
    body = (f"{np.cos(i):.3f},{np.sin(i):.3f},{i % 10 + 1}" for i in range(200))
    upload(short_page, "ten.csv", "\n".join(["a,b,class", *body]))
    expect(short_page.get_by_role("button", name="Use these points")).to_be_enabled()
    short_page.get_by_role("button", name="Use these points").click()
    wait_for_new_run(short_page, before)
    expect(short_page.locator(".regviz-board .legend").get_by_text("9", exact=True)).to_be_visible()
    shown = wait_until_complete(short_page)
    signs = short_page.locator(".regviz-board .legend .sign svg")
    looks = signs.evaluate_all(
        "(all) => all.slice(2, 12).map((e) => [e.firstChild.getAttribute('fill'),"
        " e.firstChild.getAttribute('points')].join())"
    )
    assert len(set(looks)) == 10
    select_radio(short_page, "Draw")
    classes = short_page.locator(".regviz-draw .class")
    expect(classes.last).to_be_visible()
    expect(classes.last).to_have_accessible_name(re.compile(r"^10\s+20\s+points$"))
    right = short_page.locator(".regviz-draw").evaluate("(e) => e.getBoundingClientRect().right")
    boxes = classes.evaluate_all("(all) => all.map((e) => e.scrollWidth - e.clientWidth)")
    ends = classes.evaluate_all("(all) => all.map((e) => e.getBoundingClientRect().right)")
    assert max(boxes) <= 0
    assert max(ends) <= right + 1
    assert wait_until_complete(short_page) == shown  # the same points
