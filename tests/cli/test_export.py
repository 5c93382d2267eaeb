"""Tests of `regviz export`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import regviz
from regviz.data.points_file import points_csv
from regviz.pages import share
from regviz.programs import program
from regviz.scenes.link import link
from regviz.scenes.offline import run_page
from tests.cli.conftest import EXPERIMENT, SCENE, Run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_the_offline_page_is_the_one_that_the_page_saves(run: Run, scene_file: Path):
    done = run("export", scene_file, "--html", "--json")
    assert json.loads(done.out)["file"] == "regviz-moons.html"
    written = Path("regviz-moons.html").read_text("utf-8")
    assert written == run_page(SCENE, regviz.train(SCENE.grid().experiment))
    assert len(written.encode()) == json.loads(done.out)["bytes"]


def test_only_a_file_that_is_named_is_overwritten(run: Run, scene_file: Path):
    Path("regviz-moons-points.csv").write_text("mine")
    assert run("export", scene_file, "--points").code == 2
    assert Path("regviz-moons-points.csv").read_text() == "mine"
    assert run("export", scene_file, "--points", "regviz-moons-points.csv").code == 0
    assert Path("regviz-moons-points.csv").read_text() != "mine"


@pytest.mark.parametrize(
    "scene", [SCENE, replace(SCENE, focus="l2", epoch=5, phases=(regviz.Phase(3),), pins=(SCENE,))]
)
def test_a_link_becomes_a_file_that_the_page_opens(scene: regviz.Scene, run: Run):
    run("export", link("http://localhost:8501/", scene), "--experiment", "scene.json")
    assert share.read(Path("scene.json").read_text("utf-8")) == (scene, [])


def test_an_experiment_written_in_python_becomes_the_nearest_scene(run: Run, experiment_file: Path):
    done = run("export", experiment_file, "--experiment", "-")
    assert share.read(done.out)[0] == regviz.Scene.of(EXPERIMENT)
    assert done.err.startswith("note: The page does not offer L2 λ₂ = 0.01")


def test_points_are_those_that_are_trained_on(run: Run, scene_file: Path):
    assert run("export", scene_file, "--points", "-").out == (
        points_csv(regviz.make_dataset(SCENE.data))
    )


def test_the_program_is_that_of_the_method_at_the_strength_shown(run: Run, scene_file: Path):
    grid = SCENE.grid()
    shown = grid.only(grid.rows(SCENE.strength_indices(grid)))
    for words, k in (([], 1), (["--method", "l2"], 2)):  # L1 is in focus
        done = run("export", scene_file, "--program", "pytorch", *words)
        assert done.out == program(shown, k, "pytorch").source
        compile(done.out, "program.py", "exec")
