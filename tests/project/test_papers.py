"""Tests of README, CONTRIBUTING, CHANGELOG and docs/: names, links and commands exist."""

import ast
import importlib
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path

import pytest

import regviz
from devtools.serving import ROOT
from tests.support.commands import make_plan, python, run

PAPERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
PAPERS += sorted((ROOT / "docs").rglob("*.md"))
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in PAPERS}
# tested by test_readme, test_hosting and tests/server/test_security.py
COMMANDS = ("CONTRIBUTING.md", "docs/explanation/mathematics.md", "docs/howto/upgrading.md")
BENCHMARK = re.compile(r"`python\s-m\sbenchmarks\.(\w+)([^`]*)`")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def in_code(text: str) -> list[str]:
    """Return inline code, outside of code blocks."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", text))


def named(pattern: str) -> list[tuple[str, str]]:
    """Return each paper's name with the groups of inline code that matches a pattern."""
    codes = ((name, code) for name, text in TEXTS.items() for code in in_code(text))
    return sorted({(name, code) for name, code in codes if re.fullmatch(pattern, code)})


@cache
def names_of_tests() -> set[str]:
    """Return the names of all test functions."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        found |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return found


def shell(paper: str) -> list[list[str]]:
    """Return the commands of a paper's blocks, split into words."""
    blocks = [body for language, body in FENCED.findall(TEXTS[paper]) if language == "sh"]
    lines = [
        shlex.split(line, comments=True)
        for line in "".join(blocks).replace("\\\n", "").splitlines()
    ]
    return [words for words in lines if words]


def test_every_test_that_is_named_exists():
    measures = {"test_loss", "test_accuracy"}
    tests = [each for each in named(r"test_\w+") if each[1] not in measures]
    assert tests
    missing = [each for each in tests if each[1] not in names_of_tests()]
    assert not missing


