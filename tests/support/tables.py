"""Tables of points as text, and a check for property tests of the reader."""

import itertools
import re

from regviz.data.columns import Columns, points
from regviz.data.table import read


def lines(n: int = 12, header: str = "x1,x2,kind") -> list[str]:
    """Return the lines of a valid file of two classes."""
    body = [f"{i / 2},{(-1) ** i * i * 0.25},{'ab'[i % 2]}" for i in range(n)]
    return [header, *body] if header else body


def assert_read_or_refused(content: bytes) -> None:
    """Assert that a file is read, or refused by a ValueError of the usual form."""
    for header, scale in itertools.product((None, True, False), (True, False)):
        try:
            table = read(content, header)
            spec = points(table, Columns.guess(table), scale)
        except ValueError as error:
            assert re.search(r"must be .*, got ", str(error), re.DOTALL)  # noqa: PT017 (either is fine)
        else:
            assert spec.n_samples == len(table.rows)
