"""Test of the commands and programs of docs/howto/cluster.md.

Scheduler and worker start with the guide's command lines, on a loopback address and free ports.
One process, with the guide's variables, runs the programs and the commands ``regviz`` in order.
Before the program that reads a store, a stored cell is doubled.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from devtools.serving import ROOT, free_port
from tests.support.commands import python
from tests.support.papers import blocks

GUIDE = "docs/howto/cluster.md"
READER = """
import json, shlex, shutil, sys
from pathlib import Path
from regviz.cli import main
from tests.support.studies import bits

names = {}
for language, text in json.loads(sys.argv[1]):
    if "stored = " in text:  # as after a kill during a merge, a cell is in two files
        file = next(Path("results").glob("*/*.parquet"))
        shutil.copy(file, file.with_name("part-0.parquet"))
    if language == "python":
        exec(text, names)
    else:
        print("$", text)
        assert main(shlex.split(text)[1:]) == 0
larger, result = names["larger"], names["result"]
assert bits(larger.run("results", progress=print).table) == bits(larger.run().table)
assert result.complete and len(names["stored"]) == 4 * 5 * 7
"""


def lines() -> list[str]:
    """Return the command lines of the guide."""
    return "".join(blocks(GUIDE, "sh")).splitlines()


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A running scheduler and a worker; the words of the guide that the test replaces."""
    changed = {"10.0.0.5": "127.0.0.1", "8786": str(free_port()), "127.0.0.1:8787": "127.0.0.1:0"}
    environment = os.environ | variables() | {"PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        for line in lines():
            if not line.startswith("python -m dask"):
                continue
            _, *words = shlex.split(replaced(line, changed))
            log = stack.enter_context((tmp_path / f"{words[2]}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, *words], cwd=tmp_path, env=environment, stderr=log
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        yield changed


def replaced(text: str, changed: dict[str, str]) -> str:
    """Return a text with other words."""
    return re.sub("|".join(map(re.escape, changed)), lambda found: changed[found[0]], text)


def variables() -> dict[str, str]:
    """Return the variables that the guide exports."""
    (line,) = [line for line in lines() if line.startswith("export")]
    return dict(word.split("=", 1) for word in shlex.split(line)[1:])


def test_a_reader_who_follows_the_guide_runs_a_study_on_a_cluster(
    moved: dict[str, str], tmp_path: Path
):
    text = (ROOT / GUIDE).read_text("utf-8")
    found = re.findall(r"^```(python|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    steps = [
        (language, replaced(step, moved))
        for language, block in found
        for step in ([block] if language == "python" else block.splitlines())
        if language == "python" or step.startswith("regviz ")
    ]
    done = python(
        "-c", READER, json.dumps(steps), cwd=tmp_path, **variables(), PYTHONPATH=str(ROOT)
    )
    (cost,) = blocks(GUIDE, "text")
    assert done.stdout.startswith(cost)
    assert (tmp_path / "study.html").stat().st_size > 1_000_000


def test_the_guide_has_no_commands_but_those_that_are_run():
    run = ("regviz study ", "export ", "python -m dask ")
    assert [line for line in lines() if not line.startswith(run)] == [
        'python -m pip install ".[studies]"'  # its packages are installed for the tests
    ]


def test_its_variables_are_those_of_the_deployment():
    content = yaml.safe_load((ROOT / "deploy" / "compose.study.yaml").read_text("utf-8"))
    assert variables() == content["x-arithmetic"]
