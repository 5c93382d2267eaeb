"""Tests of the whole page in a browser: training, controls, transitions between runs."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from devtools.board import SEARCH_BOARD, find_board
from regviz.engine.training import recorded_epochs
from regviz.methods.catalogue import METHODS
from regviz.scenes.showcase import LINE_UP, SHOWCASE
from tests.browser.conftest import MessageHolder, page_opener
from tests.browser.visitor import (
    OpenPage,
    assert_browser_has,
    choose_data,
    choose_seed,
    find_slider,
    grid_of,
    is_rounded,
    move_slider,
    read_cards,
    resize_window,
    seek,
    set_view,
    train_cached,
    wait_for_new_run,
    wait_until_complete,
    wait_until_idle,
    wait_until_settled,
)

N_EPOCHS = 50  # epochs that the sidebar offers
FEW_EPOCHS = replace(SHOWCASE.training, epochs=N_EPOCHS)


def pixels(page: Page, card: int = 0) -> np.ndarray:
    canvas = page.locator(".card canvas.boundary").nth(card)
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def page(open_pages: OpenPage) -> Page:
    """The default page at the end of its run."""
    page = open_pages()
    wait_until_complete(page)
    seek(page, -1)
    return page


# each shown frame, its time, and whether the run plays or is shown as it arrives
RECORD_FRAMES = (
    SEARCH_BOARD
    + """
