"""What a server grants its visitors. Every limit is an environment variable of its operator."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlsplit

from regviz.spec.validation import integer, invalid, real

PREFIX = "REGVIZ_"


@dataclass(frozen=True)
class Limits:
    """What one process grants its visitors; the defaults are for a machine of two cores.

    Parameters
    ----------
    sessions : int
        Visitors that are connected at a time, 1 to 100,000. The next ones see a page that asks them
        to wait, and lets them in by itself.
    sessions_per_address : int
        Of these, visitors with the same address, 1 to 100,000; of IPv6, with the same first 64
        bits. The default has room for a class of thirty with two tabs each behind one router.
    trainings : int
        Trainings that are not finished, those that wait to begin included, 1 to 100,000. The
        next one is put off, with what is on screen left as it is.
    training_seconds : float
        What one visitor's settings may take to train by themselves, all networks together, in
        seconds of one core as estimated by `regviz.jobs.cost`; above 0, to 1,000,000.
    threads : int
        Threads that train, 1 to 64. More than there are cores make nothing quicker.
    active : int
        Trainings that have begun and are not finished, 1 to 1000; the next ones wait. Each holds
        memory: 5 MiB for the networks that the page opens with, 60 MiB for the largest.
    cache_mb : int
        Finished trainings that are kept for the next visitor, in MiB, 1 to 1,000,000.
    cache_minutes : float
        For how long they are kept once nobody has asked for them, above 0, to 100,000.
    embed : tuple of str
        Origins such as ``https://example.org`` whose pages may show this one in a frame; none by
        default. In the variable they are separated by spaces; ``*`` stands for every page.
    metrics_port : int
        Port on which operators read metrics, 1 to 65535; 0, the default, for none.
    streamlit_patches : int
        1, the default, applies `regviz.server.streamlit_patches`; 0 leaves Streamlit as it is, to
        see whether a patch is the cause of a fault.

    Raises
    ------
    ValueError
        If a value is not allowed.
    """

    sessions: int = 150
    sessions_per_address: int = 60
    trainings: int = 120
    training_seconds: float = 60.0
    threads: int = 2
    active: int = 16
    cache_mb: int = 256
    cache_minutes: float = 3.0
    embed: tuple[str, ...] = ()
    metrics_port: int = 0
    streamlit_patches: int = 1

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
        for origin in self.embed:
            if not _is_origin(origin):
                raise invalid("embed", "origins such as 'https://example.org', or '*'", origin)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The limits that variables such as ``REGVIZ_SESSIONS`` ask for.

        An empty variable stands for the default. One with our prefix that is no limit of ours is
        logged and passed over: some platforms set variables named after their services.

        Raises
        ------
        ValueError
            If a variable's text is not allowed.
        """
        known = {PREFIX + field.name.upper(): field for field in fields(cls)}
        for name in environment:
            if name.startswith(PREFIX) and name not in known:
                logging.getLogger(__name__).warning(
                    "%s is no setting of RegViz, which knows %s", name, ", ".join(known)
                )
        found: dict[str, Any] = {}
        for name, field in known.items():
            if text := environment.get(name, "").strip():
                found[field.name] = _read(name, text, field.default)
        try:
            return cls(**found)
        except ValueError as error:
            parameter, rest = str(error).split(" ", 1)
            raise ValueError(f"{PREFIX}{parameter.upper()} {rest}") from None


def _read(name: str, text: str, default: object) -> object:
    """A variable's value, of its default's type."""
    if isinstance(default, tuple):
        return tuple(text.split())
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
