"""How fast the board draws and answers, in headless Chromium.

    python -m benchmarks.board

Prints the frames per second that six cards of 64 x 64 sustain, against six `st.plotly_chart`s of
the same networks; the time from a change in the sidebar to the first picture and to the whole run;
and the bytes that a run costs on the WebSocket.
"""

import argparse
import base64
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import find_board
from tests.browser.install import find_chromium

ROOT = Path(__file__).parent.parent
SECONDS = 4
CHANGES = 8

DRAW = """async (seconds) => {
  const board = window.board(), last = board.recording.nFrames - 1;
  let drawn = 0, frame = 0, slowest = 0, before = performance.now();
  const start = before;
  while (before - start < 1000 * seconds) {
    board.seek(frame = (frame + 1) % (last + 1));
    const now = await new Promise(requestAnimationFrame);
    await new Promise((resolve) => setTimeout(resolve));
    drawn++;
    slowest = Math.max(slowest, now - before);
    before = now;
  }
  return [drawn / seconds, slowest];
}"""

COUNT_TITLES = """async (seconds) => {
  const seen = new Set();
  const start = performance.now();
  let drawn = 0, last = null;
  while (performance.now() - start < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    const titles = [...document.querySelectorAll(".gtitle")].map((title) => title.textContent);
    if (titles.length === 6 && titles.every((title) => title === titles[0]) && titles[0] !== last) {
      last = titles[0];
      drawn++;
    }
  }
  return drawn / seconds;
}"""


@contextmanager
def served(script: str, port: int) -> Iterator[str]:
    """Serve a Streamlit script."""
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=2)
                    break
                except OSError:
                    time.sleep(0.2)
            yield address
        finally:
            server.terminate()
            server.wait()


def received_bytes(page: Page) -> list[int]:
    """A list that grows by the size of every message of the WebSocket from now on."""
    sizes: list[int] = []

    def heard(event: dict[str, dict[str, str]]) -> None:
        sizes.append(len(base64.b64decode(event["response"]["payloadData"])))

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameReceived", heard)
    return sizes


def changes(page: Page) -> tuple[list[float], list[float]]:
    """Seconds from a change to the first picture of the new run, and to the whole of it."""
    noise = page.locator('input[type=range][aria-label="Noise"]')
    first, whole = [], []
    for _ in range(CHANGES):
        run = page.evaluate("window.board().recording.run")
        noise.focus()
        start = time.perf_counter()
        noise.press("ArrowRight")
        page.wait_for_function(f"window.board().recording.run !== '{run}'", polling="raf")
        first.append(time.perf_counter() - start)
        page.wait_for_function(
            "window.board().recording.held === window.board().recording.nFrames", polling="raf"
        )
        whole.append(time.perf_counter() - start)
        page.wait_for_timeout(1500)
    return first, whole


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        with served("app.py", 8651) as address:
            sizes = received_bytes(page)
            page.goto(address)
            page.wait_for_selector(".regviz-board .card canvas")
            find_board(page)
            done = "window.board().recording.held === window.board().recording.nFrames"
            page.wait_for_function(done)
            page.wait_for_timeout(2500)
            run_bytes = sum(sizes)
            parameters = page.evaluate("window.board().recording.parameters.byteLength")
            rates = [page.evaluate(DRAW, SECONDS) for _ in range(3)]
            first, whole = changes(page)
            mounts = page.evaluate("window.__regvizMounts")
        board = max(rate for rate, _ in rates)
        with served("benchmarks/plotly_page.py", 8652) as address:
            page.goto(address)
            page.wait_for_selector(".gtitle", timeout=60_000)
            page.wait_for_timeout(3000)
            plotly = page.evaluate(COUNT_TITLES, 2 * SECONDS)
        browser.close()
    print("six boundaries of [2,8,8,8,1], 64 x 64, headless Chromium: frames per second")
    print(f"  the board            {board:6.1f}   slowest frame {rates[-1][1]:.0f} ms")
    print(f"  six st.plotly_chart  {plotly:6.1f}   {board / plotly:.0f} times slower")
    for name, times in (("first picture", first), ("whole run", whole)):
        median, worst = statistics.median(times), max(times)
        print(f"change of the sidebar to {name}: median {median:.2f} s, worst {worst:.2f} s")
    share = run_bytes / parameters
    print(f"WebSocket, page and first run: {run_bytes} bytes, {share:.2f} of the parameters' bytes")
    print(f"mounts of the component over {1 + CHANGES} runs: {mounts}")


if __name__ == "__main__":
    main()
