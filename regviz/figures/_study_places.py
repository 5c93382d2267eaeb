"""Positions and labels of the values of a study's axis, which fit on a phone."""

import html
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regviz.methods.labels import escaped
from regviz.studies.axes import Axis

LOG_SPAN = 10  # least ratio of the ends of a logarithmic axis
ROW_WIDTH = 270  # pixels of a row of panels without margins, on a page 390 px wide
CHAR, BETWEEN = 7, 8  # pixels of a character of a tick's label, and between two labels
MAX_ROWS = 3  # rows of the labels of names


class Places(NamedTuple):
    """Positions of an axis' values in a figure.

    Attributes
    ----------
    title : str
    texts : tuple of str
        Each value in words, with the title's meaning, such as ``"noise 0.2"``.
    ticks : tuple of str
        Each value as a tick's label.
    at : ndarray of shape (n,)
        Position of each value.
    kind : {"linear", "log", "named"}
        A named axis has its values at equal distances, in the order of the study.
    """

    title: str
    texts: tuple[str, ...]
    ticks: tuple[str, ...]
    at: NDArray[np.float64]
    kind: str

    @property
    def order(self) -> list[int]:
        """Indices of the values from left to right."""
        return [int(i) for i in np.argsort(self.at, kind="stable")]

    def n_rows(self, width: float) -> int:
        """Return the number of rows of the labels on an axis of so many pixels."""
        if self.kind != "named":
            return 1
        longest = CHAR * max(map(n_chars, self.ticks)) + BETWEEN
        needed = math.ceil(longest * len(self.at) / width)
        return max(1, min(MAX_ROWS, len(self.at), needed))

    def layout(self, width: float = ROW_WIDTH) -> dict[str, Any]:
        """Return the options of a Plotly axis whose labels fit on so many pixels.

        Names stand in up to `MAX_ROWS` rows, and are shortened if these are too few. Of numbers,
        both ends and those with space have a label.
        """
        n = len(self.at)
        common = dict(zeroline=False, tickangle=0)
        if self.kind == "named":
            rows = self.n_rows(width)
            most = max(2, int((rows * width / n - BETWEEN) / CHAR)) if n > 1 else 100
            texts = [_cut(text, most) for text in self.ticks]
            ranks = np.argsort(np.argsort(self.at, kind="stable"))
            down = [f"{'<br>' * (int(r) % rows)}{t}" for r, t in zip(ranks, texts, strict=True)]
            return common | dict(tickvals=self.at, ticktext=down, range=[-0.5, n - 0.5])
        at = np.log10(self.at) if self.kind == "log" else self.at
        low, high = float(at.min()), float(at.max())
        margin = 0.04 * (high - low) or 0.5
        scale = width / (high - low + 2 * margin)
        shown = _apart(at * scale, [CHAR * n_chars(text) + BETWEEN for text in self.ticks])
        return common | dict(
            type=self.kind,
            range=[low - margin, high + margin],
            tickvals=self.at[shown],
            ticktext=[self.ticks[i] for i in shown],
        )


def n_chars(text: str) -> int:
    """Return the number of characters of an escaped text."""
    return len(html.unescape(text))


def _cut(text: str, most: int) -> str:
    """Return an escaped text with at most so many characters."""
    plain = html.unescape(text)
    return text if len(plain) <= most else escaped(plain[: most - 1]) + "…"


def _apart(at: NDArray[np.float64], widths: list[int]) -> list[int]:
    """Return the indices of positions whose labels do not meet, both ends included."""
    order = [int(i) for i in np.argsort(at, kind="stable")]
    shown, last = order[:1], order[-1]

    def fit(i: int, j: int) -> bool:
        return bool(at[j] - at[i] >= (widths[i] + widths[j]) / 2)

    for i in order[1:-1]:
        if fit(shown[-1], i) and fit(i, last):
            shown.append(i)
    return shown + order[1:][-1:]


def places_of(axis: Axis | None) -> Places:
    """Return the positions of an axis' values; without an axis, of the single experiment."""
    if axis is None:
        return Places("", ("the experiment",), ("the experiment",), np.zeros(1), "named")
    values, title = axis.values, axis.label
    if axis.path == "network.hidden" and all(len(value) == 1 for value in values):
        values, title = tuple(value[0] for value in values), "Units of the hidden layer"
    numeric = all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    )
    ticks = tuple(escaped(text) for text in axis.texts)
    name = title[0].lower() + title[1:] if title[1:2].islower() else title
    texts = tuple(f"{escaped(name)} {text}" for text in ticks)
    at = np.array(values, dtype=float) if numeric else np.arange(len(values), dtype=float)
    kind = "linear" if numeric else "named"
    steps = np.diff(np.sort(at))
    even = len(steps) and math.isclose(steps.min(), steps.max(), rel_tol=1e-6)
    if numeric and at.min() > 0 and at.max() / at.min() >= LOG_SPAN and not even:
        kind = "log"
    return Places(escaped(title), texts, ticks, at, kind)
