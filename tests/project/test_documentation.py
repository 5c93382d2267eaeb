"""Tests of docs/: its build by Sphinx, the reference of the public names, and their examples."""

import doctest
import importlib
import inspect
import re
import time
import types
from pathlib import Path
from typing import Any

import pytest
from numpydoc.validate import validate

import regviz
from devtools.serving import ROOT
from regviz import figures
from tests.support.commands import make_plan, python

REFERENCE = ROOT / "docs" / "reference"
DIRECTIVE = re.compile(r"^\.\. (currentmodule|autoclass|autofunction):: (\S+)$", re.MULTILINE)
# of numpydoc.validate: no summary, parameters left out, unknown, without type or text, no result, no example
FAULTS = {"SS01", "PR01", "PR02", "PR04", "PR07", "RT01", "YD01", "EX01"}


def documented() -> dict[str, Any]:
    """Return each name on the pages of the reference, with the object that it stands for."""
    found = {}
    for page in sorted(REFERENCE.glob("*.md")):
        for directive, name in DIRECTIVE.findall(page.read_text("utf-8")):
            if directive == "currentmodule":
                module = name
            else:
                found[f"{module}.{name}"] = getattr(importlib.import_module(module), name)
    return found


PUBLIC = documented()
