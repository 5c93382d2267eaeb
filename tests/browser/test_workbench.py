"""What a visitor passes on, takes away and brings along, in a real browser."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import regviz
from regviz.link import from_query
from regviz.points import MIN_POINTS
from regviz.scene import Scene
from regviz.showcase import SHOWCASE
from tests.browser.test_draw import Pad
from tests.browser.visitor import (
    Open,
    cards,
    change,
    changed,
    choose,
    choose_data,
    complete,
    look,
    pictures,
    query_of,
    still,
    trained,
)

WITHOUT = "data,network,training,line_up"
MOONS = replace(SHOWCASE.data, name="moons", noise=0.25)
TABLE = "length,width,kind\n" + "\n".join(
    f"{i % 7 + 3 * (i % 2)},{i * i % 5 - 2 * (i % 2)},{('robin', 'wren')[i % 2]}" for i in range(40)
)

# everything of the board that a link is to bring back
SEEN = "(({ frame, view: { focus, levels } }) => ({ frame, focus, levels }))(window.board())"


def opens(open_pages: Open, query: str = "", **more: object) -> Page:
    """The page at rest, with all of its networks."""
    page = open_pages(query=query and f"?{query}", reduced_motion="reduce", **more)
    complete(page)
    still(page)
    return page


def assert_shows_the_same(page: Page, other: Page) -> None:
    assert other.evaluate(SEEN) == page.evaluate(SEEN)
    assert cards(other) == cards(page)
    assert pictures(other) == pictures(page)


@pytest.fixture(scope="module")
def untouched(open_pages: Open) -> Page:
    return opens(open_pages)


@pytest.fixture(scope="module")
def moved(untouched: Page) -> Page:
    """The page after its visitor has chosen data, focus, strengths and epoch."""
    page = untouched
    assert query_of(page) == ""
    page.evaluate("window.entries = history.length")
    choose_data(page, "Moons")
    change(page, "Noise", ["ArrowRight"])
    page.locator(".card", has_text="Dropout").first.click(position={"x": 60, "y": 150})
    page.get_by_role("button", name="Move all strengths together").click()
    for method, keys in (("L1", ["End", "ArrowLeft"]), ("Dropout", ["ArrowLeft"] * 3)):
        slider = page.get_by_role("slider", name=f"Strength of {method}", exact=True)
        slider.focus()
        for key in keys:
            slider.press(key)
    for _ in range(12):
        page.get_by_role("button", name="One step back").click()
    still(page)
    return page


def test_the_address_bar_says_what_is_seen(moved: Page):
    scene, problems = from_query(dict(parse_qsl(query_of(moved))))
    assert problems == []
    cube = Scene(data=MOONS).cube()
    epochs = trained(cube.experiment).epochs
    assert scene == Scene(
        data=MOONS,
        focus="dropout",
        strengths={"l1": cube.strengths("l1")[6], "dropout": cube.strengths("dropout")[1]},
        epoch=int(epochs[-13]),
    )
    # it can be passed on, and does not have to be gone back through
    assert moved.evaluate("history.length === window.entries")


def test_a_link_opened_elsewhere_shows_the_same(moved: Page, open_pages: Open):
    query = query_of(moved)
    other = opens(open_pages, query)
    assert_shows_the_same(moved, other)
    assert query_of(other) == query


def test_what_is_wrong_in_a_link_is_named_and_the_rest_holds(open_pages: Open):
    page = opens(open_pages, "v=1&noise=loud&epochs=100&focus=l2&l2=0.1&sound=on&batch_size=-3")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_have_count(1)
    for wrong in ("noise", "sound", "batch_size"):
        expect(alert).to_contain_text(wrong)
    for right in ("epochs", "focus", "l2"):
        expect(alert).not_to_contain_text(right)
    scene, problems = from_query(dict(parse_qsl(query_of(page))))
    assert problems == []
    training = replace(SHOWCASE.training, epochs=100)
    levels = {"l2": Scene(training=training).cube().strengths("l2").index(0.1)}
    assert scene == Scene(training=training, focus="l2", strengths={"l2": 0.1})
    found = page.evaluate(SEEN)
    assert (found["focus"], found["levels"]["l2"]) == ("l2", levels["l2"])
    # the message goes with the next change, and the board stays where it is
    change(page, "Noise", ["ArrowRight"])
    expect(alert).to_have_count(0)
    assert page.evaluate(SEEN)["focus"] == "l2"
    assert page.evaluate("window.__regvizMounts") == 1


# --- on a course page ---


@pytest.fixture(scope="module")
def embedded(open_pages: Open, browser: Browser) -> Iterator[Page]:
    """Somebody else's page with the snippet in it, which leaves out what is at the side."""
    page = opens(open_pages)
    look(page, focus="l2")
    page.get_by_role("button", name="Share").click()
    leave_out = page.get_by_role("combobox", name=re.compile("Leave out"))
    for name in ("Data", "Network", "Training", "Line-up"):
        leave_out.click()
        page.get_by_role("option", name=name, exact=True).click()
    leave_out.press("Escape")
    snippet = page.get_by_test_id("stCode").filter(has_text="<iframe")
    expect(snippet).to_contain_text(f"hide={WITHOUT}")
    course = browser.new_page(viewport={"width": 1000, "height": 950})
    course.set_content(f"<h1>A course</h1>{snippet.inner_text()}")
    yield course
    course.close()


