"""The numbers of a study, of all its cells or of those that are finished."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from regviz.extras import missing
from regviz.studies import summary
from regviz.studies.cell import arrow, schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from regviz.studies.study import Study


class StudyResult:
    """The numbers of a study's networks, of all cells or of those that are finished.

    Parameters
    ----------
    study : Study
    table : pyarrow.Table or callable
        A row for each network: cell after cell in the order of the study, method, strength, seed.
        A function without arguments is called when the table is asked for, and returns it.
    n_done : int
        Number of finished cells.

    Examples
    --------
    >>> import regviz
    >>> base = regviz.Experiment(training=regviz.TrainingSpec(epochs=20))
    >>> study = regviz.Study(
    ...     base,
    ...     vary={"data.noise": [0.1, 0.3]},
    ...     methods=("none", "l2"),
    ...     strengths=2,
    ...     seeds=range(3),
    ... )
    >>> result = study.run()
    >>> result.complete, result.methods
    (True, ('none', 'l2'))
    >>> result.frame.shape, result.chosen.shape
    ((18, 21), (12, 21))
    >>> result.means("test_accuracy")[["data.noise", "method", "n_seeds"]].values.tolist()
    [[0.1, 'none', 3], [0.1, 'l2', 3], [0.3, 'none', 3], [0.3, 'l2', 3]]
    >>> table = result.differences("test_loss", baseline="none")
    >>> table[["data.noise", "method", "clear"]].values.tolist()
    [[0.1, 'l2', False], [0.3, 'l2', False]]
    >>> result.winners("test_loss")["ties"].map(len).tolist()
    [1, 1]

    Of cells that were computed otherwise:

    >>> from regviz.studies.cell import compute
    >>> from regviz.studies.result import StudyResult
    >>> StudyResult.of(study, {1: compute(study.cells[1])})
    StudyResult(1 of 2 cells, 9 networks)
    """

    def __init__(
        self, study: "Study", table: "pa.Table | Callable[[], pa.Table]", n_done: int
    ) -> None:
        self.study, self.n_done = study, n_done
        self._table = table

    @classmethod
    def of(cls, study: "Study", tables: "Mapping[int, pa.Table]") -> Self:
        """Return the result of some cells.

        Parameters
        ----------
        study : Study
        tables : mapping of int to pyarrow.Table
            Tables of `regviz.studies.cell.compute` by position of the cell in ``study.cells``.

        Returns
        -------
        StudyResult
        """
        return cls(study, table_of(study, tables.items()), len(tables))

    @cached_property
    def table(self) -> "pa.Table":
        """Table with a row for each network, in the order of cells, methods, strengths, seeds."""
        made = self._table  # read once, as other threads may replace it
        if callable(made):  # it has the cells' tables, which are not needed any more
            made = self._table = made()
        return made

    def __reduce__(self) -> tuple[type[Self], tuple["Study", "pa.Table", int]]:
        """Return the content to pickle: the table, and not the function that makes it."""
        return type(self), (self.study, self.table, self.n_done)

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

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position in ``study.cells`` of each finished cell, by its key, in order."""
        return summary.positions(self.study, self.table)

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Keys of the methods in the order of the table, as in its column ``method``."""
        return summary.methods_of(self.study)

    def means(self, metric: str = "test_loss") -> "pd.DataFrame":
        """Return the mean of a number over seeds, for each finished cell and method.

        Of each method and seed, the network of the chosen strength counts. A method that diverged
        under a seed, at all of its strengths, has no mean there: it is NaN, and ``n_diverged`` says
        under how many seeds. The mean over the other seeds would make it look better than it is.

        Parameters
        ----------
        metric : str
            Column of `frame` with a loss, accuracy or measure of the weights.

        Returns
        -------
        pandas.DataFrame
            Columns ``cell`` (key), one for each axis, ``method``, ``mean``, ``standard_error``,
            ``low`` and ``high`` (Student's interval at 0.95), ``n_seeds``, ``n_diverged``. For own
            points, of which each seed makes other splits, errors are corrected for their overlap
            (Nadeau & Bengio 2003).

        Raises
        ------
        ValueError
            If there is no such column.
        """
        return self._once(
            repr(("means", metric)), lambda: summary.means(self.study, self.table, metric)
        )

    def differences(
        self,
        metric: str = "test_loss",
        baseline: str = "none",
        *,
        interval: str = "t",
        correction: str | None = "holm",
    ) -> "pd.DataFrame":
        """Return the paired differences of each method from another one, for each finished cell.

        Networks of one seed have the same points and initial weights, so differences are taken seed
        by seed. A difference is NaN if one of both methods diverged under a seed, at all of its
        strengths.

        Parameters
        ----------
        metric : str
            Column of `frame` with a loss, accuracy or measure of the weights.
        baseline : str
            Key of the method to compare with.
        interval : {"t", "bootstrap"}
            Student's interval, or `regviz.studies.statistics.bootstrap_interval`, which assumes no
            distribution and is too narrow for few seeds.
        correction : {"holm", "benjamini_hochberg"} or None
            Correction of p for the number of comparisons: all methods in all cells of the study,
            finished or not, so that no clear difference becomes unclear while cells are finished.
            Holm's method bounds the probability of a single false clear difference. It is the
            default, as a reader picks single cells from the table, and as it allows any dependence
            between cells, which share seeds and a baseline. That of Benjamini and Hochberg bounds
            the share of false ones among all clear differences, and finds more.

        Returns
        -------
        pandas.DataFrame
            A row for each cell and method but the baseline, with columns

            - ``cell`` (key), one for each axis, and ``method``;
            - ``mean``: mean difference, the method's number minus the baseline's;
            - ``standard_error`` of the mean, and ``low`` and ``high``, its interval at 0.95, which
              has no width if the differences are equal under all seeds. For
              own points, of which each seed makes other splits, they are corrected for the overlap
              of the splits (Nadeau & Bengio 2003);
            - ``p`` of the paired t test, for any interval, and ``p_corrected``; of differences that
              are equal under all seeds, see `regviz.studies.statistics.p_values`;
            - ``n_seeds``, and ``n_diverged``: the number of seeds under which one of both methods
              diverged;
            - ``seeds_needed``: the number of seeds at which that test, without correction, finds a
              difference of this size at p < 0.05 with a probability of 0.8;
            - ``clear``: whether ``p_corrected`` is below 0.05.

        Raises
        ------
        ValueError
            If a parameter is not one of the allowed values.

        See Also
        --------
        regviz.studies.statistics : The functions that compute the numbers.
        """
        return self._once(
            repr(("differences", metric, baseline, interval, correction)),
            lambda: summary.differences(
                self.study, self.table, metric, baseline, interval=interval, correction=correction
            ),
        )

    def winners(self, metric: str = "test_loss") -> "pd.DataFrame":
        """Return the method with the best mean of each finished cell, and the methods that tie.

        A method ties unless it is clearly worse: p of its paired difference from the best
        (`regviz.studies.statistics.p_values`) is below 0.05, corrected by Holm's method for all
        pairs of methods in all cells. All pairs count, as the same numbers say which method is the
        best.

        Parameters
        ----------
        metric : {"test_loss", "validation_loss", "test_accuracy", "validation_accuracy"}

        Returns
        -------
        pandas.DataFrame
            A row for each cell, with columns

            - ``cell`` (key), and one for each axis;
            - ``method`` with the best mean, and this ``mean``; ``""`` and NaN if all diverged;
            - ``ties``: tuple of the other methods that are not clearly worse;
            - ``clear``: whether all other methods are clearly worse. False if one of them diverged,
              and with one seed, as there is no test then;
            - ``certainty``: how often the method has the best mean if the seeds are drawn again,
              from 0 to 1 (`regviz.studies.statistics.shares_best`). It is not corrected for the
              number of cells, and too close to 0 or 1 with few seeds. NaN with one seed, and if all
              other methods diverged;
            - ``diverged``: tuple of the methods that diverged under a seed. They never win or tie.

        Raises
        ------
        ValueError
            If the metric is another one, or the study has a single method.
        """
        return self._once(
            repr(("winners", metric)), lambda: summary.winners(self.study, self.table, metric)
        )

    @property
    def n_bytes(self) -> int:
        """Memory of the table, and of the frames that were made of it, in bytes."""
        made = [self.__dict__[name] for name in ("frame", "chosen") if name in self.__dict__]
        frames = [*made, *self._computed.values()]
        n_bytes = sum(int(frame.memory_usage(deep=True).sum()) for frame in frames)
        return n_bytes + int(self.table.nbytes)

    @cached_property
    def _computed(self) -> "dict[str, pd.DataFrame]":
        """Tables that methods have returned, by the method and its arguments."""
        return {}

    def _once(self, key: str, compute: "Callable[[], pd.DataFrame]") -> "pd.DataFrame":
        """Return a copy of a table that is computed at the first call only."""
        if key not in self._computed:
            self._computed[key] = compute()
        return self._computed[key].copy()

    def _pandas(self, table: "pa.Table") -> "pd.DataFrame":
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise ImportError(missing("The frame of a study", "pandas", "studies")) from error
        return table.to_pandas()


def growing(study: "Study", done: "list[tuple[int, pa.Table]]") -> StudyResult:
    """Return the result of the cells that are in a list now; further ones may be appended.

    Its table is made when it is asked for: a table after each of n cells takes O(n²) time.

    Parameters
    ----------
    study : Study
    done : list of (int, pyarrow.Table)
        As for `table_of`.
    """
    n = len(done)
    return StudyResult(study, lambda: table_of(study, done[:n]), n)


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
    positions = np.array([study.cells.position(at) for at, _ in in_order], dtype=np.intp)
    for i, axis in enumerate(study.axes):
        of_cells = positions[:, i] if in_order else positions
        values = pa.array(axis.column).take(pa.array(np.repeat(of_cells, sizes)))
        table = table.add_column(1 + i, axis.path, values)
    return table
