"""Tests of the messages shown when a network blocks part of the page."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from devtools.serving import Server, Site
from tests.browser.conftest import poll_conditions

QUERY = "?v=2&epochs=50&hidden=2&methods=none,l1&embed=true"
TEN_SECONDS = 10_000
A_MINUTE = 60_000  # Streamlit's longest delay between attempts to connect
# WebSockets connect to a port without a server until `unblocked` is set
BLOCK_SOCKETS = """
window.WebSocket = class extends WebSocket {
  constructor(url, protocols) {
    super(window.unblocked ? url : url.replace("/_stcore/stream", "/_stcore/blocked"), protocols);
  }
};
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with a clock that the test controls."""
    with browser.new_context(reduced_motion="reduce") as context:
        page = poll_conditions(context.new_page())
        page.clock.install()
        yield page


# The first picture

NO_SCRIPTS = "**/static/js/**"


@pytest.mark.parametrize(
    ("width", "scheme", "chosen", "paper"),
    [
        (1400, "light", None, "rgb(255, 255, 255)"),
        (1400, "dark", None, "rgb(16, 20, 28)"),
        (390, "dark", None, "rgb(16, 20, 28)"),
        (1400, "light", "Dark", "rgb(16, 20, 28)"),
        (1400, "dark", "Light", "rgb(255, 255, 255)"),
    ],
)
def test_before_any_script_arrives_the_pages_outline_is_drawn_in_its_theme(
    browser: Browser, url: str, width: int, scheme: Any, chosen: str | None, paper: str
):
    viewport = ViewportSize(width=width, height=900)
    with browser.new_context(color_scheme=scheme, viewport=viewport) as context:
        page = context.new_page()
        if chosen:
            theme = json.dumps({"name": chosen})
            page.add_init_script(f"localStorage.setItem('stActiveTheme-/-v2', {theme!r})")
        page.route(NO_SCRIPTS, lambda route: route.abort())
        page.goto(url, wait_until="domcontentloaded")
        outline = page.locator("#outline")
        assert outline.evaluate("(it) => getComputedStyle(it).backgroundColor") == paper
        expect(outline.locator(".cards i").first).to_be_visible()
        heading = outline.get_by_text("RegViz", exact=True)
        expect(heading).to_be_visible(visible=width > 1000)


def test_the_outline_has_the_pages_own_theme(browser: Browser, url: str):
    """The theme that is chosen in the page's menu is stored under the name that we read."""
    with browser.new_context(color_scheme="light", reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(url + QUERY.replace("&embed=true", ""))
        page.get_by_test_id("stMainMenuButton").click()
        page.get_by_test_id("stMainMenuItem-theme-Dark").click()
        page.route(NO_SCRIPTS, lambda route: route.abort())
        page.goto(url, wait_until="domcontentloaded")
        expect(page.locator("#outline")).to_have_css("background-color", "rgb(16, 20, 28)")


def test_the_outline_gives_way_to_the_page_and_covers_no_control(page: Page, url: str):
    page.goto(url + QUERY)
    expect(page.locator(".regviz-board .card canvas").first).to_be_visible()
    expect(page.locator("#outline")).to_have_count(0)


def test_a_page_in_a_frame_has_an_outline_without_sidebar(page: Page, url: str):
    page.route(NO_SCRIPTS, lambda route: route.abort())
    page.goto(url + QUERY, wait_until="domcontentloaded")
    expect(page.locator("#outline .cards")).to_be_visible()
    expect(page.locator("#outline .side")).to_be_hidden()


# What is blocked


def test_a_frame_of_no_origin_says_what_its_page_must_allow(page: Page, embeddable: Server):
    with Site() as site:
        site.content = f'<iframe sandbox="allow-scripts" src="{embeddable.url}/{QUERY}"></iframe>'
        page.goto(site.origin)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_text("RegViz is loading…")).to_be_visible()
        expect(frame.get_by_role("alert")).to_have_count(0)
        page.clock.run_for(TEN_SECONDS)
        expect(frame.get_by_role("alert")).to_contain_text("allow-same-origin")


def test_a_frame_with_an_origin_of_its_own_says_nothing(page: Page, embeddable: Server):
    with Site() as site:
        sandbox = "allow-scripts allow-same-origin"
        site.content = f'<iframe sandbox="{sandbox}" src="{embeddable.url}/{QUERY}"></iframe>'
        page.goto(site.origin)
        frame = page.frame_locator("iframe")
        expect(frame.locator(".regviz-board .card canvas").first).to_be_visible()
        page.clock.run_for(2 * TEN_SECONDS)
        expect(frame.get_by_role("alert")).to_have_count(0)


