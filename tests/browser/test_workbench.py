"""Tests of links, embedding and saved files in a browser."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import regviz
from devtools.serving import Site, serve
from regviz.scenes.link import from_query
from regviz.scenes.scene import Scene
from regviz.scenes.showcase import SHOWCASE
from tests.browser.conftest import page_opener, poll_conditions
from tests.browser.visitor import (
    OpenPage,
    all_boundary_pixels,
    choose_data,
    download,
    find_slider,
    move_slider,
    query_of,
    read_cards,
    set_view,
    train_cached,
    wait_for_new_run,
    wait_until_complete,
    wait_until_idle,
)

HIDDEN_GROUPS = "data,network,training,line_up"
MOONS = replace(SHOWCASE.data, name="moons", noise=round(SHOWCASE.data.noise + 0.05, 2))
# the state of the board that a link restores
BOARD_STATE = """(({ frame, view: { focus, strengthIndices } }) =>
  ({ frame, focus, strengthIndices }))(window.board())"""


def open_complete(open_pages: OpenPage, query: str = "", **more: object) -> Page:
    """Open the page, and wait until it is complete and idle."""
    page = open_pages(query=query and f"?{query}", **more)
    wait_until_complete(page)
    wait_until_idle(page)
    return page


def assert_shows_the_same(page: Page, other: Page) -> None:
    for each in (page, other):
        wait_until_idle(each)
    assert other.evaluate(BOARD_STATE) == page.evaluate(BOARD_STATE)
    assert read_cards(other) == read_cards(page)
    assert all_boundary_pixels(other) == all_boundary_pixels(page)


@pytest.fixture(scope="module")
def default_page(open_pages: OpenPage) -> Page:
    return open_complete(open_pages)


@pytest.fixture(scope="module")
def changed_page(default_page: Page) -> Page:
    """The page after changes of data, focus, strengths and epoch."""
    page = default_page
    assert query_of(page) == ""
    page.evaluate("window.entries = history.length")
    choose_data(page, "Moons")
    move_slider(page, "Noise", ["ArrowRight"])
    page.locator(".card", has_text="Dropout").first.click(position={"x": 60, "y": 150})
    page.get_by_role("button", name="Move all strengths together").click()
    for method, keys in (("L1", ["End", "ArrowLeft"]), ("Dropout", ["ArrowLeft"] * 3)):
        slider = page.get_by_role("slider", name=f"Strength of {method}", exact=True)
        slider.focus()
        for key in keys:
            slider.press(key)
    for _ in range(12):
        page.get_by_role("button", name="One step back").click()
    wait_until_idle(page)
    return page


@pytest.fixture(scope="module")
def other_page(open_pages: OpenPage) -> Page:
    """A page of other settings."""
    return open_complete(open_pages, "v=2&epochs=50&n_samples=60&train_fraction=0.2&batch_size=30")


def test_the_address_bar_says_what_is_seen(changed_page: Page):
    scene, problems = from_query(dict(parse_qsl(query_of(changed_page))))
    assert problems == []
    grid = Scene(data=MOONS).grid()
    epochs = train_cached(grid.experiment).epochs
    assert scene == Scene(
        data=MOONS,
        focus="dropout",
        strengths={"l1": grid.strengths("l1")[-2], "dropout": grid.strengths("dropout")[2]},
        epoch=int(epochs[-13]),
    )
    # the address changes without new entries in the browser's history
    assert changed_page.evaluate("history.length === window.entries")


def test_the_address_bar_says_also_what_makes_no_difference_to_what_is_seen(other_page: Page):
    """A batch has at most ten points if there are ten, but the link keeps the slider's value."""
    page = other_page
    run = wait_until_complete(page)
    assert "batch_size=30" in query_of(page)
    slider = find_slider(page, "Batch size")
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_function("location.search.includes('batch_size=15')")
    assert wait_until_complete(page) == run


def test_a_link_opened_elsewhere_shows_the_same(changed_page: Page, open_pages: OpenPage):
    query = query_of(changed_page)
    other = open_complete(open_pages, query)
    assert_shows_the_same(changed_page, other)
    assert query_of(other) == query


# --- on a course page ---


