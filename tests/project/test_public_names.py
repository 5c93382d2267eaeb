"""Tests of the public names of `regviz`, which are imported at their first use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import regviz

HEAVY = ("torch", "numba", "sklearn", "numpy", "streamlit", "pandas", "matplotlib", "anywidget")


def test_type_checkers_see_the_names_and_modules_that_are_imported():
    tree = ast.parse(Path(regviz.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and len(node.body) > 1)
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert seen == regviz._MODULES


def test_every_public_name_is_where_it_is_said_to_be():
    for name in regviz.__all__:
        value = getattr(regviz, name)
        assert value.__module__.startswith(regviz._MODULES[name])
        assert name in dir(regviz)


def test_another_name_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'regviz' has no attribute 'trian'"):
        regviz.trian  # noqa: B018


def test_neither_the_import_nor_the_help_waits_for_heavy_packages():
    program = f"""
import sys, regviz
from regviz.cli import main
for words in ([], ["serve"], ["train"], ["export"], ["study"], ["open"]):
    try:
        main([*words, "--help"])
    except SystemExit:
        pass
sys.exit(", ".join(sys.modules.keys() & {set(HEAVY)}) or 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: regviz")
