"""Test of the program of a study: it is run."""

import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

import regviz
from regviz.programs.study import file_stem, study_program
from regviz.scenes.study_link import study_of


@pytest.mark.parametrize(
    "options",
    [
        {"methods": ("l2",), "strengths": {"l2": (0.01, 0.1)}},
        {"base": regviz.Experiment(training=regviz.TrainingSpec(epochs=3))},
    ],
)
def test_the_program_of_a_single_method_prints_its_means(
    options: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    base = regviz.Experiment(
        regviz.PointsSpec([(x / 10, x * x / 100, int(x > 30)) for x in range(60)]),
        training=regviz.TrainingSpec(epochs=3),
    )
    study = regviz.Study(**{"base": base, "seeds": range(2)} | options)
    file = tmp_path / "study.py"
    file.write_text(study_program(study), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(file)])
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")  # 5 MB
    made = runpy.run_path(str(file))
    assert made["study"] == study
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2].split()[:2] == ["method", "mean"]
    mean = made["result"].means()["mean"].item()
    method, number = printed[-1].split()[:2]
    assert method == (study.methods or ("none",))[0]
    assert float(number) == pytest.approx(mean, 1e-4)


def test_the_program_runs_the_same_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    scene = regviz.Scene(
        regviz.DataSpec("moons", n_samples=60),
        regviz.NetworkSpec((4,), features=("x1", "x1*x2")),
        regviz.TrainingSpec(epochs=10, batch_size=None),
        ("l1", "elastic_net"),
        phases=(regviz.Phase(5, regviz.Regularization(l2=0.1)),),
        variants={"elastic_net": 0.25},  # type: ignore[arg-type]
    )
    vary = {"network.hidden": [(), (3,)], "training.optimizer": ["adam", "sgd"]}
    study = study_of(scene, vary, {"l1": [0.01], "elastic_net": [0.1]}, (2, 4, 5))
    stem = file_stem(study)
    file = tmp_path / f"{stem}.py"
    file.write_text(study_program(study), "utf-8")
    assert f"python {file.name} " in file.read_text("utf-8")
    assert max(map(len, file.read_text("utf-8").splitlines())) <= 100
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(file)])
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")  # 5 MB
    made = runpy.run_path(str(file))
    assert made["study"] == study
    assert made["study"].id == study.id
    expected = study.run(progress=lambda _: None).frame
    pd.testing.assert_frame_equal(made["result"].frame, expected)
    assert len(pd.read_csv(f"{stem}.csv")) == len(expected) == 2 * 2 * 2 * 3
    printed = capsys.readouterr().out
    assert printed.startswith("4 cells, 24 networks, ")
    assert printed.count("elastic_net") == 4
    assert {one.name for one in tmp_path.iterdir()} == {
        f"{stem}.py",
        f"{stem}.csv",
        f"{stem}.html",
        stem,
    }
