"""A network of an experiment as a short, complete program in another library.

The programs are for reading and for going on with. Each one reads ``points.csv``, which
`regviz.data.points_file.points_csv` writes, and trains the same network in the same way.
"""

from dataclasses import dataclass
from types import ModuleType

from regviz.programs import keras, pytorch, scikit_learn
from regviz.programs._plan import Plan
from regviz.spec.experiment import Experiment
from regviz.spec.validation import choice, integer, invalid

_MODULES: dict[str, ModuleType] = {
    "pytorch": pytorch,
    "scikit-learn": scikit_learn,
    "keras": keras,
}
LIBRARIES: dict[str, str] = {key: module.NAME for key, module in _MODULES.items()}


@dataclass(frozen=True)
class Program:
    """A program in Python.

    Attributes
    ----------
    source : str
        Its text.
    note : str
        What it has in common with the run, and what it cannot have.
    """

    source: str
    note: str


def libraries(experiment: Experiment, k: int) -> dict[str, str | None]:
    """Which libraries can train network ``k``.

    Returns
    -------
    dict of str to str or None
        For each key of `LIBRARIES`, None where `program` has a program, else a sentence that says
        what the library lacks.

    Raises
    ------
    ValueError
        If there is no network ``k``.
    """
    plan = _plan(experiment, k)
    return {key: module.lacks(plan) for key, module in _MODULES.items()}


def program(experiment: Experiment, k: int, library: str) -> Program:
    """The program that trains network ``k`` of an experiment.

    It reads ``points.csv`` from the working directory, and prints the data loss and the accuracy of
    training and test points, and the share of weights that are exactly 0.

    Parameters
    ----------
    experiment : Experiment
    k : int
        Which of ``experiment.regularizations``.
    library : str
        A key of `LIBRARIES`: ``"pytorch"``, ``"scikit-learn"`` or ``"keras"``.

    Raises
    ------
    ValueError
        If there is no network ``k``, or the library cannot train it.

    See Also
    --------
    regviz.data.points_file.points_csv : The file that the program reads.
    """
    choice("library", library, LIBRARIES)
    lacking = libraries(experiment, k)
    if lacking[library]:
        others = [key for key, lack in lacking.items() if lack is None]
        allowed = f"one of {', '.join(map(repr, others))} for this network ({lacking[library]})"
        raise invalid("library", allowed, library)
    plan = _plan(experiment, k)
    module = _MODULES[library]
    idle = " Dropout and max-norm act on hidden units, and there are none." if plan.idle else ""
    return Program(module.source(plan), module.note(plan) + idle)


def _plan(experiment: Experiment, k: int) -> Plan:
    return Plan.of(experiment, integer("k", k, 0, len(experiment.regularizations) - 1))
