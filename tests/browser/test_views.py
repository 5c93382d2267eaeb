"""Tests of the views below the board in a browser."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from regviz.analysis.chooser import QUESTIONS, Advice, consult
from regviz.analysis.regularization_path import path, with_start
from regviz.engine.history import History
from regviz.figures import weight_paths
from regviz.methods.labels import labels
from regviz.pages.understand import VIEWS
from regviz.pages.understand.forces import horizon
from regviz.pages.understand.paths import validated
from regviz.programs import program
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.experiment import Regularization
from tests.browser.conftest import MessageHolder, page_opener, wait_until
from tests.browser.visitor import (
    INITIAL_VIEW,
    LISTEN,
    OpenPage,
    find_slider,
    grid_of,
    move_slider,
    select_radio,
    set_view,
    train_cached,
    wait_until_complete,
    wait_until_settled,
)

EPOCHS = 50  # for short trainings
FEW_EPOCHS = replace(SHOWCASE.training, epochs=EPOCHS)
FIGURES = {
    **{"Paths": 1, "Forces": 8, "Anatomy": 3, "Compare": 1, "Uncertainty": 2},
    **{"Code": 0, "Which one?": 0},
}
EXPLANATION = "They are few, already selected and on one scale"

# drawn figures, with the points or lines of all their traces
DRAWN = """(count) => {
  const figures = [...document.querySelectorAll("[data-testid=stMain] .js-plotly-plot")];
  const whole = (figure) => figure.querySelector(".cartesianlayer :is(.trace, image)");
  return figures.length === count && figures.every(whole);
}"""
# the position of a strength in the chart "Paths": a point of the validation losses
STRENGTH = """(strength) => {
  const chart = document.querySelector(".js-plotly-plot");
  chart.scrollIntoView({ block: "center" });
  const { left, top } = chart.getBoundingClientRect();
  const trace = chart._fullData.findIndex(({ name }) => name === "validation loss");
  const { xaxis, yaxis } = chart.calcdata[trace][0].trace;
  const [x, y] = [[xaxis, "x"], [yaxis, "y"]].map(([name, letter]) =>
    chart._fullLayout[name.replace(letter, `${letter}axis`)]);
  const { x: at, y: loss } = chart.calcdata[trace][strength];
  return [left + x._offset + x.c2p(at), top + y._offset + y.c2p(loss)];
}"""
# all positions of a figure's points from now on
PLACES = """(figure) => {
  const layer = figure.querySelector(".scatterlayer");
  const look = () => window.places.add(
    [...layer.querySelectorAll(".point")].map((p) => p.getAttribute("transform")).join());
  window.places = new Set();
  new MutationObserver(look).observe(layer, { subtree: true, attributes: true, childList: true });
}"""


@pytest.fixture(scope="module")
def grid() -> StrengthGrid:
    return grid_of(training=FEW_EPOCHS)


@pytest.fixture(scope="module")
def history(grid: StrengthGrid) -> History:
    return train_cached(grid.experiment)


@pytest.fixture(scope="module")
def board_page(context: BrowserContext, url: str) -> Iterator[Page]:
    with page_opener(context, url, LISTEN) as open_pages:
        page = open_pages(query=f"?v=2&epochs={EPOCHS}")
        wait_until_complete(page)
        yield page


@pytest.fixture
def page(board_page: Page) -> Page:
    """The page with the board in its initial view."""
    set_view(board_page, **INITIAL_VIEW)
    return board_page


def view(page: Page, name: str) -> None:
    """Open a view, and wait until its figures are drawn."""
    select_radio(page, name)
    wait_until_settled(page)
    page.wait_for_function(DRAWN, arg=FIGURES[name])


def test_the_format_of_pictures_has_a_label_that_is_seen(page: Page):
    view(page, "Forces")
    expect(page.get_by_text("Save pictures as", exact=True)).to_be_visible()
    chosen = page.get_by_role("combobox", name="Save pictures as")
    chosen.click()
    page.get_by_role("option", name="SVG").click()
    wait_until_settled(page)
    page.wait_for_function(
        "document.querySelector('.js-plotly-plot')._context.toImageButtonOptions.format === 'svg'"
    )
    expect(page.locator(".regviz-board .save")).to_contain_text("Save picture as")
    chosen.click()
    page.get_by_role("option", name="PNG").click()
    close(page, "Forces")


def close(page: Page, name: str) -> None:
    """Close an open view."""
    radio = page.get_by_role("radio", name=name, exact=True)
    expect(radio).to_be_checked()
    radio.click()
    expect(radio).not_to_be_checked()


def shown_strength(page: Page, focus: str, strength_index: int) -> None:
    """Wait until a method is in focus on the board and its strength is shown."""
    page.wait_for_function(
        f"(({{ focus, strengthIndices }}) => focus === {focus!r}"
        f" && strengthIndices[{focus!r}] === {strength_index})(board().view)"
    )


def test_the_row_is_not_replaced_when_a_view_opens_or_closes(page: Page):
    """A replaced row would be there twice during the run, and lose clicks and the focus."""
    row = page.get_by_role("radiogroup", name="View").element_handle()
    for act in (select_radio, close):
        act(page, "Code")
        wait_until_settled(page)
        assert row.evaluate("row => row.isConnected")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_opens_with_its_figures_and_what_they_show_in_words(page: Page, name: str):
    view(page, name)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    descriptions = page.locator("p.regviz-alt").all_text_contents()
    assert len(descriptions) == FIGURES[name]
    assert all(len(text.split()) > 5 for text in descriptions)
    assert len(set(descriptions)) == len(descriptions)
    assert page.evaluate("window.violations") == []


# --- Paths ---


def test_paths_show_the_boards_run_and_a_click_shows_a_strength_on_the_board(
    page: Page, grid: StrengthGrid, history: History
):
    view(page, "Paths")
    networks = with_start(grid.experiment, dict(grid.networks_by_method())["l1"])
    one = path(history, networks)
    figure = weight_paths(one, choice=validated(one, None), shown=5)
    assert page.locator("p.regviz-alt").text_content() == figure.layout.meta["alt"]
    set_view(page, focus="dropout")
    wait_until_settled(page)
    page.get_by_role("radiogroup").get_by_role("radio", name="L1", exact=True).check(force=True)
    wait_until_settled(page)
    for strength, (focus, strength_index) in {2: ("l1", 1), 8: ("l1", 7)}.items():
        page.mouse.click(*page.evaluate(STRENGTH, strength))
        shown_strength(page, focus, strength_index)
        wait_until_settled(page)
    [card] = [
        card for card in page.evaluate("board().stage.displayed") if card["card"]["key"] == "l1"
    ]
    assert card["k"] == dict(grid.networks_by_method())["l1"][7]
    # strength 0, which is None
    page.mouse.click(*page.evaluate(STRENGTH, 0))
    page.wait_for_function("board().view.focus === 'none'")


# --- Forces ---


def test_the_race_runs_when_it_is_started_and_asks_the_server_nothing(page: Page):
    view(page, "Forces")
    race = page.locator(".js-plotly-plot").filter(has_text="Who reaches 0?")
    race.scroll_into_view_if_needed()
    wait_until_settled(page)
    n_sent = page.exchange.n_sent
    race.evaluate(PLACES)
    race.locator(".updatemenu-button").filter(has_text="Play").click()
    rows = [Regularization(l1=1), Regularization(l2=1), Regularization(l1=0.5, l2=0.5)]
    last = horizon(rows, 1.2, 0.05)
    expect(race.locator(".slider-label").first).to_have_text(f"step {last}")
    assert page.evaluate("window.places.size") >= 4
    wait_until_settled(page)
    assert page.exchange.n_sent == n_sent


# --- Anatomy ---


def test_a_key_goes_to_the_next_step_and_the_boards_epoch_to_its_first(page: Page):
    view(page, "Anatomy")
    page.evaluate("board().commands.seek(9)")
    shown = page.get_by_test_id("stMain")
    expect(shown).to_contain_text("after epoch 9 · mini-batch 1 of 6")
    wait_until_settled(page)
    page.keyboard.press("n")
    expect(shown).to_contain_text("after epoch 9 · mini-batch 2 of 6")
    page.evaluate("board().commands.seek(4)")
    expect(shown).to_contain_text("after epoch 4 · mini-batch 1 of 6")


# --- Compare ---


def test_over_several_seeds_the_view_is_drawn_by_itself_once_they_are_trained(page: Page):
    view(page, "Compare")
    page.get_by_role("button", name="Over 5 seeds").click()
    expect(page.get_by_text("Mean ± standard error over 5 seeds")).to_be_visible(timeout=30_000)
    wait_until_settled(page)
    # a sentence for each method except None, with the standard error of the difference
    verdicts = page.get_by_test_id("stMain").get_by_role("listitem").filter(has_text="±")
    expect(verdicts).to_have_count(6)
    page.wait_for_function(DRAWN, arg=2)


# --- Code ---


def test_the_program_is_that_of_the_network_in_focus(
    page: Page, grid: StrengthGrid, history: History
):
    view(page, "Code")
    rows = dict(
        zip((key for key, _ in grid.networks_by_method()), grid.rows({"max_norm": 2}), strict=True)
    )
    for focus in ("l1", "max_norm"):
        set_view(page, focus=focus, strengthIndices={"max_norm": 2})
        named = labels(grid.experiment)[rows[focus]].text
        expect(page.get_by_text(f"for the network in focus: {named}.")).to_be_visible()
        wait_until_settled(page)
        written = program(history.experiment, rows[focus], "pytorch").source
        assert page.get_by_test_id("stCode").inner_text().split() == written.split()


def test_an_open_view_shows_nothing_of_the_run_before(browser: Browser, url: str):
    """Hold back all frames after the first, so that the board stays at the new run's start."""
    with browser.new_context() as context:
        holder = MessageHolder(context, BackMsg, lambda one: bool(one.rerun_script.fragment_id))
        with page_opener(context, url) as open_page:
            page = open_page(query=f"?v=2&epochs={EPOCHS}")
            wait_until_complete(page)
            select_radio(page, "Code")
            alert = page.get_by_text("The board's network ended at")
            before = alert.text_content()
            holder.holding = True
            find_slider(page, "Noise").press("ArrowRight")
            wait_until(page, lambda: holder.messages)  # the board's request for later frames
            expect(page.get_by_text(before)).to_have_count(0)
            holder.release()
            wait_until_complete(page)
            expect(alert).not_to_have_text(before)


