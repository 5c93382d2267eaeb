"""Frame rate and response times of the board in headless Chromium.

    python -m benchmarks.board

Prints

- the frame rate of seven cards and the focus while the epoch advances, compared with six
  `st.plotly_chart`s of networks of the same size;
- the time from a slider's movement to the new picture, and the number of messages sent meanwhile;
- the time from a change in the sidebar to the first picture and to all networks;
- the WebSocket traffic of a grid in bytes.
"""

import argparse
import base64
import math
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

from devtools.board import find_board
from devtools.browsers import find_chromium

ROOT = Path(__file__).parent.parent
SECONDS = 4  # of playback
CHANGES = 15  # of the sidebar
STEPS = 120  # of a slider

# advance the epoch in each animation frame; return [drawings per second, longest frame in ms]
PLAY = """async (seconds) => {
  const board = window.board(), draw = board.draw.bind(board);
  let drawn = 0, slowest = 0, before = performance.now();
  const start = before;
  board.draw = () => (drawn++, draw());
  while (before - start < 1000 * seconds) {
    board.commands.seek((board.frame + 1) % board.recording.nFrames);
    const now = await new Promise(requestAnimationFrame);
    slowest = Math.max(slowest, now - before);
    before = now;
  }
  delete board.draw;
  return [drawn / seconds, slowest];
}"""

# move a slider `steps` times; return the milliseconds until the browser has painted each change
DRAG = """async ([selector, steps]) => {
  const slider = window.board().element.querySelector(selector);
  const span = slider.max - slider.min, times = [];
  for (let i = 0; i < steps; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
    const start = performance.now();
    slider.value = String(Math.round(+slider.min + span * (0.5 + 0.5 * Math.sin(i / 3))));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    await new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(0);
    });
    times.push(performance.now() - start);
  }
  return times;
}"""
SLIDERS = {
    "epoch": ".timeline input",
    "strength of all": ".all input",
    "strength of a card": ".card .strength-index:not([hidden])",
    "pruning": ".pruning input",
}

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


def message_bytes(page: Page, direction: str) -> list[int]:
    """Return a list to which the size of every later WebSocket message is appended.

    ``direction`` is "Sent" or "Received".
    """
    sizes: list[int] = []

    def append_size(event: dict[str, dict[str, str]]) -> None:
        sizes.append(len(base64.b64decode(event["response"]["payloadData"])))

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on(f"Network.webSocketFrame{direction}", append_size)
    return sizes


def changes(page: Page) -> dict[str, list[float]]:
    """Return the seconds from a change of the noise to the first picture and to all networks."""
    noise = page.locator('input[type=range][aria-label="Noise"]')
    until = {
        "first picture": "window.board().recording.run !== '{run}'",
        "every strength": "window.board().complete",
    }
    times: dict[str, list[float]] = {name: [] for name in until}
    for _ in range(CHANGES):
        run = page.evaluate("window.board().recording.run")
        noise.focus()
        start = time.perf_counter()
        noise.press("ArrowRight")
        for name, condition in until.items():
            page.wait_for_function(condition.format(run=run), polling="raf")
            times[name].append(time.perf_counter() - start)
        page.wait_for_timeout(1500)
    return times


def quantile(times: list[float], share: float) -> float:
    """Return the smallest time that at least ``share`` of the times do not exceed."""
    return sorted(times)[min(len(times) - 1, math.ceil(share * len(times)) - 1)]


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        # Playwright's wait_for_function needs eval, which the page's CSP forbids
        page = browser.new_page(viewport={"width": 1400, "height": 900}, bypass_csp=True)
        with served("app.py", 8651) as address:
            received = message_bytes(page, "Received")
            sent = message_bytes(page, "Sent")
            page.goto(address)
            page.wait_for_selector(".regviz-board .card canvas")
            find_board(page)
            page.wait_for_function("window.board().complete", timeout=60_000)
            page.wait_for_timeout(2500)
            page.evaluate("() => { window.first = window.board().element; }")
            run_bytes = sum(received)
            parameters = page.evaluate(
                "((r) => 4 * r.nParameters * r.diverged.length * r.nFrames)"
                "(window.board().recording)"
            )
            rates = [page.evaluate(PLAY, SECONDS) for _ in range(3)]
            before = len(sent)
            drags = {name: page.evaluate(DRAG, [s, STEPS]) for name, s in SLIDERS.items()}
            messages = len(sent) - before
            times = changes(page)
            kept = page.evaluate("window.board().element === window.first")
        board = max(rate for rate, _ in rates)
        with served("benchmarks/plotly_page.py", 8652) as address:
            page.goto(address)
            page.wait_for_selector(".gtitle", timeout=60_000)
            page.wait_for_timeout(3000)
            plotly = page.evaluate(COUNT_TITLES, 2 * SECONDS)
        browser.close()
    print("[2,8,8,8,1] in headless Chromium: frames per second")
    print(f"  seven cards and the focus  {board:6.1f}   slowest frame {rates[-1][1]:.0f} ms")
    print(f"  six st.plotly_chart        {plotly:6.1f}   {board / plotly:.0f} times slower")
    print(f"milliseconds from a slider's movement to the new picture; {messages} messages sent")
    for name, taken in drags.items():
        print(
            f"  {name:19} median {statistics.median(taken):4.0f}   p95 {quantile(taken, 0.95):4.0f}"
        )
    print("seconds from a change of the sidebar")
    for name, taken in times.items():
        print(
            f"  {name:19} median {statistics.median(taken):.2f}   p95 {quantile(taken, 0.95):.2f}"
        )
    share = run_bytes / parameters
    print(
        f"WebSocket, page and first grid: {run_bytes} bytes, {share:.2f} of the parameters' bytes"
    )
    print(f"the board of the first run is that of the last of {1 + CHANGES}: {kept}")


if __name__ == "__main__":
    main()
