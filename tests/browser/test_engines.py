"""Tests of the page in Firefox and WebKit."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from devtools.board import SEARCH_BOARD
from devtools.engines import Engine, find_firefox, find_webkit, firefox, wait_for, webkit

BOARD = f"({SEARCH_BOARD})(document)"
SQUARES = """(() => {
  const found = [];
  (function search(root) {
    for (const label of root.querySelectorAll(".group.styled label:has(svg)")) {
      const { width, height } = label.getBoundingClientRect();
      found.push([width, height]);
    }
    for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) search(shadowRoot);
  })(document);
  return found;
})()"""
# twice the number of frames that redrawing after a resize can take
SETTLED = """(async () => {
  for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame);
  return window.loops;
})()"""


@pytest.fixture(scope="module")
def in_firefox(url: str) -> Iterator[Engine]:
    yield from open_browser(url, firefox, find_firefox(), "Firefox")


@pytest.fixture(scope="module")
def in_webkit(url: str) -> Iterator[Engine]:
    yield from open_browser(url, webkit, find_webkit(), "WebKitGTK with a driver")


def open_browser(
    url: str,
    start: Callable[[str], AbstractContextManager[Engine]],
    path: str | None,
    name: str,
) -> Iterator[Engine]:
    """Yield a browser that shows the page, with all networks there."""
    assert path, f"no {name}: run devtools/browsers.py, as make test does"
    with start(path) as engine:
        engine.goto(f"{url}?v=2&epochs=100")
        wait_for(engine, f"{BOARD}?.regviz?.complete ?? false")
        yield engine


@pytest.mark.parametrize("engine", ["in_firefox", "in_webkit"])
def test_the_datasets_pictures_are_square(engine: str, request: pytest.FixtureRequest):
    browser = request.getfixturevalue(engine)
    wait_for(browser, f"{SQUARES}.length > 0")
    squares = browser.evaluate(SQUARES)
    assert len(squares) == 10
    assert all(width > 40 and abs(width - height) <= 1 for width, height in squares)


@pytest.mark.parametrize("engine", ["in_firefox", "in_webkit"])
def test_a_slider_has_no_stop_beyond_its_end(engine: str, request: pytest.FixtureRequest):
    # `--held` is 2 here; Firefox shifts the other stops of a gradient if one is beyond 100 %
    browser = request.getfixturevalue(engine)
    levels = browser.evaluate(
        f"""(() => {{
          const input = {BOARD}.querySelector("input.strength-index");
          const rule = getComputedStyle(input);
          const box = document.createElement("i");
          const width = rule.getPropertyValue("--until");
          box.style.cssText = `flex: none; display: block; width: calc(${{width}})`;
          input.parentElement.append(box);
          const widths = [box.getBoundingClientRect().width, input.parentElement.clientWidth];
          box.remove();
          return widths;
        }})()"""
    )
    assert levels[0] <= levels[1] + 1


def test_firefox_reports_no_errors(in_firefox: Engine):
    in_firefox.evaluate("new Promise(requestAnimationFrame)")
    assert in_firefox.errors() == []


def test_thumbs_are_as_large_in_firefox(in_firefox: Engine):
    # pseudo-elements of controls have no box, so the matching style rule is read
    sizes = in_firefox.evaluate(
        f"""(() => {{
          const rules = [...{BOARD}.getRootNode().styleSheets].flatMap(function all(sheet) {{
            return [...sheet.cssRules].flatMap((r) => r.styleSheet ? all(r.styleSheet) : [r]);
          }});
          const rule = rules.find((r) => r.selectorText?.endsWith("::-moz-range-thumb"));
          return rule.style.boxSizing;
        }})()"""
    )
    assert sizes == "border-box"


@pytest.mark.parametrize("engine", ["in_firefox", "in_webkit"])
def test_resizing_ends_in_no_loop(engine: str, request: pytest.FixtureRequest):
    browser = request.getfixturevalue(engine)
    browser.evaluate(
        """(() => {
          window.loops = [];
          addEventListener("error", ({ message }) => window.loops.push(message));
          return 0;
        })()"""
    )
    for width in (600, 380, 900):
        browser.evaluate(f"({BOARD}.style.width = '{width}px')")
        assert browser.evaluate(SETTLED) == []
    browser.evaluate(f"({BOARD}.style.width = '')")
