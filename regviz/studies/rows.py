"""The networks of a cell: methods of the catalogue at their strengths."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from regviz.methods.catalogue import (
    EARLY_STOPPING,
    METHODS,
    descends,
    initial_variant,
    method_of,
)
from regviz.methods.labels import parts_of
from regviz.methods.strengths import first_training
from regviz.spec.experiment import Experiment, Regularization, why_not_corrected
from regviz.spec.validation import invalid
from regviz.studies.cell import Row


def rows_of(
    experiment: Experiment,
    methods: tuple[str, ...] | None,
    strengths: Any,
    variants: Iterable[tuple[str, float]] = (),
    corrected: bool = False,
) -> tuple[tuple[Row, ...], tuple[Regularization, ...]]:
    """Return the networks of a cell, and their different regularizations.

    Parameters
    ----------
    experiment : Experiment
        The cell's data, network and training.
    methods, strengths, variants, corrected
        As `regviz.Study` stores them.
    """
    if methods is None:
        named = _own(experiment)
    else:
        named = [
            (method, *one)
            for method in methods
            for one in enumerate(
                _regularizations(experiment, method, strengths, dict(variants), corrected)
            )
        ]
    numbers: dict[Regularization, int] = {}
    rows = tuple(
        Row(method, i, _strength(method, row), numbers.setdefault(row, len(numbers)))
        for method, i, row in named
    )
    return rows, tuple(numbers)


def _own(experiment: Experiment) -> list[tuple[str, int, Regularization]]:
    """Return the regularizations of an experiment by method, each method's from weak to strong.

    Combinations of the same methods, which have no order by strength, stay in their order.
    """
    by_name: dict[str, list[Regularization]] = {}
    for row in experiment.regularizations:
        by_name.setdefault(_name(row), []).append(row)
    for rows in by_name.values():
        if method := method_of(rows[0]):
            rows.sort(key=partial(_strength, method), reverse=descends(method))
    return [(name, i, row) for name, rows in by_name.items() for i, row in enumerate(rows)]


def _name(row: Regularization) -> str:
    """Return the key of a regularization's method; for a combination, the keys of its parts."""
    key = method_of(row) or "+".join(dict.fromkeys(part.method for part in parts_of(row)))
    return key + f"@{row.onset}" * bool(row.onset) + " corrected" * row.corrected


def _regularizations(
    experiment: Experiment,
    method: str,
    strengths: Any,
    variants: Mapping[str, float],
    corrected: bool,
) -> tuple[Regularization, ...]:
    """Return the regularizations of a method in a study, from weak to strong."""
    if method == EARLY_STOPPING:
        return (Regularization(),)
    training = first_training(experiment.training, experiment.phases)
    parts: Any = experiment.data, experiment.network, training
    record = METHODS[method]
    values = record.values(*parts)
    value = variants.get(method, values[min(initial_variant(method), len(values) - 1)])
    offer = record.offered(parts[0], parts[1], parts[2], value) or (0.0,)
    rows = []
    for i, number in enumerate(_numbers(method, strengths, offer)):
        try:
            rows.append(record.regularization(number, value))
        except ValueError as error:
            raise ValueError(f"strengths[{method!r}][{i}]: {error}") from error
    if len(set(rows)) < len(rows):
        raise invalid(f"strengths[{method!r}]", "without repetition", dict(strengths)[method])
    task, network = experiment.data.task, experiment.network
    if method == "elastic_net" and corrected and not why_not_corrected(task, network, training):
        rows = [replace(row, corrected=row.l2 > 0) for row in rows]
    return tuple(rows)


def _numbers(method: str, strengths: Any, offer: tuple[float, ...]) -> Sequence[float]:
    """Return the strengths of a method in a study, from weak to strong, of those on offer."""
    given = dict(strengths).get(method) if isinstance(strengths, tuple) else None
    if given is not None:
        return sorted(given, reverse=descends(method))
    if isinstance(strengths, tuple) or strengths == 1:
        return (offer[min(METHODS[method].default_index, len(offer) - 1)],)
    if strengths == "grid" or strengths >= len(offer):
        return offer
    return tuple(offer[round(i * (len(offer) - 1) / (strengths - 1))] for i in range(strengths))


def _strength(method: str, row: Regularization) -> float:
    """Return the strength of a regularization of a method, NaN if it has none."""
    record = METHODS.get(method)
    if record is None or not record.symbol:
        return math.nan
    return float(f"{record.strength(row):.12g}")  # without rounding errors of sums of l1 and l2
