"""The experiment that a command is given: a file, the standard input or a link."""

import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from regviz.data.datasets import make_dataset
from regviz.engine.history import History
from regviz.methods.labels import Label, labels
from regviz.scenes.link import from_query
from regviz.scenes.scene import Scene
from regviz.scenes.strength_grid import StrengthGrid
from regviz.server.extensions import import_modules
from regviz.spec.experiment import Experiment
from regviz.spec.validation import invalid

LESSONS = "/learn"  # path of the course
ROOM = "room"  # parameter of a link that joins a class
SCHEMES = ("http://", "https://")


@dataclass(frozen=True)
class Source:
    """An experiment of the page, or one that was written in Python.

    Attributes
    ----------
    name : str
        Name for files that are made of it, without suffix.
    scene : Scene
        The scene of the page, or the one nearest to an experiment that was written in Python.
    plain : Experiment or None
        The experiment that was written in Python.
    """

    name: str
    scene: Scene
    plain: Experiment | None = None

    @property
    def grid(self) -> StrengthGrid:
        """The grid of the scene."""
        return self.scene.grid()

    @property
    def experiment(self) -> Experiment:
        """All networks that are trained."""
        return self.plain or self.grid.experiment

    @cached_property
    def shown(self) -> list[int]:
        """Indices of the networks in tables: those that the page shows, or all of an experiment."""
        if self.plain:
            return list(range(len(self.plain.regularizations)))
        return self.scene.rows(self.grid)

    @property
    def compared(self) -> Experiment:
        """The experiment with the networks in tables only."""
        return self.plain or self.grid.only(self.shown)

    @property
    def labels(self) -> list[Label]:
        """Names of the networks in tables."""
        return labels(self.compared, () if self.plain else self.grid.methods)

    @property
    def patience(self) -> int | None:
        """Epochs without improvement after which early stopping stops; None if it is not shown."""
        return self.grid.patience if self.plain is None and self.grid.early_stopping else None

    def notes(self, epoch: bool = True) -> list[str]:
        """Return sentences on what the scene asks for and the page does not have.

        Parameters
        ----------
        epoch : bool
            Whether the scene's epoch is of interest, too.
        """
        scene = self.scene if epoch else replace(self.scene, epoch=None)
        return [] if self.plain else scene.approximations(self.grid)

    def in_tables(self, history: History, rows: list[int], t: int) -> tuple[list[int], list[int]]:
        """Return the networks in tables and their time indices.

        Early stopping, if it is shown, is one more, at the end.

        Parameters
        ----------
        history : History
            A run of `experiment` or `compared`.
        rows : list of int
            Indices in ``history`` of the networks in tables.
        t : int
            Their time index.
        """
        networks, times = list(rows), [t] * len(rows)
        if self.patience is not None:
            k = rows[self.grid.methods.index("none")]
            networks.append(k)
            times.append(int(history.early_stopping(self.patience)[0][k]))
        return networks, times

    def method(self, key: str | None, option: str, others: Sequence[str] = ()) -> int:
        """Return the position in tables of a method's network, or of the first network for None.

        ``others`` are the keys of the rows that follow the networks.

        Raises
        ------
        ValueError
            If no network is of this method.
        """
        keys = [*(label.method for label in self.labels), *others]
        if key is None:
            return 0
        if key not in keys:
            raise invalid(option, f"one of {', '.join(dict.fromkeys(keys))}", key)
        return keys.index(key)


def read(options: Namespace, file: str) -> Source:
    """Return the experiment of a file, of ``-`` for the standard input, or of a link.

    The modules of the option ``--import`` are imported first.

    Raises
    ------
    ValueError
        If it cannot be read, is no experiment, or cannot be trained.
    """
    import_extensions(options)
    if file.startswith(SCHEMES):
        return of_link(split_link(file))
    return of_text(file, read_text(file))


def import_extensions(options: Namespace) -> None:
    """Import the modules of the option ``--import``."""
    import_modules(options.imports or os.environ.get("REGVIZ_IMPORTS", "").split())


def of_link(parts: SplitResult) -> Source:
    """Return the experiment of a link to the page; raise ValueError if it is not valid."""
    scene = scene_of(query_of(parts))
    return Source(f"regviz-{scene.data.name}", scene)


def of_text(file: str, text: str) -> Source:
    """Return the experiment of the text of a file; raise ValueError if it is not valid."""
    try:
        scene, content = Scene.from_json(text), json.loads(text)
        plain = Experiment.from_json(text) if "regularizations" in content else None
        make_dataset(scene.data)  # raises if the points cannot be split
    except ValueError as error:
        raise named(file, error) from error
    name = f"regviz-{scene.data.name}" if file == "-" else Path(file).stem
    return Source(name, scene, plain)


def named(file: str, error: ValueError) -> ValueError:
    """Return the error of a file's text with the name of the file."""
    return ValueError(f"{'standard input' if file == '-' else file}: {error}")


def read_text(file: str) -> str:
    """Return the text of a file, or of the standard input for ``-``."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror or error})"
        if re.match(r"[^?]*\?|[\w.-]+:\d", file):  # as in localhost:8501/?data=moons
            allowed += ", or a link that begins with http:// or https://"
        raise invalid("FILE", allowed, file) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        allowed = "an experiment as JSON, which is text in UTF-8"
        raise invalid("FILE", allowed, file) from error


def split_link(link: str) -> SplitResult:
    """Return the parts of a link.

    Raises
    ------
    ValueError
        If it is no address of a page.
    """
    parts = urlsplit(link)
    if not link.startswith(SCHEMES) or not parts.hostname:
        raise invalid("LINK", "an address that begins with http:// or https://", link)
    return parts


def query_of(parts: SplitResult) -> dict[str, str]:
    """Return the parameters of a link; of one that is repeated, the last."""
    return dict(parse_qsl(parts.query, keep_blank_values=True))


def scene_of(query: Mapping[str, str]) -> Scene:
    """Return the scene of a link's parameters.

    Raises
    ------
    ValueError
        If a parameter is unknown, or its value is not allowed. The page ignores such a parameter,
        and so shows another experiment.
    """
    if ROOM in query:
        allowed = "a link to a page: a room is on the server on which it was opened"
        raise invalid("LINK", allowed, f"{ROOM}={query[ROOM]}")
    scene, problems = from_query(query)
    refuse(problems)
    return scene


def refuse(problems: list[str]) -> None:
    """Raise ValueError if a link has problems, which the page reports and ignores."""
    if problems:
        raise ValueError(
            "; ".join(re.sub(r": [^:]*(ignored|read as \d+)\.$", "", p) for p in problems)
        )
