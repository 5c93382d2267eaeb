"""Tests of the board's requests for further frames."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

import regviz
from regviz.scenes.encoding import Source, encode
from regviz.scenes.frames import FrameSelector
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from tests.browser.boards import in_base64, open_empty

# number of immediate requests; requests within a second, with their delays in ms
RENDER = """async (messages) => {
  const { render } = await import("/board/main.js");
  const parentElement = document.querySelector("main"), asked = [];
  let shown;
  const setTriggerValue = (name, { n_received }) => {
    asked.push([name, n_received, performance.now() - shown]);
  };
  for (const message of messages) {
    const data = Uint8Array.from(atob(message), (c) => c.charCodeAt(0));
    shown = performance.now();
    render({ data, parentElement, setTriggerValue, setStateValue() {} });
  }
  await parentElement.querySelector(".regviz-board").regviz.decoded;
  await new Promise((resolve) => setTimeout(resolve));
  const atOnce = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return [atOnce, asked];
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(reduced_motion="reduce") as context:
        yield open_empty(context)


def messages(delays: list[float]) -> list[str]:
    """Return a message of one frame for each delay, of an incomplete run."""
    grid = StrengthGrid.of(["none", "l1"], SHOWCASE.data, SHOWCASE.network, SHOWCASE.training)
    rows = grid.rows({})
    growing = regviz.stream(grid.experiment)
    selector = FrameSelector(first := next(growing))
    found = []
    grown = itertools.chain([first], growing)
    for frame, (delay, history) in enumerate(zip(delays, grown, strict=False)):
        selector.add(history)
        source = Source.of(grid, "run", rows, history, selector)
        found.append(encode(source, frame, reply=1 + frame, link="", ask_after=delay))
    return in_base64(found)


def test_without_a_delay_it_requests_frames_at_once(page: Page):
    n_immediate, ((name, n_received, _),) = page.evaluate(RENDER, messages([0]))
    assert (n_immediate, name, n_received) == (1, "more", 1)


def test_with_a_delay_it_waits_and_requests_the_missing_frames_once(page: Page):
    n_immediate, ((name, n_received, delay_ms),) = page.evaluate(RENDER, messages([0.4, 0.5]))
    assert (n_immediate, name, n_received) == (0, "more", 2)
    assert delay_ms > 490


# Numbers of requests: after the board was stopped before it had decoded its first message; after
# it was rendered again; right after the same frames came a second time; and in the end.
RENDER_AGAIN = """async ([first, second]) => {
  const { render } = await import("/board/main.js");
  const parentElement = document.querySelector("main"), asked = [], counts = [];
  const setTriggerValue = (_, { n_received }) => asked.push(n_received);
  const bytes = (message) => Uint8Array.from(atob(message), (c) => c.charCodeAt(0));
  const show = (data) => render({ data, parentElement, setTriggerValue, setStateValue() {} });
  const read = async () => {
    await parentElement.querySelector(".regviz-board").regviz.decoded;
    await new Promise((resolve) => setTimeout(resolve));
    counts.push(asked.length);
  };
  const data = bytes(first);
  const stop = show(data);
  stop();
  await read();
  show(data);
  await read();
  show(bytes(second));
  await read();
  while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  return [counts, asked];
}"""


def test_no_request_is_lost(page: Page):
    first, _ = messages([0, 0])
    counts, requests = page.evaluate(RENDER_AGAIN, [first, first])
    assert counts == [0, 1, 1]
    assert requests == [1, 1]
