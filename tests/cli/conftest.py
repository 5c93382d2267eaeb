"""Files with small experiments, and a function that runs a command in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import regviz
from regviz.cli import main

SCENE = regviz.Scene(
    regviz.DataSpec("moons", n_samples=80),
    regviz.NetworkSpec((4,)),
    regviz.TrainingSpec(epochs=20),
    ("none", "l1", "l2"),
    strengths={"l1": 0.01},  # type: ignore[arg-type]
)
EXPERIMENT = regviz.Experiment(
    SCENE.data,
    SCENE.network,
    SCENE.training,
    (regviz.Regularization(l2=0.01), regviz.Regularization(l1=0.004, drop_rate=0.1)),
)


class Done(NamedTuple):
    """Exit code and output of a command."""

    code: object
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs ``regviz`` with some words."""

    def call(*words: str | Path) -> Done:
        code: object
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        return Done(code, *capsys.readouterr())

    return call


@pytest.fixture
def scene_file(tmp_path: Path) -> Path:
    """A file as *Save · open* writes it."""
    file = tmp_path / "regviz-moons.json"
    file.write_text(SCENE.to_json(), "utf-8")
    return file


@pytest.fixture
def experiment_file(tmp_path: Path) -> Path:
    """A file that `Experiment.to_json` wrote."""
    file = tmp_path / "mine.json"
    file.write_text(EXPERIMENT.to_json(), "utf-8")
    return file
