"""Tests of the drawing pad on an otherwise empty page."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from regviz.data.drawing import Drawing
from regviz.methods import palette
from regviz.spec.points import MAX_POINTS
from tests.browser.conftest import SET_ASSETS

LIMITS = {"all": 10, "each": 3, "most": MAX_POINTS}
SPRAY = 8

MOUNT = """async (data) => {
  const { render } = await import(assets + "/draw/main.js");
  window.unmount?.();
  window.sent = [];
  const root = document.createElement("div");
  root.style.width = "300px";
  document.body.replaceChildren(root);
  document.body.style.margin = "10px";
  const setStateValue = (name, value) => window.sent.push([name, value]);
  window.mount = (data) => {
    window.unmount = render({ data, parentElement: root, setStateValue });
  };
  window.mount(data);
  await new Promise((done) => root.querySelector("link").addEventListener("load", done));
  window.pad = root.querySelector(".regviz-draw").regviz;
}"""


class Pad:
    """The drawing pad on a page."""

    def __init__(self, page: Page):
        self.page = page

    def points(self) -> list[list[float]]:
        return self.page.evaluate("pad.points")

    def to_page(self, x1: float, x2: float) -> tuple[float, float]:
        """Return the page coordinates of a point of the axes."""
        return tuple(
            self.page.evaluate(
                """([x1, x2]) => {
                  const box = pad.canvas.getBoundingClientRect();
                  const { left, top, side, reach } = pad.frame;
                  const scale = side / (2 * reach);
                  const [x, y] = [(x1 + reach) * scale, (reach - x2) * scale];
                  return [box.left + left + x, box.top + top + y];
                }""",
                [x1, x2],
            )
        )

    def click(self, x1: float, x2: float, **more: Any) -> None:
        self.page.mouse.click(*self.to_page(x1, x2), **more)

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.to_page(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.to_page(*place), steps=5)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        self.page.focus("canvas")
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^{name}( |$)")).click()

    def sent(self) -> list[dict[str, Any]]:
        """Return all values sent to the server, after the latest gesture."""
        self.page.wait_for_function("!pad.pending")
        return [value for _, value in self.page.evaluate("window.sent")]

    def status(self) -> str:
        self.wait_until_drawn()
        return self.page.get_by_role("status").inner_text()

    def wait_until_drawn(self) -> None:
        """Wait until the canvas is drawn."""
        self.page.wait_for_function("pad.theme && pad.width && !pad.drawing")

    def is_enabled(self, name: str) -> bool:
        self.wait_until_drawn()
        return self.page.get_by_role("button", name=name).is_enabled()

    def pixels(self) -> str:
        self.wait_until_drawn()
        return self.page.evaluate("pad.canvas.toDataURL()")


def open_empty_page(page: Page, url: str) -> None:
    """Open an empty page of the server's origin, from which its modules can be imported."""
    body = '<link rel="icon" href="data:,">'
    page.add_init_script(SET_ASSETS)
    page.route("**/empty", lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(f"{url}/empty")


@pytest.fixture(scope="module")
def empty_page(browser: Browser, url: str) -> Iterator[Page]:
    """An empty page of the server's origin; fails on messages in its console."""
    console_errors: list[str] = []
    page = browser.new_page(viewport={"width": 340, "height": 700})
    page.on("pageerror", lambda error: console_errors.append(str(error)))
    page.on("console", lambda message: console_errors.append(message.text))
    open_empty_page(page, url)
    yield page
    page.close()
    assert console_errors == []


@pytest.fixture
def pad(empty_page: Page) -> Callable[..., Pad]:
    def mount(points: Any = (), kind: str = "classes", names: Any = (), version: int = 1) -> Pad:
        empty_page.evaluate(MOUNT, message(points, kind, names, version))
        empty_page.mouse.move(1, 1)
        return Pad(empty_page)

    return mount


def message(points: Any = (), kind: str = "classes", names: Any = (), version: int = 1) -> dict:
    """Return a message of the server to the pad."""
    return {
        "version": version,
        "kind": kind,
        "points": [list(map(float, row)) for row in points],
        "names": list(names),
        "colours": palette.CLASSES,
        "limits": LIMITS,
    }


def are_close(found: Any, expected: Any) -> bool:
    """Return whether points are equal up to a pixel."""
    found, expected = np.array(found, float), np.array(expected, float)
    return found.shape == expected.shape and bool(np.abs(found - expected).max() < 0.03)


def test_a_click_adds_a_point_of_the_chosen_class(pad: Callable[..., Pad]):
    pad = pad()
    pad.click(-1, 2)
    pad.choose("class 1")
    pad.click(1.5, -0.5)
    pad.choose("class 2")
    pad.click(0, 0)
    assert are_close(pad.points(), [[-1, 2, 0], [1.5, -0.5, 1], [0, 0, 2]])
    assert all(round(x, 3) == x for row in pad.points() for x in row)
    assert pad.sent()[-1] == {"version": 1, "kind": "classes", "points": pad.points()}


def test_a_drag_moves_a_point_and_is_told_once(pad: Callable[..., Pad]):
    pad = pad([(-1, 2, 0), (1, 1, 1)])
    pad.drag((-1, 2), (0, 0), (2, -1.5))
    assert are_close(pad.points(), [[2, -1.5, 0], [1, 1, 1]])
    assert [change["points"] for change in pad.sent()] == [pad.points()]


def test_nothing_is_told_before_a_drag_ends(pad: Callable[..., Pad]):
    pad = pad([(-1, 2, 0)])
    pad.page.mouse.move(*pad.to_page(-1, 2))
    pad.page.mouse.down()
    pad.page.mouse.move(*pad.to_page(1, 1), steps=4)
    assert are_close(pad.points(), [[1, 1, 0]])
    assert pad.sent() == []
    pad.page.mouse.up()
    assert len(pad.sent()) == 1


def test_a_click_on_a_point_changes_nothing(pad: Callable[..., Pad]):
    pad = pad([(-1, 2, 0)])
    pad.click(-0.95, 2.03)
    assert pad.points() == [[-1, 2, 0]]
    assert pad.sent() == []


def test_no_point_leaves_the_axes(pad: Callable[..., Pad]):
    pad = pad([(2.5, 2.5, 0)])
    pad.drag((2.5, 2.5), (2.9, 2.9), (3.4, 3.2))
    assert pad.points() == [[3, 3, 0]]
    pad.click(0, -3.35)  # on the labels of the axis
    assert len(pad.points()) == 1


def test_points_are_erased_by_the_eraser_and_the_other_button(pad: Callable[..., Pad]):
    pad = pad([(-2, 0, 0), (-1, 0, 1), (0, 0, 2), (1, 0, 0), (2, 2, 1)])
    pad.click(2, 2, button="right")
    assert pad.points()[-1] == [1, 0, 0]
    pad.click(2, -2, button="right")
    pad.choose("Erase")
    pad.drag((-2.2, 0), (0.2, 0))
    assert pad.points() == [[1, 0, 0]]
    assert [len(change["points"]) for change in pad.sent()][-1] == 1
    pad.choose("Undo")
    assert len(pad.points()) == 4  # undo restores the whole stroke
    pad.choose("Undo")
    assert len(pad.points()) == 5


def test_undo_and_redo_go_through_all_changes(pad: Callable[..., Pad]):
    pad = pad()
    states = [pad.points()]
    pad.click(1, 1)
    states.append(pad.points())
    pad.drag((1, 1), (2, -2))
    states.append(pad.points())
    pad.choose("Spray")
    pad.click(-1, -1)
    states.append(pad.points())
    pad.choose("Clear")
    states.append(pad.points())
    pad.choose("Value")
    pad.choose("Point")
    pad.click(0, 0)
    states.append(pad.points())
    assert [len(points) for points in states] == [0, 1, 1, 1 + SPRAY, 0, 1]
    pad.choose("Undo")
    for points in states[-2::-1]:
        pad.choose("Undo")
        assert pad.points() == points
    assert not pad.is_enabled("Undo")
    pad.press("Control+Shift+Z", "Control+y", "Control+y", "Control+Z", "Control+y")
    assert pad.points() == states[3]
    assert pad.sent()[-1]["points"] == states[3]
    pad.click(2, 2)
    assert not pad.is_enabled("Redo")


def test_a_spray_adds_points_around_the_click(pad: Callable[..., Pad]):
    pad = pad()
    pad.choose("Spray")
    for _ in range(20):
        pad.click(-1, 1)
    points = np.array(pad.points())
    assert points.shape == (20 * SPRAY, 3)
    # means and spreads of 160 draws, within four standard errors
    assert np.abs(points[:, :2].mean(axis=0) - [-1, 1]).max() < 4 * 0.27 / np.sqrt(160) + 0.02
    assert np.abs(points[:, :2].std(axis=0) - 0.27).max() < 4 * 0.27 / np.sqrt(320)
    pad.click(3, 3)
    assert np.abs(np.array(pad.points())).max() <= 3


def test_all_can_be_done_by_keys(pad: Callable[..., Pad]):
    pad = pad()
    pad.press("Enter", "2", *["ArrowRight"] * 10, "Space")
    assert are_close(pad.points(), [[0, 0, 0], [1, 0, 1]])
    pad.press("3", "Shift+ArrowUp", "Shift+ArrowUp", "ArrowLeft", "Enter")
    assert are_close(pad.points()[2], [0.9, 1, 2])
    pad.press("m", *["ArrowDown"] * 5, "Shift+ArrowLeft")
    assert len(pad.sent()[-1]["points"]) == 3
    assert are_close(pad.sent()[-1]["points"][2], [0.9, 1, 2])
    pad.press("Enter")
    assert are_close(pad.points(), [[0, 0, 0], [1, 0, 1], [0.4, 0.5, 2]])
    assert pad.sent()[-1]["points"] == pad.points()
    pad.press("Delete")
    assert are_close(pad.points(), [[0, 0, 0], [1, 0, 1]])
    pad.press("Delete")
    assert len(pad.points()) == 2  # no point is near
    pad.press("Control+z")
    assert are_close(pad.points()[2], [0.4, 0.5, 2])


def test_no_key_of_the_pad_reaches_the_page(pad: Callable[..., Pad]):
    pad = pad()
    pad.page.evaluate(
        "window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))"
    )
    pad.press("1", "2", "3", "m", "Enter", "Space", "ArrowUp", "Delete", "Control+z")
    assert pad.page.evaluate("heard.filter((key) => key !== 'Control')") == []
    pad.press("Tab")
    assert pad.page.evaluate("heard.includes('Tab')")


def test_values_are_drawn_with_the_slider(pad: Callable[..., Pad]):
    pad = pad()
    pad.choose("Value")
    slider = pad.page.get_by_role("slider")
    assert (slider.get_attribute("min"), slider.get_attribute("max")) == ("-1", "1")
    pad.click(1, 1)
    slider.fill("-0.4")
    pad.click(-1, -1)
    assert are_close(pad.points(), [[1, 1, 1], [-1, -1, -0.4]])
    assert pad.sent()[-1]["kind"] == "value"
    assert pad.status() == "2 points. Still missing: 8 in all. Until then, what is on screen stays."
    pad.choose("Classes")
    assert pad.points() == []
    assert pad.sent()[-1] == {"version": 1, "kind": "classes", "points": []}
    pad.choose("Value")
    assert len(pad.points()) == 2


def test_no_more_points_are_added_than_are_allowed(pad: Callable[..., Pad]):
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.9, 2, (MAX_POINTS - 2, 2)).round(3)
    pad = pad([(*row, i % 2) for i, row in enumerate(X.tolist())])
    assert pad.status() == "1998 points."
    pad.choose("Spray")
    pad.click(2.6, 2.6)
    assert len(pad.points()) == MAX_POINTS
    assert pad.status() == "2000 points: no more fit."
    pad.choose("Point")
    pad.click(2.8, -2.8)
    assert len(pad.points()) == MAX_POINTS
    assert len(pad.sent()[-1]["points"]) == MAX_POINTS
    pad.drag(pad.points()[7][:2], (2.8, -2.8))  # points can still be moved
    assert any(are_close(row[:2], [2.8, -2.8]) for row in pad.points())


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        ("", "3 of setosa, 3 of versicolor, 10 in all"),
        ("0011", "1 of setosa, 1 of versicolor, 6 in all"),
        ("000111", "4 in all"),
        ("0000000000", "3 of versicolor"),
        ("0000011111", None),
        ("00000111112", "2 of class 2"),
        ("0001112222", None),
        ("2222222222", "3 of setosa, 3 of versicolor"),
    ],
)
def test_what_is_missing_is_what_the_server_misses(
    pad: Callable[..., Pad], labels: str, missing: str | None
):
    rows = [(i / 4, 0, int(label)) for i, label in enumerate(labels)]
    pad = pad(rows, names=["setosa", "versicolor"])
    start = f"{len(rows)} points."
    tail = f" Still missing: {missing}. Until then, what is on screen stays." if missing else ""
    assert pad.status() == start + tail
    drawing = Drawing(rows=[list(row) for row in rows])
    assert (drawing.spec() is None) == (missing is not None)
    counts = [labels.count(c) for c in "012"]
    pad.wait_until_drawn()
    shown = pad.page.locator(".class .count").all_inner_texts()
    assert shown == [str(count) for count in counts]


