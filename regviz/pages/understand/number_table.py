"""Tables of measures of networks, with the best of each column marked."""

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


def number_tables(
    entries: Sequence[Entry], results: Comparison | Replicates, theme: Theme, key: str
) -> None:
    """Draw a table of the predictions and one of the networks.

    One table of all columns is wider than the page in a window of 1400 px.
    """
    for kind in ("predictions", "network"):
        of_kind = [c for c, column in enumerate(results.columns) if column.describes == kind]
        _draw_table(entries, results, theme, f"{key}_{kind}", of_kind)


def _draw_table(
    entries: Sequence[Entry],
    results: Comparison | Replicates,
    theme: Theme,
    key: str,
    chosen: Sequence[int],
) -> None:
    """Draw the ``chosen`` columns, which sort by the values rather than by their text."""
    values, _ = numbers(results)
    columns = [results.columns[c] for c in chosen]
    keys = [column.key for column in columns]
    frame = pd.DataFrame(values[:, chosen], columns=keys)
    names = [entry.name for entry in entries]
    frame.index = pd.Index(names, name="Method")
    frame.insert(0, "strength", [entry.strength for entry in entries])
    shade = mix(palette.BLANK[theme], palette.INK[theme], SHADE)
    looks = np.where(results.best[:, chosen], f"font-weight: bold; background-color: {shade}", "")
    styler = frame.style.apply(lambda _: looks, axis=None, subset=keys)
    written = [[row[c] for c in chosen] for row in texts(results)]
    for entry, row in zip(entries, written, strict=True):
        shown = {column: lambda _, text=text: text for column, text in zip(keys, row, strict=True)}
        styler.format(shown, subset=([entry.name], keys))
    config: dict[str, Any] = {
        column.key: st.column_config.NumberColumn(
            column.label, help=column.about, width=_width([column.label, *cells])
        )
        for column, cells in zip(columns, zip(*written, strict=True), strict=True)
    }
    config["_index"] = st.column_config.TextColumn(width=_width(["Method", *names]))
    strengths = [entry.strength for entry in entries]
    config["strength"] = st.column_config.TextColumn(
        "Strength", width=_width(["Strength", *strengths])
    )
    st.dataframe(styler, key=key, column_config=config)


def _width(cells: Sequence[str]) -> int:
    """Return the width of a column in pixels that fits its longest cell in bold."""
    return 24 + 7 * max(map(len, cells))