def test_an_open_view_follows_the_boards_run(page: Page, grid: StrengthGrid):
    view(page, "Code")
    alert = page.get_by_text("The board's network ended at")
    before = alert.text_content()
    move_slider(page, "Noise", ["ArrowRight"])
    wait_until_settled(page)
    noisy = train_cached(
        grid_of(
            replace(SHOWCASE.data, noise=round(SHOWCASE.data.noise + 0.05, 2)), training=FEW_EPOCHS
        ).experiment
    )
    loss = noisy.metrics["test_loss"][-1, grid.rows({})[1]]
    expect(alert).to_contain_text(f"test loss {loss:.4f}")
    move_slider(page, "Noise", ["ArrowLeft"])
    expect(alert).to_have_text(before)


# --- Which one? ---


def test_the_advice_is_opened_on_the_board_which_comes_into_sight(open_page: OpenPage):
    page = open_page(query=f"?v=2&epochs={EPOCHS}&methods=l1,l2")
    wait_until_complete(page)
    select_radio(page, "Which one?")
    answers = {"data": "clean", "validate": "no"}
    for question, answer in answers.items():
        page.get_by_text(dict(QUESTIONS[question].answers)[answer], exact=True).click()
    advice = consult(answers)
    assert isinstance(advice, Advice)
    assert advice.method == "none"  # a method that is switched off
    expect(page.get_by_role("heading", name="Try no regularization")).to_be_visible()
    expect(page.get_by_text(advice.reason)).to_be_visible()
    page.get_by_role("button", name="Open on the board").click()
    page.wait_for_function("board().view.focus === 'none' && board().complete")
    keys = page.evaluate("board().recording.cards.map(({ key }) => key)")
    assert keys == ["none", "l1", "l2", "early_stopping"]
    expect(page.get_by_test_id("stSidebar").get_by_role("switch", name="None")).to_be_checked()
    page.wait_for_function(
        "(({ top, bottom }) => top > -60 && top < innerHeight / 2)"
        "(board().element.getBoundingClientRect())"
    )
