"""A table of measures of networks, with the best of each column marked."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from regviz.analysis.comparison import Array, Comparison, Replicates
from regviz.methods import palette
from regviz.methods.palette import Theme, mix

BEST = "★"
SHADE = 0.14  # fraction of the ink colour in the background of the best


class Entry(NamedTuple):
    """A row of the table: key, name and strength of a method, the latter as text."""

    method: str
    name: str
    strength: str


def numbers(results: Comparison | Replicates) -> tuple[Array, Array | None]:
    """Return the values, and over seeds their standard errors.

    Returns
    -------
    values : ndarray of shape (n, C)
        n networks, C columns.
    errors : ndarray of shape (n, C), or None
    """
    return (
        (results.values, None) if isinstance(results, Comparison) else (results.mean, results.error)
    )


def texts(results: Comparison | Replicates) -> list[list[str]]:
    """Return the text of each cell; a star marks the best of a column."""
    (values, error), best = numbers(results), results.best
    return [
        [
            f"{BEST} " * bool(best[i, c])
            + column.text(float(values[i, c]), None if error is None else float(error[i, c]))
            for c, column in enumerate(results.columns)
        ]
        for i in range(len(values))
    ]


def number_table(
    entries: Sequence[Entry], results: Comparison | Replicates, theme: Theme, key: str
) -> None:
    """Draw the table, whose columns sort by the values rather than by their text."""
    values, _ = numbers(results)
    keys = [column.key for column in results.columns]
    frame = pd.DataFrame(values, columns=keys)
    frame.index = pd.Index([entry.name for entry in entries], name="Method")
    frame.insert(0, "strength", [entry.strength for entry in entries])
    shade = mix(palette.BLANK[theme], palette.INK[theme], SHADE)
    looks = np.where(results.best, f"font-weight: bold; background-color: {shade}", "")
    styler = frame.style.apply(lambda _: looks, axis=None, subset=keys)
    written = texts(results)
    for entry, row in zip(entries, written, strict=True):
        shown = {column: lambda _, text=text: text for column, text in zip(keys, row, strict=True)}
        styler.format(shown, subset=([entry.name], keys))
    config: dict[str, Any] = {
        column.key: st.column_config.NumberColumn(
            column.label, help=column.about, width=_width([column.label, *cells])
        )
        for column, cells in zip(results.columns, zip(*written, strict=True), strict=True)
    }
    config["strength"] = st.column_config.TextColumn("Strength")
    st.dataframe(styler, key=key, column_config=config)


def _width(cells: Sequence[str]) -> int:
    """Return the width of a column in pixels that fits its longest cell in bold."""
    return 28 + 8 * max(map(len, cells))