def test_the_snippet_shows_the_board_without_what_was_left_out(embedded: Page):
    frame = embedded.frames[1]
    frame.wait_for_selector(".regviz-board .card canvas", timeout=60_000)
    complete(frame)
    expect(frame.get_by_test_id("stSidebar")).to_have_count(0)
    expect(frame.get_by_test_id("stExpandSidebarButton")).to_have_count(0)
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert frame.evaluate("window.board().view.focus") == "l2"
    before = pictures(frame)
    frame.get_by_role("slider", name="Strength of all methods").press("Home")
    frame.get_by_role("button", name="Look at Max-norm closely").click()
    still(frame)
    assert [a != b for a, b in zip(before, pictures(frame), strict=True)][1:6] == [True] * 5
    frame.wait_for_function("location.search.includes('focus=max_norm')")
    query = dict(parse_qsl(frame.evaluate("location.search.slice(1)")))
    assert query["embed"] == "true"
    scene, problems = from_query(query)
    assert problems == []
    assert scene.hide == tuple(WITHOUT.split(","))


# --- taken away ---


@pytest.fixture(scope="module")
def save(moved: Page, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Click a button under Save, and say where the file is."""
    folder = tmp_path_factory.mktemp("saved")

    def saved(name: str) -> Path:
        button = moved.get_by_role("button", name=name, exact=True)
        if not button.is_visible():
            moved.get_by_role("button", name="Save · open").click()
        with moved.expect_download() as download:
            button.click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    return saved


def test_a_run_saved_as_one_file_opens_offline_where_it_was_left_and_plays(
    moved: Page, save: Callable[[str], Path], browser: Browser
):
    still(moved)
    file = save("This run (HTML)")
    assert file.suffix == ".html"
    context = browser.new_context(
        viewport={"width": 1200, "height": 900},
        offline=True,
        bypass_csp=True,  # Playwright waits by means that the file's policy forbids
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector(".regviz-board .card canvas")
    complete(page)
    # cards as wide as on the page have the same pixels
    width = moved.evaluate("window.board().element.getBoundingClientRect().width")
    page.evaluate("width => { board().element.style.width = `${width}px`; }", width)
    page.wait_for_function(f"window.board().size.width === {moved.evaluate('board().size.width')}")
    still(page)
    assert_shows_the_same(moved, page)
    before = page.evaluate("window.board().frame")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"window.board().frame > {before}")
    context.close()


def test_points_and_history_are_saved_as_the_library_has_them(save: Callable[[str], Path]):
    cube = Scene(data=MOONS).cube()
    expected = trained(cube.experiment)
    loaded = regviz.History.load(save("History (npz)"))
    assert loaded.experiment == expected.experiment
    assert np.array_equal(loaded.parameters, expected.parameters)
    for name, values in expected.metrics.items():
        assert np.array_equal(loaded.metrics[name], values, equal_nan=True)
    text = json.loads(save("History (JSON)").read_text(encoding="utf-8"))
    assert text["epochs"] == expected.epochs.tolist()
    parameters = np.float32([network["parameters"] for network in text["networks"]])
    assert np.array_equal(parameters.swapaxes(0, 1), expected.parameters)
    with save("Points (CSV)").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for split in ("train", "validation", "test"):
        X, y = expected.dataset.points(split)
        saved = [(row["x1"], row["x2"], row["y"]) for row in rows if row["split"] == split]
        assert np.array_equal(np.array(saved, float), np.column_stack([X, y]))


def test_a_saved_experiment_opens_where_it_was_left(
    moved: Page, save: Callable[[str], Path], open_pages: Open
):
    other = opens(open_pages)
    before = complete(other)
    other.get_by_role("button", name="Save · open").click()
    other.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(save("Experiment (JSON)"))
    changed(other, before)
    other.keyboard.press("Escape")
    assert query_of(other) == query_of(moved)
    assert_shows_the_same(moved, other)


# --- brought along ---


@pytest.fixture(scope="module")
def own(open_pages: Open) -> Page:
    """A page that trains for a short time, so that one's own points are soon there."""
    return opens(open_pages, "v=1&epochs=50")


def test_points_drawn_with_the_mouse_are_trained_on_and_in_the_link(own: Page, open_pages: Open):
    before = complete(own)
    choose(own, "Draw")
    own.wait_for_selector(".regviz-draw canvas")
    own.evaluate(
        """() => {
          const search = (root) => root.querySelector(".regviz-draw")
            ?? [...root.querySelectorAll("*")].map((e) => e.shadowRoot && search(e.shadowRoot))
              .find(Boolean);
          window.pad = search(document).regviz;
        }"""
    )
    pad = Pad(own)
    ring = [(2 * np.cos(a), 2 * np.sin(a)) for a in np.arange(8)]
    for point in ring:
        pad.click(*point)
    own.wait_for_timeout(500)
    # too few, and of one class: what was on screen stays
    assert complete(own) == before
    own.locator(".regviz-draw").get_by_role("button", name=re.compile("^class 1,")).click()
    middle = [(0.3 * i - 0.9, 0.2 * (-1) ** i) for i in range(7)]
    for point in middle:
        pad.click(*point)
    expect(own.get_by_role("heading", name="Data: Your points")).to_be_visible()
    changed(own, before)
    drawn = [*((*point, 0) for point in ring), *((*point, 1) for point in middle)]
    assert len(drawn) > MIN_POINTS
    own.wait_for_function(
        f"Object.values(board().recording.points).flatMap((p) => [...p]).length / 3 >= {len(drawn)}"
    )
    complete(own)
    query = query_of(own)
    scene, problems = from_query(dict(parse_qsl(query)))
    assert problems == []
    assert np.allclose(scene.data.points, drawn, atol=0.05)  # to a pixel
    other = opens(open_pages, query)
    assert_shows_the_same(own, other)
    assert query_of(other) == query


def test_a_file_of_points_brings_the_names_of_its_classes(own: Page):
    before = complete(own)
    choose(own, "Upload")
    file = {"name": "birds.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    own.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    changed(own, before)
    legend = own.locator(".regviz-board .legend")
    expect(legend).to_contain_text("robin")
    expect(legend).to_contain_text("wren")
    assert dict(parse_qsl(query_of(own)))["names"] == "robin,wren"


def test_a_bad_file_is_told_by_row_and_column_and_the_board_stays(own: Page):
    before, shown = complete(own), pictures(own)
    lines = TABLE.splitlines()
    lines[4] = lines[4].replace(",", ",much", 1)
    file = {"name": "bad.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    own.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    alert = own.get_by_test_id("stSidebar").get_by_test_id("stAlert")
    expect(alert).to_contain_text("Row 5")
    expect(alert).to_contain_text("width")
    own.wait_for_timeout(500)
    assert complete(own) == before
    assert pictures(own) == shown


def test_back_at_the_examples_is_the_one_of_before(own: Page):
    before = complete(own)
    choose(own, "Examples")
    changed(own, before)
    assert query_of(own) == urlencode({"v": 1, "epochs": 50})
