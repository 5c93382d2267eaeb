"""Tests of the page with forced colours (a contrast theme), zoomed, and on paper."""

import pytest
from playwright.sync_api import Page

from tests.browser.test_access import CUT_OFF_TEXTS, tab_stops
from tests.browser.visitor import (
    OpenPage,
    resize_window,
    seek,
    wait_until_complete,
    wait_until_settled,
)

# colours as the browser computes them for a style sheet's author
COLOURS = """() => {
  const { element, stage } = window.board();
  const style = (selector, pseudo) => getComputedStyle(element.querySelector(selector), pseudo);
  const system = (name) => {
    const probe = document.body.appendChild(document.createElement("i"));
    Object.assign(probe.style, { color: name, forcedColorAdjust: "none" });
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  const methods = [...element.querySelectorAll(".card")].map((card) => ({
    meant: card.style.getPropertyValue("--method"),
    swatch: getComputedStyle(card.querySelector(".swatch")).backgroundColor,
  }));
  const [canvas, text, highlight] = ["Canvas", "CanvasText", "Highlight"].map(system);
  const mark = style(".mark.stop", "::before");
  return {
    mode: stage.theme.mode,
    page: getComputedStyle(document.querySelector(".stApp")).backgroundColor,
    canvas, text, highlight, methods,
    track: style(".timeline input", null).forcedColorAdjust,
    filled: style(".timeline input").getPropertyValue("--primary"),
    frame: style(".card.focused").boxShadow,
    pressed: style(".key[aria-pressed=true]").backgroundColor,
    mark: [mark.backgroundColor, style(".mark.stop").color],
  };
}"""
STREAMLIT = """() => {
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  return {
    track: style('[data-testid="stSlider"] [role="group"] > div > div:first-child').backgroundImage,
    chosen: style('[data-testid="stButtonGroup"] [data-selected="true"]').backgroundColor,
    other: style('[data-testid="stButtonGroup"] button:not([data-selected])').backgroundColor,
  };
}"""
# the page and the mean lightness of a boundary's pixels, as they are printed
PAPER = """() => {
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  const { boundary } = window.board().stage.cards[0];
  const { data } = boundary.getContext("2d")
    .getImageData(0, 0, boundary.width, boundary.height);
  return {
    backgrounds: ["body", ".stApp", ".stMain"].map((each) => style(each).backgroundColor),
    luminance: data.reduce((sum, x, i) => sum + (i % 4 === 3 ? 0 : x), 0) / data.length * 4 / 3,
    hidden: [".stSidebar", ".stAppHeader"].map((each) => style(each).display),
    width: document.documentElement.scrollWidth,
  };
}"""


def parsed(hexadecimal: str) -> str:
    red, green, blue = (int(hexadecimal.strip()[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


@pytest.fixture(scope="module", params=["light", "dark"])
def forced_colours_page(request: pytest.FixtureRequest, open_pages: OpenPage) -> tuple[Page, str]:
    """A page in a contrast theme whose background is light or dark, at the end of a run."""
    page = open_pages(scheme=request.param, query="?v=2&epochs=50")
    wait_until_complete(page)
    # the theme begins while the page is open
    page.emulate_media(forced_colors="active")
    page.wait_for_function("matchMedia('(forced-colors: active)').matches")
    seek(page, -1)
    wait_until_settled(page)
    return page, request.param


def test_the_boards_theme_is_that_of_the_page_behind_it(forced_colours_page: tuple[Page, str]):
    page, scheme = forced_colours_page
    found = page.evaluate(COLOURS)
    assert found["page"] == found["canvas"]
    assert found["mode"] == scheme


def test_methods_states_and_marks_keep_their_colours(forced_colours_page: tuple[Page, str]):
    page, _ = forced_colours_page
    found = page.evaluate(COLOURS)
    assert len(found["methods"]) == 7
    assert all(each["swatch"] == parsed(each["meant"]) for each in found["methods"])
    assert found["track"] == "none"
    assert found["filled"].strip() == "Highlight"
    assert found["frame"] != "none"
    assert found["pressed"] == found["highlight"] != found["canvas"]
    assert found["mark"] == [found["text"], found["text"]]


def test_streamlits_sliders_and_choices_are_seen(forced_colours_page: tuple[Page, str]):
    page, _ = forced_colours_page
    found = page.evaluate(STREAMLIT)
    assert "gradient" in found["track"]
    assert found["chosen"] != found["other"]


def test_every_control_shows_the_keyboards_focus(forced_colours_page: tuple[Page, str]):
    page, _ = forced_colours_page
    stops = tab_stops(page)
    assert len(stops) > 40
    assert [stop["name"] for stop in stops if not stop["outlined"]] == []


def test_at_twice_the_size_nothing_is_cut_and_every_control_is_reached(
    forced_colours_page: tuple[Page, str],
):
    page, _ = forced_colours_page
    before = {stop["name"] for stop in tab_stops(page)}
    resize_window(page, 640, 450)  # a window of 1280 × 900 pixels at 200 %
    stops = tab_stops(page)
    assert {stop["name"] for stop in stops} == before
    assert [stop["name"] for stop in stops if not stop["inside"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    assert page.evaluate(CUT_OFF_TEXTS) == []
    resize_window(page, 1400, 900)


def test_on_paper_the_board_is_whole_and_has_no_dark_background(
    forced_colours_page: tuple[Page, str],
):
    page, scheme = forced_colours_page
    resize_window(page, 718, 1047)  # an A4 page within margins of 1 cm, at 96 pixels per inch
    page.emulate_media(color_scheme=scheme, forced_colors="none", media="print")
    page.wait_for_function("window.board().stage.theme.mode === 'light'")
    found = page.evaluate(PAPER)
    assert found["backgrounds"] == ["rgb(255, 255, 255)"] * 3
    assert found["luminance"] > 90  # of 255; less than 60 in the dark theme
    assert found["hidden"] == ["none", "none"]
    assert found["width"] <= 718
    assert page.evaluate(CUT_OFF_TEXTS) == []
    page.emulate_media(color_scheme=scheme, media="screen")
    page.wait_for_function(f"window.board().stage.theme.mode === {scheme!r}")