@pytest.fixture(scope="module")
def embedding_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of another site with the snippet, without sidebar."""
    folder = tmp_path_factory.mktemp("embedded")
    with (
        Site() as site,
        serve(folder, REGVIZ_EMBED=site.origin) as server,
        browser.new_context() as context,
        page_opener(context, server.url) as open_pages,
        closing(browser.new_page(viewport={"width": 1000, "height": 950})) as course,
    ):
        page = open_complete(open_pages)
        set_view(page, focus="l2")
        page.get_by_role("button", name="Share").click()
        leave_out = page.get_by_role("combobox", name=re.compile("Leave out"))
        for name in ("Data", "Network", "Training", "Line-up"):
            leave_out.click()
            page.get_by_role("option", name=name, exact=True).click()
        leave_out.press("Escape")
        snippet = page.get_by_test_id("stCode").filter(has_text="<iframe")
        expect(snippet).to_contain_text(f"hide={HIDDEN_GROUPS}")
        site.content = f"<h1>A course</h1>{snippet.inner_text()}"
        course.goto(site.origin)
        yield course


def test_the_snippet_shows_the_board_without_what_was_left_out(embedding_page: Page):
    frame = poll_conditions(embedding_page.frames[1])
    frame.wait_for_selector(".regviz-board .card canvas", timeout=60_000)
    wait_until_complete(frame)
    expect(frame.get_by_test_id("stSidebar")).to_have_count(0)
    expect(frame.get_by_test_id("stExpandSidebarButton")).to_have_count(0)
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert frame.evaluate("window.board().view.focus") == "l2"
    before = all_boundary_pixels(frame)
    frame.get_by_role("slider", name="Strength of all methods").press("Home")
    frame.get_by_role("button", name="6: look at Max-norm closely").click()
    wait_until_idle(frame)
    assert [a != b for a, b in zip(before, all_boundary_pixels(frame), strict=True)][1:6] == [
        True
    ] * 5
    frame.wait_for_function("location.search.includes('focus=max_norm')")
    query = dict(parse_qsl(frame.evaluate("location.search.slice(1)")))
    assert query["embed"] == "true"
    scene, problems = from_query(query)
    assert problems == []
    assert scene.hide == tuple(HIDDEN_GROUPS.split(","))


# --- saved files ---


@pytest.fixture(scope="module")
def save(changed_page: Page, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that clicks a button under Save and returns the file's path."""
    folder = tmp_path_factory.mktemp("saved")

    def saved(name: str) -> Path:
        button = changed_page.get_by_role("button", name=name, exact=True)
        if not button.is_visible():
            changed_page.get_by_role("button", name="Save · open").click()
        file = download(changed_page, button)
        path = folder / file.suggested_filename
        file.save_as(path)
        return path

    return saved


def test_a_run_saved_as_one_file_opens_offline_where_it_was_left_and_plays(
    changed_page: Page, save: Callable[[str], Path], browser: Browser
):
    wait_until_idle(changed_page)
    file = save("This run (HTML)")
    assert file.suffix == ".html"
    context = browser.new_context(
        viewport={"width": 1200, "height": 900},
        offline=True,
        bypass_csp=True,  # `wait_for_function` needs eval, which the file's policy forbids
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector(".regviz-board .card canvas")
    wait_until_complete(page)
    # cards of the same width have the same pixels
    width = changed_page.evaluate("window.board().element.getBoundingClientRect().width")
    page.evaluate("width => { board().element.style.width = `${width}px`; }", width)
    page.wait_for_function(
        f"window.board().size.width === {changed_page.evaluate('board().size.width')}"
    )
    wait_until_idle(page)
    assert_shows_the_same(changed_page, page)
    before = page.evaluate("window.board().frame")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"window.board().frame > {before}")
    context.close()


def test_points_and_history_are_saved_as_the_library_has_them(save: Callable[[str], Path]):
    grid = Scene(data=MOONS).grid()
    expected = train_cached(grid.experiment)
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
    changed_page: Page, save: Callable[[str], Path], other_page: Page
):
    other = other_page
    before = wait_until_complete(other)
    other.get_by_role("button", name="Save · open").click()
    other.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(save("Experiment (JSON)"))
    wait_for_new_run(other, before)
    other.keyboard.press("Escape")
    assert query_of(other) == query_of(changed_page)
    assert_shows_the_same(changed_page, other)
