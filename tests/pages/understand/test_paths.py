"""Tests of the view "Paths"."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import regviz
from regviz.analysis import regularization_path
from regviz.methods.strengths import N_STRENGTHS
from regviz.pages.understand import paths as view
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.views import button_labels, method_choice, run_until_trained, show, snapshot_of

DATA = regviz.DataSpec("moons", n_samples=80)
NETWORK = regviz.NetworkSpec(hidden=(4,))
TRAINING = regviz.TrainingSpec("momentum", 0.05, epochs=20, frames=1)
METHODS = ("none", "l1", "max_norm")
N_L1 = 1 + N_STRENGTHS  # networks on the path of L1, which begins with none


def snapshot(
    methods=METHODS,
    focus="l1",
    data=DATA,
    strength_indices=(),
    change=lambda history: history,
    variant_indices=None,
):
    grid = StrengthGrid.of(methods, data, NETWORK, TRAINING)
    history = change(regviz.train(grid.experiment))
    return snapshot_of(grid, history, focus, dict(strength_indices), variant_indices)


def script():
    """Show the view and store its request to the board, as the script of the test's page."""
    import streamlit as st

    from regviz.pages.state import page_state
    from regviz.pages.understand import paths

    state = page_state()
    if state.requested_view is not None:
        requested, state.requested_view = state.requested_view, None
        st.session_state.setdefault("requested", []).append(
            (requested["focus"], requested["strength_indices"])
        )
    paths.show(st.session_state["snapshot"])


def open_page(board_snapshot):
    page = AppTest.from_function(script, default_timeout=30)
    return show(page, board_snapshot)


@pytest.fixture
def drawn(monkeypatch):
    """The drawn figures, and the click that the next figure returns."""
    log = SimpleNamespace(figures=[], keys=[], clicked=[])

    def draw(figure, key, **options):
        assert options == {"on_select": "rerun", "selection_mode": "points"}
        log.figures.append(figure)
        log.keys.append(key)
        clicked, log.clicked = log.clicked, []
        return {"selection": {"points": clicked}}

    monkeypatch.setattr(view, "draw", draw)
    return log


@pytest.fixture(scope="module")
def board_snapshot():
    return snapshot()


def texts(page):
    return [element.value for element in page.markdown]


def on_board(figure, path):
    (x,) = [note.x for note in figure.layout.annotations if note.text == "on the board"]
    return int(np.flatnonzero(path.positions == x)[0])


def test_the_view_draws_with_the_real_components(board_snapshot):
    page = open_page(board_snapshot)
    assert "plotly_chart" in {element.type for element in page.main}
    assert not page.warning


def test_it_opens_on_the_method_in_focus_and_follows_the_focus(board_snapshot, drawn):
    page = open_page(board_snapshot)
    assert drawn.figures[-1].layout.title.text.startswith("<b>L1</b>")
    show(page, replace(board_snapshot, focus="max_norm"))
    assert drawn.figures[-1].layout.title.text.startswith("<b>Max-norm</b>")
    # the visitor's choice stays until the focus changes
    method_choice(page).set_value("l1").run()
    assert drawn.figures[-1].layout.title.text.startswith("<b>L1</b>")


def test_the_focus_is_followed_also_if_the_browser_does_not_learn_of_it(board_snapshot, drawn):
    page = open_page(board_snapshot)
    before = page._tree.get_widget_states()
    show(page, replace(board_snapshot, focus="max_norm"))
    page._run(before)  # the browser still has the values of the run before
    assert not page.exception
    assert drawn.figures[-1].layout.title.text.startswith("<b>Max-norm</b>")
    assert method_choice(page).value == "max_norm"


def test_the_path_is_that_of_the_variant_on_the_card(drawn):
    methods = ("none", "l1", "elastic_net", "max_norm")
    for index in (1, 4):
        board = snapshot(methods, "elastic_net", variant_indices={"elastic_net": index})
        page = open_page(board)
        assert drawn.figures[-1].layout.title.text.startswith("<b>Elastic net</b>")
        networks = dict(board.grid.networks_by_variant)["elastic_net"][index]
        path = regularization_path.path(board.history, (0, *networks), method="elastic_net")
        assert on_board(drawn.figures[-1], path) == 1 + 6  # after no regularization
        assert texts(page)[0].startswith("**Lowest validation loss:** λ = ")
    # where it is L1, a click shows it on its own card
    drawn.clicked = [{"customdata": 3}]
    page.run()
    assert page.session_state["requested"] == [("elastic_net", {"elastic_net": 2})]
    # without dropout, max-norm's path begins at None
    board = snapshot(methods, "max_norm", variant_indices={"max_norm": 0})
    drawn.clicked = []
    open_page(board)
    assert drawn.figures[-1].layout.title.text.startswith("<b>Max-norm</b>")


