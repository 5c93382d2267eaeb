"""The page works under its own policy in a real browser, and only where it may be shown."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from devtools.serving import ROOT, Server, Site, serve
from regviz.pages.understand import VIEWS
from tests.browser.conftest import patient, until, visits
from tests.browser.test_views import view
from tests.browser.visitor import choose, choose_seed, complete, go, pictures, settled, still
from tests.support.faults import FAULTS, SECRET

QUERY = "?v=1&epochs=50&hidden=2&methods=none,l1"
LISTEN = """window.violations = [];
document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
  window.violations.push(`${effectiveDirective} ${blockedURI}`));"""
DOWNLOADS = {
    "Experiment (JSON)": ".json",
    "This run (HTML)": ".html",
    "Points (CSV)": ".csv",
    "History (npz)": ".npz",
    "History (JSON)": ".json",
}


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose page fails for noise 0.123, and whose views do for noise 0.124.

    Some pages may show it.
    """
    folder = tmp_path_factory.mktemp("failing")
    (folder / "sitecustomize.py").write_text(FAULTS)
    allowed = "http://localhost:1 https://example.org"
    variables = {"PYTHONPATH": f"{folder}:{ROOT}", "REGVIZ_EMBED": allowed}
    with serve(folder, **variables) as server:
        yield server


def opened(page: Page) -> Page:
    """The page at rest, with all of its networks."""
    complete(page)
    still(page)
    return page


def test_all_of_the_page_works_under_its_policy(context: BrowserContext, url: str, tmp_path: Path):
    # at the end there may have been no complaint on the console
    with visits(context, url, LISTEN) as open_page:
        page = opened(open_page(query="?v=1&epochs=50"))
        for name in VIEWS:
            view(page, name)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("window.board().stage.theme.mode === 'dark'")
        view(page, "Paths")
        page.locator(".js-plotly-plot").first.hover()
        saved(page, page.locator(".modebar-btn").first, tmp_path)
        for kind in ("PNG", "SVG"):
            saved(page, page.get_by_role("button", name=f"Save as {kind}"), tmp_path)
        page.get_by_role("button", name="Share").click()
        expect(page.get_by_alt_text("QR code of the link")).to_be_visible()
        width = "document.querySelector('img[alt^=QR]').naturalWidth"
        page.wait_for_function(f"{width} > 100")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Save · open").click()
        for name, ending in DOWNLOADS.items():
            button = page.get_by_role("button", name=name, exact=True)
            assert saved(page, button, tmp_path).suffix == ending
        experiment = {"name": "a.json", "mimeType": "application/json", "buffer": b'{"onset": 3}'}
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(experiment)
        page.wait_for_function("window.board().recording.onset === 3")
        page.keyboard.press("Escape")
        choose(page, "Upload")
        example = saved(page, page.get_by_role("button", name="Download an example"), tmp_path)
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(example)
        expect(page.get_by_text("150 points: 3 classes")).to_be_visible()
        choose(page, "Draw")
        expect(page.locator(".regviz-draw canvas")).to_be_visible()
        settled(page)
        assert page.evaluate("window.violations") == []


def saved(page: Page, button, folder: Path) -> Path:
    """Click, and keep the file that comes."""
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
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
            heard = f"window.violations.some((each) => each.startsWith({violation!r}))"
            patient(page).wait_for_function(heard)
            page.evaluate("window.violations.length = 0")
        assert page.evaluate("typeof x") == "undefined"


# Frames


def test_a_page_elsewhere_cannot_show_ours(browser: Browser, url: str, failing: Server):
    for address in (url, failing.url):
        with Site() as site, closing(browser.new_page()) as page:
            told: list[str] = []
            page.on("console", lambda message, told=told: told.append(message.text))
            site.content = f'<iframe src="{address}/?embed=true"></iframe>'
            page.goto(site.origin)
            until(page, lambda told=told, page=page: told and page.frames[1:])
            until(page, lambda page=page: page.frames[1].url.startswith("chrome-error:"))
            (refusal,) = told
            assert "frame-ancestors" in refusal


# Errors


def test_where_a_view_fails_all_else_stays_and_goes_on(browser: Browser, failing: Server):
    with browser.new_context() as context, visits(context, failing.url) as open_page:
        page = opened(open_page(query=f"{QUERY}&noise=0.124"))
        page.evaluate("() => { window.first = window.board().element; }")
        choose(page, "Paths")
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("Something went wrong here")
        (number,) = re.findall(r"\(error ([0-9a-f]{8})\)", alert.inner_text())
        (line,) = [json.loads(line) for line in failing.logged().splitlines() if number in line]
        assert SECRET in line["traceback"]
        assert SECRET not in page.content()
        # the board is the one that was there, and answers
        assert page.evaluate("window.board().element === window.first")
        assert (
            page.evaluate("window.first.parentNode.querySelectorAll('.regviz-board').length") == 1
        )
        before = pictures(page)
        go(page, 3)
        assert pictures(page) != before
        choose_seed(page, 5)


def test_where_the_page_fails_it_says_what_to_do(browser: Browser, failing: Server):
    with closing(patient(browser.new_page())) as page:
        complaints: list[ConsoleMessage] = []
        page.on("console", lambda message: complaints.append(message))
        page.goto(f"{failing.url}/{QUERY}&noise=0.123")
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("Reload the page")
        assert SECRET not in page.content()
        # what had been drawn is there, and can be changed to something that does not fail
        settled(page)
        slider = page.locator('input[type=range][aria-label="Noise"]')
        slider.focus()
        slider.press("ArrowRight")
        expect(page.locator(".regviz-board")).to_be_visible()
        with suppress(AssertionError):
            expect(alert).to_have_count(0)
        assert alert.all_inner_texts() == []
        assert [message.text for message in complaints if message.type == "error"] == []
