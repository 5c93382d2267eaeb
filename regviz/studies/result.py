"""The numbers of a study, of all its cells or of those that are finished."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from regviz.extras import missing
from regviz.studies.cell import arrow, schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from regviz.studies.study import Study


@dataclass(frozen=True, eq=False, repr=False)
class StudyResult:
    """The numbers of a study's networks, of all cells or of those that are finished.

    Attributes
    ----------
    study : Study
    table : pyarrow.Table
        A row for each network: cell after cell in the order of the study, method, strength, seed.
    n_done : int
        Number of finished cells.
    """

    study: "Study"
    table: "pa.Table"
    n_done: int

    def __repr__(self) -> str:
        return (
            f"StudyResult({self.n_done} of {len(self.study.cells)} cells,"
            f" {self.table.num_rows} networks)"
        )

    @property
    def complete(self) -> bool:
        """Whether all cells are finished."""
        return self.n_done == len(self.study.cells)

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The table as a pandas DataFrame; treat it as read-only, or copy it."""
        return self._pandas(self.table)

    @cached_property
    def chosen(self) -> "pd.DataFrame":
        """The rows of the chosen strengths: one for each cell, method and seed, but diverged."""
        return self._pandas(self.table.filter(self.table["chosen"]))

    def _pandas(self, table: "pa.Table") -> "pd.DataFrame":
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise ImportError(missing("The frame of a study", "pandas", "studies")) from error
        return table.to_pandas()


def table_of(study: "Study", done: Iterable[tuple[int, "pa.Table"]]) -> "pa.Table":
    """Return the tables of cells as one, with a column for each axis after the cell's key.

    Parameters
    ----------
    study : Study
    done : iterable of (int, pyarrow.Table)
        Positions of cells in ``study.cells``, and their tables of `regviz.studies.cell.compute`.
    """
    pa = arrow()
    in_order = sorted(done, key=lambda one: one[0])
    sizes = [table.num_rows for _, table in in_order]
    table = pa.concat_tables([table for _, table in in_order] or [schema().empty_table()])
    table = table.combine_chunks()
    for i, axis in enumerate(study.axes):
        column = axis.column
        numbers = [study.cells.position(at)[i] for at, _ in in_order]
        values = [
            column[number] for number, size in zip(numbers, sizes, strict=True) for _ in range(size)
        ]
        kind = pa.array(column).type
        table = table.add_column(1 + i, axis.path, pa.array(values, kind))
    return table
