"""Messages that name the command with which pip installs an extra of the library."""

import json
import sys
from importlib.metadata import PackageNotFoundError, distribution

from regviz.resources import resource

# The requirement if pip has no record of a URL, as for a wheel from a folder of wheels. No package
# index has `regviz`: the name alone would fail, or install somebody else's package.
_UNKNOWN_URL = "regviz[{extra}] @ URL"
_URL_IS = "\nwhere URL is that of the folder, wheel or repository that RegViz was installed from."


def missing(feature: str, packages: str, extra: str) -> str:
    """Return the message for a feature without its packages.

    Parameters
    ----------
    feature : str
        Subject of the message, such as ``"The board in a notebook"``.
    packages : str
        Names of the missing packages.
    extra : str
        The extra of ``pyproject.toml`` that has them.
    """
    needed = requirement(extra)
    return (
        f"{feature} needs {packages}, which the library does without. To install them:\n"
        f'    {sys.executable} -m pip install "{needed}"'
    ) + _URL_IS * (needed == _UNKNOWN_URL.format(extra=extra))


def requirement(extra: str) -> str:
    """Return the requirement with which pip installs an extra from where RegViz came from.

    That is pip's record of the URL that it installed from (``direct_url.json``, PEP 610), or the
    folder of a checkout that is not installed.

    Parameters
    ----------
    extra : str
        Name of the extra in ``pyproject.toml``.
    """
    try:
        record = distribution("regviz").read_text("direct_url.json")
    except PackageNotFoundError:
        return f"{resource('app.py').parent}[{extra}]"
    if record is None:
        return _UNKNOWN_URL.format(extra=extra)
    origin = json.loads(record)
    url = origin["url"]
    if repository := origin.get("vcs_info"):
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    if folder := origin.get("subdirectory"):
        url += f"#subdirectory={folder}"
    return f"regviz[{extra}] @ {url}"
