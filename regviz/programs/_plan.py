"""Description of the training to export, independent of the library, and shared lines of code."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from regviz.data.datasets import n_train_of
from regviz.methods.labels import label
from regviz.spec.arrays import ArraysSpec
from regviz.spec.experiment import (
    DataSpec,
    Experiment,
    NetworkSpec,
    Regularization,
    TrainingSpec,
    without_hidden_units,
)
from regviz.spec.points import PointsSpec

WIDTH = 88  # columns, the default of ruff and Black
_FEATURES = {
    "x1": "x1",
    "x2": "x2",
    "x1^2": "x1**2",
    "x2^2": "x2**2",
    "x1*x2": "x1 * x2",
    "sin(x1)": "np.sin(x1)",
    "sin(x2)": "np.sin(x2)",
}


def with_onset(experiment: Experiment) -> Experiment | None:
    """Return an equal experiment without phases, or None if there is none.

    A phase without regularization, at the training's learning rate, equals an ``onset``.
    """
    if not experiment.phases:
        return experiment
    rates = {phase.learning_rate for phase in experiment.phases}
    rows = {phase.regularization for phase in experiment.phases}
    if rows != {Regularization()} or not rates <= {None, experiment.training.learning_rate}:
        return None
    until = experiment.phases[-1].until
    late = tuple(replace(row, onset=max(row.onset, until)) for row in experiment.regularizations)
    return replace(experiment, regularizations=late, phases=())


@dataclass(frozen=True)
class Plan:
    """One network of an experiment, and its training.

    Attributes
    ----------
    data : DataSpec, PointsSpec or ArraysSpec
    network : NetworkSpec
    training : TrainingSpec
    regularization : Regularization
        Without parameters that have no effect: dropout, max-norm and group lasso without hidden
        units, ``corrected`` and ``decoupled`` without ``l2``, ``onset`` without regularization.
    idle : bool
        Whether dropout, max-norm or group lasso were removed, as there are no hidden units.
    """

    data: DataSpec | PointsSpec | ArraysSpec
    network: NetworkSpec
    training: TrainingSpec
    regularization: Regularization
    idle: bool = False

    @classmethod
    def of(cls, experiment: Experiment, k: int) -> Self:
        """Return the plan of network ``k`` of an experiment without phases."""
        r = experiment.acting(experiment.training.epochs - 1)[k]
        trained = r if experiment.network.hidden else without_hidden_units(r)
        idle, r = trained != r, trained
        r = replace(r, decoupled=r.decoupled and r.l2 > 0, corrected=r.corrected and r.l2 > 0)
        if r == Regularization(onset=r.onset):
            r = Regularization()
        return cls(experiment.data, experiment.network, experiment.training, r, idle)

    @property
    def linear(self) -> bool:
        """Whether there are no hidden units."""
        return not self.network.hidden

    @property
    def normalization(self) -> str:
        """Normalization of the hidden layers: ``"none"``, ``"batch"`` or ``"layer"``."""
        return "none" if self.linear else self.network.normalization

    @property
    def affine(self) -> bool:
        """Whether a gain and a shift follow the normalization."""
        return self.normalization != "none" and self.network.affine

    @property
    def adaptive(self) -> bool:
        """Whether the optimizer is Adam or AdamW, which differ in weight decay alone."""
        return self.training.optimizer in ("adam", "adamw")

    @property
    def penalty_l2(self) -> bool:
        """Whether L2 is part of the objective."""
        return self.regularization.l2 > 0 and not self.regularization.decoupled

    @property
    def dropout(self) -> bool:
        """Whether inputs or hidden units have dropout."""
        return bool(self.regularization.drop_rate or self.regularization.input_drop_rate)

    @property
    def maps(self) -> bool:
        """Whether the objective has a penalty, on weights or on groups of them."""
        return bool(self.penalty or self.regularization.group_lasso)

    @property
    def penalty(self) -> str:
        """Name of the penalty on single weights in the objective.

        Empty without L1 and L2, or if L2 is decoupled.
        """
        if self.regularization.l1:
            return "elastic net" if self.penalty_l2 else "L1"
        return "L2" if self.penalty_l2 else ""

    @property
    def uneven(self) -> bool:
        """Whether an epoch's last batch is smaller than the others."""
        size, n = self.training.batch_size, n_train_of(self.data)
        return size is not None and size < n and n % size > 0

    @property
    def lone(self) -> bool:
        """Whether an epoch's last batch has one point, which batch normalization leaves out."""
        size, n = self.training.batch_size or 0, n_train_of(self.data)
        return self.normalization == "batch" and self.uneven and n % size == 1

    @property
    def inputs(self) -> dict[str, str]:
        """Expressions of the network's inputs in terms of the columns, by name of the input."""
        if self.data.n_columns == 2:
            return {name: _FEATURES[name] for name in self.network.features}
        return {name: name for name in (f"x{i + 1}" for i in range(self.data.n_columns))}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of units of each layer, including inputs and outputs."""
        return (len(self.inputs), *self.network.hidden, self.data.n_outputs)

    def about(self, library: str, needs: str) -> list[str]:
        """Return the lines of the program's docstring."""
        name = label(self.regularization).text
        plain = self.regularization == Regularization()
        text = (
            f"Regularization: {'none' if plain else name}. Reads points.csv of RegViz, which has to"
            f" lie in the same folder. Needs {needs}."
        )
        kind = "linear model" if self.linear else "network"
        return [f'"""A {kind} in {library}.', "", *textwrap.wrap(text, WIDTH), '"""']

    def constants(self) -> list[str]:
        """Return the lines that define the constants of training and regularization."""
        t = self.training
        constants: list[tuple[str, float]] = [("LEARNING_RATE", t.learning_rate)]
        if t.optimizer == "momentum":
            constants.append(("MOMENTUM", t.momentum))
        if self.adaptive:
            constants += [("BETA1", t.beta1), ("BETA2", t.beta2), ("EPSILON", t.epsilon)]
        if t.batch_size:
            constants.append(("BATCH_SIZE", t.batch_size))
        constants.append(("EPOCHS", t.epochs))
        return [*(f"{name} = {value!r}" for name, value in constants), *self.strengths()]

    def strengths(self) -> list[str]:
        """Return the lines that define the constants of the regularization."""
        r = self.regularization
        constants = {
            "L1": r.l1,
            "L2": r.l2,
            "GROUP_LASSO": r.group_lasso,
            "INPUT_DROP_RATE": r.input_drop_rate,
            "DROP_RATE": r.drop_rate,
            "MAX_NORM": r.max_norm,
            "ONSET": r.onset,
        }
        return [f"{name} = {value!r}" for name, value in constants.items() if value]

    def step_size(self) -> list[str]:
        """Return the line that defines the step size of the proximal map under gradient descent."""
        if self.training.optimizer == "momentum":
            why = "  # how far a steady gradient of 1 moves a weight"
            return [f"STEP = LEARNING_RATE / (1 - MOMENTUM){why}"]
        return ["STEP = LEARNING_RATE"]

    def zeros(self) -> list[str]:
        """Return a comment on zeros due to underflow, under L2 without L1; else no lines."""
        if self.regularization.l1 or not self.regularization.l2:
            return []
        return ["# L2 sets none to 0: one that is has shrunk below the smallest number there is"]

    def points(self) -> list[str]:
        """Return the lines that read ``points.csv`` and compute the network's inputs."""
        read = [
            "points = np.genfromtxt(",
            '    "points.csv", delimiter=",", names=True, dtype=None, encoding="utf-8"',
            ")",
        ]
        inputs = self.inputs
        if len(inputs) > 2 and all(name == value for name, value in inputs.items()):
            numbers = f"range(1, {len(inputs) + 1})"
            return [*read, f'inputs = np.column_stack([points[f"x{{i}}"] for i in {numbers}])']
        features = ", ".join(inputs.values())
        columns = [name for name in ("x1", "x2") if name in features]
        values = ", ".join(f'points["{name}"]' for name in columns)
        return [
            *read,
            f"{', '.join(columns)} = {values}",
            f"inputs = np.column_stack([{features}])",
        ]


def indent(lines: Sequence[str], levels: int = 1) -> list[str]:
    """Indent lines by four spaces per level."""
    return ["    " * levels + line if line else "" for line in lines]


def call(function: str, arguments: Sequence[str]) -> list[str]:
    """Format a call in one line if it fits, or else with a line for each argument or comment."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= WIDTH and not any(part.startswith("#") for part in arguments):
        return [line]
    parts = [part if part.startswith("#") else f"{part}," for part in arguments]
    return [f"{function}(", *indent(parts), ")"]


def join(*sections: Sequence[str]) -> str:
    """Join sections of a program by blank lines: one, or two around functions and classes."""
    text = ""
    before = False
    for lines in filter(None, sections):
        block = lines[0].startswith(("def ", "class ", "@"))
        gap = "\n\n" if block or before else "\n"
        text += (gap if text else "") + "\n".join(lines) + "\n"
        before = block
    return text
