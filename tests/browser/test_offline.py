"""Tests of the offline page, opened from disk without a network."""

import base64
import functools
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import regviz
from devtools.board import find_board
from regviz.engine.history import History
from regviz.methods.catalogue import METHODS
from regviz.scenes.encoding import encode
from regviz.scenes.frames import BITS
from regviz.scenes.offline import offline_page, recording
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import DataSpec, NetworkSpec, TrainingSpec
from tests.browser.conftest import poll_conditions
from tests.browser.test_board import assert_predicts
from tests.browser.visitor import (
    INITIAL_VIEW,
    READ_PARAMETERS,
    all_boundary_pixels,
    read_cards,
    release_pointer,
    resize_window,
    seek,
    set_view,
    wait_until_idle,
)
from tests.support.recordings import source_of

TRAINING = replace(SHOWCASE.training, epochs=40)
HOSTILE = '</title><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">&amp;'

TITLE = "A title of many words that has to break on a phone"

OpenPage = Callable[..., Page]


class Run(NamedTuple):
    grid: StrengthGrid
    history: History

    def page(self, title: str = "A run", about: str = "") -> str:
        rows = self.grid.rows({})
        return offline_page(recording(self.grid, rows, self.history, "run"), title, about)


@functools.cache
def run_of(
    data: DataSpec = SHOWCASE.data,
    network: NetworkSpec = SHOWCASE.network,
    training: TrainingSpec = TRAINING,
) -> Run:
    grid = StrengthGrid.of(list(METHODS), data, network, training)
    return Run(grid, regviz.train(grid.experiment))


@pytest.fixture(scope="module")
def run() -> Run:
    return run_of()


@contextmanager
def offline_opener(browser: Browser, folder: Path) -> Iterator[OpenPage]:
    """Yield a function that opens a page from disk, offline; fails if it has sent any request.

    The page's policy is bypassed by default, as it forbids the eval of `wait_for_function`.
    """
    contexts, console_texts, requests, allowed = [], [], [], []

    def open_html(html: str, width: int = 1400, policy=False, script: str = "", **more) -> Page:
        file = folder / f"{len(contexts)}.html"
        file.write_text(html, encoding="utf-8")
        allowed.append(file.as_uri())
        more = {"reduced_motion": "reduce", "offline": True, "bypass_csp": not policy} | more
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        context.add_init_script(script)
        context.on("request", lambda request: requests.append(request.url))
        context.on("console", lambda message: console_texts.append(message.text))
        context.on("weberror", lambda error: console_texts.append(str(error.error)))
        page = context.new_page()
        page.goto(file.as_uri())
        return page

    yield open_html
    for context in contexts:
        context.close()
    assert requests == allowed
    assert console_texts == []


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Open a page for one test."""
    with offline_opener(browser, tmp_path) as open_html:
        yield open_html


@pytest.fixture(scope="module")
def run_page(
    browser: Browser, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The page of the run, shared by the tests."""
    with offline_opener(browser, tmp_path_factory.mktemp("offline")) as open_file:
        yield wait_until_decoded(open_file(run.page(TITLE, "x" * 120)))


@pytest.fixture
def page(run_page: Page) -> Page:
    """The page at the end of the run, not playing."""
    release_pointer(run_page)
    run_page.evaluate("scrollTo(0, 0), board().element.focus()")
    seek(run_page, -1)
    set_view(run_page, **INITIAL_VIEW)
    return run_page


def wait_until_decoded(page: Page) -> Page:
    """Wait until the whole recording is decoded, and return the page."""
    page.wait_for_selector(".regviz-board .card canvas")
    find_board(page)
    page.wait_for_function("window.board().complete && !document.getElementById('note')")
    return page


def at_rest(page: Page) -> Page:
    """Go to the end of the run, wait until the page is idle, and return it."""
    seek(wait_until_decoded(page), -1)
    return page


# all texts of the epoch label, from the first on
RECORD_EPOCHS = """
  window.epochs = [];
  new MutationObserver(() => {
    const said = document.querySelector(".transport .epoch")?.textContent;
    if (said && said !== window.epochs.at(-1)) window.epochs.push(said);
  }).observe(document, { subtree: true, childList: true, characterData: true });
"""


# click Play, then Pause after the first frames; a tick is at most six frames long
PLAY_AND_PAUSE = """async () => {
  const click = (name) => document.querySelector(`.transport [aria-label="${name}"]`).click();
  click("Play");
  while (window.board().frame < 3) await new Promise(requestAnimationFrame);
  click("Pause");
}"""


