"""Tests of the source code: no deserialization of code, no access to network or processes."""

import ast

import pytest

from devtools.serving import ROOT

FORBIDDEN = {"cloudpickle", "code", "dill", "joblib", "marshal", "pickle", "runpy", "shelve"}
OUTSIDE = {"aiohttp", "ctypes", "ftplib", "http", "httpx", "multiprocessing", "requests", "smtplib"}
OUTSIDE |= {"socket", "subprocess", "tempfile", "urllib.request", "webbrowser", "websockets"}
BUILT_IN = {"__import__", "compile", "eval", "exec", "open"}
METHODS = {"import_module", "open", "popen", "read_bytes", "read_text", "rmtree", "startfile"}
METHODS |= {"system", "unlink", "write_bytes", "write_text"}
ALLOWED = {
    # hashes the sources of compiled functions
    "regviz/engine/compiled.py": {"read_bytes"},
    # returns memory to the system
    "regviz/server/maintenance.py": {"ctypes"},
    # imports modules of a fixed list
    "regviz/server/application.py": {"import_module"},
    "regviz/server/extensions.py": {"import_module"},
    "regviz/pages/understand/__init__.py": {"import_module"},
    "regviz/server/internals.py": {"import_module"},
    # a path given by the library's caller; the page passes memory
    "regviz/engine/history.py": {"open"},
    # an image in memory
    "regviz/figures/_drawing.py": {"open"},
    # reads files of the project and of Streamlit
    "regviz/scenes/offline.py": {"read_text"},
    "regviz/server/index.py": {"read_text"},
    "regviz/site/pages.py": {"read_text"},
    # writes the site to a folder of the command's, with the documentation's pages, and replaces an
    # earlier site there: `make site`
    "regviz/site/build.py": {"read_text", "rmtree", "write_text"},
    # pip's record of where RegViz was installed from
    "regviz/extras.py": {"read_text"},
    # the address of --host
    "regviz/cli/parser.py": {"socket"},
    # files that the user of the command names
    "regviz/cli/source.py": {"read_bytes"},
    "regviz/cli/output.py": {"write_bytes"},
    "regviz/cli/train.py": {"write_text"},
    # the output goes to os.devnull once its reader has ended
    "regviz/cli/__init__.py": {"open"},
    # whether the server on this machine is up, and a browser
    "regviz/cli/open.py": {"socket", "urllib.request", "webbrowser", "open"},
    # reads files that existed when the server started
    "regviz/server/assets.py": {"read_bytes"},
    # socket options
    "regviz/server/slow_clients.py": {"socket"},
    # whether a popover or an expander is open
    "regviz/pages/share.py": {"open"},
    "regviz/pages/learn/page.py": {"open"},
    # imports the modules of its package
    "regviz/lessons/claim.py": {"import_module"},
    # sends cells to Dask's workers, whose protocol is of pickles
    "regviz/studies/payload.py": {"cloudpickle"},
    "regviz/studies/registered.py": {"cloudpickle"},
    # computes claims on all cores: `make claims`
    "regviz/lessons/compute.py": {"multiprocessing"},
    # writes to a folder that the caller names whether it can, and tables of numbers
    "regviz/studies/store.py": {"open", "read_text", "unlink", "write_text"},
    # reads the package's lessons and results; `make claims` writes the results
    "regviz/lessons/course.py": {"read_text"},
    "regviz/lessons/results.py": {"read_text", "unlink", "write_text"},
    "regviz/lessons/study_results.py": {"read_text", "unlink", "write_text"},
}
MODULES = [ROOT / "app.py", *sorted((ROOT / "regviz").rglob("*.py"))]


def uses(source: str) -> set[str]:
    """Return the names listed above that a module uses."""
    modules, found = set[str](), set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Name):
            found |= {node.id} & BUILT_IN
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} & METHODS
    modules |= {name.split(".")[0] for name in modules}
    return found | modules & (FORBIDDEN | OUTSIDE)


def test_no_module_unpickles_evaluates_or_reaches_outside():
    found = {path.relative_to(ROOT).as_posix(): uses(path.read_text("utf-8")) for path in MODULES}
    assert {path: names for path, names in found.items() if names} == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        *("import pickle", "import os, pickle", "from pickle import loads", "import http.client"),
        *("from urllib import request", "import urllib.request as r", "eval(text)", "f = exec"),
        *("os.system(text)", "Path(text).read_text()", "open(text)", "builtins.open(text)"),
    ],
)
def test_what_reaches_outside_is_found(source: str):
    assert uses(source)


def test_numpy_and_torch_read_no_objects():
    calls = [
        ast.unparse(node)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "load"
    ]
    read = [call for call in calls if call.startswith(("np.", "numpy.", "torch."))]
    assert read == ["np.load(file, allow_pickle=False)"]
