"""Tests of docs/: its build, the reference of the public names, and their examples."""

import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import plotly.graph_objects as go
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from playwright.sync_api import sync_playwright

import regviz
from devtools.browsers import find_chromium
from devtools.serving import ROOT
from regviz import figures
from regviz.methods import catalogue
from regviz.pages.understand import VIEWS
from regviz.programs import LIBRARIES
from regviz.spec.toy import DATASETS
from tests.site.test_site import DOCUMENTATION_BYTES
from tests.support.commands import make_plan, python
from tests.support.papers import blocks

DIRECTIVE = re.compile(
    r"^\.\. (currentmodule|autoclass|autofunction):: (\S+)(?:\n   :members:(.*))?$", re.MULTILINE
)
TABLE = re.compile(r"^\.\. currentmodule:: (\S+)\n\.\. autosummary::\n.*\n\n((?:   \w+\n)+)", re.M)
# numpydoc's names for: no docstring, no summary, a parameter that is left out, unknown or without
# type, no result
FAULTS = {"GL08", "SS01", "PR01", "PR02", "PR04", "RT01", "YD01"}


def pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each page of the reference but its index."""
    for page in sorted((ROOT / "docs" / "reference").glob("*.md")):
        if page.name != "index.md":
            yield page.name, page.read_text("utf-8")


def own_methods(kind: type) -> set[str]:
    """Return the names of a class's methods, without those inherited from other libraries."""
    ours = [owner for owner in kind.__mro__ if owner.__module__.startswith("regviz")]
    kinds = (FunctionType, classmethod, staticmethod)
    return {key for owner in ours for key, value in vars(owner).items() if isinstance(value, kinds)}


def documented() -> dict[str, Any]:
    """Return the objects of the reference by dotted name, with documented methods of classes."""
    found = {}
    for _, text in pages():
        module = ""
        for directive, name, members in DIRECTIVE.findall(text):
            if directive == "currentmodule":
                module = name
                continue
            value = getattr(importlib.import_module(module), name)
            found[f"{module}.{name}"] = value
            if directive == "autoclass":
                listed = re.findall(r"\w+", members)
                keys = own_methods(value)
                found |= {
                    f"{module}.{name}.{key}": getattr(value, key)
                    for key in (listed or [key for key in keys if key[0] != "_"])
                    if key in keys
                }
    return found


# the others' programs are run by test_cluster_guide.py, test_extending.py and tests/lessons
OTHERS = ("cluster", "extending", "lessons")
GUIDES = [
    path.stem
    for path in sorted((ROOT / "docs" / "howto").glob("*.md"))
    if path.stem not in OTHERS and "```python" in path.read_text("utf-8")
]
OBJECTS = documented()
METHODS = {name for name in OBJECTS if inspect.isclass(OBJECTS.get(name.rpartition(".")[0]))}
PUBLIC = [name for name in OBJECTS if name not in METHODS]


