"""Convert a `Study` whose base is a scene to the query string of a link, and back.

A link of a study has the parameters of a scene's link, and those of `OWN`.
"""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.scenes import link as scene_link
from regviz.scenes.link import LINK_VERSION, SAFE, listed, names_in, problem
from regviz.scenes.scene import Scene
from regviz.scenes.study_text import (
    axes_text,
    read_seeds,
    read_strengths,
    read_value,
    seeds_text,
    split_axes,
    strengths_text,
)
from regviz.spec.validation import choice, invalid, one_of
from regviz.studies.axes import checked_axes, paths_of
from regviz.studies.cell import Cell
from regviz.studies.result import StudyResult
from regviz.studies.study import Study

PATH = "/study"  # of the page of studies
OWN = ("methods", "vary", "strengths", "seeds", "choose")  # parameters; methods are in any order
MAX_CELLS = 10_000  # of a study in a link
MAX_VALUES = 100  # of an axis in a link


def study_of(
    scene: Scene,
    vary: Mapping[str, Sequence[Any]] | Sequence[tuple[str, Sequence[Any]]] = (),
    strengths: Any = None,
    seeds: Sequence[int] = range(20),
) -> Study:
    """Return the study of a scene's methods.

    Parameters
    ----------
    scene : Scene
    vary : mapping of str to sequence
        As of `regviz.Study`.
    strengths : "grid", int, mapping or None
        As of `regviz.Study`; None for those that the page shows.
    seeds : sequence of int

    Returns
    -------
    Study
        Early stopping is the last method, if the page shows it.

    Raises
    ------
    ValueError
        As for `regviz.Study`.

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.study_link import study_of
    >>> scene = regviz.Scene(methods=("none", "l1"), strengths={"l1": 0.003})
    >>> study = study_of(scene, {"data.noise": [0.1, 0.3]})
    >>> study.methods, dict(study.strengths)
    (('none', 'l1', 'early_stopping'), {'l1': (0.003,)})
    """
    grid = scene.grid()
    shown, variants = scene.strength_indices(grid), scene.variant_indices(grid)
    if strengths is None:
        indices = dict(zip(grid.methods, grid.strength_indices(shown, variants), strict=True))
        strengths = {
            key: grid.strengths(key, variants.get(key))[index]
            for key, index in indices.items()
            if key != "none"
        }
    return Study(
        grid.experiment,
        vary,
        (*grid.methods, *[EARLY_STOPPING] * grid.early_stopping),
        strengths,
        tuple(seeds),
        variants={key: grid.values(key)[index] for key, index in variants.items()},
        corrected=scene.corrected,
    )


def to_query(study: Study) -> dict[str, str]:
    """Return the parameters of a study that are not at their default, as text, without version.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        If the study has regularizations of its own instead of methods, which a link cannot hold.

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.study_link import study_of, to_query
    >>> to_query(study_of(regviz.Scene(), {"data.noise": [0.1, 0.3]}, strengths=3))
    {'vary': 'data.noise=0.1,0.3', 'strengths': '3'}
    """
    if study.methods is None:
        raise invalid("methods", "those of the catalogue, as a link holds no others", None)
    in_order = [key for key in METHODS if key in study.methods]
    scene = Scene(
        study.base.data,  # type: ignore[arg-type] # checked by the constructor
        study.base.network,
        study.base.training,
        tuple(in_order) or ("none",),
        phases=study.base.phases,
        variants=study.variants,
        corrected=study.corrected,
    )
    query = scene_link.to_query(scene)
    for name in ("seed", "training_seed", "methods"):
        query.pop(name, None)
    methods = study.methods
    if methods[-1] == EARLY_STOPPING and "none" in methods:
        methods = methods[:-1]
    elif EARLY_STOPPING not in methods:
        query["early_stopping"] = "0"
    if methods != scene_link.from_query({})[0].methods:
        query["methods"] = listed(methods)
    if study.vary:
        query["vary"] = axes_text(study.vary)
    if study.strengths != "grid":
        query["strengths"] = strengths_text(study.strengths)
    if study.seeds != Study().seeds:
        query["seeds"] = seeds_text(study.seeds)
    if study.choose is None:
        query["choose"] = "none"
    return query