def test_none_in_focus_shows_a_method_with_a_strength(board_snapshot, drawn):
    open_page(replace(board_snapshot, focus="none"))
    assert drawn.figures[-1].layout.title.text.startswith("<b>L1</b>")


def test_without_a_method_that_has_a_strength_it_says_what_to_do(drawn):
    page = open_page(snapshot(methods=("none",), focus="none"))
    assert [info.value for info in page.info] == [
        "None has no strength. Switch on another method in the line-up."
    ]
    assert not drawn.figures


def test_the_boards_strength_is_marked(drawn):
    for strength_index in (0, 6):
        board_snapshot = snapshot(strength_indices={"l1": strength_index}.items())
        open_page(board_snapshot)
        networks = regularization_path.with_start(board_snapshot.grid.experiment, range(1, N_L1))
        path = regularization_path.path(board_snapshot.history, networks)
        assert on_board(drawn.figures[-1], path) == strength_index + 1  # after no regularization


def test_it_says_in_words_which_strength_validation_would_choose(board_snapshot, drawn):
    page = open_page(board_snapshot)
    losses = board_snapshot.history.metrics["validation_loss"][-1, :N_L1]  # none and L1
    best = int(np.argmin(losses))
    strength = board_snapshot.grid.experiment.regularizations[best].l1
    shown_texts = texts(page)[0]
    assert shown_texts.startswith(f"**Lowest validation loss:** λ₁ = {strength:.3g}. ")
    assert f"validation loss {losses[best]:.2f}" in shown_texts.lower()
    assert f"test loss {board_snapshot.history.metrics['test_loss'][-1, best]:.2f}" in shown_texts
    zeros = board_snapshot.history.metrics["sparsity"][-1, best]
    assert (f"{100 * zeros:.0f} % of the weights exactly 0" in shown_texts) == (zeros > 0)
    assert any("has no standard error" in caption.value for caption in page.caption)


def without_weights(history):
    """Return the history with zeros in place of the strongest L1 network's weights."""
    parameters = history.parameters.copy()
    parameters[-1, N_L1 - 1] = 0
    return replace(history, parameters=parameters)


def lowest_at(strength_index):
    """Return a change of history: validation losses are lowest at one strength of L1.

    The strongest network has no weights.
    """

    def change(history):
        metrics = {name: values.copy() for name, values in history.metrics.items()}
        metrics["validation_loss"][-1, 1 + strength_index] = 0.001
        return without_weights(replace(history, metrics=metrics))

    return change


def test_where_the_chosen_network_predicts_the_same_everywhere_it_says_so(drawn):
    strong = snapshot(change=lowest_at(N_STRENGTHS - 1))
    page = open_page(strong)
    assert texts(page)[0].endswith("It predicts the same everywhere.")
    (info,) = page.info
    assert "On these 8 validation points no network of the path does better" in info.value
    page = open_page(snapshot(change=lowest_at(0)))
    assert not page.info
    assert "everywhere" not in "".join(texts(page))


def test_over_seeds_it_says_so_if_it_is_so_under_each(board_snapshot):
    histories = [
        without_weights(
            regviz.train(replace(board_snapshot.grid.only(range(N_L1)), data=replace(DATA, seed=s)))
        )
        for s in (0, 1)
    ]
    assert view.Several.of(histories).is_constant[-1]
    ruined = replace(histories[1], parameters=np.ones_like(histories[1].parameters))
    assert not view.Several.of([histories[0], ruined]).is_constant.any()


def test_a_click_shows_that_strength_once(board_snapshot, drawn):
    page = open_page(board_snapshot)
    drawn.clicked = [{"customdata": 3}]
    page.run()
    assert page.session_state["requested"] == [("l1", {"l1": 2})]
    before, after = drawn.keys[0], drawn.keys[-1]
    assert before != after, "the new chart has nothing selected"
    page.run()
    assert len(page.session_state["requested"]) == 1


def test_a_click_on_strength_0_shows_the_network_that_stands_there(board_snapshot, drawn):
    page = open_page(board_snapshot)
    drawn.clicked = [{"customdata": 0}]
    page.run()
    assert page.session_state["requested"] == [("none", {"none": 0})]


