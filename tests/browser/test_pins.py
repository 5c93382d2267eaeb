"""Tests of pinned runs in a browser: pictures, themes, links, files, widths, keyboard."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from regviz.scenes.link import link
from regviz.scenes.scene import Scene
from regviz.spec.experiment import NetworkSpec
from tests.browser.conftest import wait_until
from tests.browser.test_access import LOW_CONTRAST_TEXTS
from tests.browser.test_axe import rules_in_both_themes
from tests.browser.visitor import (
    INITIAL_VIEW,
    OpenPage,
    download,
    find_slider,
    move_slider,
    query_of,
    resize_window,
    seek,
    set_view,
    wait_for_new_run,
    wait_until_complete,
    wait_until_settled,
)

QUERY = "?v=2&epochs=50&hidden=4"
# all pictures of what the board shows, at the sizes of a pin's pictures: the large one first
EXPECTED_PICTURES = """async (sizes) => {
  const { makePainter, paintBoundary } = await import(assets + "/board/draw/painter.js");
  const { drawPoints } = await import(assets + "/board/draw/points.js");
  const { contextOf, fitCanvas } = await import(assets + "/board/draw/dom.js");
  const { stage, view } = window.board();
  const { recording, scale, theme, displayed } = stage;
  const large = displayed.find(({ card }) => card.key === view.focus);
  return [large, ...displayed.filter((each) => each !== large)].map(({ drawn }, i) => {
    const points = document.createElement("canvas");
    fitCanvas(points, sizes[i], sizes[i], devicePixelRatio);
    if (i === 0) drawPoints(contextOf(points), recording, scale, theme, sizes[i], devicePixelRatio);
    const canvas = document.createElement("canvas");
    const painter = makePainter(recording, i === 0 ? 64 : 24);
    paintBoundary(painter, canvas, drawn, scale, theme, sizes[i], devicePixelRatio, points, false);
    return canvas.toDataURL();
  });
}"""
PICTURES = """(pin) => [...pin.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL())"""
DRAWN = """(pin) => [...pin.querySelectorAll("canvas")].every((canvas) =>
  canvas.width === Math.round(canvas.clientWidth * devicePixelRatio))"""
SIZES = """(pin) => [...pin.querySelectorAll("canvas")].map((canvas) => canvas.clientWidth)"""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    wait_until_settled(page)


def read_pictures(page: Page, n: int = 1) -> list[str]:
    """Return the pictures of pin ``n``, as data URLs, once they are drawn at their size."""
    pin = page.locator(f".st-key-pin_{n} .regviz-pin")
    expect(pin.locator("canvas").first).to_be_visible()
    wait_until(page, lambda: pin.evaluate(DRAWN))
    return pin.evaluate(PICTURES)


def expect_text(page: Page, text: str, n: int = 1) -> None:
    expect(page.locator(f".st-key-pin_{n} p").first).to_have_text(f"{n} · {text}")


def open_short(open_page: OpenPage, query: str = QUERY, **options) -> Page:
    """Open a short run and show its end."""
    page = open_page(query=query, **options)
    wait_until_complete(page)
    seek(page, -1)
    wait_until_settled(page)
    return page


@pytest.fixture(scope="module")
def opened(open_pages: OpenPage) -> Page:
    return open_short(open_pages)


@pytest.fixture
def page(opened: Page) -> Page:
    """The end of a short run, without a pin."""
    change_theme(opened, "light")
    set_view(opened, **INITIAL_VIEW)
    opened.wait_for_function("!document.fullscreenElement")
    while n := opened.locator(".regviz-pin").count():
        opened.get_by_role("button", name="Remove pin").first.click()
        expect(opened.locator(".regviz-pin")).to_have_count(n - 1)
    seek(opened, -1)
    wait_until_settled(opened)
    return opened


def change_theme(page: Page, scheme: Any) -> None:
    """Change the system's theme, and wait until the page has it."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"window.board().element.dataset.theme === {scheme!r}")
    wait_until_settled(page)


def test_four_units_stay_beside_thirty_two(open_page: OpenPage):
    page = open_short(open_page)
    set_view(page, focus="l2")
    press(page, "Pin this run")
    pictures = read_pictures(page)
    sizes = page.locator(".regviz-pin").evaluate(SIZES)
    drawn = page.evaluate(EXPECTED_PICTURES, sizes)
    assert pictures == drawn
    assert len(set(drawn)) == 6  # early stopping has not stopped, and shows the network of None
    expect_text(page, "Same settings as now")
    before = page.evaluate("window.board().recording.run")
    move_slider(page, "Units in each layer", ["End"])
    seek(page, -1)
    wait_until_settled(page)
    expect_text(page, "4 units instead of 32")
    assert read_pictures(page) == pictures
    assert page.evaluate(EXPECTED_PICTURES, sizes) != pictures

    # the link holds both runs
    again = open_short(open_page, f"?{query_of(page)}")
    expect_text(again, "4 units instead of 32")
    assert read_pictures(again) == pictures

    of_32 = page.evaluate("window.board().recording.run")
    press(page, "Return to pin 1")
    assert wait_for_new_run(page, of_32) == before
    assert page.evaluate("window.board().view.focus") == "l2"
    expect(find_slider(page, "Units in each layer")).to_have_value("4")
    seek(page, -1)
    expect_text(page, "Same settings as now")
    assert page.evaluate(EXPECTED_PICTURES, sizes) == pictures

    press(page, "Remove pin 1")
    expect(page.locator(".regviz-pin")).to_have_count(0)
    assert "pins" not in query_of(page)


