"""Tests of the page with all patches of Streamlit switched off."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from devtools.serving import Server, serve
from regviz.scenes.showcase import SHOWCASE
from tests.browser.conftest import page_opener
from tests.browser.visitor import (
    OpenPage,
    assert_browser_has,
    choose_seed,
    grid_of,
    move_slider,
    select_radio,
    wait_until_complete,
    wait_until_settled,
)

FEW_EPOCHS = replace(SHOWCASE.training, epochs=50)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serve(folder, REGVIZ_STREAMLIT_PATCHES="0") as server:
        yield server
        assert "Traceback" not in server.logged()


@pytest.fixture(scope="module")
def open_pages(context: BrowserContext, server: Server) -> Iterator[OpenPage]:
    with page_opener(context, server.url) as opened:
        yield opened


def open_short(open_pages: OpenPage) -> Page:
    page = open_pages(query="?v=2&epochs=50")
    wait_until_complete(page)
    return page


@pytest.fixture(scope="module")
def page(open_pages: OpenPage) -> Page:
    """A page whose run no test changes."""
    return open_short(open_pages)


def test_the_server_says_that_they_are_off(server: Server):
    assert server.logged().count("all patches of Streamlit are off") == 1


def test_the_page_opens_and_shows_all_networks(page: Page):
    assert_browser_has(page, grid_of(training=FEW_EPOCHS))


def test_a_control_changes_and_the_page_trains_anew(open_pages: OpenPage):
    page = open_short(open_pages)
    move_slider(page, "Noise", ["ArrowRight"])
    noisier = replace(SHOWCASE.data, noise=SHOWCASE.data.noise + 0.05)
    assert_browser_has(page, grid_of(data=noisier, training=FEW_EPOCHS))
    choose_seed(page, 3)
    wait_until_complete(page)
    data, training = replace(noisier, seed=3), replace(FEW_EPOCHS, seed=3)
    assert_browser_has(page, grid_of(data=data, training=training))


@pytest.mark.parametrize("name", ["Paths", "Code"])
def test_a_view_opens(page: Page, name: str):
    select_radio(page, name)
    wait_until_settled(page)
    content = {"Paths": ".js-plotly-plot .cartesianlayer .trace", "Code": "[data-testid=stCode]"}
    expect(page.locator(f"[data-testid=stMain] {content[name]}").first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
