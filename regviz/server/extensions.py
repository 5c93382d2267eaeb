"""Import of the modules that register a user's datasets, methods, views and libraries."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from regviz.spec.validation import invalid


def import_modules(modules: Sequence[str]) -> None:
    """Import modules from the current folder, or as installed.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    folder = str(Path.cwd())
    if modules and folder not in sys.path:
        sys.path.insert(0, folder)  # as `python -m` does, and `streamlit` and `regviz` do not
    for module in modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise  # of a module that it imports
            allowed = f"modules that are installed or in {folder}"
            raise invalid("--import (REGVIZ_IMPORTS)", allowed, module) from error
