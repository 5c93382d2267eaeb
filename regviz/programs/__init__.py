"""Export of one network's training as a short, complete program for another library.

A program reads ``points.csv``, the file of `regviz.data.points_file.points_csv`, and trains the
same network on the same objective.
"""

from dataclasses import dataclass
from typing import Protocol, cast

from regviz.programs import keras, pytorch, scikit_learn
from regviz.programs._plan import Plan, with_onset
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import Experiment
from regviz.spec.validation import choice, integer, invalid


class Library(Protocol):
    """A module that generates programs for a library, such as `regviz.programs.pytorch`.

    It has the library's name as ``NAME``, and three functions of a `Plan`.
    """

    NAME: str

    def lacks(self, plan: Plan) -> str | None:
        """Return a sentence about the feature that the library lacks for this network, or None."""

    def note(self, plan: Plan) -> str:
        """Return a note on agreements and differences between the program and the run."""

    def source(self, plan: Plan) -> str:
        """Return the program's text."""


LIBRARIES: dict[str, Library] = {}


def register_library(key: str, library: Library) -> None:
    """Add a library to those for which `program` and the page generate programs.

    Parameters
    ----------
    key : str
        Name of the library in `program`.
    library : module or object
        It has the library's name as ``NAME``, and the functions ``lacks``, ``note`` and ``source``
        of a `Library`.

    Raises
    ------
    ValueError
        If another library has this key.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from regviz.programs import libraries, register_library
    >>> import regviz
    >>> nothing = SimpleNamespace(
    ...     NAME="Nothing",
    ...     lacks=lambda plan: "It trains no networks.",
    ...     note=lambda plan: "",
    ...     source=lambda plan: "",
    ... )
    >>> register_library("nothing", nothing)
    >>> libraries(regviz.Experiment(), k=0)["nothing"]
    'It trains no networks.'
    """
    if LIBRARIES.get(key, library) is not library:
        raise invalid("key", "one that no other library has", key)
    LIBRARIES[key] = library


register_library("pytorch", pytorch)
register_library("scikit-learn", scikit_learn)
register_library("keras", keras)


NO_HIDDEN_UNITS = "Dropout, max-norm and group lasso act on hidden units, and there are none."
NO_PHASES = (
    "No program is written for a training that changes on the way, unless it begins without"
    " regularization."
)

NO_WEIGHTS = "No program is written for points with weights."


@dataclass(frozen=True)
class Program:
    """A generated Python program.

    Attributes
    ----------
    source : str
        Text of the program.
    note : str
        Agreements and differences between the program and the run.

    Examples
    --------
    >>> import regviz
    >>> from regviz.programs import program
    >>> pytorch = program(regviz.Experiment(), k=0, library="pytorch")
    >>> "import torch" in pytorch.source, len(pytorch.note) > 0
    (True, True)
    """

    source: str
    note: str


def libraries(experiment: Experiment, k: int) -> dict[str, str | None]:
    """Return which libraries can train network ``k``.

    Parameters
    ----------
    experiment : Experiment
    k : int
        Index into ``experiment.regularizations``.

    Returns
    -------
    dict of str to str or None
        For each key of `LIBRARIES`, None if `program` supports it, or else a sentence about the
        feature that the library lacks.

    Raises
    ------
    ValueError
        If there is no network ``k``.

    Examples
    --------
    >>> import regviz
    >>> from regviz.programs import libraries
    >>> rows = (regviz.Regularization(l1=0.01),)
    >>> lacking = libraries(regviz.Experiment(regularizations=rows), k=0)
    >>> [key for key, sentence in lacking.items() if sentence is None]
    ['pytorch', 'keras']
    """
    plan = _plan(experiment, k)
    if isinstance(experiment.data, ArraysSpec) and experiment.data.weighted:
        return dict.fromkeys(LIBRARIES, NO_WEIGHTS)
    if plan is None:
        return dict.fromkeys(LIBRARIES, NO_PHASES)
    return {key: module.lacks(plan) for key, module in LIBRARIES.items()}


def program(experiment: Experiment, k: int, library: str) -> Program:
    """Generate a program that trains network ``k`` of an experiment.

    The program reads ``points.csv`` from the working directory. It prints data loss and accuracy on
    training and test points, and the share of weights that are exactly 0.

    Parameters
    ----------
    experiment : Experiment
    k : int
        Index into ``experiment.regularizations``.
    library : str
        A key of `LIBRARIES`: ``"pytorch"``, ``"scikit-learn"``, ``"keras"``, or a registered one.

    Returns
    -------
    Program

    Raises
    ------
    ValueError
        If there is no network ``k``, or the library cannot train it.

    See Also
    --------
    regviz.data.points_file.points_csv : The file that the program reads.

    Examples
    --------
    >>> import regviz
    >>> from regviz.programs import program
    >>> experiment = regviz.Experiment(regularizations=(regviz.Regularization(l2=0.01),))
    >>> "MLPClassifier" in program(experiment, k=0, library="scikit-learn").source
    True
    """
    choice("library", library, LIBRARIES)
    lacking = libraries(experiment, k)
    if lacking[library]:
        others = ", ".join(repr(key) for key, lack in lacking.items() if lack is None)
        allowed = f"{f'one of {others}' if others else 'left out'} for this network"
        allowed += f" ({lacking[library]})"
        raise invalid("library", allowed, library)
    plan = cast(Plan, _plan(experiment, k))
    module = LIBRARIES[library]
    idle = f" {NO_HIDDEN_UNITS}" if plan.idle else ""
    return Program(module.source(plan), module.note(plan) + idle)


def _plan(experiment: Experiment, k: int) -> Plan | None:
    """Return the plan of network ``k``, or None for phases that no program can have."""
    integer("k", k, 0, len(experiment.regularizations) - 1)
    plain = with_onset(experiment)
    return None if plain is None else Plan.of(plain, k)
