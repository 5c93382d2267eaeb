"""Tests of `regviz train`."""

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import regviz
from regviz.cli import train
from regviz.scenes.link import link
from tests.cli.conftest import EXPERIMENT, SCENE, Run


def test_a_file_of_the_page_trains_all_its_networks_and_saves_their_history(
    run: Run, scene_file: Path, tmp_path: Path
):
    done = run("train", scene_file, "--output", tmp_path / "run.npz", "--json")
    assert done.code == 0
    saved = regviz.History.load(tmp_path / "run.npz")
    expected = regviz.train(SCENE.grid().experiment)
    assert saved.experiment == expected.experiment
    np.testing.assert_array_equal(saved.parameters, expected.parameters)
    content = json.loads(done.out)
    assert len(content["networks"]) == len(expected.labels)
    for k, network in enumerate(content["networks"]):
        weights = np.concatenate([block.ravel() for block in expected.weights(k)])
        assert network["metrics"]["sparsity"] == np.mean(weights == 0)
        assert network["metrics"]["test_loss"] == expected.metrics["test_loss"][-1, k]
        assert (
            regviz.Regularization(**network["regularization"])
            == (expected.experiment.regularizations[k])
        )


def test_the_table_has_each_method_at_the_strength_that_the_page_shows(run: Run, scene_file: Path):
    done = run("train", scene_file)
    caption, _, heads, *rows = done.out.splitlines()
    grid = SCENE.grid()
    n = len(grid.experiment.regularizations)
    assert caption == f"Moons, epoch 20 of 20, 3 of {n} networks, and None with early stopping"
    assert re.split(r"  +", heads) == (
        ["Method", "Strength", "Test loss", "Training loss", "Gap", "Test accuracy", "Zeros"]
    )
    assert [row[:4].strip() for row in rows] == ["None", "L1", "L2", "Earl"]
    shown = grid.strengths("l1")[SCENE.strength_indices(grid)["l1"]]
    assert f"λ₁ = {shown:g} " in rows[1]
    history = regviz.train(grid.only(grid.rows(SCENE.strength_indices(grid))))
    assert f"{history.metrics['test_loss'][-1, 1]:#.3g}" in rows[1]


def test_the_table_is_at_the_epoch_that_the_page_shows(run: Run, scene_file: Path):
    scene_file.write_text(replace(SCENE, epoch=7).to_json())
    content = json.loads(run("train", scene_file, "--json").out)
    assert content["epoch"] == 7
    history = regviz.train(SCENE.grid().experiment)
    assert content["table"][0]["test_loss"] == history.metrics["test_loss"][7, 0]


def test_an_experiment_written_in_python_runs_as_it_is(
    run: Run, experiment_file: Path, tmp_path: Path
):
    done = run("train", experiment_file, "--output", tmp_path / "run.json")
    assert done.code == 0
    assert [line[:12] for line in done.out.splitlines()[3:]] == ["L2          ", "L1 + dropout"]
    saved = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert saved["experiment"] == json.loads(EXPERIMENT.to_json())


def test_a_file_the_standard_input_and_a_link_are_the_same_experiment(
    run: Run, scene_file: Path, monkeypatch: pytest.MonkeyPatch
):
    stdin = SimpleNamespace(buffer=io.BytesIO(b"\xef\xbb\xbf" + scene_file.read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    sources = (scene_file, "-", link("https://example.org/regviz/", SCENE))
    tables = [run("train", source).out for source in sources]
    assert tables[0] == tables[1] == tables[2] != ""


def test_json_has_null_where_a_number_is_not_defined(run: Run, scene_file: Path):
    scene = replace(SCENE, data=regviz.DataSpec("plane", n_samples=80))
    scene_file.write_text(scene.to_json())
    content = json.loads(run("train", scene_file, "--json").out, parse_constant=pytest.fail)
    assert content["networks"][0]["metrics"]["test_accuracy"] is None


def test_a_run_in_which_every_network_diverged_fails(run: Run, experiment_file: Path):
    fast = regviz.TrainingSpec(learning_rate=10.0, epochs=20)
    network = regviz.NetworkSpec((32, 32), "relu")
    rows = (regviz.Regularization(),)
    data = regviz.DataSpec("plane", n_samples=80)
    experiment_file.write_text(regviz.Experiment(data, network, fast, rows).to_json())
    done = run("train", experiment_file)
    assert done.code == 1
    assert done.err.splitlines()[1] == "note: Every network diverged: lower the learning rate."
    assert "–" in done.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_history_that_cannot_be_written_is_a_failed_run(
    run: Run, experiment_file: Path, tmp_path: Path
):
    (tmp_path / "run.json").symlink_to("/dev/full")
    done = run("train", experiment_file, "--output", tmp_path / "run.json")
    assert done.code == 1
    assert done.err.endswith("\nregviz train: error: [Errno 28] No space left on device\n")


def test_an_interrupted_training_ends_quietly(
    run: Run, experiment_file: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupt(*_: object, after_epoch: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", interrupt)
    size = "note: Training 2 networks for 20 epochs: about 1 s on one core.\n"
    assert run("train", experiment_file) == (130, "", size)
