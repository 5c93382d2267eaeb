"""Limits on the resources of a server's visitors, and other settings, read from the environment."""

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from regviz.spec.validation import integer, invalid, real

PREFIX = "REGVIZ_"


@dataclass(frozen=True)
class Limits:
    """Limits of one process; the defaults are for a machine of two cores.

    Parameters
    ----------
    sessions : int
        Bound on connected visitors, 1 to 100,000. Others get a page that reloads itself until one
        has left.
    sessions_per_address : int
        Bound on connected visitors with one address, 1 to 100,000; IPv6 addresses count as one if
        their first 64 bits are equal. The default fits a class of thirty behind one router, with
        two tabs each.
    trainings : int
        Bound on unfinished trainings, waiting ones included, 1 to 100,000. Beyond it a visitor's
        page keeps its last result, and starts the training once there is room.
    training_seconds : float
        Bound on the cost of one training, in seconds of one core as estimated by
        `regviz.engine.cost.seconds`; above 0, to 1,000,000.
    threads : int
        Number of training threads, 1 to 64. More threads than cores give no speed-up.
    active : int
        Bound on trainings that have begun and are not finished, 1 to 1000. Each holds memory: 5 MiB
        for the networks of the opening page, 60 MiB for the largest.
    cache_mb : int
        Bound on the memory of finished trainings, in MiB, 1 to 1,000,000.
    cache_minutes : float
        Minutes after its last use until a finished training is evicted, above 0, to 100,000.
    embed : tuple of str
        Origins such as ``https://example.org`` whose pages may show this one in a frame; none by
        default. In the variable they are separated by spaces; ``*`` allows every page.
    metrics_port : int
        Port of the metrics, 1 to 65535; 0, the default, for none.
    streamlit_patches : int
        1, the default, applies `regviz.server.streamlit_patches`; 0 leaves Streamlit unchanged, to
        find out whether a patch causes a fault.
    imports : tuple of str
        Modules that register datasets, methods, views or libraries. They are imported before the
        page starts, from the current folder or as installed. In the variable they are separated by
        spaces.
    lessons : tuple of str
        Folders with lessons of one's own (docs/howto/lessons.md), which follow those of the course.
        In the variable they are separated by spaces.
    studies : int
        Bound on unfinished studies of the page *Study*, waiting ones included, 1 to 10,000.
    active_studies : int
        Bound on studies that are computed at the same time, 1 to 1000; others wait in a queue.
    study_seconds : float
        Bound on the cost of one study, in seconds of one core; above 0, to 10,000,000.
    study_networks : int
        Bound on the networks of one study, 1 to 10,000,000: a result takes about 250 bytes for
        each.
    study_cache_mb : int
        Bound on the memory of the results of finished studies, in MiB, 1 to 1,000,000.
    scheduler : str
        Address of a Dask scheduler, such as ``"tcp://scheduler:8786"``: the studies of the page are
        computed there and only there. By default they are computed by the training threads.

    Raises
    ------
    ValueError
        If a value is not allowed.
    """

    sessions: int = 150
    sessions_per_address: int = 100
    trainings: int = 120
    training_seconds: float = 60.0
    threads: int = 2
    active: int = 16
    cache_mb: int = 256
    cache_minutes: float = 3.0
    embed: tuple[str, ...] = ()
    metrics_port: int = 0
    streamlit_patches: int = 1
    imports: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    studies: int = 30
    active_studies: int = 4
    study_seconds: float = 600.0
    study_networks: int = 20_000
    study_cache_mb: int = 64
    scheduler: str = ""

    def __post_init__(self) -> None:
        integer("sessions", self.sessions, 1, 100_000)
        integer("sessions_per_address", self.sessions_per_address, 1, 100_000)
        integer("trainings", self.trainings, 1, 100_000)
        real("training_seconds", self.training_seconds, 0, 1_000_000, open_low=True)
        integer("threads", self.threads, 1, 64)
        integer("active", self.active, 1, 1000)
        integer("cache_mb", self.cache_mb, 1, 1_000_000)
        real("cache_minutes", self.cache_minutes, 0, 100_000, open_low=True)
        integer("metrics_port", self.metrics_port, 0, 65535)
        integer("streamlit_patches", self.streamlit_patches, 0, 1)
        integer("studies", self.studies, 1, 10_000)
        integer("active_studies", self.active_studies, 1, 1000)
        real("study_seconds", self.study_seconds, 0, 10_000_000, open_low=True)
        integer("study_networks", self.study_networks, 1, 10_000_000)
        integer("study_cache_mb", self.study_cache_mb, 1, 1_000_000)
        if self.scheduler and not re.fullmatch(r"\w+://[^\s/]+:\d+", self.scheduler):
            allowed = "an address such as 'tcp://scheduler:8786'"
            raise invalid("scheduler", allowed, self.scheduler)
        for origin in self.embed:
            if not _is_origin(origin):
                raise invalid("embed", "origins such as 'https://example.org', or '*'", origin)
        for module in self.imports:
            if not all(map(str.isidentifier, module.split("."))) or module.endswith(".py"):
                raise invalid("imports", "names of modules such as 'extensions'", module)
        for folder in self.lessons:
            if not Path(folder).is_dir():
                raise invalid("lessons", "folders that exist", folder)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Create limits from variables such as ``REGVIZ_SESSIONS``.

        An empty variable means the default. An unknown variable with the prefix is ignored, and a
        warning is logged: Kubernetes sets variables named after its services.

        Parameters
        ----------
        environment : mapping of str to str
            Such as `os.environ`.

        Raises
        ------
        ValueError
            If a variable's text is not allowed.
        """
        variables = {PREFIX + field.name.upper(): field for field in fields(cls)}
        for name in environment:
            if name.startswith(PREFIX) and name not in variables:
                logging.getLogger(__name__).warning(
                    "%s is no setting of RegViz, which knows %s", name, ", ".join(variables)
                )
        values: dict[str, Any] = {}
        for name, field in variables.items():
            if text := environment.get(name, "").strip():
                values[field.name] = _read(name, text, field.default)
        try:
            return cls(**values)
        except ValueError as error:
            parameter, rest = str(error).split(" ", 1)
            raise ValueError(f"{PREFIX}{parameter.upper()} {rest}") from None


def _read(name: str, text: str, default: object) -> object:
    """Parse the text of a variable as the type of its default."""
    if isinstance(default, tuple):
        return tuple(text.split())
    if isinstance(default, str):
        return text
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if isinstance(default, int):
        if not value.is_integer():
            raise invalid(name, "a whole number", text)
        return int(value)
    if not math.isfinite(value):
        raise invalid(name, "a number", text)
    return value


def _is_origin(text: str) -> bool:
    if text == "*":
        return True
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    shown = f":{port}" if port is not None else ""
    host = parts.hostname or ""
    plain = all(c.isalnum() or c in ".-[]:*" for c in host) and host.isascii()
    return (
        plain
        and bool(host)
        and text == f"{parts.scheme}://{host}{shown}"
        and (parts.scheme in ("http", "https"))
    )