def link(address: str, study: Study, **others: str) -> str:
    """Return the link that opens a study.

    Parameters
    ----------
    address : str
        Address of the page of studies, without a query string.
    study : Study
    **others
        Further parameters, such as Streamlit's ``embed="true"``.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        As for `to_query`.

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.study_link import link, study_of
    >>> study = study_of(regviz.Scene(), {"network.hidden": [(2,), (8, 8)]}, "grid")
    >>> link("http://localhost:8501/study", study)
    'http://localhost:8501/study?v=2&vary=network.hidden=2,8-8'
    """
    query = {"v": str(LINK_VERSION)} | to_query(study) | others
    return f"{address}?{urlencode(query, safe=SAFE + '=')}"


def from_query(query: Mapping[str, str]) -> tuple[Study, list[str]]:
    """Return the study of a query string, and a sentence for each problem with it.

    Parameters that are unknown, malformed or out of range are ignored, as are single values of an
    axis. Never raises ValueError.

    Parameters
    ----------
    query : mapping of str to str
        Parameters of the link by name.

    Returns
    -------
    study : Study
    problems : list of str

    Examples
    --------
    >>> from regviz.scenes.study_link import from_query
    >>> study, problems = from_query({"data": "moons", "vary": "data.noise=0.1,9,0.3"})
    >>> study.vary
    (('data.noise', (0.1, 0.3)),)
    >>> problems
    ["data.noise of vary must be a number from 0 to 2, got '9': ignored."]
    """
    scene, problems = scene_link.from_query({k: v for k, v in query.items() if k not in OWN})
    methods = _methods(query, scene, problems)
    start = study_of(replace(scene, methods=("none",)), seeds=range(1))
    # one strength needs no validation points, which the scene may not have
    variants = tuple((key, value) for key, value in scene.variants if key in methods)
    study = replace(start, methods=methods, strengths=1, seeds=Study().seeds, variants=variants)
    study = replace(study, vary=_axes(query.get("vary", ""), study, problems))
    study = _with_strengths(study, query.get("strengths"), problems)
    readers: dict[str, Callable[[str], Any]] = {"seeds": read_seeds, "choose": _choose}
    for name in readers.keys() & query.keys():
        try:
            study = replace(study, **{name: readers[name](query[name])})
        except ValueError as error:
            problems.append(problem(name, query[name], error))
    return study, problems


def _with_strengths(study: Study, text: str | None, problems: list[str]) -> Study:
    """Return a study with the strengths of a link; all of them if it has none that are allowed."""
    if text is not None:
        try:
            return replace(study, strengths=read_strengths(text))
        except ValueError as error:
            problems.append(problem("strengths", text, error))
    try:
        return replace(study, strengths="grid")
    except ValueError:
        problems.append(
            "Without validation points no strength can be chosen: each method has its initial one."
        )
        return study


def _methods(query: Mapping[str, str], scene: Scene, problems: list[str]) -> tuple[str, ...]:
    """Return the methods of a link, with early stopping where the page shows it."""
    methods = list(scene.methods)
    if "methods" in query:
        try:
            given = list(dict.fromkeys(names_in(query["methods"])))
            for key in given:
                choice("methods", key, (*METHODS, EARLY_STOPPING))
            if not given:
                raise invalid("methods", one_of((*METHODS, EARLY_STOPPING)), given)
            methods = given
        except (ValueError, csv.Error) as error:
            problems.append(problem("methods", query["methods"], error))
    if not scene.data.validation_fraction:
        methods = [key for key in methods if key != EARLY_STOPPING] or ["none"]
    elif scene.early_stopping and "none" in methods and EARLY_STOPPING not in methods:
        methods.append(EARLY_STOPPING)
    return tuple(methods)


