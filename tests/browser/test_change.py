"""Tests of "Change from here": the panel, the run that goes on, its marks, and its link."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

import regviz
from regviz.methods.catalogue import METHODS
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from tests.browser.visitor import (
    INITIAL_VIEW,
    OpenPage,
    assert_browser_has,
    grid_of,
    query_of,
    resize_window,
    seek,
    set_view,
    wait_until_complete,
    wait_until_idle,
    wait_until_settled,
)

EPOCHS = 50
TRAINING = replace(SHOWCASE.training, epochs=EPOCHS)
PHASES = "window.board().recording.phases"


@pytest.fixture(scope="module")
def opened(open_pages: OpenPage) -> Page:
    page = open_pages(query=f"?v=2&epochs={EPOCHS}")
    wait_until_complete(page)
    return page


@pytest.fixture
def page(opened: Page) -> Page:
    """A run of 50 epochs, each recorded, with None in focus at epoch 20."""
    opened.emulate_media(reduced_motion="reduce")
    resize_window(opened, 1400, 900)
    if opened.get_by_role("dialog", name="Change from here").is_visible():
        opened.keyboard.press("Escape")
    while n_phases := opened.evaluate(f"{PHASES}.length"):
        opened.evaluate("window.board().commands.undoChange()")
        wait_for_change(opened, n_phases - 1)
    # a run that arrives while other strengths are shown has those as its own defaults
    strengths = {key: METHODS[key].default_index for key in LINE_UP if key != "none"}
    set_view(opened, **INITIAL_VIEW | {"focus": "none", "strengthIndices": strengths})
    seek(opened, 20)
    wait_until_settled(opened)
    return opened


def wait_for_change(page: Page, n_phases: int) -> None:
    """Wait until a run with this number of changes is complete."""
    page.wait_for_function(f"{PHASES}.length === {n_phases} && window.board().complete")


def go_on(page: Page, n_phases: int) -> None:
    """Change from here, and wait until the new run is complete."""
    page.keyboard.press("c")
    page.get_by_role("button", name="Change from here", exact=True).click()
    wait_for_change(page, n_phases)
    page.wait_for_function("window.board().state.mode === 'resting'")


def test_all_networks_go_on_from_the_one_in_focus_and_the_board_plays_on(page: Page):
    page.emulate_media(reduced_motion="no-preference")
    before = page.evaluate("Array.from(window.board().stage.displayed[0].drawn)")
    page.get_by_role("button", name="Change from here: go on").click()
    panel = page.get_by_role("dialog", name="Change from here")
    expect(panel).to_contain_text("All networks go on from None as it is at epoch 20")
    page.evaluate("""() => {
      window.shown = [];
      const { timeline } = document;  // its time is that of the animation frame
      const note = () => window.shown.push([window.board().state.frame, timeline.currentTime]);
      const everything = { childList: true, characterData: true, subtree: true };
      new MutationObserver(note).observe(window.board().transport.now, everything);
    }""")
    panel.get_by_role("button", name="Change from here").click()
    expect(panel).to_be_hidden()
    wait_for_change(page, 1)
    page.wait_for_function("window.board().state.frame === 50")
    # from the change on, and to the end
    shown = page.evaluate("window.shown")
    frames = [frame for frame, _ in shown]
    played = shown[frames.index(20) :]
    assert played == sorted(played)
    # a slow machine leaves frames out, but plays no faster than 24 frames a second
    first, last = (next(now for frame, now in played if frame == end) for end in (20, 50))
    assert last - first > 1000 * 29 / 24
    rate = TRAINING.learning_rate
    phases = (regviz.Phase(20, learning_rate=rate),)
    assert_browser_has(page, grid_of(training=TRAINING, phases=phases))
    assert page.evaluate("window.board().view.focus") == "none"
    seek(page, 20)
    # early stopping may have kept an earlier network
    rows = page.evaluate("window.board().stage.displayed.map(({ drawn }) => Array.from(drawn))")[:6]
    assert all(row == rows[0] for row in rows)
    # the parameters are rounded, at another place in another run
    assert rows[0] == pytest.approx(before, abs=1e-4)


def test_the_change_is_marked_on_the_slider_and_in_the_charts(page: Page):
    go_on(page, 1)
    mark = page.locator(".regviz-board .mark.change")
    expect(mark).to_have_attribute("aria-label", "Regularization is switched on at epoch 20.")
    mark.click()
    assert page.evaluate("window.board().frame") == 20
    wait_until_idle(page)
    chart = "window.board().focus.panels.losses.chart"
    marks = page.evaluate(f"{chart}.drawn.marks.map(({{ text, frame }}) => [text, frame])")
    assert ["regularization on", 20] in marks
    summary = page.locator(".regviz-board .summary")
    expect(summary).to_contain_text("Regularization starts at epoch 20")


def test_another_learning_rate_goes_on_with_the_network_of_a_strength(page: Page):
    set_view(page, focus="l2", strengthIndices={"l2": 1})
    page.keyboard.press("c")
    panel = page.get_by_role("dialog", name="Change from here")
    select = panel.get_by_label("Learning rate from here")
    assert select.evaluate("(each) => [...each.options].map(({ value }) => value)") == [
        *("0.001", "0.003", "0.01", "0.03", "0.1")
    ]
    select.select_option("0.03")
    panel.get_by_role("button", name="Change from here").click()
    wait_for_change(page, 1)
    grid = grid_of(training=TRAINING)
    l2 = grid.experiment.regularizations[grid.rows({"l2": 1})[2]]
    phases = (regviz.Phase(20, l2, TRAINING.learning_rate),)
    expected = grid_of(training=replace(TRAINING, learning_rate=0.03), phases=phases)
    assert_browser_has(page, expected, {"l2": 1})
    expect(page.get_by_test_id("stSidebar")).to_contain_text("until epoch 20: L2")


def test_a_change_is_in_the_link_and_can_be_undone(page: Page, open_page: OpenPage):
    go_on(page, 1)
    wait_until_settled(page)
    query = query_of(page)
    assert "phases=20~learning_rate~0.01" in query
    again = open_page(query=f"?{query}")
    wait_until_complete(again)
    assert again.evaluate(PHASES) == page.evaluate(PHASES)
    again.keyboard.press("c")
    panel = again.get_by_role("dialog", name="Change from here")
    expect(panel).to_contain_text("until epoch 20: no regularization, learning rate 0.01")
    panel.get_by_role("button", name="Undo the last change").click()
    wait_for_change(again, 0)
    assert_browser_has(again, grid_of(training=TRAINING))
    wait_until_settled(again)
    assert "phases" not in query_of(again)


def test_with_reduced_motion_the_board_rests_where_the_training_changes(page: Page):
    go_on(page, 1)
    assert page.evaluate("window.board().frame") == 20


def test_at_the_end_the_training_goes_on_as_long_again(page: Page):
    seek(page, -1)
    go_on(page, 1)
    assert page.evaluate("window.board().recording.lastEpoch") == 2 * EPOCHS
    assert page.evaluate(PHASES)[0]["until"] == EPOCHS


def test_nothing_can_change_at_the_start(page: Page):
    seek(page, 0)
    page.keyboard.press("c")
    panel = page.get_by_role("dialog", name="Change from here")
    expect(panel).to_contain_text("Epoch 0 is the start")
    expect(panel.get_by_role("button", name="Change from here")).to_be_disabled()
    # the panel follows the epoch
    seek(page, 5)
    expect(panel).to_contain_text("at epoch 5,")
    expect(panel.get_by_role("button", name="Change from here")).to_be_enabled()


def test_a_learning_rate_that_was_not_followed_is_forgotten(page: Page):
    page.keyboard.press("c")
    panel = page.get_by_role("dialog", name="Change from here")
    select = panel.get_by_label("Learning rate from here")
    select.select_option("0.1")
    panel.get_by_role("button", name="Close").click()
    page.keyboard.press("c")
    expect(select).to_have_value("0.01")


@pytest.mark.parametrize("close", ["c", "Escape", "Close"])
def test_the_panel_opens_and_closes_by_keys(page: Page, close: str):
    button = page.get_by_role("button", name="Change from here: go on")
    button.press("Enter")
    panel = page.get_by_role("dialog", name="Change from here")
    expect(panel).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    if close == "Close":
        panel.get_by_role("button", name="Close").press("Enter")
    else:
        page.keyboard.press(close)
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    assert page.evaluate("window.board().view.projected") is False


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (390, 844)])
@pytest.mark.parametrize("projected", [False, True])
def test_the_panel_is_within_the_window(page: Page, width: int, height: int, projected: bool):
    resize_window(page, width, height)
    set_view(page, projected=projected)
    page.keyboard.press("c")
    panel = page.get_by_role("dialog", name="Change from here")
    expect(panel).to_be_visible()
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    cut = "[...panel.querySelectorAll('*')].filter((e) => e.scrollWidth > e.clientWidth).length"
    assert panel.evaluate(f"(panel) => {cut}") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
