"""Tests of the board as a component: its requests for further frames, its keys, and its end."""

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


# Call the clean-up of a call that the next one overtakes before that call, as Streamlit does.
# Meanwhile press L, which turns repeating on or off. Then remove the board, as Streamlit does, and
# press L again. Returns the numbers of requests after each step, and whether the board repeats.
OVERTAKEN = """async ([first, second]) => {
  const { render } = await import("/board/main.js");
  const parentElement = document.querySelector("main"), asked = [], counts = [], loops = [];
  const setTriggerValue = (_, { n_received }) => asked.push(n_received);
  const bytes = (message) => Uint8Array.from(atob(message), (c) => c.charCodeAt(0));
  const show = (data) => render({ data, parentElement, setTriggerValue, setStateValue() {} });
  const data = bytes(first);
  const overtaken = show(data);
  const { regviz } = parentElement.querySelector(".regviz-board");
  const read = async () => {
    await regviz.decoded;
    await new Promise((resolve) => setTimeout(resolve));
    counts.push(asked.length);
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "l", bubbles: true }));
    loops.push(regviz.state.loop);
  };
  overtaken();
  await read();
  const stop = show(data);
  await read();
  show(bytes(second));
  await read();
  while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  parentElement.remove();
  stop();
  await read();
  return [counts, asked, loops];
}"""


def test_a_board_in_the_page_loses_no_request_and_no_key(page: Page):
    first, _ = messages([0, 0])
    counts, requests, loops = page.evaluate(OVERTAKEN, [first, first])
    # the same frames a second time are asked for after a delay
    assert counts == [1, 1, 1, 2]
    assert requests == [1, 1]
    # the board that has left the page hears no key
    assert loops == [True, False, True, True]