def test_a_pin_keeps_the_epoch_and_says_so_when_another_is_shown(page: Page):
    seek(page, 7)
    query_of(page)  # the board has reported the epoch
    wait_until_settled(page)
    press(page, "Pin this run")
    expect(page.locator(".regviz-pin").get_by_text("epoch 7 of 50")).to_be_visible()
    expect_text(page, "Same settings as now")
    seek(page, 20)
    expect_text(page, "Epoch 7 instead of 20")


def test_pins_are_in_a_file(open_page: OpenPage, tmp_path: Path):
    page = open_short(open_page)
    press(page, "Pin this run")
    pictures = read_pictures(page)
    move_slider(page, "Units in each layer", ["End"])
    page.get_by_role("button", name="Save · open").click()
    button = page.get_by_role("button", name="Experiment (JSON)", exact=True)
    download(page, button).save_as(file := tmp_path / "experiment.json")
    fresh = open_short(open_page)
    before = fresh.evaluate("window.board().recording.run")
    fresh.get_by_role("button", name="Save · open").click()
    fresh.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    wait_for_new_run(fresh, before)
    expect_text(fresh, "4 units instead of 32")
    assert read_pictures(fresh) == pictures


def test_pictures_are_drawn_again_in_another_theme(page: Page):
    press(page, "Pin this run")
    light = read_pictures(page)
    change_theme(page, "dark")
    pin = page.locator(".regviz-pin")
    dark = pin.evaluate(PICTURES)
    assert not set(dark) & set(light)
    assert dark == page.evaluate(EXPECTED_PICTURES, pin.evaluate(SIZES))


FOUR = Scene(
    pins=tuple(Scene(network=NetworkSpec((n,)), strengths={"l1": 0.02}) for n in (2, 3, 4, 5))
)


def test_four_pins_are_accessible_and_fit_at_any_width(open_page: OpenPage):
    page = open_short(open_page, f"{link('', FOUR)}&epochs=50")
    expect(page.locator(".regviz-pin canvas")).to_have_count(28)
    for width in (390, 1400):
        resize_window(page, width, 900)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        heights = page.locator(".st-key-pins > div").evaluate_all(
            "(tiles) => tiles.map((tile) => tile.getBoundingClientRect().top)"
        )
        assert len(heights) == 4
        assert len(set(heights)) == 1
        for options in rules_in_both_themes(page):
            # the rest of the page is checked by test_axe.py
            found = Axe().run(page, context=".st-key-pins", options=options)
            assert found.response["violations"] == []
            assert page.evaluate(LOW_CONTRAST_TEXTS, ".st-key-pins")[1] == []


def test_pins_are_used_by_keyboard(page: Page):
    page.get_by_role("button", name="Pin this run").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".regviz-pin")).to_be_visible()
    wait_until_settled(page)
    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent"))
        if names[-1].startswith("Remove"):
            break
    assert [name for name in names if "pin" in name] == ["Return to pin 1", "Remove pin 1"]
    page.keyboard.press("Enter")
    expect(page.locator(".regviz-pin")).to_have_count(0)


def test_pictures_say_what_they_show(page: Page):
    press(page, "Pin this run")
    expect(page.locator(".regviz-pin canvas")).to_have_count(7)
    said = page.locator(".regviz-pin canvas").evaluate_all(
        "(all) => all.map((canvas) => canvas.ariaLabel)"
    )
    board = page.evaluate("window.board().stage.cards.map(({ boundary }) => boundary.ariaLabel)")
    assert sorted(said) == sorted(board)
    assert said[0].startswith("L1, λ₁")


def test_the_projected_board_covers_pins(page: Page):
    press(page, "Pin this run")
    box = page.locator(".regviz-pin").bounding_box()
    assert box
    page.keyboard.press("p")
    page.wait_for_function("window.board().element.hasAttribute('popover')")
    top = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('.st-key-pins') === null",
        [box["x"] + 50, box["y"] + 50],
    )
    assert top
    page.keyboard.press("p")
