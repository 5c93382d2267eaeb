"""Numbers of networks as a table on the page, in which the best are marked."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from regviz.analysis.comparison import Array, Comparison, Replicates
from regviz.methods import palette
from regviz.methods.palette import Theme, mix

BEST = "★"
SHADE = 0.14  # of ink, in the background of the best


class Entry(NamedTuple):
    """A row of the table: a method's key, its name, and its strength in words."""

    method: str
    name: str
    strength: str


def numbers(found: Comparison | Replicates) -> tuple[Array, Array | None]:
    """The numbers ``(n, C)``, and over seeds their standard errors."""
    return (found.values, None) if isinstance(found, Comparison) else (found.mean, found.error)


def texts(found: Comparison | Replicates) -> list[list[str]]:
    """Each number as it is shown: the best of a column has a star before it."""
    (values, error), best = numbers(found), found.best
    return [
        [
            f"{BEST} " * bool(best[i, c])
            + column.text(float(values[i, c]), None if error is None else float(error[i, c]))
            for c, column in enumerate(found.columns)
        ]
        for i in range(len(values))
    ]


def number_table(
    entries: Sequence[Entry], found: Comparison | Replicates, theme: Theme, key: str
) -> None:
    """Draw the table. It sorts by the numbers, not by how they are written."""
    values, _ = numbers(found)
    keys = [column.key for column in found.columns]
    frame = pd.DataFrame(values, columns=keys)
    frame.index = pd.Index([entry.name for entry in entries], name="Method")
    frame.insert(0, "strength", [entry.strength for entry in entries])
    shade = mix(palette.BLANK[theme], palette.INK[theme], SHADE)
    looks = np.where(found.best, f"font-weight: bold; background-color: {shade}", "")
    styler = frame.style.apply(lambda _: looks, axis=None, subset=keys)
    written = texts(found)
    for entry, row in zip(entries, written, strict=True):
        shown = {column: lambda _, text=text: text for column, text in zip(keys, row, strict=True)}
        styler.format(shown, subset=([entry.name], keys))
    config: dict[str, Any] = {
        column.key: st.column_config.NumberColumn(
            column.label, help=column.about, width=_width([column.label, *cells])
        )
        for column, cells in zip(found.columns, zip(*written, strict=True), strict=True)
    }
    config["strength"] = st.column_config.TextColumn("Strength")
    st.dataframe(styler, key=key, column_config=config)


def _width(cells: Sequence[str]) -> int:
    """Pixels in which the longest of the cells finds room, in bold."""
    return 28 + 8 * max(map(len, cells))
