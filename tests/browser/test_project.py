"""Tests of the projected board: sizes, the choice of cards, keys, phones, frames, offline pages."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from devtools.board import SETTLED, find_board
from devtools.serving import Server, Site
from tests.browser.conftest import poll_conditions
from tests.browser.test_access import CUT_OFF_TEXTS, TEXTS
from tests.browser.test_offline import offline_opener, run_of, wait_until_decoded
from tests.browser.visitor import (
    INITIAL_VIEW,
    OpenPage,
    boundary_pixels,
    resize_window,
    seek,
    set_view,
    wait_for_new_run,
    wait_until_complete,
    wait_until_idle,
)

EPOCHS = 60
SMALLEST = 20  # CSS pixels, at 1920 × 1080
WIDTH, HEIGHT = 1920, 1080

# records the sizes of texts on canvases, in pixels of the window
RECORD_TEXTS = """() => {
window.canvasTexts = [];
for (const name of ["fillText", "strokeText"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (text, ...rest) {
    const size = parseFloat(/([\\d.]+)px/.exec(this.font)[1]) * this.getTransform().a;
    window.canvasTexts.push([size / devicePixelRatio, text]);
    return draw.call(this, text, ...rest);
  };
}
}
"""
SMALL_TEXTS = f"""(smallest) => {{ {TEXTS}
  const texts = textsOf(window.board().element).map(({{ element, text }}) =>
    [parseFloat(getComputedStyle(element).fontSize) * element.currentCSSZoom, text]);
  const all = [...texts, ...window.canvasTexts];
  return [texts.length, window.canvasTexts.length, all.filter(([size]) => size < smallest)];
}}"""
SHOWN = """window.board().stage.cards.filter(({ element }) => element.checkVisibility())
  .map(({ element }) => element.getAttribute("aria-label"))"""
# whether the board covers the window, and is on top of everything at its corners
COVERS = """() => {
  const { element } = window.board();
  const { left, top, width, height } = element.getBoundingClientRect();
  const inside = (x, y) => {
    const root = element.getRootNode();
    return element.contains(root.elementFromPoint(x, y));
  };
  return left === 0 && top === 0 && width === innerWidth && height === innerHeight
    && inside(3, 3) && inside(innerWidth / 2, innerHeight - 3) && inside(3, innerHeight - 3);
}"""


@pytest.fixture(scope="module")
def opened(open_pages: OpenPage) -> Page:
    page = open_pages(WIDTH, HEIGHT, "light", f"?v=1&epochs={EPOCHS}")
    wait_until_complete(page)
    return page


@pytest.fixture
def plain_page(opened: Page) -> Page:
    """The page at the end of its run, not projected."""
    set_view(opened, **INITIAL_VIEW)
    opened.wait_for_function("!document.fullscreenElement")
    resize_window(opened, WIDTH, HEIGHT)
    seek(opened, -1)
    return opened


@pytest.fixture
def page(plain_page: Page) -> Page:
    """The page at the end of its run, projected."""
    project(plain_page)
    return plain_page


def project(page: Page, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Project the board in a window of this size, which has none to change once it is full."""
    resize_window(page, width, height)
    page.keyboard.press("p")
    page.wait_for_function(COVERS)
    page.wait_for_selector(".regviz-board:popover-open")
    wait_until_idle(page)


def assert_fits(page: Page) -> None:
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("board().element.scrollWidth <= board().element.clientWidth")
    assert page.evaluate(CUT_OFF_TEXTS) == []


def choose(page: Page, name: str) -> None:
    page.locator(".regviz-board .chip").get_by_text(name, exact=True).click()
    wait_until_idle(page)


# The sizes


def test_every_text_has_20_pixels_on_a_projector_and_none_is_cut(plain_page: Page):
    page = plain_page
    page.evaluate(RECORD_TEXTS)
    project(page)
    # texts that were drawn before the projection
    page.evaluate("canvasTexts.length = 0")
    page.keyboard.press("2")
    for name in (None, "L2"):
        if name:
            choose(page, name)
        # a chart draws its axes when another network is shown
        set_view(page, focus="none")
        set_view(page, focus="l1")
        n_elements, n_canvas, small = page.evaluate(SMALL_TEXTS, SMALLEST)
        assert n_elements > 100
        assert n_canvas > 10
        assert small == []
        assert_fits(page)


@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (1280, 720), (1024, 768), (2560, 1440)]
)
@pytest.mark.parametrize("more", [None, "L2"])
def test_cards_and_controls_fit_the_first_screen(
    plain_page: Page, width: int, height: int, more: str | None
):
    page = plain_page
    project(page, width, height)
    if more:
        choose(page, more)
    assert_fits(page)
    for part in (".transport", ".chooser", ".card >> visible=true", ".legend"):
        for box in page.locator(f".regviz-board {part}").all():
            found = box.bounding_box()
            assert found is not None
            assert found["y"] >= 0
            assert found["y"] + found["height"] <= height, part


