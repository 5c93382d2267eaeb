"""Errors that name the command with which pip installs an extra of the library."""

import json
import sys
from importlib.metadata import PackageNotFoundError, distribution

from regviz.resources import resource


def missing(feature: str, package: str, extra: str) -> ImportError:
    """Return the exception for a feature whose package is not installed.

    Parameters
    ----------
    feature : str
        Subject of the message, such as ``"The board in a notebook"``.
    package : str
        The missing package.
    extra : str
        The extra of ``pyproject.toml`` that has it.
    """
    needed = requirement(extra)
    where = "" if needed else "\nwhere URL is that from which RegViz was installed."
    return ImportError(
        f"{feature} needs {package}, which the library does without. To install it:\n"
        f'    {sys.executable} -m pip install "{needed or f"regviz[{extra}] @ URL"}"{where}'
    )


def requirement(extra: str) -> str | None:
    """Return the requirement with which pip installs an extra from where RegViz came from.

    That is pip's record of the URL that it installed from (``direct_url.json``, PEP 610), or the
    folder of a checkout that is not installed.

    Returns
    -------
    str or None
        None if pip has no record of a URL, as for a wheel from a folder of wheels. No package index
        has ``regviz``: the name alone would fail, or install somebody else's package.
    """
    try:
        record = distribution("regviz").read_text("direct_url.json")
    except PackageNotFoundError:
        return f"{resource('app.py').parent}[{extra}]"
    if record is None:
        return None
    origin = json.loads(record)
    url = origin["url"]
    if repository := origin.get("vcs_info"):
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    if folder := origin.get("subdirectory"):
        url += f"#subdirectory={folder}"
    return f"regviz[{extra}] @ {url}"
