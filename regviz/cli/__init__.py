"""The command line interface ``regviz``, also ``python -m regviz``.

`regviz.cli.parser` describes the commands. Each is a module here with a function ``run``, imported
only when its command is given: the help does not wait for torch.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from regviz.cli import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after ``regviz``; by default ``sys.argv[1:]``.

    Returns
    -------
    int
        As `regviz.cli.parser.EXIT_CODES` describes.

    Raises
    ------
    SystemExit
        With code 2 for wrong options, and with 0 after ``--help`` and ``--version``.
    """
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            # files and pipes get UTF-8; a terminal, a replacement for signs that it lacks
            reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        try:
            return _run(parser.parse(arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # the reader, such as `head`, has ended; Python would report it once more at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _run(options: Namespace) -> int:
    """Run a command, and report the errors that a user can cause as one line on stderr."""
    try:
        code: int = import_module(f"regviz.cli.{options.command}").run(options)
    except BrokenPipeError:
        raise
    except ValueError as error:
        return _report(options.command, str(error), 2)
    except OSError as error:
        return _report(options.command, str(error), 1)
    except MemoryError as error:
        return _report(options.command, str(error) or "there is not enough memory", 1)
    return code


def _report(command: str, message: str, code: int) -> int:
    print(f"regviz {command}: error: {message}", file=sys.stderr)
    return code
