"""Tests of the wheel: the library alone, and with the extra `app` the page.

The environments have only RegViz's wheel and the distributions that it requires, which are links
to those of the test environment.
"""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    version,
)
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import regviz
from devtools.serving import ROOT, TRACEBACK, RawVisitor, Server, free_port, start
from regviz import extras
from regviz.cli import main, serve
from regviz.scenes.offline import offline_page
from regviz.server.assets import assets_path, contents
from tests.support.commands import python
from tests.support.papers import blocks, copy_compiled

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LIBRARY = [Requirement(each) for each in PROJECT["project"]["dependencies"]]
APP, NOTEBOOK, STUDIES = (
    [Requirement(each) for each in PROJECT["project"]["optional-dependencies"][extra]]
    for extra in ("app", "notebook", "studies")
)
# the packages that only the server uses
SERVER_ROOMS = {"__main__.py", "cli", "pages", "server", "jobs"}
TRAIN = """
import regviz
from regviz.engine import compiled

data, training = regviz.DataSpec(n_samples=40), regviz.TrainingSpec(epochs=10)
regviz.train(regviz.Experiment(data, training=training))
print("compiled" if compiled.ready("float32") else "without")
"""
OFFLINE = "from regviz.scenes.offline import offline_page; print(end=offline_page([b'x'], 'Title'))"


def build(project: Path, target: Path, *formats: str) -> None:
    """Build a project as pip does, with the backend of pyproject.toml."""
    targets = [word for each in formats for word in ("--target", each)]
    python("-m", "hatchling", "build", "--directory", target, *targets, cwd=project)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of RegViz's wheel and source distribution."""
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, folder, "wheel", "sdist")
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


def link_distributions(requirements: list[Requirement], packages: Path) -> None:
    """Link these distributions and their dependencies into an environment."""
    waiting = list(requirements)
    linked = set[str]()
    while waiting:
        requirement = waiting.pop()
        if (name := canonicalize_name(requirement.name)) in linked:
            continue
        linked.add(name)
        found = distribution(name)
        for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            link = packages / part
            if not link.exists():
                link.symlink_to(Path(found.locate_file(part)))
        waiting += [
            needed
            for needed in map(Requirement, found.requires or ())
            if needed.marker is None or needed.marker.evaluate({"extra": ""})
        ]


def environment(folder: Path, wheel: Path, extra: str, requirements: list[Requirement]) -> Path:
    """Install the wheel into a new environment; return the folder of its programs."""
    python("-m", "venv", "--without-pip", folder)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    link_distributions(requirements, packages)
    # without an index this fails unless all dependencies are there
    pip = ("-m", "pip", "--python", folder / "bin" / "python", "install", "--no-index")
    python(*pip, f"{wheel}{extra}", cwd=folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The folder of programs after `pip install regviz`."""
    return environment(tmp_path_factory.mktemp("library"), wheel, "", LIBRARY)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The folder of programs after `pip install regviz[app]`."""
    programs = environment(tmp_path_factory.mktemp("app"), wheel, "[app]", LIBRARY + APP)
    (engine,) = programs.parent.glob("lib/python*/site-packages/regviz/engine")
    copy_compiled(engine / "__pycache__")
    return programs


def run(*command: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in another folder, without a path to the checkout."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NUMBA_CACHE_DIR")}
    return subprocess.run(
        command, cwd=folder, env=inherited | variables, capture_output=True, text=True
    )


def test_the_source_distribution_builds_the_same_wheel(built: Path, wheel: Path, tmp_path: Path):
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    build(unpacked, tmp_path / "again", "wheel")
    (again,) = (tmp_path / "again").iterdir()
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_every_module_and_every_file_that_the_page_loads(wheel: Path):
    files = [
        p for suffix in ("py", "md", "json", "csv") for p in (ROOT / "regviz").rglob(f"*.{suffix}")
    ]
    expected = {p.relative_to(ROOT).as_posix() for p in files}
    # the last one is read by `make site`
    loaded = [f"assets/{name}" for name in [*contents(), "index.html", "site/start.html"]]
    expected.add("regviz/py.typed")
    expected |= {f"regviz/_files/{p}" for p in (*loaded, "app.py", ".streamlit/config.toml")}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected


