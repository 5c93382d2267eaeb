"""Results of studies with given numbers, without training."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from regviz import Study
from regviz.studies.cell import arrow, schema
from regviz.studies.result import StudyResult, table_of


def result_of(study: Study, losses: ArrayLike, *, done: list[int] | None = None) -> StudyResult:
    """Return a result whose networks have given losses, the same on all points.

    Parameters
    ----------
    study : Study
    losses : array-like, broadcast to shape (S, n_cells, n_rows)
        For each seed, cell and row of a cell (method and strength). NaN for a diverged network.
        Accuracies are 1 - loss, and all other numbers are the loss.
    done : list of int, optional
        Positions of the finished cells. By default, all.
    """
    n_rows = len(study.cells[0].rows)
    shape = len(study.seeds), len(study.cells), n_rows
    values = np.broadcast_to(np.asarray(losses, dtype=float), shape)
    cells = range(shape[1]) if done is None else done
    tables = [(cell, _table(study, cell, values[:, cell].T)) for cell in cells]
    return StudyResult(study, table_of(study, tables), len(tables))


def bits(table: pa.Table) -> dict[str, list[Any]]:
    """Return the columns of a table for comparisons to the bit, as NaN is not equal to itself."""
    return {
        name: (
            column.to_numpy().view(np.int64).tolist()
            if column.type == pa.float64()
            else column.to_pylist()
        )
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _table(study: Study, number: int, losses: NDArray[np.float64]):
    cell = study.cells[number]
    n = len(study.seeds)
    chosen = np.zeros(losses.shape, dtype=bool)
    for method in {row.method for row in cell.rows}:
        own = [i for i, row in enumerate(cell.rows) if row.method == method]
        filled = np.where(np.isnan(losses[own]), np.inf, losses[own])
        for s in np.flatnonzero(np.isfinite(filled).any(axis=0)):
            chosen[own[int(filled[:, s].argmin())], s] = True
    given = {
        "cell": [cell.key] * losses.size,
        "method": [row.method for row in cell.rows for _ in range(n)],
        "strength": np.repeat([row.strength for row in cell.rows], n),
        "strength_index": np.repeat([row.strength_index for row in cell.rows], n),
        "seed": np.tile(study.seeds, len(cell.rows)),
        "chosen": chosen.ravel(),
        "diverged": np.isnan(losses).ravel(),
        "epoch": np.full(losses.size, 100),
        "n_weights": np.full(losses.size, 50),
    }
    for name in schema().names:
        if name not in given:
            given[name] = (1 - losses if name.endswith("accuracy") else losses).ravel()
    return arrow().table(given, schema=schema())
