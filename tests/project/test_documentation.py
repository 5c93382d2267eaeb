"""Tests of docs/: its build, and the reference of the public names."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import regviz
from devtools.serving import ROOT
from regviz import figures
from tests.support.commands import make_plan, run

DIRECTIVE = re.compile(r"^\.\. (currentmodule|autoclass|autofunction):: (\S+)$", re.MULTILINE)


def documented() -> dict[str, Any]:
    """Return each name that the reference documents, with its object."""
    found = {}
    for page in sorted((ROOT / "docs" / "reference").glob("*.md")):
        module = ""
        for directive, name in DIRECTIVE.findall(page.read_text("utf-8")):
            if directive == "currentmodule":
                module = name
            else:
                found[f"{module}.{name}"] = getattr(importlib.import_module(module), name)
    return found


PUBLIC = documented()


def test_make_docs_builds_the_pages_without_a_warning(tmp_path: Path):
    words = re.search(r"^\S+ (-m sphinx .*)$", make_plan("docs").replace("\\\n", ""), re.MULTILINE)
    assert words
    *options, source, _ = words[1].replace("build/doctrees", str(tmp_path / "trees")).split()
    run(sys.executable, *options, source, str(tmp_path / "html"))
    assert (tmp_path / "html" / "index.html").exists()


def test_every_public_name_is_in_the_reference():
    expected = {f"regviz.{name}" for name in regviz.__all__}
    expected |= {f"regviz.figures.{name}" for name in figures.__all__}
    assert expected <= PUBLIC.keys()