def test_pictures_are_drawn_in_the_screens_pixels_with_larger_points_and_thicker_lines(page: Page):
    ratio = page.evaluate("board().ratio / devicePixelRatio")
    # the board's smallest text has 11.5 pixels
    assert ratio >= SMALLEST / 11.5
    canvases = page.evaluate(
        """() => [...board().element.querySelectorAll("canvas")]
          .filter((canvas) => canvas.checkVisibility() && canvas.getBoundingClientRect().width)
          .map((canvas) =>
            [canvas.width / canvas.getBoundingClientRect().width, canvas.className])"""
    )
    assert len(canvases) > 8
    for pixels, name in canvases:
        assert pixels == pytest.approx(1, abs=0.02), name
    # lengths on canvases are in the board's pixels, each of which is `ratio` of the screen
    transforms = page.evaluate(
        """() => {
          const { losses, network } = board().focus.panels;
          return [board().points, losses.chart.canvas, network.canvas]
            .map((canvas) => canvas.getContext("2d").getTransform().a);
        }"""
    )
    assert transforms == pytest.approx([ratio] * 3, rel=1e-6)


# The cards


def test_none_and_the_card_in_focus_are_shown_until_others_are_chosen(page: Page):
    assert page.evaluate(SHOWN) == ["None", "L1"]
    page.keyboard.press("3")
    assert page.evaluate(SHOWN) == ["None", "L2"]
    choose(page, "Dropout")
    assert page.evaluate(SHOWN) == ["None", "L2", "Dropout"]
    choose(page, "None")
    assert page.evaluate(SHOWN) == ["L2", "Dropout"]
    pressed = page.locator(".regviz-board .chip[aria-pressed=true]")
    assert pressed.all_text_contents() == ["L2", "Dropout"]
    choose(page, "L2")
    assert page.evaluate(SHOWN) == ["L2", "Dropout"]
    page.keyboard.press("p")
    assert len(page.evaluate(SHOWN)) == 7


def test_epoch_and_strength_are_within_reach_also_below_the_cards(page: Page):
    page.evaluate("board().element.scrollTo(0, 1500)")
    for name in ("Epoch", "Strength of all methods", "Play"):
        control = page.locator(f".regviz-board .transport [aria-label={name!r}]")
        expect(control).to_be_in_viewport(ratio=1)
        control.click(trial=True)


def test_the_wheel_scrolls_to_the_method_in_focus(plain_page: Page):
    page = plain_page
    # headless Chromium 156 ignores the wheel in full screen, on any page
    page.evaluate("() => { document.documentElement.requestFullscreen = () => Promise.reject(); }")
    project(page)
    page.mouse.move(WIDTH / 2, HEIGHT / 2)
    page.mouse.wheel(0, 600)
    page.wait_for_function("board().element.scrollTop > 100")
    expect(page.locator(".regviz-board .transport")).to_be_in_viewport(ratio=1)
    page.mouse.move(0, 0)
    page.evaluate("board().element.scrollTo(0, 0)")
    page.evaluate("delete document.documentElement.requestFullscreen")


