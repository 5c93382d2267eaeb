"""Tests of the view "Compare"."""

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from streamlit.testing.v1 import AppTest

import regviz
from regviz.analysis.comparison import Comparison, Replicates, compare
from regviz.analysis.criteria import Criterion, plus_minus
from regviz.analysis.replicates import with_seed
from regviz.jobs.registry import JobRegistry
from regviz.methods.catalogue import METHODS as CATALOGUE
from regviz.pages.understand.number_table import Entry, texts
from regviz.scenes.strength_grid import StrengthGrid
from tests.support.methods import MOSTLY_L1
from tests.support.views import open_view, run_until_trained, show, snapshot_of

METHODS = ["none", "l1", "max_norm"]
DATA = regviz.DataSpec("moons", n_samples=80, seed=3)
TRAINING = regviz.TrainingSpec("momentum", epochs=30)


def grid_of(
    methods: list[str] = METHODS, data: regviz.DataSpec | regviz.PointsSpec = DATA, **training: Any
) -> tuple[StrengthGrid, regviz.History]:
    network = regviz.NetworkSpec(hidden=(4,), activation=training.pop("activation", "tanh"))
    grid = StrengthGrid.of(methods, data, network, replace(TRAINING, **training))
    return grid, regviz.train(grid.experiment)


def open_page(
    grid: StrengthGrid, history: regviz.History, runs: JobRegistry | None = None
) -> AppTest:
    return open_view("compare", snapshot_of(grid, history, runs=runs))


@pytest.fixture(scope="module")
def moons() -> tuple[StrengthGrid, regviz.History]:
    return grid_of()


def table_of(view: AppTest) -> pd.DataFrame:
    """Return the columns of both tables, the strengths once."""
    predictions, network = (one.value for one in view.dataframe)
    assert list(predictions["strength"]) == list(network["strength"])
    return pd.concat([predictions, network.drop(columns="strength")], axis=1)


def page_text(view: AppTest) -> str:
    return "\n".join(one.value for kind in (view.markdown, view.caption, view.info) for one in kind)


