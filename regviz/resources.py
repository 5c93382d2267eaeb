"""The files of the project that are not Python modules: the page's assets and its entry."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def resource(path: str) -> Path:
    """Return the path of a file or folder of the project, in a checkout and when installed.

    A wheel holds ``app.py``, ``assets/`` and ``.streamlit/`` in ``regviz/_files/``, which a
    checkout does not have: there they lie beside ``regviz/``. `pyproject.toml` says what is copied.

    Parameters
    ----------
    path : str
        Relative to the root of the project, such as ``"assets/board"``.

    Returns
    -------
    pathlib.Path
    """
    installed = _PACKAGE / "_files"
    return (installed if installed.is_dir() else _PACKAGE.parent) / path