@pytest.fixture(scope="module")
def registries() -> Iterator[None]:
    """Undo what examples register."""
    kept = [(each, dict(each)) for each in (DATASETS, catalogue.METHODS, LIBRARIES, VIEWS)]
    yield
    for registry, content in kept:
        registry.clear()  # type: ignore[attr-defined]
        registry.update(content)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pages, built as by `make docs`.

    In a process of its own: Sphinx replaces default values in the signatures of classes.
    """
    folder = tmp_path_factory.mktemp("docs")
    (words,) = re.findall(r"-m sphinx (.*)$", make_plan("docs").replace("\\\n", ""), re.MULTILINE)
    *options, source, _ = words.replace("build/doctrees", str(folder / "trees")).split()
    python("-m", "sphinx", *options, source, folder / "html")
    return folder / "html"


def test_make_docs_builds_pages_that_load_nothing_from_elsewhere(built: Path):
    found = {path: path.read_text("utf-8") for path in built.rglob("*.html")}
    assert len(found) > 20
    for path, text in found.items():
        loaded = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(\w+:[^\"]*)", text)
        assert not [url for url in loaded if not url.startswith("data:")], path
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    assert size <= DOCUMENTATION_BYTES


def test_the_pages_and_their_search_work_from_disk(built: Path):
    requested, errors = set[str](), list[str]()
    with sync_playwright() as playwright:
        path = find_chromium()
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = chromium.new_page()
        page.on("request", lambda request: requested.add(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto((built / "index.html").as_uri())
        page.keyboard.press("Control+k")
        page.keyboard.type("early stopping")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="regviz.History.early_stopping").click()
        page.wait_for_url("**/reference/training.html*")
        assert page.locator("[id='regviz.History.early_stopping']").is_visible()
        chromium.close()
    assert errors == []
    assert not [url for url in requested if not url.startswith(("file:", "data:"))]


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guides_program_runs(guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(go.Figure, "show", lambda figure: None)
    exec("\n".join(blocks(f"docs/howto/{guide}.md", "python")), {})


def test_the_guides_have_no_commands_but_those_that_are_run():
    # those of the others are run by test_cluster_guide.py, test_hosting.py, test_papers.py and the
    # tests of the command
    others = ("cluster", "hosting", "upgrading", "command-line")
    paths = sorted((ROOT / "docs" / "howto").glob("*.md"))
    commands = {
        path.stem: "".join(blocks(path.relative_to(ROOT).as_posix(), "sh")).splitlines()
        for path in paths
        if path.stem not in others
    }
    assert {guide: lines for guide, lines in commands.items() if lines} == {
        "extending": ["regviz serve --import extensions"],  # test_extending.py
        # test_readme.py and test_installation.py
        "install": [
            "make run",
            "python -m pip install .",
            'python -m pip install ".[app]"',
            'python -m pip install ".[notebook]"',
            'python -m pip install ".[studies]"',
        ],
        # not run: its packages are installed for the tests, within the bounds of pyproject.toml
        "notebooks": [
            'python -m pip install ".[notebook]"',
            "python -m pip install jupyterlab   # then run: jupyter lab",
            "python -m pip install marimo       # or this one: marimo edit",
        ],
        "site": ["make site", "python -m regviz.site my-site"],  # tests/site
        "train": ["python -m pip install ."],  # test_installation.py
    }


def test_every_public_name_is_in_the_reference_and_its_tables():
    expected = {f"regviz.{name}" for name in regviz.__all__}
    expected |= {f"regviz.figures.{name}" for name in figures.__all__}
    assert expected <= {*PUBLIC}
    index = (ROOT / "docs" / "reference" / "index.md").read_text("utf-8")
    listed = [
        f"{module}.{name}" for module, names in TABLE.findall(index) for name in names.split()
    ]
    assert sorted(listed) == sorted(PUBLIC)


def test_every_docstring_states_parameters_with_types_and_shapes_and_the_result():
    lacking = {}
    for name in OBJECTS:
        doc = NumpyDocString(inspect.getdoc(OBJECTS[name]))
        # a function that returns an iterator has a section Yields, without being a generator
        faults = FAULTS - {"RT01"} if doc["Yields"] else FAULTS
        found = {text for code, text in validate(name)["errors"] if code in faults}
        if inspect.isclass(OBJECTS[name]) and doc["Attributes"] and not doc["Parameters"]:
            # a result: its class's fields are its attributes
            fields = {field for each in doc["Attributes"] for field in each.name.split(", ")}
            missing = set(inspect.signature(OBJECTS[name]).parameters) - fields
            found = {text for text in found if "not documented" not in text} | missing
        for section in ("Parameters", "Attributes", "Returns", "Yields"):
            arrays = [each for each in doc[section] if "array" in each.type]
            found |= {f"{x.name or section} has no shape" for x in arrays if "shape" not in x.type}
        if found:
            lacking[name] = found
    assert lacking == {}


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.usefixtures("registries")
def test_the_examples_run_and_call_every_method(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    tests = doctest.DocTestFinder().find(OBJECTS[name], name, module=False, globs={})
    runner, report = doctest.DocTestRunner(verbose=False), []
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
    source = "".join(example.source for test in tests for example in test.examples)
    assert source
    methods = [key for owner, _, key in (one.rpartition(".") for one in METHODS) if owner == name]
    assert [key for key in methods if f".{key}(" not in source] == []
