"""The command line interface ``regviz``, also ``python -m regviz``."""

import argparse
import json
import os
import re
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution

from regviz import __version__
from regviz.resources import resource

_MISSING = (
    "regviz serve needs {packages}, which the library does without. To install them:\n"
    '    {python} -m pip install "{requirement}"'
)
# The requirement if pip has no record of a URL, as for a wheel from a folder of wheels. No package
# index has `regviz`: the name alone would fail, or install somebody else's package.
_UNKNOWN_URL = "regviz[app] @ URL"
_URL_IS = "\nwhere URL is that of the folder, wheel or repository that RegViz was installed from."


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the arguments and run the subcommand.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after ``regviz``; by default ``sys.argv[1:]``.
    """
    parser = argparse.ArgumentParser(
        "regviz", description="What regularization does to a neural network.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"regviz {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve",
        help="serve the page",
        description="Serve the page until interrupted.",
        epilog="All other options are passed on to `streamlit run`, which lists them with --help.",
        allow_abbrev=False,
    )
    serve.add_argument("--port", type=_port, help="8501 by default, or the next that is free")
    serve.add_argument(
        "--host",
        "--address",
        type=_host,
        help="address of this machine to listen on, such as 127.0.0.1; all of them by default",
    )
    serve.add_argument(
        "--import",
        dest="imports",
        metavar="MODULE",
        action="append",
        help="module, also in the current folder, that registers datasets, methods, views or"
        " libraries; can be repeated",
    )
    options, others = parser.parse_known_args(arguments)
    if options.port is not None:
        others += ["--server.port", str(options.port)]
    if options.host is not None:
        others += ["--server.address", options.host]
    if options.imports is not None:
        os.environ["REGVIZ_IMPORTS"] = " ".join(options.imports)
    _serve(others)


def _port(text: str) -> int:
    """Return the number of a TCP port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 65535, got {text!r}")
    return int(text)


def _host(text: str) -> str:
    """Return an address of a machine, or a name that stands for one."""
    try:
        socket.getaddrinfo(text, None)
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(
            f"must be an address or a known name of this machine, got {text!r}"
        ) from None
    return text


def _serve(options: list[str]) -> None:
    """Serve the page with options of ``streamlit run``; exit if a package is missing."""
    if missing := [name for name in app_packages() if not _is_installed(name)]:
        requirement = app_requirement()
        packages = ", ".join(missing)
        text = _MISSING.format(packages=packages, python=sys.executable, requirement=requirement)
        sys.exit(text + _URL_IS * (requirement == _UNKNOWN_URL))
    from streamlit.web import cli

    cli.main(["run", str(resource("app.py")), *options], prog_name="streamlit")


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