def test_the_table_holds_what_compare_gives_early_stopping_last(moons):
    grid, history = moons
    table = table_of(open_page(grid, history))
    rows, epochs = grid.rows({}), history.experiment.training.epochs
    kept = int(history.early_stopping(epochs // 10)[0][rows[0]])
    found = compare(history, [*rows, rows[0]], [-1, -1, -1, kept])
    assert list(table.index) == ["None", "L1", "Max-norm", "Early stopping"]
    assert list(table.columns) == ["strength", *(column.key for column in found.columns)]
    np.testing.assert_array_equal(table.iloc[:, 1:].to_numpy(dtype=float), found.values)
    assert table["strength"].iloc[3] == f"epoch {history.epochs[kept]}"
    assert table["strength"].iloc[1].startswith("λ₁ = ")


@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_a_registered_method_has_its_own_name_and_symbol(monkeypatch, optimizer):
    monkeypatch.setitem(CATALOGUE, "mostly_l1", MOSTLY_L1)
    grid, history = grid_of(["l1", "elastic_net", "mostly_l1"], optimizer=optimizer)
    table = table_of(open_page(grid, history))
    net = "L1 + weight decay" if optimizer == "adamw" else "Elastic net"
    assert list(table.index) == ["L1", net, "Mostly L1"]
    shown = grid.strengths("mostly_l1")[grid.strength_indices({})[2]]
    assert table["strength"].iloc[2] == f"λ = {shown:g}"


def test_a_method_is_named_by_its_card_also_where_its_network_is_that_of_another():
    grid, history = grid_of(["none", "l1", "elastic_net", "max_norm"])
    variants = {"elastic_net": 4, "max_norm": 0}
    view = open_view("compare", snapshot_of(grid, history, variant_indices=variants))
    table = table_of(view)
    assert list(table.index)[:4] == ["None", "L1", "Elastic net", "Max-norm"]
    assert table["strength"].iloc[2].endswith(", 100 % L1")
    assert table["strength"].iloc[3] == "c = 1, no dropout"


def test_without_early_stopping_or_none_the_others_are_compared_all_the_same():
    view = open_page(*grid_of(["l1", "l2"]))
    assert list(view.dataframe[0].value.index) == ["L1", "L2"]
    assert "Early stopping" not in page_text(view)
    run_until_trained(view.button(key="compare_seeds").click().run())
    assert not view.exception
    assert "L1 has a test loss of" in page_text(view)
    assert "Switch on None in the line-up to compare with it." in page_text(view)


def test_every_column_is_explained(moons):
    view = open_page(*moons)
    text = page_text(view)
    for column in compare(moons[1], [0]).columns:
        assert f"**{column.label}.** {column.about}" in text


def test_over_seeds_the_table_has_the_means_of_separate_runs(moons):
    grid, history = moons
    view = open_page(grid, history)
    assert not view.session_state["snapshot"].runs
    run_until_trained(view.button(key="compare_seeds").click().run())
    assert not view.exception
    rows = grid.rows({})
    alone = [regviz.train(with_seed(grid.only(rows), seed)) for seed in range(5)]
    patience = history.experiment.training.epochs // 10
    kept = [int(one.early_stopping(patience)[0][0]) for one in alone]
    expected = np.array(
        [
            compare(one, [0, 1, 2, 0], [-1, -1, -1, t]).values
            for one, t in zip(alone, kept, strict=True)
        ]
    )
    table = table_of(view)
    np.testing.assert_allclose(table.iloc[:, 1:].to_numpy(dtype=float), expected.mean(axis=0))
    assert table["strength"].iloc[3] == f"patience {patience}"
    paired = expected[:, 1, 0] - expected[:, 0, 0]
    direction = "lower" if paired.mean() < 0 else "higher"
    spread = plus_minus(abs(paired.mean()), stats.sem(paired))
    assert f"- L1 tests {spread} {direction} than None over 5 seeds." in page_text(view)
    assert "compare_seeds" not in [button.key for button in view.button]


def test_a_second_look_at_the_seeds_trains_nothing(moons):
    view = open_page(*moons)
    run_until_trained(view.button(key="compare_seeds").click().run())
    seen = view.session_state["snapshot"]
    assert len(seen.runs) == 1
    again = replace(seen, runs=JobRegistry())
    assert "Mean ± standard error" in page_text(show(view, again))
    assert len(again.runs) == 0


def test_seeds_belong_to_the_grid_that_they_were_asked_for(moons):
    view = open_page(*moons)
    run_until_trained(view.button(key="compare_seeds").click().run())
    show(view, snapshot_of(*grid_of(epochs=20)))
    assert "Mean ± standard error" not in page_text(view)
    assert view.button(key="compare_seeds")


def test_visitors_with_other_seeds_share_the_replication(moons):
    runs = JobRegistry()
    for grid, history in (moons, grid_of(data=replace(DATA, seed=8))):
        same_rows = replace(grid.experiment, regularizations=moons[0].experiment.regularizations)
        grid = replace(grid, experiment=same_rows)
        run_until_trained(open_page(grid, history, runs).button(key="compare_seeds").click().run())
    assert len(runs) == 1


def test_a_failure_of_the_training_is_told_and_the_numbers_stay(
    moons, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("seeds must be kind, got 3")

    monkeypatch.setattr(JobRegistry, "replicate", fail)
    view = open_page(*moons)
    run_until_trained(view.button(key="compare_seeds").click().run())
    assert not view.exception
    assert "seeds must be kind" in view.warning[0].value
    assert len(view.dataframe[0].value) == 4
    assert view.run().button(key="compare_seeds").disabled is False


def test_of_ones_own_points_the_seeds_are_splits_and_the_error_allows_for_their_overlap():
    rng = np.random.default_rng(0)
    points = [(*rng.normal(size=2) + i % 2, i % 2) for i in range(60)]
    data = regviz.PointsSpec(points, names=("cat", "dog"), validation_fraction=0)  # 30 and 30
    grid, history = grid_of(["none", "l1"], data, epochs=5)
    view = open_page(grid, history)
    run_until_trained(view.button(key="compare_seeds").click().run())
    assert "each with its own split of your points" in page_text(view)
    assert "The splits overlap" in page_text(view)
    alone = [regviz.train(with_seed(grid.only(grid.rows({})), seed)) for seed in range(5)]
    ends = np.array([run.metrics["test_loss"][-1] for run in alone])
    paired = ends[:, 1] - ends[:, 0]
    error = paired.std(ddof=1) * np.sqrt(1 / 5 + 30 / 30)
    assert f"tests {plus_minus(abs(paired.mean()), error)} " in page_text(view)


def test_what_has_diverged_is_a_dash_and_no_error():
    rows = grid_of(data=replace(DATA, name="plane"), learning_rate=10.0, activation="linear")
    view = open_page(*rows)
    assert np.isnan(view.dataframe[0].value["test_loss"].iloc[0])
    assert "A dash: the network has diverged" in page_text(view)


def test_regression_has_no_confusion_matrix_and_classes_have(moons):
    assert "plotly_chart" in [one.type for one in open_page(*moons).main]
    regression = open_page(*grid_of(data=replace(DATA, name="bumps")))
    assert "plotly_chart" not in [one.type for one in regression.main]


# ------------------------------------------------------------------------------ texts


COLUMNS = (Criterion("loss", "Loss", "", "lower"), Criterion("zeros", "Zeros", "", percent=True))


def test_the_best_have_a_star_and_the_undefined_a_dash():
    found = Comparison(COLUMNS, np.array([[0.5, 0.25], [0.25, np.nan], [np.nan, 0]]))
    assert texts(found) == [["0.500", "25.0 %"], ["★ 0.250", "–"], ["–", "0.0 %"]]


def test_numbers_that_look_equal_have_a_star_together():
    found = Comparison(COLUMNS[:1], np.array([[0.41201], [0.41198], [0.413]]))
    assert texts(found) == [["★ 0.412"], ["★ 0.412"], ["0.413"]]


def test_over_seeds_each_mean_has_its_standard_error():
    values = np.array([[[0.4, 0.5]], [[0.6, 0.7]]])  # standard error: 0.1
    assert texts(Replicates(COLUMNS, values)) == [["★ 0.50 ± 0.10", "60 ± 10 %"]]


def test_the_file_has_the_rows_of_the_table(moons, monkeypatch: pytest.MonkeyPatch):
    files = []
    monkeypatch.setattr(
        "streamlit.download_button", lambda _, data, **options: files.append((data, options))
    )
    table = table_of(open_page(*moons))
    ((make, options),) = files
    assert options["file_name"].endswith(".csv")
    header, *rows = csv.reader(io.StringIO(make()))
    assert header == ["method", *table.columns]
    assert [row[0] for row in rows] == list(table.index)
    assert float(rows[0][2]) == table["test_loss"].iloc[0]
    assert Entry("none", rows[0][0], rows[0][1]) == ("none", "None", "")
