"""Tests of the page in Firefox and WebKit."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from devtools.engines import (
    Engine,
    drag,
    find_firefox,
    find_webkit,
    firefox,
    press,
    wait_for,
    webkit,
)
from regviz.spec.points import MIN_POINTS
from tests.browser.test_own_points import TABLE
from tests.support.waiting import wait_until

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


# search shadow roots too, as the board, the pad and the datasets are in some
FIND = """
window.board = () => find(".regviz-board").regviz;
window.find = (selector, text = "", root = document) => {
  const matches = [...root.querySelectorAll(selector)];
  const found = matches.find((element) => element.textContent.includes(text));
  if (found) return found;
  for (const { shadowRoot } of root.querySelectorAll("*")) {
    const inner = shadowRoot && find(selector, text, shadowRoot);
    if (inner) return inner;
  }
  return null;
};
window.boxOf = (...what) => {
  const element = find(...what);
  element.scrollIntoView({ block: "center" });
  const { left, top, width, height } = element.getBoundingClientRect();
  return [left, top, width, height];
};
"""
SHORT_RUN = "?v=2&epochs=50"
Browse = tuple[Engine, Path]


@pytest.fixture(scope="module")
def in_firefox(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browse]:
    folder = tmp_path_factory.mktemp("firefox")
    yield from open_browser(url, folder, firefox, find_firefox(), "Firefox")


@pytest.fixture(scope="module")
def in_webkit(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browse]:
    folder = tmp_path_factory.mktemp("webkit")
    yield from open_browser(url, folder, webkit, find_webkit(), "WebKitGTK with a driver")


def open_browser(
    url: str,
    folder: Path,
    start: Callable[[str, Path], AbstractContextManager[Engine]],
    path: str | None,
    name: str,
) -> Iterator[Browse]:
    """Yield a browser that shows the page, with all networks there, and its downloads' folder."""
    if not path:
        pytest.skip(f"no {name}, and devtools/browsers.py could not install it")
    with start(path, folder) as engine:
        show(engine, url + SHORT_RUN)
        yield engine, folder


def show(engine: Engine, url: str) -> None:
    """Open a page with a board, and wait until all networks are there and it rests."""
    engine.goto(url)
    engine.evaluate(f"void (() => {{ {FIND} }})()")
    wait_for(engine, "find('.regviz-board')?.regviz?.complete ?? false")
    # where motion is not reduced, the page begins to play
    engine.evaluate("void board().commands.seekEnd()")


