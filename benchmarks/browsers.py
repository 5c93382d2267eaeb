"""Pictures a second while the opening page plays, in Chromium, Firefox and WebKitGTK.

    python -m benchmarks.browsers

The run plays at speed 4, 96 recorded frames a second, so that every animation frame has
another picture. Browsers that are not installed are left out. Compare numbers of one run, as they
depend on what else the machine does.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from devtools.board import SEARCH_BOARD
from devtools.browsers import find_chromium
from devtools.engines import Engine, find_firefox, find_webkit, firefox, wait_for, webkit
from devtools.serving import serve

ROUNDS = 3
SECONDS = 4  # of playback in each round
BOARD = f"({SEARCH_BOARD})(document)"

# play for some seconds; return [pictures per second, milliseconds of drawing per picture]
PLAY = """(async (seconds) => {
  const board = BOARD.regviz, draw = board.draw.bind(board);
  let [drawn, drawing] = [0, 0];
  board.draw = (texts) => {
    const start = performance.now();
    draw(texts);
    drawing += performance.now() - start;
    drawn++;
  };
  board.setPlayback({ ...board.state, frame: 0, clock: 0, mode: "playing", speed: 4 });
  const start = performance.now();
  let now = start;
  while (now - start < 1000 * seconds) {
    // again before the end, where a loop would pause
    if (board.frame > board.recording.nFrames - 8) board.state = { ...board.state, clock: 0 };
    now = await new Promise(requestAnimationFrame);
  }
  delete board.draw;
  board.commands.toggle();
  return [(1000 * drawn) / (now - start), drawing / drawn];
})(SECONDS)""".replace("BOARD", BOARD).replace("SECONDS", str(SECONDS))


class Chromium:
    """Chromium with the methods that this benchmark calls."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.goto = page.goto
        self.evaluate = page.evaluate


@contextmanager
def chromium(path: str, _: Path) -> Iterator[Any]:
    """Start Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Chromium(browser.new_page(viewport={"width": 1400, "height": 900}))
        browser.close()


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    found = {
        "Chromium": (chromium, find_chromium()),
        "Firefox": (firefox, find_firefox()),
        "WebKitGTK": (webkit, find_webkit()),
    }
    print("            pictures a second   ms of drawing a picture   (load of the machine)")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(serve(folder)).url
        for name, (start, path) in found.items():
            if not path:
                print(f"{name:12}not installed")
                continue
            with start(path, folder) as engine:
                rates, times = measure(engine, url)
            print(
                f"{name:12}{statistics.median(rates):12.0f}{statistics.median(times):22.1f}"
                f"{os.getloadavg()[0]:22.1f}",
                flush=True,
            )


def measure(engine: Engine, url: str) -> tuple[list[float], list[float]]:
    """Return pictures per second, and milliseconds of drawing per picture, of each round."""
    engine.goto(url)
    wait_for(engine, f"{BOARD}?.regviz?.complete ?? false")
    rounds = [engine.evaluate(PLAY) for _ in range(ROUNDS)]
    return [rate for rate, _ in rounds], [time for _, time in rounds]


if __name__ == "__main__":
    main()