def test_where_no_websocket_opens_the_page_says_what_to_forward_until_one_does(
    page: Page, url: str
):
    page.add_init_script(BLOCK_SOCKETS)
    page.goto(url + QUERY)
    app = page.get_by_test_id("stApp")
    expect(app).to_be_attached()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.clock.run_for(TEN_SECONDS)
    alert = page.locator("#blocked")
    expect(alert).to_contain_text("the WebSocket /_stcore/stream does not open")
    expect(alert).to_contain_text("Upgrade")
    page.evaluate("window.unblocked = true")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    page.clock.run_for(1000)
    expect(alert).to_have_count(0)
    expect(page.locator(".regviz-board .card canvas").first).to_be_visible()


def test_where_a_file_is_refused_the_page_names_it(page: Page, url: str):
    page.route("**/static/js/react-dom.*", lambda route: route.fulfill(status=403))
    page.goto(url)
    page.clock.run_for(TEN_SECONDS)
    expect(page.get_by_role("alert")).to_contain_text("/static/js/react-dom.")


def test_a_server_that_does_not_answer_is_named(page: Page, url: str):
    page.add_init_script(BLOCK_SOCKETS)
    page.route("**/_stcore/health", lambda route: route.abort())
    page.goto(url)
    expect(page.get_by_test_id("stApp")).to_be_attached()
    page.clock.run_for(TEN_SECONDS)
    expect(page.locator("#blocked")).to_contain_text("does not answer")


# A server that is full

FULL = 503
# breaks open connections, and blocks new ones
BREAK_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(url, protocols) {
    const blocked = window.lost || window.neverOpened;
    super(blocked ? url.replace("/_stcore/stream", "/_stcore/blocked") : url, protocols);
    window.sockets.push(this);
  }
};
"""


def simulate_full_server(page: Page) -> list[str]:
    """Answer requests of the page as a full server does; return the addresses of navigations."""
    opened: list[str] = []

    def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            opened.append(route.request.url)
        route.fulfill(status=FULL, content_type="text/html", body="<p>it is full")

    page.route(lambda url: urlsplit(url).path == "/", answer)
    return opened


def test_a_page_that_was_connected_stays_while_the_server_is_full(page: Page, url: str):
    page.add_init_script(BREAK_SOCKETS)
    page.goto(url + QUERY)
    canvas = page.locator(".regviz-board .card canvas").first
    expect(canvas).to_be_visible()
    page.clock.run_for(1000)
    opened = simulate_full_server(page)
    page.evaluate("window.lost = true; window.sockets.forEach((each) => each.close())")
    app = page.get_by_test_id("stApp")
    expect(app).not_to_have_attribute("data-test-connection-state", "CONNECTED")
    page.clock.run_for(TEN_SECONDS)
    alert = page.locator("#blocked")
    expect(alert).to_contain_text("RegViz is full at the moment")
    expect(alert).to_contain_text("by itself")
    assert opened == []
    page.unroute_all()
    page.evaluate("window.lost = false")
    page.clock.resume()
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=A_MINUTE)
    expect(alert).to_have_count(0)
    expect(canvas).to_be_visible()


def test_a_page_that_was_never_connected_gives_way_to_that_of_a_full_server(page: Page, url: str):
    page.add_init_script(f"window.neverOpened = true;{BREAK_SOCKETS}")
    page.goto(url + QUERY)
    expect(page.get_by_test_id("stApp")).to_be_attached()
    opened = simulate_full_server(page)
    page.clock.run_for(TEN_SECONDS)
    expect(page.get_by_text("it is full")).to_be_visible()
    assert len(opened) == 1


# Links


def test_a_link_that_is_too_long_is_said_and_the_page_opens_on_its_default(
    browser: Browser, url: str
):
    """The script lengthens the address, as the server's HTTP parser refuses such a long one."""
    query = f"?v=2&noise=0.7&points={'1,2,0;' * 150_000}"
    with browser.new_context(reduced_motion="reduce") as context:
        page = poll_conditions(context.new_page())
        page.add_init_script(f"history.replaceState(null, '', {query!r})")
        page.goto(url)
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("It has 900,021 characters, and at most 250,000 are read")
        expect(page.locator(".regviz-board .card canvas").first).to_be_visible()
        noise = page.locator('input[type=range][aria-label="Noise"]')
        expect(noise).to_have_value("0.2")