@pytest.fixture(params=["in_firefox", "in_webkit"], scope="module")
def browse(request: pytest.FixtureRequest) -> Browse:
    """Each browser, and the folder of its downloads."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def engine(browse: Browse) -> Engine:
    """Each browser, with the page open and its run at rest at the end."""
    browse[0].evaluate("void board().commands.seekEnd()")
    return browse[0]


def place(engine: Engine, selector: str, x: float = 0.5, y: float = 0.5, text: str = "") -> Any:
    """Return a place in an element, in CSS pixels of the window, and scroll there."""
    what = f"{json.dumps(selector)}, {json.dumps(text)}"
    wait_for(engine, f"find({what}) !== null")
    left, top, width, height = engine.evaluate(f"boxOf({what})")
    return left + x * width, top + y * height


def click(engine: Engine, selector: str, text: str = "") -> None:
    drag(engine, place(engine, selector, text=text))


def choose_source(engine: Engine, name: str) -> None:
    """Choose a source of points in the sidebar."""
    click(engine, "[role=radio]", name)


def read(engine: Engine, field: str) -> Any:
    return engine.evaluate(f"board().{field}")


def saved(folder: Path, pattern: str) -> Path:
    """Wait until a download is complete, and return its path."""
    wait_until(lambda: any(file.stat().st_size for file in folder.glob(pattern)))
    (file,) = folder.glob(pattern)
    return file


def test_a_click_on_play_plays_and_another_pauses(engine: Engine):
    click(engine, ".transport .key.main")
    wait_for(engine, "board().playing && board().frame > 2")
    click(engine, ".transport .key.main")
    wait_for(engine, "!board().playing")
    assert 0 < read(engine, "frame") < read(engine, "recording.nFrames") - 1


def test_the_pointer_drags_the_epoch_and_the_strength(engine: Engine):
    slider = ".transport .timeline input"
    drag(engine, *(place(engine, slider, x) for x in (0.9, 0.6, 0.5)))
    share = read(engine, "frame") / (read(engine, "recording.nFrames") - 1)
    assert share == pytest.approx(0.5, abs=0.05)
    strengths = ".transport .all input"
    drag(engine, *(place(engine, strengths, x) for x in (0.5, 0.7, 1)))
    most = int(read(engine, "transport.strengths.slider.max"))
    assert read(engine, "view.strengthIndices.l1") == most > 0
    drag(engine, *(place(engine, strengths, x) for x in (0.9, 0.3, 0)))
    assert read(engine, "view.strengthIndices.l1") == 0


def test_keys_step_focus_and_play(engine: Engine):
    click(engine, ".regviz-board .summary")
    press(engine, "Home")
    assert read(engine, "frame") == 0
    press(engine, "Right", "Right", "3")
    assert read(engine, "frame") == 2
    assert read(engine, "view.focus") == read(engine, "recording.cards[2].key")
    press(engine, " ")
    wait_for(engine, "board().frame > 2")
    press(engine, " ")
    assert not read(engine, "playing")


def test_a_picture_is_saved(browse: Browse, engine: Engine):
    click(engine, ".regviz-board .save button", "PNG")
    assert saved(browse[1], "*.png").read_bytes().startswith(b"\x89PNG")


def test_the_datasets_pictures_are_square(engine: Engine):
    wait_for(engine, f"{SQUARES}.length > 0")
    squares = engine.evaluate(SQUARES)
    assert len(squares) == 10
    assert all(width > 40 and abs(width - height) <= 1 for width, height in squares)


def test_a_slider_has_no_stop_beyond_its_end(engine: Engine):
    # `--held` is 2 here; Firefox shifts the other stops of a gradient if one is beyond 100 %
    levels = engine.evaluate(
        """(() => {
          const input = board().element.querySelector("input.strength-index");
          const rule = getComputedStyle(input);
          const box = document.createElement("i");
          const width = rule.getPropertyValue("--until");
          box.style.cssText = `flex: none; display: block; width: calc(${width})`;
          input.parentElement.append(box);
          const widths = [box.getBoundingClientRect().width, input.parentElement.clientWidth];
          box.remove();
          return widths;
        })()"""
    )
    assert levels[0] <= levels[1] + 1


def test_thumbs_are_as_large_in_firefox(in_firefox: Browse):
    # pseudo-elements of controls have no box, so the matching style rule is read
    sizes = in_firefox[0].evaluate(
        """(() => {
          const rules = [...board().element.getRootNode().styleSheets].flatMap(function all(sheet) {
            return [...sheet.cssRules].flatMap((r) => r.styleSheet ? all(r.styleSheet) : [r]);
          });
          const rule = rules.find((r) => r.selectorText?.endsWith("::-moz-range-thumb"));
          return rule.style.boxSizing;
        })()"""
    )
    assert sizes == "border-box"


def test_resizing_ends_in_no_loop(engine: Engine):
    engine.evaluate(
        """void (() => {
          window.loops = [];
          addEventListener("error", ({ message }) => window.loops.push(message));
        })()"""
    )
    for width in (600, 380, 900):
        engine.evaluate(f"void (board().element.style.width = '{width}px')")
        assert engine.evaluate(SETTLED) == []
    engine.evaluate("void (board().element.style.width = '')")
    assert engine.errors() == []


def test_points_are_drawn_and_trained_on(engine: Engine):
    before = read(engine, "recording.run")
    choose_source(engine, "Draw")
    pad = ".regviz-draw canvas"
    # it is hidden, and has other places, until its style sheet is loaded
    wait_for(engine, "find('.regviz-draw')?.checkVisibility({ visibilityProperty: true })")
    for c, y in enumerate((0.3, 0.7)):
        click(engine, f".regviz-draw button.class:nth-child({c + 1})")
        for i in range(MIN_POINTS // 2):
            drag(engine, place(engine, pad, 0.2 + 0.6 * i / (MIN_POINTS // 2), y))
    wait_for(engine, f"board().complete && board().recording.run !== '{before}'")
    points = read(engine, "recording.points")
    assert sum(len(rows) for rows in points.values()) == 3 * (MIN_POINTS // 2) * 2


def test_a_table_is_uploaded_and_trained_on(engine: Engine, tmp_path: Path):
    before = read(engine, "recording.run")
    choose_source(engine, "Upload")
    field = '[data-testid="stFileUploaderDropzoneInput"]'
    wait_for(engine, f"find('{field}') !== null")
    table = tmp_path / "birds.csv"
    table.write_text(TABLE)
    engine.set_file(f"document.querySelector('{field}')", table)
    wait_for(engine, "find('button', 'Use these points')?.disabled === false")
    click(engine, "button", "Use these points")
    wait_for(engine, f"board().complete && board().recording.run !== '{before}'")
    assert "wren" in engine.evaluate("find('.regviz-board .legend').textContent")


def test_the_page_is_saved_as_one_file_that_opens_from_disk_and_plays(browse: Browse):
    """The last test in each browser, as it leaves the page."""
    engine, folder = browse
    engine.evaluate("void board().commands.seekEnd()")
    networks = read(engine, "recording.cards.length")
    click(engine, "button", "Save · open")
    click(engine, "button", "This run (HTML)")
    show(engine, saved(folder, "*.html").as_uri())
    assert read(engine, "recording.cards.length") == networks
    click(engine, ".transport .key.main")
    wait_for(engine, "board().playing && board().frame > 2")
