"""Tests of `regviz study`."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import regviz
from regviz.analysis.criteria import Criterion
from regviz.analysis.replicates import with_seed
from regviz.cli import study_tables
from regviz.scenes.study_link import link, study_of
from regviz.studies import cluster
from regviz.studies.cell import Cell
from regviz.studies.errors import SchedulerLostError, StudyError
from tests.cli.conftest import EXPERIMENT, SCENE, Run

SEEDS = range(4)


def losses(experiment: regviz.Experiment) -> np.ndarray:
    """Return the test losses at the end under each seed, of shape (seeds, networks)."""
    runs = [regviz.train(with_seed(experiment, seed)) for seed in SEEDS]
    return np.array([run.metrics["test_loss"][-1] for run in runs])


def test_a_scene_is_compared_at_its_shown_strengths_seed_by_seed(run: Run, scene_file: Path):
    content = json.loads(run("study", scene_file, "--seeds", "4", "--json").out)
    grid = SCENE.grid()
    rows = grid.rows(SCENE.strength_indices(grid))
    none, l1, l2 = losses(grid.only(rows)).T
    stopped = []
    for seed in SEEDS:
        history = regviz.train(with_seed(grid.experiment, seed))
        best, _ = history.early_stopping(grid.patience)
        stopped.append(history.metrics["test_loss"][best[rows[0]], rows[0]])
    assert content["seeds"] == list(SEEDS)
    (cell,) = content["cells"]
    found = {one["method"]: one for one in cell["methods"]}
    assert found["l1"]["chosen_strengths"] == [grid.experiment.regularizations[rows[1]].l1] * 4
    assert found["none"]["difference"] is None
    expected = {"none": none, "l1": l1, "l2": l2, "early_stopping": np.array(stopped)}
    assert list(found) == list(expected)
    for method, own in expected.items():
        means = found[method]["means"]["test_loss"]
        assert means["mean"] == pytest.approx(own.mean())
        assert means["standard_error"] == pytest.approx(stats.sem(own))
        if method != "none":
            difference = found[method]["difference"]
            interval = stats.ttest_rel(own, none).confidence_interval()
            assert difference["mean"] == pytest.approx((own - none).mean())
            assert (difference["low"], difference["high"]) == pytest.approx(interval)


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (0.0412, 0.15, "0.04 [-0.11, 0.19]"),
        (0.3125, 1e-12, "0.3 [0.3, 0.3]"),
        (0.0412, 0.31, "0.0 [-0.3, 0.4]"),
        (-0.1234, 0.02, "-0.123 [-0.143, -0.103]"),
        (7.4, 15.0, "7 [-8, 22]"),
        (0.5, 0.0, "0.5 [0.5, 0.5]"),
    ],
)
def test_a_difference_has_the_digits_that_its_interval_allows(mean: float, half: float, text: str):
    row = {"mean": mean, "low": mean - half, "high": mean + half, "clear": False}
    loss = Criterion("test_loss", "Test loss", "Mean loss.", "lower")
    assert study_tables._difference(loss, row).strip() == text


def test_csv_has_a_row_for_each_network(run: Run, experiment_file: Path):
    done = run("study", experiment_file, "--seeds", "4", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(int(row["seed"]), row["method"]) for row in rows] == (
        [(seed, name) for name in ("l2", "l1+dropout") for seed in SEEDS]
    )
    found = np.array([float(row["test_loss"]) for row in rows]).reshape(2, 4).T
    np.testing.assert_array_equal(found, losses(EXPERIMENT))


def test_the_table_has_each_cell_compared_with_the_baseline_in_100_columns(run: Run):
    address = link("http://h/study", study_of(SCENE, {"data.noise": [0.1, 0.3]}, 2))
    words = ("--vary", "network.hidden=none,4-4", "--seeds", "5-6", "--baseline", "l2")
    done = run("study", address, *words, "--methods", "none,l2,elastic_net,max_norm,early_stopping")
    assert done.code == 0
    head, _, heads, *_ = lines = done.out.splitlines()
    assert head == "Moons, epoch 20, 4 cells, 2 seeds"
    assert "Difference from L2" in heads
    captions = [line for line in lines if line.startswith("Noise")]
    assert captions == [
        f"Noise {noise}, hidden layers {hidden}"
        for noise in (0.1, 0.3)
        for hidden in ("none", "4-4")
    ]
    block = lines[lines.index(captions[3]) + 1 :][:5]
    names = ["None", "L2", "Elastic net", "Max-norm", "Early stopping"]
    assert [re.split("  +", line)[0] for line in block] == names
    assert ["[" in line for line in block] == [True, False, True, True, True]
    assert max(map(len, lines)) <= 100
    assert "correction of Holm for 16 comparisons" in done.out


def test_a_dry_run_prints_the_cost_and_trains_nothing(
    run: Run, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study = study_of(SCENE, {"data.noise": [0.1, 0.3]}, "grid", range(3))
    file = tmp_path / "study.json"
    file.write_text(study.to_json(), "utf-8")
    monkeypatch.setattr("regviz.studies.study.Study.run", pytest.fail)
    content = json.loads(run("study", file, "--dry-run", "--json").out)
    assert content["study"] == study.id
    # none, early stopping, and twelve strengths of each of two methods
    assert (content["n_cells"], content["n_networks"]) == (2, 2 * 3 * 26)
    words = ("--vary", "data.noise=0.1,0.3", "--seeds", "3", "--dry-run", "--json")
    assert json.loads(run("study", scene_file, *words).out) == content
    assert run("study", file, "--dry-run").out == f"{study.cost()}\n"


def test_an_interrupted_study_goes_on_from_its_store(
    run: Run, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    words = ("study", scene_file, "--vary", "data.noise=0.1,0.3", "--strengths", "1")
    words += ("--seeds", "2", "--csv")
    whole = run(*words)
    store = tmp_path / "store"
    cells_done = cluster.cells_done

    def interrupted(*given: Any, **named: Any) -> Any:
        for one in cells_done(*given, **named):
            yield one
            raise KeyboardInterrupt

    monkeypatch.setattr("regviz.studies.run.cells_done", interrupted)
    done = run(*words, "--store", store)
    assert (done.code, done.out) == (130, "")
    assert f"cells are in {store}: the same command goes on from there." in done.err
    monkeypatch.setattr("regviz.studies.run.cells_done", cells_done)
    assert run(*words, "--store", store) == (0, whole.out, whole.err)


def test_failed_cells_are_named(run: Run, scene_file: Path, monkeypatch: pytest.MonkeyPatch):
    def failing(study: regviz.Study, **_: object) -> None:
        raise StudyError([(study.cells[0], "killed 3 workers")])

    monkeypatch.setattr("regviz.studies.study.Study.run", failing)
    done = run("study", scene_file, "--seeds", "2", "--vary", "data.noise=0.1")
    assert (done.code, done.out) == (1, "")
    message = "regviz study: error: 1 cell of the study failed.\ndata.noise=0.1: killed 3 workers\n"
    assert done.err.endswith(message)


def test_when_a_run_cannot_finish_the_finished_cells_are_printed(
    run: Run, scene_file: Path, monkeypatch: pytest.MonkeyPatch
):
    cells_done = cluster.cells_done

    def lost(*given: Any, **named: Any) -> Any:
        for one in cells_done(*given, **named):
            yield one
            raise SchedulerLostError("the scheduler has not come back")

    monkeypatch.setattr("regviz.studies.run.cells_done", lost)
    words = ("--vary", "data.noise=0.1,0.3", "--strengths", "1", "--seeds", "2", "--csv")
    done = run("study", scene_file, *words)
    assert done.code == 1
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len({row["cell"] for row in rows}) == 1
    assert done.err.endswith("regviz study: error: the scheduler has not come back\n")


def test_an_error_is_reported_also_if_every_network_diverged(
    run: Run, scene_file: Path, monkeypatch: pytest.MonkeyPatch
):
    cells_done = cluster.cells_done

    def lost(*given: Any, **named: Any) -> Any:
        for cell, table in cells_done(*given, **named):
            diverged = pa.array([True] * table.num_rows)
            at = table.schema.get_field_index("diverged")
            yield cell, table.set_column(at, "diverged", diverged)
            raise SchedulerLostError("the scheduler has not come back")

    monkeypatch.setattr("regviz.studies.run.cells_done", lost)
    done = run("study", scene_file, "--vary", "data.noise=0.1,0.3", "--strengths", "1", "--csv")
    assert done.code == 1
    assert "Every network diverged" in done.err
    assert done.err.endswith("regviz study: error: the scheduler has not come back\n")


def test_the_figure_is_a_page_of_its_own(
    run: Run, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # plotly.js, of 5 MB, is the same in every page
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")
    file = tmp_path / "study.html"
    words = ("--vary", "data.noise=0.1,0.3", "--strengths", "1", "--seeds", "2", "--figure", file)
    assert run("study", scene_file, *words).code == 0
    assert "Noise" in file.read_text("utf-8")


def test_an_axis_that_is_given_twice_is_refused(run: Run, scene_file: str):
    done = run("study", scene_file, "--vary", "data.noise=0.1,0.2", "--vary", "data.noise=0.3")
    assert done.code == 2
    assert "--vary a path must be given once, with all its values, got 'data.noise'" in done.err


@pytest.mark.parametrize("name", ["study.png", "study.svg", "study"])
def test_another_figure_than_a_page_is_refused_with_the_allowed_ending(
    run: Run, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr("regviz.studies.study.Study.run", pytest.fail)
    done = run("study", scene_file, "--seeds", "2", "--figure", tmp_path / name)
    assert (done.code, done.out) == (2, "")
    assert "a file name that ends in .html (the camera of that page saves a PNG)" in done.err


@pytest.mark.parametrize("form", ["--json", "--csv", None])
def test_a_command_that_goes_on_from_its_store_hashes_each_cell_once(
    run: Run, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str | None
):
    words = ("study", scene_file, "--vary", "data.noise=0.1,0.2,0.3", "--strengths", "1")
    words += ("--seeds", "2", "--store", tmp_path / "store", *[form] * bool(form))
    whole = run(*words)
    hashed, own = [], Cell.key.fget

    def key(cell: Cell) -> str:
        hashed.append(cell.values)
        return own(cell)

    monkeypatch.setattr(Cell, "key", property(key))
    assert run(*words) == whole
    assert sorted(hashed) == [(("data.noise", noise),) for noise in (0.1, 0.2, 0.3)]


def test_without_its_packages_the_command_names_the_extra(
    run: Run, scene_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("regviz.cli.study.find_spec", lambda name: None)
    code = str(run("study", scene_file).code)  # text of SystemExit, whose exit code is 1
    assert code.startswith("regviz study needs pandas, pyarrow, distributed, which the library doe")
    assert "[studies]" in code
