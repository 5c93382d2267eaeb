"""The commands and options of ``regviz``."""

import argparse
import socket
from collections.abc import Sequence
from typing import TypeAlias

from regviz import __version__

EXIT_CODES = """exit codes:
  0    done
  1    the run failed: a file cannot be written, a server does not start, or every network diverged
  2    wrong options, or an experiment or a link that is not valid
  130  interrupted by Ctrl-C
  141  the program that reads the output has ended
"""
FILE = """FILE is
  an experiment saved on the page by Save · open, or written by Scene.to_json or Experiment.to_json;
  -, such a file on the standard input;
  or a link to the page, in quotation marks.
"""
NETWORKS = """An experiment of the page has every method at all of its strengths. The table has each
method at the strength that the page shows.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of a command, with its name as ``command``.

    Raises
    ------
    SystemExit
        With code 2 and a message on stderr if they are wrong; with 0 after ``--help``.
    """
    parser = argparse.ArgumentParser(
        "regviz",
        description="What regularization does to a neural network.",
        epilog=f"regviz COMMAND --help describes a command.\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"regviz {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_train(commands)
    _add_export(commands)
    _add_study(commands)
    _add_open(commands)
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "serve":
        commands.choices[options.command].error(f"unrecognized arguments: {' '.join(others)}")
    options.others = others
    return options


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: Commands, name: str, about: str, text: str) -> argparse.ArgumentParser:
    """Add a command with a description of itself, and with the option ``--import``."""
    description, _, epilog = text.partition("\n\n")
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "--import",
        dest="imports",
        metavar="MODULE",
        action="append",
        help="module, also in the current folder, that registers datasets, methods, views or"
        " libraries; can be repeated",
    )
    return command


def _add_serve(commands: Commands) -> None:
    serve = _command(
        commands,
        "serve",
        "serve the page",
        "Serve the page until interrupted.\n\n"
        "All other options are passed on to `streamlit run`, which lists them with --help.",
    )
    serve.add_argument("--port", type=_port, help="8501 by default, or the next that is free")
    serve.add_argument(
        "--host",
        "--address",
        type=_host,
        help="address of this machine to listen on, such as 127.0.0.1; all of them by default",
    )


def _add_train(commands: Commands) -> None:
    train = _command(
        commands,
        "train",
        "train the networks of an experiment, and print a table",
        f"Train all networks of an experiment, and print a table of them.\n\n{FILE}\n{NETWORKS}\n"
        "examples:\n"
        "  regviz train regviz-circles.json\n"
        "  regviz train regviz-circles.json --output run.npz\n"
        "  regviz train - --json < regviz-circles.json > results.json\n"
        '  regviz train "http://localhost:8501/?v=2&data=moons&noise=0.2"\n\n'
        f"{EXIT_CODES}",
    )
    _add_file(train)
    train.add_argument(
        "--output",
        metavar="HISTORY",
        help="save the history: as run.npz for regviz.History.load, or as run.json",
    )
    train.add_argument(
        "--json", action="store_true", help="print the results of all networks as JSON"
    )


def _add_export(commands: Commands) -> None:
    export = _command(
        commands,
        "export",
        "write an experiment as an offline page, a program or a file",
        "Write an experiment in another form.\n\n"
        f"{FILE}\n"
        "OUT is a file, or - for the standard output. By default it is named after FILE, is written"
        " to the\ncurrent folder, and must not exist. A file that is named is overwritten.\n\n"
        "examples:\n"
        "  regviz export regviz-moons.json --html\n"
        "  regviz export regviz-moons.json --html course/moons.html\n"
        "  regviz export regviz-moons.json --points points.csv\n"
        "  regviz export regviz-moons.json --program pytorch --method l2 > l2.py\n"
        '  regviz export "http://localhost:8501/?v=2&data=moons" --experiment moons.json\n\n'
        f"{EXIT_CODES}",
    )
    _add_file(export)
    forms = export.add_argument_group("forms, of which one is needed")
    forms = forms.add_mutually_exclusive_group(required=True)
    output = {"nargs": "?", "const": "", "metavar": "OUT"}
    forms.add_argument(
        "--html",
        **output,  # type: ignore[arg-type]
        help="the board with all networks in one HTML file, which needs no server",
    )
    forms.add_argument(
        "--program",
        metavar="LIBRARY",
        help="a program that trains one of the networks with pytorch, scikit-learn or keras, on the"
        " standard output; it reads points.csv",
    )
    forms.add_argument(
        "--points",
        **output,  # type: ignore[arg-type]
        help="the points with their splits as CSV",
    )
    forms.add_argument(
        "--experiment",
        **output,  # type: ignore[arg-type]
        help="the experiment as JSON, which the page opens; of a link, too",
    )
    export.add_argument(
        "--method",
        help="method of the program's network, such as l2; by default the one in focus",
    )
    export.add_argument(
        "--json",
        action="store_true",
        help="print the name and size of the file, or the program, as JSON",
    )


