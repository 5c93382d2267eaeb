"""Export of a study as a Python program that runs it elsewhere with RegViz."""

import dataclasses
from typing import Any

import regviz
from regviz.studies.study import Study
from regviz.studies.summary import methods_of

_WIDTH = 100  # columns
_INDENT = 4 * " "
_TEXT = '''"""A study of RegViz {version}: {n_cells:,} cell{s} of {n_seeds:,} seed{ss}.

It needs RegViz with its extra "studies": python -m pip install ".[studies]" in a clone of RegViz.

python {stem}.py                        runs it on this machine,
python {stem}.py tcp://scheduler:8786   on a Dask cluster.

The folder {stem} keeps the finished cells: after an interruption, the same
command goes on from there. At the end, the table of all networks and the figure are written to
{stem}.csv and .html.
"""

import sys

import regviz

study = {study}
print(study.cost())

scheduler = sys.argv[1] if len(sys.argv) > 1 else None
result = study.run(store="{stem}", scheduler=scheduler)
result.frame.to_csv("{stem}.csv", index=False)
print(result.{table}.drop(columns="cell").to_string(index=False))
regviz.figures.study(result).write_html("{stem}.html")
'''


def file_stem(study: Study) -> str:
    """Return the name of a study's files without their endings.

    Examples
    --------
    >>> import regviz
    >>> from regviz.programs.study import file_stem
    >>> file_stem(regviz.Study())[:13]
    'regviz-study-'
    """
    return f"regviz-study-{study.id}"


def study_program(study: Study) -> str:
    """Return a Python program that runs a study, and writes its table and figure.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        The program builds an equal study, with the same `Study.id`. It prints the cost and the
        paired differences, or the means of a single method, and writes files whose names begin with
        `file_stem`.

    Examples
    --------
    >>> import regviz
    >>> from regviz.programs.study import study_program
    >>> study = regviz.Study(vary={"data.noise": [0.1, 0.3]}, methods=("none", "l2"))
    >>> 'vary={"data.noise": (0.1, 0.3)}' in study_program(study)
    True
    """
    methods = methods_of(study)
    baseline = "" if "none" in methods else f"baseline={_quoted(methods[0])}"
    return _TEXT.format(
        version=regviz.__version__,
        n_cells=len(study.cells),
        s="s" * (len(study.cells) > 1),
        n_seeds=len(study.seeds),
        ss="s" * (len(study.seeds) > 1),
        stem=file_stem(study),
        study=_code(study, ""),
        table=f"differences({baseline})" if len(methods) > 1 else "means()",
    )


def _code(value: Any, indent: str) -> str:
    """Return the expression of a value: on one line if it fits, or else with a line for each part.

    Parameters
    ----------
    value : dataclass, tuple, dict, str, int, float, bool or None
    indent : str
        White space before the line in which the expression begins.
    """
    if dataclasses.is_dataclass(value):
        parts = [f"{name}={{}}" for name, _ in _given(value)]
        values = [part for _, part in _given(value)]
        begin, end = f"regviz.{type(value).__name__}(", ")"
    elif isinstance(value, dict):
        parts, values = [f"{_quoted(key)}: {{}}" for key in value], list(value.values())
        begin, end = "{", "}"
    elif isinstance(value, tuple):
        parts, values = ["{}"] * len(value), list(value)
        begin, end = "(", ",)" if len(value) == 1 else ")"
    elif isinstance(value, range):
        return f"range({value.stop})" if not value.start else repr(value)
    else:
        return _quoted(value) if isinstance(value, str) else repr(value)
    line = begin + ", ".join(map(str.format, parts, [_code(one, "") for one in values])) + end
    if len(indent) + len(line) < _WIDTH - len("strengths=") and "\n" not in line:
        return line
    deeper = indent + _INDENT
    lines = [
        f"{deeper}{part.format(_code(one, deeper))},\n"
        for part, one in zip(parts, values, strict=True)
    ]
    return f"{begin}\n{''.join(lines)}{indent}{end[-1]}"


def _quoted(text: str) -> str:
    """Return a text in double quotation marks, as formatters write it."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in shown else shown


def _given(value: Any) -> list[tuple[str, Any]]:
    """Return the parameters of a dataclass that are not at their default."""
    pairs = []
    for field in dataclasses.fields(value):
        if field.default_factory is dataclasses.MISSING:
            default = field.default
        else:
            default = field.default_factory()
        if (given := getattr(value, field.name)) != default:
            pairs.append((field.name, given))
    if isinstance(value, Study):
        return [(name, _of_study(name, one)) for name, one in pairs]
    return pairs


def _of_study(name: str, value: Any) -> Any:
    """Return a parameter of a study as one writes it."""
    if name in ("vary", "variants") or (name == "strengths" and isinstance(value, tuple)):
        return dict(value)
    if name == "seeds":
        seeds = range(value[0], value[0] + len(value))
        return seeds if tuple(seeds) == value else value
    return value