window.frames = [];
const watch = (now) => {
  window.element = window.element?.isConnected ? window.element : search(document);
  const board = window.element?.regviz;
  if (board?.recording && board.frame !== window.frames.at(-1)?.frame)
    window.frames.push({ frame: board.frame, mode: board.state.mode, now });
  requestAnimationFrame(watch);
};
requestAnimationFrame(watch);
"""
)


@pytest.fixture(scope="module")
def short_run(context: BrowserContext, url: str) -> Iterator[Page]:
    """The page with the minimum of epochs, so that it retrains quickly.

    ``window.shown`` are the frames before and after that choice, and whether they move.
    """
    with page_opener(context, url, RECORD_FRAMES) as open_pages:
        page = open_pages()
        wait_until_complete(page)
        wait_until_settled(page)
        shown = "[board().frame, board().playing]"
        page.evaluate(f"() => {{ window.shown = [{shown}]; }}")
        move_slider(page, "Epochs", ["Home"])
        wait_until_settled(page)
        page.evaluate(f"() => {{ window.shown.push({shown}); }}")
        yield page


def test_the_browser_holds_the_networks_that_the_library_trains(page: Page):
    grid = grid_of()
    assert_browser_has(page, grid)
    shown = page.evaluate("window.board().recording.cards")
    networks_by_variant = [
        (card["key"], tuple(tuple(variant["networks"]) for variant in card["variants"]))
        for card in shown
    ]
    assert networks_by_variant == [
        *grid.networks_by_variant,
        ("early_stopping", grid.networks_by_variant[0][1]),
    ]


def test_a_link_shows_the_mix_and_the_dropout_and_the_address_follows_them(open_page: OpenPage):
    page = open_page(query="?v=2&epochs=50&elastic_net_l1_ratio=0.25&max_norm_drop_rate=0")
    wait_until_complete(page)
    grid = grid_of(training=FEW_EPOCHS)
    assert_browser_has(page, grid, {}, {"elastic_net": 1, "max_norm": 0})
    slider = page.get_by_role("slider", name="Mix of Elastic net")
    assert slider.input_value() == "1"
    slider.press("End")
    wait_until_idle(page)
    assert "elastic_net_l1_ratio=1&max_norm_drop_rate=0" in page.url
    # at 100 % it is L1: the same network, at another strength
    cards = {card["label"]: card for card in read_cards(page)}
    assert cards["Elastic net"]["k"] == dict(grid.networks_by_method())["l1"][6]
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    wait_until_idle(page)
    assert "elastic_net_l1_ratio" not in page.url


def test_the_boundary_on_screen_has_the_colours_of_the_classes(page: Page):
    seek(page, -1)
    image = pixels(page, card=2)
    low, high = page.evaluate("window.board().recording.domain")
    side = min(image.shape[:2])  # a screenshot at a fractional position is one pixel larger
    image = image[:side, :side]
    axis = low + (high - low) * (np.arange(side) + 0.5) / side
    places = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, 2)
    grid = grid_of()
    probability = (
        train_cached(grid.experiment).predict(places)[grid.rows({})[2]].reshape(side, side)
    )
    warm = image[:, :, 0] > image[:, :, 2]  # class 1 is orange, class 0 is blue
    sure = np.abs(probability - 0.5) > 0.2
    margin = slice(4, -4)  # rounded corners
    agree = (warm == (probability > 0.5))[margin, margin][sure[margin, margin]]
    assert agree.mean() > 0.85  # the remaining pixels are points drawn on top


def test_the_first_screen_shows_the_cards_of_all_methods_and_early_stopping_whole(page: Page):
    labels = [*(METHODS[key].label for key in LINE_UP), "Early stopping"]
    for card, label in enumerate(labels):
        expect(page.locator(".card h2").nth(card)).to_contain_text(label)
    bottoms = page.evaluate(
        "[...window.board().element.querySelectorAll('.card')]"
        ".map(card => card.getBoundingClientRect().bottom)"
    )
    assert len(bottoms) == len(labels)
    assert max(bottoms) <= 900


# all positions of the first card
PLACES = """() => {
  window.places = new Set();
  const look = () => {
    const card = window.board().element.querySelector(".card");
    if (card) window.places.add(card.getBoundingClientRect().top);
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.mark.parametrize("part", [".boundary", ".label", ".weights", ".pick"])
def test_a_click_on_a_card_lets_it_be_seen_large(page: Page, part: str):
    set_view(page, focus="l1")
    page.locator(".card").nth(4).locator(part).first.click()
    assert page.evaluate("window.board().view.focus") == "dropout"
    set_view(page, focus="l1")


def test_the_cards_keep_their_place_while_another_run_comes(open_page: OpenPage):
    widths = (390, 1400, 1920)
    page = open_page(widths[0], query=f"?v=2&noise=0.45&epochs={N_EPOCHS}")
    run = wait_until_complete(page)
    for width in widths:
        resize_window(page, width, 900)
        wait_until_settled(page)
        page.evaluate(PLACES)
        find_slider(page, "Learning rate").press("ArrowLeft")
        run = wait_for_new_run(page, run)
        assert len(page.evaluate("[...window.places]")) == 1, width


def test_a_visitors_first_run_is_played_however_fast_it_arrives(context: BrowserContext, url: str):
    with page_opener(context, url, RECORD_FRAMES) as open_page:
        page = open_page(reduced_motion="no-preference")
        find_board(page)
        page.wait_for_function(
            "window.board().frame === 100 && !window.board().playing", timeout=60_000
        )
        shown = page.evaluate("window.frames")
        frames = [each["frame"] for each in shown]
        assert (frames[0], frames[-1]) == (0, 100)
        assert frames == sorted(frames)
        assert shown[-1]["now"] - shown[0]["now"] > 1000 * 99 / 24
        assert_plays_again(page)


def assert_plays_again(page: Page) -> None:
    """Assert that after a change the page shows the end of the run, and that *Play* restarts it."""
    wait_until_complete(page)
    move_slider(page, "Epochs", ["Home"])
    assert page.evaluate("window.board().frame") == N_EPOCHS
    play = page.get_by_role("button", name="Play", exact=True)
    found = play.evaluate("(e) => (e.click(), [window.board().playing, window.board().frame])")
    assert found == [True, 0]


def test_with_reduced_motion_the_result_is_shown_at_once(short_run: Page):
    assert short_run.evaluate("window.shown") == [[100, False], [N_EPOCHS, False]]
    modes = short_run.evaluate("window.frames.map(({ mode }) => mode)")
    assert {*modes} <= {"following", "resting"}


def test_a_change_keeps_focus_strengths_and_epoch_and_the_old_picture_until_then(
    open_page: OpenPage,
):
    page = open_page()
    wait_until_complete(page)
    page.keyboard.press("4")
    page.get_by_role("button", name="Move all strengths together").click()
    slider = page.get_by_role("slider", name="Strength of L2")
    slider.focus()
    for key in ("End", "ArrowLeft"):
        slider.press(key)
    seek(page, 30)
    before = pixels(page)
    page.evaluate(
        """() => { window.blank = 0;
          window.first = window.board().element;
          const look = () => {
            const canvas = window.board().element.querySelector("canvas.boundary");
            if (!canvas || !canvas.width) window.blank++;
            requestAnimationFrame(look);
          }; look(); }"""
    )
    move_slider(page, "Noise", ["End"])
    wait_until_idle(page)
    found = page.evaluate("(({ frame, view }) => ({ frame, ...view }))(window.board())")
    assert (found["frame"], found["focus"], found["linked"]) == (30, "elastic_net", False)
    assert [card["focused"] for card in read_cards(page)].index(True) == 3
    assert found["strengthIndices"]["l2"] == 10
    for key in ("l1", "dropout", "max_norm"):
        assert found["strengthIndices"][key] == METHODS[key].default_index
    assert slider.input_value() == "10"
    # the displayed networks are trained first
    assert_browser_has(page, grid_of(data=replace(SHOWCASE.data, noise=1.0)), {"l2": 10})
    assert np.abs(pixels(page) - before).mean() > 2
    # the epoch stays although its frame number differs
    at = "window.board().recording.epochs[window.board().frame]"
    epoch = page.evaluate(at)
    move_slider(page, "Epochs", ["ArrowLeft"])
    wait_until_idle(page)
    shorter = recorded_epochs(replace(SHOWCASE.training, epochs=200))
    assert page.evaluate(at) == max(e for e in shorter if e <= epoch)
    assert page.evaluate("window.board().frame") != 30
    assert page.evaluate("window.blank") == 0
    assert page.evaluate("window.board().element === window.first")
    assert page.evaluate("window.first.parentNode.querySelectorAll('.regviz-board').length") == 1


def test_runs_overtaken_by_other_changes_are_neither_mixed_nor_broken(open_page: OpenPage):
    page = open_page()
    wait_until_complete(page)
    for label, keys in {
        "Noise": ["ArrowRight"] * 8,
        "Epochs": ["ArrowLeft"],
        "Hidden layers": ["ArrowLeft"],
        "Training points": ["ArrowRight"] * 3,
        "Units in each layer": ["ArrowLeft"] * 3,
        "Learning rate": ["ArrowRight"],
    }.items():
        slider = find_slider(page, label)
        slider.focus()
        for i, key in enumerate(keys):
            slider.press(key)
            page.wait_for_timeout(20 * (i + 1))
    find_slider(page, "Epochs").press("Home")
    page.wait_for_function(f"window.board().recording.lastEpoch === {N_EPOCHS}", timeout=60_000)
    wait_until_settled(page)  # the sliders send their values after a pause, in any order
    wait_until_complete(page)
    grid = grid_of(
        data=replace(SHOWCASE.data, noise=0.6, train_fraction=105 / 60 * 0.2),
        network=replace(SHOWCASE.network, hidden=(5, 5)),
        training=replace(FEW_EPOCHS, learning_rate=0.03),
    )
    assert_browser_has(page, grid)
    seek(page, -1)
    expected = train_cached(grid.experiment).metrics["test_loss"][-1]
    for card in read_cards(page)[:6]:
        assert is_rounded(card["test_loss"], expected[card["k"]], 2)


def test_controls_that_arrive_after_a_change_stand_where_the_link_says(
    context: BrowserContext, url: str
):
    # Streamlit's code of each kind of control, delayed until the rest of the page has loaded
    kinds = ("ButtonGroup", "Checkbox", "Selectbox", "Slider")
    on_the_way: list[Route] = []
    chosen = {
        **{"data": "moons", "noise": "0.3", "hidden": "3,3", "activation": "relu"},
        **{"features": "x1,x2,x1*x2", "optimizer": "adam", "learning_rate": "0.03"},
        **{"batch_size": "15", "epochs": "50", "phases": "10"},
        **{"methods": "none,l2,dropout", "early_stopping": "0"},
    }
    code = re.compile(rf"/static/js/({'|'.join(kinds)})\.")
    context.route(code, lambda route: on_the_way.append(route))
    try:
        with page_opener(context, url) as open_page:
            page = open_page(query=f"?v=2&{urlencode(chosen)}")
            wait_until_complete(page)
            for seed in (4, 5):
                choose_seed(page, seed)
            assert {code.search(route.request.url)[1] for route in on_the_way} == set(kinds)
            for route in on_the_way:
                route.continue_()
            for kind in kinds:
                expect(page.get_by_test_id(f"st{kind}").first).to_be_visible()
            choose_seed(page, 6)  # the browser sends the state of all controls
            parameters = dict(parse_qsl(page.evaluate("window.board().recording.link")))
            assert parameters == chosen | {"seed": "6"}
            expect(page.get_by_test_id("stAlert")).to_have_count(0)
            switches = page.get_by_test_id("stCheckbox")
            on = switches.filter(has=page.locator(":checked")).all_inner_texts()
            assert on == ["None", "L2", "Dropout"]
    finally:
        context.unroute(code)


OPACITY = "Number(getComputedStyle(document.querySelector('.st-key-{}')).opacity)"


def test_while_the_page_waits_for_the_server_the_board_is_never_pale(browser: Browser, url: str):
    def held_back(message: ForwardMsg) -> bool:
        # Streamlit fades the elements that the current run has not drawn again
        begins = message.session_status_changed.script_is_running
        return not (begins or message.HasField("new_session"))

    with browser.new_context() as context:
        holder = MessageHolder(context, ForwardMsg, held_back)
        with page_opener(context, url) as open_page:
            page = open_page(query="?v=2&epochs=50&hidden=2")
            wait_until_complete(page)
            holder.holding = True
            field = page.get_by_label("Seed", exact=True)
            field.fill("8")
            field.press("Enter")
            # full fade, which lasts until the messages come
            page.wait_for_function(f"{OPACITY.format('understand')} < 0.4")
            assert page.evaluate(OPACITY.format("board")) == 1
            holder.release()
            page.wait_for_function("window.board().recording.link.includes('seed=8')")
            page.wait_for_function(f"{OPACITY.format('understand')} === 1")


def test_a_dataset_is_chosen_by_its_picture(short_run: Page):
    choose_data(short_run, "Bumps (regression)")
    assert short_run.evaluate("window.board().recording.network.task") == "regression"
    expect(short_run.locator(".card .test_accuracy")).to_have_count(0)
    expect(short_run.get_by_role("button", name="classes only")).to_be_hidden()
    bumps = grid_of(replace(SHOWCASE.data, name="bumps"), training=FEW_EPOCHS)
    strength_indices = short_run.evaluate("window.board().view.strengthIndices")
    assert_browser_has(short_run, bumps, strength_indices)
    # a cached run arrives at once, also where a control (wrong labels) disappears with it
    choose_data(short_run, "Circles")
    choose_data(short_run, "Bumps (regression)")
    assert_browser_has(short_run, bumps, strength_indices)


def test_switching_the_theme_changes_the_board(page: Page):
    seek(page, -1)
    light = pixels(page).mean()
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_test_id("stMainMenuItem-theme-Dark").click()
    page.wait_for_function("window.board().element.dataset.theme === 'dark'")
    page.keyboard.press("Escape")
    wait_until_idle(page)
    assert pixels(page).mean() < light - 10
