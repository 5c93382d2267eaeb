"""Tests of uploads in a frame on another site, with and without TLS."""

import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from devtools.serving import Server, Site
from tests.browser.visitor import upload
from tests.support.proxy import Resolver, free_port, running_proxy
from tests.support.waiting import wait_until

QUERY = "?v=2&epochs=50&hidden=2&methods=none,l1"
POINTS = "x,y,label\n" + "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(60))


@pytest.fixture(scope="module")
def tls_url(embeddable: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the proxy with TLS in front of the embeddable server."""
    port, folder = free_port("127.0.0.1"), tmp_path_factory.mktemp("proxy")
    with closing(Resolver(["127.0.0.1"])) as resolver:
        settings = {
            "REGVIZ_DOMAIN": "127.0.0.1",
            "REGVIZ_PROXY_HTTPS": port,
            "REGVIZ_RESOLVER": resolver.name,
            "REGVIZ_SERVERS_PORT": embeddable.url.rpartition(":")[2],
        }
        with running_proxy(folder, **settings):
            address = f"https://127.0.0.1:{port}"
            wait_until(lambda: answers(address))  # the proxy has to create its certificate first
            yield address


def answers(address: str) -> bool:
    """Return whether the address answers with TLS, without a check of the certificate."""
    try:
        trusting = ssl._create_unverified_context()
        urllib.request.urlopen(f"{address}/_stcore/health", context=trusting, timeout=20).close()
    except OSError:
        return False
    return True


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that accepts the proxy's self-signed certificate."""
    with browser.new_context(ignore_https_errors=True, reduced_motion="reduce") as context:
        yield context.new_page()


def open_in_frame(page: Page, site: Site, address: str) -> FrameLocator:
    """Open the page in a frame on another site, and choose *Upload*."""
    site.content = f'<iframe src="{address}/{QUERY}" style="width: 1300px; height: 800px"></iframe>'
    page.goto(site.origin)
    frame = page.frame_locator("iframe")
    expect(frame.locator(".regviz-board .card canvas").first).to_be_visible()
    frame.get_by_role("radio", name="Upload", exact=True).check(force=True)
    return frame


def test_with_tls_a_file_is_uploaded_in_a_frame_on_another_site(page: Page, tls_url: str):
    with Site() as site:
        frame = open_in_frame(page, site, tls_url)
        upload(frame, "points.csv", POINTS)
        expect(frame.get_by_text("60 points: 2 classes")).to_be_visible()
        cookies = {each["name"]: each for each in page.context.cookies(tls_url)}
        token = cookies["_streamlit_xsrf"]
        assert (token["sameSite"], token["secure"]) == ("None", True)
        assert token["partitionKey"] == "http://localhost"


def test_without_tls_a_frame_on_another_site_offers_no_upload_and_says_why(
    page: Page, embeddable: Server
):
    with Site() as site:
        frame = open_in_frame(page, site, embeddable.url)
        expect(frame.get_by_text("no file can be uploaded")).to_be_visible()
        expect(frame.get_by_text("uploads take HTTPS")).to_be_visible()
        expect(frame.get_by_test_id("stFileUploaderDropzoneInput")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_in_a_tab_of_its_own_a_file_is_uploaded_with_and_without_tls(
    page: Page, embeddable: Server, tls_url: str, scheme: str
):
    page.goto(f"{embeddable.url if scheme == 'http' else tls_url}/{QUERY}")
    expect(page.locator(".regviz-board .card canvas").first).to_be_visible()
    page.get_by_role("radio", name="Upload", exact=True).check(force=True)
    upload(page, "points.csv", POINTS)
    expect(page.get_by_text("60 points: 2 classes")).to_be_visible()
