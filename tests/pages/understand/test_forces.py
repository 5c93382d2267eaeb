"""Tests of the view "Forces"."""

import json
import math
from dataclasses import replace

import pytest

import regviz
from regviz import Regularization
from regviz.analysis.penalties import LeastSquares
from regviz.methods.catalogue import METHODS
from regviz.pages.snapshot import BoardSnapshot
from regviz.pages.understand.forces import balance, horizon, outcome, worked_example
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.views import markdown, open_view, snapshot_of

ROWS = (Regularization(l1=0.5), Regularization(l2=0.5), Regularization(l1=0.25, l2=0.25))


@pytest.fixture(scope="module")
def snapshot() -> BoardSnapshot:
    data = regviz.DataSpec("moons", n_samples=60)
    training = regviz.TrainingSpec(optimizer="momentum", learning_rate=0.05, epochs=5)
    grid = StrengthGrid.of(tuple(METHODS), data, regviz.NetworkSpec(hidden=(3,)), training)
    return snapshot_of(grid)


def test_the_view_draws_eight_figures_and_says_what_each_shows(snapshot):
    page = open_view("forces", snapshot)
    assert len(page.get("plotly_chart")) == 8
    assert len(page.get("html")) == 8
    assert "= **3.5**" in markdown(page)
    assert "= **7.25**" in markdown(page)


def test_the_worked_example_follows_its_numbers(snapshot):
    page = open_view("forces", snapshot)
    page.number_input("forces_sum_w₁").set_value(3.0).run()
    assert "|3| + |−2.5| = **5.5**" in markdown(page)
    assert "3² + (−2.5)² = **15.25**" in markdown(page)


def test_the_worked_example_writes_its_terms_out():
    shown = worked_example(-1.0, -2.5)
    assert "|−1| + |−2.5| = **3.5**" in shown
    assert "(−1)² + (−2.5)² = **7.25**" in shown
    assert "here 3.625" in shown
    assert "71\u00a0% of the sum of sizes, and 86\u00a0% of the sum of squares" in shown
    assert "= **0**" in worked_example(0.0, 0.0)


def test_the_strengths_change_the_race(snapshot):
    page = open_view("forces", snapshot)
    assert "**L1** reaches 0 after 24 steps." in markdown(page)  # 1.2 / (0.05 * 1)
    page.select_slider("forces_l1").set_value(0.5).run()
    assert "**L1** reaches 0 after 48 steps." in markdown(page)
    page.slider("forces_start").set_value(0.6).run()
    assert "**L1** reaches 0 after 24 steps." in markdown(page)
    page.select_slider("forces_race_step").set_value(0.1).run()
    assert "**L1** reaches 0 after 12 steps." in markdown(page)


def test_the_axis_of_the_race_can_be_logarithmic(snapshot):
    page = open_view("forces", snapshot)
    for scale, kind in (("Log", "log"), ("Linear", None)):
        page.get("button_group")[0].set_value(scale).run()
        assert not page.exception
        (race,) = (c for c in page.get("plotly_chart") if "Who reaches 0" in c.proto.spec)
        assert json.loads(race.proto.spec)["layout"]["yaxis"].get("type") == kind


def test_the_board_s_strengths_can_be_taken(snapshot):
    for optimizer, step in (("momentum", 0.5), ("sgd", 0.05)):
        training = replace(snapshot.grid.experiment.training, optimizer=optimizer)
        grid = replace(
            snapshot.grid, experiment=replace(snapshot.grid.experiment, training=training)
        )
        page = open_view("forces", replace(snapshot, grid=grid))
        page.button("forces_board").click().run()
        assert not page.exception
        rows = grid.experiment.regularizations
        assert page.select_slider("forces_l1").value == rows[snapshot.network("l1")].l1
        assert page.select_slider("forces_l2").value == rows[snapshot.network("l2")].l2
        assert page.select_slider("forces_step").value == step
        assert page.select_slider("forces_race_step").value == step


@pytest.mark.parametrize("l1", [1e-5, 0.1, 50.0])
@pytest.mark.parametrize("step", [0.001, 10.0])
def test_the_race_s_axis_ends_after_the_last_has_arrived(l1, step):
    rows = (Regularization(l1=l1), Regularization(l2=1.0), Regularization(l1=l1 / 2, l2=0.5))
    n = horizon(rows, 1.2, step)
    slowest = math.log1p(step * 0.5 * 1.2 / (step * l1 / 2)) / math.log1p(step * 0.5)
    last = max(1.2 / (step * l1), slowest)
    assert n == 1_000_000 if last > 700_000 else last < n <= max(20, 4 * last + 2)
    assert f"{n:,}".strip("0,") in ("1", "2", "5")


def test_the_outcome_is_said_in_the_closed_forms_numbers():
    text = outcome(ROWS, 1.2, 0.1, 100)
    net = math.ceil(math.log(1 + 0.025 * 1.2 / 0.025) / math.log(1.025))
    assert "**L1** reaches 0 after 24 steps." in text
    assert f"**Elastic net** reaches 0 after {net} steps." in text
    assert f"**L2** never: after 100 steps it is {1.2 / 1.05**100:.3g}." in text


def test_the_outcome_never_says_that_l2_is_0_or_that_one_step_is_several():
    # 1.2 / 6^5000 is 1e-3891, below the smallest float
    assert outcome(ROWS, 1.2, 10, 5000).endswith(
        "**L2** never: after 5,000 steps it is below 1e−300."
    )
    assert "**L1** reaches 0 after 1 step. " in outcome(ROWS, 1.2, 10, 5000)
    assert outcome(ROWS, 1.2, 10, 1).endswith("after 1 step it is 0.2.")


def test_the_balance_says_which_weights_are_0_and_why():
    l1, l2, _ = ROWS
    one_zero = balance(LeastSquares((1.0, 0.4)), l1)  # the loss has its optimum at w₂ = 0.4
    assert one_zero.startswith("**w₂ is exactly 0**")
    assert "with 0.4, no more than λ₁ = 0.5" in one_zero
    assert balance(LeastSquares((0.2, -1.0)), l1).startswith("**w₁ is exactly 0**")
    assert balance(LeastSquares((0.3, 0.4)), l1).startswith("Both weights are exactly 0")
    assert "with 0.3 and 0.4" in balance(LeastSquares((0.3, 0.4)), l1)
    assert balance(LeastSquares((1.0, 0.9)), l1).startswith("No weight is 0")
    assert "L2 does not pull" in balance(LeastSquares((1.0, 0.4)), l2)
    assert balance(LeastSquares((1.0, 0.0)), l2).startswith("The optimum itself")
