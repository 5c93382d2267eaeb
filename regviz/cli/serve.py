"""``regviz serve``: the page, served by Streamlit."""

import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution

from regviz.resources import resource

_MISSING = (
    "regviz {command} needs {packages}, which the library does without. To install them:\n"
    '    {python} -m pip install "{requirement}"'
)
# The requirement if pip has no record of a URL, as for a wheel from a folder of wheels. No package
# index has `regviz`: the name alone would fail, or install somebody else's package.
_UNKNOWN_URL = "regviz[app] @ URL"
_URL_IS = "\nwhere URL is that of the folder, wheel or repository that RegViz was installed from."


def run(options: Namespace) -> int:
    """Serve the page until interrupted, as ``regviz serve``."""
    others = list(options.others)
    if options.port is not None:
        others += ["--server.port", str(options.port)]
    if options.host is not None:
        others += ["--server.address", options.host]
    check_installed(options.command)
    return serve(others, options.imports)


def check_installed(command: str) -> None:
    """Exit with code 1, and say how to install what is missing, unless the page can be served."""
    if missing := [name for name in app_packages() if not _is_installed(name)]:
        requirement = app_requirement()
        packages = ", ".join(missing)
        text = _MISSING.format(
            command=command, packages=packages, python=sys.executable, requirement=requirement
        )
        sys.exit(text + _URL_IS * (requirement == _UNKNOWN_URL))


def serve(others: Sequence[str], imports: Sequence[str] | None) -> int:
    """Serve the page until interrupted, and return the exit code of wrong options.

    Parameters
    ----------
    others : sequence of str
        Options of ``streamlit run``.
    imports : sequence of str, optional
        Modules to import first; by default those of the variable ``REGVIZ_IMPORTS``.
    """
    import click
    from streamlit.web import cli

    if imports:
        os.environ["REGVIZ_IMPORTS"] = " ".join(imports)
    words = ["run", str(resource("app.py")), *others]
    try:
        # in its standalone mode, Click writes "Aborted!" after Ctrl-C
        cli.main(words, prog_name="streamlit", standalone_mode=False)
    except click.Abort as interrupt:
        raise KeyboardInterrupt from interrupt
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return 0


def app_packages() -> list[str]:
    """Return the names of the distributions that the extra `app` adds."""
    try:
        declared = distribution("regviz").requires or []
    except PackageNotFoundError:  # a checkout that is not installed: `requirements.txt` is all
        return ["streamlit"]
    found = (re.match(r"""([\w.-]+)[^;]*;.*\bextra\s*==\s*["']app["']""", one) for one in declared)
    return [match[1] for match in found if match]


def app_requirement() -> str:
    """Return the requirement with which pip installs the extra `app` from where RegViz came from.

    That is pip's record of the URL that it installed from (``direct_url.json``, PEP 610), or the
    folder of a checkout that is not installed.
    """
    try:
        record = distribution("regviz").read_text("direct_url.json")
    except PackageNotFoundError:
        return f"{resource('app.py').parent}[app]"
    if record is None:
        return _UNKNOWN_URL
    origin = json.loads(record)
    url = origin["url"]
    if repository := origin.get("vcs_info"):
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    if folder := origin.get("subdirectory"):
        url += f"#subdirectory={folder}"
    return f"regviz[app] @ {url}"


def _is_installed(name: str) -> bool:
    """Return whether a distribution is installed."""
    with suppress(PackageNotFoundError):
        distribution(name)
        return True
    return False
