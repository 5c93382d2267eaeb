"""``regviz serve``: the page, served by Streamlit."""

import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution

from regviz.extras import missing
from regviz.resources import resource


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
    if lacking := [name for name in app_packages() if not _is_installed(name)]:
        sys.exit(missing(f"regviz {command}", ", ".join(lacking), "app"))


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


def _is_installed(name: str) -> bool:
    """Return whether a distribution is installed."""
    with suppress(PackageNotFoundError):
        distribution(name)
        return True
    return False
