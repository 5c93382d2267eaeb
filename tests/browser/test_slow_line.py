"""Tests of the bytes that a first visit loads until the first picture and until all networks.

On a line of 1.6 Mbit/s, which carries 200 kB a second, they make the first picture within 8 s and
all networks within 40 s, round trips included: benchmarks/slow_line.py takes these times.
"""

from typing import Any

import pytest
from playwright.sync_api import Browser

from devtools.board import SEARCH_BOARD
from tests.browser.conftest import poll_conditions

FIRST_PICTURE = 980_000
ALL_NETWORKS = 5_200_000

# time of the first picture, and bytes of each WebSocket message
RECORD_MESSAGES = f"""
{SEARCH_BOARD}
performance.setResourceTimingBufferSize(2000);
window.messages = [];
window.WebSocket = class extends WebSocket {{
  constructor(...options) {{
    super(...options);
    this.addEventListener("message", ({{ data }}) =>
      messages.push({{ at: performance.now(), bytes: data.byteLength ?? data.size }}));
  }}
}};
const look = () => {{
  const board = search(document)?.regviz;
  if (board?.recording && board.complete) window.whole = performance.now();
  else requestAnimationFrame(look);
}};
requestAnimationFrame(look);
addEventListener("regviz-drawn", () => (window.first ??= performance.now()));
"""
FILES = """performance.getEntriesByType("resource").map((each) =>
  ({ name: each.name, at: each.startTime, bytes: each.encodedBodySize }))"""


@pytest.fixture(scope="module")
def loaded(browser: Browser, url: str) -> dict[str, Any]:
    """Return the responses and messages, with times, of a visit with empty caches."""
    with browser.new_context(reduced_motion="reduce") as context:
        page = poll_conditions(context.new_page())
        page.add_init_script(RECORD_MESSAGES)
        page.goto(url)
        page.wait_for_function("window.whole", timeout=60_000)
        page.wait_for_function("document.fonts.status === 'loaded'")
        found = {name: page.evaluate(name) for name in ("first", "whole", "messages")}
        return found | {"files": page.evaluate(FILES)}


def test_the_first_picture_takes_few_bytes(loaded: dict[str, Any]):
    before = [each for each in loaded["files"] if each["at"] < loaded["first"]]
    received = [each for each in loaded["messages"] if each["at"] <= loaded["first"]]
    assert len(before) > 100
    assert received
    assert sum(each["bytes"] for each in before + received) < FIRST_PICTURE


def test_no_font_is_loaded_before_the_first_picture_and_only_that_of_icons_after(
    loaded: dict[str, Any],
):
    fonts = [each for each in loaded["files"] if each["name"].endswith(".woff2")]
    assert all(each["at"] > loaded["first"] for each in fonts)
    assert all("MaterialSymbols" in each["name"] for each in fonts)
    assert len(fonts) == 1


def test_all_networks_take_few_bytes(loaded: dict[str, Any]):
    before = [each for each in loaded["files"] if each["at"] < loaded["whole"]]
    received = [each for each in loaded["messages"] if each["at"] <= loaded["whole"]]
    assert sum(each["bytes"] for each in before + received) < ALL_NETWORKS