def test_a_frame_paints_the_shown_cards_alone(page: Page):
    shown, hidden = 1, 3
    before = [boundary_pixels(page, card) for card in (shown, hidden)]
    seek(page, 2)
    after = [boundary_pixels(page, card) for card in (shown, hidden)]
    assert after[0] != before[0]
    assert after[1] == before[1]
    page.keyboard.press("p")
    wait_until_idle(page)
    assert boundary_pixels(page, hidden) != before[1]


def test_it_plays_to_the_end(page: Page):
    seek(page, 0)
    page.evaluate("board().setPlayback({ ...board().state, speed: 4 })")
    page.keyboard.press("0")
    assert page.evaluate("board().playing")
    page.wait_for_function("!board().playing && board().frame === board().recording.nFrames - 1")


def test_a_tooltip_is_beside_its_word(page: Page):
    word = page.locator(".regviz-board .card:visible .term").first
    word.hover()
    tip = page.locator(".regviz-board .tip")
    expect(tip).to_be_visible()
    at, of = tip.bounding_box(), word.bounding_box()
    assert at is not None
    assert of is not None
    assert 0 <= at["y"] - (of["y"] + of["height"]) < 20
    assert at["x"] <= of["x"] + of["width"]
    assert at["x"] + at["width"] >= of["x"]
    page.mouse.move(0, 0)


def test_the_pointer_asks_at_the_place_where_it_is(page: Page):
    box = page.locator(".regviz-board .card:visible canvas.boundary").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    found = page.evaluate("board().place")
    assert [found["x"], found["y"]] == pytest.approx([0.25, 0.75], abs=0.01)
    page.mouse.move(0, 0)


# Keys and the button


@pytest.mark.parametrize("leave", ["Escape", "p"])
def test_a_key_returns_to_the_page(page: Page, leave: str):
    page.keyboard.press(leave)
    page.wait_for_function("!document.fullscreenElement")
    expect(page.get_by_test_id("stSidebar")).to_be_in_viewport()
    assert not page.evaluate(COVERS)
    assert page.evaluate("board().element.currentCSSZoom") == 1
    wait_until_idle(page)
    assert page.evaluate("board().ratio") == 1


def test_leaving_the_browsers_full_screen_returns_to_the_page(page: Page):
    assert page.evaluate("document.fullscreenElement !== null")
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function("!board().view.projected")


def test_the_button_in_the_bar_projects(page: Page):
    page.locator(".regviz-board .chip.close").click()
    page.wait_for_function("!document.fullscreenElement")
    page.get_by_role("button", name="Project: fill the screen").click()
    page.wait_for_function(COVERS)


@pytest.mark.parametrize("projected", [True, False])
def test_a_key_blanks_the_board_and_shows_it_again(page: Page, projected: bool):
    if not projected:
        page.keyboard.press("p")
    curtain = page.locator(".regviz-board .curtain")
    card = page.locator(".regviz-board .card:visible")
    for show in ("Period", "Escape"):
        page.keyboard.press("Period")
        expect(curtain).to_be_visible()
        expect(card).to_have_count(0)
        page.keyboard.press(show)
        expect(curtain).to_be_hidden()
        expect(card.first).to_be_visible()
    page.keyboard.press("Period")
    curtain.click(position={"x": 9, "y": 9})
    expect(curtain).to_be_hidden()
    assert page.evaluate("board().view.projected") is projected


def test_keys_that_are_typed_into_a_field_project_nothing(plain_page: Page):
    page = plain_page
    seed = page.get_by_label("Seed", exact=True).first
    seed.focus()
    for key in ("p", "Period"):
        page.keyboard.press(key)
    assert page.evaluate("[board().view.projected, board().view.blank]") == [False, False]
    page.evaluate("document.activeElement.blur()")


def test_the_presenters_keys_send_nothing(plain_page: Page):
    """Streamlit has keys of its own, such as R, which reruns the page."""
    page: Any = plain_page
    seek(page, -1)
    page.wait_for_function(f"{SETTLED}(board())")
    n_sent = page.exchange.n_sent
    for key in ("p", "Period", "Period", "0", "p"):
        page.keyboard.press(key)
    page.wait_for_function(f"{SETTLED}(board()) && board().frame === board().recording.nFrames - 1")
    assert page.exchange.n_sent == n_sent


