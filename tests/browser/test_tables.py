"""Tests of data with more than two columns in a browser, all on one page."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import regviz
from regviz.scenes.link import from_query
from tests.browser.visitor import (
    OpenPage,
    all_boundary_pixels,
    choose_data,
    query_of,
    wait_until_complete,
    wait_until_idle,
)

BARS = """async (k) => {
  const { inputWeights } = await import(assets + "/board/state/inputs.js");
  const { copyRow } = await import(assets + "/board/state/recording.js");
  const { recording } = window.board();
  const row = new Float32Array(recording.nParameters);
  copyRow(recording, recording.nReceived - 1, k, row);
  return Array.from(inputWeights(recording.network.layers, row));
}"""


@pytest.fixture(scope="module")
def page(open_pages: OpenPage) -> Page:
    page = open_pages()
    wait_until_complete(page)
    page.get_by_text("More than two inputs", exact=True).click()
    choose_data(page, "Small and fat")
    wait_until_complete(page)
    wait_until_idle(page)
    return page


def test_a_table_opens_with_a_linear_model_whose_weights_are_those_of_the_library(page):
    scene, problems = from_query(dict(part.split("=") for part in query_of(page).split("&")))
    assert problems == []
    assert (scene.data.name, scene.network.hidden) == ("small_and_fat", ())
    history = regviz.train(scene.grid().experiment)
    for k in (0, 1, 12):
        found = np.array(page.evaluate(BARS, k))
        expected = history.weights(k)[0][:, 0]
        # frames have 17 bits of the significand
        np.testing.assert_allclose(found, expected, rtol=2**-18, atol=0)
        np.testing.assert_array_equal(found == 0, expected == 0)
    expect(page.get_by_text("Inputs: the 60 columns of the data.")).to_be_visible()


def test_pointing_at_a_bar_names_the_input_and_all_networks_weights(page):
    picture = page.locator(".regviz-board .closeup canvas")
    picture.focus()
    page.keyboard.press("ArrowRight")
    readout = page.locator(".regviz-board .closeup .readout")
    expect(readout).to_contain_text("x32: None")
    none = page.evaluate(BARS, 0)[31]
    shown = readout.inner_text().split("None ")[1].split(" ·")[0].replace("−", "-")
    assert float(shown) == pytest.approx(none, abs=0.0005 + 1e-9)
    label = page.locator(".regviz-board .card canvas.boundary").nth(1).get_attribute("aria-label")
    left = sum(value != 0 for value in page.evaluate(BARS, 8))
    assert f"Weights of 60 inputs, {left} are not 0" in label
    page.keyboard.press("Tab")


def test_the_plane_of_two_inputs_is_shown_without_training_and_is_in_the_link(page):
    bars = all_boundary_pixels(page)
    run = page.evaluate("window.board().recording.run")
    page.get_by_role("group", name="Pictures").get_by_text("Plane").click()
    page.get_by_label("Input upwards").select_option("x4")
    wait_until_idle(page)
    page.wait_for_function("location.search.includes('plane=1-4')")
    plane = all_boundary_pixels(page)
    assert len(set(bars) & set(plane)) == 0
    assert page.evaluate("window.board().recording.run") == run
    # the other input takes the place that is left, as a plane needs two
    page.get_by_label("Input to the right").select_option("x4")
    page.wait_for_function("location.search.includes('plane=4-1')")
    page.get_by_role("group", name="Pictures").get_by_text("Weights").click()
    wait_until_idle(page)
    assert all_boundary_pixels(page) == bars
    page.wait_for_function("!location.search.includes('plane')")


def test_data_of_two_columns_get_their_layers_and_pictures_back(page):
    choose_data(page, "Moons")
    wait_until_complete(page)
    assert page.evaluate("window.board().recording.network.layers") == [2, 8, 8, 8, 1]
    expect(page.locator(".regviz-board .picture-choice")).to_be_hidden()
