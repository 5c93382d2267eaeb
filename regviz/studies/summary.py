"""Tables of a study's chosen networks over seeds: means, differences, winners.

Every function takes the study and its table, of all cells or of those that are finished. A method
that diverges under a seed, at all of its strengths there, has no mean, difference or interval in
that cell, and never wins: the mean over the other seeds would make it look better than it is.
"""

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regviz.analysis.comparison import overlap_of
from regviz.analysis.regularization_path import standard_error
from regviz.data.datasets import make_dataset
from regviz.extras import missing
from regviz.spec.points import PointsSpec
from regviz.spec.validation import choice, invalid
from regviz.studies import statistics
from regviz.studies.axes import with_values
from regviz.studies.cell import MEASURES, METRICS, arrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from regviz.studies.study import Study

Array = NDArray[np.float64]

LOWER, HIGHER = ("test_loss", "validation_loss"), ("test_accuracy", "validation_accuracy")
INTERVALS = {"t": statistics.t_interval, "bootstrap": statistics.bootstrap_interval}
CORRECTIONS = {"holm": statistics.holm, "benjamini_hochberg": statistics.benjamini_hochberg}


class Chosen(NamedTuple):
    """The numbers of the chosen networks in one column of a study's table.

    Attributes
    ----------
    values : ndarray of shape (S, n_cells, n_methods)
        NaN in a cell that is not finished, and where all strengths of a method diverged.
    keys : list of str
        Key of each cell; empty if it is not finished.
    diverged : ndarray of bool of shape (S, n_cells, n_methods)
        Whether all strengths of a method diverged under a seed.
    """

    values: Array
    keys: list[str]
    diverged: NDArray[np.bool_]

    @property
    def done(self) -> NDArray[np.intp]:
        """Positions of the finished cells."""
        return np.flatnonzero(np.array(self.keys, dtype=object) != "")


def methods_of(study: "Study") -> tuple[str, ...]:
    """Return the keys of a study's methods, in the order of its table."""
    return tuple(dict.fromkeys(row.method for row in study.cells[0].rows))


def methods_with_choice(study: "Study") -> tuple[str, ...]:
    """Return the keys of the methods of which a study has several strengths."""
    return tuple(dict.fromkeys(row.method for row in study.cells[0].rows if row.strength_index))


def positions(study: "Study", table: "pa.Table") -> dict[str, int]:
    """Return the position of each cell of a table in the study, by the cell's key, in order."""
    cells, first = np.unique(_cells(study, table), return_index=True)
    keys = table["cell"].take(arrow().array(first)).to_pylist()
    return dict(zip(keys, cells.tolist(), strict=True))


def _cells(study: "Study", table: "pa.Table") -> NDArray[np.intp]:
    """Return the position in the study of the cell of each row of a table."""
    pa = arrow()
    import pyarrow.compute as pc

    cells = np.zeros(table.num_rows, dtype=np.intp)
    for axis in study.axes:
        own = pc.index_in(table[axis.path], value_set=pa.array(axis.column))
        cells = cells * len(axis.values) + own.to_numpy()
    return cells


def chosen(study: "Study", table: "pa.Table", column: str) -> Chosen:
    """Return a column of the chosen networks by seed, cell and method."""
    pa = arrow()
    import pyarrow.compute as pc

    cells = _cells(study, table)
    keys = [""] * len(study.cells)
    for key, cell in positions(study, table).items():
        keys[cell] = key
    methods = methods_of(study)
    kept = table["chosen"].to_numpy()
    i, m, s = (
        index[kept]
        for index in (
            cells,
            pc.index_in(table["method"], value_set=pa.array(methods)).to_numpy(),
            pc.index_in(table["seed"], value_set=pa.array(study.seeds)).to_numpy(),
        )
    )
    values = np.full((len(study.seeds), len(study.cells), len(methods)), np.nan)
    values[s, i, m] = table[column].to_numpy()[kept]
    diverged = np.zeros(values.shape, dtype=bool)
    diverged[:, np.unique(cells)] = True
    diverged[s, i, m] = False
    return Chosen(values, keys, diverged)


def means(study: "Study", table: "pa.Table", metric: str) -> "pd.DataFrame":
    """Return means over seeds by cell and method; see `regviz.StudyResult.means`."""
    found = chosen(study, table, _metric(metric))
    rho = _overlaps(study)[:, None]
    low, high = statistics.t_interval(found.values, overlap=rho)
    columns = {
        "mean": found.values.mean(axis=0),
        "standard_error": standard_error(found.values, rho),
        "low": low,
        "high": high,
        "n_seeds": np.full(low.shape, len(study.seeds)),
        "n_diverged": found.diverged.sum(axis=0),
    }
    return _by_method(study, found, methods_of(study), columns)