def test_points_are_loaded_when_their_version_is_new(pad: Callable[..., Pad]):
    pad = pad([(0, 0, 0)])
    pad.click(1, 1)
    drawn = pad.points()
    pad.page.evaluate("(data) => window.mount(data)", message([(2, 2, 1)], version=1))
    assert pad.points() == drawn  # the server has an earlier version
    pad.page.evaluate("(data) => window.mount(data)", message([(2, 2, 1)], version=2))
    assert pad.points() == [[2, 2, 1]]
    assert not pad.is_enabled("Undo")
    pad.click(1, 1)
    assert pad.sent()[-1]["version"] == 2


def test_a_gesture_that_another_load_overtakes_is_not_told(pad: Callable[..., Pad]):
    pad = pad()
    pad.click(1, 1)
    pad.page.evaluate("(data) => window.mount(data)", message([(2, 2, 1)], version=2))
    assert pad.sent() == []


def test_the_axes_hold_all_points_that_are_loaded(pad: Callable[..., Pad]):
    assert pad([(1, 2, 0)]).page.evaluate("pad.reach") == 3
    far = pad([(12, -3, 0), (0.5, 41, 1)])
    assert far.page.evaluate("pad.reach") == 50
    far.click(-20, 30)
    assert np.abs(np.array(far.points()[-1]) - [-20, 30, 0]).max() < 0.5
    values = pad([(0, 0, -7.5)], kind="value")
    assert values.page.get_by_role("slider").get_attribute("min") == "-10"


