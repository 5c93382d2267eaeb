"""Tests of the commands in the README."""

import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
from fnmatch import fnmatch
from pathlib import Path

from devtools.serving import ROOT, free_port
from tests.support.commands import run
from tests.support.papers import blocks, copy_compiled, copy_project

README = (ROOT / "README.md").read_text()
IGNORED = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines())]
CLONE = [
    path.name
    for path in ROOT.iterdir()
    if not any(fnmatch(path.name, pattern) for pattern in IGNORED)
]


def commands(language: str) -> list[list[str]]:
    """Return every command line in blocks of a language, as words without comments."""
    lines = "".join(blocks("README.md", language)).splitlines()
    return [shlex.split(line, comments=True, posix=language == "sh") for line in lines]


def serves(command: list[str], folder: Path, port: int) -> bool:
    """Return whether the command serves the page at the port."""
    environment = {**os.environ, "STREAMLIT_SERVER_PORT": str(port)}
    server = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            try:
                health = f"http://127.0.0.1:{port}/_stcore/health"
                with urllib.request.urlopen(health, timeout=2) as answer:
                    return bool(answer.read() == b"ok")
            except OSError:
                time.sleep(0.2)
        return False
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


def test_there_are_no_commands_but_those_that_are_run_here():
    assert [words for words in commands("sh") if words] == [
        ["make", "run"],
        ["make", "test"],
        ["python3", "-m", "venv", ".venv"],
        [".venv/bin/python", "-m", "pip", "install", "--requirement", "requirements.txt"],
        [".venv/bin/python", "-m", "streamlit", "run", "app.py"],
        [".venv/bin/python", "-m", "pip", "install", "--requirement", "requirements-dev.txt"],
        [".venv/bin/python", "devtools/browsers.py"],
        [".venv/bin/python", "-m", "pytest"],
        ["docker", "build", "--tag", "regviz", "."],
        ["docker", "run", "--publish", "8501:8501", "regviz"],
        # tested by tests/site
        ["make", "site"],
        # tested by test_installation.py
        ["python", "-m", "pip", "install", "."],
        ["python", "-m", "pip", "install", ".[notebook]"],
        ["python", "-m", "pip", "install", ".[app]"],
        ["regviz", "serve"],
        # by test_extending.py
        ["regviz", "serve", "--import", "ring"],
        # by tests/cli/test_documentation.py
        ["regviz", "train", "regviz-circles.json", "--output", "run.npz"],
        ["regviz", "export", "regviz-circles.json", "--html"],
        ["regviz", "study", "regviz-circles.json", "--seeds", "20"],
        ["regviz", "open", "http://localhost:8501/?data=moons"],
        ["make", "bench"],
        # by test_documentation.py
        ["make", "docs"],
    ]


def test_make_run_serves_the_page():
    port = free_port()
    assert serves(["make", "run", f"PORT={port}", f"PYTHON={sys.executable}"], ROOT, port)


def test_the_commands_without_make_serve_the_page(tmp_path: Path):
    copy_project(tmp_path, CLONE)
    copy_compiled(tmp_path / "regviz" / "engine" / "__pycache__")
    make_environment, install, start, install_more, find_browser, test = commands("sh")[2:8]
    make_environment[0] = sys.executable
    run(*make_environment, cwd=tmp_path)
    # the requirements are installed already; pip has to confirm that
    (found,) = (tmp_path / ".venv" / "lib").glob("python*/site-packages")
    here = sysconfig.get_paths()["purelib"]
    (found / "present.pth").write_text(f"import sys; sys.path.insert(0, {here!r})")
    run(*install, "--no-index", cwd=tmp_path)
    assert serves(start, tmp_path, free_port())
    run(*install_more, "--no-index", cwd=tmp_path)
    run(*find_browser, cwd=tmp_path)
    # one folder, as to collect the tests of all takes 13 s
    found = run(*test, "tests/spec", "--collect-only", "-q", cwd=tmp_path)
    assert re.search(r"\d{3,} tests collected", found.stdout)


def test_the_windows_commands_are_the_same_ones():
    found = [
        [word.replace("\\", "/").replace(".venv/Scripts", ".venv/bin") for word in words]
        for words in commands("powershell")
        if words
    ]
    here = [["py", *words[1:]] if words[0] == "python3" else words for words in commands("sh")[2:8]]
    assert found == here


def test_the_first_screen_has_what_it_is_a_picture_and_the_two_commands():
    first = README.split("\n## ")[0]
    picture = re.search(r"!\[[^\]]+\]\(([^)]+)\)", first)
    assert picture
    assert (ROOT / picture[1]).stat().st_size > 20_000
    assert [words[:2] for words in commands("sh")[:2]] == [["make", "run"], ["make", "test"]]
    assert len(first.splitlines()) < 30
