"""Tests of the content security policy, of framing and of error pages in a browser."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from devtools.serving import ROOT, Server, Site, serve
from tests.browser.conftest import page_opener, poll_conditions, wait_until
from tests.browser.test_views import view
from tests.browser.visitor import (
    LISTEN,
    all_boundary_pixels,
    choose_seed,
    download,
    seek,
    select_radio,
    wait_until_complete,
    wait_until_idle,
    wait_until_settled,
)
from tests.support.faults import FAULTS, SECRET

QUERY = "?v=2&epochs=50&hidden=2&methods=none,l1"
DOWNLOADS = {
    "Experiment (JSON)": ".json",
    "This run (HTML)": ".html",
    "Points (CSV)": ".csv",
    "History (npz)": ".npz",
    "History (JSON)": ".json",
}


@pytest.fixture(scope="module")
def failing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose page fails for noise 0.123, and whose views do for noise 0.124.

    Some pages may show it.
    """
    folder = tmp_path_factory.mktemp("failing")
    (folder / "sitecustomize.py").write_text(FAULTS)
    allowed = "http://localhost:1 https://example.org"
    variables = {"PYTHONPATH": f"{folder}:{ROOT}", "REGVIZ_EMBED": allowed}
    with serve(folder, **variables) as server:
        yield server


def wait_until_loaded(page: Page) -> Page:
    """Wait until the page is idle and has all of its networks, and return it."""
    wait_until_complete(page)
    wait_until_idle(page)
    return page


def test_all_of_the_page_works_under_its_policy(context: BrowserContext, url: str, tmp_path: Path):
    # the fixture fails on errors in the console; test_views.py opens the other views
    with page_opener(context, url, LISTEN) as open_page:
        page = wait_until_loaded(open_page(query="?v=2&epochs=50"))
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("window.board().stage.theme.mode === 'dark'")
        view(page, "Paths")
        page.locator(".js-plotly-plot").first.hover()
        save_download(page, page.locator(".modebar-btn").first, tmp_path)
        for kind in ("PNG", "SVG"):
            save_download(page, page.get_by_role("button", name=f"Save as {kind}"), tmp_path)
        page.get_by_role("button", name="Share").click()
        expect(page.get_by_alt_text("QR code of the link")).to_be_visible()
        width = "document.querySelector('img[alt^=QR]').naturalWidth"
        page.wait_for_function(f"{width} > 100")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Save · open").click()
        for name, ending in DOWNLOADS.items():
            button = page.get_by_role("button", name=name, exact=True)
            assert save_download(page, button, tmp_path).suffix == ending
        experiment = {
            "name": "a.json",
            "mimeType": "application/json",
            "buffer": b'{"phases": [{"until": 3}]}',
        }
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(experiment)
        page.wait_for_function("window.board().recording.phases[0]?.until === 3")
        page.keyboard.press("Escape")
        select_radio(page, "Upload")
        example = save_download(
            page, page.get_by_role("button", name="Download an example"), tmp_path
        )
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(example)
        expect(page.get_by_text("150 points: 3 classes")).to_be_visible()
        select_radio(page, "Draw")
        expect(page.locator(".regviz-draw canvas")).to_be_visible()
        wait_until_settled(page)
        assert page.evaluate("window.violations") == []


def save_download(page: Page, button, folder: Path) -> Path:
    """Click a button, save the downloaded file, and return its path."""
    saved = download(page, button)
    path = folder / saved.suggested_filename
    saved.save_as(path)
    assert path.stat().st_size > 100
    return path