def test_every_statement_of_the_mathematics_names_a_test():
    text = TEXTS["docs/explanation/mathematics.md"]
    tables = re.findall(r"^\| statement .*\n\|---.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert rows
    assert [row for row in rows if "`test_" not in row.rpartition(" | ")[2]] == []


def test_every_path_that_is_named_exists():
    paths = named(
        r"(?:app\.py|(?:regviz|tests|docs|assets|benchmarks|devtools|docker|deploy|examples|\.streamlit)/[\w./-]*|\w+\.md)"
    )
    assert paths
    missing = [(paper, path) for paper, path in paths if not (ROOT / path).exists()]
    assert not missing


def test_scripts_are_named_with_their_folder():
    scripts = [each for each in named(r"[\w./-]+\.js") if each[0].startswith("docs/")]
    assert scripts
    missing = [(paper, path) for paper, path in scripts if not (ROOT / path).is_file()]
    assert not missing


def test_tests_of_extensions_are_in_the_files_that_are_named():
    text = TEXTS["docs/howto/extending.md"]
    before, listed = 0, {}
    for match in re.finditer(r"\(`(tests/[\w/]+\.py)`\)", text):
        names = re.findall(r"`(test_\w+)`", text[before : match.start()])
        listed |= dict.fromkeys(names, match[1])
        before = match.end()
    assert set(listed) == set(re.findall(r"`(test_\w+)`", text))
    for name, path in listed.items():
        assert f"def {name}(" in (ROOT / path).read_text(), (name, path)


def test_every_link_between_papers_leads_somewhere():
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", FENCED.sub("", text)):
            assert ((ROOT / name).parent / target).exists(), (name, target)


@pytest.mark.parametrize(("paper", "name"), named(r"regviz(?:\.\w+)+(?:\(.*\))?"))
def test_every_name_of_the_library_is_there(paper: str, name: str):
    parts = name.partition("(")[0].split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            # an attribute of a dataclass without a default
            known = getattr(found, "__annotations__", {})
            assert hasattr(found, part) or part in known, (paper, name)
            found = getattr(found, part, None)
        return
    pytest.fail(f"{paper} names {name}")


def test_every_function_of_the_board_that_is_named_is_in_its_module():
    pairs = {
        pair for text in TEXTS.values() for pair in re.findall(r"`(\w+)`\s\(`([\w/]+\.js)`\)", text)
    }
    assert pairs
    for function, file in pairs:
        assert re.search(rf"\b{function}\b", (ROOT / file).read_text()), (function, file)


def test_the_rooms_are_those_of_the_contract():
    with (ROOT / "pyproject.toml").open("rb") as file:
        rooms, *_ = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = [re.findall(r"\w+", layer) for layer in rooms["layers"]]
    # single modules, such as the command, are not packages
    layers = [layer for layer in layers if (ROOT / "regviz" / layer[0]).is_dir()]
    text = TEXTS["docs/explanation/architecture.md"]
    section = text.split("## The packages")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert [re.findall(r"`(\w+)`", row) for row in rows] == layers
    listed = re.findall(r"^\| `regviz/(\w+)` \|", TEXTS["README.md"], re.MULTILINE)
    assert sorted(listed) == sorted(room for layer in layers for room in layer)


@cache
def usage(module: str) -> str:
    """Return the help of a benchmark."""
    return python("-m", f"benchmarks.{module}", "--help").stdout


def test_make_bench_names_programs_that_are_there():
    modules = re.findall(r"-m benchmarks\.(\w+)", make_plan("bench"))
    assert modules
    for module in modules:
        assert "usage" in usage(module)


def test_benchmarks_that_are_named_are_there_and_take_these_words():
    calls = [call for text in TEXTS.values() for call in BENCHMARK.findall(text)]
    assert calls
    for module in {module for module, _ in calls}:
        assert (ROOT / "benchmarks" / f"{module}.py").exists(), module
    for module in {module for module, words in calls if words}:
        for word in " ".join(words for name, words in calls if name == module).split():
            assert word in usage(module), (module, word)


def test_there_are_no_commands_but_those_that_are_tried_here():
    known = (["make"], ["git", "grep"], ["git", "tag"], ["docker", "build"])
    python = [".venv/bin/python", "-m"]
    for paper in COMMANDS:
        assert shell(paper)
        for words in shell(paper):
            assert any(words[: len(start)] == start for start in known) or (
                words[:2] == python and words[2] in ("pytest", "pip", "devtools.screenshot")
            ), words


def test_targets_of_make_are_there():
    targets = {words[1] for paper in COMMANDS for words in shell(paper) if words[0] == "make"}
    targets |= {code.split()[1] for _, code in named(r"make \w+")}
    assert targets
    for target in targets:
        make_plan(target)


def test_the_checks_are_those_that_make_test_runs_in_that_order():
    lines = re.findall(r"(?m)^\.venv/bin/.*$", make_plan("test"))
    first = next(i for i, line in enumerate(lines) if "ruff check" in line)
    checks = [line for line in lines[first:] if "devtools/" not in line]
    table = TEXTS["CONTRIBUTING.md"].split("| check |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    names = [re.findall(r"`([^`]+)`", row) for row in rows]
    documented = [name.split() for row in names for name in row]
    assert len(checks) == len(documented)
    for line, words in zip(checks, documented, strict=True):
        assert words[-1] in line
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_each_call_of_pytest_finds_tests():
    calls = [words for paper in COMMANDS for words in shell(paper) if words[2:3] == ["pytest"]]
    assert len(calls) >= 3
    # the number of processes does not change the tests found
    wanted = [[w for w in words[3:] if w not in ("--numprocesses", "2")] for words in calls]
    # in one process, as the imports take 3 s
    collect = f"import pytest\nfor w in {wanted}: pytest.main([*w, '--collect-only', '-q'])"
    found = python("-c", collect)
    assert len(re.findall(r"\d+(?:/\d+)? tests? collected", found.stdout)) == len(calls)


def reaches_into_internals(source: str) -> bool:
    """Whether a module uses names of Streamlit, uvicorn, Numba or openpyxl that are not public."""
    nodes = list(ast.walk(ast.parse(source)))
    imports = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    imports |= {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    imports |= {
        f"streamlit.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "streamlit"
        for alias in node.names
    }
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    own = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {n.attr for n in attributes if isinstance(n.value, ast.Name) and n.value.id == "self"}
    # of `sys`, of named tuples, and of what notebooks show
    own |= {"_getframe", "_replace", "_repr_mimebundle_"}
    private = {node.attr for node in attributes if re.match("_[a-z]", node.attr)} - own
    return bool(
        private
        or any(re.match(r"(streamlit|uvicorn|openpyxl)\.|numba\.core\b", n) for n in imports)
        or any(re.match(r"(streamlit|uvicorn|openpyxl|numba)\.[\w.]+|/_stcore/", t) for t in texts)
        or any(isinstance(n.value, ast.Name) and n.value.id == "streamlit" for n in attributes)
    )


def test_every_module_that_reaches_into_internals_is_found_and_named():
    upgrading = "docs/howto/upgrading.md"
    (search,) = (words for words in shell(upgrading) if words[:2] == ["git", "grep"])
    if not (ROOT / ".git").exists():
        search = ["grep", "-rlE", "--include=*.py", *search[3:4], "regviz", "app.py"]
    found = set(run(*search).stdout.split())
    modules = [ROOT / "app.py", *(ROOT / "regviz").rglob("*.py")]
    reaching = {
        path.relative_to(ROOT).as_posix()
        for path in modules
        if reaches_into_internals(path.read_text("utf-8"))
    }
    assert {"regviz/server/connection.py", "regviz/data/workbook.py"} <= reaching
    assert reaching <= found
    # a package stands for its modules
    told = set(in_code(TEXTS[upgrading]))
    assert {name for name in reaching if not {name, name.rpartition("/")[0]} & told} == set()


@pytest.mark.parametrize(
    ("source", "reaches"),
    [
        ("import streamlit as st\nst.error('streamlit')", False),
        ("from streamlit import error_util", True),
        ("TOUCHES = {'uvicorn.server:Server.run': None}", True),
        ("import openpyxl\nopenpyxl.open('a')._archive", True),
        ("from numba.core.caching import FunctionCache", True),
        ("from numba.extending import intrinsic", False),
        ("class Own:\n    def a(self):\n        return self._b", False),
    ],
)
def test_internals_are_told_from_public_names(source: str, reaches: bool):
    assert reaches_into_internals(source) is reaches


def test_a_screenshot_is_taken_as_documented(tmp_path: Path):
    calls = [words for words in shell("CONTRIBUTING.md") if words[2:3] == ["devtools.screenshot"]]
    sizes = []
    for _, dash_m, module, name, *options in calls:
        file = tmp_path / name
        python(dash_m, module, file, *options)
        header = file.read_bytes()[:24]
        assert header[1:4] == b"PNG"
        sizes.append([int.from_bytes(header[at : at + 4]) for at in (16, 20)])
        assert file.stat().st_size > 30_000
    assert sizes == [[1440, 1000], [390, 844]]


def test_the_newest_release_is_this_version():
    releases = re.findall(
        r"^## (\d+\.\d+\.\d+) – (\d{4}-\d\d-\d\d)$", TEXTS["CHANGELOG.md"], re.MULTILINE
    )
    numbers = [tuple(map(int, number.split("."))) for number, _ in releases]
    assert numbers == sorted(numbers, reverse=True)
    assert releases[0][0] == regviz.__version__
    assert f'image.version="{regviz.__version__}"' in (ROOT / "Dockerfile").read_text()
    assert f"git tag v{regviz.__version__}" in TEXTS["CONTRIBUTING.md"]
