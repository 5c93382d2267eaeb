"""Tests of the container image: contents, pinned hashes, audit, health check."""

import http.server
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from streamlit import config

import regviz
from devtools.serving import ROOT, TRACEBACK, RawVisitor, Server, free_port
from tests.support.commands import make_plan, python, run
from tests.support.papers import copy_compiled, copy_project

DOCKER = ROOT / "docker"
HEALTH = [sys.executable, "-I", "-S", str(DOCKER / "health.py")]
REMOVED = "was taken out of the image"

Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """Return the Dockerfile's instructions by stage."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    found: list[list[Instruction]] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, rest = line.split(maxsplit=1)
            if name == "FROM":
                found.append([])
            found[-1].append((name, " ".join(rest.split())))
    return found


BUILD, IMAGE = stages()


def report(name: str, stage: list[Instruction] = IMAGE) -> list[str]:
    """Return the arguments of all instructions of a name."""
    return [rest for each, rest in stage if each == name]


def settings(name: str) -> dict[str, str]:
    """Return the names and values of all ``ENV`` or ``LABEL``."""
    pairs = re.findall(r'([\w.]+)=(?:"([^"]*)"|(\S+))', " ".join(report(name)))
    return {key: quoted or plain for key, quoted, plain in pairs}


def copied(stage: list[Instruction]) -> list[str]:
    """Return the paths that a stage copies from the build context."""
    return [
        name for rest in report("COPY", stage) if "--from" not in rest for name in rest.split()[:-1]
    ]


def load(name: str) -> ModuleType:
    """Import a program of ``docker/`` as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCKER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit, lock, slim = load("audit"), load("lock"), load("slim")


def test_docker_is_sent_nothing_but_what_is_copied():
    first, *rest = (ROOT / ".dockerignore").read_text("utf-8").split()
    allowed = {line.removeprefix("!") for line in rest if line.startswith("!")}
    assert first == "*"
    assert {name.split("/")[0] for name in copied(BUILD) + copied(IMAGE)} == allowed
    assert {"**/__pycache__", "assets/screenshots"} <= set(rest)


def test_of_the_stage_that_builds_the_image_takes_what_is_installed_alone():
    assert [rest for rest in report("COPY") if "--from" in rest] == ["--from=build /venv /venv"]
    assert not re.search(r"\b(apt|apt-get|pip|curl)\b", " ".join(report("RUN")))
    assert report("FROM", BUILD) == [f"{report('FROM')[0]} AS build"]
    assert report("FROM")[0].startswith(f"python:{lock.PYTHON}-slim")


def test_it_runs_as_a_user_of_its_own_who_owns_nothing_in_it():
    (user,) = report("USER")
    (made,) = (run for run in report("RUN") if "useradd" in run)
    assert made.split()[-1] == user
    assert int(re.findall(r"--uid (\d+)", made)[0]) > 1000
    last = max(i for i, (name, _) in enumerate(IMAGE) if name in ("RUN", "COPY", "ADD"))
    assert IMAGE.index(("USER", user)) > last
    assert "chown" not in str(IMAGE)


def test_it_is_asked_to_stop_and_asked_for_its_health_without_a_shell_between():
    assert report("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(report("CMD")[0]) == ["streamlit", "run", "app.py"]
    (check,) = report("HEALTHCHECK")
    words = json.loads(check.partition("CMD ")[2])
    assert words[:-1] == ["python", *HEALTH[1:-1]]
    assert words[-1] == f"{report('WORKDIR')[0]}/docker/health.py"
    assert "docker/health.py docker/health.py" in report("COPY")


def test_its_settings_are_streamlits_and_say_the_port_that_is_exposed():
    environment = settings("ENV")
    assert report("EXPOSE") == [environment["STREAMLIT_SERVER_PORT"]]
    for name in environment:
        if name.startswith("STREAMLIT_"):
            _, section, *words = name.lower().split("_")
            config.get_option(f"{section}.{words[0]}" + "".join(map(str.capitalize, words[1:])))


def test_its_labels_are_the_projects():
    labels = settings("LABEL")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}version"] == regviz.__version__
    assert labels[f"{prefix}licenses"] == project["license"]
    assert {f"{prefix}title", f"{prefix}description"} <= labels.keys()


def test_hashes_are_written_down_of_exactly_what_is_required():
    wanted = set(lock.pins(ROOT / "requirements.txt"))
    (torch,) = (pin for pin in wanted if pin.startswith("torch=="))
    for torchs, pin in ((lock.CPU, f"{torch}+cpu"), (lock.GPU, torch)):
        # one for each platform
        assert len(lock.read(torchs)[pin]) == len(lock.MACHINES)
    assert set(lock.read(lock.LOCK)) == wanted - {torch}, "run `make lock`"
    assert set(lock.read(lock.CPU)) == {f"{torch}+cpu"}
    names = {lock.name_of(pin) for pin in wanted - {torch}}
    assert names.isdisjoint(map(lock.name_of, lock.read(lock.GPU)))