def test_a_packager_can_run_the_tests_from_the_source_distribution(built: Path):
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    folders = ("tests", "devtools", "benchmarks", "docs", "examples", "docker", "deploy", "regviz")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    paths += [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    expected = {p.relative_to(ROOT).as_posix() for p in paths if p.suffix != ".pyc"}
    # caches of Numba and tools
    expected = {n for n in expected if "__pycache__" not in n and not n.endswith(".egg-info")}
    assert expected - names == set()


def imported(modules: list[Path]) -> set[str]:
    """Return the distributions that modules import directly."""
    names = set[str]()
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    owners = packages_distributions()
    third_party = names - {*sys.stdlib_module_names, "regviz"}
    return {canonicalize_name(owner) for name in third_party for owner in owners[name]}


def test_declared_is_what_is_imported_by_the_library_and_by_the_page():
    modules = {path: path.relative_to(ROOT / "regviz") for path in (ROOT / "regviz").rglob("*.py")}
    ours = imported([p for p, inside in modules.items() if inside.parts[0] not in SERVER_ROOMS])
    all_ = imported([*modules, ROOT / "app.py"])
    declared = LIBRARY + NOTEBOOK + STUDIES, APP
    library, app = ({canonicalize_name(r.name) for r in each} for each in declared)
    assert ours == library
    assert all_ - ours == app - library


def test_what_is_tested_is_within_the_declared_bounds():
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    tested = {canonicalize_name(name): version for name, version in pins}
    for requirement in LIBRARY + APP + STUDIES:
        assert tested[canonicalize_name(requirement.name)] in requirement.specifier, requirement
    for requirement in NOTEBOOK:  # requirements-dev.txt has no dependencies of dependencies
        assert version(requirement.name) in requirement.specifier, requirement


def test_an_installation_that_cannot_be_written_to_trains_all_the_same(
    library: Path, tmp_path: Path
):
    (engine,) = library.parent.glob("lib/python*/site-packages/regviz/engine")
    cache, aside = engine / "__pycache__", engine / "aside"
    cache.rename(aside)
    cache.touch()  # a file in place of a folder, below which not even root can write
    try:
        done = run(library / "python", "-c", TRAIN, folder=tmp_path)
    finally:
        cache.unlink()
        aside.rename(cache)
    assert done.returncode == 0, done.stderr
    assert "as it is not kept" in done.stderr
    assert done.stdout == "compiled\n"


def test_the_library_alone_runs_what_the_readme_shows_and_keeps_its_compiled_code(
    library: Path, tmp_path: Path
):
    snippets = ["import plotly.graph_objects as go", "go.Figure.show = lambda figure: None"]
    (tmp_path / "readme.py").write_text(
        "\n".join([*snippets, *blocks("README.md", "python")]), "utf-8"
    )
    done = run(library / "python", "-W", "error", "readme.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"readme.py", "run.npz", "moons.html"}
    (engine,) = library.parent.glob("lib/python*/site-packages/regviz/engine")
    assert list(engine.glob("__pycache__/kernel.*.nbc"))


def test_an_offline_page_from_the_wheel_is_the_one_from_the_checkout(library: Path, tmp_path: Path):
    done = run(library / "python", "-c", OFFLINE, folder=tmp_path)
    assert done.stdout == offline_page([b"x"], "Title")


def test_the_command_says_its_version(library: Path, tmp_path: Path):
    for command in ([library / "regviz"], [library / "python", "-m", "regviz"]):
        done = run(*command, "--version", folder=tmp_path)
        assert done.stdout == f"regviz {regviz.__version__}\n"


def test_the_library_alone_trains_from_the_command_line(library: Path, tmp_path: Path):
    scene = regviz.Scene(training=regviz.TrainingSpec(epochs=5), methods=("none", "l1"))
    (tmp_path / "scene.json").write_text(scene.to_json(), "utf-8")
    done = run(library / "regviz", "train", "scene.json", folder=tmp_path)
    assert done.returncode == 0
    (note,) = done.stderr.splitlines()
    assert note.startswith("note: Training 13 networks for 5 epochs: about ")
    assert done.stdout.startswith("Circles, epoch 5 of 5")


def test_without_the_extra_the_command_says_how_to_install_it(
    library: Path, wheel: Path, tmp_path: Path
):
    done = run(library / "regviz", "serve", folder=tmp_path)
    assert done.returncode == 1
    first, advice = done.stderr.splitlines()
    assert {one.name for one in APP} <= set(re.findall(r"[\w-]+", first))
    requirement = f"regviz[app] @ {wheel.as_uri()}"
    assert advice == f'    {library / "python"} -m pip install "{requirement}"'
    # pip finds RegViz there, and nowhere else
    pip = ("-m", "pip", "--python", library / "python", "install", "--no-index", "--no-deps")
    assert (
        "would install"
        in python(*pip, "--dry-run", "--force-reinstall", requirement).stdout.lower()
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            '{"url": "file:///home/me/regviz", "dir_info": {}}',
            "regviz[app] @ file:///home/me/regviz",
        ),
        (
            '{"url": "https://git.example/r", "subdirectory": "sub",'
            ' "vcs_info": {"vcs": "git", "commit_id": "0a1b"}}',
            "regviz[app] @ git+https://git.example/r@0a1b#subdirectory=sub",
        ),
        (None, "regviz[app] @ URL"),
    ],
)
def test_the_extra_is_installed_from_where_regviz_came_from(
    record: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
):
    installed = SimpleNamespace(read_text=lambda _: record)
    monkeypatch.setattr(extras, "distribution", lambda _: installed)
    assert extras.requirement("app") == expected
    assert str(Requirement(expected.replace("URL", "file:///x"))).startswith("regviz[app]")


