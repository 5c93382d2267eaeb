"""The page in a real browser: it draws what was trained, and answers as a visitor expects."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import regviz
from regviz.history import METRICS
from regviz.regularization import METHODS
from regviz.showcase import SHOWCASE
from tests.browser.conftest import find_board

Open = Callable[..., Page]
DONE = "window.board().recording.held === window.board().recording.nFrames"


@pytest.fixture(scope="module")
def showcase() -> regviz.History:
    return regviz.train(SHOWCASE)


def complete(page: Page) -> str:
    """Wait until the whole run has arrived; the name of the run."""
    find_board(page)
    page.wait_for_function(DONE, timeout=60_000)
    return page.evaluate("window.board().recording.run")


def change(page: Page, label: str, keys: list[str]) -> str:
    """Move a slider of the sidebar; the name of the new run, once it has arrived whole."""
    before = page.evaluate("window.board().recording.run")
    slider = control(page, label)
    slider.focus()
    for key in keys:
        slider.press(key)
    page.wait_for_function(f"window.board().recording.run !== {before!r}", timeout=30_000)
    return complete(page)


def control(page: Page, label: str) -> Locator:
    """A slider of the sidebar."""
    return page.locator(f'input[type=range][aria-label="{label}"]')


def pixels(page: Page, card: int = 0) -> np.ndarray:
    canvas = page.locator(".card canvas.boundary").nth(card)
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).astype(int)


def test_the_browser_holds_the_run_that_the_library_trains(
    open_page: Open, showcase: regviz.History
):
    page = open_page()
    complete(page)
    parameters = page.evaluate("Array.from(window.board().recording.parameters)")
    found = np.array(parameters, dtype=np.float32).reshape(showcase.parameters.shape)
    assert np.array_equal(found, showcase.parameters)
    metrics = page.evaluate("Array.from(window.board().recording.metrics, x => x)")
    expected = np.stack([showcase.metrics[name] for name in METRICS], axis=2)
    assert np.allclose(np.array(metrics).reshape(expected.shape), expected, rtol=1e-6)
    assert page.evaluate("window.board().recording.epochs") == showcase.epochs.tolist()


def test_the_numbers_on_the_cards_are_those_of_the_history(
    open_page: Open, showcase: regviz.History
):
    page = open_page()
    complete(page)
    page.wait_for_function("window.board().frame === window.board().recording.nFrames - 1")
    for k, method in enumerate(METHODS.values()):
        card = page.locator(".card").nth(k)
        final = {name: values[-1, k] for name, values in showcase.metrics.items()}
        expect(card.locator("h3")).to_contain_text(method.label)
        expect(card.locator(".test_loss dd")).to_have_text(f"{final['test_loss']:.2f}")
        expect(card.locator(".train_loss dd")).to_have_text(f"{final['train_loss']:.2f}")
        expect(card.locator(".gap dd")).to_have_text(f"{final['gap']:+.2f}".replace("-", "−"))
        share = round(100 * final["test_accuracy"])
        expect(card.locator(".test_accuracy dd")).to_have_text(f"{share} %")
        weights = np.concatenate([w.ravel() for w in showcase.weights(k)])
        zeros = f"{(weights == 0).sum()} of {weights.size} exactly 0"
        expect(card.locator(".zeros")).to_have_text(zeros)


def test_the_boundary_on_screen_has_the_colours_of_the_classes(
    open_page: Open, showcase: regviz.History
):
    page = open_page()
    complete(page)
    page.wait_for_timeout(300)
    image = pixels(page, card=2)
    low, high = page.evaluate("window.board().recording.domain")
    side = image.shape[0]
    axis = low + (high - low) * (np.arange(side) + 0.5) / side
    grid = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, 2)
    probability = showcase.predict(grid)[2].reshape(side, side)
    warm = image[:, :, 0] > image[:, :, 2]  # class 1 is orange, class 0 is blue
    sure = np.abs(probability - 0.5) > 0.2
    margin = slice(4, -4)  # rounded corners
    agree = (warm == (probability > 0.5))[margin, margin][sure[margin, margin]]
    assert agree.mean() > 0.9  # the rest are the points drawn on top


def test_the_component_mounts_once_over_runs_and_changes(open_page: Open):
    page = open_page()
    complete(page)
    change(page, "Noise", ["ArrowRight"])
    change(page, "Training points", ["ArrowRight", "ArrowRight"])
    assert page.evaluate("window.__regvizMounts") == 1


def test_a_change_trains_anew_and_keeps_the_old_picture_until_then(open_page: Open):
    page = open_page()
    complete(page)
    page.evaluate(
        """() => { window.blank = 0;
          const look = () => {
            const canvas = window.board().element.querySelector("canvas.boundary");
            if (!canvas || !canvas.width) window.blank++;
            requestAnimationFrame(look);
          }; look(); }"""
    )
    before = pixels(page)
    change(page, "Noise", ["End"])
    page.wait_for_timeout(300)
    assert np.abs(pixels(page) - before).mean() > 2
    assert page.evaluate("window.blank") == 0


def test_a_run_that_is_overtaken_by_another_change_is_not_mixed_with_it(open_page: Open):
    page = open_page()
    complete(page)
    slider = control(page, "Noise")
    slider.focus()
    for pause in range(10, 130, 10):
        slider.press("ArrowRight")
        page.wait_for_timeout(pause)
    page.wait_for_timeout(3000)
    complete(page)
    experiment = replace(SHOWCASE, data=replace(SHOWCASE.data, noise=0.8))
    expected = regviz.train(experiment).parameters
    found = np.array(
        page.evaluate("Array.from(window.board().recording.parameters)"), dtype=np.float32
    )
    assert np.array_equal(found.reshape(expected.shape), expected)


def test_play_pause_step_restart_and_the_slider_scrub_the_recording(open_page: Open):
    page = open_page()
    complete(page)
    last = page.evaluate("window.board().recording.nFrames - 1")
    frame = "window.board().frame"
    page.wait_for_function(f"{frame} === {last}")
    at_end = pixels(page)

    page.get_by_role("button", name="Back to the start").click()
    page.wait_for_function(f"{frame} === 0")
    page.wait_for_timeout(100)
    assert np.abs(pixels(page) - at_end).mean() > 2

    page.get_by_role("button", name="One step forward").click()
    page.wait_for_function(f"{frame} === 1")
    page.get_by_role("button", name="One step back").click()
    page.wait_for_function(f"{frame} === 0")

    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"{frame} > 5")
    page.get_by_role("button", name="Pause").click()
    held = page.evaluate(frame)
    page.wait_for_timeout(300)
    assert page.evaluate(frame) == held

    epoch = page.get_by_role("slider", name="Epoch", exact=True)
    epoch.fill(str(last))
    page.wait_for_function(f"{frame} === {last}")
    assert epoch.get_attribute("aria-valuetext") == "epoch 400 of 400"
    page.wait_for_timeout(100)
    assert np.array_equal(pixels(page), at_end)


def test_scrubbing_sends_nothing(open_page: Open):
    page = open_page()
    complete(page)
    page.wait_for_timeout(1500)
    sent: list[object] = []
    context = page.context.new_cdp_session(page)
    context.send("Network.enable")
    context.on("Network.webSocketFrameSent", lambda frame: sent.append(frame))
    for frame in range(0, 100, 5):
        page.evaluate(f"window.board().seek({frame})")
        page.wait_for_timeout(20)
    assert sent == []


def test_the_keyboard_alone_can_play_step_and_go_to_the_ends(open_page: Open):
    page = open_page()
    complete(page)
    page.get_by_role("slider", name="Epoch", exact=True).focus()
    frame = "window.board().frame"
    for key, where in [("Home", "=== 0"), ("ArrowRight", "=== 1"), ("ArrowLeft", "=== 0")]:
        page.keyboard.press(key)
        page.wait_for_function(f"{frame} {where}")
    page.keyboard.press("Space")
    page.wait_for_function(f"{frame} > 3")
    page.keyboard.press("Space")
    page.keyboard.press("End")
    page.wait_for_function(f"{frame} === window.board().recording.nFrames - 1")


def test_every_picture_says_in_words_what_it_shows(open_page: Open, showcase: regviz.History):
    page = open_page()
    complete(page)
    loss, share = showcase.metrics["test_loss"][-1, 1], showcase.metrics["sparsity"][-1, 1]
    expected = f"L1.*epoch 400: test loss {loss:.2f},.* {100 * share:.0f} % of 152 weights"
    picture = page.locator(".card canvas.boundary").nth(1)
    expect(picture).to_have_attribute("aria-label", re.compile(expected))


def test_a_dataset_is_chosen_by_its_picture(open_page: Open):
    page = open_page()
    before = complete(page)
    page.get_by_role("radio", name="Bumps (regression)").check(force=True)
    page.wait_for_function(f"window.board().recording.run !== {before!r}", timeout=30_000)
    complete(page)
    assert page.evaluate("window.board().recording.network.task") == "regression"
    expect(page.locator(".card .test_accuracy")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1920, 1080), (390, 844)])
def test_nothing_is_cut_or_wider_than_the_window(
    open_page: Open, width: int, height: int, scheme: str
):
    page = open_page(width, height, scheme)
    complete(page)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """() => {
          const cut = [];
          for (const element of window.board().element.querySelectorAll("*")) {
            const style = getComputedStyle(element);
            if (element.children.length || !element.textContent.trim()) continue;
            if (style.position === "absolute" || style.visibility === "hidden") continue;
            if (element.scrollWidth > element.clientWidth + 1 && style.display !== "inline")
              cut.push(element.textContent);
            const box = element.getBoundingClientRect();
            if (box.right > innerWidth + 1) cut.push("outside: " + element.textContent);
          }
          return cut;
        }"""
    )
    assert cut == []


def test_the_first_screen_shows_all_six_cards_whole(open_page: Open):
    page = open_page(1400, 900)
    complete(page)
    bottoms = page.evaluate(
        "[...window.board().element.querySelectorAll('.card')]"
        ".map(card => card.getBoundingClientRect().bottom)"
    )
    assert len(bottoms) == 6
    assert max(bottoms) <= 900


def test_numbers_change_without_moving_anything(open_page: Open):
    page = open_page()
    complete(page)
    boxes = (
        "JSON.stringify([...window.board().element.querySelectorAll('.card, .transport > *')]"
        ".map(e => { const b = e.getBoundingClientRect();"
        " return [b.left, b.top, b.width, b.height].map(Math.round); }))"
    )
    seen = set()
    for frame in (0, 3, 30, 70, 100):
        page.evaluate(f"window.board().seek({frame})")
        page.wait_for_timeout(60)
        seen.add(page.evaluate(boxes))
    assert len(seen) == 1


def test_a_visitors_first_run_is_played_from_its_beginning(open_page: Open):
    page = open_page()
    complete(page)
    assert page.evaluate("window.board().playing")
    page.wait_for_function("window.board().frame === 100 && !window.board().playing")
    change(page, "Noise", ["ArrowRight"])
    page.wait_for_function("window.board().frame === 100", timeout=1000)


def test_who_prefers_reduced_motion_sees_the_result_at_once(open_page: Open):
    page = open_page(reduced_motion="reduce")
    complete(page)
    page.wait_for_function("window.board().frame === 100", timeout=1000)
    assert not page.evaluate("window.board().playing")


def test_switching_the_theme_changes_board_and_charts(open_page: Open):
    page = open_page()
    complete(page)
    paper = ".js-plotly-plot .main-svg[style*='background']"
    page.wait_for_selector(paper)
    light = page.locator(paper).first.get_attribute("style")
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_test_id("stMainMenuItem-theme-Dark").click()
    page.wait_for_function("window.board().element.dataset.theme === 'dark'")
    expect(page.locator(paper).first).not_to_have_attribute("style", light, timeout=10_000)
