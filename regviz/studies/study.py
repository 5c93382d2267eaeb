"""A study as a frozen value: an experiment, what varies, methods, strengths and seeds."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from typing import Any, Self

from regviz.analysis.replicates import with_seed
from regviz.methods.catalogue import EARLY_STOPPING
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Experiment, Regularization, mapping, read_json
from regviz.spec.validation import boolean, choice, invalid
from regviz.studies.axes import Axis, checked_axes
from regviz.studies.cell import Cell
from regviz.studies.cells import Cells
from regviz.studies.checks import (
    checked_methods,
    checked_seeds,
    checked_strengths,
    checked_variants,
)
from regviz.studies.cost import StudyCost, cost_of
from regviz.studies.progress import StudyProgress
from regviz.studies.result import StudyResult
from regviz.studies.run import run, stream


@dataclass(frozen=True)
class Study:
    """Many experiments, each with many methods, strengths and seeds.

    Parameters
    ----------
    base : Experiment
        The experiment whose fields vary. Its seeds are replaced by 0, and with ``methods`` its
        regularizations by none, as they have no effect: equal studies compare equal.
    vary : mapping of str to sequence
        Values by path of a field of data, network or training, such as ``"data.noise"``,
        ``"network.hidden"`` or ``"training.learning_rate"``. A cell of the study is one combination
        of values; the last path varies fastest. By default there is one cell.
    methods : sequence of str, optional
        Keys of methods, such as ``"none"``, ``"l2"`` and ``"early_stopping"``, which keeps the
        unregularized network of the recorded epoch with the lowest validation loss. By default the
        regularizations of ``base`` as they are.
    strengths : {"grid"}, int or mapping
        ``"grid"`` is all twelve strengths that the page offers for the cell's data, network and
        training; a number is so many of them, 1 to 12, at even distances from the weakest to the
        strongest, or the page's initial one for 1. A mapping, such as ``{"l2": (0.001, 0.01)}``,
        has the strengths of some methods; the others have the page's initial one.
    seeds : sequence of int
        Seeds of data and training, as for `regviz.replicate`.
    choose : {"validation"} or None
        Rule by which one strength of each method is chosen, for each cell and seed: that with the
        lowest validation loss, of equal ones the strongest, and never a diverged one. None if every
        method has a single strength. Combinations in ``base`` of the same methods, such as L2 with
        dropout, are chosen from in the same way, but of equal ones the last in ``base``.
    variants : mapping of str to float
        Value of the second parameter by method, such as ``{"elastic_net": 0.75}`` for a share of L1
        of 75 %. By default the page's initial one.
    corrected : bool
        Whether elastic net is the corrected one, where it is defined; see `regviz.Scene`.

    Raises
    ------
    ValueError
        If a parameter is of the wrong type or out of range; the message names axis and value.

    Examples
    --------
    >>> import regviz
    >>> base = regviz.Experiment(training=regviz.TrainingSpec(epochs=20))
    >>> study = regviz.Study(
    ...     base,
    ...     vary={"network.hidden": [(2,), (8,)], "data.noise": [0.1, 0.3]},
    ...     methods=("none", "l2"),
    ...     strengths=3,
    ...     seeds=range(2),
    ... )
    >>> len(study.cells), study.cells[-1].values
    (4, (('network.hidden', (8,)), ('data.noise', 0.3)))
    >>> print(study.cost())
    4 cells, 32 networks, under 1 s on one core, 30 kB
    >>> result = study.run()
    >>> result
    StudyResult(4 of 4 cells, 32 networks)
    >>> result.frame.shape
    (32, 22)
    >>> [one.n_done for one in study.stream()]
    [1, 2, 3, 4]
    >>> cell = study.cell({"network.hidden": (2,), "data.noise": 0.3})
    >>> history = regviz.train(cell.experiment_under(seed=1))
    >>> regviz.Study.from_json(study.to_json()) == study
    True
    >>> regviz.Study(base, vary={"data.noise": [0.1, 3]})
    Traceback (most recent call last):
        ...
    ValueError: vary['data.noise'][1]: noise must be a number from 0 to 2, got 3
    """

    base: Experiment = field(default_factory=Experiment)
    vary: Any = ()
    methods: tuple[str, ...] | None = None
    strengths: Any = "grid"
    seeds: tuple[int, ...] = tuple(range(20))
    choose: str | None = "validation"
    variants: Any = ()
    corrected: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.base, Experiment):
            raise invalid("base", "an Experiment", self.base)
        if isinstance(self.base.data, ArraysSpec):
            allowed = "an Experiment whose data is a DataSpec or a PointsSpec"
            raise invalid("base", allowed, self.base.data)
        self._set("methods", checked_methods(self.methods))
        base = with_seed(self.base, 0)
        if self.methods is not None:
            base = replace(base, regularizations=(Regularization(),))
        self._set("base", base)
        self._set("vary", checked_axes(self.base, self.vary))
        self._set("strengths", checked_strengths(self.strengths, self.methods))
        self._set("seeds", checked_seeds(self.seeds))
        self._set("variants", checked_variants(self.variants, self.methods))
        boolean("corrected", self.corrected)
        if self.choose is not None:
            choice("choose", self.choose, ("validation",))
        self._check_choice()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, without the cached cells."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_choice(self) -> None:
        """Raise ValueError if strengths or epochs are to be chosen, and cannot be."""
        rows = self.cells[0].rows
        several = max(row.strength_index for row in rows) > 0
        if several and self.choose is None:
            allowed = "'validation', as a method has several strengths"
            raise invalid("choose", allowed, self.choose)
        path = "data.validation_fraction"
        data: Any = self.base.data
        fractions = dict(self.vary).get(path, (data.validation_fraction,))
        if (several or EARLY_STOPPING in (self.methods or ())) and 0 in fractions:
            name = f"vary[{path!r}][{fractions.index(0)}]" if path in dict(self.vary) else path
            raise invalid(name, "above 0, as validation points choose a strength or epoch", 0.0)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, with names and texts for tables and figures."""
        return tuple(Axis(path, values) for path, values in self.vary)

    @cached_property
    def cells(self) -> Cells:
        """The cells in order; each is built when it is asked for."""
        return Cells(self)

    def cell(self, values: Mapping[str, Any] | None = None) -> Cell:
        """Return the cell with a value on each axis.

        Parameters
        ----------
        values : mapping of str to value
            Path and value; axes with a single value may be left out.

        Returns
        -------
        Cell

        Raises
        ------
        ValueError
            If the study has no such cell.
        """
        given = dict(values or {})
        if given and not self.axes:
            raise invalid("values", "empty, as the study has no axes", values)
        for path in given:
            choice("a path of values", path, [axis.path for axis in self.axes])
        numbers = []
        for axis in self.axes:
            if axis.path not in given and len(axis.values) > 1:
                raise invalid("values", f"a mapping with {axis.path!r}", values)
            value = given.get(axis.path, axis.values[0])
            value = tuple(value) if isinstance(value, list) else value
            if value not in axis.values:
                allowed = f"one of {', '.join(map(repr, axis.values))}"
                raise invalid(f"values[{axis.path!r}]", allowed, value)
            numbers.append(axis.values.index(value))
        return self.cells.at(numbers)

    def cost(self) -> StudyCost:
        """Estimate what the study takes, before it runs.

        Returns
        -------
        StudyCost
            Cells, networks, seconds on one core and bytes in a store. Of more than 1000 cells, the
            cost of 1000 random ones is estimated.
        """
        return cost_of(self, range(len(self.cells)))

    def run(
        self,
        store: str | PathLike[str] | None = None,
        scheduler: Any = None,
        *,
        progress: Callable[[StudyProgress], object] | None = None,
    ) -> StudyResult:
        """Train all networks, and return their numbers.

        Parameters
        ----------
        store : str or path, optional
            Folder for the numbers of finished cells, which is created if it does not exist. Cells
            whose numbers are in it are not computed again, also those of another study.
        scheduler : str or distributed.Client, optional
            Address of a Dask scheduler, such as ``"tcp://10.0.0.5:8786"``, or a client of one. By
            default the cells are computed on this machine.
        progress : callable, optional
            Called with a `regviz.studies.progress.StudyProgress` when a cell is finished. By
            default a line is shown.

        Returns
        -------
        StudyResult

        Raises
        ------
        ValueError
            If ``store`` is no folder that can be read and written and has enough space, or no
            ``scheduler`` answers; before anything is computed.
        regviz.studies.errors.RunError
            If cells are missing: `StudyError` after the last cell if some failed, `StoreError` if
            the store cannot be used any more, `SchedulerLostError` and `UnfitWorkersError` if the
            cluster cannot. The attribute ``result`` of each has the finished cells.
        """
        return run(self, store, scheduler, progress=progress)

    def stream(
        self,
        store: str | PathLike[str] | None = None,
        scheduler: Any = None,
        *,
        progress: Callable[[StudyProgress], object] | None = None,
    ) -> Iterator[StudyResult]:
        """Train all networks, and yield the growing result as cells finish.

        Parameters
        ----------
        store : str or path, optional
        scheduler : str or distributed.Client, optional
        progress : callable, optional
            All as for `run`.

        Yields
        ------
        StudyResult
            Its table is made when it is asked for.
        """
        return stream(self, store, scheduler, progress=progress)

    @property
    def id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 hash of `to_json`, the same everywhere."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """Return the study as JSON text, from which `from_json` builds an equal one.

        Returns
        -------
        str
        """
        several = isinstance(self.strengths, tuple)
        content = {
            "base": json.loads(self.base.to_json()),
            "vary": dict(self.vary),
            "methods": self.methods,
            "strengths": dict(self.strengths) if several else self.strengths,
            "seeds": self.seeds,
            "choose": self.choose,
            "variants": dict(self.variants),
            "corrected": self.corrected,
        }
        return json.dumps(content, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build a study from the text of `to_json`. Missing parameters take their defaults.

        Parameters
        ----------
        text : str
            JSON text.

        Returns
        -------
        Study

        Raises
        ------
        ValueError
            If the text is not JSON, names an unknown parameter, or holds a value out of range.
        """
        allowed = [one.name for one in dataclasses.fields(cls)]
        content = dict(mapping("study", read_json("study", text), allowed))
        if "base" in content:
            content["base"] = Experiment.from_json(json.dumps(content["base"]))
        return cls(**content)
