"""Tests of two servers behind the proxy, and of the loss of one of them."""

import gzip
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urljoin

import pytest
import websockets.sync.client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import ClientConnection

from regviz.scenes.link import link
from regviz.scenes.scene import Scene
from regviz.scenes.showcase import SHOWCASE
from tests.browser.conftest import SET_ASSETS, poll_conditions
from tests.browser.visitor import (
    assert_browser_has,
    download,
    grid_of,
    move_slider,
    query_of,
    read_cards,
    select_radio,
    set_view,
    upload,
    wait_for_new_run,
    wait_until_complete,
)
from tests.project.test_cluster import COOKIE, the_container
from tests.support.proxy import LOOPBACK, ROOT, Resolver, free_port, running_proxy, wait_for_port
from tests.support.waiting import wait_until

FEW_EPOCHS = Scene(training=replace(Scene().training, epochs=50))
VISITORS = re.compile(r"^regviz_visitors (\d+)", re.MULTILINE)


@dataclass
class Server:
    """A server process with an address of its own."""

    url: str
    metrics: str
    process: subprocess.Popen[bytes]

    @property
    def n_visitors(self) -> int:
        """Return the number of connected visitors, or 0 if the server does not answer."""
        if self.process.poll() is not None:
            return 0
        (n,) = VISITORS.findall(fetch(self.metrics).decode())
        return int(n)


def fetch(url: str, **headers: str) -> bytes:
    """Return the response's body as sent, compressed or not."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=named), timeout=60) as answer:
        return answer.read()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Server]]:
    """Two servers on one port of two addresses, as containers have it."""
    folder, port = tmp_path_factory.mktemp("servers"), free_port(*LOOPBACK)
    with ExitStack() as stack:
        started = []
        for host in LOOPBACK:
            log = folder / host
            metrics = free_port("127.0.0.1")
            options = ["--server.port", str(port), "--server.address", host]
            process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=ROOT,
                env=os.environ | {"REGVIZ_METRICS_PORT": str(metrics)},
                stdout=stack.enter_context(log.open("wb")),
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            url = f"http://{host}:{port}"
            started.append(Server(url, f"http://127.0.0.1:{metrics}/metrics", process))
        for server, host in zip(started, LOOPBACK, strict=True):
            wait_for_port(host, port, server.process, folder / host)
            fetch(f"{server.url}/_stcore/health")
        yield started


@pytest.fixture(scope="module")
def site(servers: Sequence[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the proxy in front of them."""
    port = servers[0].url.rpartition(":")[2]
    folder = tmp_path_factory.mktemp("proxy")
    with closing(Resolver(LOOPBACK)) as resolver:
        settings = {"REGVIZ_RESOLVER": resolver.name, "REGVIZ_SERVERS_PORT": port}
        with running_proxy(folder, **settings) as proxy:
            yield f"http://127.0.0.1:{proxy.port}"


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A visitor's page; console errors of lost connections are allowed."""
    # reduced motion shows the end of a run without playing it, which saves time
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    yield open_link(context, site)
    context.close()


def open_link(context: BrowserContext, site: str) -> Page:
    """Open a link in a new page."""
    page = poll_conditions(context.new_page())
    page.add_init_script(SET_ASSETS)
    page.goto(link(site, FEW_EPOCHS))
    wait_for_networks(page)
    return page


def wait_for_networks(page: Page) -> None:
    """Wait until all networks have arrived."""
    page.wait_for_selector(".regviz-board .card canvas", timeout=60_000)
    wait_until_complete(page)


def cookie_of(site: str) -> str:
    """Return the cookie of a first visit."""
    with urllib.request.urlopen(site, timeout=20) as answer:
        return answer.headers["Set-Cookie"].split(";")[0]