def _axes(text: str, study: Study, problems: list[str]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Return the axes of a link without the values that are not allowed for a study's methods."""
    base, axes = study.base, dict[str, tuple[Any, ...]]()
    stops_early = EARLY_STOPPING in (study.methods or ())
    for path, texts in split_axes(text):
        name = f"{path[:40]} of vary"
        try:
            choice("it", path, paths_of(base))
        except ValueError as error:
            problems.append(problem("vary", path, error))
            continue
        if path in axes:
            problems.append(f"{name} must be there once, with all its values: the first is used.")
            continue
        if len(texts) > MAX_VALUES:
            problems.append(f"{name} must be at most {MAX_VALUES} values: the rest is ignored.")
        values = []
        for one in texts[:MAX_VALUES]:
            try:
                ((_, (value,)),) = checked_axes(base, {path: [read_value(path, one)]})
                if path == "data.validation_fraction" and stops_early and not value:
                    raise invalid("it", "above 0 with early stopping", value)
            except ValueError as error:
                problems.append(problem(name, one, error))
            else:
                values.append(value)
        values = list(dict.fromkeys(values))
        n_cells = math.prod(map(len, axes.values())) * len(values)
        if n_cells > MAX_CELLS:
            problems.append(f"{name} must leave at most {MAX_CELLS:,} cells: ignored.")
        elif values:
            try:
                axes = dict(checked_axes(base, axes | {path: values}))
            except ValueError as error:
                problems.append(f"{name}: {error}: ignored.")
    return tuple(axes.items())


def _choose(text: str) -> str | None:
    return None if choice("it", text, ("validation", "none")) == "none" else text


def scene_of(cell: Cell, seed: int, strengths: Mapping[str, float] | None = None) -> Scene:
    """Return the scene of the page that shows a cell's networks under a seed.

    Parameters
    ----------
    cell : Cell
    seed : int
        Seed of data and training.
    strengths : mapping of str to float, optional
        Strength to show by method, such as `chosen_strengths`. By default that of the cell, if it
        is a single one, or else the page's initial one.

    Returns
    -------
    Scene

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.study_link import scene_of
    >>> study = regviz.Study(vary={"data.noise": [0.1, 0.3]}, methods=("none", "l1"))
    >>> scene = scene_of(study.cell({"data.noise": 0.3}), seed=7, strengths={"l1": 0.003})
    >>> scene.data.noise, scene.data.seed, scene.methods
    (0.3, 7, ('none', 'l1'))
    """
    experiment = cell.experiment_under(seed)
    nearest = Scene.of(experiment)
    methods = [row.method for row in cell.rows if row.method in METHODS]
    stops_early = cell.stops_early
    if not {row.method for row in cell.rows} <= {*METHODS, EARLY_STOPPING}:
        methods = list(nearest.methods)  # of combinations
    several = {row.method for row in cell.rows if row.strength_index}
    shown = {
        row.method: row.strength
        for row in cell.rows
        if row.method in methods and row.method not in several and row.strength == row.strength
    }
    variants = dict(nearest.variants)
    for row in cell.rows:
        if row.method in METHODS and METHODS[row.method].variants:
            variant = METHODS[row.method].variant(experiment.regularizations[row.network])
            variants.setdefault(row.method, variant or 0.0)
    return replace(
        nearest,
        methods=(*methods, *["none"] * stops_early),
        early_stopping=stops_early,
        strengths=tuple((shown | dict(strengths or {})).items()),
        variants=tuple((key, variants[key]) for key in variants if key in methods),
    )


def chosen_strengths(result: StudyResult, cell: Cell, seed: int) -> dict[str, float]:
    """Return the strength of each method that was chosen in a cell under a seed.

    Parameters
    ----------
    result : StudyResult
    cell : Cell
    seed : int
        One of the study.

    Returns
    -------
    dict of str to float
        Without methods that have no strength, and those that diverged at all strengths.

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.study_link import chosen_strengths
    >>> base = regviz.Experiment(training=regviz.TrainingSpec(epochs=10))
    >>> study = regviz.Study(base, methods=("none", "dropout"), strengths=1, seeds=range(2))
    >>> chosen_strengths(study.run(), study.cells[0], seed=1)
    {'dropout': 0.2}
    """
    chosen = result.chosen
    own = chosen[(chosen["cell"] == cell.key) & (chosen["seed"] == seed)].dropna(subset="strength")
    return dict(zip(own["method"], own["strength"], strict=True))