def test_it_plays_from_the_beginning_and_again(run: Run, open_file: OpenPage):
    page = wait_until_decoded(
        open_file(run.page(), script=RECORD_EPOCHS, reduced_motion="no-preference")
    )
    page.wait_for_function("window.board().frame === 40 && !window.board().playing")
    epochs = [int(said.split()[1]) for said in page.evaluate("window.epochs")]
    assert len(epochs) > 3
    assert epochs == sorted(epochs)
    assert epochs[0] < 10
    assert epochs[-1] == 40
    at_the_end = all_boundary_pixels(page)
    page.evaluate(PLAY_AND_PAUSE)
    wait_until_idle(page)
    assert 2 < page.evaluate("window.board().frame") < 40
    differ = [a != b for a, b in zip(at_the_end, all_boundary_pixels(page), strict=True)]
    assert all(differ[:6])


def test_it_holds_every_network_at_every_epoch_and_all_zeros(run: Run, page: Page):
    found = page.evaluate(READ_PARAMETERS.replace('assets + "/board/', '"regviz/'))
    numbers = np.frombuffer(base64.b64decode(found["bytes"]), np.float32).reshape(found["shape"])
    exact = run.history.parameters
    assert np.array_equal(numbers == 0, exact == 0)
    assert (np.abs(numbers - exact) <= 2.0 ** -(BITS + 1) * np.abs(exact)).all()
    assert page.evaluate("window.board().recording.epochs") == run.history.epochs.tolist()


def test_the_summary_follows_the_epoch_and_is_announced_at_rest_only(page: Page):
    summary = page.locator(".summary")
    expect(summary).to_contain_text("None")
    expect(summary).to_have_attribute("aria-live", "polite")
    moving = page.evaluate(
        """() => {
          window.board().commands.seek(0);
          window.board().drawMoving();
          const summary = document.querySelector(".summary");
          return [summary.ariaLive, summary.textContent];
        }"""
    )
    assert moving[0] == "off"
    assert moving[1].startswith("Epoch 0: no network has learned anything yet.")
    expect(summary).to_have_attribute("aria-live", "polite")


def test_a_place_can_be_asked_and_a_weight_changed(run: Run, page: Page):
    assert_predicts(page, run.history)
    keys = page.evaluate("window.board().recording.cards.map(({ key }) => key)")
    focus = keys.index(page.evaluate("window.board().view.focus"))
    before = all_boundary_pixels(page)
    page.evaluate("window.board().commands.edit(0, 3)")
    wait_until_idle(page)
    changed = [a != b for a, b in zip(before, all_boundary_pixels(page), strict=True)]
    assert changed == [c == focus for c in range(len(keys))]
    assert read_cards(page)[focus]["remark"] == "edited"
    page.evaluate("window.board().commands.undoEdit(0)")
    wait_until_idle(page)
    assert all_boundary_pixels(page) == before


def test_the_keys_work_as_on_the_page(page: Page):
    page.keyboard.press("Home")
    wait_until_idle(page)
    assert page.evaluate("window.board().frame") == 0
    page.keyboard.press("3")
    assert page.evaluate("window.board().view.focus") == "l2"
    page.keyboard.press("ArrowUp")
    wait_until_idle(page)
    assert (
        page.evaluate("window.board().view.strengthIndices.l1") == METHODS["l1"].default_index + 1
    )


@pytest.mark.parametrize(
    ("data", "training"),
    [
        (DataSpec("three_blobs"), TRAINING),
        (DataSpec("bumps"), TRAINING),
        (DataSpec("plane"), TrainingSpec("sgd", learning_rate=10.0, epochs=40)),
    ],
)
def test_every_task_can_be_saved_and_a_network_that_is_lost(
    open_file: OpenPage, data: DataSpec, training: TrainingSpec
):
    run = run_of(data, NetworkSpec((6, 6), "relu"), training)
    page = at_rest(open_file(run.page()))
    history = run.history
    for card in read_cards(page):
        lost = history.diverged[card["k"]]
        if 0 <= lost <= history.epochs[card["t"]]:
            text = page.locator(".card", has_text=card["label"]).locator(".diverged").first
            expect(text).to_contain_text(f"diverged at epoch {lost}")
            continue
        for name, text in (("test_loss", card["test_loss"]), ("train_loss", card["train_loss"])):
            expected = history.metrics[name][card["t"], card["k"]]
            decimals = len(text.partition(".")[2])
            assert decimals >= 1
            assert abs(float(text) - expected) <= 0.5 * 10**-decimals + 1e-5
    if data.name == "plane":
        assert (history.diverged >= 0).any()
    else:
        assert_predicts(page, history)