def test_the_server_accepts_the_values_of_the_pad(pad: Callable[..., Pad]):
    pad = pad()
    pad.choose("Spray")
    for c, x in enumerate((-2, 0, 2)):
        pad.choose(f"class {c}")
        pad.click(x, 0)
    drawing = Drawing(version=1)
    drawing.apply_message(json.loads(json.dumps(pad.sent()[-1])))
    spec = drawing.spec()
    assert spec is not None
    assert np.array_equal(np.array(spec.points), np.array(pad.points()))
    assert spec.task == "multiclass"


def test_the_same_points_look_different_in_the_dark_and_by_class(pad: Callable[..., Pad]):
    looks = set()
    for scheme in ("light", "dark"):
        for label in range(3):
            one = pad([(0, 0, label)])
            one.page.emulate_media(color_scheme=scheme)
            one.page.wait_for_function(f"pad.theme?.mode === {scheme!r}")
            looks.add(one.pixels())
    assert len(looks) == 6
    one.page.emulate_media(color_scheme="light")


def test_classes_differ_by_shape_alone(pad: Callable[..., Pad]):
    """Draw all classes in one colour and compare the pixels."""
    looks = set()
    for label in range(3):
        one = pad([(0, 0, label)])
        data = message([(0, 0, label)], version=2) | {"colours": ["#777777"] * 3}
        one.page.evaluate("(data) => window.mount(data)", data)
        looks.add(one.pixels())
    assert len(looks) == 3


