"""Loading time of the page on a slow line with an empty cache, in headless Chromium.

    python -m benchmarks.slow_line
    python -m benchmarks.slow_line --latency 300

Prints the seconds to the first picture and to all networks on a line of 1.6 Mbit/s, and the bytes
received until then. The run is already trained. ``tests/browser/test_slow_line.py`` bounds the
bytes. Chromium adds the latency to every 64 kB of a WebSocket message, unlike a real line.
"""

import argparse
import base64
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from devtools.board import SEARCH_BOARD
from devtools.browsers import find_chromium
from devtools.serving import serve

BYTES_A_SECOND = 200_000  # 1.6 Mbit/s
WAIT = 120.0  # seconds
WATCH = f"""
{SEARCH_BOARD}
const look = () => {{
  const board = search(document)?.regviz;
  if (board?.recording) window.first ??= performance.now();
  if (board?.recording && board.complete) window.whole = performance.now();
  else requestAnimationFrame(look);
}};
requestAnimationFrame(look);
"""


def kind(url: str) -> str:
    """Return the kind of a file: "fonts", "RegViz" or "Streamlit"."""
    if url.endswith(".woff2"):
        return "fonts"
    return "RegViz" if "/assets/" in url else "Streamlit"


def visit(browser: Browser, url: str, latency: float | None) -> tuple[float, float, Counter[str]]:
    """Open the page with an empty cache, with a limited rate if ``latency`` in ms is given.

    Returns the seconds to the first picture and to all networks, and the bytes received by kind.
    """
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        if latency is not None:
            rates = dict.fromkeys(("downloadThroughput", "uploadThroughput"), BYTES_A_SECOND)
            conditions = {"offline": False, "latency": latency, **rates}
            line.send("Network.emulateNetworkConditions", conditions)
        urls: dict[str, str] = {}
        received: Counter[str] = Counter()
        line.on(
            "Network.requestWillBeSent",
            lambda e: urls.update({e["requestId"]: e["request"]["url"]}),
        )
        line.on(
            "Network.loadingFinished",
            lambda e: received.update(
                {kind(urls.get(e["requestId"], "")): int(e["encodedDataLength"])}
            ),
        )
        line.on(
            "Network.webSocketFrameReceived",
            lambda e: received.update(messages=len(base64.b64decode(e["response"]["payloadData"]))),
        )
        page.add_init_script(WATCH)
        page.goto(url, wait_until="commit")
        return *_times(page), received


def _times(page: Page) -> tuple[float, float]:
    end = time.monotonic() + WAIT
    while page.evaluate("window.whole ?? null") is None and time.monotonic() < end:
        page.wait_for_timeout(100)
    first, whole = page.evaluate("[window.first, window.whole]")
    return first / 1000, whole / 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--latency", type=float, default=150, help="ms of every request")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for name, latency in (("unlimited", None), ("1.6 Mbit/s", options.latency)):
            first, whole, received = visit(browser, server.url, latency)
            print(f"{name}: first picture {first:.1f} s, all networks {whole:.1f} s")
        for each, n_bytes in received.most_common():
            print(f"  {each:10} {n_bytes / 1e6:.2f} MB")
        browser.close()


if __name__ == "__main__":
    main()
