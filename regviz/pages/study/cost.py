"""A study in words, what it takes, and whether the server allows it."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from regviz.engine.layout import NETWORKS, Layout
from regviz.methods.labels import method_name
from regviz.pages.study.offers import offers_of
from regviz.server.state import limits
from regviz.studies.cell import SEEDS_AT_ONCE, Cell
from regviz.studies.cost import StudyCost
from regviz.studies.progress import duration
from regviz.studies.study import Study

# Bound on the memory of a cell in training, in bytes; and numbers in memory for each parameter of a
# network: its value, its gradient, and the optimizer's two moments.
MAX_CELL_BYTES, NUMBERS_PER_PARAMETER = 400_000_000, 4
# The axes on which the memory of a cell depends: those of which each value is to be looked at, and
# those of which one value has the largest cells, by a key to find it.
_EACH = ("data.name", "network.hidden", "network.normalization", "network.affine")
_LARGEST: dict[str, Callable[[Any], int]] = {
    "network.features": len,
    "training.epochs": int,
    "training.dtype": lambda dtype: np.dtype(dtype).itemsize,
}


@lru_cache(maxsize=64)
def cost_of(study: Study) -> StudyCost:
    """Return the cost of a study, cached, as each rerun of the page needs it."""
    return study.cost()


@lru_cache(maxsize=64)
def largest_cell_bytes(study: Study) -> int:
    """Return the memory of the study's largest cell in training, in bytes.

    Only cells that can be the largest are looked at, as a link may have 10,000 cells. Axes such as
    noise or learning rate are held at their first value: sizes of networks do not depend on them,
    nor do the numbers of strengths that the catalogue's methods offer.
    """
    vary = tuple((path, _values_that_count(path, values)) for path, values in study.vary)
    return max(map(_cell_bytes, replace(study, vary=vary).cells))


def _values_that_count(path: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values of an axis that the study's largest cell may have."""
    if path in _EACH:
        return values
    return (max(values, key=_LARGEST[path]),) if path in _LARGEST else values[:1]


def describe(study: Study) -> str:
    """Return a study in words, with what it takes."""
    axes = [
        f"**{offer.label.partition(' (')[0]}** {', '.join(map(offer.text, offer.values))}"
        for offer in offers_of(study).values()
    ]
    names = map(method_name, study.methods or ())
    cost = cost_of(study)
    cells = f"{cost.n_cells:,} cell{'s' * (cost.n_cells > 1)}"
    networks = f"{cost.n_networks:,} network{'s' * (cost.n_networks > 1)}"
    where = "on the cluster" if limits().scheduler else f"on {_cores()} of this server"
    seconds = cost.seconds if limits().scheduler else cost.seconds / limits().threads
    time = "under 1 s" if seconds < 1 else f"about {duration(seconds)}"
    time += " of one core" * bool(limits().scheduler)
    return (
        f"{' × '.join(axes) or 'One cell'}; {', '.join(names)}; {len(study.seeds)} seeds."
        f"  \n{cells}, {networks}, {time} {where}."
    )


def _cores() -> str:
    return f"{limits().threads} core{'s' * (limits().threads > 1)}"


def reason_against(study: Study) -> str:
    """Return why the server does not compute a study, and what to reduce; empty if it does."""
    granted, cost = limits(), cost_of(study)
    if cost.n_networks > granted.study_networks:
        return (
            f"This study has {cost.n_networks:,} networks, and this server allows"
            f" {granted.study_networks:,}. {_advice(study)}"
        )
    if cost.seconds > granted.study_seconds:
        return (
            f"This study would take about {duration(cost.seconds)} of one core, and this server"
            f" allows {duration(granted.study_seconds)}. {_advice(study)}"
        )
    if (largest := largest_cell_bytes(study)) > MAX_CELL_BYTES:
        return (
            f"A cell of this study needs {largest / 1e6:,.0f} MB, and this server allows"
            f" {MAX_CELL_BYTES / 1e6:,.0f}. {_advice(study)}"
        )
    return ""


def _cell_bytes(cell: Cell) -> int:
    """Return the memory that the networks of a cell take in training, in bytes."""
    experiment = cell.experiment
    data = experiment.data
    layout = Layout.of(experiment.network, data.n_columns, data.n_outputs)
    n_networks = NETWORKS * math.ceil(len(experiment.regularizations) / NETWORKS)
    n_numbers = NUMBERS_PER_PARAMETER * n_networks
    if cell.stops_early:  # the unregularized network is kept at each recorded epoch
        n_numbers += min(experiment.training.frames, experiment.training.epochs)
    n_seeds = min(len(cell.seeds), SEEDS_AT_ONCE)
    size = np.dtype(experiment.training.dtype).itemsize
    return n_seeds * n_numbers * layout.n_parameters * size


def _advice(study: Study) -> str:
    """Return what to reduce first."""
    several = [path for path, values in study.vary if len(values) > 4]
    parts = ["fewer seeds"] * (len(study.seeds) > 10)
    parts += ["fewer strengths"] * (study.strengths == "grid" or study.strengths in (4, 6))
    parts += ["fewer values of an axis"] * bool(several)
    parts += ["fewer methods", "fewer epochs in the playground"]
    *others, last = parts[:3]
    advice = f"{', '.join(others)} or {last}" if others else last
    return f"Choose {advice}; or take the program below to a larger machine."
