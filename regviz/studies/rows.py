"""The networks of a cell: methods of the catalogue at their strengths."""

import math
from typing import Any

from regviz.methods.catalogue import (
    EARLY_STOPPING,
    METHODS,
    initial,
    initial_variant,
    method_of,
    offered,
)
from regviz.methods.labels import parts_of
from regviz.methods.strengths import first_training
from regviz.spec.experiment import Experiment, Regularization
from regviz.spec.validation import invalid
from regviz.studies.cell import Row


def rows_of(
    experiment: Experiment, methods: tuple[str, ...] | None, strengths: Any
) -> tuple[tuple[Row, ...], tuple[Regularization, ...]]:
    """Return the networks of a cell, and their different regularizations.

    Parameters
    ----------
    experiment : Experiment
        The cell's data, network and training.
    methods, strengths
        As `regviz.Study` stores them.
    """
    if methods is None:
        named = _own(experiment)
    else:
        named = [
            (method, *one)
            for method in methods
            for one in enumerate(_regularizations(experiment, method, strengths))
        ]
    numbers: dict[Regularization, int] = {}
    rows = tuple(
        Row(method, i, _strength(method, row), numbers.setdefault(row, len(numbers)))
        for method, i, row in named
    )
    return rows, tuple(numbers)


def _own(experiment: Experiment) -> list[tuple[str, int, Regularization]]:
    """Return the regularizations of an experiment, those of one method numbered in their order."""
    named = []
    counts: dict[str, int] = {}
    for row in experiment.regularizations:
        method = _name(row)
        named.append((method, counts.get(method, 0), row))
        counts[method] = counts.get(method, 0) + 1
    return named


def _name(row: Regularization) -> str:
    """Return the key of a regularization's method; for a combination, the keys of its parts."""
    key = method_of(row) or "+".join(dict.fromkeys(part.method for part in parts_of(row)))
    return key + f"@{row.onset}" * bool(row.onset) + " corrected" * row.corrected


def _regularizations(
    experiment: Experiment, method: str, strengths: Any
) -> tuple[Regularization, ...]:
    """Return the regularizations of a method in a study, from weak to strong."""
    if method == EARLY_STOPPING:
        return (Regularization(),)
    training = first_training(experiment.training, experiment.phases)
    parts: Any = experiment.data, experiment.network, training
    if isinstance(strengths, tuple):
        given = dict(strengths).get(method)
        return initial((method,), *parts) if given is None else _given(method, given, parts)
    if strengths == 1:
        return initial((method,), *parts)
    ((variants),) = offered((method,), *parts)
    every = variants[min(initial_variant(method), len(variants) - 1)]
    if strengths == "grid" or strengths >= len(every):
        return every
    return tuple(every[round(i * (len(every) - 1) / (strengths - 1))] for i in range(strengths))


def _given(method: str, numbers: tuple[float, ...], parts: Any) -> tuple[Regularization, ...]:
    """Return the regularizations of a method at given strengths, sorted from weak to strong."""
    record = METHODS[method]
    values = record.values(*parts)
    value = values[min(initial_variant(method), len(values) - 1)]
    offer = record.offered(parts[0], parts[1], parts[2], value)
    downwards = len(offer) > 1 and offer[0] > offer[-1]  # as the radii of max-norm
    rows = []
    for i, number in enumerate(sorted(numbers, reverse=downwards)):
        try:
            rows.append(record.regularization(number, value))
        except ValueError as error:
            raise ValueError(f"strengths[{method!r}][{i}]: {error}") from error
    if len(set(rows)) < len(rows):
        raise invalid(f"strengths[{method!r}]", "without repetition", numbers)
    return tuple(rows)


def _strength(method: str, row: Regularization) -> float:
    """Return the strength of a regularization of a method, NaN if it has none."""
    record = METHODS.get(method)
    if record is None or not record.symbol:
        return math.nan
    return float(f"{record.strength(row):.12g}")  # without rounding errors of sums of l1 and l2
