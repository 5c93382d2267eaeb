"""``regviz study``: many cells, methods, strengths and seeds, and their paired differences."""

import json
import sys
from argparse import Namespace
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regviz.cli import output
from regviz.cli.source import (
    SCHEMES,
    Source,
    import_extensions,
    named,
    of_link,
    of_text,
    query_of,
    read_text,
    refuse,
    split_link,
)
from regviz.cli.study_tables import Comparison, as_content, as_text
from regviz.extras import missing
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.scenes import study_link
from regviz.scenes.study_text import read_axis, read_strengths
from regviz.spec.validation import choice, invalid, one_of
from regviz.studies.cell import MEASURES, METRICS
from regviz.studies.errors import RunError
from regviz.studies.result import StudyResult
from regviz.studies.study import Study
from regviz.studies.summary import methods_of

PACKAGES = ("pandas", "pyarrow", "distributed")  # of the extra `studies`


def run(options: Namespace) -> int:
    """Run a study, as ``regviz study``."""
    if lacking := [name for name in PACKAGES if find_spec(name) is None]:
        sys.exit(missing("regviz study", ", ".join(lacking), "studies"))
    study = _study(options)
    comparison = _comparison(study, options)
    if options.figure is not None:
        _check_figure(options.figure)
    cost = study.cost()
    if options.dry_run:
        content = {"study": study.id, **asdict(cost)}
        print(output.json_text(content) if options.json else cost)
        return 0
    output.note([str(cost)])
    result, failure = _result(study, options)
    if options.figure is not None:
        _write_figure(result, comparison, options.figure)
    if options.csv:
        result.frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    elif options.json:
        print(output.json_text(as_content(result, comparison)))
    else:
        print(as_text(result, comparison))
    diverged = bool(result.frame["diverged"].all())
    if diverged:
        output.note(["Every network diverged: lower the learning rate."])
    if failure:
        raise OSError(failure)
    return int(diverged)


def _study(options: Namespace) -> Study:
    """Return the study of a file or a link, with the changes of the options.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    import_extensions(options)
    file = options.file
    if file.startswith(SCHEMES):
        parts = split_link(file)
        if parts.path.rstrip("/").endswith(study_link.PATH):
            study, problems = study_link.from_query(query_of(parts))
            refuse(problems)
            return _changed(study, options)
        return _of_source(of_link(parts), options)
    text = read_text(file)
    study_in_file = study_of_text(file, text)
    if study_in_file is not None:
        return _changed(study_in_file, options)
    return _of_source(of_text(file, text), options)


def study_of_text(file: str, text: str) -> Study | None:
    """Return the study of a file's text; None if it is another one, such as an experiment.

    Raises
    ------
    ValueError
        If the study is not valid.
    """
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict) or "base" not in content:
        return None
    try:
        return Study.from_json(text)
    except ValueError as error:
        raise named(file, error) from error


def _of_source(source: Source, options: Namespace) -> Study:
    """Return the study of an experiment: of its networks, or of the methods of a scene.

    Strengths are those that the page shows if nothing varies, and else all.
    """
    if source.plain is not None:
        return _changed(Study(source.plain), options)
    output.note(source.notes(epoch=False))
    return _changed(
        study_link.study_of(source.scene, strengths="grid" if options.vary else None), options
    )


def _changed(study: Study, options: Namespace) -> Study:
    """Return a study with the axes, methods, strengths and seeds of the options."""
    changes: dict[str, Any] = {}
    if options.vary:
        axes, given = dict(study.vary), set[str]()
        for text in options.vary:
            try:
                path, values = read_axis(study.base, text)
                if path in given:
                    raise invalid("a path", "given once, with all its values", path)
                given.add(path)
                axes[path] = values
            except ValueError as error:
                raise ValueError(f"--vary {error}") from error
        changes["vary"] = axes
    if options.methods is not None:
        methods = tuple(key.strip() for key in options.methods.split(","))
        for key in methods:
            choice("--methods", key, (*METHODS, EARLY_STOPPING))
        changes["methods"] = methods
        if isinstance(study.strengths, tuple):
            changes["strengths"] = {k: v for k, v in study.strengths if k in methods}
        changes["variants"] = {k: v for k, v in study.variants if k in methods}
    if options.strengths is not None:
        try:
            changes["strengths"] = read_strengths(options.strengths)
        except ValueError as error:
            raise ValueError(f"--strengths {error}, got {options.strengths!r}") from error
    if options.seeds is not None:
        changes["seeds"] = options.seeds
    return replace(study, **changes)


def _comparison(study: Study, options: Namespace) -> Comparison:
    """Return what is to be compared; raise ValueError if the study does not have it."""
    methods = methods_of(study)
    baseline = options.baseline
    if baseline is None:
        baseline = "none" if "none" in methods else methods[0]
    elif baseline not in methods:
        raise invalid("--baseline", one_of(methods), baseline)
    metrics = (*METRICS, *MEASURES)
    if study.base.data.task == "regression":
        metrics = tuple(name for name in metrics if "accuracy" not in name)
    if options.metric not in metrics:
        raise invalid("--metric", one_of(metrics), options.metric)
    correction = None if options.correction == "none" else options.correction
    return Comparison(options.metric, baseline, options.interval, correction)


def _result(study: Study, options: Namespace) -> tuple[StudyResult, str]:
    """Run a study, and return the result and the error that kept it from being complete.

    If it is interrupted, say what is kept and how to go on.
    """
    try:
        return study.run(store=options.store, scheduler=options.scheduler), ""
    except RunError as error:
        if error.result is None or not error.result.n_done:
            raise OSError(str(error)) from error
        return error.result, str(error)
    except KeyboardInterrupt:
        kept = f"The finished cells are in {options.store}: the same command goes on from there."
        lost = "Nothing is kept. With --store DIR, a study can be interrupted and goes on."
        output.note([lost if options.store is None else kept])
        raise


def _check_figure(file: str) -> None:
    """Raise ValueError unless the figure can be written, before the time of a study is spent."""
    if Path(file).suffix.lower() != ".html":
        allowed = "a file name that ends in .html (the camera of that page saves a PNG)"
        raise invalid("--figure", allowed, file)
    output.check_target("--figure", file)


def _write_figure(result: StudyResult, comparison: Comparison, file: str) -> None:
    """Write the figure of a result as a page that needs no network."""
    from regviz import figures

    figure = figures.study(result, metric=comparison.metric)
    output.write(file, figure.to_html(include_plotlyjs=True))