def connect_session(stack: ExitStack, site: str, cookie: str) -> ClientConnection:
    """Connect a WebSocket and request a run, as the page does."""
    connection = stack.enter_context(
        websockets.sync.client.connect(
            site.replace("http", "ws") + "/_stcore/stream",
            additional_headers={"Cookie": cookie},
            subprotocols=["streamlit"],
            max_size=None,
            max_queue=None,  # closing with a full queue takes 10 s
        )
    )
    request = BackMsg()
    request.rerun_script.query_string = "v=2&epochs=50&hidden=2&methods=none"
    connection.send(request.SerializeToString())
    return connection


def test_every_server_answers_the_probes(servers: Sequence[Server]):
    container = the_container()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for server in servers:
            assert fetch(server.url + container[probe]["httpGet"]["path"]) == b"ok"


def test_newcomers_of_one_address_spread_and_each_comes_back(servers: Sequence[Server], site: str):
    def counts() -> list[int]:
        return [server.n_visitors for server in servers]

    with ExitStack() as stack:
        cookies = []
        for n in range(6):
            cookies.append(cookie_of(site))
            connect_session(stack, site, cookies[-1])
            wait_until(lambda n=n: sum(counts()) == n + 1)
        assert counts() == [3, 3]
        first = cookies[0]
        assert cookies.count(first) == 3
        before = counts()
        for _ in range(4):
            connect_session(stack, site, first)
        wait_until(lambda: sum(counts()) == 10)
        assert sorted(counts()) == [3, 7], before
    wait_until(lambda: counts() == [0, 0])


def test_what_the_page_is_made_of_is_compressed(servers: Sequence[Server], site: str):
    index = fetch(site).decode()
    (script,) = re.findall(r'<script type="module"[^>]* src="([^"]+)"', index)
    packed = fetch(urljoin(f"{site}/", script), Accept_Encoding="gzip")
    plain = gzip.decompress(packed)
    assert len(packed) < len(plain) / 2
    for server in servers:
        assert fetch(urljoin(f"{server.url}/", script)) == plain


def test_files_are_fetched_from_the_server_that_has_them(
    page: Page, servers: Sequence[Server], site: str
):
    select_radio(page, "Upload")
    started = download(page, page.get_by_role("button", name="Download an example"))
    url = started.url
    assert url.startswith(site)
    cookie = next(c for c in page.context.cookies() if c["name"] == COOKIE)
    headers = {"Cookie": f"{COOKIE}={cookie['value']}"}
    content = Path(started.path()).read_bytes()
    assert all(fetch(url, **headers) == content for _ in range(6))
    elsewhere = next(server for server in servers if not server.n_visitors)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(url.replace(site, elsewhere.url))
    # uploads reach the same server
    before = page.evaluate("window.board().recording.run")
    upload(page, "iris.csv", content)
    page.get_by_role("button", name="Use these points").click()
    wait_for_new_run(page, before)
    expect(page.locator(".regviz-board .legend")).to_contain_text("setosa")


def test_a_page_whose_server_is_killed_shows_the_same_after_a_reload(
    page: Page, site: str, servers: Sequence[Server]
):
    unchanged = open_link(page.context, site)
    move_slider(page, "Noise", ["ArrowRight"])
    set_view(page, focus="elastic_net", strengthIndices={"elastic_net": 9}, linked=False)
    query, shown = query_of(page), read_cards(page)
    assert {"noise", "focus", "elastic_net"} <= dict(parse_qsl(query)).keys()
    (mine,) = [server for server in servers if server.n_visitors]
    (other,) = [server for server in servers if server is not mine]
    unchanged.evaluate("window.before = true")

    # Streamlit sends the other server the address with which the page was opened. If the address
    # has changed since, the page reloads itself;
    with page.expect_event("load", timeout=60_000):
        mine.process.kill()
        mine.process.wait()
    wait_for_networks(page)
    assert query_of(page) == query
    assert read_cards(page) == shown
    data = replace(SHOWCASE.data, noise=0.25)
    assert_browser_has(page, grid_of(data, training=FEW_EPOCHS.training), {"elastic_net": 9})

    # otherwise the session goes on
    move_slider(unchanged, "Noise", ["ArrowRight"])
    assert unchanged.evaluate("window.before")
    assert other.n_visitors == 2