def test_texts_are_shown_as_they_are(run: Run, open_file: OpenPage):
    page = wait_until_decoded(open_file(run.page(HOSTILE, HOSTILE)))
    assert page.title() == HOSTILE
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator(".about").text_content() == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [390, 1920])
@pytest.mark.parametrize(
    ("scheme", "paper"), [("dark", "rgb(14, 17, 23)"), ("light", "rgb(255, 255, 255)")]
)
def test_it_fits_any_window_in_the_systems_colours(page: Page, width: int, scheme: str, paper: str):
    was = page.viewport_size
    before = all_boundary_pixels(page)
    page.emulate_media(color_scheme=scheme)
    resize_window(page, width, 900)
    page.wait_for_function(f"window.board().stage.theme.mode === {scheme!r}")
    wait_until_idle(page)
    try:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for element in ("h1", ".about", ".regviz-board"):
            box = page.locator(element).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
        assert page.evaluate("getComputedStyle(window.board().probe).color") == paper
        assert all(a != b for a, b in zip(before, all_boundary_pixels(page), strict=True))
    finally:
        page.set_viewport_size(was)
        page.emulate_media(color_scheme="light")


def test_the_policy_hinders_nothing_of_the_board(run: Run, open_file: OpenPage):
    page = poll_conditions(open_file(run.page(), policy=True))
    expect(page.locator("#note")).to_have_count(0)
    expect(page.locator(".transport .epoch")).to_have_text("epoch 40 / 40")
    find_board(page)
    wait_until_idle(page)
    before, kept = all_boundary_pixels(page), page.evaluate("window.board().stage.displayed[6].t")
    page.get_by_role("slider", name="Epoch", exact=True).fill("1")
    expect(page.locator(".transport .epoch")).to_have_text("epoch 1 / 40")
    page.get_by_role("slider", name="Strength of L1", exact=True).press("Home")
    expect(page.get_by_role("slider", name="Strength of all methods")).to_have_value("0")
    page.get_by_role("button", name="test loss").first.hover()
    expect(page.locator(".tip")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    wait_until_idle(page)
    differ = [a != b for a, b in zip(before, all_boundary_pixels(page), strict=True)]
    # early stopping shows another network only if it keeps a later one
    assert differ == [True] * (len(differ) - 1) + [kept > 1]
    assert page.evaluate("window.board().stage.displayed[6].t") == min(kept, 1)


@pytest.mark.parametrize("policy", [True, False])
def test_it_is_the_policy_that_keeps_a_page_from_any_server(
    browser: Browser, run: Run, tmp_path: Path, policy: bool
):
    file = tmp_path / "run.html"
    file.write_text(run.page(), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        page = browser.new_page(bypass_csp=not policy, reduced_motion="reduce")
        page.goto(file.as_uri())
        page.evaluate(
            """url => {
              const image = new Image();
              const loaded = new Promise((done) => (image.onload = image.onerror = done));
              image.src = url;
              window.over = Promise.allSettled([fetch(url), loaded, import(url)]);
            }""",
            f"http://127.0.0.1:{server.getsockname()[1]}/a.js",
        )
        if policy:
            # all three end without a response, as no request was sent
            page.evaluate("window.over")
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.accept()
        else:
            server.settimeout(60)
            server.accept()[0].close()
        page.close()


def test_without_javascript_it_says_what_it_takes(run: Run, open_file: OpenPage):
    page = open_file(run.page(), java_script_enabled=False)
    expect(page.locator("#note")).to_contain_text("JavaScript is switched off")
    expect(page.locator("#note")).to_be_visible()


@pytest.mark.parametrize("damage", ["not base64", "half a message", "a part is missing"])
def test_a_damaged_file_says_so(run: Run, open_file: OpenPage, damage: str):
    (message,) = recording(run.grid, run.grid.rows({}), run.history, "run")
    if damage == "half a message":
        message = message[: len(message) // 2]
    elif damage == "a part is missing":
        message = encode(source_of(run.grid, run.history), most=5)
    html = offline_page([message], "A run")
    if damage == "not base64":
        html = html.replace("data-message>", "data-message>§")
    page = open_file(html)
    expect(page.locator("#note")).to_contain_text("This file is damaged")


def test_normalized_networks_predict_as_the_run_and_show_their_effective_rates(
    open_file: OpenPage,
):
    network = NetworkSpec((6, 5), "tanh", normalization="batch", affine=True)
    run = run_of(network=network)
    page = at_rest(open_file(run.page()))
    assert_predicts(page, run.history)
    focus = page.evaluate("board().view.focus")
    shown = read_cards(page)
    keys = page.evaluate("window.board().recording.cards.map(({ key }) => key)")
    card = shown[keys.index(focus)]
    line = page.locator(".network .rates")
    expect(line).to_contain_text("effective rate η/‖w‖²")
    rates = [float(text) for text in line.locator("span").inner_text().split(" · ")]
    np.testing.assert_allclose(rates, run.history.effective_rates(card["t"])[card["k"]], rtol=0.06)