def _add_study(commands: Commands) -> None:
    study = _command(
        commands,
        "study",
        "compare methods over cells, strengths and seeds",
        "Train the methods of an experiment under several seeds, in each cell of a grid of settings"
        " if some\nvary, and compare them with one of the methods. Each seed has its own points or"
        " split, initial\nweights and mini-batches. Differences are taken seed by seed, with"
        " intervals.\n\n"
        f"{FILE}"
        "  It can also be a study: the text of Study.to_json, or a link to the page of studies.\n\n"
        "Without --vary, an experiment of the page has each method at the strength that the page"
        " shows;\nwith --vary, at all strengths on offer, of which the validation loss chooses."
        "\n\n"
        "examples:\n"
        "  regviz study regviz-circles.json --seeds 20\n"
        "  regviz study regviz-circles.json --seeds 20 --baseline l2 --json > study.json\n"
        "  regviz study regviz-circles.json --vary network.hidden=2,8,8-8 --vary data.noise=0.1,0.3"
        " \\\n    --methods none,l2,dropout --store study --figure study.html\n"
        "  regviz study study.json --scheduler tcp://scheduler:8786 --store study --csv > study.csv"
        "\n\n"
        f"{EXIT_CODES}",
    )
    _add_file(study)
    _add_grid(study)
    run = study.add_argument_group("run")
    run.add_argument(
        "--store",
        metavar="DIR",
        help="folder that keeps finished cells: an interrupted study goes on from there",
    )
    run.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler, such as tcp://scheduler:8786; by default this machine's cores",
    )
    run.add_argument(
        "--dry-run",
        action="store_true",
        help="print the numbers of cells and networks, seconds and bytes, and train nothing",
    )
    _add_comparison(study)


def _add_grid(study: argparse.ArgumentParser) -> None:
    """Add the options that change a study."""
    grid = study.add_argument_group("networks")
    grid.add_argument(
        "--vary",
        metavar="PATH=V,V",
        action="append",
        help="values of a setting, such as data.noise=0.1,0.3, network.hidden=none,8,8-8 or"
        " training.batch_size=10,all; can be repeated",
    )
    grid.add_argument("--methods", metavar="M,M", help="methods, such as none,l2,early_stopping")
    grid.add_argument(
        "--strengths",
        metavar="S",
        help="grid for all on offer, a number of them, or strengths such as l2=0.001,0.01,l1=0.01",
    )
    grid.add_argument(
        "--seeds",
        type=_seeds,
        metavar="N",
        help="number of seeds, or seeds such as 5-24 or 3,5,8; by default 20",
    )


def _add_comparison(study: argparse.ArgumentParser) -> None:
    """Add the options that select the results of a study."""
    shown = study.add_argument_group("results")
    shown.add_argument(
        "--metric", default="test_loss", help="number to compare; by default test_loss"
    )
    shown.add_argument(
        "--baseline",
        metavar="METHOD",
        help="method to compare with, such as l2; by default none, or else the first",
    )
    shown.add_argument("--interval", choices=("t", "bootstrap"), default="t", help="by default t")
    shown.add_argument(
        "--correction",
        choices=("holm", "benjamini_hochberg", "none"),
        default="holm",
        help="for the number of comparisons; by default holm",
    )
    shown.add_argument(
        "--figure",
        metavar="OUT.html",
        help="write the figure as a page, whose camera button saves it as a PNG",
    )
    form = shown.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="print means and differences of all cells as JSON"
    )
    form.add_argument("--csv", action="store_true", help="print a row for each network, as CSV")


def _add_open(commands: Commands) -> None:
    open_ = _command(
        commands,
        "open",
        "open a link or an experiment on the page",
        "Open a link to RegViz on a server of this machine, which is started if none is given, and"
        " serves\nuntil interrupted.\n\n"
        "LINK is a link to any server's page or lesson, in quotation marks, or a FILE as of train."
        "\n\n"
        "examples:\n"
        '  regviz open "https://regviz.example.org/?v=2&data=moons&focus=l1"\n'
        "  regviz open regviz-moons.json --url http://localhost:8501 --no-browser\n\n"
        f"{EXIT_CODES}",
    )
    open_.add_argument("link", metavar="LINK", help="link, or file with an experiment")
    where = open_.add_mutually_exclusive_group()
    where.add_argument("--url", help="address of a running server; starts none")
    where.add_argument("--port", type=_port, help="port of the new server; by default a free one")
    open_.add_argument(
        "--no-browser", action="store_true", help="print the address, and open no browser"
    )
    open_.add_argument("--json", action="store_true", help="print the address as JSON")


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help="experiment, - or link; see below")


def _port(text: str) -> int:
    """Return the number of a TCP port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 65535, got {text!r}")
    return int(text)


def _seeds(text: str) -> tuple[int, ...]:
    """Return seeds: a number of them, or a list."""
    from regviz.scenes.study_text import read_seeds  # imports the catalogue of methods

    try:
        return read_seeds(text, 2)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}, got {text!r}") from None


def _host(text: str) -> str:
    """Return an address of a machine, or a name that stands for one."""
    try:
        socket.getaddrinfo(text, None)
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(
            f"must be an address or a known name of this machine, got {text!r}"
        ) from None
    return text
