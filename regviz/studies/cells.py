"""The cells of a study, built one by one."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, overload

from regviz.studies.axes import with_values
from regviz.studies.cell import Cell
from regviz.studies.rows import rows_of

if TYPE_CHECKING:
    from regviz.studies.study import Study


class Cells(Sequence[Cell]):
    """The cells of a study, built one by one when they are asked for.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: "Study") -> None:
        self._study = study
        self._sizes = tuple(len(values) for _, values in study.vary)
        self._n = math.prod(self._sizes)
        self._numbers = [{value: i for i, value in enumerate(of)} for _, of in study.vary]

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | list[Cell]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._n))]
        return self.at(self.position(index))

    def position(self, index: int) -> tuple[int, ...]:
        """Return the position of a cell's value on each axis.

        Raises
        ------
        IndexError
            If there is no such cell.
        """
        rest = range(self._n)[index]
        numbers = []
        for size in reversed(self._sizes):
            rest, number = divmod(rest, size)
            numbers.append(number)
        return tuple(reversed(numbers))

    def index_of(self, cell: Cell) -> int:
        """Return the position of a cell of the study, without building others."""
        index = 0
        for size, numbers, (_, value) in zip(self._sizes, self._numbers, cell.values, strict=True):
            index = index * size + numbers[value]
        return index

    def at(self, numbers: Sequence[int]) -> Cell:
        """Return the cell at the position of a value on each axis."""
        study = self._study
        pairs = zip(study.vary, numbers, strict=True)
        values = tuple((path, of[number]) for (path, of), number in pairs)
        experiment = with_values(study.base, values)
        rows, regularizations = rows_of(
            experiment, study.methods, study.strengths, study.variants, study.corrected
        )
        experiment = replace(experiment, regularizations=regularizations)
        return Cell(experiment, rows, study.seeds, values)
