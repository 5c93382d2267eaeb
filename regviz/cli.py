"""The command line interface ``regviz``, also ``python -m regviz``."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from regviz import __version__
from regviz.resources import resource

# packages of the extra `app` that no other dependency installs; Streamlit requires the others
_APP_PACKAGES = ("streamlit", "segno", "prometheus_client")
_MISSING = (
    "regviz serve needs {packages}, which the library does without. To install them:\n"
    '    {python} -m pip install "regviz[app]"'
)


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
    serve.add_argument("--port", type=int, help="8501 by default, or the next that is free")
    serve.add_argument(
        "--host",
        "--address",
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


def _serve(options: list[str]) -> None:
    """Serve the page with options of ``streamlit run``; exit if a package is missing."""
    if missing := [name for name in _APP_PACKAGES if find_spec(name) is None]:
        sys.exit(_MISSING.format(packages=" and ".join(missing), python=sys.executable))
    from streamlit.web import cli

    cli.main(["run", str(resource("app.py")), *options], prog_name="streamlit")