def differences(
    study: "Study",
    table: "pa.Table",
    metric: str,
    baseline: str,
    *,
    interval: str,
    correction: str | None,
) -> "pd.DataFrame":
    """Return paired differences from a method; see `regviz.StudyResult.differences`."""
    methods = methods_of(study)
    base = methods.index(choice("baseline", baseline, methods))
    choice("interval", interval, INTERVALS)
    if correction is not None:
        choice("correction", correction, CORRECTIONS)
    found = chosen(study, table, _metric(metric))
    others = [m for m in range(len(methods)) if m != base]
    paired = found.values[:, :, others] - found.values[:, :, [base]]
    rho = _overlaps(study)[:, None]
    mean = paired.mean(axis=0)
    p = statistics.p_values(paired, rho)
    low, high = INTERVALS[interval](paired, overlap=rho)
    corrected = p if correction is None else CORRECTIONS[correction](p)
    diverged = found.diverged[:, :, others] | found.diverged[:, :, [base]]
    columns = {
        "mean": mean,
        "standard_error": standard_error(paired, rho),
        "low": low,
        "high": high,
        "p": p,
        "p_corrected": corrected,
        "n_seeds": np.full(mean.shape, len(study.seeds)),
        "n_diverged": diverged.sum(axis=0),
        "seeds_needed": statistics.seeds_needed(statistics.effect_size(paired), overlap=rho),
        "clear": corrected < 1 - statistics.LEVEL,
    }
    return _by_method(study, found, [methods[m] for m in others], columns)


def winners(study: "Study", table: "pa.Table", metric: str) -> "pd.DataFrame":
    """Return the method with the best mean of each cell; see `regviz.StudyResult.winners`."""
    if metric not in (*LOWER, *HIGHER):
        raise invalid("metric", f"one of {', '.join((*LOWER, *HIGHER))}", metric)
    methods = methods_of(study)
    if len(methods) < 2:
        raise invalid("methods of the study", "at least two for a winner", methods)
    found = chosen(study, table, metric)
    losses = found.values if metric in LOWER else -found.values
    rho = _overlaps(study)
    pairs = list(itertools.combinations(range(len(methods)), 2))
    first, second = (list(numbers) for numbers in zip(*pairs, strict=True))
    p = statistics.p_values(losses[:, :, first] - losses[:, :, second], rho[:, None])
    # all pairs: which of them have the winner is known only from the same numbers
    clear = np.zeros((len(p), len(methods), len(methods)), dtype=bool)
    clear[:, first, second] = clear[:, second, first] = statistics.holm(p) < 1 - statistics.LEVEL
    loss = losses.mean(axis=0)
    share = statistics.shares_best(losses, overlap=rho)
    rows: dict[str, list[Any]] = {
        name: [] for name in ("method", "mean", "ties", "clear", "certainty", "diverged")
    }
    for cell in found.done:
        own = loss[cell]
        finite = ~np.isnan(own)
        rows["diverged"].append(_named(methods, found.diverged[:, cell].any(axis=0)))
        if not finite.any():
            for name, empty in (("method", ""), ("mean", np.nan), ("ties", ()), ("clear", False)):
                rows[name].append(empty)
            rows["certainty"].append(np.nan)
            continue
        winner = int(np.nanargmin(own))
        tied = finite & ~clear[cell, winner]
        tied[winner] = False
        rows["method"].append(methods[winner])
        rows["mean"].append(found.values[:, cell, winner].mean())
        rows["ties"].append(_named(methods, tied))
        rows["clear"].append(bool(finite.all() and not tied.any()))
        # a share needs seeds to draw from, and another method
        compared = len(losses) > 1 and finite.sum() > 1
        rows["certainty"].append(share[cell, winner] if compared else np.nan)
    return _frame(_labels(study, found, 1) | rows)


def _metric(metric: str) -> str:
    return choice("metric", metric, (*METRICS, *MEASURES))


def _named(methods: tuple[str, ...], mask: Any) -> tuple[str, ...]:
    return tuple(method for method, chosen in zip(methods, mask, strict=True) if chosen)


def _overlaps(study: "Study") -> Array:
    """Return `regviz.analysis.comparison.overlap_of` of the data of each cell."""
    if not isinstance(study.base.data, PointsSpec):
        return np.zeros(len(study.cells))
    data = [
        with_values(
            study.base,
            [(axis.path, axis.values[i]) for axis, i in zip(study.axes, numbers, strict=True)],
        ).data
        for numbers in map(study.cells.position, range(len(study.cells)))
    ]
    return np.array([overlap_of(one, make_dataset(one)) for one in data])


def _labels(study: "Study", found: Chosen, n_rows: int) -> dict[str, Any]:
    """Return the columns of finished cells' keys and axes, each value ``n_rows`` times."""
    done = found.done
    numbers = np.array([study.cells.position(int(cell)) for cell in done], dtype=np.intp)
    columns: dict[str, Any] = {"cell": [found.keys[cell] for cell in done for _ in range(n_rows)]}
    for i, axis in enumerate(study.axes):
        own = axis.column
        columns[axis.path] = [own[number[i]] for number in numbers for _ in range(n_rows)]
    return columns


def _by_method(
    study: "Study", found: Chosen, methods: Any, columns: dict[str, NDArray[Any]]
) -> "pd.DataFrame":
    """Return columns of shape (n_cells, n_methods) as rows of finished cells and methods."""
    labels = _labels(study, found, len(methods))
    labels["method"] = [*methods] * len(found.done)
    return _frame(labels | {name: of[found.done].ravel() for name, of in columns.items()})


def _frame(columns: dict[str, Any]) -> "pd.DataFrame":
    try:
        import pandas
    except ImportError as error:
        raise ImportError(missing("A table of a study", "pandas", "studies")) from error
    return pandas.DataFrame(columns)