def test_the_pad_can_be_read_without_seeing_it(pad: Callable[..., Pad]):
    pad = pad([(0, 0, 0)], names=["setosa", "versicolor", "virginica"])
    pad.status()
    assert "Arrow keys" in pad.page.get_by_role("application").get_attribute("aria-label")
    assert pad.page.get_by_role("button", name="setosa 1 points").count() == 1
    pad.wait_until_drawn()
    pressed = pad.page.locator("[aria-pressed=true]").all_inner_texts()
    assert [text.split("\n")[0] for text in pressed] == ["Classes", "setosa", "Point"]


def test_a_finger_draws_and_drags(browser: Browser, url: str):
    context = browser.new_context(viewport={"width": 390, "height": 700}, has_touch=True)
    page = context.new_page()
    open_empty_page(page, url)
    page.evaluate(MOUNT, message())
    touched = Pad(page)
    page.touchscreen.tap(*touched.to_page(1, 1))
    assert are_close(touched.points(), [[1, 1, 0]])
    session = context.new_cdp_session(page)
    ways = [(1, 1), (0, 0), (-2, 1)]
    for kind, place in zip(("touchStart", "touchMove", "touchMove"), ways, strict=True):
        x, y = touched.to_page(*place)
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert are_close(touched.points(), [[-2, 1, 0]])
    assert len(touched.sent()[-1]["points"]) == 1
    context.close()