# Frames, phones, offline pages


def test_in_a_frame_without_the_permission_it_fills_the_frame(browser: Browser, embeddable: Server):
    query = "?v=1&epochs=40&hidden=2&methods=none,l1,l2&embed=true"
    with Site() as site, browser.new_context(reduced_motion="reduce") as context:
        site.content = f'<iframe width=900 height=600 src="{embeddable.url}/{query}"></iframe>'
        page = context.new_page()
        page.goto(site.origin)
        (frame,) = page.frames[1:]
        frame = poll_conditions(frame)
        frame.wait_for_selector(".regviz-board .card canvas")
        find_board(frame)
        frame.locator(".regviz-board").press("p")
        frame.wait_for_selector(".regviz-board:popover-open")
        assert frame.evaluate(COVERS)
        assert page.evaluate("document.fullscreenElement") is None
        frame.locator(".regviz-board").press("Escape")
        frame.wait_for_selector(".regviz-board:not([popover])")


def test_a_phone_shows_one_card_and_the_bar_at_the_bottom(plain_page: Page):
    page = plain_page
    project(page, 390, 844)
    assert page.evaluate(SHOWN) == ["L1"]
    assert_fits(page)
    choose(page, "Dropout")
    assert page.evaluate(SHOWN) == ["Dropout"]
    bar = page.locator(".regviz-board .transport")
    for top in (0, 600, 100_000):
        page.evaluate("top => board().element.scrollTo(0, top)", top)
        box = bar.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] == pytest.approx(844, abs=1)
        # three rows
        assert box["height"] < 140


def test_an_offline_page_can_be_projected(browser: Browser, tmp_path: Path):
    with offline_opener(browser, tmp_path) as open_file:
        page = wait_until_decoded(open_file(run_of().page()))
        page.keyboard.press("p")
        page.wait_for_function(COVERS)
        assert page.evaluate(SHOWN) == ["None", "L1"]
        page.keyboard.press("Escape")
        page.wait_for_function(f"!({COVERS})()")
        assert len(page.evaluate(SHOWN)) == 8


# The board in the page


def test_few_cards_take_the_whole_width(open_page: OpenPage):
    page = open_page(1400, 900, "light", f"?v=1&epochs={EPOCHS}&methods=none,l1,l2,dropout")
    run = wait_until_complete(page)
    for n_cards, name in ((5, "Dropout"), (4, "L2"), (3, None)):
        expect(page.locator(".regviz-board .card")).to_have_count(n_cards)
        for width in (1400, 1920):
            resize_window(page, width, 900)
            right, board = page.evaluate(
                """() => [board().stage.cards.at(-1).element, board().element]
                  .map((element) => element.getBoundingClientRect().right)"""
            )
            # the cards have whole pixels
            assert 0 <= board - right < 9
            assert_fits(page)
        if name:
            page.get_by_test_id("stSidebar").get_by_text(name, exact=True).first.click()
            run = wait_for_new_run(page, run)


def test_at_1400_pixels_with_a_scrollbar_bar_and_legend_have_one_row(plain_page: Page):
    page = plain_page
    resize_window(page, 1400 - 15, 900)
    wait_until_idle(page)
    for part, most in ((".transport", 50), (".legend", 32)):
        box = page.locator(f".regviz-board {part}").bounding_box()
        assert box is not None
        assert box["height"] < most


def test_on_a_phone_the_bar_is_within_reach_and_no_button_covers_a_text(plain_page: Page):
    page = plain_page
    resize_window(page, 390, 844)
    wait_until_idle(page)
    page.evaluate(
        "document.querySelector('[data-testid=stMain]').scrollTo({ top: 700, behavior: 'instant' })"
    )
    expect(page.locator(".regviz-board .transport")).to_be_in_viewport(ratio=1)
    header = page.get_by_test_id("stHeader")
    colour = header.evaluate("(header) => getComputedStyle(header).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
