"""Tests of the site without a server, from a static host and from disk."""

import functools
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import regviz
from devtools.board import find_board
from regviz.lessons.offline import lesson_page
from regviz.scenes.offline import recording
from tests.browser.conftest import poll_conditions
from tests.browser.test_access import LOW_CONTRAST_TEXTS
from tests.browser.test_axe import CONTRAST, RULES, found
from tests.browser.test_offline import RECORD_EPOCHS, offline_opener
from tests.support.site import build_small, small

OpenPage = Callable[..., Page]
FOLDER = "course"  # of the host, as pages may lie below its root


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("host") / FOLDER)


@pytest.fixture(scope="module")
def bases(site: Path) -> Iterator[dict[str, str]]:
    """The site's address on a static host, and on disk."""
    handler = functools.partial(Quiet, directory=str(site.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = f"http://127.0.0.1:{server.server_port}/{FOLDER}/"
        yield {"http": host, "file": f"{site.as_uri()}/"}
        server.shutdown()
        thread.join()


@pytest.fixture
def open_page(browser: Browser, bases: dict[str, str]) -> Iterator[OpenPage]:
    """A function that opens a page; fails if any page asks elsewhere or writes to its console."""
    contexts, outside, console_texts = [], [], []

    def open_site(name: str, kind: str = "http", script: str = "", **more: object) -> Page:
        more = {"reduced_motion": "reduce"} | more
        context = browser.new_context(viewport={"width": 1400, "height": 900}, **more)
        contexts.append(context)
        context.add_init_script(script)
        allowed = (bases[kind], "data:")
        context.on("request", lambda r: r.url.startswith(allowed) or outside.append(r.url))
        context.on("console", lambda message: console_texts.append(message.text))
        context.on("weberror", lambda error: console_texts.append(str(error.error)))
        page = poll_conditions(context.new_page())
        page.goto(bases[kind] + name)
        return page

    yield open_site
    for context in contexts:
        context.close()
    assert outside == []
    assert console_texts == []


def await_board(page: Page) -> None:
    """Wait until the board has received all of its recording."""
    page.wait_for_selector(".regviz-board .card canvas", state="attached")
    find_board(page)
    page.wait_for_function("window.board().complete")


@pytest.mark.parametrize("kind", ["http", "file"])
def test_the_opening_scene_plays_and_all_of_it_arrives(open_page: OpenPage, kind: str):
    page = open_page("index.html", kind, reduced_motion="no-preference", script=RECORD_EPOCHS)
    await_board(page)
    page.wait_for_function("!window.board().playing")
    expect(page.locator("#note")).to_have_count(0)
    epochs = [int(told.split()[1]) for told in page.evaluate("window.epochs")]
    assert epochs == sorted(epochs)
    assert len(epochs) > 3
    assert epochs[-1] == 1000
    page.get_by_role("link", name="Gallery").first.click()
    expect(page.locator("li img")).to_have_count(1)
    page.wait_for_function("document.images[1].naturalWidth > 100")
    page.get_by_role("link", name="L1 picks the inputs that matter").click()
    await_board(page)
    assert page.evaluate("window.board().view.focus") == "l1"


@pytest.mark.parametrize("kind", ["http", "file"])
def test_a_lesson_asks_answers_shows_its_scenes_and_recognises_the_solution(
    open_page: OpenPage, kind: str
):
    history = regviz.train(small()[0][0].scenes["eight"].grid().experiment)
    losses = history.metrics["test_loss"][:, 0]
    page = open_page("lesson-noise.html", kind)
    expect(page.get_by_text("The board appears here after your prediction.")).to_be_visible()
    question = page.get_by_role("group", name="Your prediction")
    place = question.bounding_box()
    see = page.get_by_role("heading", name="See", exact=True)
    expect(see).to_be_hidden()
    page.get_by_role("radio", name="It rises from the start").check()
    expect(page.locator(".judged")).to_have_text("Not so.")
    expect(page.get_by_text("The network first learns the two rings")).to_be_visible()
    expect(see).to_be_visible()
    await_board(page)
    assert question.bounding_box() == place
    layers = "window.board().recording.network.layers"
    assert page.evaluate(layers) == [2, 2, 2, 1]
    # part of the board
    expect(page.locator(".regviz-board .save")).to_be_hidden()
    page.get_by_role("slider", name="Units in each of two layers").press("End")
    page.wait_for_function(f"{layers}[1] === 8 && window.board().complete")
    page.get_by_role("button", name="Put the task on the board").click()
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text(f"✗ None's test loss: {losses[-1]:.3g}, wanted below 0.45")
    expect(outcome).to_contain_text("Not solved yet.")
    best = int(losses.argmin())
    page.get_by_role("slider", name="Epoch", exact=True).fill(str(best))
    expect(outcome).to_contain_text(f"✓ None's test loss: {losses[best]:.3g}")
    expect(outcome).to_contain_text("Solved.")
    page.get_by_role("link", name="Course").first.click()
    expect(page.locator("[data-progress=noise]")).to_have_text("done · ")
    expect(page.locator("[data-progress=exact-zero]")).to_have_text("")


def test_a_lesson_goes_on_without_an_answer_and_shows_its_solution(open_page: OpenPage):
    page = open_page("lesson-exact-zero.html")
    page.get_by_text("The answer", exact=True).click()
    await_board(page)
    expect(page.locator(".judged")).to_have_text("")
    page.get_by_role("button", name="Show a solution").click()
    expect(page.locator(".outcome")).to_contain_text("✓ L1's epoch: 164, wanted below 200")
    # what is not recorded says so, and leads to instructions
    page.get_by_role("link", name="Start RegViz yourself").first.click()
    expect(page.get_by_text("make run")).to_be_visible()


def test_a_saved_lesson_works_as_on_the_site_and_asks_no_server(browser: Browser, tmp_path: Path):
    lesson = small()[0][0]
    grid = lesson.scenes["eight"].grid()
    run = recording(grid, grid.rows({}), regviz.train(grid.experiment), "offline")
    with offline_opener(browser, tmp_path) as open_file:
        page = open_file(lesson_page(lesson, "eight", grid, run))
        page.get_by_role("radio").first.check()
        await_board(page)
        page.get_by_role("button", name="Show a solution").click()
        expect(page.locator(".outcome")).to_contain_text("Solved.")
        page.locator("figure summary").first.click()
        expect(page.get_by_role("table").first).to_contain_text("medians")
        assert page.locator("figure svg[role=img]").count() == 2


PAGES = ("index.html", "course.html", "lesson-noise.html", "gallery.html", "start.html", "404.html")


def test_all_pages_are_accessible_and_fit_a_phone_and_a_projector(open_page: OpenPage):
    page = open_page(PAGES[0])
    for name in PAGES:
        page.goto(page.url.rsplit("/", 1)[0] + f"/{name}")
        if name.startswith("lesson"):
            page.get_by_role("radio").first.check()
        if name.startswith(("lesson", "index")):
            await_board(page)
            page.wait_for_function("!window.board().stale")
            page.evaluate("window.board().transport.element.style.position = 'static'")
        for scheme, options in (("light", RULES), ("dark", CONTRAST)):
            page.emulate_media(color_scheme=scheme)
            theme = f"window.board().stage.theme.mode === {scheme!r} && !window.board().stale"
            page.wait_for_function(f"!window.board || {theme}")
            assert found(page, options) == [], (name, scheme)
            assert page.evaluate(LOW_CONTRAST_TEXTS, "body")[1] == [], (name, scheme)
        for width in (390, 1920, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function("document.documentElement.scrollWidth === innerWidth")


def test_a_lesson_is_printed_whole_and_read_without_javascript(open_page: OpenPage):
    page = open_page("lesson-noise.html")
    sources = page.get_by_role("heading", name="Sources")
    expect(sources).to_be_hidden()
    page.emulate_media(media="print")
    expect(sources).to_be_visible()
    page = open_page("lesson-noise.html", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Sources")).to_be_visible()
    # locators by text and role leave out all within <noscript>
    expect(page.locator(".recording noscript p")).to_be_visible()
    picture = page.locator(".recording noscript img")
    assert (picture.bounding_box() or {"height": 0})["height"] > 100
    for key in ("Put the task on the board", "Show a solution"):
        expect(page.get_by_text(key)).to_be_hidden()
    expect(page.locator("#note")).to_be_hidden()


def test_a_site_without_its_recordings_says_so(browser: Browser, site: Path, tmp_path: Path):
    copy = shutil.copytree(site, tmp_path / "copy", ignore=shutil.ignore_patterns("recordings"))
    page = browser.new_page()
    page.goto((copy / "index.html").as_uri())
    expect(page.locator("#note")).to_contain_text("cannot be read (recordings/opening-0.js is")
    page.close()
