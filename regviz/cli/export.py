"""``regviz export``: an experiment as an offline page, a program or a file."""

from argparse import Namespace
from pathlib import Path

from regviz.cli import output
from regviz.cli.source import Source, read
from regviz.cli.train import trained
from regviz.data.datasets import make_dataset
from regviz.data.points_file import points_csv
from regviz.programs import LIBRARIES, program
from regviz.scenes.offline import run_page
from regviz.spec.validation import Unquoted, choice, invalid


def run(options: Namespace) -> int:
    """Write an experiment in another form, as ``regviz export``."""
    source = read(options, options.file)
    if options.program is not None:
        _print_program(source, options)
        return 0
    form = next(
        form for form in ("html", "points", "experiment") if getattr(options, form) is not None
    )
    suffix = {"html": ".html", "points": "-points.csv", "experiment": ".json"}[form]
    target = getattr(options, form)
    if not target:
        target = f"{source.name}{suffix}"
        _check_new(f"--{form}", target)
    _check(f"--{form}", target, options)
    if form != "points" and source.plain:
        output.note(source.scene.missing(source.plain))
    output.note(source.notes())
    n_bytes = output.write(target, _text(source, form))
    if options.json:
        print(output.json_text({"file": target, "bytes": n_bytes}))
    elif target != "-":
        output.note([f"{target} has {n_bytes:,} bytes."])
    return 0


def _check_new(option: str, target: str) -> None:
    """Raise ValueError if a file exists that was not named on the command line."""
    if Path(target).exists():
        allowed = f"followed by the name of a file, as {target} exists"
        raise invalid(option, allowed, Unquoted("none"))


def _check(option: str, target: str, options: Namespace) -> None:
    """Raise ValueError if the file cannot be written, or is the one that is read."""
    if target == "-":
        if options.json:
            raise invalid(option, "a file, as --json prints to the standard output", target)
        return
    output.check_target(option, target)
    if (
        Path(target).exists()
        and Path(options.file).exists()
        and Path(target).samefile(options.file)
    ):
        raise invalid(option, "another file than FILE", target)


def _text(source: Source, form: str) -> str:
    """Return the text of a form."""
    if form == "experiment":
        return source.scene.to_json() + "\n"
    if form == "points":
        return points_csv(make_dataset(source.scene.data))
    return run_page(source.scene, trained(source.grid.experiment))


def _print_program(source: Source, options: Namespace) -> None:
    """Print the program that trains the network of a method."""
    choice("--program", options.program, LIBRARIES)
    focus = None if source.plain else source.scene.focus or source.grid.default_focus
    key = options.method or (focus if focus != "early_stopping" else "none")
    k = source.method(key, "--method")
    written = program(source.compared, k, options.program)
    if options.json:
        print(output.json_text({"source": written.source, "note": written.note}))
    else:
        output.note([written.note])
        print(written.source, end="")