def test_the_stage_that_builds_installs_by_hash_alone():
    environment = " ".join(report("ENV", BUILD))
    assert "PIP_REQUIRE_HASHES=1" in environment
    assert "PIP_NO_DEPS=1" in environment
    installed = re.findall(r"--requirement ([\w.-]+)", " ".join(report("RUN", BUILD)))
    assert set(installed) == {path.name for path in (lock.LOCK, lock.CPU, lock.GPU)}
    assert {path.name for path in DOCKER.glob("*.lock")} == set(installed)


def test_pip_finds_what_is_tested_here_to_be_what_the_hashes_are_of():
    options = ["--dry-run", "--no-index", "--no-deps", "--require-hashes"]
    done = python("-m", "pip", "install", *options, "--requirement", lock.LOCK)
    assert done.stdout.count("already satisfied") == len(lock.read(lock.LOCK))


def test_hashes_are_looked_up_for_every_kind_of_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    requested: list[tuple[str, ...]] = []

    def resolve(*options: str) -> list[dict[str, Any]]:
        requested.append(options)
        (machine,) = {o.split("_", 3)[-1] for o in options if o.startswith("--platform=manylinux_")}
        info = {"archive_info": {"hashes": {"sha256": f"5ef0{machine}"}}}
        return [{"metadata": {"name": "Some.Thing"}, "download_info": info}]

    monkeypatch.setattr(lock, "resolve", resolve)
    found = lock.wheel_hashes(["some_thing==1.2"], "--more")
    assert found == {"some_thing==1.2": {f"5ef0{machine}" for machine in lock.MACHINES}}
    assert all("--no-deps" in options and "--more" in options for options in requested)
    lock.write(tmp_path / "some.lock", "something", found)
    assert lock.read(tmp_path / "some.lock") == found
    assert lock.pins(tmp_path / "some.lock") == ["some_thing==1.2"]


def test_a_new_torch_asks_for_the_index_of_its_small_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# ours\nnumpy==2.0\ntorch==99.0\n")
    monkeypatch.setattr(lock, "REQUIREMENTS", requirements)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(lock, "wheel_hashes", lambda pins, *_: {pin: {"0"} for pin in pins})
    monkeypatch.setattr(sys, "argv", ["lock.py"])
    with pytest.raises(
        SystemExit, match=re.escape("torch==99.0+cpu is new: make lock EXTRA_INDEX")
    ):
        lock.main()


def test_make_audits_what_the_image_is_built_from():
    plan = make_plan("--always-make", "audit")
    assert ".venv/audit/bin/python docker/audit.py\n" in plan
    assert "requirements-audit.txt" in plan
    assert re.search(r"^pip-audit==\d", (ROOT / "requirements-audit.txt").read_text(), re.MULTILINE)
    assert audit.LOCKS == (lock.LOCK, lock.GPU)


NOT_VULNERABLE = {"name": "a", "version": "1", "vulns": []}
VULNERABILITY = {"id": "PYSEC-1", "fix_versions": ["2", "1.5"], "aliases": []}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI: c (1)"}