def test_a_click_on_a_weight_shows_its_strength(board_snapshot, drawn):
    page = open_page(board_snapshot)
    (trace,) = (t for t in drawn.figures[-1].data if t.name == "to layer 1")
    point = 4  # of the first weight
    assert trace.x[point] == trace.x[N_L1 + 1 + point]
    drawn.clicked = [{"customdata": trace.customdata[point]}]
    page.run()
    assert page.session_state["requested"] == [("l1", {"l1": 3})]


def test_the_chosen_strength_can_be_shown_without_a_mouse(board_snapshot, drawn):
    page = open_page(board_snapshot)
    best = int(np.argmin(board_snapshot.history.metrics["validation_loss"][-1, :N_L1]))
    page.button("paths_show_0").click().run()
    expected = ("l1", {"l1": best - 1})
    if best == 0:
        expected = ("none", {"none": 0})
    assert page.session_state["requested"] == [expected]


def test_over_seeds_the_losses_are_those_of_separate_runs_and_both_choices_are_told(
    board_snapshot, drawn
):
    page = open_page(board_snapshot)
    run_until_trained(page.button("paths_seeds").click().run())
    assert not page.exception
    experiment = replace(board_snapshot.grid.experiment, training=replace(TRAINING, frames=1))
    losses = []
    for seed in range(5):
        data, training = replace(DATA, seed=seed), replace(experiment.training, seed=seed)
        rows = experiment.regularizations[:N_L1]
        run = regviz.train(regviz.Experiment(data, NETWORK, training, rows))
        losses.append(run.metrics["validation_loss"][-1])
    found = np.array(losses)
    (trace,) = (t for t in drawn.figures[-1].data if t.name == "validation loss")
    np.testing.assert_allclose(trace.y, found.mean(axis=0))
    np.testing.assert_allclose(trace.error_y.array, found.std(axis=0, ddof=1) / 5**0.5)
    choice = regularization_path.choose(found)
    strengths = [row.l1 for row in board_snapshot.grid.experiment.regularizations[:N_L1]]
    shown_texts = texts(page)
    assert shown_texts[0].startswith(
        f"**Lowest validation loss:** λ₁ = {strengths[choice.best]:.3g}. "
    )
    strongest = strengths[choice.one_se]
    assert shown_texts[1].startswith(
        f"**Strongest within one standard error of it:** λ₁ = {strongest:.3g}. "
    )
    assert f"± {choice.standard_error:.2f}" in shown_texts[0]
    page.run()
    assert "Over 5 seeds" not in button_labels(page)
    # another method is trained only on request
    method_choice(page).set_value("max_norm").run()
    assert "Over 5 seeds" in button_labels(page)
    # earlier results stay
    method_choice(page).set_value("l1").run()
    assert texts(page) == shown_texts


def test_seeds_of_one_grid_are_not_shown_for_another(board_snapshot, drawn):
    page = open_page(board_snapshot)
    run_until_trained(page.button("paths_seeds").click().run())
    show(page, snapshot(data=replace(DATA, noise=0.1)))
    assert "Over 5 seeds" in button_labels(page)
    assert drawn.figures[-1].layout.title.text.endswith("after training</span>")


def test_while_the_seeds_train_the_path_is_there(board_snapshot, drawn):
    class Slow:
        share = 0.4

        def replicate(self, experiment, seeds, visitor):
            assert experiment.training.frames == 1
            return self

        def wait(self, timeout):
            return None

    page = open_page(replace(board_snapshot, runs=Slow()))
    page.button("paths_seeds").click().run()
    assert not page.exception
    assert page.button("paths_stop")
    assert drawn.figures[-1].layout.title.text.endswith("after training</span>")
    assert len(texts(page)) == 1


def test_without_validation_points_it_says_so_and_chooses_nothing(drawn):
    page = open_page(snapshot(data=replace(DATA, validation_fraction=0.0)))
    assert [i.value for i in page.info] == [
        "There are no validation points to choose a strength by."
    ]
    marks = {note.text for note in drawn.figures[-1].layout.annotations}
    assert "lowest validation loss" not in marks
    run_until_trained(page.button("paths_seeds").click().run())
    assert not page.exception
    assert "seeds" in drawn.figures[-1].layout.title.text


def test_where_all_have_diverged_it_says_so(drawn):
    def make_diverge(history):
        metrics = {name: np.full_like(values, np.nan) for name, values in history.metrics.items()}
        return replace(
            history, metrics=metrics, diverged=np.full(len(history.diverged), 3, np.int64)
        )

    page = open_page(snapshot(change=make_diverge))
    assert "diverged" in page.info[0].value
    assert isinstance(drawn.figures[-1], go.Figure)


@pytest.fixture(autouse=True)
def no_leftovers():
    yield
    st.cache_resource.clear()
