"""Commands that tests run as processes."""

import os
import subprocess
import sys
from pathlib import Path

from devtools.serving import ROOT


def run(
    *command: str | Path, cwd: Path = ROOT, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program and return its output; fail unless it succeeds or ``check`` is False.

    Parameters
    ----------
    *command : str or Path
    cwd : Path
        Working directory.
    check : bool
    **variables : str
        Environment variables in addition to those of this process.
    """
    environment = os.environ | variables
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 or not check, done.stdout[-2000:] + done.stderr
    return done


def python(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run this Python interpreter by `run`."""
    return run(sys.executable, *arguments, **options)  # type: ignore[arg-type]


def make_plan(*arguments: str) -> str:
    """Return the commands that ``make`` would run."""
    return run("make", "--dry-run", *arguments).stdout