def test_a_checkout_is_its_own_origin(monkeypatch: pytest.MonkeyPatch):
    def none(name: str) -> None:
        raise PackageNotFoundError(name)

    for module in (extras, serve):
        monkeypatch.setattr(module, "distribution", none)
    assert extras.requirement("app") == f"{ROOT}[app]"
    with pytest.raises(SystemExit, match=r"needs streamlit, .*\n.*pip install"):
        main(["serve"])


def test_the_command_serves_the_page_from_any_folder(app: Path, tmp_path: Path):
    port = free_port()
    options = ["--port", str(port), "--host", "127.0.0.1", "--server.baseUrlPath", "course"]
    server = Server(f"http://127.0.0.1:{port}/course", tmp_path / "log")
    with start([str(app / "regviz"), "serve", *options], tmp_path, server, PYTHONPATH=""):
        for name, content in contents().items():
            with urllib.request.urlopen(f"{server.url}/{assets_path()}/{name}") as answer:
                assert answer.read() == content
        with urllib.request.urlopen(f"{server.url}/") as answer:
            assert f"./{assets_path()}/board/main.js".encode() in answer.read()
        with RawVisitor(server) as visitor:
            received = visitor.rerun("v=2&epochs=20&hidden=2&methods=none,l1")
    (session,) = (m.new_session for m in received if m.HasField("new_session"))
    # from .streamlit/config.toml
    assert session.custom_theme.base_radius == "0.6rem"
    assert not any(m.delta.new_element.HasField("exception") for m in received), server.logged()
    assert any(b"regviz_board" in message for message in visitor.received)
    assert TRACEBACK not in server.logged()
    assert {path.name for path in tmp_path.iterdir()} == {"log"}