REFUSED = {
    "add('script', { text: 'x = 1' })": "script-src-elem inline",
    "add('script', { src: 'https://example.org/a.js' })": "script-src-elem https://example.org/a.js",
    "add('div', { innerHTML: '<img src=x onerror=\"x=1\">' })": "script-src-attr inline",
    "setTimeout('x = 1')": "script-src eval",
    "setTimeout(() => Function('x = 1')())": "script-src eval",
    "import('https://example.org/a.js').catch(() => {})": "script-src-elem https://example.org/a.js",
    "fetch('https://example.org').catch(() => {})": "connect-src https://example.org/",
    "new WebSocket('wss://example.org')": "connect-src wss://example.org/",
    "add('img', { src: 'https://example.org/a.png' })": "img-src https://example.org/a.png",
    "add('iframe', { src: 'https://example.org' })": "frame-src https://example.org",
    "add('object', { data: 'https://example.org' })": "object-src https://example.org",
    "new Worker('/assets/board/main.js')": "worker-src",
    "document.head.append(make('base', { href: 'https://example.org' }))": "base-uri",
}
ADD = """
const make = (name, properties) => Object.assign(document.createElement(name), properties);
const add = (name, properties) => document.body.append(make(name, properties));
"""


def test_what_the_page_does_not_need_is_refused(browser: Browser, url: str):
    with closing(browser.new_page()) as page:
        page.add_init_script(LISTEN)
        page.goto(url, wait_until="commit")
        page.wait_for_selector("#root", state="attached")
        for script, violation in REFUSED.items():
            page.evaluate(f"() => {{ {ADD} try {{ {script}; }} catch {{ /* refused */ }} }}")
            is_reported = f"window.violations.some((each) => each.startsWith({violation!r}))"
            poll_conditions(page).wait_for_function(is_reported)
            page.evaluate("window.violations.length = 0")
        assert page.evaluate("typeof x") == "undefined"


# Frames


def test_a_page_elsewhere_cannot_show_ours(browser: Browser, url: str, failing_server: Server):
    for address in (url, failing_server.url):
        with Site() as site, closing(browser.new_page()) as page:
            texts: list[str] = []
            page.on("console", lambda message, texts=texts: texts.append(message.text))
            site.content = f'<iframe src="{address}/?embed=true"></iframe>'
            page.goto(site.origin)
            wait_until(page, lambda texts=texts, page=page: texts and page.frames[1:])
            wait_until(page, lambda page=page: page.frames[1].url.startswith("chrome-error:"))
            (refusal,) = texts
            assert "frame-ancestors" in refusal


# Errors


def test_where_a_view_fails_all_else_stays_and_goes_on(browser: Browser, failing_server: Server):
    with browser.new_context() as context, page_opener(context, failing_server.url) as open_page:
        page = wait_until_loaded(open_page(query=f"{QUERY}&noise=0.124"))
        page.evaluate("() => { window.first = window.board().element; }")
        select_radio(page, "Paths")
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("Something went wrong here")
        (number,) = re.findall(r"\(error ([0-9a-f]{8})\)", alert.inner_text())
        (line,) = [
            json.loads(line) for line in failing_server.logged().splitlines() if number in line
        ]
        assert SECRET in line["traceback"]
        assert SECRET not in page.content()
        # the board stays and responds
        assert page.evaluate("window.board().element === window.first")
        before = all_boundary_pixels(page)
        seek(page, 3)
        assert all_boundary_pixels(page) != before
        choose_seed(page, 5)


def test_where_the_page_fails_it_says_what_to_do(browser: Browser, failing_server: Server):
    with closing(poll_conditions(browser.new_page())) as page:
        console_errors: list[ConsoleMessage] = []
        page.on("console", lambda message: console_errors.append(message))
        page.goto(f"{failing_server.url}/{QUERY}&noise=0.123")
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("Reload the page")
        assert SECRET not in page.content()
        # the drawing is kept and can be changed to settings that work
        wait_until_settled(page)
        slider = page.locator('input[type=range][aria-label="Noise"]')
        slider.focus()
        slider.press("ArrowRight")
        expect(page.locator(".regviz-board")).to_be_visible()
        with suppress(AssertionError):
            expect(alert).to_have_count(0)
        assert alert.all_inner_texts() == []
        assert [message.text for message in console_errors if message.type == "error"] == []
