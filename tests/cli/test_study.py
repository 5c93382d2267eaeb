"""Tests of `regviz study`."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import regviz
from regviz.analysis.replicates import with_seed
from tests.cli.conftest import EXPERIMENT, SCENE, Run

SEEDS = range(4)


def losses(experiment: regviz.Experiment) -> np.ndarray:
    """Return the test losses at the end under each seed, of shape (seeds, networks)."""
    runs = [regviz.train(with_seed(experiment, seed)) for seed in SEEDS]
    return np.array([run.metrics["test_loss"][-1] for run in runs])


def test_differences_and_errors_are_those_of_a_paired_comparison(run: Run, scene_file: Path):
    content = json.loads(run("study", scene_file, "--seeds", "4", "--json").out)
    grid = SCENE.grid()
    none, l1, l2 = losses(grid.only(grid.rows(SCENE.strength_indices(grid)))).T
    assert [network["method"] for network in content["networks"]] == (
        ["None", "L1", "L2", "Early stopping"]
    )
    assert content["seeds"] == list(SEEDS)
    for network, expected in zip(content["networks"], (none, l1, l2), strict=False):
        found = network["criteria"]["test_loss"]
        assert found["values"] == expected.tolist()
        assert found["mean"] == pytest.approx(expected.mean())
        assert found["standard_error"] == pytest.approx(stats.sem(expected))
        assert found["difference"] == pytest.approx((expected - none).mean())
        assert found["difference_standard_error"] == pytest.approx(stats.sem(expected - none))


def test_csv_has_a_row_for_each_seed_and_network(run: Run, experiment_file: Path):
    done = run("study", experiment_file, "--seeds", "4", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(int(row["seed"]), row["method"]) for row in rows] == (
        [(seed, name) for seed in SEEDS for name in ("L2", "L1 + dropout")]
    )
    found = np.array([float(row["test_loss"]) for row in rows]).reshape(4, 2)
    np.testing.assert_array_equal(found, losses(EXPERIMENT))


def test_the_table_compares_with_the_baseline_that_is_chosen(run: Run, scene_file: Path):
    done = run("study", scene_file, "--seeds", "4", "--baseline", "l2")
    assert done.out.startswith("Moons, epoch 20, 4 seeds\n\nMethod ")
    heads, none, _, l2, _ = done.out.splitlines()[2:7]
    assert "Difference from L2" in heads
    assert none.count("±") == 4  # loss, difference, accuracy, zeros
    assert l2.count("±") == 3  # no difference from itself


def test_early_stopping_can_be_the_baseline(run: Run, scene_file: Path):
    words = ("study", scene_file, "--seeds", "2", "--baseline", "early_stopping", "--json")
    content = json.loads(run(*words).out)
    assert content["networks"][content["baseline"]]["method"] == "Early stopping"
    none, *_, stopped = (each["criteria"]["test_loss"] for each in content["networks"])
    expected = np.subtract(none["values"], stopped["values"]).mean()
    assert none["difference"] == pytest.approx(expected)
