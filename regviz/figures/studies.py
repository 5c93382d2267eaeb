"""Figures of a study: a number against an axis, the map of winners, the chosen strengths."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

import plotly.graph_objects as go

from regviz.figures import _study_lines, _study_map, _study_strengths
from regviz.figures._study_axes import NAMES, view_of
from regviz.methods.palette import Theme
from regviz.spec.validation import choice, invalid

if TYPE_CHECKING:
    from regviz.studies.result import StudyResult

__all__ = ["study"]

KINDS = ("lines", "map", "strengths")


def study(
    result: "StudyResult",
    metric: str = "test_loss",
    *,
    kind: str = "lines",
    x: str | None = None,
    y: str | None = None,
    facet: str | None = None,
    at: Mapping[str, Any] | None = None,
    baseline: str | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Draw the results of a study over its axes.

    Cells that are not finished are left empty. A method that diverged under a seed of a cell has no
    value there, and is marked by ×.

    Parameters
    ----------
    result : StudyResult
        Of all cells, or of those that are finished.
    metric : str
        Column of the result's frame with a loss, accuracy or measure of the weights; not used for
        ``"strengths"``. A map needs a loss or accuracy on test or validation points.
    kind : {"lines", "map", "strengths"}
        - ``"lines"``: mean over seeds against an axis, with a line for each method, and a band of
          one standard error on both sides. On an axis of names, bars take the place of bands.
        - ``"map"``: the method with the best mean for each pair of values of two axes, above
          a strip of those that tie with it (`regviz.studies.result.StudyResult.winners`).
        - ``"strengths"``: median and quartiles over seeds of each method's chosen strength.
    x : str, optional
        Path of the axis from left to right. By default, the first that is not fixed by ``at``.
    y : str, optional
        For a map, path of the axis from below to above; by default the next one.
    facet : str, optional
        Path of the axis whose values have a panel each, at most 12; by default the next one.
    at : mapping of str to value, optional
        By path, the values of axes that are not shown. By default they have their first value. The
        figure states them.
    baseline : str, optional
        For lines, key of the method from which differences are shown, paired by seed. Filled signs
        are clear differences, corrected by Holm's method for all cells and methods.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        The first element of each sign's ``customdata`` is the key of its cell.

    Raises
    ------
    ValueError
        If a parameter is not one of the allowed values.
    ImportError
        If pandas is not installed.

    See Also
    --------
    regviz.studies.result.StudyResult.differences : The differences, as a table.
    regviz.studies.result.StudyResult.winners : The winners, as a table.

    Examples
    --------
    >>> import regviz
    >>> from regviz import figures
    >>> grid = regviz.Study(
    ...     regviz.Experiment(training=regviz.TrainingSpec(epochs=20)),
    ...     vary={"network.hidden": [(2,), (8,)]},
    ...     methods=("none", "l2"),
    ...     strengths=2,
    ...     seeds=range(3),
    ... )
    >>> figure = figures.study(grid.run(), "test_loss", x="network.hidden", baseline="none")
    >>> figure.layout.xaxis.title.text
    'Units of the hidden layer'
    """
    choice("theme", theme, get_args(Theme))
    choice("kind", kind, KINDS)
    choice("metric", metric, NAMES)
    if baseline is not None and kind != "lines":
        raise invalid("baseline", "None but for kind='lines'", baseline)
    view = view_of(result.study, x, y, facet, at, plane=kind == "map")
    if kind == "map":
        return _study_map.draw(result, view, metric, theme)
    if kind == "strengths":
        return _study_strengths.draw(result, view, theme)
    return _study_lines.draw(result, view, metric, baseline, theme)
