"""Tests of the commands in README and docs/howto/command-line.md."""

import io
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from regviz.cli import main, parser
from regviz.scenes.study_link import study_of
from tests.cli.conftest import SCENE
from tests.support.papers import blocks

PAPER = "docs/howto/command-line.md"
LINES = [
    line
    for paper in ("README.md", PAPER)
    for line in "".join(blocks(paper, "sh")).replace("\\\n", "").splitlines()
]
COMMANDS = [line for line in LINES if re.match("regviz (?!serve)", line)]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_guide_runs(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    for name in ("regviz-moons.json", "regviz-circles.json"):
        Path(name).write_text(SCENE.to_json(), "utf-8")
    Path("study.json").write_text(study_of(SCENE, {"data.noise": [0.1]}, 2).to_json(), "utf-8")
    stdin = SimpleNamespace(buffer=io.BytesIO(SCENE.to_json().encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    _, *words = shlex.split(re.sub(r" [<>] \S+", "", line), comments=True)
    words = [word.replace("?v=2&data=moons", "?v=2&hidden=2&epochs=9&data=moons") for word in words]
    if words[0] == "open":  # tested by test_open.py
        parser.parse(words)
        return
    assert main(words) == 0
    written = [word for word in words if word.endswith((".npz", "n.json", ".html", ".csv"))]
    assert all(Path(word).exists() for word in written)


def test_exit_codes_are_those_of_the_help():
    text = Path(__file__).parents[2].joinpath(PAPER).read_text("utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE))
    assert rows == dict(re.findall(r"^  (\d+) +(.*)$", parser.EXIT_CODES, re.MULTILINE))
