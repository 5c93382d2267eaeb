"""Lines of a study: a number against an axis, by method."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from regviz.figures._study_axes import (
    NAMES,
    PERCENT,
    Look,
    View,
    add_legend,
    band,
    finish,
    gaps,
    looks_of,
    muted,
    number_text,
    panels,
    rows_by_cell,
    set_x_axes,
)
from regviz.figures._study_places import Places, places_of
from regviz.figures._traces import set_alt_text
from regviz.methods import palette
from regviz.methods.palette import Theme
from regviz.studies.statistics import LEVEL

if TYPE_CHECKING:
    from regviz.studies.result import StudyResult

Rows = dict[tuple[int, str], dict[str, Any]]
DODGE = 0.09  # between methods on an axis of names, as a share of the distance of two values
HEADROOM = 0.08  # above and below the numbers, as a share of their range


def draw(
    result: "StudyResult", view: View, metric: str, baseline: str | None, theme: Theme
) -> go.Figure:
    """Draw means, or with a baseline paired differences; see `regviz.figures.study`."""
    paired = baseline is not None
    frame = result.differences(metric, str(baseline)) if paired else result.means(metric)
    rows = {(cell, row["method"]): row for cell, row in rows_by_cell(result, frame)}
    looks, places = looks_of(result, theme), places_of(view.x)
    name = looks[baseline].name if baseline is not None else ""
    methods = [key for key in looks if key != baseline]
    low, high = _extent(frame, paired)
    figure, where = panels(view, places)
    for f, at in enumerate(where):
        for m, key in enumerate(methods):
            own = [rows.get((view.cell(i, f), key), {}) for i in places.order]
            aside = DODGE * (m - (len(methods) - 1) / 2) if places.kind == "named" else 0.0
            texts = [
                _text(row, view.where((view.x, i), (view.facet, f)), metric, looks[key].name, name)
                for row, i in zip(own, places.order, strict=True)
            ]
            for trace in _traces(looks[key], places, own, texts, aside, high, theme):
                figure.add_trace(trace, *at)
    if paired:
        figure.add_hline(0, line=dict(color=muted(theme), width=1.5, dash="dot"))
    add_legend(figure, [looks[key] for key in methods], "lines+markers")
    number = NAMES[metric]
    # a longer title would be covered by the buttons in a figure 390 px wide
    title = f"Difference from {name}" if paired else number[0].upper() + number[1:]
    finish(figure, view, theme, title, _notes(result, frame, number if paired else ""), result)
    margin = HEADROOM * (high - low)
    percent = {"tickformat": ".0%"} if metric in PERCENT else {}
    figure.update_yaxes(range=[low - margin, high + margin], zeroline=False, **percent)
    figure.update_yaxes(title_text="difference" if paired else NAMES[metric], col=1)
    set_x_axes(figure, places, where)
    return set_alt_text(figure, _describe(view, places, metric, rows, looks, name, methods))


def _extent(frame: Any, paired: bool) -> tuple[float, float]:
    """Return the least and the greatest number that is drawn, with its error."""
    error = frame["standard_error"].fillna(0)
    ends = np.concatenate([frame["mean"] - error, frame["mean"] + error, [0.0] * paired])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return 0.0, 1.0
    low, high = float(ends.min()), float(ends.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _traces(
    look: Look,
    places: Places,
    rows: list[dict[str, Any]],
    texts: list[str],
    aside: float,
    top: float,
    theme: Theme,
) -> list[go.Scatter]:
    """Return the traces of a method in a panel: band, line, and signs where it diverged."""
    x = (places.at + aside)[places.order]
    mean, error = (
        np.array([row.get(name, math.nan) for row in rows]) for name in ("mean", "standard_error")
    )
    keys = [row.get("cell", "") for row in rows]
    filled = [row.get("clear", True) for row in rows]
    line = go.Scatter(
        x=x,
        y=gaps(mean),
        mode="lines+markers",
        name=look.name,
        line=dict(color=look.colour, width=2.2, dash="dot" if places.kind == "named" else "solid"),
        marker=dict(
            symbol=look.symbol,
            size=9,
            color=[look.colour if one else palette.BLANK[theme] for one in filled],
            line=dict(color=look.colour, width=1.8),
        ),
        customdata=list(zip(keys, texts, strict=True)),
        hovertemplate="%{customdata[1]}<extra></extra>",
        connectgaps=False,
    )
    traces = [line]
    if places.kind == "named":
        bars = dict(array=gaps(error), color=look.colour, thickness=2, width=5)
        line.update(error_y=bars)
    else:
        traces.insert(0, band(look, x, mean - error, mean + error))
    gone = [i for i, row in enumerate(rows) if row.get("n_diverged", 0)]
    if gone:
        signs = dict(symbol="x", size=9, color=look.colour)
        traces.append(
            go.Scatter(
                x=x[gone],
                y=[top] * len(gone),
                mode="markers",
                name=f"{look.name}, diverged",
                marker=signs,
                customdata=[(keys[i], texts[i]) for i in gone],
                hovertemplate="%{customdata[1]}<extra></extra>",
            )
        )
    return traces


def _text(row: dict[str, Any], where: str, metric: str, name: str, baseline: str) -> str:
    """Return the text about a sign: cell, method, number, seeds, and the test of a difference."""
    if not row:
        return where
    lines = [where]
    if row["n_diverged"]:
        lines.append(f"<b>{name}</b> diverged under {row['n_diverged']} of {row['n_seeds']} seeds")
        return "<br>".join(lines)
    number = number_text(metric, row["mean"], row["standard_error"])
    low, high = (number_text(metric, row[end]) for end in ("low", "high"))
    lines += [
        f"<b>{name}</b> − {baseline}: {number}" if baseline else f"<b>{name}</b>: {number}",
        f"{row['n_seeds']} seeds, {LEVEL:.0%} interval {low} to {high}",
    ]
    if baseline:
        verdict = "clear" if row["clear"] else "not clear"
        needed = row["seeds_needed"]
        seeds = f"{needed:,.0f} seeds" if math.isfinite(needed) else "no number of seeds"
        lines += [
            f"p = {row['p']:.2g}, corrected {row['p_corrected']:.2g}: {verdict}",
            f"{seeds} would find this difference with power 0.8, uncorrected",
        ]
    return "<br>".join(lines)


def _notes(result: "StudyResult", frame: Any, paired: str) -> list[str]:
    """Return the lines below the title: what the signs and bands are.

    ``paired`` is the name of the number for differences, and empty for means.
    """
    seeds = f"{len(result.study.seeds)} seeds"
    what = f"{paired}, paired over {seeds}," if paired else f"means of {seeds}"
    notes = [f"{what} ± 1 standard error"]
    if paired:
        n = len(result.study.cells) * (len(result.methods) - 1)
        notes.append(f"filled: clear (Holm, {n} comparisons); hollow: unclear")
    if frame["n_diverged"].any():
        notes.append("×: diverged under a seed")
    return notes


def _describe(
    view: View,
    places: Places,
    metric: str,
    rows: Rows,
    looks: dict[str, Look],
    baseline: str,
    methods: list[str],
) -> str:
    """Describe the lines in words: both ends of each, and the clear differences."""
    order, parts = places.order, []
    facets = 1 if view.facet is None else len(view.facet.values)
    for f in range(facets):
        lines = []
        for key in methods:
            own = [(i, rows.get((view.cell(i, f), key))) for i in order]
            shown = [(i, row) for i, row in own if row and math.isfinite(row["mean"])]
            if not shown:
                lines.append(f"{looks[key].name} has no number")
                continue
            ends = [shown[0], shown[-1]] if len(shown) > 1 else shown
            words = " to ".join(
                f"{number_text(metric, row['mean'])} at {places.ticks[i]}" for i, row in ends
            )
            clear = sum(bool(row.get("clear")) for _, row in shown)
            more = f", clear in {clear} of {len(shown)} cells" if baseline else ""
            lines.append(f"{looks[key].name} {words}{more}")
        where = view.where((view.facet, f))
        parts.append(f"{where + ': ' if where else ''}{'; '.join(lines)}.")
    what = f"Difference in {NAMES[metric]} from {baseline}" if baseline else f"Mean {NAMES[metric]}"
    against = f" against {places.title.lower()}" if places.title else ""
    return f"{what}{against}, over seeds. {' '.join(parts)}"
