"""Output of the commands: tables, JSON, notes, and files."""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from regviz.spec.validation import invalid


def table(rows: Sequence[Sequence[str]], n_texts: int = 2) -> str:
    """Return rows of texts as aligned columns; the first ``n_texts`` of them to the left.

    Examples
    --------
    >>> print(table([("Method", "Loss"), ("None", "1.45"), ("Elastic net", "0.4")], n_texts=1))
    Method       Loss
    None         1.45
    Elastic net   0.4
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.ljust(width) if i < n_texts else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def json_text(content: Any) -> str:
    """Return a value as JSON in ASCII, with null for NaN and infinity."""
    return json.dumps(_finite(content), allow_nan=False, indent=1)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def note(sentences: Iterable[str]) -> None:
    """Write sentences to stderr, each on a line."""
    for sentence in sentences:
        print(f"note: {sentence}", file=sys.stderr)


def check_target(option: str, file: str, suffixes: Sequence[str] = ()) -> None:
    """Check the name of a file to write, before the time of a training is spent.

    Raises
    ------
    ValueError
        If it has another suffix, or is not in a folder that exists.
    """
    if suffixes and Path(file).suffix not in suffixes:
        raise invalid(option, f"a file name that ends in {' or '.join(suffixes)}", file)
    if Path(file).is_dir() or not Path(file).parent.is_dir():
        raise invalid(option, "a file in a folder that exists", file)


def write(file: str, text: str) -> int:
    """Write a text in UTF-8 to a file, or to stdout for ``-``; return the number of bytes."""
    data = text.encode()
    if file == "-":
        print(text, end="")
    else:
        Path(file).write_bytes(data)
    return len(data)