def run_audit(monkeypatch: pytest.MonkeyPatch, **reports: list[dict] | str) -> int:
    """Run `audit.main` with a report, or an error message, for each service."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        report = reports[command[command.index("--vulnerability-service") + 1]]
        if isinstance(report, str):
            return subprocess.CompletedProcess(command, 1, "", f"Traceback\n{report}\n")
        return subprocess.CompletedProcess(command, 0, json.dumps({"dependencies": report}), "")

    monkeypatch.setattr(audit.subprocess, "run", run)
    status: int = audit.main()
    return status


def test_an_audit_names_what_is_vulnerable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert (
        run_audit(
            monkeypatch,
            pypi=[NOT_VULNERABLE, NOT_VULNERABLE | {"name": "b", "vulns": [VULNERABILITY]}],
        )
        == 1
    )
    assert capsys.readouterr().out.startswith("b 1: PYSEC-1, fixed in 2, 1.5\n2 packages were")


def test_an_audit_asks_a_second_service_when_an_index_has_no_such_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert (
        run_audit(monkeypatch, pypi=[NOT_VULNERABLE, UNKNOWN], osv=[NOT_VULNERABLE, NOT_VULNERABLE])
        == 0
    )
    assert capsys.readouterr().out.startswith("No known vulnerabilities.\n2 packages were")


def test_an_audit_in_which_nothing_was_looked_up_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run_audit(monkeypatch, pypi=[UNKNOWN, NOT_VULNERABLE], osv="OSV cannot be reached") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "pypi: 1 of 2 packages were not looked up; the first: Dependency not found" in told.err
    assert "osv: pip-audit failed: OSV cannot be reached" in told.err
    assert run_audit(monkeypatch, pypi=[], osv=[]) == 2


def test_make_lock_passes_on_the_index_of_small_builds():
    plan = make_plan("lock", "EXTRA_INDEX_URL=https://index.example/cpu")
    assert 'docker/lock.py --extra-index-url "https://index.example/cpu"' in plan


def make_files(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")


def test_what_is_never_loaded_is_taken_out_and_no_more(tmp_path: Path):
    kept = [
        *("torch/__init__.py", "torch/bin/torch_shm_manager", "torch/lib/libtorch_cpu.so"),
        *("torch/testing/__init__.py", "numpy/testing/__init__.py", "numpy/__init__.py"),
        *("pyarrow/libarrow_python.so.2600", "pyarrow/libarrow.so.2600", "pyarrow/_fs.so"),
        *("plotly/package_data/plotly.min.js", "networks.py", "sklearn/datasets/data/iris.csv"),
    ]
    removed = [
        *("torch/bin/test_api", "torch/bin/HashStoreTest", "torch/bin/protoc-3.13.0.0"),
        *("torch/include/torch.h", "torch/test/run.py", "numpy/_core/tests/test_it.py"),
        *("pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.2600.1.0"),
        *("pyarrow/libarrow_flight.so.2600", "pyarrow/_s3fs.so", "numpy/__init__.pyi"),
        *("sympy/core/add.py", "sympy-1.14.0.dist-info/METADATA", "isympy.py"),
        *("distutils-precedence.pth", "_distutils_hack/__init__.py", "setuptools/__init__.py"),
    ]
    make_files(tmp_path, kept + removed)
    slim.remove_unused(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(kept)


def test_of_large_packages_what_is_imported_is_compiled_and_of_others_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    compiled = ["small/__init__.py", "small/deep/part.py", "plotly/graph_objs/layout/_xaxis.py"]
    compiled += ["single.py", "torch/imported.py"]
    left = ["torch/other.py", "plotly/graph_objs/_volume.py", "small/data.txt"]
    make_files(tmp_path, compiled + left)
    monkeypatch.setattr(slim, "IMPORTED", ("single",))
    imported = ModuleType("imported")
    imported.__file__ = str(tmp_path / "torch" / "imported.py")
    monkeypatch.setitem(sys.modules, "imported", imported)
    monkeypatch.syspath_prepend(tmp_path)
    slim.compile_imported(tmp_path)
    found = {Path(importlib.util.source_from_cache(str(path))) for path in tmp_path.rglob("*.pyc")}
    assert found == {tmp_path / name for name in compiled}
    unchecked = (1).to_bytes(4, "little")  # PEP 552: unchecked hash-based pyc
    assert {path.read_bytes()[4:8] for path in tmp_path.rglob("*.pyc")} == {unchecked}


@contextmanager
def health_server(status: int, path: str = "/_stcore/health") -> Iterator[int]:
    """Run a server that returns a status at a path; yield its port."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == path else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health(port: int, **more: str) -> subprocess.CompletedProcess[str]:
    return run(*HEALTH, check=False, STREAMLIT_SERVER_PORT=str(port), **more)


def test_the_health_check_fails_unless_the_server_says_that_it_is_well():
    with health_server(200) as port:
        assert health(port).returncode == 0
    assert f"no answer at port {port}" in health(port).stderr
    with health_server(503) as port:
        done = health(port)
    assert done.returncode == 1
    assert f"status 503 at port {port}" in done.stderr


def test_the_health_check_asks_below_the_path_that_the_page_is_served_at():
    with health_server(200, "/course/_stcore/health") as port:
        assert health(port).returncode == 1
        assert health(port, STREAMLIT_SERVER_BASE_URL_PATH="/course/").returncode == 0


def test_what_the_image_holds_is_enough_to_serve_the_page(tmp_path: Path):
    folder, without = tmp_path / "regviz", tmp_path / "without"
    folder.mkdir()
    without.mkdir()
    copy_project(folder, [name for name in copied(IMAGE) if "/" not in name])
    copy_compiled(folder / "regviz" / "engine" / "__pycache__")
    # `sitecustomize` is imported first in each process
    (without / "sitecustomize.py").write_text(
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {slim.PACKAGES!r}:\n"
        f"            raise ImportError(f'{{name}} {REMOVED}')\n"
        "sys.meta_path.insert(0, Refuse())\n"
    )
    environment = {k: v for k, v in settings("ENV").items() if k not in ("PATH", "HOME")}
    port = free_port()
    environment |= {"STREAMLIT_SERVER_PORT": str(port), "PYTHONPATH": str(without)}
    refused = python("-c", f"import {slim.PACKAGES[0]}", cwd=folder, check=False, **environment)
    assert REMOVED in refused.stderr
    server = Server(f"http://127.0.0.1:{port}", tmp_path / "log")
    with server.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *json.loads(report("CMD")[0])],
            cwd=folder,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while health(port).returncode and time.monotonic() < deadline:
            assert process.poll() is None, server.logged()
        with RawVisitor(server) as visitor:
            received = visitor.rerun()
        assert any(b"regviz" in message for message in visitor.received)
        assert not any(m.delta.new_element.HasField("exception") for m in received), server.logged()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
    assert TRACEBACK not in server.logged()
    assert REMOVED not in server.logged()
