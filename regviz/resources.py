"""Paths of the project's files outside the package: ``app.py``, ``assets/``, ``.streamlit/``."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def resource(path: str) -> Path:
    """Return the path of a file or folder of the project, in a checkout or an installation.

    A wheel has the files in ``regviz/_files/``, by the settings of `hatch` in ``pyproject.toml``. A
    checkout has them beside ``regviz/``.

    Parameters
    ----------
    path : str
        Path relative to the root of the project, such as ``"assets/board"``.

    Returns
    -------
    pathlib.Path
    """
    installed = _PACKAGE / "_files"
    return (installed if installed.is_dir() else _PACKAGE.parent) / path
